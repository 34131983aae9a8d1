"""Roles: what Guests, Planners and the others may and may not do."""

import gitlab
import pytest

DUE = "2031-02-03"


def _status(call, *args, **named):
    with pytest.raises(gitlab.GitlabError) as refusal:
        call(*args, **named)
    return refusal.value.response_code


def test_a_guest_sets_labels_assignee_and_date_at_creation(forge):
    label, guest = forge.label(), forge.people["guest"]
    issue = guest.project.issues.create({"title": "x", "labels": [label], "due_date": DUE, "assignee_ids": [guest.id]})
    assert (issue.labels, issue.due_date, issue.assignee["id"]) == ([label], DUE, guest.id)


def test_a_guest_does_not_create_labels(forge):
    assert forge.people["guest"].project.issues.create({"title": "x", "labels": [forge.word()]}).labels == []


def test_a_guest_author_edits_and_closes_but_changes_no_metadata(forge):
    guest = forge.people["guest"]
    issue = guest.project.issues.create({"title": "x"})
    changed = guest.project.issues.update(issue.iid, {"title": "y", "due_date": DUE, "add_labels": [forge.label()]})
    assert (changed["title"], changed["due_date"], changed["labels"]) == ("y", None, [])
    assert guest.project.issues.update(issue.iid, {"state_event": "close"})["state"] == "closed"
    assert guest.project.issues.update(issue.iid, {"state_event": "reopen"})["state"] == "opened"


def test_a_guest_does_not_change_the_issues_of_others(forge):
    issue = forge.issue()
    assert _status(forge.people["guest"].project.issues.update, issue.iid, {"title": "y"}) == 403


def test_a_guest_assignee_closes(forge):
    guest = forge.people["guest"]
    issue = forge.issue(assignee_ids=[guest.id])
    assert guest.project.issues.update(issue.iid, {"state_event": "close"})["state"] == "closed"


@pytest.mark.parametrize("role", ["planner", "reporter", "developer", "maintainer"])
def test_planner_and_up_change_labels_assignee_and_date(forge, role):
    label, issue = forge.label(), forge.issue()
    change = {"add_labels": [label], "due_date": DUE, "assignee_ids": [forge.bot.id]}
    changed = forge.people[role].project.issues.update(issue.iid, change)
    assert (changed["labels"], changed["due_date"], changed["assignee"]["id"]) == ([label], DUE, forge.bot.id)


@pytest.mark.parametrize(("role", "allowed"), [("guest", False), ("planner", True), ("reporter", True), ("developer", True)])
def test_internal_notes(forge, role, allowed):
    issue = forge.issue()
    notes = forge.people[role].project.issues.get(issue.iid).notes
    if allowed:
        assert notes.create({"body": "x", "internal": True}).internal is True
    else:
        assert _status(notes.create, {"body": "x", "internal": True}) in {400, 403, 404}
    hidden = issue.notes.create({"body": "rahasia", "internal": True})
    assert (hidden.id in [note.id for note in notes.list(get_all=True)]) is allowed


def test_everybody_edits_their_own_comment_and_a_maintainer_anybodys(forge):
    issue = forge.issue()
    note = forge.people["reporter"].project.issues.get(issue.iid).notes.create({"body": "a"})

    def edit(role, text):
        seen = forge.people[role].project.issues.get(issue.iid).notes.get(note.id)
        seen.body = text
        seen.save()

    edit("reporter", "b")
    edit("maintainer", "c")
    assert issue.notes.get(note.id).body == "c"
    assert issue.notes.get(note.id).author["id"] == forge.people["reporter"].id
    assert _status(edit, "developer", "d") == 403


@pytest.mark.parametrize(("role", "status"), [("guest", 403), ("developer", 403), ("maintainer", 0)])
def test_hooks_are_for_maintainers(forge, role, status):
    hooks = forge.people[role].project.hooks
    if status:
        assert _status(hooks.list, get_all=True) in {status, 401}
    else:
        assert isinstance(hooks.list(get_all=True), list)


@pytest.mark.parametrize(("role", "allowed"), [("guest", False), ("planner", True), ("reporter", False), ("developer", True)])
def test_the_wiki_is_written_by_planner_and_developer(forge, role, allowed):
    wikis = forge.people[role].project.wikis
    page = {"title": forge.word(), "content": "x"}
    if allowed:
        assert wikis.create(page).content == "x"
    else:
        assert _status(wikis.create, page) == 403


@pytest.mark.parametrize(("role", "allowed"), [("guest", False), ("planner", True), ("reporter", True)])
def test_labels_and_boards_are_made_by_planner_and_up(forge, role, allowed):
    project = forge.people[role].project
    if allowed:
        project.labels.create({"name": forge.word(), "color": "#112233"})
        project.boards.create({"name": forge.word()}).delete()
    else:
        assert _status(project.labels.create, {"name": forge.word(), "color": "#112233"}) == 403
        assert _status(project.boards.create, {"name": forge.word()}) == 403


def test_an_archived_project_is_only_read(forge):
    issue, label, maintainer = forge.issue(), forge.word(), forge.people["maintainer"].project
    note = issue.notes.create({"body": "a"})
    forge.project.archive()
    try:
        assert forge.admin.projects.get(forge.project.id).archived is True
        assert forge.fresh(issue).title == "Uji"
        assert _status(maintainer.issues.create, {"title": "x"}) == 403
        assert _status(maintainer.issues.update, issue.iid, {"title": "y"}) == 403
        assert _status(issue.notes.create, {"body": "b"}) == 403
        assert _status(issue.notes.update, note.id, {"body": "b"}) == 403
        assert _status(maintainer.labels.create, {"name": label, "color": "#112233"}) == 403
        assert _status(maintainer.wikis.create, {"title": forge.word(), "content": "x"}) == 403
    finally:
        forge.project.unarchive()
    assert maintainer.issues.update(issue.iid, {"title": "y"})["title"] == "y"
