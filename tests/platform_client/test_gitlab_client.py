"""The client against the stand-in, which drops, doubles, loses and refuses the way GitLab does."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integration.faults import Permanent, RateLimited, Transient
from integration.issue import EVERYTHING, IssueFields, IssueSeen, Part
from integration.store import ISSUES
from sandbox.gitlab import GitLab, Level, Project, User
from sync.answers import Issue
from sync.gitlab import Platform, Shown
from sync.refusals import Gone, NotUnderstood, TokenRefused
from sync.wiki import Wiki

MARKER = "<!-- alur:perkara:SI-2026-000001 -->"
DRAFT = IssueFields(
    title="[SI-2026-000001] SIAKAD: KRS gagal disimpan",
    description=f"{MARKER}\n\nFormulir\n\n<!-- alur:mulai -->\nLangkah 04\n<!-- alur:selesai -->",
    labels=frozenset({"pos::SI", "langkah::04 Pemeriksaan", "status::berjalan"}),
    assignee="kasi",
    due=date(2026, 6, 2),
    open=True,
)


@dataclass
class Bench:
    """A stand-in with one project, our account and one officer."""

    gitlab: GitLab
    project: Project
    bot: User
    kasi: User
    platform: Platform

    @property
    def calls(self) -> list[str]:
        """What our account asked for since the log was cleared, "METHOD last-part"."""
        return [f"{r.method} {r.path.rsplit('/', 1)[-1]}" for r in self.gitlab.requests if r.user == self.bot.username]

    def opened(self) -> IssueSeen:
        """An issue made by our account."""
        issue = self.platform.open_issue(DRAFT, MARKER, look_since=None).issue
        self.gitlab.requests.clear()
        return issue

    def show(self, seen: IssueSeen, **wanted: object) -> Shown:
        """Show what the draft says, with other values."""
        return self.platform.show(replace(DRAFT, **wanted), seen, {})


@pytest.fixture
def bench() -> Iterator[Bench]:
    with GitLab() as gitlab:
        project = gitlab.project("pustikom/pengaduan-si")
        bot, kasi = gitlab.user("alur-pos", "Layanan alur-pos"), gitlab.user("kasi", "Kasi Layanan")
        gitlab.member(project, bot, Level.MAINTAINER)
        gitlab.member(project, kasi, Level.REPORTER)
        platform = Platform(gitlab.url, bot.token, project.path, timeout=5)
        yield Bench(gitlab, project, bot, kasi, platform)
        assert gitlab.unknown == []


def test_it_knows_who_it_is_and_where(bench: Bench):
    home = bench.platform.home
    assert (home.account, home.account_id, home.project_id) == ("alur-pos", bench.bot.id, bench.project.id)
    assert home.project_path == "pustikom/pengaduan-si"
    assert bench.platform.home is home
    assert len(bench.gitlab.requests) == 2


class TestOpening:
    def test_an_issue_is_opened_as_drafted_with_one_post(self, bench: Bench):
        shown = bench.platform.open_issue(DRAFT, MARKER, look_since=None)
        assert shown.refused == {}
        issue = shown.issue
        assert (issue.title, issue.description, issue.labels) == (DRAFT.title, DRAFT.description, DRAFT.labels)
        assert (issue.assignee, issue.due, issue.open, issue.confidential) == ("kasi", DRAFT.due, True, True)
        assert issue == bench.platform.issue(issue.iid)
        assert [c for c in bench.calls if c.startswith("POST")] == ["POST issues"]

    @pytest.mark.parametrize("fault", [{"status": 500}, {"drop": True}])
    def test_after_an_unknown_outcome_it_is_found_and_not_made_again(self, bench: Bench, fault: dict):
        bench.gitlab.fault("POST", r"/issues$", after_commit=True, **fault)
        with pytest.raises(Transient):
            bench.platform.open_issue(DRAFT, MARKER, look_since=None)
        found = bench.platform.open_issue(DRAFT, MARKER, look_since=datetime.now(UTC) - timedelta(hours=1)).issue
        assert [issue.iid for issue in bench.platform.changed(None)] == [found.iid]

    def test_after_a_failure_before_the_deed_it_is_made_once(self, bench: Bench):
        bench.gitlab.fault("POST", r"/issues$", status=502)
        with pytest.raises(Transient):
            bench.platform.open_issue(DRAFT, MARKER, look_since=None)
        bench.platform.open_issue(DRAFT, MARKER, look_since=datetime.now(UTC) - timedelta(hours=1))
        assert len(list(bench.platform.changed(None))) == 1

    def test_a_stranger_with_our_marker_is_not_taken_for_us(self, bench: Bench):
        strange = bench.gitlab.act(bench.kasi).open(bench.project, "jebakan", f"```\n{MARKER}\n```")
        found = bench.platform.open_issue(DRAFT, MARKER, look_since=datetime.now(UTC) - timedelta(hours=1)).issue
        assert found.iid != strange


class TestShowing:
    def test_nothing_is_asked_where_nothing_differs(self, bench: Bench):
        assert bench.show(bench.opened()).refused == {}
        assert bench.calls == []

    def test_all_that_differs_goes_in_one_put(self, bench: Bench):
        seen = bench.opened()
        labels = frozenset({"pos::SI", "langkah::05 Persetujuan Kepala Pustikom", "status::terlambat"})
        wanted = {
            "labels": labels,
            "assignee": "",
            "due": None,
            "open": False,
            "title": "baru",
            "description": DRAFT.description + "\nlagi",
        }
        shown = bench.show(seen, **wanted)
        assert bench.calls == [f"PUT {seen.iid}"]
        assert shown.issue == bench.platform.issue(seen.iid)
        assert (shown.issue.labels, shown.issue.assignee, shown.issue.due, shown.issue.open) == (labels, "", None, False)

    def test_only_what_differs_is_sent(self, bench: Bench):
        seen = bench.opened()
        bench.gitlab.act(bench.kasi).assign(bench.project, seen.iid, None)
        shown = bench.show(seen, due=date(2026, 6, 3))
        assert shown.issue.assignee == ""
        assert shown.issue.due == date(2026, 6, 3)

    def test_what_people_made_of_it_is_taken_back_in_one_put(self, bench: Bench):
        seen, kasi = bench.opened(), bench.gitlab.act(bench.kasi)
        other = bench.gitlab.project("pustikom/lain")
        bench.gitlab.member(other, bench.kasi, Level.REPORTER)
        kasi.publish(bench.project, seen.iid)
        kasi.lock(bench.project, seen.iid)
        kasi.convert(bench.project, seen.iid, "incident")
        kasi.move(bench.project, seen.iid, other)
        changed = bench.platform.issue(seen.iid)
        assert (changed.confidential, changed.locked, changed.type, changed.moved) == (False, True, "incident", True)
        bench.gitlab.requests.clear()
        shown = bench.show(changed).issue
        assert bench.calls == [f"PUT {seen.iid}"]
        assert (shown.confidential, shown.locked, shown.type, shown.moved, shown.open) == (True, False, "issue", False, True)

    def test_a_checklist_that_is_written_over_tells_who_changed_it_meanwhile(self, bench: Bench):
        text = DRAFT.description.replace("Langkah 04", "- [ ] 4.1 Form")
        seen = bench.show(bench.opened(), description=text).issue
        bench.gitlab.act(bench.kasi).tick(bench.project, seen.iid, "4.1")
        bench.gitlab.requests.clear()
        shown = bench.show(seen, description=text.replace("Form", "Formulir"))
        assert [(note.account, note.body) for note in shown.edits] == [("kasi", "marked the checklist item **4.1 Form** as completed")]
        assert bench.calls[:2] == [f"PUT {seen.iid}", "GET notes"]

    def test_labels_of_users_stay(self, bench: Bench):
        seen = bench.opened()
        bench.gitlab.act(bench.kasi).label(bench.project, seen.iid, add=("penting",))
        shown = bench.show(bench.platform.issue(seen.iid), labels=frozenset({"pos::SI"}))
        assert shown.issue.labels == {"pos::SI", "penting"}

    def test_a_label_of_ours_put_on_meanwhile_is_taken_off_again(self, bench: Bench):
        seen = bench.opened()
        bench.gitlab.act(bench.kasi).label(bench.project, seen.iid, add=("langkah::07 Tindak lanjut penjadwalan",))
        shown = bench.show(seen, due=None)
        assert shown.issue.labels == DRAFT.labels

    @pytest.mark.parametrize("account", ["bukan-anggota", "tidak-ada"])
    def test_an_assignee_gitlab_drops_is_told_and_not_asked_for_ever(self, bench: Bench, account: str):
        bench.gitlab.user("bukan-anggota", "Di luar proyek")
        seen = bench.opened()
        shown = bench.show(seen, assignee=account)
        assert (shown.issue.assignee, shown.refused) == ("", {"assignee": account})
        assert bench.platform.tally.counted["platform_fields_refused:assignee"] == 1
        bench.gitlab.requests.clear()
        again = bench.platform.show(replace(DRAFT, assignee=account), shown.issue, shown.refused)
        assert again.refused == {"assignee": account}
        assert [call for call in bench.calls if call.startswith("PUT")] == []

    def test_another_assignee_is_asked_for_after_one_was_dropped(self, bench: Bench):
        shown = bench.show(bench.opened(), assignee="tidak-ada")
        again = bench.platform.show(DRAFT, shown.issue, shown.refused)
        assert (again.issue.assignee, again.refused) == ("kasi", {})

    def test_without_the_right_to_label_nothing_loops_and_all_is_told(self, bench: Bench):
        guest = bench.gitlab.user("tamu", "Tamu")
        bench.gitlab.member(bench.project, guest, Level.GUEST)
        platform = Platform(bench.gitlab.url, guest.token, str(bench.project.id))
        seen = platform.open_issue(DRAFT, MARKER, look_since=None).issue
        shown = platform.show(replace(DRAFT, labels=frozenset({"pos::SI"}), due=None), seen, {})
        assert shown.refused == {"labels": "pos::SI", "due": "None"}

    def test_windows_line_ends_are_no_difference(self, bench: Bench):
        seen = bench.opened()
        text = DRAFT.description.replace("\n", "\r\n")
        bench.platform.put(f"/projects/{bench.project.id}/issues/{seen.iid}", {"description": text})
        bench.gitlab.requests.clear()
        bench.show(bench.platform.issue(seen.iid))
        assert [call for call in bench.calls if call.startswith("PUT")] == []


class TestNotes:
    def test_a_note_is_posted(self, bench: Bench):
        iid = bench.opened().iid
        note = bench.platform.post_note(iid, "halo\n<!-- alur:a -->", "<!-- alur:a -->", look_since=None, replaces=None)
        notes = [n for n in bench.platform.history(bench.platform.issue(iid), EVERYTHING, None).notes if not n.system]
        assert [(n.id, n.account, n.body) for n in notes] == [(note, "alur-pos", "halo\n<!-- alur:a -->")]

    def test_after_an_unknown_outcome_it_is_found_by_its_marker(self, bench: Bench):
        iid = bench.opened().iid
        bench.gitlab.act(bench.kasi).comment(bench.project, iid, "saya kutip <!-- alur:a -->")
        bench.gitlab.fault("POST", r"/notes$", status=500, after_commit=True)
        with pytest.raises(Transient):
            bench.platform.post_note(iid, "x <!-- alur:a -->", "<!-- alur:a -->", look_since=None, replaces=None)
        since = datetime.now(UTC) - timedelta(hours=1)
        first = bench.platform.post_note(iid, "x <!-- alur:a -->", "<!-- alur:a -->", look_since=since, replaces=None)
        assert first == bench.platform.post_note(iid, "x <!-- alur:a -->", "<!-- alur:a -->", look_since=since, replaces=None)
        assert bench.platform.issue(iid).notes_count == 2

    def test_a_note_is_updated_in_its_place_and_written_anew_once_deleted(self, bench: Bench):
        iid = bench.opened().iid
        first = bench.platform.post_note(iid, "satu", "-", look_since=None, replaces=None)
        assert bench.platform.post_note(iid, "dua", "-", look_since=None, replaces=first) == first
        bench.gitlab.act(bench.bot).delete_comment(bench.project, iid, first)
        assert bench.platform.post_note(iid, "tiga", "-", look_since=None, replaces=first) != first

    def test_a_text_taken_for_quick_actions_is_a_fault(self, bench: Bench):
        with pytest.raises(Permanent, match="quick actions"):
            bench.platform.post_note(bench.opened().iid, "/close", "-", look_since=None, replaces=None)


class TestReading:
    def test_only_the_parts_asked_for_are_read(self, bench: Bench):
        issue = bench.opened()
        assert bench.platform.history(issue, frozenset(), None).notes == ()
        assert bench.calls == []
        bench.platform.history(issue, EVERYTHING, None)
        assert sorted(bench.calls) == ["GET notes", "GET resource_label_events", "GET resource_state_events"]

    def test_who_did_what_is_told_in_order(self, bench: Bench):
        iid = bench.opened().iid
        kasi = bench.gitlab.act(bench.kasi)
        kasi.label(bench.project, iid, add=("langkah::05 Persetujuan Kepala Pustikom",), remove=("langkah::04 Pemeriksaan",))
        kasi.close(bench.project, iid)
        kasi.reopen(bench.project, iid)
        snapshot = bench.platform.history(bench.platform.issue(iid), EVERYTHING, None)
        mine = [(e.label, e.added) for e in snapshot.label_events if e.account == "kasi"]
        assert mine == [("langkah::05 Persetujuan Kepala Pustikom", True), ("langkah::04 Pemeriksaan", False)]
        assert [(e.account, e.state) for e in snapshot.state_events] == [("kasi", "closed"), ("kasi", "reopened")]

    def test_old_notes_are_not_read_again(self):
        now = datetime(2026, 6, 2, 3, tzinfo=UTC)
        with GitLab(lambda: now) as gitlab:
            project, bot = gitlab.project("a/b"), gitlab.user("alur-pos", "Bot")
            gitlab.member(project, bot, Level.MAINTAINER)
            platform = Platform(gitlab.url, bot.token, "a/b")
            issue = platform.open_issue(replace(DRAFT, assignee=""), MARKER, look_since=None).issue
            for days in range(1, 5):
                now = datetime(2026, 6, 2 + days, 3, tzinfo=UTC)
                platform.post_note(issue.iid, f"hari {days}", "-", look_since=None, replaces=None)
            since = datetime(2026, 6, 6, 3, tzinfo=UTC)
            bodies = [note.body for note in platform.history(issue, frozenset({Part.NOTES}), since).notes]
            assert bodies == ["hari 3", "hari 4"]

    def test_many_pages_are_read_to_the_end(self, bench: Bench):
        issue = bench.opened()
        for number in range(101):
            bench.gitlab.limits["notes_create"] = 0
            bench.platform.post_note(issue.iid, str(number), "-", look_since=None, replaces=None)
        notes = [n for n in bench.platform.history(issue, frozenset({Part.NOTES}), None).notes if not n.system]
        assert [note.body for note in notes] == [str(number) for number in range(101)]

    def test_changed_issues_are_listed_with_an_overlap(self):
        now = datetime(2026, 6, 2, 3, tzinfo=UTC)
        with GitLab(lambda: now) as gitlab:
            project, bot = gitlab.project("a/b"), gitlab.user("alur-pos", "Bot")
            gitlab.member(project, bot, Level.MAINTAINER)
            platform = Platform(gitlab.url, bot.token, "a/b")
            first = platform.open_issue(replace(DRAFT, assignee=""), MARKER, look_since=None).issue
            now += timedelta(minutes=30)
            second = platform.open_issue(replace(DRAFT, assignee=""), MARKER, look_since=None).issue
            assert [i.iid for i in platform.changed(now)] == [second.iid]
            assert [i.iid for i in platform.changed(now - timedelta(minutes=25))] == [first.iid, second.iid]

    def test_an_issue_that_is_gone_is_said_to_be(self, bench: Bench):
        with pytest.raises(Gone):
            bench.platform.issue(99)

    def test_our_open_issues_are_counted_with_one_request(self, bench: Bench):
        bench.opened()
        bench.gitlab.act(bench.bot).close(bench.project, bench.opened().iid)
        bench.gitlab.act(bench.kasi).open(bench.project, "urusan lain")
        bench.platform.open_issue(replace(DRAFT, labels=frozenset()), "-", look_since=None)  # a member's task
        bench.gitlab.requests.clear()
        assert bench.platform.open_issues("pos::SI") == 1
        assert bench.calls == ["GET issues"]
        assert [issue.title for issue in bench.platform.opened()] == [DRAFT.title, "urusan lain", DRAFT.title]

    def test_of_very_many_issues_no_deep_page_is_asked_for(self, bench: Bench, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("sync.gitlab.PAGE", 2)
        monkeypatch.setattr("sync.gitlab.DEEPEST", 4)
        opened = [bench.opened().iid for _ in range(9)]
        found = [issue.iid for issue in bench.platform.changed(None)]
        assert list(dict.fromkeys(found)) == opened
        assert found == [1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9]
        assert bench.calls == ["GET issues"] * 6

    def test_of_very_many_issues_gitlab_gives_no_number(self, bench: Bench, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("sandbox.gitlab.calls.UNCOUNTED", 0)
        bench.opened()
        assert bench.platform.open_issues("pos::SI") is None

    def test_a_deleted_issue_is_told_from_one_that_is_not_ours_to_read(self, bench: Bench):
        iid = bench.opened().iid
        assert not bench.platform.deleted(iid)
        del bench.project.issues[iid]
        assert bench.platform.deleted(iid)
        for level in (Level.GUEST, Level.NONE):
            bench.gitlab.member(bench.project, bench.bot, level)
            with pytest.raises(Transient, match="not ours to read"):
                bench.platform.deleted(iid)
        bench.gitlab.member(bench.project, bench.bot, Level.PLANNER)
        bench.project.settings["issues_enabled"] = False
        with pytest.raises(Transient, match="not ours to read"):
            bench.platform.deleted(iid)

    def test_how_far_gitlab_s_clock_is_ahead_is_heard_from_every_answer(self, bench: Bench, monkeypatch: pytest.MonkeyPatch):
        assert bench.platform.skew is None
        _ = bench.platform.home
        assert abs(bench.platform.skew) <= timedelta(seconds=2)
        monkeypatch.setattr("werkzeug.serving.WSGIRequestHandler.date_time_string", lambda *_: "Tue, 02 Jun 2026 03:00:00 GMT")
        bench.opened()
        assert bench.platform.skew == pytest.approx(datetime(2026, 6, 2, 3, tzinfo=UTC) - datetime.now(UTC), abs=timedelta(seconds=9))
        known = bench.platform.skew
        monkeypatch.setattr("werkzeug.serving.WSGIRequestHandler.date_time_string", lambda *_: "kemarin")
        bench.opened()
        assert bench.platform.skew == known


def test_an_upload_is_fetched_by_its_address_up_to_a_size(bench: Bench):
    _, _, secret, name = bench.platform.upload("pindai 1.pdf", b"%PDF-1234").split("/")
    assert bench.platform.download(secret, name, 9) == b"%PDF-1234"
    assert bench.platform.download(secret, name, 8) is None
    with pytest.raises(Gone):
        bench.platform.download("0" * 32, name, 9)


def test_an_upload_is_linked_by_a_relative_address(bench: Bench):
    assert bench.platform.upload("surat-tugas.pdf", b"%PDF-").startswith("/uploads/")


class TestRemovingUploads:
    """Of a case that is erased: by the beginning of their names."""

    def test_none_is_overlooked_while_somebody_deletes_others_and_the_list_shifts(self, bench: Bench):
        began = datetime.now(UTC)
        for name in ("SI-2026-000001-a.txt", "SI-2026-000001-b.txt"):
            bench.platform.upload(name, b"1")
        others = [bench.platform.upload("SI-2026-000002-a.txt", b"2").split("/") for _ in range(100)]
        bench.gitlab.requests.clear()

        def two_others_go() -> None:
            """Our own two move to the first page once that is read."""
            if bench.calls == ["GET uploads"]:
                for _, _, secret, name in others[:2]:
                    bench.platform.remove_upload(secret, name)

        self.removing(bench, two_others_go).remove_uploads("SI-2026-000001-", began)
        assert {upload.filename for upload in bench.project.uploads} == {"SI-2026-000002-a.txt"}
        assert len(bench.project.uploads) == 98

    def test_whoever_uploads_without_end_does_not_keep_it_busy(self, bench: Bench):
        bench.platform.upload("SI-2026-000001-a.txt", b"1")
        bench.gitlab.requests.clear()
        asked = iter(range(9))

        def another_comes() -> None:
            next(asked)
            bench.platform.upload("SI-2026-000002-a.txt", b"2")

        self.removing(bench, another_comes).remove_uploads("SI-2026-000001-", datetime.now(UTC))
        assert {upload.filename for upload in bench.project.uploads} == {"SI-2026-000002-a.txt"}
        assert bench.calls.count("GET uploads") == 2

    def removing(self, bench: Bench, meanwhile: Callable[[], None]) -> Platform:
        """A client before each of whose requests something happens."""

        class Between(AbstractContextManager[None]):
            def __enter__(self) -> None:
                meanwhile()

            def __exit__(self, *_: object) -> None:
                """Nothing happens afterwards."""

        return Platform(bench.gitlab.url, bench.bot.token, bench.project.path, slot=Between())

    def test_one_that_cannot_be_found_any_more_is_not_asked_for_for_ever(self, bench: Bench):
        bench.platform.upload("SI-2026-000001-a.txt", b"1")
        bench.gitlab.fault("DELETE", r"/uploads/", times=9, status=404)
        bench.platform.remove_uploads("SI-2026-000001-", datetime.now(UTC))
        assert len(bench.project.uploads) == 1, "nine refusals are not used up"

    def test_a_gitlab_that_lists_none_keeps_what_nothing_leads_to_and_says_so(self, bench: Bench, caplog: pytest.LogCaptureFixture):
        bench.platform.upload("SI-2026-000001-a.txt", b"1")
        bench.gitlab.fault("GET", r"/uploads$", status=404)
        bench.platform.remove_uploads("SI-2026-000001-", datetime.now(UTC))
        assert len(bench.project.uploads) == 1
        assert "lists no uploads" in caplog.text

    def test_a_project_that_cannot_be_seen_is_no_such_gitlab(self, bench: Bench):
        bench.gitlab.fault("GET", r"", times=2, status=404)
        with pytest.raises(Gone):
            bench.platform.remove_uploads("SI-2026-000001-", datetime.now(UTC))


class TestFailures:
    @pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 524])
    def test_trouble_on_the_other_side_passes(self, bench: Bench, status: int):
        bench.gitlab.fault("GET", r"/user$", status=status)
        with pytest.raises(Transient):
            _ = bench.platform.home

    def test_a_token_that_is_refused_is_tried_again_when_there_may_be_another(self, bench: Bench):
        with pytest.raises(TokenRefused) as refused:
            _ = Platform(bench.gitlab.url, "glpat-x", "a/b").home
        assert refused.value.retry_after == timedelta(minutes=5)

    @pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
    def test_a_refusal_needs_a_person(self, bench: Bench, status: int):
        bench.gitlab.fault("GET", r"/user$", status=status)
        with pytest.raises(Permanent):
            _ = bench.platform.home

    def test_a_refused_token_is_never_shown(self, bench: Bench):
        with pytest.raises(TokenRefused) as refusal:
            _ = Platform(bench.gitlab.url, "glpat-rahasia", "a/b").home
        assert "rahasia" not in str(refusal.value)

    @pytest.mark.parametrize(("asked", "pause"), [("17", 17), (None, 60), ("nanti", 60), ("\xb2", 60), ("9" * 5000, 86400)])
    def test_a_limit_names_its_pause_and_nothing_sleeps(self, bench: Bench, asked: str | None, pause: int):
        bench.gitlab.fault("GET", r"/user$", status=429, headers={"Retry-After": asked} if asked else {})
        with pytest.raises(Transient) as limited:
            _ = bench.platform.home
        assert limited.value.retry_after == timedelta(seconds=pause)
        assert len(bench.gitlab.requests) == 1

    def test_a_limit_may_name_the_end_of_its_pause_by_the_clock_of_gitlab(self, bench: Bench, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("werkzeug.serving.WSGIRequestHandler.date_time_string", lambda *_: "Tue, 02 Jun 2026 03:00:00 GMT")
        bench.gitlab.fault("GET", r"/user$", status=429, headers={"Retry-After": "Tue, 02 Jun 2026 03:10:00 GMT"})
        with pytest.raises(Transient) as limited:
            _ = bench.platform.home
        assert limited.value.retry_after.total_seconds() == pytest.approx(600, abs=9)

    @pytest.mark.parametrize(("header", "pause"), [({"Retry-After": "120"}, timedelta(minutes=2)), ({}, None)])
    def test_one_that_is_down_may_name_its_pause_too(self, bench: Bench, header: dict, pause: timedelta | None):
        bench.gitlab.fault("GET", r"/user$", status=503, headers=header)
        with pytest.raises(Transient) as down:
            _ = bench.platform.home
        assert down.value.retry_after == pause

    @pytest.mark.parametrize(
        ("status", "pause"), [(502, timedelta(minutes=1)), (504, timedelta(minutes=1)), (524, timedelta(minutes=1)), (503, None)]
    )
    def test_what_a_proxy_gave_up_may_be_at_work_still_and_is_not_sent_again_soon(self, bench: Bench, status: int, pause: timedelta | None):
        bench.gitlab.fault("POST", r"/issues$", status=status)
        with pytest.raises(Transient) as given_up:
            bench.opened()
        assert given_up.value.retry_after == pause

    def test_a_real_limit_of_new_issues_is_understood(self, bench: Bench):
        bench.gitlab.limits["issues_create"] = 1
        bench.opened()
        with pytest.raises(RateLimited) as limited:
            bench.opened()
        assert limited.value.retry_after == timedelta(seconds=60)
        assert limited.value.of == ISSUES

    def test_a_dropped_connection_passes(self, bench: Bench):
        bench.gitlab.fault("GET", r"/user$", drop=True)
        with pytest.raises(Transient):
            _ = bench.platform.home

    def test_a_slow_answer_passes(self, bench: Bench):
        bench.gitlab.fault("GET", r"/user$", latency=0.5)
        with pytest.raises(Transient):
            _ = Platform(bench.gitlab.url, bench.bot.token, "a/b", timeout=0.1).home

    def test_nobody_there_passes(self):
        with pytest.raises(Transient):
            _ = Platform("http://127.0.0.1:9", "x", "a/b", timeout=1).home

    def test_what_was_asked_is_counted_by_what_it_was_about_and_how_it_was_answered(self, bench: Bench):
        issue = bench.opened()
        bench.gitlab.fault("GET", r"/issues/1$", status=503)
        bench.gitlab.fault("GET", r"/issues/1$", drop=True)
        for _ in range(2):
            with pytest.raises(Transient):
                bench.platform.issue(issue.iid)
        bench.platform.history(issue, EVERYTHING, None)
        bench.platform.upload("a.txt", b"a")
        Wiki(bench.platform).page("Laporan mingguan/2026-W23")
        _ = bench.platform.home
        with pytest.raises(Permanent):
            bench.platform.get(f"{bench.platform.project}/rahasia/1")
        counted = {key.removeprefix("platform_requests:"): n for key, n in bench.platform.tally.counted.items()}
        assert counted == {
            "get:members:200": 1,  # read before the first assignment
            "post:issues:201": 1,
            "get:issue:503": 1,
            "get:issue:none": 1,
            "get:notes:200": 1,
            "get:resource_label_events:200": 1,
            "get:resource_state_events:200": 1,
            "post:uploads:201": 1,
            "get:wikis:404": 1,
            "get:user:200": 1,
            "get:project:200": 1,
            "get:other:501": 1,
        }
        bench.gitlab.unknown.clear()


def test_an_answer_of_another_gitlab_is_not_guessed_at():
    with pytest.raises(NotUnderstood, match="GitLab's Issue is not understood"):
        Issue.read({"iid": "tujuh", "title": "rahasia"})


@pytest.mark.parametrize(("said", "meaning"), [("409 Conflict: Resource lock", Transient), ("Duplicated issue", Permanent)])
def test_a_conflict_has_several_meanings(said: str, meaning: type[Exception]):
    class Conflict(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(409)
            self.end_headers()
            self.wfile.write(json.dumps({"message": said}).encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Conflict) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        with pytest.raises(meaning):
            Platform(f"http://127.0.0.1:{server.server_port}", "x", "a/b").issue(1)
        server.shutdown()


def test_a_post_without_an_answer_may_still_be_at_work_for_a_minute():
    with pytest.raises(Transient) as unknown:
        Platform("http://127.0.0.1:9", "x", "a/b", timeout=1).post("/projects/1/issues/1/notes", {"body": "x"})
    assert unknown.value.retry_after == timedelta(seconds=60)
