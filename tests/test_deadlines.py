"""Working days, working minutes and weeks: cases checked by hand, as procedure.md has them ("Working time")."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path

import pytest

from integration.organisation import load
from integration.procedure.deadlines import (
    CalendarGap,
    counted_days,
    due,
    is_working_day,
    is_working_time,
    skipped,
    week_began,
    week_closing,
    week_of,
    working_days,
    working_days_in_week,
    working_minutes,
)
from integration.procedure.definition import Standard, Unit
from integration.procedure.offices import DayOff, HoursPeriod

EXAMPLE = Path(__file__).resolve().parents[1] / "deploy" / "organisation.example.yaml"
WIB = timezone(timedelta(hours=7))
BOTH_YEARS = load(EXAMPLE).calendar
CALENDAR = replace(BOTH_YEARS, years=frozenset({2026}))


def wib(month: int, day: int, clock: str = "09.00") -> datetime:
    hour, minute = clock.split(".")
    return datetime(2026, month, day, int(hour), int(minute), tzinfo=WIB)


def days(amount: int) -> Standard:
    return Standard(f"{amount} Hari Kerja", amount, Unit.DAYS)


def minutes(amount: int) -> Standard:
    return Standard(f"{amount} Menit", amount, Unit.MINUTES)


WEEKLY = Standard("1 Minggu 1 Kali", 0, Unit.WEEKLY)


# --- days ---


@pytest.mark.parametrize(
    ("entered", "amount", "expected"),
    [
        (wib(3, 17), 3, wib(3, 27, "16.30")),  # Nyepi, Idulfitri and their joint leave between
        (wib(3, 2), 34, wib(4, 27, "16.00")),
        (wib(6, 2), 34, wib(7, 21, "16.00")),
        (wib(6, 5), 1, wib(6, 8, "16.00")),  # a Friday: Monday
        (wib(6, 6), 1, wib(6, 8, "16.00")),  # a Saturday is day 0 too
        (wib(6, 4, "23.59"), 1, wib(6, 5, "16.30")),
        (wib(2, 18, "10.00"), 1, wib(2, 19, "15.00")),  # the first day of Ramadan closes earlier
    ],
)
def test_days_end_at_close_of_business_of_the_nth_working_day(entered: datetime, amount: int, expected: datetime):
    assert due(CALENDAR, entered, days(amount)) == expected


def test_the_straight_path_of_the_procedure_gives_the_same_day_step_by_step():
    moment = wib(3, 2)
    for amount in (1, 1, 1, 3, 1, 3, 1, 1, 1, 3, 5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1):  # 34 days in all
        moment = due(CALENDAR, moment, days(amount))
    assert moment == wib(4, 27, "16.00")


def test_the_day_of_entry_is_the_local_one():
    late_on_sunday_in_utc = datetime(2026, 6, 7, 18, 0, tzinfo=UTC)  # Monday 01.00 in Jakarta
    assert due(CALENDAR, late_on_sunday_in_utc, days(1)) == wib(6, 9, "16.00")


def test_an_answer_is_in_the_calendars_zone():
    for standard in (days(1), minutes(15), WEEKLY):
        assert due(CALENDAR, wib(6, 2).astimezone(UTC), standard).tzinfo is CALENDAR.tz


# --- minutes ---


@pytest.mark.parametrize(
    ("entered", "amount", "expected"),
    [
        (wib(6, 2, "09.00"), 15, wib(6, 2, "09.15")),
        (wib(6, 2, "11.50"), 15, wib(6, 2, "13.05")),  # the break
        (wib(6, 5, "11.20"), 15, wib(6, 5, "13.05")),  # the longer one of Friday
        (wib(6, 2, "15.50"), 15, wib(6, 3, "07.35")),  # closing
        (wib(6, 5, "16.20"), 15, wib(6, 8, "07.35")),  # the weekend
        (wib(6, 2, "15.45"), 15, wib(6, 2, "16.00")),  # exactly at closing is not tomorrow
        (wib(6, 2, "05.00"), 15, wib(6, 2, "07.45")),  # before opening
        (wib(6, 2, "12.30"), 15, wib(6, 2, "13.15")),  # during the break
        (wib(3, 3, "14.55"), 30, wib(3, 4, "08.25")),  # Ramadan closes at 15.00 and opens at 08.00
        (wib(3, 3, "11.50"), 30, wib(3, 3, "12.50")),  # and breaks for half an hour
        (wib(3, 17, "14.50"), 30, wib(3, 25, "07.50")),  # the last day before Nyepi: the next hours are no longer those of Ramadan
    ],
)
def test_minutes_are_working_minutes(entered: datetime, amount: int, expected: datetime):
    assert due(CALENDAR, entered, minutes(amount)) == expected


def test_seconds_are_not_lost():
    entered = wib(6, 2, "15.50") + timedelta(seconds=20)
    assert due(CALENDAR, entered, minutes(15)) == wib(6, 3, "07.35") + timedelta(seconds=20)


def test_a_day_without_a_break_is_worked_through():
    hours = replace(CALENDAR.periods[-1].days[0], break_from=time(16), break_to=time(16))
    calendar = replace(CALENDAR, periods=(HoursPeriod("", dict.fromkeys(range(5), hours)),))
    assert due(calendar, wib(6, 2, "11.50"), minutes(15)) == wib(6, 2, "12.05")
    assert working_minutes(calendar, wib(6, 2, "00.00"), wib(6, 3, "00.00")) == 510


# --- weeks ---


@pytest.mark.parametrize(
    ("entered", "expected"),
    [
        (wib(6, 2), wib(6, 5, "16.30")),
        (wib(6, 5, "16.29"), wib(6, 5, "16.30")),
        (wib(6, 5, "16.30"), wib(6, 12, "16.30")),  # nothing left of that week
        (wib(6, 7), wib(6, 12, "16.30")),
        (wib(3, 17), wib(3, 17, "15.00")),  # holidays from Wednesday on
        (wib(3, 18), wib(3, 27, "16.30")),
    ],
)
def test_a_weekly_standard_ends_with_the_last_working_day_of_the_week(entered: datetime, expected: datetime):
    assert due(CALENDAR, entered, WEEKLY) == expected


def test_a_week_that_closes_inside_a_pause_is_not_owed():
    assert due(CALENDAR, wib(6, 2), WEEKLY, ((wib(6, 4), wib(6, 8)),)) == wib(6, 12, "16.30")


def test_weeks_have_names_and_working_days():
    assert week_of(wib(11, 18), CALENDAR.tz) == "2026-W47"
    assert week_of(datetime(2026, 1, 4, 17, 0, tzinfo=UTC), CALENDAR.tz) == "2026-W02"  # Monday already in Jakarta
    assert working_days_in_week(CALENDAR, "2026-W12") == (date(2026, 3, 16), date(2026, 3, 17))
    assert week_closing(CALENDAR, "2026-W12") == wib(3, 17, "15.00")
    assert week_closing(CALENDAR, "2026-W53") == CalendarGap(2027)
    assert week_closing(BOTH_YEARS, "2026-W53") == wib(12, 31, "16.00")
    assert working_days_in_week(CALENDAR, "2026-W01") == CalendarGap(2025)


def test_a_week_without_a_working_day_has_no_closing_and_is_passed_over():
    closed = {date(2026, 6, day): DayOff(date(2026, 6, day), "Kampus ditutup", "SE Rektor") for day in range(8, 13)}
    calendar = replace(CALENDAR, days_off={**CALENDAR.days_off, **closed})
    assert working_days_in_week(calendar, "2026-W24") == ()
    assert week_closing(calendar, "2026-W24") is None
    assert due(calendar, wib(6, 8), WEEKLY) == wib(6, 19, "16.30")


@pytest.mark.parametrize("week", ["2026-W54", "2025-W53", "2026-11-16", "W47", ""])
def test_what_is_no_week_is_refused(week: str):
    with pytest.raises(ValueError, match="Invalid"):
        week_closing(CALENDAR, week)


# --- pauses ---


def test_a_pause_over_a_weekend_adds_nothing():
    for pause in [
        (wib(6, 5, "16.30"), wib(6, 8, "07.30")),  # from closing to opening
        (wib(6, 5, "18.00"), wib(6, 7)),
        (wib(6, 6), wib(6, 6)),
    ]:
        for standard in (days(1), days(2), minutes(15), minutes(600), WEEKLY):
            for entered in (wib(6, 3), wib(6, 5, "16.20")):
                assert due(CALENDAR, entered, standard, (pause,)) == due(CALENDAR, entered, standard)


def test_a_pause_takes_the_closings_and_the_minutes_inside_it():
    overnight = (wib(6, 3, "15.00"), wib(6, 4, "08.00"))
    assert due(CALENDAR, wib(6, 2), days(1), (overnight,)) == wib(6, 4, "16.00")
    assert due(CALENDAR, wib(6, 3, "14.50"), minutes(15), (overnight,)) == wib(6, 4, "08.05")
    within_the_day = (wib(6, 3, "10.00"), wib(6, 3, "11.00"))
    assert due(CALENDAR, wib(6, 2), days(1), (within_the_day,)) == wib(6, 3, "16.00")
    assert due(CALENDAR, wib(6, 3, "09.50"), minutes(15), (within_the_day,)) == wib(6, 3, "11.05")


def test_several_pauses_may_touch_overlap_and_come_in_any_order():
    pauses = ((wib(6, 3, "11.00"), wib(6, 3, "14.00")), (wib(6, 3, "10.00"), wib(6, 3, "11.30")), (wib(6, 3, "14.00"), wib(6, 3, "15.00")))
    assert due(CALENDAR, wib(6, 3, "09.50"), minutes(15), pauses) == wib(6, 3, "15.05")
    assert due(CALENDAR, wib(6, 3, "09.50"), minutes(15), pauses[::-1]) == wib(6, 3, "15.05")


def test_a_pause_that_ends_before_it_starts_is_none():
    backwards = ((wib(6, 9), wib(6, 3)),)
    for standard in (days(2), minutes(900), WEEKLY):
        assert due(CALENDAR, wib(6, 2), standard, backwards) == due(CALENDAR, wib(6, 2), standard)


# --- the end of what is known ---


def test_nothing_is_computed_past_the_last_loaded_year():
    assert due(CALENDAR, wib(12, 29), days(3)) == CalendarGap(2027)
    assert due(CALENDAR, wib(12, 31, "15.50"), minutes(15)) == CalendarGap(2027)
    assert due(CALENDAR, wib(12, 31, "17.00"), WEEKLY) == CalendarGap(2027)
    assert due(CALENDAR, wib(12, 29), days(2)) == wib(12, 31, "16.00")
    assert due(BOTH_YEARS, wib(12, 29), days(3)) == datetime(2027, 1, 4, 16, 0, tzinfo=WIB)


def test_nothing_is_computed_in_a_year_that_is_not_loaded():
    entered = datetime(2031, 5, 5, 9, 0, tzinfo=WIB)
    for standard in (days(1), minutes(15), WEEKLY):
        assert due(CALENDAR, entered, standard) == CalendarGap(2031)
    assert working_minutes(CALENDAR, wib(6, 2), entered) == CalendarGap(2027)
    assert is_working_day(CALENDAR, date(2025, 6, 2)) == CalendarGap(2025)
    assert working_days(CALENDAR, date(2025, 12, 1), date(2026, 1, 31)) == CalendarGap(2025)


def test_a_calendar_without_hours_ends_in_a_gap_and_not_never():
    for calendar in (replace(CALENDAR, periods=()), replace(CALENDAR, periods=(HoursPeriod("", {}),))):
        for standard in (days(1), minutes(1), WEEKLY):
            assert due(calendar, wib(6, 2), standard) == CalendarGap(2027)


# --- days off ---


def test_the_year_has_its_working_days():
    year = working_days(CALENDAR, date(2026, 1, 1), date(2026, 12, 31))
    assert len(year) == 240
    assert is_working_day(CALENDAR, date(2026, 3, 17)) is True
    assert is_working_day(CALENDAR, date(2026, 3, 18)) is False
    assert is_working_day(CALENDAR, date(2026, 3, 28)) is False
    assert working_days(CALENDAR, date(2026, 3, 17), date(2026, 3, 25)) == (date(2026, 3, 17), date(2026, 3, 25))


def test_a_working_day_has_450_minutes_and_390_in_ramadan():
    whole = [(wib(6, 2, "00.00"), 450), (wib(6, 5, "00.00"), 450), (wib(3, 3, "00.00"), 390), (wib(3, 6, "00.00"), 390), (wib(6, 6), 0)]
    for start, expected in whole:
        assert working_minutes(CALENDAR, start, start + timedelta(days=1)) == expected
    assert working_minutes(CALENDAR, wib(6, 3), wib(6, 2)) == 0
    assert working_minutes(CALENDAR, wib(6, 2), wib(6, 2, "09.10") + timedelta(seconds=59)) == 10


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (wib(6, 2, "07.29"), False),
        (wib(6, 2, "07.30"), True),
        (wib(6, 2, "11.59"), True),
        (wib(6, 2, "12.00"), False),  # the break
        (wib(6, 2, "13.00"), True),
        (wib(6, 2, "16.00"), False),
        (wib(6, 5, "11.30"), False),  # Friday's is longer
        (wib(6, 5, "16.29"), True),
        (wib(3, 2, "07.45"), False),  # Ramadan opens later
        (wib(3, 2, "15.00"), False),
        (wib(3, 18, "09.00"), False),  # cuti bersama
        (wib(6, 6, "09.00"), False),
        (datetime(2031, 5, 5, 9, 0, tzinfo=WIB), CalendarGap(2031)),
    ],
)
def test_people_are_at_work_or_not(moment: datetime, expected: bool | CalendarGap):
    assert is_working_time(CALENDAR, moment) == expected
    assert is_working_time(CALENDAR, moment.astimezone(UTC)) == expected


def test_the_days_counted_are_neither_the_day_of_entry_nor_paused_ones():
    pause = ((wib(6, 3, "15.00"), wib(6, 4, "08.00")),)
    assert counted_days(CALENDAR, wib(6, 2), wib(6, 5, "16.30"), pause) == (date(2026, 6, 4), date(2026, 6, 5))
    assert counted_days(CALENDAR, wib(3, 17), wib(3, 27, "16.30")) == (date(2026, 3, 25), date(2026, 3, 26), date(2026, 3, 27))


def test_skipped_days_are_named_with_their_decree():
    names = [(off.day, off.name) for off in skipped(CALENDAR, wib(3, 17), wib(3, 27, "16.30"))]
    assert names == [
        (date(2026, 3, 18), "Cuti bersama Hari Suci Nyepi (Tahun Baru Saka 1948)"),
        (date(2026, 3, 19), "Hari Suci Nyepi (Tahun Baru Saka 1948)"),
        (date(2026, 3, 20), "Cuti bersama Idulfitri 1447 Hijriah"),
        (date(2026, 3, 23), "Cuti bersama Idulfitri 1447 Hijriah"),
        (date(2026, 3, 24), "Cuti bersama Idulfitri 1447 Hijriah"),
    ]  # 21 and 22 March are a weekend: no decree is needed to skip them
    assert all("Nomor 1497 Tahun 2025" in off.decree for off in skipped(CALENDAR, wib(3, 17), wib(3, 27)))
    assert skipped(CALENDAR, wib(6, 2), wib(6, 12)) == ()


def test_a_week_begins_on_its_monday() -> None:
    assert week_began("2026-W23", WIB) == datetime(2026, 6, 1, tzinfo=WIB)
    assert week_of(datetime(2026, 6, 1, tzinfo=WIB), WIB) == "2026-W23"
