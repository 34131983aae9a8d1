"""Whom a case could be given to: the organisation's programmers, the fittest for this case first, and why (POS step 13).

Advice and nothing else: whoever names the team decides. It speaks of room and presence in words, never of how much anybody has to do.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile

from integration.procedure.case import Case
from integration.procedure.deadlines import CalendarGap, working_days
from integration.procedure.definition import Procedure
from integration.procedure.lines import ASSIGN, command_line
from integration.procedure.offices import Organisation, Programmer
from integration.procedure.requirements import dates
from integration.procedure.sections import plain, read_date

TEAM_SIZE = 2
"""So many are put into the line to copy: who is in charge, and somebody to work with."""

Workload = Mapping[str, int]
"""By account: in how many open cases' teams it is, the case in question left out."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A programmer, and what speaks for and against giving them this case.

    `skills`: those of theirs that the case speaks of. `away`: working days of leave among the `days` of the schedule; `absent`: on leave
    today. `standby`: on stand-by within the schedule.
    """

    account: str
    name: str
    owns: bool
    skills: tuple[str, ...]
    full: bool
    away: int
    days: int
    absent: bool
    standby: bool

    @property
    def available(self) -> bool:
        """Whether there is room, and they are there for at least some of the schedule."""
        return not self.full and (self.days == 0 or self.away < self.days)


def candidates(procedure: Procedure, organisation: Organisation, case: Case, workload: Workload, day: date) -> tuple[Candidate, ...]:
    """Every programmer of the organisation, the fittest first, as things stand on `day`. Who verified this round's work is none."""
    barred = {sign.by.account for sign in case.standing_signoffs}
    first, last = schedule(procedure, case, day)
    days = _working(organisation, first, last)
    told = _told(case)
    people = [programmer for programmer in organisation.programmers if programmer.account not in barred]
    found = [_candidate(programmer, case, told, workload, (day, days)) for programmer in people]
    room = {programmer.account: programmer.capacity - workload.get(programmer.account, 0) for programmer in people}
    return tuple(sorted(found, key=lambda one: (*_order(one), -room[one.account], one.name)))


def suggested(found: tuple[Candidate, ...]) -> str:
    """The line that gives the case to the fittest who are available; to the fittest where nobody is."""
    available = [one for one in found if one.available and not one.absent] or found
    return command_line(ASSIGN, *(f"@{one.account}" for one in available[:TEAM_SIZE]))


def over_capacity(organisation: Organisation, members: Iterable[str], workload: Workload) -> tuple[str, ...]:
    """Those of these accounts who have more cases than their capacity, once this one is theirs too."""
    known = {programmer.account: programmer for programmer in organisation.programmers}
    return tuple(account for account in members if account in known and workload.get(account, 0) >= known[account].capacity)


def on_leave(procedure: Procedure, organisation: Organisation, case: Case, members: Iterable[str], day: date) -> tuple[str, ...]:
    """Those of these accounts who are on leave on working days of the schedule."""
    days = _working(organisation, *schedule(procedure, case, day))
    known = {programmer.account: programmer for programmer in organisation.programmers}
    return tuple(account for account in members if account in known and _away(known[account].leave, days))


def scheduled(procedure: Procedure, case: Case) -> list[tuple[str, date]]:
    """The days of the case's schedule (POS step 6), under their headings; what cannot be read as a day is left out."""
    written = [(title, text) for step in procedure.steps for title, text in case.written.get(step.number, ()) if title in dates(step)]
    return [(title, day) for title, text in written if (day := read_date(text))]


def schedule(procedure: Procedure, case: Case, day: date) -> tuple[date, date]:
    """From when to when the case is to be worked on, by its schedule (POS step 6), but not before `day`; without one that day alone."""
    written = [found for _, found in scheduled(procedure, case)]
    return max([day, *written[:1]]), max([day, *written])


def _candidate(programmer: Programmer, case: Case, told: str, workload: Workload, when: tuple[date, tuple[date, ...]]) -> Candidate:
    day, days = when
    return Candidate(
        account=programmer.account,
        name=programmer.name,
        owns=plain(case.submission.system) in map(plain, programmer.systems),
        skills=tuple(skill for skill in programmer.skills if _named(skill, told)),
        full=workload.get(programmer.account, 0) >= programmer.capacity,
        away=_away(programmer.leave, days),
        days=len(days),
        absent=_away(programmer.leave, (day,)) > 0,
        standby=_away(programmer.standby, days) > 0,
    )


def _order(one: Candidate) -> tuple[object, ...]:
    """What counts more comes first: that there is room, then that they know the system, then the rest."""
    return (not one.available, one.absent, not one.owns, -len(one.skills), not one.standby, one.away)


def _told(case: Case) -> str:
    """All that the form and the steps so far say of the case."""
    form, written = case.submission, (text for sections in case.written.values() for _, text in sections)
    return " ".join((form.system, form.subject, form.description, *written)).casefold()


def _named(skill: str, told: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(skill.casefold())}(?!\w)", told) is not None


def _working(organisation: Organisation, first: date, last: date) -> tuple[date, ...]:
    """The working days of a schedule; of one that goes past the last calendar loaded, those that are known."""
    calendar = organisation.calendar
    found = working_days(calendar, first, last)
    if not isinstance(found, CalendarGap):
        return found
    known = list(takewhile(lambda day: day.year in calendar.years, (first + timedelta(n) for n in range((last - first).days + 1))))
    days = working_days(calendar, known[0], known[-1]) if known else ()
    return () if isinstance(days, CalendarGap) else days


def _away(spans: Iterable[tuple[date, date]], days: Iterable[date]) -> int:
    spans = tuple(spans)
    return sum(any(since <= day <= until for since, until in spans) for day in days)
