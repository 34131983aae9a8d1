"""Issues by REST: what is set, what is dropped without a word, what is refused, and how lists behave."""

from datetime import UTC, datetime, timedelta

import gitlab
import pytest
import requests

DUE = "2031-02-03"


def _error(call, *args, **named):
    with pytest.raises(gitlab.GitlabError) as refusal:
        call(*args, **named)
    return refusal.value


def test_create_read_and_change(forge):
    label = forge.label()
    issue = forge.issue(title="Satu", labels=[label], due_date=DUE, assignee_ids=[forge.bot.id], confidential=True)
    found = forge.fresh(issue)
    assert (found.title, found.labels, found.due_date, found.confidential) == ("Satu", [label], DUE, True)
    assert found.assignee["id"] == forge.bot.id
    forge.bot.project.issues.update(issue.iid, {"title": "Dua", "due_date": "", "assignee_ids": []})
    found = forge.fresh(issue)
    assert (found.title, found.due_date, found.assignees) == ("Dua", None, [])


def test_only_the_first_assignee_is_kept(forge):
    ids = [forge.people["reporter"].id, forge.bot.id]
    issue = forge.issue(assignee_ids=ids)
    assert [person["id"] for person in issue.assignees] == ids[:1]


def test_zero_clears_the_assignee(forge):
    issue = forge.issue(assignee_ids=[forge.bot.id])
    assert forge.bot.project.issues.update(issue.iid, {"assignee_ids": [0]})["assignees"] == []


def test_an_assignee_who_cannot_read_the_project_is_dropped(forge):
    assert forge.issue(assignee_ids=[forge.people["stranger"].id]).assignees == []


def test_an_unreadable_due_date_is_null(forge):
    assert forge.issue(due_date="besok lusa sekali").due_date is None


def test_a_missing_label_is_created(forge):
    name = forge.word()
    assert forge.issue(labels=[name]).labels == [name]
    assert forge.bot.project.labels.get(name).name == name


def test_each_label_of_an_array_is_split_on_commas(forge):
    first, second = sorted([forge.word(), forge.word()])
    assert sorted(forge.issue(labels=[f"{first}, {second}"]).labels) == [first, second]


def test_labels_with_two_colons_do_not_exclude_each_other(forge):
    one, two = (f"{forge.word()}::{number}" for number in (1, 2))
    scope = one.split("::")[0]
    names = [f"{scope}::1", f"{scope}::2"]
    assert sorted(forge.issue(labels=names).labels) == names
    assert two != one


def test_label_names_are_case_sensitive(forge):
    name = forge.word()
    assert sorted(forge.issue(labels=[name, name.upper()]).labels) == sorted([name, name.upper()])


def test_add_and_remove_labels_leave_the_others(forge):
    one, two, three = forge.label(), forge.label(), forge.label()
    issue = forge.issue(labels=[one, two])
    changed = forge.bot.project.issues.update(issue.iid, {"add_labels": [three], "remove_labels": [one, forge.word()]})
    assert sorted(changed["labels"]) == sorted([two, three])


def test_an_empty_list_clears_all_labels(forge):
    issue = forge.issue(labels=[forge.label()])
    assert forge.bot.project.issues.update(issue.iid, {"labels": []})["labels"] == []


def test_add_and_remove_labels_at_creation(forge):
    one, two = forge.label(), forge.label()
    assert forge.issue(labels=[one], add_labels=[two]).labels == sorted([one, two])


def test_close_and_reopen_say_who(forge):
    issue = forge.issue()
    closed = forge.bot.project.issues.update(issue.iid, {"state_event": "close"})
    assert (closed["state"], closed["closed_by"]["id"]) == ("closed", forge.bot.id)
    opened = forge.bot.project.issues.update(issue.iid, {"state_event": "reopen"})
    assert (opened["state"], opened["closed_by"], opened["closed_at"]) == ("opened", None, None)
    assert [event.state for event in issue.resourcestateevents.list(get_all=True)] == ["closed", "reopened"]


def test_label_events_say_who_and_what(forge):
    label, issue = forge.label(), forge.issue()
    planner = forge.people["planner"]
    planner.project.issues.update(issue.iid, {"add_labels": [label]})
    forge.bot.project.issues.update(issue.iid, {"remove_labels": [label]})
    events = sorted(issue.resourcelabelevents.list(get_all=True), key=lambda event: event.id)
    assert [(event.action, event.label["name"], event.user["id"]) for event in events] == [
        ("add", label, planner.id),
        ("remove", label, forge.bot.id),
    ]


def test_a_deleted_label_leaves_issue_and_event(forge):
    label = forge.label()
    issue = forge.issue(labels=[label])
    forge.bot.project.labels.delete(label)
    assert forge.fresh(issue).labels == []
    assert [event.label for event in issue.resourcelabelevents.list(get_all=True)] == [None]


def test_a_ticked_box_is_noted_by_its_words(forge):
    issue = forge.issue(description="- [ ] satu\n- [ ] dua")
    reporter = forge.people["reporter"]
    reporter.project.issues.update(issue.iid, {"description": "- [ ] satu\n- [x] dua"})
    reporter.project.issues.update(issue.iid, {"description": "- [ ] satu\n- [ ] dua"})
    notes = sorted((note for note in issue.notes.list(get_all=True) if note.system), key=lambda note: note.id)
    assert [note.body for note in notes] == [
        "marked the checklist item **dua** as completed",
        "marked the checklist item **dua** as incomplete",
    ]
    assert {note.author["id"] for note in notes} == {reporter.id}


def test_changes_of_text_assignee_and_date_are_system_notes(forge):
    issue = forge.issue()
    change = {"description": "Lain.", "assignee_ids": [forge.bot.id], "due_date": DUE}
    forge.bot.project.issues.update(issue.iid, change)
    bodies = " / ".join(note.body for note in issue.notes.list(get_all=True) if note.system)
    assert "changed the description" in bodies
    assert f"assigned to @{forge.bot.username}" in bodies
    assert "due date" in bodies


def test_label_and_state_changes_are_no_notes(forge):
    issue = forge.issue()
    forge.bot.project.issues.update(issue.iid, {"add_labels": [forge.label()], "state_event": "close"})
    assert issue.notes.list(get_all=True) == []


# refusals


def test_titles_end_at_255(forge):
    assert forge.issue(title="x" * 255).title == "x" * 255
    refusal = _error(forge.issue, title="x" * 256)
    assert refusal.response_code == 400
    assert "title" in refusal.error_message


def test_descriptions_end_at_a_mebibyte(forge):
    refusal = _error(forge.issue, description="x" * 1_048_577)
    assert refusal.response_code == 400


def test_a_title_is_required(forge):
    path = f"/projects/{forge.project.id}/issues"
    assert _error(forge.bot.client.http_post, path, post_data={"description": "x"}).response_code == 400


def test_a_change_names_something(forge):
    issue = forge.issue()
    assert _error(forge.bot.client.http_put, f"/projects/{forge.project.id}/issues/{issue.iid}").response_code == 400


def test_an_unknown_issue_is_404(forge):
    assert _error(forge.bot.project.issues.get, 999_999).response_code == 404


def test_a_private_project_is_404_to_a_stranger(forge):
    stranger = forge.people["stranger"]
    assert _error(stranger.client.projects.get, forge.project.id).response_code == 404
    assert _error(stranger.project.issues.create, {"title": "x"}).response_code == 404


def test_a_bad_token_is_401(forge):
    assert requests.get(f"{forge.url}/api/v4/user", headers={"PRIVATE-TOKEN": "glpat-x"}, timeout=30).status_code == 401


def test_an_iid_of_ones_own_is_for_owners_and_a_twin_is_409(forge):
    owner = forge.admin.projects.get(forge.project.id, lazy=True)
    iid = 50_000 + int(forge.word()[-4:], 16)
    assert forge.issue(iid=iid).iid != iid
    assert owner.issues.create({"title": "x", "iid": iid}).iid == iid
    refusal = _error(owner.issues.create, {"title": "x", "iid": iid})
    assert (refusal.response_code, "Duplicated issue" in str(refusal.error_message)) == (409, True)


def test_created_at_is_for_owners(forge):
    long_ago = "2020-01-02T03:04:05Z"
    assert not forge.issue(created_at=long_ago).created_at.startswith("2020")
    owner = forge.admin.projects.get(forge.project.id, lazy=True)
    assert owner.issues.create({"title": "x", "created_at": long_ago}).created_at.startswith("2020-01-02")


# lists


def _pair(forge):
    label = forge.label()
    return label, [forge.issue(labels=[label]) for _ in range(3)]


def test_lists_give_twenty_rows_and_totals(forge):
    label, issues = _pair(forge)
    page = forge.bot.project.issues.list(labels=[label], per_page=2, iterator=True)
    assert (page.total, page.per_page, page.next_page) == (len(issues), 2, 2)
    assert len(list(page)) == len(issues)
    answer = forge.bot.client.http_request("get", f"/projects/{forge.project.id}/issues", query_data={"labels": label})
    assert answer.headers["x-per-page"] == "20"
    assert answer.headers["x-next-page"] == ""


def test_more_than_a_hundred_rows_are_capped_and_zero_is_refused(forge):
    path = f"/projects/{forge.project.id}/issues"
    assert forge.bot.client.http_request("get", path, query_data={"per_page": 500}).headers["x-per-page"] == "100"
    assert _error(forge.bot.client.http_request, "get", path, query_data={"per_page": 0}).response_code == 400


def test_lists_are_newest_first_unless_asked(forge):
    label, issues = _pair(forge)
    listed = forge.bot.project.issues.list(labels=[label], get_all=True)
    assert [issue.iid for issue in listed] == [issue.iid for issue in reversed(issues)]
    rising = forge.bot.project.issues.list(labels=[label], order_by="created_at", sort="asc", get_all=True)
    assert [issue.iid for issue in rising] == [issue.iid for issue in issues]


def test_filters(forge):
    label, issues = _pair(forge)
    forge.bot.project.issues.update(issues[0].iid, {"state_event": "close", "assignee_ids": [forge.bot.id]})

    def found(**filters):
        rows = forge.bot.project.issues.list(labels=[label], get_all=True, **filters)
        return sorted(issue.iid for issue in rows)

    every = sorted(issue.iid for issue in issues)
    assert found() == every
    assert found(state="closed") == [issues[0].iid]
    assert found(state="opened") == every[1:]
    assert found(iids=[issues[1].iid]) == [issues[1].iid]
    assert found(author_id=forge.bot.id) == every
    assert found(author_id=forge.people["guest"].id) == []
    assert found(assignee_username=forge.bot.username) == [issues[0].iid]
    assert found(**{"not[labels]": label}) == []


def test_labels_filter_is_and(forge):
    one, two = forge.label(), forge.label()
    both = forge.issue(labels=[one, two])
    forge.issue(labels=[one])
    assert [issue.iid for issue in forge.bot.project.issues.list(labels=[one, two], get_all=True)] == [both.iid]


def test_labels_in_full(forge):
    label = forge.label()
    forge.issue(labels=[label])
    shown = forge.bot.project.issues.list(labels=[label], with_labels_details=True, get_all=True)[0].labels[0]
    assert (shown["name"], shown["color"]) == (label, "#1f75cb")


def test_updated_after_is_inclusive(forge):
    issue = forge.issue()
    after = forge.fresh(issue).updated_at
    assert issue.iid in [found.iid for found in forge.bot.project.issues.list(updated_after=after, get_all=True)]


def test_created_after(forge):
    issue = forge.issue()
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert forge.bot.project.issues.list(created_after=later, get_all=True) == []
    earlier = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    found = forge.bot.project.issues.list(created_after=earlier, author_id=forge.bot.id, get_all=True)
    assert issue.iid in [one.iid for one in found]


def test_search_finds_a_marker_in_the_description(forge):
    marker = forge.word().replace("-", "")
    issue = forge.issue(description=f"<!-- {marker} -->\n\nteks")
    found = forge.bot.project.issues.list(search=marker, **{"in": "description"}, get_all=True)
    assert [one.iid for one in found] == [issue.iid]


def test_a_comment_soon_after_a_change_does_not_move_updated_at(forge):
    issue = forge.issue()
    before = forge.fresh(issue).updated_at
    issue.notes.create({"body": "teks"})
    assert forge.fresh(issue).updated_at == before


def test_confidential_issues_are_hidden_from_guests_but_not_from_their_assignee(forge):
    issue = forge.issue(confidential=True)
    guest = forge.people["guest"]
    assert _error(guest.project.issues.get, issue.iid).response_code == 404
    forge.bot.project.issues.update(issue.iid, {"assignee_ids": [guest.id]})
    assert guest.project.issues.get(issue.iid).iid == issue.iid


def test_issue_links(forge):
    one, two, three = forge.issue(), forge.issue(), forge.issue()
    body = {"target_project_id": forge.project.id, "target_issue_iid": two.iid}
    one.links.create(body)
    three.links.create({"target_project_id": forge.project.id, "target_issue_iid": one.iid})
    assert {link.iid for link in one.links.list(get_all=True)} == {two.iid, three.iid}
    assert _error(one.links.create, body).response_code == 409
    assert _error(one.links.create, body | {"link_type": "blocks"}).response_code in {400, 403}


def test_an_issue_is_deleted_by_its_owner_only(forge):
    issue = forge.issue()
    assert _error(forge.people["developer"].project.issues.delete, issue.iid).response_code == 403
    forge.admin.projects.get(forge.project.id, lazy=True).issues.delete(issue.iid)
    assert _error(forge.bot.project.issues.get, issue.iid).response_code == 404


@pytest.mark.parametrize(
    "query",
    [{"order_by": "selera"}, {"sort": "naik"}, {"state": "entah"}, {"updated_after": "kemarin"}, {"per_page": "banyak"}],
)
def test_values_a_list_does_not_know_are_refused(forge, query):
    path = f"/projects/{forge.project.id}/issues"
    assert _error(forge.bot.client.http_list, path, query_data=query, get_all=False).response_code == 400


def test_numbers_and_flags_of_the_wrong_kind_are_refused(forge):
    path = f"/projects/{forge.project.id}/issues"
    for bad in ({"confidential": "entah"}, {"assignee_ids": ["x"]}, {"created_at": "x"}, {"state_event": "lupa"}):
        issue = forge.issue()
        assert _error(forge.bot.client.http_put, f"{path}/{issue.iid}", post_data=bad).response_code == 400


def test_one_assignee_by_the_old_name(forge):
    issue = forge.issue(assignee_id=forge.bot.id)
    assert issue.assignee["id"] == forge.bot.id


def test_any_and_no_label_and_assignee(forge):
    marked, bare = forge.issue(labels=[forge.label()], assignee_ids=[forge.bot.id]), forge.issue()

    def found(**filters):
        rows = forge.bot.project.issues.list(iids=[marked.iid, bare.iid], get_all=True, **filters)
        return [issue.iid for issue in rows]

    assert (found(labels=["Any"]), found(labels=["None"])) == ([marked.iid], [bare.iid])
    assert (found(assignee_id="Any"), found(assignee_id="None")) == ([marked.iid], [bare.iid])
    assert found(confidential=True) == []
