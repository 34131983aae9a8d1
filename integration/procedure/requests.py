"""What people ask for without moving the case: boxes, a team, access, documents, a pause, an answer."""

from integration.procedure import contexts, letter
from integration.procedure.definition import Gate, SectionKind, Step, Supply
from integration.procedure.draft import Draft, Ignored
from integration.procedure.events import (
    AccessGranted,
    AccessRevoked,
    Missing,
    Paused,
    PrioritySet,
    RequirementCleared,
    RequirementTicked,
    Resumed,
)
from integration.procedure.events import DocumentAttached as DocumentKept
from integration.procedure.facts import (
    AccessGiven,
    AccessTaken,
    DocumentAttached,
    PauseAsked,
    PriorityMoved,
    ResumeAsked,
    TeamNamed,
    Ticked,
)
from integration.procedure.guards import Code, asked_of, command_fault, command_refusal, not_yours, usual
from integration.procedure.lines import ASSIGN, ATTACH, GRANT, PAUSE, RESUME, REVOKE, command_line
from integration.procedure.people import authority, capacity, step_capacity, step_roles
from integration.procedure.requirements import satisfied
from integration.procedure.sections import read_priority
from integration.procedure.transitions import clock

TICK, PRIORITY = "tick", "priority"
"""What was asked, where nobody typed a word."""


def ticked(draft: Draft, step: Step, fact: Ticked) -> None:
    """A box of the checklist: counts from a holder of the step's role, is put back otherwise (procedure.md rule 2).

    So is, whoever cleared it, a box that the case's own data set.

    A box is shown only while its step lasts: set after an earlier stay in the step was over, it was set in this one, whatever the clocks
    say of the moment it was entered. What was set in that stay was cleared with it.
    """
    requirement = next((r for r in step.requirements if r.id == fact.requirement), None)
    earlier = draft.case.left_at.get(step.number)
    if requirement is None or (earlier and fact.at <= earlier):
        draft.ignore(Ignored.STALE)
    elif fact.done is satisfied(draft.procedure, draft.case, requirement, draft.situation.day):
        draft.ignore(Ignored.SAME)
    elif requirement.supply is not Supply.TICK:
        draft.show()
        draft.refuse(f"{TICK}:{requirement.id}", usual(draft.situation, step, Code.NOT_TICKABLE))
    elif step_capacity(draft.situation, step) is None:
        draft.show()
        draft.refuse(f"{TICK}:{requirement.id}", not_yours(draft.situation, step))
    else:
        draft.record(RequirementTicked(requirement.id) if fact.done else RequirementCleared(requirement.id))


def priority_moved(draft: Draft, step: Step, fact: PriorityMoved) -> None:  # noqa: ARG001 -- at any step
    """A priority's label: counts from whoever may set the priority in writing, at any step (POS step 6); is put back otherwise.

    Nobody types anything for it, so a refusal names who may put it on, and no line.
    """
    priority, act = read_priority(fact.priority), f"{PRIORITY}:{fact.priority}"
    setters = [s for s in draft.procedure.steps if any(section.kind is SectionKind.PRIORITY for section in s.sections)]
    roles = tuple(dict.fromkeys(role for setter in setters for role in step_roles(setter)))
    if priority is None:
        draft.show()
        draft.refuse(act, asked_of(draft.situation, roles, Code.NO_SUCH_PRIORITY))
    elif priority == draft.case.priority:
        draft.ignore(Ignored.SAME)
    elif capacity(draft.situation, roles) is None:
        draft.show()
        draft.refuse(act, asked_of(draft.situation, roles, Code.NOT_YOURS))
    else:
        before = draft.case.priority
        draft.record(PrioritySet(priority.value))
        draft.note("prioritas", {"before": before, "priority": priority.value, "by": contexts.name_of(draft.situation)})


def team_named(draft: Draft, step: Step, fact: TeamNamed) -> None:
    """The case's team, the first one in charge (POS step 13); the platform tells accounts apart by their letters, not by their case.

    At any step, for teams change; but not under a letter that names the team and waits for its signature (POS step 15), and by an amended
    letter alone once one is approved.
    """
    spelled = {programmer.account.casefold(): programmer.account for programmer in draft.organisation.programmers}
    members = tuple(dict.fromkeys(spelled.get(account.casefold(), account) for account in fact.accounts))
    refusal = command_refusal(draft.situation, ASSIGN) or letter.unfit(draft, members)
    if refusal:
        draft.refuse(ASSIGN, refusal)
    elif members == (draft.case.proposed or draft.case.team):
        draft.ignore(Ignored.SAME)
    elif letter.waits_for_signature(draft.procedure, draft.case, step):
        draft.refuse(ASSIGN, usual(draft.situation, step, Code.LETTER_DRAFTED))
    elif amended := letter.amendable(draft.procedure, draft.case):
        letter.propose(draft, amended, members)
    else:
        letter.take(draft, members)


def access_given(draft: Draft, step: Step, fact: AccessGiven) -> None:
    """Access as a record: who, to which server, with which right, until when (procedure.md rule 8)."""
    s = draft.situation
    refusal = command_refusal(s, GRANT)
    if refusal is None and fact.until < s.day:
        refusal = command_fault(s, GRANT, Code.GRANT_PAST)
    if refusal is None and any(Gate.REVOKED in before.gates and before.number < step.number for before in draft.procedure.steps):
        refusal = usual(s, step, Code.GRANT_TOO_LATE)
    if refusal:
        draft.refuse(GRANT, refusal)
        return
    draft.record(AccessGranted(fact.account, fact.server, fact.right, fact.until))
    said = {"account": fact.account, "server": fact.server, "right": fact.right, "until": contexts.iso(fact.until)}
    draft.note("akses", said | {"by": contexts.name_of(s)})


def access_taken(draft: Draft, fact: AccessTaken) -> None:
    """Access was taken back; also after the end, for a case can end while some is open."""
    s = draft.situation
    refusal = command_refusal(s, REVOKE)
    if refusal is None and not any((g.account, g.server) == (fact.account, fact.server) for g in s.case.open_grants):
        still_open = tuple(Missing("grant", f"{grant.account} {grant.server}") for grant in s.case.open_grants)
        refusal = command_fault(s, REVOKE, Code.NO_SUCH_GRANT, still_open)
    if refusal:
        draft.refuse(REVOKE, refusal)
        return
    draft.record(AccessRevoked(fact.account, fact.server))
    draft.note("akses-dicabut", {"account": fact.account, "server": fact.server, "by": contexts.name_of(s)})


def document_attached(draft: Draft, step: Step, fact: DocumentAttached) -> None:  # noqa: ARG001 -- at any step
    """A document people attach as evidence; it decides nothing."""
    s = draft.situation
    refusal = command_refusal(s, ATTACH)
    if refusal is None and fact.document not in {document.slug for document in draft.procedure.documents}:
        known = tuple(Missing("attachment", document.title) for document in draft.procedure.documents if not document.template)
        refusal = command_fault(s, ATTACH, Code.UNKNOWN_DOCUMENT, known)
    if refusal is None and not fact.links:
        refusal = command_fault(s, ATTACH, Code.NO_UPLOAD, line=command_line(ATTACH, fact.document))
    if refusal:
        draft.refuse(ATTACH, refusal)
        return
    draft.record(DocumentKept(fact.document, fact.links))
    draft.note("lampiran", {"document": draft.procedure.document(fact.document).title, "by": contexts.name_of(s)})


def pause_asked(draft: Draft, step: Step, fact: PauseAsked) -> None:
    """The clock stands until somebody resumes (procedure.md rule 7); while the unit revises its form none runs anyway."""
    s = draft.situation
    refusal = command_refusal(s, PAUSE, reason=fact.reason)
    if refusal is None and s.case.paused_since:
        refusal = command_fault(s, RESUME, Code.ALREADY_PAUSED)
    if refusal is None and step.number == draft.procedure.revises_at:
        refusal = usual(s, step, Code.NO_CLOCK)
    if refusal:
        draft.refuse(PAUSE, refusal)
        return
    draft.record(Paused(fact.reason.strip()))
    draft.note("jeda", _by_authority(draft, PAUSE) | {"reason": fact.reason.strip()})


def resume_asked(draft: Draft, step: Step, fact: ResumeAsked) -> None:  # noqa: ARG001
    """The clock runs again; what it stood still does not count (procedure.md rule 6)."""
    s = draft.situation
    refusal = command_refusal(s, RESUME)
    if refusal is None and s.case.paused_since is None:
        refusal = usual(s, step, Code.NOT_PAUSED)
    if refusal:
        draft.refuse(RESUME, refusal)
        return
    pauses = (*s.case.pauses, (s.case.paused_since or draft.at, draft.at))
    draft.record(Resumed(*clock(draft, step, s.case.entered_at or draft.at, pauses)))
    draft.note("lanjut", contexts.position(draft.situation, step) | _by_authority(draft, RESUME))


def _by_authority(draft: Draft, word: str) -> contexts.Context:
    """Who gave a command, and in what capacity."""
    return contexts.actor(draft.situation, capacity(draft.situation, authority(draft.procedure, word)))
