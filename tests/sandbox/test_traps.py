"""Traps the stand-in sets which cannot be asked of a real GitLab within a test's patience, or not without leaving traces."""


def test_close_in_a_new_description_closes_at_once(campus):
    iid = campus.act().open(campus.project, "x", "teks\n/close")
    assert campus.project.issues[iid].state == "closed"


def test_an_empty_description_is_filled_from_the_template_with_its_quick_actions(campus):
    campus.project.templates["Default"] = "Pola\n/due 2031-02-03"
    iid = campus.act().open(campus.project, "x")
    issue = campus.project.issues[iid]
    assert (issue.description, str(issue.due_date)) == ("Pola", "2031-02-03")


def test_an_action_the_old_description_held_is_not_repeated(campus):
    iid = campus.act().open(campus.project, "x", "teks")
    campus.project.issues[iid].description = "teks\n/due 2031-02-03"
    campus.act().describe(campus.project, iid, "teks\n/due 2031-02-03\n/title Lain")
    issue = campus.project.issues[iid]
    assert (issue.due_date, issue.title) == (None, "Lain")


def test_a_non_member_of_a_public_project_writes_but_sets_nothing(campus):
    public = campus.forge.project("pustikom/umum", visibility="public")
    stranger = campus.act(campus.forge.user("asing", "Orang Asing"))
    iid = stranger.open(public, "x", labels=["a"], due_date="2031-02-03", assignee_ids=[campus.bot.id])
    issue = public.issues[iid]
    assert (issue.label_ids, issue.due_date, issue.assignee_ids) == ([], None, [])
    assert stranger.comment(public, iid, "teks") > 0


def test_a_confidential_issue_of_ones_own_is_seen(campus):
    guest = campus.forge.user("tamu", "Tamu")
    campus.forge.member(campus.project, guest, 10)
    iid = campus.act(guest).open(campus.project, "x", confidential=True)
    campus.act(guest).comment(campus.project, iid, "teks")


def test_comments_left_empty_by_an_edit_disappear(campus):
    iid = campus.act().open(campus.project, "x")
    note = campus.act().comment(campus.project, iid, "teks")
    campus.act().edit_comment(campus.project, iid, note, "/due 2031-02-03")
    assert [one for one in campus.project.issues[iid].notes if not one.system] == []


def test_the_community_edition(campus):
    campus.forge._store.enterprise = False  # noqa: SLF001 - no call of the API changes the edition
    assert campus.raw("GET", "/metadata").json()["enterprise"] is False
    iid = campus.act().open(campus.project, "x", "/page x")
    assert campus.project.issues[iid].description == "/page x"


def test_many_commands_and_their_sentences(campus):
    project = campus.project
    iid = campus.act().open(project, "x", labels=["a", "b c"], assignee_ids=[campus.bot.id], due_date="2031-02-03")

    def say(text):
        return campus.raw("POST", f"/projects/{project.id}/issues/{iid}/notes", json={"body": text}).json()

    expected = {
        "/unassign": "Removed assignee @alur-bot.",
        "/assign me": "Assigned @alur-bot.",
        "/assign": "Failed to assign a user because no user was found.",
        "/remove_due_date": "Removed the due date.",
        "/due tomorrow": "Set the due date to Nov 24, 2026.",
        "/due in 3 days": "Set the due date to Nov 26, 2026.",
        "/due entah": "Failed to set due date because the date format is invalid.",
        '/unlabel ~"b c"': 'Removed ~"b c" label.',
        '/relabel ~a ~"b c"': 'Replaced all labels with ~a ~"b c" labels.',
        "/labels a": "Added ~a label.",
        "/unlabel ~tidak": "Removed all labels.",
        "/lock": "Locked the discussion.",
        "/unlock": "Unlocked the discussion.",
        "/confidential": "Made this issue confidential.",
        "/todo": "Added a to-do item.",
        "/unsubscribe": "Unsubscribed from notifications.",
        "/subscribe": "Subscribed to notifications.",
        "/subscribe ": "Could not apply subscribe command.",
        "/reopen": "Could not apply reopen command.",
        "/approve": "Could not apply approve command.",
    }
    assert {text: say(text)["summary"][0] for text in expected} == expected
    assert "Failed to apply" in say("/title")["message"]
    assert "Failed to apply" in say("/due")["message"]
    assert campus.forge.unknown == []
