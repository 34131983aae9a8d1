"""What time itself brings: a step runs late, people are reminded, a week's report is asked for, a week ends and is reported on.

Each finding is kept under a key that names its case, step or week: it is told once, however many processes find it how often. A step is
late at any hour; people are written to only while they are at work.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from integration import codec
from integration.doorbell import Doorbell
from integration.procedure.clocks import reminder
from integration.procedure.deadlines import (
    ONE_DAY,
    ONE_WEEK,
    CalendarGap,
    due,
    is_working_time,
    week_began,
    week_closing,
    week_of,
    working_days,
    working_days_in_week,
)
from integration.procedure.definition import Standard, Unit
from integration.procedure.facts import SERVICE, Chase, Fact, ReminderDue, StepExpired, WeekDue, WeekEnded
from integration.procedure.offices import Organisation
from integration.store import CaseRow, Delivery, Store
from sync.periods import CLOSES_AT

ASKS_AT = time(14)  # local, on the week's last working day, while there is time left to write
ENDS_AT = ONE_WEEK + timedelta(hours=CLOSES_AT.hour, minutes=CLOSES_AT.minute)  # after a week began, local
NEXT_WORKING_DAY = Standard("", 1, Unit.DAYS)
REPORTS, CHASES, DIGESTS = "laporan", "tagihan", "ringkasan"
"""The lane of the weekly reports, that of those to whom missing progress reports are told, and that of the day's digests."""

ASKED_WEEK = "minggu-ditagih"  # the mark under which the last week is remembered whose reports were asked for
LAST_WEEK = "minggu-berakhir"  # and the last one told as ended
DIGESTED_DAY = "hari-diringkas"  # the last day with which people were told what waits for them
OWED_WEEK = "minggu-kurang"  # the last one with work in it that was told as ended, until its missing reports were listed; "" then

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Clockwork:
    """Looks at the time. Several may run at once: the store keeps each finding once."""

    store: Store
    organisation: Organisation
    bell: Doorbell
    _reminded: str = ""  # the week of whose missing reports people need not be offered a reminder again
    _told: set[tuple[str, str]] = field(default_factory=set)  # what need not be offered to the store again: of what is due, no more

    def tick(self) -> int:
        """Put all that is due by now into the inbox; gives how many rows are new. Raises StoreDown."""
        now = self.store.clock()
        at_work = is_working_time(self.organisation.calendar, now) is True
        found = {(row.ticket, fact.key): (row, fact) for row, fact in self._steps(now, at_work=at_work)}
        fresh = self.store.keep_all(_told(*found[key]) for key in found if key not in self._told)
        fresh += self._week_due(now) if at_work else 0
        fresh += self._weeks_ended(now)
        fresh += self._chased(now) + self._day_begun(now) if at_work else 0
        self._told = set(found)
        if fresh:
            self.bell.ring()
        return fresh

    def _steps(self, now: datetime, *, at_work: bool) -> Iterator[tuple[CaseRow, Fact]]:
        """The steps past their due time; while people are at work, also the reminders whose time it is, up to the next working day's steps.

        A step may expire again after a pause: the due time is part of the key.
        """
        calendar = self.organisation.calendar
        ahead = due(calendar, now, NEXT_WORKING_DAY)
        until = now + ONE_DAY if isinstance(ahead, CalendarGap) else ahead
        for row in self.store.due_by(until if at_work else now):
            if row.entered_seq is None or row.due_at is None:
                continue
            if row.due_at <= now:
                key = f"lewat-waktu:{row.entered_seq}:{row.due_at.isoformat()}"
                yield row, StepExpired(key, now, SERVICE, row.entered_seq)
            kind = reminder(calendar, row.due_at, now) if at_work else None
            if kind:
                key = f"ingat:{row.entered_seq}:{kind}:{row.due_at.isoformat()}"
                yield row, ReminderDue(key, now, SERVICE, row.entered_seq, kind, row.due_at)

    def _week_due(self, now: datetime) -> int:
        """On the afternoon of the week's last working day each open case is asked for the week's report, once."""
        calendar = self.organisation.calendar
        week = week_of(now, calendar.tz)
        closing = week_closing(calendar, week)
        if not isinstance(closing, datetime) or now < datetime.combine(closing.date(), ASKS_AT, calendar.tz):
            return 0
        if self.store.mark(ASKED_WEEK) == week:
            return 0
        asked = [_told(row, WeekDue(f"tagih:{week}", now, SERVICE, week)) for row in self._open_cases()]
        fresh = self.store.keep_all([*asked, _chase(Chase.ASK, week)] if asked else [])
        self.store.set_mark(ASKED_WEEK, week)
        return fresh

    def _chased(self, now: datetime) -> int:
        """The reports missing of the week that ended: people are reminded on the first working day since, whoever leads them later."""
        week, calendar = self.store.mark(OWED_WEEK), self.organisation.calendar
        if not week:
            return 0
        today = now.astimezone(calendar.tz).date()
        days = working_days(calendar, (week_began(week, calendar.tz) + ONE_WEEK).date(), today)
        if isinstance(days, CalendarGap) or not days:
            return 0
        if days[0] == today:
            fresh = self.store.keep_all([_chase(Chase.REMIND, week)]) if self._reminded != week else 0
            self._reminded = week
            return fresh
        fresh = self.store.keep_all([_chase(Chase.LIST, week)])
        self.store.set_mark(OWED_WEEK, "")
        return fresh

    def _day_begun(self, now: datetime) -> int:
        """With each working day those who can be written to are told what waits for them."""
        day = now.astimezone(self.organisation.calendar.tz).date().isoformat()
        if not any(office.email for office in self.organisation.offices) or self.store.mark(DIGESTED_DAY) == day:
            return 0
        fresh = self.store.keep_all([Delivery("digest", f"ringkasan:{day}", DIGESTS, json.dumps({"day": day}).encode())])
        self.store.set_mark(DIGESTED_DAY, day)
        return fresh

    def _weeks_ended(self, now: datetime) -> int:
        """Tell every week that ended since the last one told; a week of a year that is not loaded waits until it is."""
        tz = self.organisation.calendar.tz
        monday = week_began(week_of(now - ENDS_AT, tz), tz)
        last = self.store.mark(LAST_WEEK)
        if last is None:
            self.store.set_mark(LAST_WEEK, week_of(monday, tz))
            return 0
        fresh, unlisted = 0, self.store.mark(OWED_WEEK)
        week_monday = week_began(last, tz) + ONE_WEEK
        while week_monday <= monday:
            week = week_of(week_monday, tz)
            days = working_days_in_week(self.organisation.calendar, week)
            if isinstance(days, CalendarGap):
                log.error("no calendar of %s: week %s stays open", days.year, week)
                break
            ended = [_told(row, WeekEnded(f"minggu:{week}", now, SERVICE, week, len(days))) for row in self._open_cases()]
            fresh += self.store.keep_all([*ended, Delivery("report", f"report:{week}", REPORTS, json.dumps({"week": week}).encode())])
            if days and ended:
                if unlisted and unlisted != week:  # it had no second working day, or none on which we ran
                    fresh += self.store.keep_all([_chase(Chase.LIST, unlisted)])
                    unlisted = ""
                self.store.set_mark(OWED_WEEK, week)
            self.store.set_mark(LAST_WEEK, week)
            week_monday += ONE_WEEK
        return fresh

    def _open_cases(self) -> list[CaseRow]:
        return [row for row in self.store.case_rows(open_only=True) if row.version]


def _told(row: CaseRow, fact: Fact) -> Delivery:
    return Delivery("clock", f"{row.ticket}:{fact.key}", row.ticket, codec.fact_bytes(fact))


def _chase(kind: Chase, week: str) -> Delivery:
    return Delivery("chase", f"progres:{kind}:{week}", CHASES, json.dumps({"week": week, "kind": kind}).encode())
