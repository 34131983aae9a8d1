"""How long cases stay where: hand-worked figures, by the calendar of 2026.

A day of work is 07.30 to 16.00 with a break from 12.00 to 13.00.
"""

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from integration import organisation as organisations
from integration.procedure.case import Passage, fold
from integration.procedure.events import CaseOpened, Entry, Paused, Resumed, StepEntered, StepLeft
from integration.procedure.facts import SERVICE
from sync.periods import PeriodUnknown, Span, closed, period
from sync.stays import Meter, Returns, Sample, Stay, back_after, percentile, returned, stays
from tests.core.office import submission
from tests.stories.world import ORGANISATION, PROCEDURE

CALENDAR = organisations.load(ORGANISATION).calendar
METER = Meter(CALENDAR)


def at(text: str) -> datetime:
    """A moment of 2026, local time, from "06-02 07.30"."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H.%M").replace(tzinfo=CALENDAR.tz)


# Working days between two moments


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("06-02 07.30", "06-02 16.00", 1),  # Tuesday, all of it
        ("06-02 07.30", "06-02 12.00", 270 / 450),  # the morning
        ("06-02 12.15", "06-02 12.45", 0),  # within the break
        ("06-02 16.00", "06-03 07.30", 0),  # a night
        ("06-02 12.00", "06-03 12.00", 1),  # 180 minutes of the one day and 270 of the next
        ("06-05 07.30", "06-05 16.30", 1),  # a Friday is longer, and a day
        ("06-05 16.30", "06-08 07.30", 0),  # a weekend
        ("06-15 16.00", "06-17 07.30", 0),  # 16 June is free
        ("06-15 07.30", "06-17 16.00", 2),
        ("06-02 16.00", "06-02 07.30", 0),  # backwards
        ("06-02 07.30", "07-21 16.00", 35),  # 2 June and 34 days after it: procedure.md
    ],
)
def test_working_days_between_two_moments(start: str, end: str, days: float) -> None:
    assert METER.days(at(start), at(end)) == pytest.approx(days)


def test_a_year_that_is_not_loaded_gives_no_figure() -> None:
    unknown = max(CALENDAR.years) + 1
    assert METER.days(at("06-02 07.30"), datetime(unknown, 1, 5, tzinfo=CALENDAR.tz)) is None


def test_any_stretch_is_the_sum_of_its_parts() -> None:
    moments = [at("01-02 00.00") + timedelta(hours=31) * n for n in range(270)]
    parts = [METER.days(one, other) or 0.0 for one, other in pairwise(moments)]
    assert sum(parts) == pytest.approx(METER.days(moments[0], moments[-1]))


# Median and ninetieth percentile


@pytest.mark.parametrize(
    ("values", "middle", "most"),
    [
        ([3.0], 3, 3),
        ([1.0, 2.0], 1.5, 2),
        ([5.0, 1.0, 3.0], 3, 5),
        ([float(n) for n in range(10, 0, -1)], 5.5, 9),  # nine of ten do not exceed 9
        ([float(n) for n in range(1, 12)], 6, 10),  # of eleven 9.9, so the tenth
        ([1.0] * 9 + [100.0], 1, 1),  # one straggler of ten does not count
        ([1.0] * 8 + [100.0] * 2, 1, 100),
    ],
)
def test_median_and_nine_of_ten(values: list[float], middle: float, most: float) -> None:
    sample = Sample()
    for number, value in enumerate(values):
        sample.take(Stay(Passage(5, at("06-02 07.30"), number, 1, left_at=at("06-03 07.30")), value, 0))
    figures = sample.figures("05")
    assert (figures.left, figures.middle, figures.most, figures.worked, figures.waited) == (len(values), middle, most, sum(values), 0)


def test_there_is_no_percentile_of_nothing() -> None:
    assert Sample().figures("05").most == 0
    with pytest.raises(ValueError, match="no values"):
        percentile([], 90)


# A case: entered at 8, paused, sent back from 9, with the unit at 24


def entered(step: int, when: str, *, waits: bool = False) -> tuple[str, StepEntered]:
    return when, StepEntered(step, None, 1, waits_for_unit=waits)


def left(step: int, when: str, outcome: str) -> tuple[str, StepLeft]:
    return when, StepLeft(step, outcome, "", (), "", "", unconfirmed=False)


STORY = (
    ("06-02 07.30", CaseOpened("SI-2026-000001", PROCEDURE.slug, PROCEDURE.revision, submission())),
    entered(1, "06-02 07.30"),
    left(1, "06-02 07.30", ""),  # only recorded
    entered(8, "06-02 07.30"),
    ("06-03 07.30", Paused("Vendor.")),
    ("06-05 07.30", Resumed(None)),
    left(8, "06-08 07.30", "selesai"),  # four days, two of them paused
    entered(9, "06-08 07.30"),
    left(9, "06-09 07.30", "kembali"),  # one day, and back
    entered(8, "06-09 07.30"),
    left(8, "06-11 07.30", "selesai"),  # two days
    entered(9, "06-11 07.30"),
    left(9, "06-11 16.00", "selesai"),  # one
    entered(24, "06-11 16.00", waits=True),
)


def told(until: str) -> list[Entry]:
    return [Entry(n, at(when), SERVICE, "x", event) for n, (when, event) in enumerate(STORY, 1) if at(when) < at(until)]


def of(since: str, until: str) -> list[tuple[int, float, float]]:
    entries = told(until)
    case = fold(entries)
    assert case is not None
    found = stays(case, entries, METER, at(since), at(until))
    return [(stay.passage.step, round(stay.whole, 3), round(stay.waited, 3)) for stay in found]


def test_what_was_worked_and_what_was_waited() -> None:
    assert of("06-01 00.00", "06-15 07.30") == [(8, 4, 2), (9, 1, 0), (8, 2, 0), (9, 1, 0), (24, 1, 1)]


def test_what_was_left_before_is_not_counted() -> None:
    assert of("06-09 12.00", "06-15 07.30") == [(8, 2, 0), (9, 1, 0), (24, 1, 1)]


def test_a_pause_lasts_until_the_closing_moment() -> None:
    assert of("06-01 00.00", "06-04 07.30") == [(8, 2, 1)]


def test_a_stay_that_lasts_is_told_apart() -> None:
    sample = Sample()
    for stay in stays(fold(told("06-04 07.30")), told("06-04 07.30"), METER, at("06-01 00.00"), at("06-04 07.30")):  # type: ignore[arg-type]
        sample.take(stay)
    figures = sample.figures("08")
    assert (figures.left, figures.here, figures.longest) == (0, 1, 2)


def test_a_way_back_and_how_long_it_took() -> None:
    case = fold(told("06-15 07.30"))
    assert case is not None
    ways = [returned(passage, PROCEDURE) for passage in case.history]
    assert ways == [None, None, 8, None, None, None]
    assert back_after(case, 2, METER) == pytest.approx(2)  # from 9 June 07.30 to 11 June 07.30
    early = fold(told("06-10 07.30"))
    assert early is not None
    assert back_after(early, 2, METER) is None


def test_ways_back_add_up() -> None:
    loop = Returns(["A", "B", "A"], [1.0, 4.0]).loop("09", "08")
    assert (loop.times, loop.cases, loop.days) == (3, 2, 2.5)
    assert Returns(["A"]).loop("09", "08").days is None


# Weeks, months and years


@pytest.mark.parametrize(
    ("name", "span", "since", "until"),
    [
        ("2026-W23", Span.WEEK, "2026-06-01 00:00", "2026-06-08 07:30"),
        ("2026-W53", Span.WEEK, "2026-12-28 00:00", "2027-01-04 07:30"),
        ("2026-06", Span.MONTH, "2026-06-01 00:00", "2026-07-01 00:00"),
        ("2026-12", Span.MONTH, "2026-12-01 00:00", "2027-01-01 00:00"),
        ("2026", Span.YEAR, "2026-01-01 00:00", "2027-01-01 00:00"),
    ],
)
def test_periods(name: str, span: Span, since: str, until: str) -> None:
    found = period(name, CALENDAR.tz)
    assert (found.span, f"{found.since:%Y-%m-%d %H:%M}", f"{found.until:%Y-%m-%d %H:%M}") == (span, since, until)
    assert closed(span, found.until, CALENDAR.tz) == name
    assert closed(span, found.until - timedelta(minutes=1), CALENDAR.tz) != name


@pytest.mark.parametrize(
    "name", ["", "minggu lalu", "2026-W54", "2027-W53", "2026-13", "2026-6", "26", "2026-06-01", "0000", "9999", "9999-12", "9999-W52"]
)
def test_no_periods(name: str) -> None:
    with pytest.raises(PeriodUnknown):
        period(name, CALENDAR.tz)


def test_a_week_is_no_month() -> None:
    with pytest.raises(PeriodUnknown):
        period("2026-W23", CALENDAR.tz, Span.MONTH)


def test_every_month_and_year_ends_with_one_week() -> None:
    monday, ended = date(2025, 12, 29), []
    while monday.year < 2027:
        ended += [one.name for one in period(f"{monday:%G-W%V}", CALENDAR.tz).ends()]
        monday += timedelta(days=7)
    months = [f"2026-{month:02d}" for month in range(1, 13)]
    assert ended == ["2025-12", "2025", *months, "2026"]


def test_parts_of_a_period() -> None:
    assert period("2026-06", CALENDAR.tz).parts() == ("2026-W23", "2026-W24", "2026-W25", "2026-W26", "2026-W27")
    assert period("2026", CALENDAR.tz).parts() == tuple(f"2026-{month:02d}" for month in range(1, 13))
