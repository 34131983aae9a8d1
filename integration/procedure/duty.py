"""The recurring report: owed every week while a case stands in its range, and the gate of one step (procedure.md rule 5).

A week is told by its ISO name, "2026-W47"; these sort as the weeks follow one another.
"""

from dataclasses import replace
from datetime import tzinfo
from itertools import takewhile

from integration.procedure import contexts
from integration.procedure.case import Case
from integration.procedure.deadlines import week_of
from integration.procedure.definition import Duty, Section, SectionKind, Step
from integration.procedure.draft import Draft, Ignored
from integration.procedure.events import DutyMissed, DutySkipped, ProgressReported
from integration.procedure.facts import OutcomeChosen, ProgressMade, Sections, Via, WeekDue, WeekEnded
from integration.procedure.guards import Code, Permit, command_fault, command_refusal, overtaken, usual, weigh
from integration.procedure.lines import report_headings, report_line
from integration.procedure.people import authority, people
from integration.procedure.sections import accept, plain, read_percent
from integration.procedure.transitions import leave


def progress_made(draft: Draft, step: Step, fact: ProgressMade) -> None:
    """A report: kept as history; made where the case waits for one, and since it does, it moves the case on (POS step 19)."""
    duty = draft.procedure.duty
    if duty is None:
        draft.ignore(Ignored.NOT_OWED)
        return
    refusal = None if _in_range(duty, step) else usual(draft.situation, step, Code.REPORT_NOT_DUE)
    if refusal is None:
        refusal = command_refusal(draft.situation, duty.word, line=report_line(draft.procedure))
    sections, missing = accept(duty.parts, _with_own_parts(draft, duty, fact))
    if refusal is None and missing:
        fault = command_fault(draft.situation, duty.word, Code.REPORT_INCOMPLETE, missing, report_line(draft.procedure))
        refusal = replace(fault, sections=report_headings(duty))
    if refusal:
        draft.refuse(duty.word, refusal)
    else:
        _take_report(draft, duty, step, fact, sections)


def week_due(draft: Draft, step: Step, fact: WeekDue) -> None:
    """The week's report is asked for, where it is owed and not there yet."""
    duty = draft.procedure.duty
    if duty is None or not _in_range(duty, step):
        draft.ignore(Ignored.NOT_OWED)
    elif _settled(draft, fact.week):
        draft.ignore(Ignored.SAME)
    else:
        asked = {"line": report_line(draft.procedure), "sections": list(report_headings(duty))}
        draft.note("tagih-progres", {"week": fact.week, "accounts": _owing(draft, duty)} | asked)


def week_ended(draft: Draft, step: Step, fact: WeekEnded) -> None:
    """The week is over: a report owed for all of it and not made is noted; a week without a working day owed none, and says so."""
    duty = draft.procedure.duty
    if duty is None or not _in_range(duty, step) or not owed_from_its_start(draft.case, duty, fact.week, draft.organisation.calendar.tz):
        draft.ignore(Ignored.NOT_OWED)
    elif _settled(draft, fact.week):
        draft.ignore(Ignored.SAME)
    elif fact.working_days == 0:
        draft.record(DutySkipped(fact.week))
    else:
        draft.record(DutyMissed(fact.week))
        draft.note("progres-terlewat", {"week": fact.week, "accounts": _owing(draft, duty)})


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


def _with_own_parts(draft: Draft, duty: Duty, fact: ProgressMade) -> Sections:
    """What was written, with the percentage of the command and the project's identity from the case; both count before what was typed."""
    case = draft.case
    lead = [person["name"] for person in contexts.accounts(draft.organisation, case.team[:1])]
    identity = " · ".join((case.submission.system, case.ticket, *map(str, lead)))
    own = {part.title: identity for part in duty.parts if part.kind is SectionKind.SERVICE}
    if fact.percent is not None:
        own[_percent_part(duty).title] = str(fact.percent)
    taken = {plain(title) for title in own}
    return (*own.items(), *((title, text) for title, text in fact.sections if plain(title) not in taken))


def _percent_part(duty: Duty) -> Section:
    return next(part for part in duty.parts if part.kind is SectionKind.PERCENT)


def _in_range(duty: Duty, step: Step) -> bool:
    return duty.first <= step.number <= duty.last


def owed_from_its_start(case: Case, duty: Duty, week: str, tz: tzinfo) -> bool:
    """Whether the case stood in the duty's range since before this week began, without a break."""
    stay = takewhile(lambda passage: duty.first <= passage.step <= duty.last, reversed(case.history))
    began = [week_of(passage.entered_at, tz) for passage in stay]
    return bool(began) and began[-1] < week


def _settled(draft: Draft, week: str) -> bool:
    """Whether this week was reported on, or is recorded as missed or skipped."""
    case = draft.case
    return week in (*(report.week for report in case.reports), *case.missed_weeks, *case.skipped_weeks)


def _owing(draft: Draft, duty: Duty) -> list[str]:
    """The accounts that are asked: the team, without one whoever else may report."""
    s = draft.situation
    return list(s.case.team) or [person.account for person in people(s, authority(s.procedure, duty.word))]
