"""Whom a case could be given to: each reason alone, then all of them in their order."""

from dataclasses import replace
from datetime import date

import pytest

from integration.procedure.case import Case
from integration.procedure.offices import Programmer
from integration.procedure.suggestion import candidates, on_leave, over_capacity, schedule, suggested
from tests.core.office import CALENDAR, organisation
from tests.core.run import Run

TODAY = date(2026, 6, 2)  # Tuesday
PEOPLE = tuple(Programmer(account, account.capitalize()) for account in ("budi", "sari", "tono"))


@pytest.fixture
def run(at) -> Run:
    return at(13)


def found(run: Run, *changed: Programmer, workload: dict[str, int] | None = None, case: Case | None = None):
    people = {person.account: person for person in PEOPLE} | {person.account: person for person in changed}
    office = replace(organisation(), programmers=tuple(people.values()))
    return candidates(run.procedure, office, case or run.open, workload or {}, TODAY)


def accounts(run: Run, *changed: Programmer, **more) -> list[str]:
    return [one.account for one in found(run, *changed, **more)]


def test_where_nothing_speaks_for_anybody_they_come_by_name(run) -> None:
    assert accounts(run) == ["budi", "sari", "tono"]


def test_who_cares_for_the_system_comes_first(run) -> None:
    assert accounts(run, replace(PEOPLE[2], systems=("siakad ",))) == ["tono", "budi", "sari"]


def test_skills_count_where_the_case_speaks_of_them(run) -> None:
    case = replace(run.open, written={10: (("Hasil analisis", "Kueri MySQL lambat; kode PHP."),)})
    sari = replace(PEOPLE[1], skills=("PHP", "MySQL", "Java"))
    tono = replace(PEOPLE[2], skills=("SQL", "C++"))
    first, *_ = found(run, sari, tono, case=case)
    assert (first.account, first.skills) == ("sari", ("PHP", "MySQL"))
    assert not any(one.skills for one in found(run, tono, case=case))


def test_who_has_no_room_comes_last_whatever_they_know(run) -> None:
    budi = replace(PEOPLE[0], systems=("SIAKAD",), capacity=2)
    assert accounts(run, budi, workload={"budi": 2}) == ["sari", "tono", "budi"]
    assert accounts(run, budi, workload={"budi": 1}) == ["budi", "sari", "tono"]


def test_more_room_is_better(run) -> None:
    assert accounts(run, workload={"budi": 2, "sari": 1}) == ["tono", "sari", "budi"]


def test_leave_and_stand_by_are_told_by_the_days_of_the_schedule(run) -> None:
    case = replace(run.open, written={6: (("Mulai", "8 Juni 2026"), ("Target selesai", "2026-06-12"))})
    budi = replace(PEOPLE[0], leave=((date(2026, 6, 10), date(2026, 6, 20)),))
    sari = replace(PEOPLE[1], leave=((date(2026, 6, 1), date(2026, 6, 30)),))
    tono = replace(PEOPLE[2], standby=((date(2026, 6, 12), date(2026, 6, 14)),))
    by = {one.account: one for one in found(run, budi, sari, tono, case=case)}
    assert [*by] == ["tono", "budi", "sari"]
    assert [(one.away, one.days, one.absent, one.available) for one in by.values()] == [
        (0, 5, False, True),
        (3, 5, False, True),
        (5, 5, True, False),
    ]
    assert by["tono"].standby
    office = replace(organisation(), programmers=(budi, sari, tono))
    assert on_leave(run.procedure, office, case, ("budi", "tono", "siapa"), TODAY) == ("budi",)


def test_a_schedule_begins_today_where_it_should_have_begun_before(run) -> None:
    written = {6: (("Mulai", "1 Mei 2026"), ("Target selesai", "30 Juni 2026"))}
    assert schedule(run.procedure, replace(run.open, written=written), TODAY) == (TODAY, date(2026, 6, 30))
    assert schedule(run.procedure, replace(run.open, written={}), TODAY) == (TODAY, TODAY)


def test_past_the_last_calendar_only_the_days_that_are_known_count(run) -> None:
    case = replace(run.open, written={6: (("Mulai", "2026-12-28"), ("Target selesai", "2027-01-10"))})
    office = replace(organisation(), calendar=replace(CALENDAR, years=frozenset({2026})), programmers=PEOPLE)
    assert {one.days for one in candidates(run.procedure, office, case, {}, TODAY)} == {4}
    gone = replace(office, calendar=replace(CALENDAR, years=frozenset({2025})))
    assert {(one.days, one.available) for one in candidates(run.procedure, gone, case, {}, TODAY)} == {(0, True)}


def test_who_verified_this_round_is_none(at) -> None:
    run = at(21)
    office = replace(organisation(), programmers=(*PEOPLE, Programmer("koordinator", "Koordinator")))
    assert "koordinator" not in [one.account for one in candidates(run.procedure, office, run.open, {}, TODAY)]


def test_the_line_names_the_fittest_who_are_there(run) -> None:
    away = replace(PEOPLE[0], leave=((TODAY, TODAY),))
    assert suggested(found(run, away)) == "/pos tugaskan @sari @tono"
    assert suggested(found(run, workload=dict.fromkeys(("budi", "sari", "tono"), 3))) == "/pos tugaskan @budi @sari"


def test_who_would_have_more_than_their_capacity(run) -> None:
    office = organisation()
    assert over_capacity(office, ("budi", "sari", "siapa"), {"budi": 3, "sari": 2, "siapa": 9}) == ("budi",)
