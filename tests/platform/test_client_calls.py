"""Every call the service's own client makes, and what the service relies on in the answers."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from integration.faults import Permanent
from integration.issue import EVERYTHING, IssueFields, IssueSeen, Part
from integration.procedures import load
from integration.region import region, ticked
from integration.store import Store
from sync.gitlab import Platform
from sync.provision import Provision
from sync.refusals import Gone
from sync.wiki import Wiki, page_slug

POS = load("pengaduan-masalah-teknis-si.2025-05")


@pytest.fixture
def platform(forge) -> Platform:
    return Platform(forge.url, forge.bot.token, str(forge.project.id))


@pytest.fixture
def marker(forge) -> str:
    return f"<!-- alur:perkara:{forge.word()} -->"


@pytest.fixture
def draft(forge, marker: str) -> IssueFields:
    return IssueFields(
        title="[SI-2026-000001] SIAKAD: uji",
        description=f"{marker}\n\nFormulir\n\n{region('- [ ] 20.5 Standar operasional')}",
        labels=frozenset({"pos::SI", "langkah::04 Pemeriksaan"}),
        assignee=forge.people["reporter"].username,
        due=date(2031, 2, 3),
        open=True,
    )


@pytest.fixture
def seen(platform: Platform, draft: IssueFields, marker: str) -> IssueSeen:
    return platform.open_issue(draft, marker, look_since=None).issue


def test_it_knows_itself_and_its_project(forge, platform: Platform):
    assert (platform.home.account, platform.home.account_id) == (forge.bot.username, forge.bot.id)
    assert platform.home.project_id == forge.project.id
    by_path = Platform(forge.url, forge.bot.token, platform.home.project_path)
    assert by_path.home == platform.home


def test_an_issue_is_as_it_was_drafted(platform: Platform, draft: IssueFields, seen: IssueSeen):
    assert (seen.title, seen.description, seen.labels) == (draft.title, draft.description, draft.labels)
    assert (seen.assignee, seen.due, seen.open, seen.confidential, seen.notes_count) == (draft.assignee, draft.due, True, True, 0)
    assert platform.issue(seen.iid) == seen


def test_an_issue_made_before_is_found_by_its_marker(platform: Platform, draft: IssueFields, marker: str, seen: IssueSeen):
    again = platform.open_issue(draft, marker, look_since=datetime.now(UTC) - timedelta(minutes=10))
    assert again.issue.iid == seen.iid


def test_all_fields_change_at_once_and_strangers_labels_stay(forge, platform: Platform, draft: IssueFields, seen: IssueSeen):
    own = forge.label()
    forge.people["reporter"].project.issues.update(seen.iid, {"add_labels": [own]})
    wanted = replace(
        draft,
        title="lain",
        description=f"{draft.description}\n\nlagi",
        labels=frozenset({"pos::SI", "langkah::05 Persetujuan Kepala Pustikom"}),
        assignee="",
        due=None,
        open=False,
    )
    shown = platform.show(wanted, platform.issue(seen.iid), {})
    assert shown.refused == {}
    assert shown.issue == platform.issue(seen.iid)
    assert (shown.issue.title, shown.issue.description, shown.issue.assignee) == ("lain", wanted.description, "")
    assert (shown.issue.due, shown.issue.open, shown.issue.labels) == (None, False, wanted.labels | {own})
    back = platform.show(draft, shown.issue, {})
    assert (back.issue.open, back.issue.due, back.issue.assignee) == (True, draft.due, draft.assignee)


def test_nobody_is_shown_where_the_assignee_cannot_read_the_project(forge, platform: Platform, draft: IssueFields, seen: IssueSeen):
    stranger = forge.people["stranger"].username
    shown = platform.show(replace(draft, assignee=stranger), seen, {})
    assert (shown.issue.assignee, shown.refused) == ("", {"assignee": stranger})


def test_an_account_that_does_not_exist_is_dropped_too(forge, platform: Platform, draft: IssueFields, seen: IssueSeen):
    nobody = forge.word()
    assert platform.show(replace(draft, assignee=nobody), seen, {}).refused == {"assignee": nobody}


def test_a_confidential_issue_made_public_is_confidential_again(forge, platform: Platform, draft: IssueFields, seen: IssueSeen):
    forge.people["reporter"].project.issues.update(seen.iid, {"confidential": False})
    assert platform.show(draft, platform.issue(seen.iid), {}).issue.confidential


def test_notes_are_written_found_changed_and_counted(platform: Platform, seen: IssueSeen):
    mark = "<!-- alur:uji -->"
    note = platform.post_note(seen.iid, f"satu\n{mark}", mark, look_since=None, replaces=None)
    since = datetime.now(UTC) - timedelta(minutes=10)
    assert platform.find_note(seen.iid, mark, since) == note
    assert platform.post_note(seen.iid, f"dua\n{mark}", mark, look_since=since, replaces=None) == note
    assert platform.post_note(seen.iid, f"tiga\n{mark}", mark, look_since=None, replaces=note) == note
    notes = platform.history(seen, frozenset({Part.NOTES}), None).notes
    assert [(found.id, found.body) for found in notes if not found.system] == [(note, f"tiga\n{mark}")]
    assert platform.issue(seen.iid).notes_count == 1
    assert platform.find_note(seen.iid, "<!-- alur:lain -->", None) is None


def test_a_text_of_quick_actions_alone_is_no_note(platform: Platform, seen: IssueSeen):
    with pytest.raises(Permanent):
        platform.post_note(seen.iid, "/due 2031-01-01", "-", look_since=None, replaces=None)


def test_who_did_what_is_told_from_the_past(forge, platform: Platform, draft: IssueFields, seen: IssueSeen):
    reporter = forge.people["reporter"]
    step = "langkah::05 Persetujuan Kepala Pustikom"
    reporter.project.issues.update(seen.iid, {"add_labels": [step], "remove_labels": ["langkah::04 Pemeriksaan"]})
    reporter.project.issues.update(seen.iid, {"state_event": "close"})
    reporter.project.issues.update(seen.iid, {"state_event": "reopen"})
    reporter.project.issues.get(seen.iid).notes.create({"body": "/pos lengkap"})
    reporter.project.issues.update(seen.iid, {"description": draft.description.replace("[ ]", "[x]")})
    past = platform.history(platform.issue(seen.iid), EVERYTHING, None)
    theirs = [event for event in past.label_events if event.account == reporter.username]
    assert {(event.label, event.added) for event in theirs} == {(step, True), ("langkah::04 Pemeriksaan", False)}
    assert {event.label for event in past.label_events if event.account == forge.bot.username} == draft.labels
    assert [(event.account, event.state) for event in past.state_events] == [(reporter.username, "closed"), (reporter.username, "reopened")]
    said = [note for note in past.notes if note.account == reporter.username and not note.system]
    assert [(note.body, note.edited) for note in said] == [("/pos lengkap", False)]
    ticks = [note.body for note in past.notes if note.system and "20.5" in note.body]
    assert ticks == ["marked the checklist item **20.5 Standar operasional** as completed"]
    assert ticked(past.issue.description) == {"20.5"}


def test_changed_issues_are_listed(platform: Platform, seen: IssueSeen):
    assert seen in list(platform.changed(datetime.now(UTC)))
    assert seen in list(platform.changed(None))
    assert seen not in list(platform.changed(datetime.now(UTC) + timedelta(hours=1)))


def test_an_upload_is_linked_by_a_relative_address(platform: Platform):
    assert platform.upload("uji.pdf", b"%PDF-1.7").startswith("/uploads/")


def test_uploads_are_removed_by_the_beginning_of_their_names(forge, platform: Platform):
    word, began = forge.word(), datetime.now(UTC)
    places = {name: platform.upload(f"{name}.txt", name.encode()).split("/") for name in (f"{word}-1", f"{word}-2", f"{word}1-1")}
    platform.remove_uploads(f"{word}-", began + timedelta(days=2))
    assert platform.download(*places[f"{word}-1"][2:], 99) == f"{word}-1".encode()
    platform.remove_uploads(f"{word}-", began)
    for name in (f"{word}-1", f"{word}-2"):
        with pytest.raises(Gone):
            platform.download(*places[name][2:], 99)
    assert platform.download(*places[f"{word}1-1"][2:], 99) == f"{word}1-1".encode()


def test_a_wiki_page_in_a_folder_is_made_once_and_changed_in_its_place(forge, platform: Platform):
    wiki, title = Wiki(platform), f"Laporan {forge.word()}/2026-W23"
    assert wiki.page(title) is None
    for text in ("satu", "dua", "dua"):
        wiki.write(title, text)
        assert wiki.page(title) == text
    assert wiki.slugs().count(page_slug(title)) == 1


def test_an_issue_that_is_not_there_is_gone(platform: Platform):
    with pytest.raises(Gone):
        platform.issue(999_999)


class TestSettingUp:
    @pytest.fixture
    def provision(self, platform: Platform, receiver, tmp_path: Path) -> Iterator[Provision]:
        store = Store(f"sqlite:///{tmp_path}/alur.db", clock=lambda: datetime.now(UTC))
        store.migrate()
        yield Provision(platform, store, (POS,), f"{receiver.url}/lain", "rahasia")
        store.close()

    def test_a_project_is_made_ready_once(self, provision: Provision):
        assert {change.kind for change in provision.apply()} >= {"label_create", "board_create", "column_create", "hook_create"}
        assert provision.apply() == []
