"""When something is due: working days, working minutes and weeks, by the organisation's calendar (procedure.md, "Working time").

A day of a year whose decree is not loaded is never taken for a working day or a free one: the answer is then a `CalendarGap`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import takewhile

from integration.procedure.definition import Standard, Unit
from integration.procedure.offices import DayHours, DayOff, WorkCalendar

ONE_DAY = timedelta(days=1)
ONE_WEEK = timedelta(weeks=1)
ONE_MINUTE = timedelta(minutes=1)

Span = tuple[datetime, datetime]
"""From the first moment to the last; both aware. A pause is such a span, so is a morning of work."""


@dataclass(frozen=True, slots=True)
class CalendarGap:
    """The answer to a question that needs the decree of a `year` that is not loaded."""

    year: int


@dataclass(frozen=True, slots=True)
class _Workday:
    """A working day and its hours before and after the break."""

    day: date
    spans: tuple[Span, Span]

    @property
    def opens(self) -> datetime:
        return self.spans[0][0]

    @property
    def closes(self) -> datetime:
        """Close of business."""
        return self.spans[1][1]


def due(calendar: WorkCalendar, entered: datetime, standard: Standard, pauses: tuple[Span, ...] = ()) -> datetime | CalendarGap:
    """When a step entered at `entered` (aware) is due by its time standard (procedure.md rule 6), in the calendar's zone.

    n days end at close of business on the nth working day after the day of entry; a close inside a pause does not count. Minutes are
    working minutes outside pauses. A weekly standard ends with the week: at the first `week_closing` still ahead, not inside a pause.
    """
    entered = entered.astimezone(calendar.tz)
    if standard.unit is Unit.MINUTES:
        return _after_minutes(calendar, entered, timedelta(minutes=standard.amount), pauses)
    if standard.unit is Unit.DAYS:
        return _after_days(calendar, entered, standard.amount, pauses)
    return _at_week_end(calendar, entered, pauses)


def working_minutes(calendar: WorkCalendar, start: datetime, end: datetime) -> int | CalendarGap:
    """Whole working minutes between two aware moments; 0 where `end` is not after `start`."""
    spans = worked(calendar, start, end)
    return spans if isinstance(spans, CalendarGap) else sum((until - since for since, until in spans), timedelta()) // ONE_MINUTE


def worked(calendar: WorkCalendar, start: datetime, end: datetime, pauses: tuple[Span, ...] = ()) -> tuple[Span, ...] | CalendarGap:
    """The working time between two aware moments outside the pauses, in order: what a standard of minutes counts, to the second."""
    start, end = start.astimezone(calendar.tz), end.astimezone(calendar.tz)
    return _gap_between(calendar, start.date(), end.date()) or tuple(
        (since.astimezone(calendar.tz), until.astimezone(calendar.tz))
        for workday in _between(calendar, start.date(), end.date())
        for since, until in _without(workday.spans, ((workday.opens, start), (end, workday.closes), *pauses))
    )


def is_working_time(calendar: WorkCalendar, moment: datetime) -> bool | CalendarGap:
    """Whether people are at work at this aware moment: not before opening, not in the break, not from close of business on."""
    moment = moment.astimezone(calendar.tz)
    day = moment.date()
    spans = (span for workday in _between(calendar, day, day) for span in workday.spans)
    return _gap_between(calendar, day, day) or any(start <= moment < end for start, end in spans)


def is_working_day(calendar: WorkCalendar, day: date) -> bool | CalendarGap:
    """Whether there is work on `day`. Mind the third answer: a gap is neither yes nor no."""
    return any_working_day(calendar, day, day)


def any_working_day(calendar: WorkCalendar, first: date, last: date) -> bool | CalendarGap:
    """Whether there is work on a day from `first` to `last`, both included; looks no further than the first one. Mind the third answer."""
    return _gap_between(calendar, first, last) or any(_between(calendar, first, last))


def working_days(calendar: WorkCalendar, first: date, last: date) -> tuple[date, ...] | CalendarGap:
    """The working days from `first` to `last`, both included."""
    return _gap_between(calendar, first, last) or tuple(workday.day for workday in _between(calendar, first, last))


def counted_days(calendar: WorkCalendar, entered: datetime, until: datetime, pauses: tuple[Span, ...] = ()) -> tuple[date, ...]:
    """The days a standard of days counts on the way from `entered` to its due time: not the day of entry, no close inside a pause."""
    first, last = entered.astimezone(calendar.tz).date() + ONE_DAY, until.astimezone(calendar.tz).date()
    return tuple(workday.day for workday in _between(calendar, first, last) if not _paused(workday.closes, pauses))


def skipped(calendar: WorkCalendar, entered: datetime, until: datetime) -> tuple[DayOff, ...]:
    """The days off from the day of entry to the day of `until` that would have been working days, each with its decree, in order."""
    first, last = entered.astimezone(calendar.tz).date(), until.astimezone(calendar.tz).date()
    return tuple(off for day, off in sorted(calendar.days_off.items()) if first <= day <= last and _hours(calendar, day))


def week_of(moment: datetime, tz: tzinfo) -> str:
    """The ISO week an aware moment falls in, as "2026-W47"."""
    return week_name(moment.astimezone(tz).date())


def week_name(day: date) -> str:
    """The ISO week of a day, as "2026-W47"."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def week_began(week: str, tz: tzinfo) -> datetime:
    """Monday 00.00 of an ISO week such as "2026-W47". ValueError for what is no week."""
    return datetime.combine(_monday(week), time(), tz)


def working_days_in_week(calendar: WorkCalendar, week: str) -> tuple[date, ...] | CalendarGap:
    """The working days of an ISO week such as "2026-W47". ValueError for what is no week."""
    monday = _monday(week)
    return working_days(calendar, monday, _sunday(monday))


def week_closing(calendar: WorkCalendar, week: str) -> datetime | CalendarGap | None:
    """Close of business of the week's last working day; None where it has none (such a week owes no report, rule 5).

    ValueError for what is no week.
    """
    return _closing(calendar, _monday(week))


def _after_days(calendar: WorkCalendar, entered: datetime, days: int, pauses: tuple[Span, ...]) -> datetime | CalendarGap:
    first = entered.date() + ONE_DAY
    for workday in _from(calendar, first):
        if not _paused(workday.closes, pauses):
            days -= 1
            if days <= 0:
                return workday.closes
    return _gap_after(calendar, first)


def _after_minutes(calendar: WorkCalendar, entered: datetime, left: timedelta, pauses: tuple[Span, ...]) -> datetime | CalendarGap:
    for workday in _from(calendar, entered.date()):
        for start, end in _without(workday.spans, ((workday.opens, entered), *pauses)):
            if left <= end - start:
                return (start + left).astimezone(calendar.tz)
            left -= end - start
    return _gap_after(calendar, entered.date())


def _at_week_end(calendar: WorkCalendar, entered: datetime, pauses: tuple[Span, ...]) -> datetime | CalendarGap:
    first = entered.date()
    while not isinstance(closing := _closing(calendar, first), CalendarGap):
        if closing and closing > entered and not _paused(closing, pauses):
            return closing
        first = _sunday(first) + ONE_DAY
    return closing


def _monday(week: str) -> date:
    return date.fromisoformat(f"{week}-1")


def _sunday(day: date) -> date:
    """The last day of the ISO week `day` falls in."""
    return day + (6 - day.weekday()) * ONE_DAY


def _closing(calendar: WorkCalendar, first: date) -> datetime | CalendarGap | None:
    """Close of business of the last working day from `first` to the end of its ISO week; None where there is none."""
    last = _sunday(first)
    closes = (workday.closes for workday in _between(calendar, first, last))
    return _gap_between(calendar, first, last) or max(closes, default=None)


def _paused(closes: datetime, pauses: tuple[Span, ...]) -> bool:
    """Whether the last moment of work before this close was paused: a pause from close of business on takes nothing from that day."""
    return any(start < closes <= end for start, end in pauses)


def _without(spans: Iterable[Span], pauses: Iterable[Span]) -> list[Span]:
    """What is left of `spans` outside `pauses`, in order. A pause that ends before it starts is none."""
    left = list(spans)
    for start, end in pauses:
        cut = [piece for opens, closes in left for piece in ((opens, min(closes, start)), (max(opens, start, end), closes))]
        left = [(opens, closes) for opens, closes in cut if opens < closes]
    return left


def _from(calendar: WorkCalendar, first: date) -> Iterator[_Workday]:
    """The working days from `first` on, up to the first year that is not loaded."""
    day = first
    while day.year in calendar.years:
        hours = _hours(calendar, day)
        if hours and day not in calendar.days_off:
            opens, break_from, break_to, closes = (
                datetime.combine(day, moment, calendar.tz) for moment in (hours.opens, hours.break_from, hours.break_to, hours.closes)
            )
            yield _Workday(day, ((opens, break_from), (break_to, closes)))
        day += ONE_DAY


def _between(calendar: WorkCalendar, first: date, last: date) -> Iterator[_Workday]:
    return takewhile(lambda workday: workday.day <= last, _from(calendar, first))


def _hours(calendar: WorkCalendar, day: date) -> DayHours | None:
    """The hours of this kind of day, whether or not a decree makes it free."""
    return next((period.days.get(day.weekday()) for period in calendar.periods if period.covers(day)), None)


def _gap_between(calendar: WorkCalendar, first: date, last: date) -> CalendarGap | None:
    return next((CalendarGap(year) for year in range(first.year, last.year + 1) if year not in calendar.years), None)


def _gap_after(calendar: WorkCalendar, first: date) -> CalendarGap:
    """The year at which counting from `first` on had to stop."""
    year = first.year
    while year in calendar.years:
        year += 1
    return CalendarGap(year)
