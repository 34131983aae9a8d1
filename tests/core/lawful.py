"""An independent reading of a ledger, as to whether the rules allow it.

Written from procedure.md against the plain events, without the engine's guards: what the engine must not do is said here a second time.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from integration.procedure.definition import Channel, OutcomeKind, Procedure, Requirement, SectionKind, Step
from integration.procedure.events import (
    AccessGranted,
    AccessRevoked,
    CaseEnded,
    CaseOpened,
    DocumentAttached,
    DocumentFiled,
    DocumentSigned,
    DueRecomputed,
    EmergencyOpened,
    Entry,
    FilesReceived,
    FormRevised,
    IssueLinked,
    IssueLost,
    IssueMended,
    LetterAnswered,
    Paused,
    PerformersChanged,
    PersonalDataErased,
    PrioritySet,
    ProgressDrafted,
    ProgressReported,
    Reminded,
    RequestRefused,
    RequirementCleared,
    RequirementTicked,
    Resumed,
    RevisionAdopted,
    SignedCopyLinked,
    SignedOff,
    StepEntered,
    StepLeft,
    StepRanLate,
    TaskLinked,
    TeamAssigned,
    TeamProposed,
)
from integration.procedure.facts import Actor, ActorKind, Reminder
from integration.procedure.offices import Holding, Office, Organisation
from tests.core.state import State, keep

AFTER_THE_END = (
    AccessRevoked,
    DocumentFiled,
    DocumentSigned,
    FormRevised,
    IssueLinked,
    IssueMended,
    PersonalDataErased,
    RequestRefused,
    SignedCopyLinked,
    TaskLinked,
)
"""All that is still recorded once a case has ended; none of it moves the case."""

COMMANDS = {
    TeamProposed: "tugaskan",
    AccessGranted: "akses",
    AccessRevoked: "cabut-akses",
    DocumentAttached: "lampir",
    ProgressReported: "progres",
    Paused: "jeda",
    Resumed: "lanjut",
    EmergencyOpened: "darurat",
}
"""What is recorded by a command beside the table, and the word whose authority it takes."""

OF_THE_SERVICE = (
    ProgressDrafted,
    StepRanLate,
    Reminded,
    PerformersChanged,
    DueRecomputed,
    RevisionAdopted,
    IssueLinked,
    IssueLost,
    IssueMended,
    TaskLinked,
)
"""What nobody asks for: the service finds it."""

Later = Sequence[tuple[int, Organisation]]
"""Organisations that came after the first: each with the number of the last entry made before it."""


def faults(procedure: Procedure, organisation: Organisation, entries: Sequence[Entry], since: int = 0, later: Later = ()) -> list[str]:
    """What the ledger holds against the rules; empty for a lawful one. `since`: entries up to there were made under another office."""
    state, found = State(procedure), []
    last: datetime | None = None
    for entry in entries:
        if last and entry.at < last:
            found.append(f"{entry.seq}: earlier than the entry before")
        last = entry.at
        named = f"{entry.seq} {type(entry.event).__name__}"
        of_now = next((office for seq, office in reversed(later) if entry.seq > seq), organisation)
        found += [f"{named}: {fault}" for fault in _fault(of_now, state, entry) if entry.seq > since]
        keep(state, entry)
    if entries and not state.ended and state.step is None:
        found.append("open, but at no step")
    return found


def _fault(organisation: Organisation, state: State, entry: Entry) -> Iterator[str]:  # noqa: C901, PLR0912 -- one arm per kind of event
    event = entry.event
    if (entry.seq == 1) != isinstance(event, CaseOpened):
        yield "the first entry opens the case, and no other"
    if state.ended and not isinstance(event, AFTER_THE_END):
        yield "a case that has ended moved"
    if isinstance(event, OF_THE_SERVICE) and entry.by.kind is not ActorKind.SERVICE:
        yield f"asked for by {entry.by.account}"
    if type(event) in COMMANDS and not _commands(organisation, state, entry, COMMANDS[type(event)]):
        yield f"{entry.by.account} may not say {COMMANDS[type(event)]}"
    match event:
        case StepEntered():
            yield from _entering(state, event)
            yield from _asking(organisation, state, entry, event)
        case StepLeft():
            yield from _leaving(organisation, state, entry, event)
        case SignedOff():
            yield from _signing(state, entry, event)
        case CaseEnded():
            yield from _ending(organisation, state, entry, event)
        case DocumentSigned():
            yield from _copying(organisation, state, entry, event)
        case RequirementTicked() | RequirementCleared():
            if not any(r.id == event.requirement and r.supply == "tick" for r in state.here.requirements):
                yield "no box of the current step"
            if not _holds(organisation, state, entry.by, entry.at, _roles(state.here)):
                yield "ticked without the role"
        case _:
            yield from _beside_the_table(organisation, state, entry)


def _beside_the_table(organisation: Organisation, state: State, entry: Entry) -> Iterator[str]:  # noqa: C901, PLR0912, PLR0915 -- one arm per kind of event
    match entry.event:
        case TeamAssigned(members=members) | TeamProposed(members=members):
            yield from _naming(organisation, state, entry, members)
        case LetterAnswered(accepted=accepted, reason=reason, role=role):
            yield from _answering(organisation, state, entry, role)
            if not accepted and not reason.strip():
                yield "an amended letter sent back without a reason"
        case FormRevised():
            if entry.by.kind is not ActorKind.SERVICE and (state.step != state.procedure.revises_at or entry.by.kind is not ActorKind.UNIT):
                yield "a revised form that nobody waited for"
        case FilesReceived(step=step):
            if step != state.step or entry.by.kind is not ActorKind.UNIT:
                yield "files of nobody whose turn it is"
        case PrioritySet(priority=priority):
            yield from _prioritising(organisation, state, entry, priority)
        case Paused(reason=reason):
            if state.paused or not reason.strip() or state.step == state.procedure.revises_at:
                yield "paused where nothing runs, or without a reason"
        case Resumed():
            if not state.paused:
                yield "resumed what ran"
        case StepRanLate(step=step):
            if state.paused or state.late or step != state.step or state.due is None or entry.at < state.due:
                yield "late, but not yet or again"
        case Reminded(step=step, kind=kind):
            if state.paused or step != state.step or state.due is None or kind not in set(Reminder):
                yield "reminded of no due time"
            if kind in state.reminded:
                yield f"reminded twice: {kind}"
        case DueRecomputed(due=due, gap=gap, late=late):
            if state.paused or (due, gap) == (state.due, state.gap) or late is not (due is not None and due <= entry.at):
                yield "a due time that is no other, or not late as it says"
        case PerformersChanged(before=before, accounts=accounts):
            to_act = _to_act(organisation, state, state.here, entry.at, state.round)
            if set(before) != state.asked or set(accounts) != to_act or before == accounts:
                yield f"asked are {accounts} instead of {before}"
        case RevisionAdopted(revision=revision):
            if revision == state.revision:
                yield "the revision it had"
        case IssueLost(iid=iid):
            if iid != state.iid:
                yield f"lost issue {iid} and not its own, {state.iid}"


def _copying(organisation: Organisation, state: State, entry: Entry, event: DocumentSigned) -> Iterator[str]:
    """A copy more of a paper that is made and counts, signed by each once and by the unit last, and no more of them than are asked for."""
    document, edition = state.issued[event.id]
    asked = dict(state.procedure.document(document).signatures).get(edition, 0)
    before, unit = state.signed_copies.get(event.id, []), state.procedure.role(event.role).channel is Channel.PORTAL
    later = [id_ for id_, (other, other_edition) in state.issued.items() if other == document and other_edition != "draft"]
    if event.id not in state.filed or later[-1] != event.id:
        yield "a copy of a paper that is not made, or counts no longer"
    if event.role in before or len(before) >= asked or event.complete is not (len(before) + 1 == asked):
        yield f"copy {len(before) + 1} of {asked}, complete: {event.complete}"
    if asked > 1 and unit is not (len(before) == asked - 1):
        yield "the unit signs last"
    if not _commands(organisation, state, entry, "tanda-tangan") and (unit or entry.by.account not in state.deciders):
        yield f"{entry.by.account} hands in what others signed"


def _naming(organisation: Organisation, state: State, entry: Entry, members: tuple[str, ...]) -> Iterator[str]:
    """A team is named by command until its letter is approved; then it is proposed, and comes with the approval."""
    if not members or any(organisation.programmer(account) is None for account in members):
        yield "a team of others than programmers"
    if state.signers() & set(members):
        yield "a verifier of this round joined the team"
    letter = state.procedure.letter
    approved = letter is not None and (letter.document, "final") in state.papers
    if isinstance(entry.event, TeamProposed):
        if not approved:
            yield "proposed, with no approved letter to amend"
    elif approved:
        if members != state.approved:
            yield "another team than the approved letter names"
    elif not _commands(organisation, state, entry, "tugaskan"):
        yield f"{entry.by.account} may not say tugaskan"


def _answering(organisation: Organisation, state: State, entry: Entry, role: str) -> Iterator[str]:
    """An amended letter is answered by whoever performs the step that approves letters."""
    letter = state.procedure.letter
    if letter is None or not state.proposed:
        yield "an answer to no amended letter"
    elif role not in _roles(state.procedure.step(letter.approval)) or not _holds(organisation, state, entry.by, entry.at, (role,)):
        yield f"{entry.by.account} does not hold {role}"


def _entering(state: State, event: StepEntered) -> Iterator[str]:
    procedure = state.procedure
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


def _asking(organisation: Organisation, state: State, entry: Entry, event: StepEntered) -> Iterator[str]:
    if event.step >= state.procedure.opens_at:
        to_act = _to_act(organisation, state, state.procedure.step(event.step), entry.at, event.round)
        if set(event.asked) != to_act:
            yield f"asked are {event.asked}, where {to_act} are to act"


def _leaving(organisation: Organisation, state: State, entry: Entry, event: StepLeft) -> Iterator[str]:
    if event.step != state.step:
        yield f"left step {event.step} while at {state.step}"
        return
    step = state.here
    if step.number < state.procedure.opens_at:
        if event.outcome:
            yield "a recorded step was decided"
        return
    outcome = step.outcome(event.outcome)
    if outcome is None:
        yield f"no outcome {event.outcome}"
        return
    if state.paused:
        yield "left while paused"
    if event.role not in _roles(step) or not _holds(organisation, state, entry.by, entry.at, (event.role,)):
        yield f"{entry.by.account} does not hold {event.role}"
    if outcome.needs_reason and not event.reason.strip():
        yield "no reason"
    if outcome.kind is OutcomeKind.FORWARD:
        yield from (f"without {r.id}" for r in step.requirements if not _met(state, step, r, event))
        titles = {title for title, text in event.sections if text.strip()}
        yield from (f"without section {section.title}" for section in step.sections if section.title not in titles)
        yield from _gates(state, step)
        needed = next((also.attachment for also in step.also if also.role == event.role), None)
        if needed and state.attached.get(needed, 0) <= state.entered:
            yield f"without {needed}"


def _gates(state: State, step: Step) -> Iterator[str]:
    if "team" in step.gates and not state.team:
        yield "without a team"
    if "grant" in step.gates and not state.grants:
        yield "without a grant"
    if "revoked" in step.gates and state.grants:
        yield "with open access"
    chain = state.procedure.verification.steps if state.procedure.verification else ()
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
    if entry.by.account in state.workers.union(state.team):
        yield "somebody who did the work verified it"
    if any(r == event.round and account == entry.by.account and step != event.step for r, step, account, _ in state.signed):
        yield "signed twice in a round"


def _ending(organisation: Organisation, state: State, entry: Entry, event: CaseEnded) -> Iterator[str]:
    """Rules 7 and 9: by an outcome that says so, by the unit, or by being handed to a related procedure."""
    by_outcome = state.left_by.ending.value if state.left_by and state.left_by.ending else ""
    match event.ending:
        case "dibatalkan":
            lawful = entry.by.kind is ActorKind.UNIT
        case "dialihkan":
            lawful = _commands(organisation, state, entry, "alihkan") and event.target in state.procedure.handoffs
        case _:
            lawful = event.ending == by_outcome
    if not lawful or (event.ending != "selesai" and not event.reason.strip()):
        yield f"{event.ending}, but nobody who may said so with a reason"
    if event.ending == "selesai" and state.grants:
        yield "done, but access is still open"


def _prioritising(organisation: Organisation, state: State, entry: Entry, priority: str) -> Iterator[str]:
    """By the revised form, or by whoever writes the priority down at its step; also by label, at any step."""
    setters = [step for step in state.procedure.steps if any(section.kind is SectionKind.PRIORITY for section in step.sections)]
    roles = [role for step in setters for role in _roles(step)]
    if priority == state.priority:
        yield "the priority it had"
    if not state.revising and not _holds(organisation, state, entry.by, entry.at, roles):
        yield f"{entry.by.account} set the priority"


def _met(state: State, step: Step, requirement: Requirement, event: StepLeft) -> bool:
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
            since = state.entered if state.procedure.duty and step.number == state.procedure.duty.step else 0
            return any(seq > since for seq in state.reports)
        case "schedule":
            return state.dates or any(section.kind == "date" for section in step.sections)
        case "section":
            return bool(event.sections)
        case _:
            return True


def _roles(step: Step) -> tuple[str, ...]:
    return (step.performer or "", *(also.role for also in step.also))


def _commands(organisation: Organisation, state: State, entry: Entry, word: str) -> bool:
    return _holds(organisation, state, entry.by, entry.at, state.procedure.authority.get(word, ()))


def _holds(organisation: Organisation, state: State, by: Actor, at: datetime, roles: Sequence[str]) -> bool:
    day = at.astimezone(organisation.calendar.tz).date()
    for role in (state.procedure.role(slug) for slug in roles if slug):
        if role.channel is Channel.PORTAL and by.kind is ActorKind.UNIT:
            return True
        if role.team and by.kind is ActorKind.PERSON and by.account in state.team:
            return True
        for office in organisation.offices:
            until = office.until or day
            if (office.role, office.account) == (role.slug, by.account) and office.since <= day <= until and by.kind is ActorKind.PERSON:
                return True
    return False


def _to_act(organisation: Organisation, state: State, step: Step, at: datetime, round_: int) -> set[str]:
    """The accounts that are to act at a step: of the first of its roles in which anybody may; whoever names a team, where there is none."""
    day = at.astimezone(organisation.calendar.tz).date()
    performer = state.procedure.role(step.performer) if step.performer else None
    slugs = _roles(step)
    if performer and performer.team and not state.team:
        slugs = state.procedure.authority.get("tugaskan", ())
    for role in (state.procedure.role(slug) for slug in slugs if slug):
        offices = (o for o in organisation.offices if o.role == role.slug and o.since <= day <= (o.until or day))
        found = {""} if role.channel is Channel.PORTAL else set(state.team) if role.team else _unbarred(offices, state, step, round_)
        if found:
            return found - {""}
    return set()


def _unbarred(offices: Iterable[Office], state: State, step: Step, round_: int) -> set[str]:
    """Rule 4, of those who are asked: nobody judges his own work or signs a second time, but in an acting office."""
    chain = state.procedure.verification.steps if state.procedure.verification else ()
    signed = [s for s in state.signed if s[0] == round_ and s[1] != step.number]
    found = set()
    for office in offices:
        mine = [holding for _, _, account, holding in signed if account == office.account]
        own_work = office.account in state.workers.union(state.team)
        if office.holding is not Holding.FULL or step.number not in chain or not (own_work or not all(mine)):
            found.add(office.account)
    return found
