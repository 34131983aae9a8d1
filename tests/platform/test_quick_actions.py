"""Quick actions in text: where a line is executed and where not, and what comments made of them answer."""

import gitlab
import pytest

DUE = "2031-02-03"

ROWS = {
    "alone": ("{action}", True),
    "after a text line": ("teks\n{action}", True),
    "between text lines": ("teks\n{action}\nteks", True),
    "upper case": ("teks\n{ACTION}", True),
    "carriage return before the slash": ("a\n\r{action}", True),
    "Windows line ends": ("a\r\n{action}\r\nb", True),
    "after a heading": ("# Judul\n{action}", True),
    "after a list and a blank line": ("- a\n\n{action}", True),
    "after a one-line HTML comment": ("<!-- x -->\n{action}", True),
    "inside dollar signs": ("$$\n{action}\n$$", True),
    "in details with a blank line": ("<details>\n\n{action}\n\n</details>", True),
    "in div with a blank line": ("<div>\n\n{action}\n\n</div>", True),
    "a fence closed by the text itself": ("```\n```\n{action}\n```", True),
    "fenced code": ("```\n{action}\n```", False),
    "fenced code with tildes": ("~~~\n{action}\n~~~", False),
    "indented code": ("teks\n\n    {action}", False),
    "quote": ("> {action}", False),
    "lazy line of a quote": ("> kutipan\n{action}", False),
    "fenced quote": (">>>\n{action}\n>>>", False),
    "list item": ("- {action}", False),
    "lazy line of a list item": ("- a\n{action}", False),
    "table row": ("| a |\n|---|\n{action}", False),
    "tight HTML block": ("<div>\n{action}\n</div>", False),
    "HTML comment": ("<!--\n{action}\n-->", False),
    "preformatted": ("<pre>\n{action}\n</pre>", False),
    "leading space": ("teks\n {action}", False),
    "leading tab": ("teks\n\t{action}", False),
    "leading no-break space": ("teks\n\u00a0{action}", False),
    "leading zero-width space": ("teks\n\u200b{action}", False),
    "backslash": ("teks\n\\{action}", False),
    "entity": ("teks\n&#47;{word}", False),
    "double slash": ("teks\n/{action}", False),
}
CASES = [pytest.param(*row, id=name) for name, row in ROWS.items()]


def _text(row: str, action: str) -> str:
    return row.replace("{action}", action).replace("{ACTION}", action.upper()).replace("{word}", action.removeprefix("/"))


@pytest.mark.parametrize(("row", "executed"), CASES)
def test_a_line_in_a_comment(forge, row, executed):
    issue = forge.issue()
    issue.notes.create({"body": _text(row, "/close")})
    assert forge.fresh(issue).state == ("closed" if executed else "opened")


@pytest.mark.parametrize(("row", "executed"), CASES)
def test_a_line_in_a_new_description(forge, row, executed):
    issue = forge.issue(description=_text(row, f"/due {DUE}"))
    assert issue.due_date == (DUE if executed else None)


@pytest.mark.parametrize(("row", "executed"), CASES)
def test_a_line_in_a_changed_description(forge, row, executed):
    issue = forge.issue()
    forge.bot.project.issues.update(issue.iid, {"description": _text(row, f"/due {DUE}")})
    assert forge.fresh(issue).due_date == (DUE if executed else None)


def test_titles_are_not_parsed(forge):
    issue = forge.issue(title=f"/due {DUE}")
    assert (issue.title, issue.due_date) == (f"/due {DUE}", None)


def test_an_executed_line_leaves_the_text(forge):
    assert forge.issue(description=f"satu\n/due {DUE}\ndua").description == "satu\ndua"


@pytest.mark.parametrize("name", ["approve", "merge", "ready", "draft", "ship", "tag", "todo"])
def test_a_registered_name_leaves_the_text_even_where_it_does_nothing(forge, name):
    assert forge.issue().notes.create({"body": f"teks\n/{name}"}).body == "teks"


@pytest.mark.parametrize("line", ["/pos setuju", "/setuju", "/closed", "/langkah-5"])
def test_an_unknown_name_stays(forge, line):
    note = forge.issue().notes.create({"body": f"{line}\nalasan"})
    assert note.body == f"{line}\nalasan"


def test_labels_are_looked_up_never_created(forge):
    known, unknown = forge.label(), forge.word()
    issue = forge.issue(description=f'a\n/label ~"{known}" ~"{unknown}"')
    assert issue.labels == [known]
    assert unknown not in [label.name for label in forge.bot.project.labels.list(get_all=True)]


def test_the_free_tier_keeps_one_assignee(forge):
    first, second = forge.people["reporter"], forge.people["developer"]
    issue = forge.issue(description=f"a\n/assign @{first.username} @{second.username}")
    assert [person["id"] for person in issue.assignees] == [first.id]


def test_several_actions_in_one_comment(forge):
    label, issue = forge.label(), forge.issue()
    issue.notes.create({"body": f'teks\n/label ~"{label}"\n/due {DUE}\n/assign @{forge.people["reporter"].username}\n/close'})
    after = forge.fresh(issue)
    assert (after.labels, after.due_date, after.assignee["id"], after.state) == ([label], DUE, forge.people["reporter"].id, "closed")


def test_confidential_in_a_new_description(forge):
    assert forge.issue(description="a\n/confidential").confidential is True


def test_reopen_title_unlabel_and_lock_in_a_comment(forge):
    issue = forge.issue(labels=[forge.label()])
    forge.bot.project.issues.update(issue.iid, {"state_event": "close"})
    issue.notes.create({"body": "teks\n/reopen\n/title Lain\n/unlabel\n/lock"})
    after = forge.fresh(issue)
    assert (after.state, after.title, after.labels, after.discussion_locked) == ("opened", "Lain", [], True)


def _answer(forge, issue, body):
    path = f"/projects/{forge.project.id}/issues/{issue.iid}/notes"
    return forge.bot.client.http_request("post", path, post_data={"body": body})


def test_a_comment_of_only_actions_is_202_without_a_note(forge):
    issue = forge.issue()
    answer = _answer(forge, issue, f"/due {DUE}")
    assert answer.status_code == 202
    assert "id" not in answer.json()
    assert answer.json()["commands_changes"]
    assert answer.json()["summary"]
    assert [note for note in issue.notes.list(get_all=True) if not note.system] == []


def test_202_also_where_an_action_could_not_be_applied_but_says_so(forge):
    issue = forge.issue()
    answer = _answer(forge, issue, "/assign @tidak-ada-orang-ini")
    assert answer.status_code == 202
    assert not answer.json()["commands_changes"]
    assert "Could not apply" in " ".join(answer.json()["summary"])


def test_400_where_only_actions_and_nothing_to_say(forge):
    forge.label()
    with pytest.raises(gitlab.GitlabHttpError) as refusal:
        _answer(forge, forge.issue(), f"/label ~{forge.word()}")
    assert refusal.value.response_code == 400
    assert "Failed to apply commands" in str(refusal.value)


def test_text_and_actions_answer_201_with_the_changes(forge):
    issue = forge.issue()
    answer = _answer(forge, issue, f"teks\n/due {DUE}")
    assert answer.status_code == 201
    assert (answer.json()["body"], bool(answer.json()["commands_changes"])) == ("teks", True)


def test_400_although_the_comment_was_kept(forge):
    issue = forge.issue()
    with pytest.raises(gitlab.GitlabHttpError) as refusal:
        _answer(forge, issue, f"teks\n/title {'x' * 256}")
    assert refusal.value.response_code == 400
    assert [note.body for note in issue.notes.list(get_all=True) if not note.system] == ["teks"]


def test_an_action_in_an_edited_comment_is_executed(forge):
    issue = forge.issue()
    note = issue.notes.create({"body": "teks"})
    note.body = f"teks lain\n/due {DUE}"
    note.save()
    assert forge.fresh(issue).due_date == DUE


def test_the_rights_are_those_of_who_writes(forge):
    issue = forge.issue()
    seen = forge.people["guest"].project.issues.get(issue.iid)
    seen.notes.create({"body": f"teks\n/due {DUE}\n/close"})
    after = forge.fresh(issue)
    assert (after.due_date, after.state) == (None, "opened")
