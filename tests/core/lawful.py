"""An independent reading of a ledger, as to whether the rules allow it.

Written from procedure.md against the plain events, without the engine's guards: what the engine must not do is said here a second time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from integration.procedure.definition import Channel, Outcome, OutcomeKind, Procedure, Requirement, Step
from integration.procedure.events import (
    AccessGranted,
    AccessRevoked,
    CaseEnded,
    CaseOpened,
    DebtPaid,
    DocumentAttached,
    DocumentFiled,
    DocumentIssued,
    EmergencyOpened,
    Entry,
    IssueLinked,
    IssueMended,
    Paused,
    ProgressReported,
    RequestRefused,
    RequirementCleared,
    RequirementTicked,
    Resumed,
    SignedOff,
    SignoffsStaled,
    StepEntered,
    StepLeft,
    TeamAssigned,
)
from integration.procedure.facts import Actor, ActorKind
from integration.procedure.offices import Organisation

AFTER_THE_END = (RequestRefused, IssueLinked, IssueMended, DocumentFiled, AccessRevoked)
"""All that is still recorded once a case has ended; none of it moves the case."""


@dataclass
class State:
    """As much of a case as the rules speak of, kept by hand."""

    step: int | None = None  # None between two steps, and after the end
    ended: bool = False
    entered: int = 0
    round: int = 1
    left_by: Outcome | None = None  # how the last step was left, until the next one is entered
    left_step: int = 0
    stale_round: int | None = None
    paused: bool = False
    ordered: bool = False  # an exception order was just given
    team: tuple[str, ...] = ()
    ticks: set[str] = field(default_factory=set)
    papers: set[tuple[str, str]] = field(default_factory=set)
    attached: dict[str, int] = field(default_factory=dict)
    reports: list[int] = field(default_factory=list)
    grants: set[tuple[str, str]] = field(default_factory=set)
    dates: bool = False
    signed: list[tuple[int, int, str, str]] = field(default_factory=list)  # round, step, account, office; accepted ones
    debts: list[int] = field(default_factory=list)
    exception_done_in: int | None = None  # the round in which an order's last step was left forward


def faults(procedure: Procedure, organisation: Organisation, entries: Sequence[Entry], since: int = 0) -> list[str]:
    """What the ledger holds against the rules; empty for a lawful one. `since`: entries up to there were made under another office."""
    state, found = State(), []
    last: datetime | None = None
    for entry in entries:
        if last and entry.at < last:
            found.append(f"{entry.seq}: earlier than the entry before")
        last = entry.at
        named = f"{entry.seq} {type(entry.event).__name__}"
        found += [f"{named}: {fault}" for fault in _fault(procedure, organisation, state, entry) if entry.seq > since]
        _keep(procedure, state, entry)
    if entries and not state.ended and state.step is None:
        found.append("open, but at no step")
    return found


def _fault(  # noqa: C901 -- one arm per kind of event
    procedure: Procedure, organisation: Organisation, state: State, entry: Entry
) -> Iterator[str]:
    event = entry.event
    if (entry.seq == 1) != isinstance(event, CaseOpened):
        yield "the first entry opens the case, and no other"
    if state.ended and not isinstance(event, AFTER_THE_END):
        yield "a case that has ended moved"
    match event:
        case StepEntered():
            yield from _entering(procedure, state, event)
        case StepLeft():
            yield from _leaving(procedure, organisation, state, entry, event)
        case SignedOff():
            yield from _signing(state, entry, event)
        case CaseEnded() if event.ending == "selesai":
            if state.left_by is None or state.left_by.ending is None or state.left_by.ending.value != "selesai":
                yield "done, but nothing was accepted"
            if state.grants:
                yield "done, but access is still open"
        case RequirementTicked() | RequirementCleared():
            if not any(r.id == event.requirement and r.supply == "tick" for r in procedure.step(state.step or 0).requirements):
                yield "no box of the current step"
            if not _holds(procedure, organisation, state, entry.by, entry.at, _roles(procedure.step(state.step or 0))):
                yield "ticked without the role"


def _entering(procedure: Procedure, state: State, event: StepEntered) -> Iterator[str]:
    if state.step is not None and not state.ordered:
        yield f"a second current step beside {state.step}"
    chain = procedure.verification.steps if procedure.verification else ()
    back = state.left_by is not None and state.left_by.kind is OutcomeKind.RETURN
    if (bool(chain) and back and state.left_step >= chain[0] and event.step <= chain[-1]) is not (state.stale_round is not None):
        yield "sign-offs went stale without a return, or stayed with one"
    if (event.round != state.round) is not (state.stale_round == state.round):
        yield f"round {event.round} after round {state.round}"
    if event.step < procedure.opens_at and event.due is not None:
        yield "a clock runs for a recorded step"
    emergency = procedure.emergency
    allowed = {state.left_step + 1} if state.left_by is None else {state.left_by.to}
    if state.left_by and state.left_by.kind is OutcomeKind.FORWARD and emergency:
        if state.left_step == emergency.last and state.debts:
            allowed = {min(state.debts)}
        if state.left_by.to == emergency.first and state.exception_done_in == state.round:
            allowed = {emergency.last + 1}
    if state.ordered:
        allowed = {emergency.first} if emergency else set()
    if event.step not in allowed:
        yield f"step {event.step} entered, where {allowed} was due"


def _leaving(procedure: Procedure, organisation: Organisation, state: State, entry: Entry, event: StepLeft) -> Iterator[str]:
    if event.step != state.step:
        yield f"left step {event.step} while at {state.step}"
        return
    step = procedure.step(event.step)
    if step.number < procedure.opens_at:
        if event.outcome:
            yield "a recorded step was decided"
        return
    outcome = step.outcome(event.outcome)
    if outcome is None:
        yield f"no outcome {event.outcome}"
        return
    if state.paused:
        yield "left while paused"
    if event.role not in _roles(step) or not _holds(procedure, organisation, state, entry.by, entry.at, (event.role,)):
        yield f"{entry.by.account} does not hold {event.role}"
    if outcome.needs_reason and not event.reason.strip():
        yield "no reason"
    if outcome.kind is OutcomeKind.FORWARD:
        yield from (f"without {r.id}" for r in step.requirements if not _met(procedure, state, step, r, event))
        titles = {title for title, text in event.sections if text.strip()}
        yield from (f"without section {section.title}" for section in step.sections if section.title not in titles)
        yield from _gates(procedure, state, step)
        needed = next((also.attachment for also in step.also if also.role == event.role), None)
        if needed and state.attached.get(needed, 0) <= state.entered:
            yield f"without {needed}"


def _gates(procedure: Procedure, state: State, step: Step) -> Iterator[str]:
    if "team" in step.gates and not state.team:
        yield "without a team"
    if "grant" in step.gates and not state.grants:
        yield "without a grant"
    if "revoked" in step.gates and state.grants:
        yield "with open access"
    chain = procedure.verification.steps if procedure.verification else ()
    if chain and step.number == chain[-1]:
        signed = {number for round_, number, _, _ in state.signed if round_ == state.round}
        yield from (f"step {number} not signed in this round" for number in chain[:-1] if number not in signed)


def _signing(state: State, entry: Entry, event: SignedOff) -> Iterator[str]:
    if event.round != state.round or event.step != state.left_step:
        yield "signed another step or round"
    if event.exemption:
        earlier = [office for r, step, account, office in state.signed if r == event.round and account == entry.by.account]
        if not event.office and not any(earlier):
            yield "exempted without an acting office"
        return
    if entry.by.account in state.team:
        yield "a member of the team verified"
    if any(r == event.round and account == entry.by.account and step != event.step for r, step, account, _ in state.signed):
        yield "signed twice in a round"


def _met(procedure: Procedure, state: State, step: Step, requirement: Requirement, event: StepLeft) -> bool:
    match requirement.supply.value:
        case "tick":
            return requirement.id in state.ticks
        case "document":
            made = [edition for slug, edition in state.papers if slug == requirement.document]
            return any(requirement.edition in (None, edition) for edition in made) or requirement.document in state.attached
        case "team":
            return bool(state.team)
        case "grant":
            return bool(state.grants)
        case "report":
            since = state.entered if procedure.duty and step.number == procedure.duty.step else 0
            return any(seq > since for seq in state.reports)
        case "schedule":
            return state.dates or any(section.kind == "date" for section in step.sections)
        case "section":
            return bool(event.sections)
        case _:
            return True


def _roles(step: Step) -> tuple[str, ...]:
    return (step.performer or "", *(also.role for also in step.also))


def _holds(procedure: Procedure, organisation: Organisation, state: State, by: Actor, at: datetime, roles: tuple[str, ...]) -> bool:
    day = at.astimezone(organisation.calendar.tz).date()
    for role in (procedure.role(slug) for slug in roles if slug):
        if role.channel is Channel.PORTAL and by.kind is ActorKind.UNIT:
            return True
        if role.team and by.kind is ActorKind.PERSON and by.account in state.team:
            return True
        for office in organisation.offices:
            until = office.until or day
            if (office.role, office.account) == (role.slug, by.account) and office.since <= day <= until and by.kind is ActorKind.PERSON:
                return True
    return False


def _keep(procedure: Procedure, state: State, entry: Entry) -> None:  # noqa: C901, PLR0912, PLR0915 -- one arm per kind of event
    match entry.event:
        case StepEntered(step=step, round=round_):
            state.step, state.round, state.entered = step, round_, entry.seq
            state.left_by, state.stale_round, state.ordered = None, None, False
            state.ticks.clear()
        case StepLeft(step=step, outcome=word, sections=sections):
            state.step, state.left_step, state.left_by = None, step, procedure.step(step).outcome(word)
            dated = {section.title for section in procedure.step(step).sections if section.kind == "date"}
            state.dates = state.dates or bool(dated & {title for title, _ in sections})
            forward = state.left_by is not None and state.left_by.kind is OutcomeKind.FORWARD
            if procedure.emergency and step == procedure.emergency.last and state.debts and forward:
                state.exception_done_in = state.round
        case SignedOff(step=step, round=round_, accepted=True, office=office):
            state.signed.append((round_, step, entry.by.account, office))
        case SignoffsStaled(round=round_):
            state.stale_round = round_
        case CaseEnded():
            state.ended, state.step, state.paused = True, None, False
        case Paused():
            state.paused = True
        case Resumed():
            state.paused = False
        case TeamAssigned(members=members):
            state.team = members
        case RequirementTicked(requirement=requirement):
            state.ticks.add(requirement)
        case RequirementCleared(requirement=requirement):
            state.ticks.discard(requirement)
        case ProgressReported():
            state.reports.append(entry.seq)
        case AccessGranted(account=account, server=server):
            state.grants.add((account, server))
        case AccessRevoked(account=account, server=server):
            state.grants.discard((account, server))
        case DocumentIssued(document=document, edition=edition):
            state.papers.add((document, edition))
        case DocumentAttached(document=document):
            state.attached[document] = entry.seq
        case EmergencyOpened(debts=debts):
            state.debts, state.ordered, state.exception_done_in = [step for step, _ in debts], True, None
        case DebtPaid(step=step):
            state.debts.remove(step)
