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
    PriorityMoved,
    ProgressMade,
    ResumeAsked,
    SecretWritten,
    StepLabelMoved,
    TeamNamed,
    Ticked,
    Via,
    Withdrawn,
)
from integration.procedures import load
from integration.region import region
from integration.snapshot import Reader, unread
from tests.core.office import JAKARTA

POS = load("pengaduan-masalah-teknis-si.2025-05")
READER = Reader(POS, "alur-pos", JAKARTA)
ENTERED = datetime(2026, 6, 2, 3, tzinfo=UTC)
LATER = ENTERED + timedelta(hours=1)
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


def read(*notes: NoteSeen) -> list:
    return list(READER.requests(Snapshot(ISSUE, notes=notes)))


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
        ("/pos batal tidak jadi", Withdrawn(*KEY, "tidak jadi")),
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


@pytest.mark.parametrize("text", ["Sudah sesuai.", "# Hasil", "> kutipan", "@kasi"])
def test_a_command_below_other_text_is_answered_and_not_acted_on(text: str):
    assert read(note(f"{text}\n\n/pos diterima")) == [CommandUnclear(*KEY, "", None, "baris-pertama")]
    assert read(note(f"{text}\n\n> /pos diterima\n\n```\n/pos diterima\n```\n\nmaksudnya /pos diterima")) == []


@pytest.mark.parametrize("first", ["/pos diterima", "/pos", "/pos entah", "/pos akses @budi", "/pos cek"])
def test_of_several_commands_in_one_comment_none_is_carried_out(first: str):
    assert read(note(f"{first}\n\n/pos dikembalikan masih galat")) == [CommandUnclear(*KEY, "", None, "satu-perintah")]
    assert read(note(f"{first}\n> /pos dikembalikan masih galat")) == read(note(f"{first}\n\n> /pos dikembalikan masih galat"))
    assert read(note(f"{first}\n> /pos dikembalikan")) != [CommandUnclear(*KEY, "", None, "satu-perintah")], "a quotation is none"


def test_a_procedure_without_a_duty_has_no_word_for_one():
    reader = replace(READER, procedure=replace(POS, duty=None))
    (fact,) = reader.requests(Snapshot(ISSUE, notes=(note("/pos progres 60"),)))
    assert isinstance(fact, CommandUnclear)


class TestTicks:
    def tick(self, words: str = "20.5 Standar operasional", state: str = "completed", **changed: object) -> list:
        return read(note(f"marked the checklist item **{words}** as {state}", system=True, **changed))

    @pytest.mark.parametrize(("state", "done"), [("completed", True), ("incomplete", False)])
    def test_a_box_is_told_by_gitlab_s_own_note(self, state: str, *, done: bool):
        assert self.tick(state=state) == [Ticked("tick:7", LATER, BY, "20.5", done=done)]

    def test_an_escaped_number_is_the_same_number(self):
        assert self.tick("20\\.5 Standar") == self.tick()

    @pytest.mark.parametrize("words", ["20.1 Akses ke server", "99.9 x", "Standar 20.5", "20 x"])
    def test_a_box_of_people_s_own_list_is_no_request(self, words: str):
        assert self.tick(words) == []

    @pytest.mark.parametrize("number", ["20.1", "20\\.1"])
    def test_a_box_that_is_not_theirs_to_set_is_known_by_its_words_too(self, number: str):
        words = f"{number} Akses ke *platform project management* Pustikom \\(akun resmi\\)."
        assert self.tick(words, "incomplete") == [Ticked("tick:7", LATER, BY, "20.1", done=False)]

    def test_a_box_of_any_step_and_day_is_for_the_rules_to_judge(self):
        moment = ENTERED - timedelta(days=1)
        assert self.tick("18.1 Arsip", created_at=moment) == [Ticked("tick:7", moment, BY, "18.1", done=True)]

    def test_nobody_s_and_our_own_boxes_are_none(self):
        assert self.tick(account="alur-pos") == self.tick(account="") == []


class TestCards:
    def moved(self, label: str = "langkah::21 Verifikasi 2", **changed: object) -> list:
        event = replace(LabelEventSeen(9, "budi", "Budi", LATER, label, added=True), **changed)
        return list(READER.requests(Snapshot(ISSUE, label_events=(event,))))

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
            {"label": "Prioritas::tinggi"},
        ],
    )
    def test_anything_else_is_none(self, event: dict):
        assert self.moved(**event) == []

    def test_also_one_of_another_day_for_it_is_answered_once(self):
        moment = ENTERED - timedelta(days=1)
        assert self.moved(at=moment) == [StepLabelMoved("label:9", moment, BY, 21)]


class TestStrokes:
    """Several step labels of one account at the same moment: nobody can say which of them was meant."""

    def labels(self, *events: tuple[int, str, float, str] | tuple[int, str, float, str, bool]) -> list:
        """Events as (id, label, seconds, account[, added])."""
        seen = [
            LabelEventSeen(e[0], e[3], e[3].capitalize(), LATER + timedelta(seconds=e[2]), e[1], added=e[4] if len(e) > 4 else True)
            for e in events
        ]
        return [(f.key, f.by.account, f.to, f.others) for f in READER.requests(Snapshot(ISSUE, label_events=tuple(seen)))]

    def test_are_one_request(self):
        both = ((9, "langkah::21 Verifikasi 2", 0, "budi"), (10, "langkah::22 Verifikasi 3", 0, "budi"))
        assert self.labels(*both) == [("label:9", "budi", 21, (22,))]
        three = (*both, (11, "langkah::23 Verifikasi 4", 1, "budi"), (12, "langkah::24 Uji coba", 1.1, "budi"))
        assert self.labels(*three) == [("label:9", "budi", 21, (22, 23)), ("label:12", "budi", 24, ())]

    def test_are_the_same_request_whenever_they_are_read(self):
        """Read between the two events, and again after both, there is one key."""
        first, second = (9, "langkah::21 Verifikasi 2", 0, "budi"), (10, "langkah::22 Verifikasi 3", 0.9, "budi")
        assert [key for key, *_ in self.labels(first)] == [key for key, *_ in self.labels(first, second)] == ["label:9"]

    def test_a_card_that_is_dragged_loses_one_label_and_gains_one(self):
        dragged = ((9, "langkah::20 Verifikasi 1", 0, "budi", False), (10, "langkah::21 Verifikasi 2", 0, "budi"))
        assert self.labels(*dragged) == [("label:10", "budi", 21, ())]

    def test_the_same_label_twice_is_one(self):
        twice = ((9, "langkah::21 Verifikasi 2", 0, "budi"), (10, "langkah::21 Verifikasi 2", 1, "budi"))
        assert self.labels(*twice) == [("label:9", "budi", 21, ())]

    def test_of_two_people_each_asked_for_one(self):
        crossed = (
            (9, "langkah::21 Verifikasi 2", 0, "budi"),
            (10, "langkah::22 Verifikasi 3", 0.2, "sari"),
            (11, "langkah::23 Verifikasi 4", 0.4, "budi"),
        )
        assert self.labels(*crossed) == [("label:9", "budi", 21, (23,)), ("label:10", "sari", 22, ())]


class TestPriorities:
    def moved(self, label: str, **changed: object) -> list:
        event = replace(LabelEventSeen(9, "budi", "Budi", LATER, label, added=True), **changed)
        return list(READER.requests(Snapshot(ISSUE, label_events=(event,))))

    @pytest.mark.parametrize("word", ["rendah", "kritis", "gawat", ""])
    def test_a_label_of_the_family_put_on_is_a_request_whatever_it_says(self, word: str):
        assert self.moved(f"prioritas::{word}") == [PriorityMoved("label:9", LATER, BY, word)]

    @pytest.mark.parametrize("event", [{"added": False}, {"account": "alur-pos"}, {"account": ""}])
    def test_taken_off_or_ours_it_is_none(self, event: dict):
        assert self.moved("prioritas::tinggi", **event) == []

    def test_beside_a_step_s_label_both_are_asked_for(self):
        events = (
            LabelEventSeen(9, "budi", "Budi", LATER, "prioritas::tinggi", added=True),
            LabelEventSeen(10, "budi", "Budi", LATER, "langkah::21 Verifikasi 2", added=True),
        )
        assert [type(f) for f in READER.requests(Snapshot(ISSUE, label_events=events))] == [PriorityMoved, StepLabelMoved]


class TestOpenAndClosed:
    @pytest.mark.parametrize(("state", "kind"), [("closed", IssueClosed), ("reopened", IssueReopened)])
    def test_closing_and_reopening_are_requests(self, state: str, kind: type):
        events = (StateEventSeen(5, "budi", "Budi", LATER, state), StateEventSeen(6, "alur-pos", "", LATER, state))
        assert READER.requests(Snapshot(ISSUE, state_events=events)) == (kind("state:5", LATER, BY),)


def test_requests_come_in_the_order_they_were_made_and_words_before_cards():
    moved = LabelEventSeen(9, "budi", "Budi", LATER, "langkah::21 Verifikasi 2", added=True)
    closed = StateEventSeen(5, "budi", "Budi", LATER - timedelta(minutes=5), "closed")
    snapshot = Snapshot(ISSUE, notes=(note("/pos cek"),), label_events=(moved,), state_events=(closed,))
    assert [fact.key for fact in READER.requests(snapshot)] == ["state:5", "note:7", "label:9"]


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
            ({"labels": ISSUE.labels | {"prioritas::kritis"}}, {Part.LABEL_EVENTS}),
            ({"labels": ISSUE.labels | {"status::selesai", "peran::Tim Programmer"}}, set()),
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
