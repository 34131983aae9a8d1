"""The recurring report: owed every week while a case stands in its range, and the gate of one step (procedure.md rule 5).

A week is told by its ISO name, "2026-W47"; these sort as the weeks follow one another.
"""

from dataclasses import replace
from datetime import datetime, tzinfo
from itertools import takewhile

from integration.procedure import contexts, progress
from integration.procedure.case import Case
from integration.procedure.deadlines import ONE_WEEK, CalendarGap, week_of, working_days, working_days_in_week
from integration.procedure.definition import Duty, Procedure, Section, SectionKind, Step
from integration.procedure.draft import Draft, Ignored
from integration.procedure.events import DutyMissed, DutySkipped, Missing, ProgressDrafted, ProgressReported
from integration.procedure.facts import Chase, OutcomeChosen, ProgressMade, ReportsOwed, Sections, Via, WeekDue, WeekEnded
from integration.procedure.guards import Code, Permit, Refusal, command_fault, command_refusal, overtaken, usual, weigh
from integration.procedure.lines import draft_line, report_headings, report_line
from integration.procedure.offices import Organisation, WorkCalendar
from integration.procedure.sections import accept, plain, read_percent
from integration.procedure.transitions import leave

GRACE = 2
"""Working days, that of its coming included, in which a case that came to its duty is not asked yet. Decided here: procedure.md rule 5
says from which step on reports are owed, not how soon; before two days of work there is little to tell."""


def progress_made(draft: Draft, step: Step, fact: ProgressMade) -> None:
    """A report: kept as history; made where the case waits for one, and since it does, it moves the case on (POS step 19).

    What its author left out is taken from the week's draft, so that a bare command confirms that.
    """
    duty = draft.procedure.duty
    if duty is None:
        draft.ignore(Ignored.NOT_OWED)
        return
    refusal = None if duty.covers(step.number) else usual(draft.situation, step, Code.REPORT_NOT_DUE)
    if refusal is None:
        refusal = command_refusal(draft.situation, duty.word, line=report_line(draft.procedure))
    week = _week_meant(draft, duty, fact)
    sections, missing = accept(duty.parts, _with_own_parts(draft, duty, fact, week))
    if refusal is None and missing:
        refusal = _incomplete(draft, duty, week, missing)
    if refusal:
        draft.refuse(duty.word, refusal)
    else:
        _take_report(draft, duty, step, replace(fact, week=week), sections)


def week_due(draft: Draft, step: Step, fact: WeekDue) -> None:
    """The week's report is put together from what was done and asked for, where it is owed and not there yet.

    Nobody is called here: who has several cases is told of all of them at once (ReportsOwed).
    """
    duty, unasked = draft.procedure.duty, not_asked(draft.procedure, draft.organisation, draft.case, fact.week, draft.at)
    if duty is None or unasked:
        draft.ignore(unasked or Ignored.NOT_OWED)
        return
    made = progress.drafted(duty, draft.case, fact.week, fact.activity)
    draft.record(ProgressDrafted(made.week, made.percent, made.sections))
    sections, missing = accept(duty.parts, _with_own_parts(draft, duty, None, fact.week))
    parts = [{"title": title, "text": text} for title, text in sections]
    asked = {"line": _line(draft, duty, missing), "sections": _headings(duty, missing)}
    more = {"week": fact.week, "step": step.number, "told": bool(made.sections), "parts": parts, "missing": contexts.missing(missing)}
    draft.note("rancangan-progres", more | asked, slot=f"progres:{fact.week}")


def week_ended(draft: Draft, step: Step, fact: WeekEnded) -> None:
    """The week is over: a report owed for all of it and not made is noted; a week without a working day owed none, and says so."""
    duty = draft.procedure.duty
    if duty is None or not duty.covers(step.number) or not owed_from_its_start(draft.case, duty, fact.week, draft.organisation.calendar.tz):
        draft.ignore(Ignored.NOT_OWED)
    elif _settled(draft.case, fact.week):
        draft.ignore(Ignored.SAME)
    else:
        draft.record(DutySkipped(fact.week) if fact.working_days == 0 else DutyMissed(fact.week))


def reports_owed(draft: Draft, step: Step, fact: ReportsOwed) -> None:
    """One person is told of all reports that are asked of them, or of their people, on the issue of one of the cases.

    Whose they are stands on each case's own issue; here no list of one person's work is made that others read.
    """
    if reported(draft.case, fact.week) and len(fact.tickets) == 1:
        draft.ignore(Ignored.SAME)
        return
    template = "progres-daftar" if fact.kind is Chase.LIST else "progres-ditagih"
    asked = {"week": fact.week, "kind": fact.kind.value, "account": fact.account, "several": len(fact.tickets) > 1}
    draft.note(template, asked | {"tickets": list(fact.tickets), "step": step.number})


def not_asked(procedure: Procedure, organisation: Organisation, case: Case, week: str, at: datetime) -> Ignored | None:
    """Why the week's report is not asked for on its last afternoon; None where it is."""
    duty = procedure.duty
    if duty is None or not duty.covers(case.step):
        return Ignored.NOT_OWED
    if _settled(case, week):
        return Ignored.SAME
    return Ignored.GRACE if _in_grace(case, duty, organisation.calendar, at) else None


def is_missing(procedure: Procedure, organisation: Organisation, case: Case, week: str) -> bool:
    """Whether the report of a week that is over was owed for all of it, and is not there to this day."""
    duty = procedure.duty
    if duty is None or not duty.covers(case.step):
        return False
    return owed_from_its_start(case, duty, week, organisation.calendar.tz) and not reported(case, week)


def owed_from_its_start(case: Case, duty: Duty, week: str, tz: tzinfo) -> bool:
    """Whether the case stood in the duty's range since before this week began, without a break."""
    since = _came(case, duty)
    return since is not None and week_of(since, tz) < week


def reported(case: Case, week: str) -> bool:
    """Whether there is a report of this week."""
    return any(report.week == week for report in case.reports)


def _came(case: Case, duty: Duty) -> datetime | None:
    """When the case came into the duty's range, in which it has been since; None where it is not in it."""
    stay = [passage.entered_at for passage in takewhile(lambda passage: duty.covers(passage.step), reversed(case.history))]
    return stay[-1] if stay else None


def _in_grace(case: Case, duty: Duty, calendar: WorkCalendar, at: datetime) -> bool:
    since = _came(case, duty) or at
    days = working_days(calendar, since.astimezone(calendar.tz).date(), at.astimezone(calendar.tz).date())
    return not isinstance(days, CalendarGap) and len(days) <= GRACE


def _week_meant(draft: Draft, duty: Duty, fact: ProgressMade) -> str:
    """The week a report counts for: the one it is made in, or the one before, where that one's is owed or its draft still waits.

    For that one counts what confirms its draft as it is, and all that is reported on the first working day, when it is asked for again; a
    week without a working day in between is none.
    """
    case, calendar, then = draft.case, draft.organisation.calendar, fact.at - ONE_WEEK
    while (before := week_of(then, calendar.tz)) in case.skipped_weeks:
        then -= ONE_WEEK
    waits = case.drafted is not None and case.drafted.week == before
    if reported(case, before) or not (waits or owed_from_its_start(case, duty, before, calendar.tz)):
        return fact.week
    days = working_days_in_week(calendar, week_of(fact.at, calendar.tz))
    first = not isinstance(days, CalendarGap) and bool(days) and fact.at.astimezone(calendar.tz).date() <= days[0]
    return before if first or (waits and fact.percent is None and not fact.sections) else fact.week


def _incomplete(draft: Draft, duty: Duty, week: str, missing: tuple[Missing, ...]) -> Refusal:
    """What is missing, part by part, and the line that completes it: of what the draft says nothing has to be written again."""
    waits = draft.case.drafted is not None and draft.case.drafted.week == week
    line = _line(draft, duty, missing) if waits else report_line(draft.procedure)
    fault = command_fault(draft.situation, duty.word, Code.REPORT_INCOMPLETE, missing, line)
    return replace(fault, sections=tuple(_headings(duty, missing)) if waits else report_headings(duty))


def _line(draft: Draft, duty: Duty, missing: tuple[Missing, ...]) -> str:
    return draft_line(draft.procedure, with_percent=_percent_part(duty).title in {lack.item for lack in missing})


def _headings(duty: Duty, missing: tuple[Missing, ...]) -> list[str]:
    lacking = {lack.item for lack in missing}
    return [title for title in report_headings(duty) if title in lacking]


def _take_report(draft: Draft, duty: Duty, step: Step, fact: ProgressMade, sections: Sections) -> None:
    percents = (text for title, text in sections if title == _percent_part(duty).title)
    percent = next(number for number in map(read_percent, percents) if number is not None)
    draft.record(ProgressReported(fact.week, step.number, percent, sections))
    if step.number == duty.step and not overtaken(draft.situation, step, fact.at):
        asked = OutcomeChosen(fact.key, fact.at, fact.by, duty.outcome, "", (), Via.COMMENT)
        permit = weigh(draft.situation, step, asked)
        if isinstance(permit, Permit):
            leave(draft, step, permit)
            return
    by = contexts.name_of(draft.situation)
    draft.note("progres", {"week": fact.week, "percent": percent, "by": by, "step": step.number})


def _with_own_parts(draft: Draft, duty: Duty, fact: ProgressMade | None, week: str) -> Sections:
    """What was written, and where that says nothing, what the week's draft says.

    The percentage of the command and the project's identity from the case count before what was typed.
    """
    case = draft.case
    lead = [person["name"] for person in contexts.accounts(draft.organisation, case.team[:1])]
    identity = " · ".join((case.submission.system, case.ticket, *map(str, lead)))
    own = {part.title: identity for part in duty.parts if part.kind is SectionKind.SERVICE}
    if fact and fact.percent is not None:
        own[_percent_part(duty).title] = str(fact.percent)
    taken = {plain(title) for title in own}
    written = [(title, text) for title, text in (fact.sections if fact else ()) if plain(title) not in taken]
    taken |= {plain(title) for title, text in written if text.strip()}
    waits = [(title, text) for title, text in progress.confirmed(duty, case.drafted, week) if plain(title) not in taken]
    return (*own.items(), *written, *waits)


def _percent_part(duty: Duty) -> Section:
    return next(part for part in duty.parts if part.kind is SectionKind.PERCENT)


def _settled(case: Case, week: str) -> bool:
    """Whether this week was reported on, or is recorded as missed or skipped."""
    return reported(case, week) or week in (*case.missed_weeks, *case.skipped_weeks)
