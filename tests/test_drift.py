"""What somebody changed without asking: told in its own words, to those who did it; and never fought over for ever."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from integration.drift import REPAIRS, WITHIN, changed_by, left_until, parts_about, rewritten, told
from integration.issue import (
    IssueSeen,
    LabelEventSeen,
    NoteSeen,
    Part,
    Sighting,
    Snapshot,
    StateEventSeen,
    differing,
    fields_of,
    sighting_json,
    sighting_of,
)
from integration.procedure.events import Entry, IssueMended, RequestRefused
from integration.procedure.facts import SERVICE

SEEN_AT = datetime(2026, 6, 2, 3, tzinfo=UTC)
LATER = SEEN_AT + timedelta(minutes=1)
ISSUE = IssueSeen(
    iid=1,
    url="https://gitlab.example/x/-/issues/1",
    title="t",
    description="d",
    labels=frozenset({"pos::SI", "langkah::20 Verifikasi 1", "penting"}),
    assignee="kasi",
    due=date(2026, 6, 3),
    state="opened",
    confidential=True,
    notes_count=3,
    created_at=SEEN_AT,
    updated_at=SEEN_AT,
)
WANTED = fields_of(ISSUE)


def words(**seen: object) -> set[str]:
    issue = replace(ISSUE, **seen)
    return set(told(differing(WANTED, issue), WANTED, issue))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({"title": "lain"}, {"title"}),
        ({"locked": True, "confidential": False}, {"locked", "confidential"}),
        ({"type": "task"}, {"type"}),
        ({"state": "closed"}, {"state"}),
        ({"state": "closed", "moved_to": 77}, {"moved"}),
        ({"moved_to": 77}, set()),
        ({"labels": frozenset()}, {"procedure", "step"}),
        ({"labels": ISSUE.labels | {"langkah::99", "status::selesai"}}, {"step", "status"}),
        ({"labels": ISSUE.labels | {"prioritas::tinggi", "peran::X"}}, {"priority", "role"}),
        ({"labels": WANTED.labels}, set()),
    ],
)
def test_what_differs_is_told_in_its_own_words(seen: dict, expected: set[str]):
    assert words(**seen) == expected


def note(account: str, body: str, at: datetime = LATER, *, system: bool = True) -> NoteSeen:
    return NoteSeen(1, account, account, body, at, at, system)


def label(account: str, name: str) -> LabelEventSeen:
    return LabelEventSeen(1, account, account, LATER, name, added=True)


PAST = Snapshot(
    ISSUE,
    notes=(
        note("lama", "changed the description", SEEN_AT + timedelta(seconds=1)),
        note("penandai", "marked the checklist item **18.1 x** as completed"),
        note("penulis", "halo", system=False),
        note("sari", "changed title from **a** to **b**"),
        note("alur-pos", "changed title from **b** to **a**"),
        note("", "changed due date"),
    ),
    label_events=(label("budi", "langkah::05 X"), label("tono", "penting"), label("tono", "")),
    state_events=(StateEventSeen(1, "rina", "Rina", LATER, "closed"),),
)


@pytest.mark.parametrize(
    ("what", "parts", "accounts"),
    [
        ({"title"}, {Part.NOTES}, ("sari",)),
        ({"step", "role"}, {Part.LABEL_EVENTS}, ("budi",)),
        ({"state"}, {Part.STATE_EVENTS}, ("rina",)),
        ({"moved"}, {Part.NOTES}, ("sari",)),
        ({"status", "due"}, {Part.NOTES, Part.LABEL_EVENTS}, ("budi", "sari")),
    ],
)
def test_only_whose_change_it_was_is_named(what: set[str], parts: set[Part], accounts: tuple[str, ...]):
    assert parts_about(what) == parts
    assert changed_by(PAST, frozenset(what), SEEN_AT, "alur-pos") == accounts


@pytest.mark.parametrize(("body", "is_one"), [("changed the description", True), ("marked the checklist item **1**", False)])
def test_a_text_that_was_rewritten_is_known_by_gitlab_s_note(body: str, is_one: bool):
    assert rewritten(note("sari", body)) is is_one
    assert not rewritten(note("sari", body, system=False))


def entries(*causes: str, at: datetime = SEEN_AT) -> list[Entry]:
    return [
        Entry(n, at, SERVICE, cause, IssueMended(("title",)) if cause.startswith("drift") else RequestRefused(4, "not_yours", "x"))
        for n, cause in enumerate(causes)
    ]


@pytest.mark.parametrize("cause", ["drift:1", "label:1", "state:1", "tick:1"])
def test_what_is_undone_each_time_is_left_alone_after_a_while(cause: str):
    assert left_until(entries(*[cause] * (REPAIRS - 1)), LATER) is None
    assert left_until(entries(*[cause] * REPAIRS), LATER) == SEEN_AT + WITHIN
    assert left_until(entries(*[cause] * REPAIRS), SEEN_AT + WITHIN) is None


def test_what_people_are_refused_in_words_is_no_fight():
    assert left_until(entries(*["note:1"] * REPAIRS * 2), LATER) is None


def test_a_sighting_is_of_one_issue():
    kept = sighting_json(Sighting(ISSUE))
    assert sighting_of(1, kept) == Sighting(ISSUE)
    assert sighting_of(2, kept) is None
    assert sighting_of(1, None) is None
