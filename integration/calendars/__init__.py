"""The days off of a year as its joint decree names them: the shipped files, and their reader.

A year counts as known only when its file agrees with the decree's own counts.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from integration.entries import Entry, EntryFile
from integration.procedure.offices import DayOff

SHIPPED = Path(__file__).resolve().parent
SATURDAY = 5


def shipped_years() -> tuple[int, ...]:
    """The years whose decree ships with the service."""
    return tuple(sorted(int(path.stem) for path in SHIPPED.glob("*.yaml")))


def _day(text: object) -> date:
    try:
        day = date.fromisoformat(str(text))
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # Python reads more than one way of writing a date
        raise PydanticCustomError("day", "day")
    return day


Day = Annotated[date, BeforeValidator(_day)]
"""A date written as 2026-12-31."""


@dataclass(frozen=True, slots=True)
class YearOff:
    """Every day off one year's decree names."""

    year: int
    days: tuple[DayOff, ...]


class _Counts(Entry):
    holidays: int
    joint_leave: int
    working_days: int  # Monday to Friday, less the days off


class _Decree(Entry):
    year: int = Field(ge=2000, le=2999)
    decree: str
    counts: _Counts
    holidays: dict[Day, str]
    joint_leave: dict[Day, str]


def read_year(file: EntryFile) -> YearOff | None:
    """The year a calendar file tells of; None where the file has faults, which are then noted in it."""
    if file.faults:
        return None
    decree = file.entry(_Decree)
    if decree is None:
        return None
    _check_days(file, decree)
    counted = _Counts(
        holidays=len(decree.holidays),
        joint_leave=len(decree.joint_leave),
        working_days=_weekdays(decree.year, {*decree.holidays, *decree.joint_leave}),
    )
    for (name, stated), (_, found) in zip(decree.counts, counted, strict=True):
        if found != stated:
            file.faults.add(("counts", name), "calendar_count", stated=stated, found=found)
    if file.faults:
        return None
    named = {**decree.holidays, **decree.joint_leave}
    return YearOff(decree.year, tuple(DayOff(day, name, decree.decree) for day, name in sorted(named.items())))


def _check_days(file: EntryFile, decree: _Decree) -> None:
    for kind in ("holidays", "joint_leave"):
        for day in getattr(decree, kind):
            if day.year != decree.year:
                file.faults.add((kind, day.isoformat()), "calendar_other_year", year=decree.year)
    for day in sorted(decree.holidays.keys() & decree.joint_leave.keys()):
        file.faults.add(("joint_leave", day.isoformat()), "calendar_both")


def _weekdays(year: int, off: set[date]) -> int:
    """Days of the year from Monday to Friday that are not off."""
    start, end = date(year, 1, 1), date(year + 1, 1, 1)
    days = (start + timedelta(days=number) for number in range((end - start).days))
    return sum(day.weekday() < SATURDAY and day not in off for day in days)
