"""What time itself brings: a step runs past its due time, a week's report is asked for, a week ends and is reported on.

Each finding is kept under a key that names its case, step or week: it is told once, however many processes find it how often.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from integration import codec
from integration.doorbell import Doorbell
from integration.procedure.deadlines import CalendarGap, week_of, working_days_in_week
from integration.procedure.facts import SERVICE, Fact, StepExpired, WeekDue, WeekEnded
from integration.procedure.offices import Organisation
from integration.store import CaseRow, Delivery, Store

ASKS_AT = timedelta(days=4, hours=14)  # into the week: Friday 14.00 local, while there is time left to write
ENDS_AT = timedelta(days=7, hours=7, minutes=30)  # Monday 07.30 local: the report is there when work begins
ONE_WEEK = timedelta(weeks=1)
REPORTS = "laporan"
"""The lane of the weekly reports."""

LAST_WEEK = "minggu-berakhir"  # the mark under which the last week told as ended is remembered

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Clockwork:
    """Looks at the time. Several may run at once: the store keeps each finding once."""

    store: Store
    organisation: Organisation
    bell: Doorbell
    _told: set[str] = field(default_factory=set)  # what need not be offered to the store again

    def tick(self) -> int:
        """Put all that is due by now into the inbox; gives how many rows are new. Raises StoreDown."""
        now = self.store.clock()
        found = [*self._expired(now), *self._week_due(now)]
        fresh = self.store.keep_all(row for row in found if row.key not in self._told) + self._weeks_ended(now)
        self._told = {row.key for row in found}
        if fresh:
            self.bell.ring()
        return fresh

    def _expired(self, now: datetime) -> Iterator[Delivery]:
        """The steps that are past their due time. A step resumed after a pause may expire again: the due time is part of the key."""
        for row in self.store.expired(now):
            if row.entered_seq is not None and row.due_at is not None:
                key = f"lewat-waktu:{row.entered_seq}:{row.due_at.isoformat()}"
                yield _told(row, StepExpired(key, now, SERVICE, row.entered_seq))

    def _week_due(self, now: datetime) -> Iterator[Delivery]:
        """Between Friday afternoon and the week's end, each open case is asked for the week's report."""
        monday = self._monday(now - ASKS_AT)
        if now < monday + ENDS_AT:
            week = week_of(monday, self.organisation.calendar.tz)
            yield from (_told(row, WeekDue(f"tagih:{week}", now, SERVICE, week)) for row in self._open_cases())

    def _weeks_ended(self, now: datetime) -> int:
        """Tell every week that ended since the last one told; a week of a year that is not loaded waits until it is."""
        tz = self.organisation.calendar.tz
        monday = self._monday(now - ENDS_AT)
        last = self.store.mark(LAST_WEEK)
        if last is None:
            self.store.set_mark(LAST_WEEK, week_of(monday, tz))
            return 0
        fresh = 0
        week_monday = datetime.combine(datetime.fromisoformat(f"{last}-1"), time(), tz) + ONE_WEEK
        while week_monday <= monday:
            week = week_of(week_monday, tz)
            days = working_days_in_week(self.organisation.calendar, week)
            if isinstance(days, CalendarGap):
                log.error("no calendar of %s: week %s stays open", days.year, week)
                break
            ended = [_told(row, WeekEnded(f"minggu:{week}", now, SERVICE, week, len(days))) for row in self._open_cases()]
            fresh += self.store.keep_all([*ended, Delivery("report", f"report:{week}", REPORTS, json.dumps({"week": week}).encode())])
            self.store.set_mark(LAST_WEEK, week)
            week_monday += ONE_WEEK
        return fresh

    def _monday(self, moment: datetime) -> datetime:
        """Monday 00.00 local of the week this moment falls in."""
        local = moment.astimezone(self.organisation.calendar.tz)
        return datetime.combine(local.date() - timedelta(days=local.weekday()), time(), local.tzinfo)

    def _open_cases(self) -> list[CaseRow]:
        return [row for row in self.store.case_rows(open_only=True) if row.version]


def _told(row: CaseRow, fact: Fact) -> Delivery:
    return Delivery("clock", f"{row.ticket}:{fact.key}", row.ticket, codec.fact_bytes(fact))
