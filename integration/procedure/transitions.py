"""What moves a case: entering and leaving steps, rounds of verification, exception orders, endings.

A case moves only through `enter` and `end`; who may ask for it was decided before, by guards.
"""

from dataclasses import replace
from datetime import UTC, datetime

from integration.procedure import contexts
from integration.procedure.contexts import Context
from integration.procedure.deadlines import CalendarGap, due
from integration.procedure.definition import Channel, Emergency, Ending, Outcome, OutcomeKind, SectionKind, Standard, Step, Unit
from integration.procedure.draft import Draft
from integration.procedure.events import (
    CaseEnded,
    DebtPaid,
    DocumentIssued,
    EmergencyOpened,
    PerformersChanged,
    PrioritySet,
    SignedOff,
    SignoffsStaled,
    StepEntered,
    StepLeft,
)
from integration.procedure.guards import Permit
from integration.procedure.lines import EMERGENCY, by_report
from integration.procedure.people import Capacity, asked, authority, capacity, is_teams, unconfirmed
from integration.procedure.route import destination
from integration.procedure.sections import read_priority


def clock(
    draft: Draft, step: Step, since: datetime, pauses: tuple[tuple[datetime, datetime], ...] = ()
) -> tuple[datetime | None, int | None]:
    """When a step is due (UTC), and the year that is not loaded where that cannot be said.

    No clock runs for a step without a standard, nor while the case waits for the unit's revised form (procedure.md rule 6).
    """
    if step.standard is None or step.number == draft.procedure.revises_at:
        return None, None
    moment = due(draft.organisation.calendar, since, step.standard, pauses)
    return (None, moment.year) if isinstance(moment, CalendarGap) else (moment.astimezone(UTC), None)


def enter(draft: Draft, number: int, *, new_round: bool = False) -> None:
    """The case stands at this step from now on; its clock starts (procedure.md rule 6)."""
    step = draft.procedure.step(number)
    moment, gap = clock(draft, step, draft.at)
    waits = step.performer is not None and draft.procedure.role(step.performer).channel is Channel.PORTAL
    there = replace(draft.case, step=number, round=draft.case.round + new_round)
    to_act = asked(draft.procedure, draft.organisation, there, draft.situation.day)
    sought_at = draft.fact.at if draft.fact.at < draft.at else None
    draft.record(StepEntered(number, moment, there.round, gap, waits, asked=to_act, sought_at=sought_at))


def ask_anew(draft: Draft, step: Step) -> None:
    """Others are to act at the current step than when somebody was last asked: they are asked now; where nobody is, it is said who may.

    A team was told when it was named.
    """
    before, to_act = draft.case.asked, asked(draft.procedure, draft.organisation, draft.case, draft.situation.day)
    if to_act == before or (is_teams(draft.procedure, step) and draft.case.team):
        return
    draft.record(PerformersChanged(before, to_act))
    context = contexts.position(draft.situation, step) | {"before": contexts.accounts(draft.organisation, before)}
    draft.note("pejabat-berganti", context)


def leave(draft: Draft, step: Step, permit: Permit) -> None:
    """The current step is left by a permitted outcome: all that follows from it is recorded, and the people concerned are told."""
    outcome = permit.outcome
    new_round = _opens_round(draft, step, outcome)
    _record_leaving(draft, step, permit)
    if new_round:
        draft.record(SignoffsStaled(draft.case.round, tuple(sign.step for sign in draft.case.standing_signoffs)))
    _issue_papers(draft, step, outcome)
    if outcome.ending:
        end(draft, outcome.ending, permit.reason, permit.capacity)
        return
    enter(draft, destination(draft.procedure, draft.case, step, outcome) or step.number, new_round=new_round)
    draft.note("langkah", _passage(draft, step, permit))


def record_recorded(draft: Draft, step: Step, left_at: datetime) -> None:
    """The current step is left without anybody's decision: it happened in the portal, and is only recorded (POS steps 1 to 3)."""
    draft.record(StepLeft(step.number, "", "", (), step.performer or "", "", unconfirmed=False, at=left_at))
    _pay_debt(draft, step)


def end(draft: Draft, ending: Ending, reason: str, held: Capacity | None, target: str = "") -> None:
    """The case ends, by who decides it in the capacity `held`.

    Access that is still open is named, so that somebody takes it back (procedure.md rule 8).
    """
    draft.record(CaseEnded(ending.value, reason, target))
    by = contexts.actor(draft.situation, held)
    if ending is Ending.DONE:
        draft.note("selesai", by | {"papers": _all_papers(draft)})
    else:
        draft.note("berakhir", by | {"ending": ending.value, "reason": reason, "target": target, "grants": contexts.grants(draft.case)})


def open_emergency(draft: Draft, step: Step, emergency: Emergency, reason: str) -> None:
    """An exception order: the case goes to its steps at once; those it skips are owed, each with a day (procedure.md rule 7)."""
    moment = due(draft.organisation.calendar, draft.at, Standard("", emergency.debt_days, Unit.DAYS))
    day = None if isinstance(moment, CalendarGap) else moment.date()
    skipped = [skipped for skipped in draft.procedure.steps if step.number <= skipped.number < emergency.first]
    draft.record(EmergencyOpened(reason, step.number, tuple((skipped.number, day) for skipped in skipped)))
    enter(draft, emergency.first)
    here = contexts.position(draft.situation, draft.procedure.step(emergency.first))
    by = contexts.actor(draft.situation, capacity(draft.situation, authority(draft.procedure, EMERGENCY)))
    draft.note("darurat", here | by | {"reason": reason, "debts": contexts.debts(draft.procedure, draft.case.debts)})


def issue_paper(draft: Draft, document: str, edition: str, step: Step) -> None:
    """A paper of this type is due; versions count up within the type, whatever the edition."""
    version = 1 + sum(paper.document == document for paper in draft.case.documents)
    draft.record(DocumentIssued(f"{draft.case.ticket}/{document}/{version}", document, edition, version, step.number))


def _record_leaving(draft: Draft, step: Step, permit: Permit) -> None:
    role, office = permit.capacity.role, permit.capacity.office
    inferred = unconfirmed(step, permit.capacity)
    draft.record(StepLeft(step.number, permit.outcome.word, permit.reason, permit.sections, role, office, inferred))
    verification = draft.procedure.verification
    forward = permit.outcome.kind is OutcomeKind.FORWARD
    if verification and step.number in verification.steps:
        draft.record(SignedOff(step.number, draft.case.round, forward, role, office, permit.exemption))
    if forward:
        _set_priority(draft, step, permit)
        _pay_debt(draft, step)


def _opens_round(draft: Draft, step: Step, outcome: Outcome) -> bool:
    """A return out of the verification or from behind it, to its last step or before, starts the chain again (procedure.md rule 3)."""
    chain = draft.procedure.verification
    if chain is None or outcome.kind is not OutcomeKind.RETURN or outcome.to is None:
        return False
    return chain.steps[0] <= step.number and outcome.to <= chain.steps[-1]


def _set_priority(draft: Draft, step: Step, permit: Permit) -> None:
    titles = {section.title for section in step.sections if section.kind is SectionKind.PRIORITY}
    for title, text in permit.sections:
        priority = read_priority(text) if title in titles else None
        if priority and priority != draft.case.priority:
            draft.record(PrioritySet(priority.value))


def _pay_debt(draft: Draft, step: Step) -> None:
    """A step skipped under an exception order was made up for."""
    if any(owed == step.number for owed, _ in draft.case.debts):
        draft.record(DebtPaid(step.number))


def _issue_papers(draft: Draft, step: Step, outcome: Outcome) -> None:
    for product in step.products:
        if outcome.word in product.on:
            issue_paper(draft, product.document, product.edition, step)
    duty, reports = draft.procedure.duty, draft.case.reports
    if duty and duty.document and reports and by_report(draft.procedure, step, outcome.word):
        issue_paper(draft, duty.document, reports[-1].week, step)


def _passage(draft: Draft, left: Step, permit: Permit) -> Context:
    """What the note on a transition says: what was decided by whom, and who is to do what next."""
    procedure = draft.procedure
    recorded = [entry.event for entry in draft.entries]
    stale = [number for event in recorded if isinstance(event, SignoffsStaled) for number in event.steps]
    papers = [procedure.document(event.document).title for event in recorded if isinstance(event, DocumentIssued)]
    current = procedure.step(draft.case.step or left.number)
    duty = procedure.duty
    begins = duty is not None and left.number == duty.first and permit.outcome.kind is OutcomeKind.FORWARD
    return (
        contexts.position(draft.situation, current)
        | contexts.actor(draft.situation, permit.capacity)
        | {
            "from_step": left.number,
            "from_name": left.name,
            "outcome": permit.outcome.word,
            "kind": permit.outcome.kind.value,
            "reason": permit.reason,
            "unconfirmed": unconfirmed(left, permit.capacity),
            "stale_steps": stale,
            "papers": papers,
            "team": contexts.accounts(draft.organisation, draft.case.team) if begins else [],
        }
    )


def _all_papers(draft: Draft) -> list[Context]:
    """The newest paper of each type; its link, where it is filed already."""
    newest = {paper.document: paper for paper in draft.case.documents}
    title = draft.procedure.document
    return [{"title": title(p.document).title, "number": p.number, "link": p.link or None} for p in newest.values()]
