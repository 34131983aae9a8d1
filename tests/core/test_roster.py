"""The organisation changes under a running case: its clock, the people it asks, and what they are told."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from integration.procedure.definition import Channel
from integration.procedure.draft import Ignored
from integration.procedure.effects import ShowOnIssue
from integration.procedure.events import DueRecomputed, PerformersChanged
from integration.procedure.facts import SERVICE, OrganisationChanged, PauseAsked, ResumeAsked, StepExpired, TeamNamed
from integration.procedure.offices import DayHours, DayOff, Holding, HoursPeriod, Organisation, WorkCalendar
from tests.core.office import CALENDAR, JAKARTA, TEAM, office, organisation, person
from tests.core.run import Run, call, calls, kinds, note, notes, only

TUESDAY, FRIDAY = date(2026, 6, 2), date(2026, 6, 5)


def changed(run: Run, office: Organisation | None = None, *, on: datetime | None = None):
    """The case is told that the organisation is another one, at this moment."""
    run.organisation = office or run.organisation
    run.made_elsewhere = len(run.entries)
    run.now = on or run.now
    return run.fact(OrganisationChanged, SERVICE)


def with_days_off(*days: date) -> WorkCalendar:
    return replace(CALENDAR, days_off={day: DayOff(day, "Dies Natalis", "SE Rektor 1/2026") for day in days})


def working(calendar: WorkCalendar) -> Organisation:
    return replace(organisation(), calendar=calendar)


def local(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), JAKARTA).astimezone(UTC)


# --- nothing changed ---


def test_where_nothing_is_otherwise_the_issue_alone_is_shown(at, pos) -> None:
    for step in pos.steps[3:]:
        decision = changed(at(step.number))
        assert kinds(decision) == []
        assert [type(effect) for effect in decision.effects] == [ShowOnIssue], step.number


def test_an_ended_case_is_left_alone(at) -> None:
    run = at(5)
    run.say("kepala", "tolak", "Di luar kewenangan.")
    assert changed(run, organisation(without="kepala-pustikom")).ignored == Ignored.ENDED


# --- the clock ---


def test_a_closed_day_moves_the_due_time_and_says_which_day_and_why(at) -> None:
    run = at(8)  # three working days
    before = run.open.due
    day = before.astimezone(JAKARTA).date()

    decision = changed(run, working(with_days_off(day)))

    after = only(decision, DueRecomputed)
    assert after == DueRecomputed(run.open.due, None, late=False)
    assert after.due > before
    told = note(decision, "tenggat-berubah")
    assert (told["before"], told["due"]) == (before.isoformat(), after.due.isoformat())
    assert told["skipped"] == [{"day": day.isoformat(), "name": "Dies Natalis", "decree": "SE Rektor 1/2026"}]
    assert call(decision, "status.berubah")["batas"] == after.due.astimezone(JAKARTA).isoformat(timespec="seconds")


def test_a_decree_taken_back_moves_it_back(at) -> None:
    run = at(8)
    before = run.open.due
    changed(run, working(with_days_off(before.astimezone(JAKARTA).date())))
    decision = changed(run, working(CALENDAR))
    assert run.open.due == before
    assert note(decision, "tenggat-berubah")["skipped"] == []


def test_other_hours_move_what_is_counted_in_minutes(at) -> None:
    run = at(4)
    short = HoursPeriod("Ramadan", dict.fromkeys(range(5), DayHours(time(10), time(15), time(12), time(13))))
    changed(run, working(replace(CALENDAR, periods=(short,))))
    assert run.open.due == local(TUESDAY, 10, 15)


def test_every_clock_that_runs_is_counted_anew_and_no_other(at, pos) -> None:
    later = replace(CALENDAR, days_off={day: DayOff(day, "x", "y") for day in (TUESDAY + timedelta(days=n) for n in range(60))})
    for step in pos.steps[3:]:
        run = at(step.number)
        had_clock = run.open.due is not None
        assert (kinds(changed(run, working(later))) == ["DueRecomputed"]) is had_clock, step.number


def test_a_step_that_was_late_is_so_no_more_and_may_be_again(at) -> None:
    run = at(8)
    due = run.open.due
    run.now = due
    run.fact(StepExpired, SERVICE, run.open.entered_seq)
    assert run.open.late

    decision = changed(run, working(with_days_off(due.astimezone(JAKARTA).date())))
    assert (only(decision, DueRecomputed).late, run.open.late, run.open.status) == (False, False, "berjalan")
    assert calls(decision) == ["status.berubah"]

    run.now = run.open.due
    assert kinds(run.fact(StepExpired, SERVICE, run.open.entered_seq)) == ["StepRanLate"]


def test_a_step_may_be_late_by_the_calendar_of_now_at_once(at) -> None:
    run = at(8)
    closed = working(with_days_off(*(TUESDAY + timedelta(days=n) for n in range(1, 20))))
    changed(run, closed)
    decision = changed(run, working(CALENDAR), on=local(date(2026, 6, 12), 9))
    assert (only(decision, DueRecomputed).late, run.open.status) == (True, "terlambat")


def test_pauses_stay_out_of_the_count(at) -> None:
    run = at(8)
    run.fact(PauseAsked, person("layanan"), "Menunggu vendor")
    run.now += timedelta(days=2)
    run.fact(ResumeAsked, person("layanan"))
    resumed = run.open.due
    assert kinds(changed(run)) == []
    changed(run, working(with_days_off(resumed.astimezone(JAKARTA).date())))
    assert run.open.due > resumed
    assert len(run.open.pauses) == 1


def test_a_paused_clock_is_counted_by_the_new_calendar_when_it_is_resumed(at) -> None:
    run = at(8)
    due = run.open.due
    run.fact(PauseAsked, person("layanan"), "Menunggu vendor")
    closed = working(with_days_off(due.astimezone(JAKARTA).date()))
    assert kinds(changed(run, closed)) == []
    run.fact(ResumeAsked, person("layanan"))
    assert run.open.due > due


def test_a_year_that_is_loaded_closes_the_gap(at) -> None:
    run = at(8)
    loaded, run.organisation = run.organisation, working(replace(CALENDAR, years=frozenset()))
    decision = changed(run, run.organisation)
    assert (run.open.due, run.open.gap) == (None, 2026)
    assert note(decision, "tenggat-berubah")["gap"] == 2026
    assert kinds(changed(run)) == []

    decision = changed(run, loaded)
    assert (run.open.due is not None, run.open.gap) == (True, None)
    assert note(decision, "tenggat-berubah")["before"] is None


def test_nobody_was_reminded_of_another_due_time(at) -> None:
    run = at(8)
    run.case = replace(run.open, reminded=frozenset({"day_before"}))
    run.checked = False
    changed(run, working(with_days_off(run.open.due.astimezone(JAKARTA).date())))
    assert run.open.reminded == frozenset()


# --- the people ---

PLH = office("kadiv-layanan", "sari.plh", Holding.DEPUTY, since=FRIDAY, until=date(2026, 6, 9))


def test_a_stand_in_is_asked_from_the_first_day_and_the_holder_alone_after_the_last(at) -> None:
    run = at(7)
    run.organisation = organisation(PLH)
    assert kinds(changed(run)) == []

    decision = changed(run, on=local(FRIDAY, 0, 1))
    assert only(decision, PerformersChanged) == PerformersChanged(("layanan",), ("sari.plh", "layanan"))
    told = note(decision, "pejabat-berganti")
    assert told["before"] == [{"account": "layanan", "name": "Layanan"}]
    assert [(p["account"], p["office"]) for p in told["performers"]] == [("sari.plh", "Plh."), ("layanan", "")]
    assert kinds(changed(run, on=local(date(2026, 6, 9), 23, 58))) == []

    decision = changed(run, on=local(date(2026, 6, 10), 0, 1))
    assert only(decision, PerformersChanged) == PerformersChanged(("sari.plh", "layanan"), ("layanan",))
    assert note(decision, "pejabat-berganti")["before"][0] == {"account": "sari.plh", "name": "Sari.plh"}


def test_a_vacancy_is_told_with_who_may_act_and_who_appoints_and_ends_with_a_stand_in(at) -> None:
    run = at(14)  # kasi; the coordinator may act in the second place
    decision = changed(run, organisation(without="kasi-layanan-administrasi"))
    assert only(decision, PerformersChanged).accounts == ("koordinator",)
    told = note(decision, "pejabat-berganti")
    assert told["vacant"] is True
    assert [p["account"] for p in told["may_act"]] == ["koordinator"]
    assert told["appoint"]

    acting = office("kasi-layanan-administrasi", "dewi", Holding.ACTING)
    decision = changed(run, organisation(acting, without="kasi-layanan-administrasi"))
    assert only(decision, PerformersChanged) == PerformersChanged(("koordinator",), ("dewi",))
    assert note(decision, "pejabat-berganti")["vacant"] is False


def test_where_nobody_at_all_may_act_that_is_told_once(at) -> None:
    run = at(15)
    decision = changed(run, organisation(without="kepala-pustikom"))
    assert only(decision, PerformersChanged) == PerformersChanged(("kepala",), ())
    told = note(decision, "pejabat-berganti")
    assert (told["vacant"], told["performers"], told["may_act"]) == (True, [], [])
    assert kinds(changed(run)) == []
    assert note(changed(run, organisation()), "pejabat-berganti")["before"] == []


def test_every_office_that_changes_hands_is_told_where_it_acts_and_nowhere_else(at, pos) -> None:
    for step in pos.steps[3:]:
        role = pos.role(step.performer)
        for slug in {r.slug for r in pos.roles if r.channel is Channel.PLATFORM and not r.team}:
            run = at(step.number)
            decision = changed(run, organisation(office(slug, "pengganti"), without=slug))
            concerned = slug == role.slug
            assert kinds(decision) == (["PerformersChanged"] if concerned else []), (step.number, slug)
            assert notes(decision) == (["pejabat-berganti"] if concerned else [])
            assert run.open.asked == ("pengganti",) or not concerned


def test_who_acts_is_told_during_a_pause_as_well(at) -> None:
    run = at(8)
    run.fact(PauseAsked, person("layanan"), "Menunggu vendor")
    decision = changed(run, organisation(office("kadiv-layanan", "pengganti"), without="kadiv-layanan"))
    assert kinds(decision) == ["PerformersChanged"]


@pytest.mark.parametrize("step", [18, 24, 31])
def test_the_team_and_the_unit_are_no_offices(at, step) -> None:
    run = at(step)
    bare = replace(organisation(), offices=(), programmers=())
    assert kinds(changed(run, bare)) == []


def test_a_team_named_during_its_own_step_was_told_then(at) -> None:
    run = at(18)
    run.fact(TeamNamed, person("koordinator"), ("tono", *TEAM))
    assert kinds(changed(run)) == []


def test_both_at_once_are_two_notes(at) -> None:
    run = at(8)
    other = replace(
        organisation(office("kadiv-layanan", "pengganti"), without="kadiv-layanan"),
        calendar=with_days_off(run.open.due.astimezone(JAKARTA).date()),
    )
    decision = changed(run, other)
    assert notes(decision) == ["tenggat-berubah", "pejabat-berganti"]
    assert [person["account"] for person in note(decision, "pejabat-berganti")["before"]] == ["layanan"]


def test_an_account_nobody_knows_any_more_is_its_own_name(at) -> None:
    run = at(8)
    told = note(changed(run, organisation(without="kadiv-layanan")), "pejabat-berganti")
    assert told["before"] == [{"account": "layanan", "name": "layanan"}]
