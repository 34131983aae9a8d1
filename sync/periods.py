"""The spans of time that are reported on: ISO weeks, months and years, by the names they are asked for under.

A period is reported on as of its closing moment, so never before it: what it will say is not known yet.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from integration.procedure.deadlines import ONE_DAY, ONE_WEEK, week_name

CLOSES_AT = time(7, 30)  # a week, on Monday: the report is on the coordinators' desk when work begins
LOOKS_BACK = timedelta(weeks=3)  # a week's figures are of four weeks: those of one alone would be chance


class Span(StrEnum):
    """How long a period is; values are the kinds of report, as they are filed and numbered."""

    WEEK = "laporan-mingguan"
    MONTH = "laporan-bulanan"
    YEAR = "laporan-tahunan"


_NAMES = {Span.WEEK: re.compile(r"\d{4}-W\d\d"), Span.MONTH: re.compile(r"\d{4}-\d\d"), Span.YEAR: re.compile(r"\d{4}")}
_FIRST_DAY = {Span.WEEK: "{}-1", Span.MONTH: "{}-01", Span.YEAR: "{}-01-01"}


class PeriodUnknown(ValueError):
    """There is no such week, month or year."""


class PeriodOpen(ValueError):
    """The period has not reached its closing moment."""


@dataclass(frozen=True, slots=True)
class Period:
    """`since`: its first moment, `until`: its closing moment; both in the organisation's zone. A week closes on Monday at CLOSES_AT."""

    name: str  # "2026-W23", "2026-06", "2026"
    span: Span
    since: datetime
    until: datetime

    @property
    def first(self) -> date:
        """Its first day."""
        return self.since.date()

    @property
    def last(self) -> date:
        """Its last day."""
        return self.until.date() - ONE_DAY

    @property
    def figures_since(self) -> datetime:
        """From when on stays and returns are counted."""
        return self.since - LOOKS_BACK if self.span is Span.WEEK else self.since

    def ends(self) -> tuple["Period", ...]:
        """The month and the year that end while this week does; () where none does."""
        tz, closes = self.since.tzinfo, self.until.date()
        month, year = (closes.year, closes.month) != (self.first.year, self.first.month), closes.year != self.first.year
        names = [f"{self.first:%Y-%m}"] * month + [f"{self.first:%Y}"] * year
        return tuple(period(name, tz) for name in names if tz)

    def part(self, day: date) -> str:
        """The part of this period that a day falls in: of a year the month, else the ISO week."""
        return f"{day:%Y-%m}" if self.span is Span.YEAR else week_name(day)

    def parts(self) -> tuple[str, ...]:
        """All its parts in order."""
        days = (self.first + n * ONE_DAY for n in range((self.last - self.first).days + 1))
        return tuple(dict.fromkeys(map(self.part, days)))


def period(name: str, tz: tzinfo, only: Span | None = None) -> Period:
    """The period of this name, `only`: of this kind. Raises PeriodUnknown."""
    span = next((span for span, form in _NAMES.items() if form.fullmatch(name) and only in (None, span)), None)
    if span is None:
        raise PeriodUnknown(name)
    try:
        first = date.fromisoformat(_FIRST_DAY[span].format(name))
        after = _after(first, span)
    except (ValueError, OverflowError):
        raise PeriodUnknown(name) from None
    at = CLOSES_AT if span is Span.WEEK else time.min
    return Period(name, span, datetime.combine(first, time.min, tz), datetime.combine(after, at, tz))


def closed(span: Span, now: datetime, tz: tzinfo) -> str:
    """The name of the last period of this kind whose closing moment has passed at `now`."""
    day = now.astimezone(tz).date()
    while True:
        name = {Span.WEEK: week_name(day), Span.MONTH: f"{day:%Y-%m}", Span.YEAR: f"{day:%Y}"}[span]
        if period(name, tz).until <= now:
            return name
        day = period(name, tz).first - ONE_DAY


def _after(first: date, span: Span) -> date:
    """The first day of the period after the one that begins with this day."""
    if span is Span.WEEK:
        return first + ONE_WEEK
    return date(first.year + 1, 1, 1) if span is Span.YEAR else (first + timedelta(days=31)).replace(day=1)
