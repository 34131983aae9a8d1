"""What was done about a case in a week, read from its comments and the people's own list; and when people last did anything."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from integration.issue import IssueSeen, NoteSeen, Part, Sighting, Snapshot, read_sighting, sighting_json
from integration.procedure.facts import Activity
from integration.procedures import load
from integration.region import region, tasks
from integration.snapshot import LONGEST, MOST, Reader, people_at
from tests.core.office import JAKARTA

OWN, WEEK = "alur-pos", "2026-W24"
READER = Reader(load("pengaduan-masalah-teknis-si.2025-05"), OWN, JAKARTA)
MONDAY = datetime(2026, 6, 7, 17, tzinfo=UTC)  # 00.00 in Jakarta
TUESDAY = MONDAY + timedelta(days=1)
SHA = "1a2b3c4d" * 5
ISSUE = IssueSeen(
    iid=1,
    url="https://gitlab.example/x/-/issues/1",
    title="t",
    description="",
    labels=frozenset(),
    assignee="",
    due=None,
    state="opened",
    confidential=True,
    notes_count=0,
    created_at=MONDAY - timedelta(days=9),
    updated_at=TUESDAY,
)


def wrote(body: str, account: str = "budi", *, system: bool = True, at: datetime = TUESDAY) -> NoteSeen:
    return NoteSeen(1, account, account, body, at, at, system)


def done(*notes: NoteSeen, description: str = "", reader: Reader = READER) -> Activity:
    snapshot = Snapshot(replace(ISSUE, description=description), notes=notes, parts=frozenset({Part.NOTES}))
    return reader.activity(snapshot, ("budi", "sari"), WEEK)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"mentioned in commit {SHA}", Activity(commits=(SHA,))),
        (f"mentioned in commit pustikom/siakad@{SHA}", Activity(commits=(f"pustikom/siakad@{SHA}",))),
        ("mentioned in merge request !7", Activity(merge_requests=("!7",))),
        ("mentioned in merge request pustikom/siakad!7", Activity(merge_requests=("pustikom/siakad!7",))),
        ("mentioned in issue #3", Activity()),
        ("marked the checklist item **Uji beban** as completed", Activity(ticked=("Uji beban",))),
        (r"marked the checklist item **20\.5 Data \*awal\*** as completed", Activity(ticked=("20.5 Data *awal*",))),
        ("marked the checklist item **Uji beban** as incomplete", Activity()),
        ("changed title from **a** to **b**", Activity()),
        ("assigned to @budi", Activity()),
    ],
)
def test_what_gitlab_writes_is_read(body, expected):
    assert done(wrote(body)) == expected
    assert done(wrote(body, system=False)).commits == (), "people can write the same words"
    assert done(wrote(body, OWN)) == Activity()


@pytest.mark.parametrize(
    ("comment", "account", "told"),
    [
        ("Server uji\npenuh.", "sari", ("Server uji penuh.",)),
        ("Server uji penuh.", "tamu", ()),
        ("/pos cek", "budi", ()),
        ("kata sandi: Rahasia-123-Sekali", "budi", ()),
        ("a" * 999, "budi", ("a" * (LONGEST - 1) + "…",)),
    ],
)
def test_remarks_of_the_team_are_told(comment, account, told):
    assert done(wrote(comment, account, system=False)).comments == told


@pytest.mark.parametrize(("hours", "inside"), [(-1, False), (0, True), (167, True), (168, False)])
def test_a_week_is_from_monday_to_sunday_by_our_clock(hours, inside):
    at = MONDAY + timedelta(hours=hours)
    assert bool(done(wrote("mentioned in merge request !7", at=at)).merge_requests) is inside
    ahead = replace(READER, ahead=timedelta(hours=1))
    assert bool(done(wrote("mentioned in merge request !7", at=at + timedelta(hours=1)), reader=ahead).merge_requests) is inside


def test_a_box_cleared_again_was_not_set_and_nothing_is_told_twice():
    box = "marked the checklist item **Uji** as {}"
    assert done(*(wrote(box.format(state)) for state in ("completed", "incomplete"))).ticked == ()
    assert done(*(wrote(box.format(state)) for state in ("completed", "incomplete", "completed"))).ticked == ("Uji",)
    assert done(*[wrote("mentioned in merge request !7")] * 3).merge_requests == ("!7",)


def test_of_very_many_the_newest_are_told():
    told = done(*(wrote(f"mentioned in merge request !{number}") for number in range(99))).merge_requests
    assert (len(told), told[-1]) == (MOST, "!98")


@pytest.mark.parametrize(
    ("description", "counted"),
    [
        ("", (0, 0)),
        ("- [x] satu\n* [ ] dua\n  + [X] tiga\n1. [ ] empat", (2, 4)),
        (f"- [x] satu\n\n{region('- [x] 20.5 butir')}\n\n- [ ] dua", (1, 2)),
        ("```\n- [x] satu\n```\n- [ ] dua", (0, 1)),
        ("~~~~\n- [x] satu\n", (0, 0)),
        ("- [~] batal\n- [x]\n- teks [x] di tengah", (0, 0)),
    ],
)
def test_the_boxes_of_people_are_counted(description, counted):
    assert tasks(description) == counted
    activity = done(description=description)
    assert (activity.done, activity.tasks) == counted


class TestWhenPeopleLastDidSomething:
    READ = frozenset({Part.NOTES})
    BEFORE = Sighting(replace(ISSUE, updated_at=MONDAY), people_at=MONDAY - timedelta(days=3))

    def test_the_newest_comment_of_others_tells_it(self):
        notes = (wrote("mentioned in merge request !7", at=MONDAY), wrote("Pengingat.", OWN, system=False))
        assert people_at(Snapshot(ISSUE, notes=notes, parts=self.READ), self.BEFORE, OWN) == MONDAY

    def test_what_only_we_wrote_tells_nothing_new(self):
        snapshot = Snapshot(ISSUE, notes=(wrote("Pengingat.", OWN, system=False),), parts=self.READ)
        assert people_at(snapshot, self.BEFORE, OWN) == self.BEFORE.people_at
        assert people_at(snapshot, None, OWN) == ISSUE.created_at

    def test_where_comments_were_not_read_a_change_may_be_anybodys(self):
        assert people_at(Snapshot(ISSUE), self.BEFORE, OWN) == TUESDAY
        assert people_at(Snapshot(replace(ISSUE, updated_at=MONDAY)), self.BEFORE, OWN) == self.BEFORE.people_at

    def test_a_sighting_of_an_earlier_release_says_when_the_issue_changed(self):
        kept = sighting_json(self.BEFORE)
        del kept["people_at"]
        sighting = read_sighting(kept)
        assert sighting is not None
        assert sighting.active_at == MONDAY
