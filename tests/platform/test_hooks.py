"""Hook deliveries: which event goes where, with which headers and body, and which changes send none."""

import secrets

import gitlab
import pytest

DUE = "2031-02-03"
SECRET = "rahasia-uji"


def _of(issue, *actions):
    """Wanted: events of this issue, with one of these actions."""

    def wanted(arrival):
        attributes = arrival.body["object_attributes"]
        about = arrival.body.get("issue") or attributes
        return about["iid"] == issue.iid and (not actions or arrival.action in actions)

    return wanted


def _issue_event(issue, *actions):
    return lambda arrival: _of(issue, *actions)(arrival) and "Issue" in arrival.headers["X-Gitlab-Event"]


def _note_event(issue, *actions):
    return lambda arrival: _of(issue, *actions)(arrival) and "Note" in arrival.headers["X-Gitlab-Event"]


def test_a_new_issue(forge, receiver):
    label = forge.label()
    issue = forge.issue(labels=[label], due_date=DUE, assignee_ids=[forge.bot.id])
    [arrival] = receiver.wait(1, _issue_event(issue, "open"))
    body = arrival.body
    assert (body["object_kind"], body["event_type"], body["user"]["id"]) == ("issue", "issue", forge.bot.id)
    assert "bot" not in body["user"]
    assert [one["title"] for one in body["labels"]] == [label]
    assert [one["id"] for one in body["assignees"]] == [forge.bot.id]
    assert body["object_attributes"]["due_date"] == DUE
    assert body["object_attributes"]["state"] == "opened"
    assert body["project"]["id"] == forge.project.id


def test_the_headers(forge, receiver):
    issue = forge.issue()
    [arrival] = receiver.wait(1, _issue_event(issue, "open"))
    headers = {name.lower(): value for name, value in arrival.headers.items()}
    assert headers["x-gitlab-event"] == "Issue Hook"
    assert headers["x-gitlab-token"] == SECRET
    assert headers["user-agent"].startswith("GitLab/")
    assert headers["content-type"] == "application/json"
    assert headers["x-gitlab-instance"]
    keys = {headers["idempotency-key"], headers["x-gitlab-webhook-uuid"], headers["x-gitlab-event-uuid"]}
    assert len(keys) == 3


def test_no_assignees_key_without_assignees(forge, receiver):
    [arrival] = receiver.wait(1, _issue_event(forge.issue(), "open"))
    assert "assignees" not in arrival.body


def test_a_changed_label(forge, receiver):
    label, issue = forge.label(), forge.issue()
    forge.bot.project.issues.update(issue.iid, {"add_labels": [label]})
    [arrival] = receiver.wait(1, _issue_event(issue, "update"))
    change = arrival.body["changes"]["labels"]
    assert ([one["title"] for one in change["previous"]], [one["title"] for one in change["current"]]) == ([], [label])


def test_changed_assignee_and_date(forge, receiver):
    issue = forge.issue()
    forge.bot.project.issues.update(issue.iid, {"assignee_ids": [forge.bot.id], "due_date": DUE})
    [arrival] = receiver.wait(1, _issue_event(issue, "update"))
    assert arrival.body["changes"]["due_date"] == {"previous": None, "current": DUE}
    assert [one["id"] for one in arrival.body["changes"]["assignees"]["current"]] == [forge.bot.id]


def test_a_change_of_nothing_still_fires(forge, receiver):
    issue = forge.issue(title="Tetap")
    forge.bot.project.issues.update(issue.iid, {"title": "Tetap"})
    [arrival] = receiver.wait(1, _issue_event(issue, "update"))
    assert set(arrival.body["changes"]) <= {"updated_at", "updated_by_id"}


def test_closing_fires_close_and_then_update(forge, receiver):
    issue = forge.issue()
    forge.bot.project.issues.update(issue.iid, {"state_event": "close"})
    arrivals = receiver.wait(2, _issue_event(issue, "close", "update"))
    assert {arrival.action for arrival in arrivals} == {"close", "update"}
    assert all(arrival.body["changes"]["state_id"] == {"previous": 1, "current": 2} for arrival in arrivals)
    assert all(arrival.body["object_attributes"]["state"] == "closed" for arrival in arrivals)


def test_reopening(forge, receiver):
    issue = forge.issue()
    forge.bot.project.issues.update(issue.iid, {"state_event": "close"})
    forge.bot.project.issues.update(issue.iid, {"state_event": "reopen"})
    [arrival] = receiver.wait(1, _issue_event(issue, "reopen"))
    assert arrival.body["object_attributes"]["state"] == "opened"


def test_close_shows_the_old_labels_and_update_the_new_ones(forge, receiver):
    label, issue = forge.label(), forge.issue()
    forge.bot.project.issues.update(issue.iid, {"state_event": "close", "add_labels": [label]})
    close, update = (receiver.wait(1, _issue_event(issue, action))[0] for action in ("close", "update"))
    assert (close.body["labels"], [one["title"] for one in update.body["labels"]]) == ([], [label])


def test_a_confidential_issue_has_its_own_channel(forge, receiver):
    issue = forge.issue(confidential=True)
    [arrival] = receiver.wait(1, _of(issue, "open"))
    assert (arrival.headers["X-Gitlab-Event"], arrival.body["event_type"]) == ("Confidential Issue Hook", "confidential_issue")


def test_turning_confidential_is_told_on_the_confidential_channel_only(forge, receiver):
    issue = forge.issue()
    forge.bot.project.issues.update(issue.iid, {"confidential": True})
    [arrival] = receiver.wait(1, _of(issue, "update"))
    assert arrival.headers["X-Gitlab-Event"] == "Confidential Issue Hook"


def test_a_comment(forge, receiver):
    issue = forge.issue()
    note = issue.notes.create({"body": "teks"})
    [arrival] = receiver.wait(1, _note_event(issue))
    attributes = arrival.body["object_attributes"]
    assert (arrival.headers["X-Gitlab-Event"], arrival.body["object_kind"], arrival.body["event_type"]) == ("Note Hook", "note", "note")
    assert (attributes["id"], attributes["note"], attributes["action"], attributes["noteable_type"]) == (note.id, "teks", "create", "Issue")
    assert arrival.body["user"]["id"] == forge.bot.id


def test_comments_on_confidential_issues_and_internal_ones_are_confidential(forge, receiver):
    hidden, open_ = forge.issue(confidential=True), forge.issue()
    hidden.notes.create({"body": "teks"})
    open_.notes.create({"body": "teks", "internal": True})
    for issue, internal in ((hidden, False), (open_, True)):
        [arrival] = receiver.wait(1, _note_event(issue))
        assert (arrival.headers["X-Gitlab-Event"], arrival.body["event_type"]) == ("Confidential Note Hook", "confidential_note")
        assert arrival.body["object_attributes"]["internal"] is internal


def test_an_edited_comment_names_its_author_not_its_editor(forge, receiver):
    issue = forge.issue()
    note = forge.people["reporter"].project.issues.get(issue.iid).notes.create({"body": "a"})
    issue.notes.update(note.id, {"body": "b"})
    [arrival] = receiver.wait(1, _note_event(issue, "update"))
    assert (arrival.body["user"]["id"], arrival.body["object_attributes"]["updated_by_id"]) == (forge.people["reporter"].id, forge.bot.id)


def test_the_text_of_a_comment_comes_without_its_quick_actions(forge, receiver):
    issue = forge.issue()
    issue.notes.create({"body": f"teks\n/due {DUE}"})
    [arrival] = receiver.wait(1, _note_event(issue))
    assert arrival.body["object_attributes"]["note"] == "teks"


def test_only_quick_actions_fire_no_note_and_one_update(forge, receiver):
    issue = forge.issue()
    issue.notes.create({"body": f"/due {DUE}"})
    receiver.wait(1, _issue_event(issue, "update"))
    receiver.silence(_note_event(issue), 0.3 if forge.stand_in else 5)


def test_system_notes_fire_nothing(forge, receiver):
    issue = forge.issue()
    forge.bot.project.issues.update(issue.iid, {"due_date": DUE})
    receiver.wait(1, _issue_event(issue, "update"))
    receiver.silence(_note_event(issue), 0.3 if forge.stand_in else 5)


def test_deleting_a_comment_or_a_label_fires_nothing(forge, receiver):
    label = forge.label()
    issue = forge.issue(labels=[label])
    note = issue.notes.create({"body": "teks"})
    receiver.wait(1, _note_event(issue))
    issue.notes.delete(note.id)
    forge.bot.project.labels.delete(label)
    receiver.silence(lambda arrival: _of(issue)(arrival) and arrival.action not in {"open", "create"}, 0.3 if forge.stand_in else 5)


def test_a_call_that_echoes_the_event_id_does_not_come_back(forge, receiver):
    issue = forge.issue()
    [arrival] = receiver.wait(1, _issue_event(issue, "open"))
    echo = {"X-Gitlab-Event-UUID": arrival.headers["X-Gitlab-Event-UUID"]}
    path = f"/projects/{forge.project.id}/issues/{issue.iid}"
    forge.bot.client.http_put(path, post_data={"due_date": DUE}, extra_headers=echo)
    forge.bot.client.http_put(path, post_data={"title": "Lain"})
    [told] = receiver.wait(1, _issue_event(issue, "update"))
    assert told.body["object_attributes"]["title"] == "Lain"


def test_a_comment_comes_back_even_with_the_echo(forge, receiver):
    issue = forge.issue()
    [arrival] = receiver.wait(1, _issue_event(issue, "open"))
    echo = {"X-Gitlab-Event-UUID": arrival.headers["X-Gitlab-Event-UUID"]}
    path = f"/projects/{forge.project.id}/issues/{issue.iid}/notes"
    forge.bot.client.http_post(path, post_data={"body": "teks"}, extra_headers=echo)
    receiver.wait(1, _note_event(issue))


def test_a_failed_delivery_is_listed_not_repeated_and_can_be_sent_again(forge, receiver):
    receiver.answer = 503
    issue = forge.issue()
    [first] = receiver.wait(1, _issue_event(issue, "open"))
    receiver.silence(lambda arrival: _issue_event(issue)(arrival) and arrival is not first, 0.3 if forge.stand_in else 8)
    hook = forge.bot.project.hooks.list(get_all=True)[-1]
    path = f"/projects/{forge.project.id}/hooks/{hook.id}/events"
    rows = forge.bot.client.http_list(path, query_data={"status": "server_failure"}, get_all=False)
    failed = next(row for row in rows if row["request_headers"]["Idempotency-Key"] == first.headers["Idempotency-Key"])
    assert failed["response_status"] == "503"
    receiver.answer = 200
    forge.bot.client.http_post(f"{path}/{failed['id']}/resend")
    again = receiver.wait(2, _issue_event(issue, "open"))[1]
    assert again.headers["Idempotency-Key"] == first.headers["Idempotency-Key"]


def test_the_defaults_of_a_hook(forge):
    hook = forge.bot.project.hooks.create({"url": f"http://example.org/{secrets.token_hex(4)}"})
    try:
        assert (hook.push_events, hook.issues_events, hook.note_events) == (True, False, False)
        assert not hook.confidential_note_events
        assert "token" not in hook.attributes
    finally:
        hook.delete()


def test_a_new_address_wipes_the_token(forge, receiver):
    hook = forge.bot.project.hooks.list(get_all=True)[-1]
    forge.bot.project.hooks.update(hook.id, {"url": f"{receiver.url}/lain"})
    issue = forge.issue()
    [arrival] = receiver.wait(1, _issue_event(issue, "open"))
    assert "X-Gitlab-Token" not in arrival.headers


def test_a_bad_address_is_refused(forge):
    with pytest.raises(gitlab.GitlabCreateError) as refusal:
        forge.bot.project.hooks.create({"url": "ftp://example.org"})
    assert refusal.value.response_code == 422


def test_a_test_event_shows_a_real_issue(forge, receiver):
    forge.issue()
    hook = forge.bot.project.hooks.list(get_all=True)[-1]
    forge.bot.client.http_post(f"/projects/{forge.project.id}/hooks/{hook.id}/test/issues_events")
    receiver.wait(2, lambda arrival: arrival.headers["X-Gitlab-Event"] == "Issue Hook")
