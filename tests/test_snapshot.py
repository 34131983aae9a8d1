"""What people asked for, read from what GitLab keeps of the past: comments, label events, state events and its own notes about ticks."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from integration.issue import (
    EVERYTHING,
    IssueFields,
    IssueSeen,
    LabelEventSeen,
    NoteSeen,
    Part,
    Sighting,
    Snapshot,
    StateEventSeen,
    differing,
    fields_of,
    read_sighting,
    sighting_json,
)
from integration.procedure.case import Case
from integration.procedure.facts import (
    AccessGiven,
    AccessTaken,
    Actor,
    ActorKind,
    CheckAsked,
    CommandUnclear,
    DocumentAttached,
    EmergencyAsked,
    HandOffAsked,
    HelpAsked,
    IssueClosed,
    IssueReopened,
    OutcomeChosen,
    PauseAsked,
    ProgressMade,
    ResumeAsked,
    SecretWritten,
    StepLabelMoved,
    TeamNamed,
    Ticked,
    Via,
)
from integration.procedures import load
from integration.region import region
from integration.snapshot import Reader, unread
from tests.core.office import JAKARTA, submission

POS = load("pengaduan-masalah-teknis-si.2025-05")
READER = Reader(POS, "alur-pos", JAKARTA)
ENTERED = datetime(2026, 6, 2, 3, tzinfo=UTC)
LATER = ENTERED + timedelta(hours=1)
CASE = Case("SI-2026-000001", POS.slug, POS.revision, (submission(),), "tinggi", iid=1, step=20, entered_at=ENTERED)
ISSUE = IssueSeen(
    iid=1,
    url="https://gitlab.example/x/-/issues/1",
    title="t",
    description=region("- [ ] 20.5 Standar"),
    labels=frozenset({"pos::SI", "langkah::20 Verifikasi 1"}),
    assignee="koordinator",
    due=date(2026, 6, 3),
    state="opened",
    confidential=True,
    notes_count=3,
    created_at=ENTERED,
    updated_at=ENTERED,
)
BY = Actor(ActorKind.PERSON, "budi", "Budi")


def note(body: str, **changed: object) -> NoteSeen:
    return replace(NoteSeen(7, "budi", "Budi", body, LATER, LATER, system=False), **changed)


def read(*notes: NoteSeen, case: Case = CASE) -> list:
    return list(READER.requests(case, Snapshot(ISSUE, notes=notes)))


KEY = ("note:7", LATER, BY)


@pytest.mark.parametrize(
    ("body", "fact"),
    [
        (
            "/pos diterima\n\n### Catatan verifikasi\nBaik",
            OutcomeChosen(*KEY, "diterima", "", (("Catatan verifikasi", "Baik"),), Via.COMMENT),
        ),
        ("/pos dikembalikan masih galat", OutcomeChosen(*KEY, "dikembalikan", "masih galat", (), Via.COMMENT)),
        ("/pos tugaskan @budi @sari", TeamNamed(*KEY, ("budi", "sari"))),
        ("/pos progres 60", ProgressMade(*KEY, "2026-W23", 60, ())),
        ("/pos akses @budi srv ssh sampai 2026-12-31", AccessGiven(*KEY, "budi", "srv", "ssh", date(2026, 12, 31))),
        ("/pos cabut-akses @budi srv", AccessTaken(*KEY, "budi", "srv")),
        (
            f"/pos lampir formulir-uji-coba\n[f.pdf](/uploads/{'a' * 32}/f.pdf)",
            DocumentAttached(*KEY, "formulir-uji-coba", (f"[f.pdf](/uploads/{'a' * 32}/f.pdf)",)),
        ),
        ("/pos jeda menunggu suku cadang", PauseAsked(*KEY, "menunggu suku cadang")),
        ("/pos lanjut", ResumeAsked(*KEY)),
        ("/pos alihkan 9 serangan siber", HandOffAsked(*KEY, "POS Pelaporan Insiden Siber", "serangan siber")),
        ("/pos darurat server mati", EmergencyAsked(*KEY, "server mati")),
        ("/pos cek", CheckAsked(*KEY)),
        ("/pos bantuan", HelpAsked(*KEY)),
        ("/pos ditrima", CommandUnclear(*KEY, "ditrima", "diterima", "")),
        ("/pos akses @budi", CommandUnclear(*KEY, "akses", None, "akses")),
        ("/pos akses @budi srv ssh sampai 2026-12-31\nsandi: Rahasia123!", SecretWritten(*KEY)),
    ],
)
def test_a_comment_is_read_as_what_it_asks_for(body: str, fact: object):
    assert read(note(body)) == [fact]


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(note("Sudah saya cek, ya"), id="an ordinary comment"),
        pytest.param(note("> /pos diterima"), id="a quotation"),
        pytest.param(note("/pos diterima", account="alur-pos"), id="our own"),
        pytest.param(note("/pos diterima", account=""), id="by nobody any more"),
        pytest.param(note("assigned to @budi", system=True), id="GitLab's own"),
    ],
)
def test_what_asks_for_nothing_is_passed_over(nothing: NoteSeen):
    assert read(nothing) == []


def test_only_the_creation_of_a_comment_counts():
    edited = note("/pos diterima", updated_at=LATER + timedelta(seconds=2))
    assert read(edited) == [CommandUnclear(*KEY, "", None, "suntingan")]
    assert read(note("/pos diterima", updated_at=LATER + timedelta(seconds=1))) != read(edited)
    assert read(note("bukan perintah", updated_at=LATER + timedelta(seconds=2))) == []


def test_a_procedure_without_a_duty_has_no_word_for_one():
    reader = replace(READER, procedure=replace(POS, duty=None))
    (fact,) = reader.requests(CASE, Snapshot(ISSUE, notes=(note("/pos progres 60"),)))
    assert isinstance(fact, CommandUnclear)


class TestTicks:
    def tick(self, words: str = "20.5 Standar operasional", state: str = "completed", **changed: object) -> list:
        return read(note(f"marked the checklist item **{words}** as {state}", system=True, **changed))

    @pytest.mark.parametrize(("state", "done"), [("completed", True), ("incomplete", False)])
    def test_a_box_is_told_by_gitlab_s_own_note(self, state: str, *, done: bool):
        assert self.tick(state=state) == [Ticked("tick:7", LATER, BY, "20.5", done=done)]

    def test_an_escaped_number_is_the_same_number(self):
        assert self.tick("20\\.5 Standar") == self.tick()

    @pytest.mark.parametrize("words", ["20.1 Akses", "21.5 Standar", "99.9 x", "Standar 20.5", "20 x"])
    def test_a_box_people_do_not_set_is_no_request(self, words: str):
        assert self.tick(words) == []

    def test_a_box_of_an_earlier_stay_is_no_request(self):
        assert self.tick(created_at=ENTERED - timedelta(seconds=2)) == []
        assert self.tick(created_at=ENTERED - timedelta(milliseconds=1)) != []

    def test_nobody_s_and_our_own_boxes_are_none(self):
        assert self.tick(account="alur-pos") == self.tick(account="") == []

    def test_after_the_end_there_is_nothing_to_tick(self):
        words = "marked the checklist item **20.5 x** as completed"
        assert read(note(words, system=True), case=replace(CASE, step=None)) == []


class TestCards:
    def moved(self, label: str = "langkah::21 Verifikasi 2", case: Case = CASE, **changed: object) -> list:
        event = replace(LabelEventSeen(9, "budi", "Budi", LATER, label, added=True), **changed)
        return list(READER.requests(case, Snapshot(ISSUE, label_events=(event,))))

    def test_a_step_label_put_on_is_a_request(self):
        assert self.moved() == [StepLabelMoved("label:9", LATER, BY, 21)]

    @pytest.mark.parametrize(
        "event",
        [
            {"added": False},
            {"account": "alur-pos"},
            {"account": ""},
            {"label": ""},
            {"label": "penting"},
            {"label": "status::selesai"},
            {"label": "langkah::dua puluh"},
            {"at": ENTERED - timedelta(minutes=1)},
        ],
    )
    def test_anything_else_is_none(self, event: dict):
        assert self.moved(**event) == []

    def test_before_the_case_stands_anywhere_there_is_none(self):
        assert self.moved(case=replace(CASE, entered_at=None)) == []


class TestOpenAndClosed:
    @pytest.mark.parametrize(("state", "kind"), [("closed", IssueClosed), ("reopened", IssueReopened)])
    def test_closing_and_reopening_are_requests(self, state: str, kind: type):
        events = (StateEventSeen(5, "budi", "Budi", LATER, state), StateEventSeen(6, "alur-pos", "", LATER, state))
        assert READER.requests(CASE, Snapshot(ISSUE, state_events=events)) == (kind("state:5", LATER, BY),)


def test_requests_come_in_the_order_they_were_made_and_words_before_cards():
    moved = LabelEventSeen(9, "budi", "Budi", LATER, "langkah::21 Verifikasi 2", added=True)
    closed = StateEventSeen(5, "budi", "Budi", LATER - timedelta(minutes=5), "closed")
    snapshot = Snapshot(ISSUE, notes=(note("/pos cek"),), label_events=(moved,), state_events=(closed,))
    assert [fact.key for fact in READER.requests(CASE, snapshot)] == ["state:5", "note:7", "label:9"]


class TestWhatIsRead:
    def test_an_issue_never_seen_is_read_in_full(self):
        assert unread(ISSUE, None) == EVERYTHING

    @pytest.mark.parametrize(
        ("changed", "parts"),
        [
            ({}, set()),
            ({"updated_at": LATER, "assignee": "", "due": None, "title": "lain"}, set()),
            ({"labels": ISSUE.labels | {"penting"}}, set()),
            ({"notes_count": 4}, {Part.NOTES}),
            ({"notes_count": 2}, {Part.NOTES}),
            ({"description": region("- [x] 20.5 Standar")}, {Part.NOTES}),
            ({"labels": frozenset({"pos::SI", "langkah::21 Verifikasi 2"})}, {Part.LABEL_EVENTS}),
            ({"labels": frozenset({"pos::SI"})}, {Part.LABEL_EVENTS}),
            ({"state": "closed"}, {Part.STATE_EVENTS}),
        ],
    )
    def test_only_the_past_of_what_changed_is_read(self, changed: dict, parts: set[Part]):
        assert unread(replace(ISSUE, **changed), Sighting(ISSUE)) == parts


class TestIssue:
    def test_a_sighting_is_kept_and_read_again(self):
        sighting = Sighting(ISSUE, "token", LATER, {"assignee": "budi"})
        assert read_sighting(sighting_json(sighting)) == sighting
        assert read_sighting(None) is None

    @pytest.mark.parametrize(
        ("field", "value", "name"),
        [
            ("title", "lain", "title"),
            ("description", "lain", "region"),
            ("labels", frozenset({"pos::SI"}), "labels"),
            ("assignee", "", "assignee"),
            ("due", None, "due"),
            ("open", False, "state"),
            ("confidential", False, "confidential"),
        ],
    )
    def test_each_field_is_compared_by_its_name(self, field: str, value: object, name: str):
        assert differing(replace(fields_of(ISSUE), **{field: value}), ISSUE) == {name}

    def test_users_labels_and_blanks_at_the_end_are_no_difference(self):
        seen = replace(ISSUE, labels=ISSUE.labels | {"penting"}, description=f"{ISSUE.description}\n")
        assert differing(fields_of(ISSUE), seen) == set()
        assert isinstance(fields_of(seen), IssueFields)
        assert "penting" not in fields_of(seen).labels
