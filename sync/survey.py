"""The ledgers read for a report: how things stood at a period's closing moment.

They are read once, a handful at a time, and none is kept: of each case a line stays, and what it adds to the figures.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from statistics import median

from integration.procedure.case import Case, fold
from integration.procedure.contexts import papers_owed
from integration.procedure.deadlines import ONE_WEEK, CalendarGap, due, week_of, working_days_in_week
from integration.procedure.definition import Procedure, Revisions, Standard, Step, Unit, by_revision
from integration.procedure.duty import is_missing
from integration.procedure.events import (
    AccessGranted,
    AccessRevoked,
    DocumentAttached,
    DocumentFiled,
    DocumentIssued,
    Entry,
    IssueLinked,
    IssueLost,
    IssueMended,
    PerformersChanged,
    Reminded,
    RequestRefused,
    RequirementCleared,
    RequirementTicked,
    TaskLinked,
)
from integration.procedure.offices import Organisation
from integration.procedure.people import above, vacancy
from integration.store import Store
from integration.vacancies import vacant
from sync.periods import Period, Span
from sync.standing import Debt, Line, Load, Survey, VacantOffice, Workload
from sync.stays import Meter, Returns, Sample, back_after, returned, stays

UNREAD = (
    *(DocumentIssued, DocumentFiled, DocumentAttached, RequirementTicked, RequirementCleared, RequestRefused, Reminded),
    *(IssueLinked, IssueLost, IssueMended, TaskLinked, PerformersChanged, AccessGranted, AccessRevoked),
)
"""What no line and no figure tells of: nearly half of a ledger."""

SOON = Standard("", 1, Unit.DAYS)
"""What is due within this of the closing moment is nearly due."""

FEWEST = 3  # programmers of whom figures of all together tell nothing of any one


def survey(store: Store, procedures: Sequence[Procedure], organisation: Organisation, period: Period) -> Survey:
    """How things stood at the closing moment of a period."""
    reading = _Reading(by_revision(procedures), organisation, period)
    for entries, case in _cases(store, period):
        reading.take(case, entries)
    return Survey(
        period=period,
        new=tuple(reading.new),
        ended=tuple(reading.ended),
        open=tuple(sorted(reading.open, key=lambda line: line.risk)),
        vacant=_vacant(procedures, organisation, period.until.date()),
        steps=tuple(sample.figures(name) for name, sample in sorted(reading.steps.items())),
        roles=tuple(sample.figures(name) for name, sample in sorted(reading.roles.items())),
        loops=tuple(ways.loop(*way) for way, ways in sorted(reading.returns.items())),
        workload=_workload(organisation, Counter(account for team in reading.teams for account in team), period.until.date()),
    )


def loads(store: Store, organisation: Organisation, period: Period) -> tuple[Load, ...]:
    """What each programmer had to do at the closing moment, by their names and never by how much it is; for whoever leads them."""
    day = period.until.date()
    teams = {case.ticket: case.team for _, case in _cases(store, period) if not case.ended_at}
    return tuple(
        Load(programmer, tuple(ticket for ticket, team in teams.items() if programmer.account in team), programmer.away(day))
        for programmer in sorted(organisation.programmers, key=lambda programmer: programmer.name)
    )


def _cases(store: Store, period: Period) -> Iterator[tuple[list[Entry], Case]]:
    """The cases the period's figures speak of, each as it stood at the closing moment, with its ledger up to then."""
    for ledger in store.ledgers(store.tickets(opened_before=period.until, ended_after=period.figures_since), UNREAD):
        entries = [entry for entry in ledger if entry.at < period.until]
        case = fold(entries)
        if case is not None and not (case.ended_at and case.ended_at < period.figures_since):
            yield entries, case


class _Reading:
    """What stays of the ledgers while they are read."""

    def __init__(self, revisions: Revisions, organisation: Organisation, period: Period) -> None:
        self.revisions, self.organisation, self.period = revisions, organisation, period
        self.new: list[Line] = []
        self.ended: list[Line] = []
        self.open: list[Line] = []
        self.teams: list[tuple[str, ...]] = []
        self.steps: dict[str, Sample] = {}
        self.roles: dict[str, Sample] = {}
        self.returns: dict[tuple[str, str], Returns] = {}
        self._meter = Meter(organisation.calendar)
        soon = due(organisation.calendar, period.until, SOON)
        self._soon = period.until if isinstance(soon, CalendarGap) else soon

    def take(self, case: Case, entries: Sequence[Entry]) -> None:
        """One case more."""
        self._count(case, entries)
        if case.ended_at and case.ended_at < self.period.since:
            return
        line = self._line(case)
        (self.ended if case.ended_at else self.open).append(line)
        if case.history and case.history[0].entered_at >= self.period.since:
            self.new.append(line)
        if not case.ended_at:
            self.teams.append(case.team)

    def _count(self, case: Case, entries: Sequence[Entry]) -> None:
        since, until = self.period.figures_since, self.period.until
        for stay in stays(case, entries, self._meter, since, until):
            procedure = self._procedure(case, stay.passage.revision)
            step = procedure.step(stay.passage.step)
            role = procedure.role(step.performer).name if step.performer else ""
            self.steps.setdefault(step.label_text, Sample()).take(stay)
            self.roles.setdefault(role, Sample()).take(stay)
        for number, way in self._ways_back(case, since):
            ways = self.returns.setdefault(way, Returns())
            ways.tickets.append(case.ticket)
            days = back_after(case, number, self._meter)
            if days is not None:
                ways.days.append(days)

    def _ways_back(self, case: Case, since: datetime) -> Iterator[tuple[int, tuple[str, str]]]:
        """The passages from `since` on that ended with the case sent back: which one, from where and to where, in its revision's words."""
        for number, passage in enumerate(case.history):
            if passage.left_at is None or passage.left_at < since:
                continue
            procedure = self._procedure(case, passage.revision)
            to = returned(passage, procedure)
            if to is not None:
                yield number, (procedure.step(passage.step).label_text, procedure.step(to).label_text)

    def _procedure(self, case: Case, revision: str) -> Procedure:
        return self.revisions[case.procedure, revision or case.revision]

    def _line(self, case: Case) -> Line:
        organisation, until = self.organisation, self.period.until
        procedure, zone = self._procedure(case, case.revision), organisation.calendar.tz
        form = case.submissions[-1]
        step = procedure.step(case.step) if case.step is not None else None
        due_at = case.due.astimezone(zone) if case.due and not case.paused_since else None
        late = bool(step and due_at and due_at < until)
        percents = [report.percent for report in case.reports]
        return Line(
            ticket=case.ticket,
            system=form.system,
            subject=form.subject,
            unit=form.unit_name,
            opened=(case.history[0].entered_at if case.history else until).astimezone(zone).date(),
            ended=case.ended_at and case.ended_at.astimezone(zone).date(),
            step=step.label_text if step else "",
            turn=procedure.role(step.performer).name if step and step.performer else "",
            status=case.status,
            priority=case.priority,
            age=self._meter.days_after(case.history[0].entered_at, case.ended_at or until) if case.history else 0,
            due=due_at,
            late=late,
            late_by=self._meter.days_after(due_at, until) if late and due_at else None,
            waits=step is not None and case.waits_for_unit,
            percent=percents[-1] if percents else None,
            trend=percents[-1] - percents[-2] if len(percents) > 1 else None,
            owes_report=_owes_report(case, procedure, organisation, self.period),
            near=bool(step and due_at and until <= due_at <= self._soon),
            returns=tuple(f"{left} → {to}" for _, (left, to) in self._ways_back(case, self.period.since)),
            paused_since=case.paused_since and case.paused_since.astimezone(zone),
            pause_reason=case.pause_reason,
            ordered_since=case.ordered_at and case.ordered_at.astimezone(zone),
            order_reason=case.emergency.reason if case.emergency and case.debts else "",
            debts=tuple(_debt(procedure, procedure.step(owed), day, until.date()) for owed, day in case.debts),
            vacancy=vacancy(procedure, organisation, case, until.date()),
            target=case.ending_target,
            note=case.ending_reason,
        )


def _workload(organisation: Organisation, cases: Mapping[str, int], day: date) -> Workload | None:
    programmers = organisation.programmers
    counts = [cases.get(programmer.account, 0) for programmer in programmers]
    if len(programmers) < FEWEST or sum(count > 0 for count in counts) == 1:
        return None  # what all have together would be what one has
    room = [programmer.capacity - count for programmer, count in zip(programmers, counts, strict=True)]
    return Workload(
        programmers=len(programmers),
        busy=sum(count > 0 for count in counts),
        middle=median(counts) if counts else 0.0,
        most=max(counts, default=0),
        capacity=sum(programmer.capacity for programmer in programmers),
        free=sum(left for left in room if left > 0),
        over=sum(left < 0 for left in room),
        away=sum(programmer.away(day) for programmer in programmers),
    )


def _vacant(procedures: Sequence[Procedure], organisation: Organisation, day: date) -> tuple[VacantOffice, ...]:
    newest = {role.slug: procedure for procedure in procedures for role in procedure.roles}
    roles = vacant(procedures, organisation, day)
    return tuple(VacantOffice(role.name, above(newest[role.slug], organisation, role.slug, day)) for role in roles)


def _debt(procedure: Procedure, step: Step, owed_by: date | None, day: date) -> Debt:
    return Debt(step.label_text, owed_by, tuple(papers_owed(procedure, step)), overdue=owed_by is not None and owed_by < day)


def _owes_report(case: Case, procedure: Procedure, organisation: Organisation, period: Period) -> bool:
    """Whether the case stood in the duty for the whole of the period's last week, which had working days, and reported nothing in it."""
    calendar = organisation.calendar
    week = period.name if period.span is Span.WEEK else week_of(period.until - ONE_WEEK, calendar.tz)
    return is_missing(procedure, organisation, case, week) and working_days_in_week(calendar, week) != ()
