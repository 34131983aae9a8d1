"""Time passes and nobody does anything, or somebody pauses: what people see and when, each thing once and in working hours only."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from integration.procedure.events import Reminded
from sync.wiring import Service, build
from tests.stories.world import ORGANISATION, World

At = Callable[[str], None]


@pytest.fixture
def at(world: World) -> Iterator[At]:
    """`at("2026-06-04T07:30")`: it is that time in Jakarta; two processes have just looked at it, at once and often."""
    others: list[Service] = [build(world.settings, world.clock)]

    def move(text: str) -> None:
        world.clock.to(datetime.fromisoformat(f"{text}:00+07:00"))
        services = [world.service, *others]
        with ThreadPoolExecutor(len(services)) as pool:
            for _ in range(3):
                list(pool.map(Service.tick, services))
        world.settle()

    yield move
    for service in others:
        service.store.close()


def told(world: World, ticket: str) -> list[str]:
    """The notes about the clock, by their kinds, in order; what a reminder says first tells its kind."""
    found = []
    for note in world.campus.notes(ticket):
        kind = re.search(r"<!-- alur:note:[^:]+:(pengingat|eskalasi):", note)
        words = {"hari kerja berikutnya": "sebelum", "hari ini": "hari ini", "telah lewat": "lewat"}
        if kind:
            found.append(next((short for long, short in words.items() if long in note.split("\n")[0]), kind[1]))
    return found


def last_told(world: World, ticket: str) -> str:
    return next(note for note in reversed(world.campus.notes(ticket)) if re.search(":(pengingat|eskalasi):", note))


def status(world: World, ticket: str) -> str:
    (label,) = (label for label in world.campus.labels(ticket) if label.startswith("status::"))
    return label.removeprefix("status::")


def test_a_case_left_alone_is_reminded_of_once_a_kind_and_in_working_hours_only(world: World, at: At) -> None:
    ticket = world.stands_at(8)
    assert world.campus.issue(ticket)["due_date"] == "2026-06-05"  # a Friday; three working days after Tuesday
    timeline = [
        ("2026-06-03T10:00", [], "berjalan"),
        ("2026-06-04T07:29", [], "berjalan"),
        ("2026-06-04T07:30", ["sebelum"], "berjalan"),
        ("2026-06-04T15:00", ["sebelum"], "berjalan"),
        ("2026-06-05T07:29", ["sebelum"], "berjalan"),
        ("2026-06-05T07:30", ["sebelum", "hari ini"], "berjalan"),
        ("2026-06-05T16:29", ["sebelum", "hari ini"], "berjalan"),
        ("2026-06-05T16:30", ["sebelum", "hari ini"], "terlambat"),  # late at once; nobody is at work any more
        ("2026-06-06T09:00", ["sebelum", "hari ini"], "terlambat"),
        ("2026-06-07T09:00", ["sebelum", "hari ini"], "terlambat"),
        ("2026-06-08T07:29", ["sebelum", "hari ini"], "terlambat"),
        ("2026-06-08T07:30", ["sebelum", "hari ini", "lewat"], "terlambat"),
        ("2026-06-08T15:59", ["sebelum", "hari ini", "lewat"], "terlambat"),
        ("2026-06-09T07:29", ["sebelum", "hari ini", "lewat"], "terlambat"),
        ("2026-06-09T07:30", ["sebelum", "hari ini", "lewat", "eskalasi"], "terlambat"),
        ("2026-06-19T10:00", ["sebelum", "hari ini", "lewat", "eskalasi"], "terlambat"),
    ]
    seen: list[str] = []
    for moment, notes, label in timeline:
        at(moment)
        assert (told(world, ticket), status(world, ticket)) == (notes, label), moment
        if notes != seen:
            world.restart()  # and what was told just now is not told again
        seen = notes
    assert "@kepala.pustikom" in last_told(world, ticket)
    assert [entry.event.kind for entry in world.service.store.entries(ticket) if isinstance(entry.event, Reminded)] == [
        "day_before",
        "on_the_day",
        "after",
        "one_up",
    ]

    world.play(ticket)
    assert status(world, ticket) == "berjalan"
    assert world.campus.issue(ticket)["due_date"] == "2026-06-22"


def test_an_idle_case_is_not_written_to_between(world: World, at: At) -> None:
    ticket = world.stands_at(8)
    at("2026-06-03T08:00")
    before = world.campus.issue(ticket)["description"]
    world.campus.gitlab.requests.clear()

    for moment in ("2026-06-03T09:00", "2026-06-03T12:30", "2026-06-03T17:00", "2026-06-04T01:00", "2026-06-04T07:29"):
        at(moment)

    assert world.bot_requests() == []
    world.service.reconciler.full()
    world.settle()
    assert world.campus.issue(ticket)["description"] == before
    assert not [request for request in world.bot_requests() if request.startswith(("PUT", "POST"))]


def test_a_step_of_minutes_is_told_of_when_it_is_late_and_not_before(world: World, at: At) -> None:
    ticket = world.submit()  # Tuesday 08.00: fifteen working minutes
    for moment, notes in [
        ("2026-06-02T08:10", []),
        ("2026-06-02T08:20", ["lewat"]),
        ("2026-06-03T15:00", ["lewat"]),
        ("2026-06-04T07:29", ["lewat"]),
        ("2026-06-04T07:30", ["lewat", "eskalasi"]),
    ]:
        at(moment)
        assert told(world, ticket) == notes, moment
    assert "@kadiv.layanan" in last_told(world, ticket)


def test_after_a_long_outage_only_the_newest_reminder_comes(world: World, at: At) -> None:
    ticket = world.stands_at(8)
    at("2026-06-18T06:00")  # nobody looked for two weeks
    assert (told(world, ticket), status(world, ticket)) == ([], "terlambat")
    at("2026-06-18T07:30")
    at("2026-06-24T07:30")
    assert told(world, ticket) == ["eskalasi"]


def test_the_unit_is_reminded_through_the_portal_and_whoever_may_act_for_it_when_it_is_late(world: World, at: At) -> None:
    ticket = world.stands_at(24)  # on Tuesday; due on Wednesday 16.00

    def heard() -> list[str]:
        calls = world.campus.portal.received(ticket)
        return [str(call.data["pengingat"]) for call in calls if call.type == "giliran.unit_kerja" and "pengingat" in call.data]

    at("2026-06-03T09:00")
    assert (heard(), told(world, ticket)) == (["hari-ini"], [])
    at("2026-06-03T16:00")
    assert (heard(), status(world, ticket)) == (["hari-ini"], "terlambat")
    at("2026-06-04T08:00")
    assert (heard(), told(world, ticket)) == (["hari-ini", "terlewat"], ["lewat"])
    assert "@koord.programmer" in last_told(world, ticket)
    at("2026-06-05T08:00")
    assert (heard(), told(world, ticket)) == (["hari-ini", "terlewat"], ["lewat", "eskalasi"])
    assert "@kadiv.layanan" in last_told(world, ticket)


def test_a_pause_from_friday_evening_to_monday_morning_adds_nothing(world: World, at: At) -> None:
    ticket = world.stands_at(10)
    due = world.case(ticket).due
    officer = world.campus.holder("koordinator-programmer")
    at("2026-06-05T16:31")
    late = status(world, ticket)
    assert (late, due) == ("terlambat", datetime.fromisoformat("2026-06-05T16:30:00+07:00"))
    world.walk(ticket, until=13)
    at("2026-06-05T17:00")
    due = world.case(ticket).due
    assert due == datetime.fromisoformat("2026-06-08T16:00:00+07:00")

    world.comment(officer, ticket, "/pos jeda Menunggu konfirmasi vendor.")
    assert (status(world, ticket), world.campus.issue(ticket)["due_date"]) == ("dijeda", None)
    at("2026-06-07T12:00")
    assert status(world, ticket) == "dijeda"
    at("2026-06-08T07:25")
    world.comment(officer, ticket, "/pos lanjut")

    assert world.case(ticket).due == due
    assert (status(world, ticket), world.campus.issue(ticket)["due_date"]) == ("berjalan", "2026-06-08")


def test_a_late_case_that_is_paused_shows_so_is_left_in_peace_and_is_late_again_after(world: World, at: At) -> None:
    ticket = world.stands_at(8)
    at("2026-06-08T07:30")
    assert (status(world, ticket), told(world, ticket)) == ("terlambat", ["lewat"])

    world.comment(world.campus.holder("kadiv-layanan"), ticket, "/pos jeda Menunggu vendor.")
    at("2026-06-09T07:30")
    assert (status(world, ticket), told(world, ticket)) == ("dijeda", ["lewat"])

    world.comment(world.campus.holder("kadiv-layanan"), ticket, "/pos lanjut")
    assert status(world, ticket) == "terlambat"


def test_a_late_case_whose_due_day_is_closed_while_it_is_paused_is_late_no_more(world: World, at: At) -> None:
    ticket = world.stands_at(8)
    at("2026-06-08T07:30")
    assert status(world, ticket) == "terlambat"
    world.comment(world.campus.holder("kadiv-layanan"), ticket, "/pos jeda Menunggu vendor.")
    closed = "closures:\n  - since: 2026-06-03\n    until: 2026-06-05\n    name: Dies Natalis\n    decree: SE Rektor 1/2026\n"
    world.reorganise(ORGANISATION.read_text(encoding="utf-8").replace("closures: []\n", closed))
    at("2026-06-08T07:40")

    world.comment(world.campus.holder("kadiv-layanan"), ticket, "/pos lanjut")
    assert world.case(ticket).due == datetime.fromisoformat("2026-06-10T16:00:00+07:00")
    assert status(world, ticket) == "berjalan"
    at("2026-06-10T16:00")
    assert status(world, ticket) == "terlambat"


def test_a_step_paused_in_working_hours_is_due_later_and_people_are_reminded_of_that(world: World, at: At) -> None:
    ticket = world.stands_at(8)
    officer = world.campus.holder("kadiv-layanan")
    at("2026-06-04T08:00")
    world.comment(officer, ticket, "/pos jeda Menunggu vendor.")
    at("2026-06-08T08:00")
    world.comment(officer, ticket, "/pos lanjut")

    assert world.case(ticket).due == datetime.fromisoformat("2026-06-09T16:00:00+07:00")  # Thursday's and Friday's close were paused
    at("2026-06-08T08:10")
    at("2026-06-09T07:30")
    assert told(world, ticket) == ["sebelum", "sebelum", "hari ini"]


def test_the_week_of_eid(world: World, at: At) -> None:
    """2027: Nyepi on Monday the 8th, Idulfitri on the 10th and 11th, joint leave around them; Ramadan's hours until the 9th."""
    world.clock.to(datetime.fromisoformat("2027-03-02T08:30:00+07:00"))
    first = world.submit()
    world.walk(first, until=8)
    assert world.case(first).due == datetime.fromisoformat("2027-03-05T15:30:00+07:00")
    world.clock.to(datetime.fromisoformat("2027-03-05T09:00:00+07:00"))
    second = world.submit()
    world.walk(second, until=8)
    assert world.case(second).due == datetime.fromisoformat("2027-03-18T16:00:00+07:00")
    for off in ("Hari Suci Nyepi", "Idulfitri 1448 Hijriah", "Cuti bersama Idulfitri 1448 Hijriah", "Nomor 1205 Tahun 2026"):
        assert off in world.campus.issue(second)["description"]

    at("2027-03-05T09:30")
    at("2027-03-05T15:30")
    assert (told(world, first), status(world, first)) == (["hari ini"], "terlambat")
    for day in range(6, 16):
        at(f"2027-03-{day:02d}T10:00")
    assert (told(world, first), told(world, second)) == (["hari ini"], [])
    at("2027-03-16T07:30")
    assert (told(world, first), told(world, second)) == (["hari ini", "lewat"], [])
    at("2027-03-17T07:30")
    assert (told(world, first), told(world, second)) == (["hari ini", "lewat", "eskalasi"], ["sebelum"])
