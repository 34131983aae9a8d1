"""What time brings is told once: late steps, reminders in working hours, weeks to report on, weeks that ended."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from integration import codec
from integration.doorbell import Embedded
from integration.procedure.events import Entry, Paused
from integration.procedure.facts import SERVICE, Reminder, ReminderDue, StepExpired, WeekDue, WeekEnded
from integration.procedure.offices import DayHours, DayOff, HoursPeriod, Organisation, WorkCalendar
from integration.store import Batch, CaseRow, Delivery, Store
from sync.clock import Clockwork

JAKARTA = ZoneInfo("Asia/Jakarta")
HOURS = DayHours(time(7, 30), time(16), time(12), time(13))
FREE = {day: DayOff(day, "libur", "SKB") for day in (date(2026, 6, 1), date(2026, 6, 12), *(date(2026, 6, n) for n in range(15, 20)))}


@pytest.fixture
def organisation() -> Organisation:
    calendar = WorkCalendar(JAKARTA, (HoursPeriod("biasa", dict.fromkeys(range(5), HOURS)),), FREE, frozenset({2026}))
    return Organisation("Pustikom", (), (), calendar)


@pytest.fixture
def clockwork(store, organisation) -> Clockwork:
    return Clockwork(store, organisation, Embedded())


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=JAKARTA).astimezone(UTC)


def at_step(store: Store, due: datetime | None, entered: int = 1, ended: datetime | None = None) -> str:
    """A case the ledger has, at a step due then."""
    if not store.tickets():
        store.submit(Delivery("portal", "form", "", b""), "SI", 2026)
    else:
        store.keep(Delivery("gitlab", f"{entered}:{due}", store.tickets()[0], b""))
    work = store.claim(lease=timedelta(minutes=1))
    while work is not None:
        turn, row = work
        case = CaseRow(turn.lane, "si", "1", "berjalan", 4, "kasi", due, entered, 1, "SIAKAD", store.clock(), ended)

        entries = (Entry(len(store.entries(turn.lane)) + 1, store.clock(), SERVICE, "x", Paused("x")),)
        work = store.commit(turn, row, Batch(turn.lane, entries, case_row=case))
    return turn.lane


def told(store: Store, kind: type) -> list[object]:
    rows = reversed(store.inbox_rows())
    facts = [codec.read_fact(row.body) for row in rows if row.source == "clock"]
    return [fact for fact in facts if isinstance(fact, kind)]


def test_a_step_past_its_due_time_is_told_once(store, clockwork, watch):
    due = watch() + timedelta(minutes=15)
    ticket = at_step(store, due)
    assert clockwork.tick() == 0
    watch.move(minutes=15)
    rings = clockwork.bell.rings
    assert clockwork.tick() == 1
    assert clockwork.bell.rings == rings + 1
    assert clockwork.tick() == 0
    (fact,) = told(store, StepExpired)
    assert (fact.entry, fact.at, fact.by) == (1, watch(), SERVICE)
    assert store.inbox_rows()[0].lane == ticket
    assert Clockwork(store, clockwork.organisation, Embedded()).tick() == 0


def test_a_step_resumed_after_a_pause_may_run_late_again(store, clockwork, watch):
    at_step(store, watch())
    assert clockwork.tick() == 1
    at_step(store, watch() + timedelta(hours=1))
    assert clockwork.tick() == 0
    watch.move(hours=1)
    assert clockwork.tick() == 1
    assert [fact.entry for fact in told(store, StepExpired)] == [1]


def test_a_paused_case_and_an_ended_one_run_late_no_more(store, clockwork, watch):
    at_step(store, None)
    assert clockwork.tick() == 0
    at_step(store, watch(), ended=watch())
    assert clockwork.tick() == 0


# --- reminders ---


@pytest.mark.parametrize(
    ("due", "moment", "kind"),
    [
        ("2026-06-04T16:00", "2026-06-02T15:59", None),
        ("2026-06-04T16:00", "2026-06-03T07:29", None),  # not open yet
        ("2026-06-04T16:00", "2026-06-03T07:30", Reminder.DAY_BEFORE),
        ("2026-06-04T16:00", "2026-06-03T12:30", None),  # the break
        ("2026-06-04T16:00", "2026-06-03T16:00", None),
        ("2026-06-04T16:00", "2026-06-04T07:30", Reminder.ON_THE_DAY),
        ("2026-06-04T16:00", "2026-06-04T15:59", Reminder.ON_THE_DAY),
        ("2026-06-04T16:00", "2026-06-04T16:00", None),  # late, but nobody is at work
        ("2026-06-04T16:00", "2026-06-05T07:30", Reminder.AFTER),
        ("2026-06-04T16:00", "2026-06-08T07:30", Reminder.ONE_UP),
        ("2026-06-05T16:00", "2026-06-07T10:00", None),  # a Sunday
        ("2026-06-05T16:00", "2026-06-08T07:30", Reminder.AFTER),
        ("2026-06-11T16:00", "2026-06-12T10:00", None),  # off, and the whole week after
        ("2026-06-11T16:00", "2026-06-22T07:30", Reminder.AFTER),
        ("2026-06-11T16:00", "2026-06-23T07:30", Reminder.ONE_UP),
        ("2026-06-22T16:00", "2026-06-11T07:30", Reminder.DAY_BEFORE),
        ("2026-06-03T10:15", "2026-06-03T10:15", Reminder.AFTER),
        ("2026-06-03T12:00", "2026-06-03T12:59", None),
        ("2026-06-03T12:00", "2026-06-03T13:00", Reminder.AFTER),
        ("2026-12-31T16:00", "2026-12-31T10:00", Reminder.ON_THE_DAY),  # the last day known
        ("2026-12-31T16:00", "2027-01-04T10:00", None),  # nobody knows whether there is work
    ],
)
def test_people_are_reminded_in_working_hours(store, clockwork, watch, due, moment, kind):
    at_step(store, local(due), entered=7)
    watch.now = local(moment)
    clockwork.tick()
    facts = told(store, ReminderDue)
    assert [(fact.kind, fact.entry, fact.due, fact.at) for fact in facts] == ([(kind, 7, local(due), local(moment))] if kind else [])
    assert bool(told(store, StepExpired)) == (local(due) <= local(moment))  # late at any hour


def test_each_reminder_is_told_once_though_many_look_often_and_start_anew(open_store, organisation, watch):
    store = open_store()
    at_step(store, local("2026-06-04T16:00"))
    crowd = [Clockwork(open_store(), organisation, Embedded()) for _ in range(3)]
    for day in range(2, 12):
        for hour in (6, 9, 14, 20):
            watch.now = local(f"2026-06-{day:02d}T{hour:02d}:00")
            with ThreadPoolExecutor(len(crowd)) as pool:
                list(pool.map(Clockwork.tick, crowd))
            crowd[0] = Clockwork(crowd[0].store, organisation, Embedded())
    assert [fact.kind for fact in told(store, ReminderDue)] == list(Reminder)
    assert len(told(store, StepExpired)) == 1


def test_after_a_long_outage_only_the_newest_reminder_is_told(store, clockwork, watch):
    at_step(store, local("2026-06-04T16:00"))
    watch.now = local("2026-06-24T09:00")
    clockwork.tick()
    clockwork.tick()
    assert [fact.kind for fact in told(store, ReminderDue)] == [Reminder.ONE_UP]


def test_of_a_paused_case_or_an_ended_one_nobody_is_reminded(store, clockwork, watch):
    watch.now = local("2026-06-04T09:00")
    at_step(store, None)
    clockwork.tick()
    at_step(store, local("2026-06-04T16:00"), ended=watch())
    clockwork.tick()
    assert told(store, ReminderDue) == []


def test_of_a_new_due_time_people_are_reminded_anew(store, clockwork, watch):
    for moment, due in (("2026-06-03T09:00", "2026-06-04T16:00"), ("2026-06-11T09:00", "2026-06-22T16:00")):
        at_step(store, local(due))
        watch.now = local(moment)
        clockwork.tick()
        assert [(fact.kind, fact.due) for fact in told(store, ReminderDue)] == [(Reminder.DAY_BEFORE, local(due))]


@pytest.mark.parametrize("moment", ["2026-06-03T09:00", "2026-06-05T14:30", "2026-06-06T14:30", "2026-06-08T07:00"])
def test_looking_at_the_time_reads_no_case_that_has_time(store, clockwork, watch, moment):
    at_step(store, local("2026-06-30T16:00"))
    watch.now = local(moment)
    clockwork.tick()
    asked: list[str] = []
    hear = (sa.Engine, "before_cursor_execute", lambda _connection, _cursor, statement, *_: asked.append(statement))
    sa.event.listen(*hear)
    assert clockwork.tick() == 0
    sa.event.remove(*hear)
    read = [statement for statement in asked if "FROM cases" in statement]
    assert len(read) == 1
    assert "due_at <=" in read[0]


# --- weeks ---


@pytest.mark.parametrize(
    ("moment", "asked"),
    [
        ("2026-06-05T13:59", []),
        ("2026-06-05T14:00", ["2026-W23"]),
        ("2026-06-05T15:59", ["2026-W23"]),
        ("2026-06-05T16:00", []),  # nobody is at work
        ("2026-06-07T23:00", []),
        ("2026-06-11T12:00", []),
        ("2026-06-11T14:00", ["2026-W24"]),  # the Friday after is off
        ("2026-06-12T14:00", []),
        ("2026-06-18T14:00", []),  # a week off
    ],
)
def test_the_weeks_report_is_asked_for_on_the_afternoon_of_its_last_working_day(store, clockwork, watch, moment, asked):
    at_step(store, None)
    watch.now = local(moment)
    clockwork.tick()
    clockwork.tick()
    assert [fact.week for fact in told(store, WeekDue)] == asked


def test_a_case_nobody_worked_on_yet_owes_nothing(store, clockwork, watch):
    store.submit(Delivery("portal", "form", "", b""), "SI", 2026)
    watch.now = local("2026-06-05T14:00")
    assert clockwork.tick() == 0


def test_a_week_that_ended_is_told_to_each_open_case_and_reported_once(store, clockwork, watch):
    at_step(store, None)
    watch.now = local("2026-06-05T10:00")
    assert clockwork.tick() == 0
    watch.now = local("2026-06-08T07:29")
    clockwork.tick()
    assert told(store, WeekEnded) == []
    watch.now = local("2026-06-08T07:30")
    assert clockwork.tick() == 3  # with whom the missing reports are to be asked of
    assert clockwork.tick() == 0
    assert [(fact.week, fact.working_days) for fact in told(store, WeekEnded)] == [("2026-W23", 4)]
    (report,) = store.inbox_rows(lane="laporan")
    assert (report.source, report.key, json.loads(report.body)) == ("report", "report:2026-W23", {"week": "2026-W23"})


def test_weeks_that_ended_while_the_service_was_down_are_made_up_for_with_their_working_days(store, clockwork, watch):
    at_step(store, None)
    watch.now = local("2026-06-05T10:00")
    clockwork.tick()
    watch.now = local("2026-06-24T10:00")
    assert clockwork.tick() == 7
    assert [(fact.week, fact.working_days) for fact in told(store, WeekEnded)] == [("2026-W23", 4), ("2026-W24", 4), ("2026-W25", 0)]


def test_a_week_of_a_year_that_is_not_loaded_waits_for_its_calendar(store, clockwork, watch, caplog):
    at_step(store, None)
    watch.now = local("2026-12-28T10:00")
    clockwork.tick()
    watch.now = local("2027-01-11T10:00")
    assert clockwork.tick() == 0
    assert "no calendar of 2027: week 2026-W53 stays open" in caplog.text
    loaded = WorkCalendar(JAKARTA, clockwork.organisation.calendar.periods, {}, frozenset({2026, 2027}))
    later = Clockwork(store, Organisation("Pustikom", (), (), loaded), Embedded())
    assert later.tick() == 5
    assert [fact.week for fact in told(store, WeekEnded)] == ["2026-W53", "2027-W01"]


# --- missing reports ---


def chased(store: Store) -> list[str]:
    return [row.key for row in reversed(store.inbox_rows(lane="tagihan"))]


def test_missing_reports_are_asked_for_with_the_draft_then_reminded_of_then_listed_each_once(open_store, organisation, watch):
    store = open_store()
    at_step(store, None)
    crowd = [Clockwork(open_store(), organisation, Embedded()) for _ in range(3)]
    timeline = {
        "2026-06-05T13:59": [],
        "2026-06-05T14:00": ["progres:tagih:2026-W23"],
        "2026-06-05T15:30": ["progres:tagih:2026-W23"],
        "2026-06-08T07:29": ["progres:tagih:2026-W23"],
        "2026-06-08T07:30": ["progres:tagih:2026-W23", "progres:ingat:2026-W23"],
        "2026-06-08T15:59": ["progres:tagih:2026-W23", "progres:ingat:2026-W23"],
        "2026-06-09T07:29": ["progres:tagih:2026-W23", "progres:ingat:2026-W23"],
        "2026-06-09T07:30": ["progres:tagih:2026-W23", "progres:ingat:2026-W23", "progres:daftar:2026-W23"],
        "2026-06-10T09:00": ["progres:tagih:2026-W23", "progres:ingat:2026-W23", "progres:daftar:2026-W23"],
    }
    for moment, keys in timeline.items():
        watch.now = local(moment)
        for _ in range(2):
            with ThreadPoolExecutor(len(crowd)) as pool:
                list(pool.map(Clockwork.tick, crowd))
        crowd[0] = Clockwork(crowd[0].store, organisation, Embedded())
        assert chased(store) == keys, moment


def test_after_a_week_without_work_people_are_reminded_on_the_first_day_there_is_some(store, clockwork, watch):
    at_step(store, None)
    for moment in ("2026-06-10T10:00", "2026-06-15T10:00", "2026-06-19T14:00", "2026-06-22T07:30"):
        watch.now = local(moment)
        clockwork.tick()
    assert chased(store) == ["progres:ingat:2026-W24"]


def test_a_week_is_listed_before_the_next_one_takes_its_place(store, clockwork, watch):
    at_step(store, None)
    for moment in ("2026-06-04T10:00", "2026-06-08T10:00", "2026-06-22T07:30"):  # nobody looked meanwhile
        watch.now = local(moment)
        clockwork.tick()
    assert chased(store) == ["progres:ingat:2026-W23", "progres:daftar:2026-W23", "progres:ingat:2026-W24"]


def test_whoever_did_not_look_on_the_day_of_the_reminder_lists(store, clockwork, watch):
    at_step(store, None)
    for moment in ("2026-06-04T10:00", "2026-06-10T10:00"):
        watch.now = local(moment)
        clockwork.tick()
    assert chased(store) == ["progres:daftar:2026-W23"]
