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


def test_labels_are_counted_and_searched(forge):
    name = forge.label()
    forge.bot.project.issues.update(forge.issue(labels=[name]).iid, {"state_event": "close"})
    forge.issue(labels=[name])
    [found] = forge.bot.project.labels.list(search=name, with_counts=True, get_all=True)
    assert (found.open_issues_count, found.closed_issues_count) == (1, 1)


@pytest.mark.parametrize("bad", [{"name": " ", "color": "#112233"}, {"name": "x", "color": "jingga tua"}])
def test_blank_names_and_odd_colours_are_refused(forge, bad):
    assert _error(forge.bot.project.labels.create, bad).response_code == 400


def test_a_label_is_not_renamed_to_a_taken_name(forge):
    one, two = forge.label(), forge.label()
    assert _error(forge.bot.project.labels.update, one, {"new_name": two}).response_code in {400, 409}
    assert _error(forge.bot.project.labels.get, forge.word()).response_code == 404


def test_a_label_has_a_priority(forge):
    name = forge.word()
    assert forge.bot.project.labels.create({"name": name, "color": "#112233", "priority": 3}).priority == 3


def test_columns_are_moved_and_taken_away(forge):
    board = forge.bot.project.boards.create({"name": forge.word()})
    columns = [board.lists.create({"label_id": forge.bot.project.labels.get(forge.label()).id}) for _ in range(3)]
    columns[2].position = 0
    columns[2].save()
    assert [column.id for column in board.lists.list(get_all=True)] == [columns[2].id, columns[0].id, columns[1].id]
    columns[0].delete()
    assert board.lists.get(columns[1].id).label == columns[1].label
    assert _error(board.lists.get, columns[0].id).response_code == 404
    board.delete()
    assert _error(forge.bot.project.boards.get, board.id).response_code == 404


def test_a_board_is_renamed_and_listed(forge):
    board, name = forge.bot.project.boards.create({"name": forge.word()}), forge.word()
    board.name, board.hide_backlog_list = name, True
    board.save()
    assert name in [one.name for one in forge.bot.project.boards.list(get_all=True)]
    assert _error(board.lists.create, {"label_id": 0}).response_code == 400
    board.delete()


def test_members_come_and_go(forge):
    stranger = forge.people["stranger"]
    members = forge.bot.project.members
    member = members.create({"user_id": stranger.id, "access_level": 10})
    assert _error(members.create, {"user_id": stranger.id, "access_level": 10}).response_code == 409
    member.access_level = 20
    member.save()
    assert members.get(stranger.id).access_level == 20
    assert [one.id for one in members.list(query=stranger.username, get_all=True)] == [stranger.id]
    members.delete(stranger.id)
    assert _error(members.get, stranger.id).response_code == 404
    assert _error(members.create, {"user_id": stranger.id, "access_level": 12}).response_code == 400


def test_projects_and_accounts_are_listed(forge):
    words = forge.project.path
    assert [one.id for one in forge.bot.client.projects.list(search=words, get_all=True)] == [forge.project.id]
    assert [one.id for one in forge.people["stranger"].client.projects.list(search=words, get_all=True)] == []
    assert forge.bot.client.users.get(forge.people["guest"].id).username == forge.people["guest"].username
    assert forge.bot.id in [one.id for one in forge.bot.client.users.list(search=forge.bot.username, get_all=True)]


def test_accounts_are_made_by_administrators_only(forge):
    body = {"username": forge.word(), "name": "x", "email": "x@example.org", "force_random_password": True}
    assert _error(forge.bot.client.users.create, body).response_code == 403
    taken = body | {"username": forge.bot.username, "email": f"{forge.word()}@example.org"}
    assert _error(forge.admin.users.create, taken).response_code == 409


def test_project_settings(forge):
    project = forge.bot.client.projects.get(forge.project.id)
    project.autoclose_referenced_issues = False
    project.save()
    assert forge.bot.client.projects.get(forge.project.id).autoclose_referenced_issues is False
    assert _error(forge.people["developer"].client.http_put, f"/projects/{project.id}", post_data={"description": "x"}).response_code == 403


def test_uploads_are_listed_by_maintainers(forge):
    sent = forge.bot.project.upload("daftar.txt", filedata=b"12345")
    rows = forge.bot.client.http_list(f"/projects/{forge.project.id}/uploads", get_all=True)
    assert sent["alt"] in [row["filename"] for row in rows]
    path = f"/projects/{forge.project.id}/uploads"
    assert _error(forge.people["guest"].client.http_list, path, get_all=True).response_code in {401, 403}
    assert _error(forge.bot.client.http_post, path).response_code == 400


def test_a_wiki_title_is_taken_once(forge):
    page = {"title": forge.word(), "content": "x"}
    forge.bot.project.wikis.create(page)
    assert _error(forge.bot.project.wikis.create, page).response_code in {400, 422}
    assert page["title"] in [one.title for one in forge.bot.project.wikis.list(with_content=True, get_all=True)]


def test_links_are_taken_away(forge):
    one, two = forge.issue(), forge.issue()
    one.links.create({"target_project_id": forge.project.id, "target_issue_iid": two.iid})
    [link] = one.links.list(get_all=True)
    one.links.delete(link.issue_link_id)
    assert one.links.list(get_all=True) == []
    assert _error(one.links.delete, link.issue_link_id).response_code == 404


def test_issues_of_every_project_are_ones_own_unless_asked(forge):
    issue = forge.issue(assignee_ids=[forge.people["reporter"].id])
    client = forge.people["reporter"].client
    assert issue.id not in [one.id for one in client.issues.list(get_all=True)]
    assert issue.id in [one.id for one in client.issues.list(scope="assigned_to_me", get_all=True)]
    assert issue.id in [one.id for one in client.issues.list(scope="all", per_page=100, get_all=True)]


def test_others_do_not_delete_a_comment(forge):
    issue = forge.issue()
    note = issue.notes.create({"body": "x"})
    seen = forge.people["developer"].project.issues.get(issue.iid)
    assert _error(seen.notes.delete, note.id).response_code == 403


def test_a_hook_is_read_changed_and_deleted(forge):
    hooks = forge.bot.project.hooks
    hook = hooks.create({"url": "http://example.org/x", "issues_events": True, "name": "Alur", "enable_ssl_verification": False})
    assert (hook.issues_events, hook.enable_ssl_verification, hook.alert_status) == (True, False, "executable")
    hooks.update(hook.id, {"url": hook.url, "note_events": True, "issues_events": False, "description": "uji"})
    found = hooks.get(hook.id)
    assert (found.note_events, found.issues_events, found.description) == (True, False, "uji")
    hooks.delete(hook.id)
    assert _error(hooks.get, hook.id).response_code == 404
    assert _error(forge.bot.client.http_post, f"/projects/{forge.project.id}/hooks").response_code == 400
