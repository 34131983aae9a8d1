"""When a case will be over, as a range: told to the unit and shown on the issue.

A forecast promises nothing: where it cannot be said, it is not.
"""

from collections.abc import Sequence
from datetime import date, datetime

from integration.procedure.case import Case
from integration.procedure.deadlines import CalendarGap, due
from integration.procedure.definition import OutcomeKind, Procedure, Step
from integration.procedure.offices import WorkCalendar
from integration.procedure.route import destination


def finish(procedure: Procedure, calendar: WorkCalendar, case: Case, now: datetime | None = None) -> tuple[date, date] | None:
    """The day the case ends when every step takes its whole time standard, and the day when the work is sent back once on the way.

    What is late counts from `now`; without it the case alone is looked at, which says the same tomorrow. None where nobody can say: the
    case has ended, its clock stands, or the calendar ends before.
    """
    if case.step is None or case.due is None or case.paused_since:
        return None
    ahead = _straight(procedure, case, procedure.step(case.step))[1:]
    earliest = _after(calendar, max(case.due, now or case.due), ahead)
    latest = _after(calendar, earliest, _longest_return(procedure, ahead)) if earliest else None
    return (earliest.date(), latest.date()) if earliest and latest else None


def _after(calendar: WorkCalendar, start: datetime, steps: Sequence[Step]) -> datetime | None:
    """When these steps are done, one after the other, begun at `start`."""
    moment = start.astimezone(calendar.tz)
    for standard in (step.standard for step in steps if step.standard):
        ends = due(calendar, moment, standard)
        if isinstance(ends, CalendarGap):
            return None
        moment = ends
    return moment


def _straight(procedure: Procedure, case: Case, step: Step) -> list[Step]:
    """The steps from this one to the end when nothing is sent back; under an exception order its steps, then those it skipped."""
    path = [step]
    while to := next((destination(procedure, case, path[-1], o) for o in path[-1].outcomes if o.kind is OutcomeKind.FORWARD), None):
        if procedure.emergency and procedure.step(to) in path:
            to = procedure.emergency.last + 1  # an exception's steps are walked once
        path.append(procedure.step(to))
    return path


def _longest_return(procedure: Procedure, ahead: Sequence[Step]) -> list[Step]:
    """What is done once more at most when one of these steps is sent back to where the work began anew."""
    returns = [
        range(outcome.to, step.number + 1)
        for step in ahead
        for outcome in step.outcomes
        if outcome.kind is OutcomeKind.RETURN and outcome.to is not None and outcome.to > procedure.revises_at
    ]
    return [procedure.step(number) for number in max(returns, key=len, default=range(0))]
