"""Notes, labels, boards, uploads, wiki, accounts: the calls around issues."""

import gitlab
import pytest
import requests


def _error(call, *args, **named):
    with pytest.raises(gitlab.GitlabError) as refusal:
        call(*args, **named)
    return refusal.value


def test_who_am_i(forge):
    forge.bot.client.auth()
    assert (forge.bot.client.user.id, forge.bot.client.user.username) == (forge.bot.id, forge.bot.username)


def test_version_and_metadata(forge):
    assert forge.bot.client.version()[0][0].isdigit()
    assert {"version", "revision", "enterprise", "kas"} <= set(forge.bot.client.http_get("/metadata"))


def test_the_token_describes_itself(forge):
    token = forge.bot.client.personal_access_tokens.get("self")
    assert (token.user_id, token.scopes, token.active) == (forge.bot.id, ["api"], True)


def test_an_account_is_found_by_its_name(forge):
    guest = forge.people["guest"]
    assert [user.id for user in forge.bot.client.users.list(username=guest.username.upper(), get_all=True)] == [guest.id]
    assert forge.bot.client.users.list(username=forge.word(), get_all=True) == []


def test_a_project_is_found_by_id_and_by_path(forge):
    found = forge.bot.client.projects.get(forge.project.path_with_namespace)
    assert found.id == forge.bot.client.projects.get(forge.project.id).id == forge.project.id


def test_members_and_levels(forge):
    levels = {member.id: member.access_level for member in forge.bot.project.members.list(get_all=True)}
    assert {role: levels.get(account.id) for role, account in forge.people.items()} == {
        "stranger": None,
        "guest": 10,
        "planner": 15,
        "reporter": 20,
        "developer": 30,
        "maintainer": 40,
    }
    assert forge.bot.project.members.get(forge.bot.id).access_level == 40
    assert forge.bot.project.members_all.get(forge.bot.id).access_level == 40


# notes


def test_notes_are_newest_first_with_system_notes_among_them(forge):
    issue = forge.issue()
    first = issue.notes.create({"body": "satu"})
    forge.bot.project.issues.update(issue.iid, {"title": "Lain"})
    last = issue.notes.create({"body": "dua"})
    notes = issue.notes.list(get_all=True)
    assert sorted((note.id for note in notes if not note.system), reverse=True) == [last.id, first.id]
    assert [note.system for note in notes].count(True) == 1
    rising = issue.notes.list(sort="asc", order_by="created_at", get_all=True)
    assert rising[0].id == first.id


def test_only_comments(forge):
    issue = forge.issue()
    note = issue.notes.create({"body": "satu"})
    forge.bot.project.issues.update(issue.iid, {"title": "Lain"})
    assert [one.id for one in issue.notes.list(activity_filter="only_comments", get_all=True)] == [note.id]


def test_a_blank_comment_is_refused(forge):
    assert _error(forge.issue().notes.create, {"body": "  "}).response_code == 400


def test_a_comment_is_edited_and_deleted(forge):
    issue = forge.issue()
    note = issue.notes.create({"body": "satu"})
    issue.notes.update(note.id, {"body": "dua"})
    assert issue.notes.get(note.id).body == "dua"
    issue.notes.delete(note.id)
    assert _error(issue.notes.get, note.id).response_code == 404


def test_created_at_of_a_comment_is_for_owners(forge):
    note = forge.issue().notes.create({"body": "satu", "created_at": "2020-01-02T03:04:05Z"})
    assert not note.created_at.startswith("2020")


# labels


def test_a_taken_label_is_409(forge):
    name = forge.label()
    assert _error(forge.bot.project.labels.create, {"name": name, "color": "#112233"}).response_code == 409


@pytest.mark.parametrize("bad", [{"name": "a,b", "color": "#112233"}, {"name": "x" * 256, "color": "#112233"}])
def test_bad_label_names(forge, bad):
    assert _error(forge.bot.project.labels.create, bad).response_code == 400


def test_a_label_needs_a_colour(forge):
    path = f"/projects/{forge.project.id}/labels"
    assert _error(forge.bot.client.http_post, path, post_data={"name": forge.word()}).response_code == 400


def test_a_label_is_renamed_on_its_issues(forge):
    name, new = forge.label(), forge.word()
    issue = forge.issue(labels=[name])
    forge.bot.project.labels.update(name, {"new_name": new, "color": "#445566", "description": "Keterangan"})
    assert forge.fresh(issue).labels == [new]
    found = forge.bot.project.labels.get(new)
    assert (found.color, found.description) == ("#445566", "Keterangan")


def test_a_label_name_may_hold_colons_spaces_and_a_slash(forge):
    name = forge.label(f"{forge.word()}::04 a/b")
    assert forge.bot.project.labels.get(name).name == name


# boards


def test_boards_and_their_label_lists(forge):
    board = forge.bot.project.boards.create({"name": forge.word()})
    label = forge.bot.project.labels.get(forge.label())
    assert board.lists.list(get_all=True) == []
    board.lists.create({"label_id": label.id})
    assert [column.label["name"] for column in board.lists.list(get_all=True)] == [label.name]
    assert [column["label"]["name"] for column in forge.bot.project.boards.get(board.id).attributes["lists"]] == [label.name]
    assert _error(board.lists.create, {"label_id": label.id}).response_code == 400
    board.delete()


# files


def test_an_upload_is_linked_by_markdown_and_downloaded(forge):
    sent = forge.bot.project.upload("surat tugas.pdf", filedata=b"%PDF-1.7 isi")
    assert sent["markdown"] == f"[{sent['alt']}]({sent['url']})"
    answer = requests.get(
        f"{forge.url}/api/v4/projects/{forge.project.id}{sent['url']}", headers={"PRIVATE-TOKEN": forge.bot.token}, timeout=30
    )
    assert answer.content == b"%PDF-1.7 isi"


def test_an_image_is_shown_by_its_markdown(forge):
    assert forge.bot.project.upload("galat.png", filedata=b"\x89PNG")["markdown"].startswith("![galat](/uploads/")


def test_wiki_pages(forge):
    title = forge.word()
    page = forge.bot.project.wikis.create({"title": title, "content": "satu"})
    assert (page.slug, page.content) == (title, "satu")
    page.content = "dua"
    page.save()
    assert forge.bot.project.wikis.get(title).content == "dua"
    assert title in [one.slug for one in forge.bot.project.wikis.list(get_all=True)]
    page.delete()
    assert _error(forge.bot.project.wikis.get, title).response_code == 404


def test_a_slug_follows_the_title(forge):
    word = forge.word()
    page = forge.bot.project.wikis.create({"title": f"Hal {word}", "content": "x"})
    assert page.slug == f"Hal-{word}"
