"""The clock of a step: late at once, then told of by kinds, each once; to whom, at every step; and what time alone says."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from integration.procedure.case import Status
from integration.procedure.clocks import reminder
from integration.procedure.decide import Decision
from integration.procedure.definition import Channel
from integration.procedure.events import DueRecomputed, Reminded, StepRanLate
from integration.procedure.facts import SERVICE, OrganisationChanged, PauseAsked, Reminder, ReminderDue, ResumeAsked, StepExpired
from integration.procedure.forecast import finish
from integration.procedure.offices import DayOff, Holding
from tests.core.office import CALENDAR, JAKARTA, ROLES, TEAM, office, organisation, person
from tests.core.run import Run, call, calls, kinds, note, notes, only

STEPS = range(4, 32)
UNIT_ACTS = (24, 31)
BY_MINUTES = (4, 14, 15, 16)
PERFORMER = {role: (account,) for role, account in ROLES.items()} | {"tim-programmer": TEAM}
ABOVE = {
    "tim-programmer": "koordinator",
    "koordinator-programmer": "pengembangan",
    "kadiv-pengembangan": "kepala",
    "koordinator-infrastruktur": "infrastruktur",
    "kadiv-infrastruktur": "kepala",
    "kasi-layanan-administrasi": "layanan",
    "kadiv-layanan": "kepala",
    "pimpinan-unit-kerja": "layanan",
}


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=JAKARTA)


def remind(run: Run, kind: Reminder) -> Decision:
    """The reminder, told at the moment `run` stands at."""
    return run.fact(ReminderDue, SERVICE, run.open.entered_seq, kind, run.open.due, after=timedelta())


def when(run: Run, kind: Reminder) -> datetime:
    """A moment at which this kind is the one to be told, at whatever step."""
    due = run.open.due.astimezone(JAKARTA)
    days = {Reminder.DAY_BEFORE: -1, Reminder.ON_THE_DAY: 0, Reminder.AFTER: 0, Reminder.ONE_UP: 2}[kind]
    day = due.date() + timedelta(days=days)
    while kind is Reminder.DAY_BEFORE and day.weekday() > 4:
        day -= timedelta(days=1)
    if kind is Reminder.AFTER:
        return due
    moment = datetime.combine(day, CALENDAR.periods[0].days[0].opens, JAKARTA)
    while kind is Reminder.ONE_UP and reminder(CALENDAR, due, moment) is not Reminder.ONE_UP:
        moment += timedelta(days=1)
    return moment


def long_at(at, step: int, office=None) -> Run:
    """A case at this step with days to go: it was entered a week ago."""
    run = at(step, office)
    if run.open.due - run.now < timedelta(days=3):
        entered = replace(run.open, entered_at=run.now, due=run.now + timedelta(days=6))
        run.case, run.checked = entered, False
    return run


# --- what time alone says ---


@pytest.mark.parametrize(
    ("due", "moments"),
    [
        (
            "2026-06-05T16:00",  # a Friday's closing
            {
                "2026-06-03T15:59": None,
                "2026-06-04T07:30": Reminder.DAY_BEFORE,
                "2026-06-05T07:29": Reminder.ON_THE_DAY,
                "2026-06-05T15:59": Reminder.ON_THE_DAY,
                "2026-06-05T16:00": Reminder.AFTER,
                "2026-06-08T15:59": Reminder.AFTER,
                "2026-06-09T07:30": Reminder.ONE_UP,
                "2026-09-09T07:30": Reminder.ONE_UP,
            },
        ),
        (
            "2026-06-08T16:00",  # a Monday's: the day before is Friday
            {"2026-06-04T12:00": None, "2026-06-05T07:30": Reminder.DAY_BEFORE, "2026-06-07T12:00": Reminder.DAY_BEFORE},
        ),
        (
            "2026-06-02T10:15",  # minutes: a whole working day is what comes between, whatever the hour
            {
                "2026-06-02T10:14": Reminder.ON_THE_DAY,
                "2026-06-02T10:15": Reminder.AFTER,
                "2026-06-03T15:59": Reminder.AFTER,
                "2026-06-04T07:30": Reminder.ONE_UP,
            },
        ),
    ],
)
def test_the_newest_kind_is_the_one_told(due: str, moments: dict[str, Reminder | None]) -> None:
    for moment, expected in moments.items():
        assert reminder(CALENDAR, local(due).astimezone(UTC), local(moment).astimezone(UTC)) is expected, moment


def test_days_off_are_neither_the_day_before_nor_the_day_after() -> None:
    off = {date(2026, 6, day): DayOff(date(2026, 6, day), "Libur", "SKB") for day in (4, 8)}
    calendar = replace(CALENDAR, days_off=off)
    due = local("2026-06-05T16:00")
    assert reminder(calendar, due, local("2026-06-02T12:00")) is None
    assert reminder(calendar, due, local("2026-06-03T12:00")) is Reminder.DAY_BEFORE
    assert reminder(calendar, due, local("2026-06-09T12:00")) is Reminder.AFTER
    assert reminder(calendar, due, local("2026-06-10T07:30")) is Reminder.ONE_UP


def test_what_is_late_for_long_is_judged_as_quickly_as_what_is_late_since_today():
    looked: list[date] = []

    class DaysOff(dict[date, DayOff]):
        def __contains__(self, day: object) -> bool:
            looked.append(day)
            return super().__contains__(day)

    calendar = replace(CALENDAR, days_off=DaysOff(CALENDAR.days_off))
    assert reminder(calendar, local("2026-03-02T16:00"), local("2026-11-02T09:00")) is Reminder.ONE_UP
    assert len(looked) < 5, "it is asked for every late case, every few seconds"


def test_past_the_last_year_loaded_nobody_is_reminded() -> None:
    calendar = replace(CALENDAR, years=frozenset({2026}))
    assert reminder(calendar, local("2026-12-31T16:00"), local("2026-12-31T16:00")) is Reminder.AFTER
    assert reminder(calendar, local("2026-12-31T16:00"), local("2027-01-05T08:00")) is None
    assert reminder(calendar, local("2026-12-31T16:00"), local("2026-12-31T08:00")) is Reminder.ON_THE_DAY


# --- late ---


@pytest.mark.parametrize("step", STEPS)
def test_a_step_runs_late_once_and_nobody_is_written_to_for_it(at, step: int) -> None:
    run = at(step)
    run.now = run.open.due
    decision = run.fact(StepExpired, SERVICE, run.open.entered_seq)
    assert decision.events == (StepRanLate(step),)
    assert notes(decision) == []
    assert calls(decision) == ["status.berubah"]
    assert run.open.status is Status.LATE
    assert run.fact(StepExpired, SERVICE, run.open.entered_seq).ignored == "it is so already"


def test_late_ends_with_the_step(at) -> None:
    run = at(8)
    run.now = run.open.due
    run.fact(StepExpired, SERVICE, run.open.entered_seq)
    run.say("layanan", "selesai")
    assert run.open.status is Status.RUNNING


def test_a_late_step_that_is_paused_is_paused_and_late_again_when_it_goes_on(at) -> None:
    run = at(8)
    run.now = run.open.due
    run.fact(StepExpired, SERVICE, run.open.entered_seq)
    run.fact(PauseAsked, person("layanan"), "Menunggu vendor")
    assert run.open.status is Status.PAUSED
    run.fact(ResumeAsked, person("layanan"))
    assert run.open.status is Status.LATE


def test_late_ends_where_working_time_turns_out_to_be_other(at) -> None:
    """The campus was closed on a day that counted: the due time moves, and nobody was late."""
    run = at(8)
    run.now = run.open.due
    run.fact(StepExpired, SERVICE, run.open.entered_seq)
    closed = DayOff(date(2026, 6, 4), "Kampus ditutup", "SE Rektor 1")
    run.organisation = replace(run.organisation, calendar=replace(CALENDAR, days_off={closed.day: closed}))
    run.made_elsewhere = len(run.entries)
    decision = run.fact(OrganisationChanged, SERVICE, after=timedelta(hours=1))
    assert only(decision, DueRecomputed).due == local("2026-06-08T16:00")
    assert (run.open.late, run.open.status) == (False, Status.RUNNING)
    assert run.open.reminded == frozenset()


def test_clocks_that_run_out_for_nothing(at) -> None:
    run = at(8)
    assert run.fact(StepExpired, SERVICE, run.open.entered_seq).ignored == "no clock runs out"
    assert run.fact(StepExpired, SERVICE, 1).ignored == "it speaks of another stay in a step"
    run.fact(PauseAsked, person("layanan"), "Menunggu data")
    run.now += timedelta(days=30)
    assert run.fact(StepExpired, SERVICE, run.open.entered_seq).ignored == "no clock runs out"


# --- who is told ---


@pytest.mark.parametrize("kind", [Reminder.DAY_BEFORE, Reminder.ON_THE_DAY, Reminder.AFTER])
@pytest.mark.parametrize("step", [step for step in STEPS if step not in UNIT_ACTS])
def test_whoever_must_act_is_reminded(at, pos, step: int, kind: Reminder) -> None:
    run = long_at(at, step)
    run.now = when(run, kind)
    decision = remind(run, kind)
    if step in BY_MINUTES and kind is not Reminder.AFTER:
        assert decision.ignored == "no clock runs out"
        return
    accounts = PERFORMER[pos.step(step).performer]
    assert decision.events == (Reminded(step, kind.value, accounts),)
    told = note(decision, "pengingat")
    assert (told["kind"], told["step"]) == (kind.value, step)
    assert tuple(one["account"] for one in told["performers"]) == accounts
    assert datetime.fromisoformat(told["due"]) == run.open.due
    assert calls(decision) == (["giliran.unit_kerja"] if step == 11 else [])
    assert remind(run, kind).ignored == "it is so already"


@pytest.mark.parametrize("step", UNIT_ACTS)
@pytest.mark.parametrize(("kind", "word"), [(Reminder.DAY_BEFORE, "sehari-sebelum"), (Reminder.ON_THE_DAY, "hari-ini")])
def test_the_unit_is_reminded_through_the_portal_alone(at, step: int, kind: Reminder, word: str) -> None:
    run = long_at(at, step)
    run.now = when(run, kind)
    decision = remind(run, kind)
    assert decision.events == (Reminded(step, kind.value, ()),)
    assert notes(decision) == []
    assert calls(decision) == ["giliran.unit_kerja"]
    told = call(decision, "giliran.unit_kerja")
    assert (told["pengingat"], told["langkah"], told["tiket"]) == (word, step, "SI-2026-000001")


@pytest.mark.parametrize(("step", "account"), [(24, "koordinator"), (31, "layanan")])
def test_of_a_late_unit_whoever_may_act_for_it_or_follows_up_is_told_too(at, step: int, account: str) -> None:
    run = at(step)
    run.now = when(run, Reminder.AFTER)
    decision = remind(run, Reminder.AFTER)
    assert decision.events == (Reminded(step, "after", (account,)),)
    told = note(decision, "pengingat")
    assert [one["account"] for one in told["performers"]] == [account]
    assert told["waits_for_unit"]
    assert call(decision, "giliran.unit_kerja")["pengingat"] == "terlewat"


def test_where_nobody_may_act_for_the_unit_the_next_office_above_is_told(at) -> None:
    run = at(24, organisation(without="koordinator-programmer"))
    run.now = when(run, Reminder.AFTER)
    assert only(remind(run, Reminder.AFTER), Reminded).accounts == ("layanan",)
    run = at(31, organisation(without="kadiv-layanan"))
    run.now = when(run, Reminder.AFTER)
    assert only(remind(run, Reminder.AFTER), Reminded).accounts == ("kepala",)


def test_of_a_late_unit_nobody_may_be_there_to_be_told(at) -> None:
    nobody = replace(organisation(), offices=())
    run = at(31, nobody)
    run.now = when(run, Reminder.AFTER)
    decision = remind(run, Reminder.AFTER)
    assert (decision.events, notes(decision), calls(decision)) == ((Reminded(31, "after", ()),), [], ["giliran.unit_kerja"])


@pytest.mark.parametrize("step", STEPS)
def test_a_working_day_later_the_office_above_is_told(at, pos, step: int) -> None:
    run = at(step)
    run.now = when(run, Reminder.ONE_UP)
    decision = remind(run, Reminder.ONE_UP)
    performer = pos.step(step).performer
    above = ABOVE.get(performer)
    assert decision.events == (Reminded(step, "one_up", (above,) if above else ()),)
    assert calls(decision) == []
    assert notes(decision) == (["eskalasi"] if above else [])
    if above:
        told = note(decision, "eskalasi")
        assert [one["account"] for one in told["superiors"]] == [above]
        if pos.role(performer).channel is Channel.PLATFORM:
            assert tuple(one["account"] for one in told["performers"]) == PERFORMER[performer]
    assert remind(run, Reminder.ONE_UP).ignored == "it is so already"


def test_over_a_vacant_office_the_next_one_is_told_and_a_stand_in_before_the_holder(at) -> None:
    run = at(10, organisation(without="kadiv-pengembangan"))
    run.now = when(run, Reminder.ONE_UP)
    assert only(remind(run, Reminder.ONE_UP), Reminded).accounts == ("kepala",)
    run = at(10, organisation(office("kadiv-pengembangan", "plh", Holding.DEPUTY)))
    run.now = when(run, Reminder.ONE_UP)
    assert only(remind(run, Reminder.ONE_UP), Reminded).accounts == ("plh", "pengembangan")


def test_a_vacancy_is_reminded_of_as_well(at) -> None:
    run = at(5, organisation(without="kepala-pustikom"))
    run.now = when(run, Reminder.AFTER)
    decision = remind(run, Reminder.AFTER)
    assert decision.events == (Reminded(5, "after", ()),)
    assert note(decision, "pengingat")["performers"] == []


# --- what is not told ---


@pytest.mark.parametrize("kind", Reminder)
def test_of_another_stay_or_another_due_time_nobody_is_reminded(at, kind: Reminder) -> None:
    run = at(8)
    run.now = when(run, kind)
    entry, due = run.open.entered_seq, run.open.due
    for other in ((entry - 1, kind, due), (entry, kind, due + timedelta(days=1))):
        assert run.fact(ReminderDue, SERVICE, *other).ignored == "it speaks of another stay in a step"


@pytest.mark.parametrize("told", Reminder)
@pytest.mark.parametrize("now", Reminder)
def test_a_reminder_that_another_overtook_or_that_comes_too_early_is_not_told(at, told: Reminder, now: Reminder) -> None:
    run = long_at(at, 8)
    run.now = when(run, now)
    decision = remind(run, told)
    assert (decision.ignored == "") == (told is now)


def test_what_waited_while_the_next_came_due_is_overtaken(at) -> None:
    """Rows kept for a case that nobody could work on: only the last one is told, once that is possible."""
    run = at(8)
    thought_of = {kind: when(run, kind) for kind in Reminder}
    run.now = thought_of[Reminder.ONE_UP] + timedelta(hours=1)
    entry, due = run.open.entered_seq, run.open.due
    decisions = [run.tell(ReminderDue(f"ingat:{kind}", at, SERVICE, entry, kind, due)) for kind, at in thought_of.items()]
    assert [kinds(decision) for decision in decisions] == [[], [], [], ["Reminded"]]


@pytest.mark.parametrize("kind", Reminder)
def test_in_a_pause_nobody_is_reminded(at, kind: Reminder) -> None:
    run = long_at(at, 8)
    run.now = when(run, kind)
    run.fact(PauseAsked, person("layanan"), "Menunggu vendor", after=timedelta())
    assert remind(run, kind).ignored == "no clock runs out"


@pytest.mark.parametrize("step", STEPS)
def test_on_the_day_of_entry_nobody_is_reminded_of_what_is_still_in_time(at, step: int) -> None:
    for kind in (Reminder.DAY_BEFORE, Reminder.ON_THE_DAY):
        run = at(step)
        run.checked = False
        run.case = replace(run.open, entered_at=when(run, kind) - timedelta(minutes=30))
        run.now = when(run, kind)
        assert remind(run, kind).ignored == "no clock runs out"


def test_of_a_new_due_time_people_are_reminded_anew(at) -> None:
    run = at(8)
    run.now = when(run, Reminder.ON_THE_DAY)
    remind(run, Reminder.ON_THE_DAY)
    run.fact(PauseAsked, person("layanan"), "Menunggu vendor")
    run.now += timedelta(days=7)
    run.fact(ResumeAsked, person("layanan"))
    assert run.open.reminded == frozenset()
    run.now = when(run, Reminder.ON_THE_DAY)
    assert kinds(remind(run, Reminder.ON_THE_DAY)) == ["Reminded"]


def test_a_pause_that_moves_no_due_time_brings_no_reminder_back(at) -> None:
    run = at(8)
    run.now = run.open.due
    remind(run, Reminder.AFTER)
    run.fact(PauseAsked, person("layanan"), "Menunggu vendor")
    run.now += timedelta(hours=10)
    run.fact(ResumeAsked, person("layanan"))
    assert remind(run, Reminder.AFTER).ignored == "it is so already"


def test_a_case_that_ended_or_waits_for_its_form_reminds_nobody(at) -> None:
    run = at(4)
    entry, due = run.open.entered_seq, run.open.due
    run.say("kasi", "revisi", "Kurang jelas")
    assert run.open.due is None
    assert run.fact(ReminderDue, SERVICE, run.open.entered_seq, Reminder.AFTER, due).ignored == "it speaks of another stay in a step"
    run = at(5)
    run.say("kepala", "tolak", "Bukan wewenang Pustikom")
    assert run.fact(ReminderDue, SERVICE, entry, Reminder.AFTER, due).ignored == "the case has ended"


def test_nobody_can_say_when_a_paused_case_ends(at) -> None:
    run = at(18)
    assert finish(run.procedure, CALENDAR, run.open, run.now) is not None
    run.fact(PauseAsked, person("kepala"), "Menunggu data")
    assert finish(run.procedure, CALENDAR, run.open, run.now) is None


def test_nobody_can_say_when_a_case_ends_beyond_the_last_year_that_is_loaded(at) -> None:
    run, calendar = at(18), replace(CALENDAR, years=frozenset({2026}))
    assert finish(run.procedure, calendar, run.open, local("2026-12-30 09:00")) is None
