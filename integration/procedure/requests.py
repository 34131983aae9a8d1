"""What people ask for without moving the case: boxes, a team, access, documents, a pause, an answer."""

from integration.procedure import contexts
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
    TeamAssigned,
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
from integration.procedure.guards import Code, Refusal, command_fault, command_refusal, not_yours, usual
from integration.procedure.lines import ASSIGN, ATTACH, GRANT, PAUSE, RESUME, REVOKE, command_line
from integration.procedure.people import capacity, people, step_capacity, step_roles
from integration.procedure.sections import read_priority
from integration.procedure.transitions import clock

TICK, PRIORITY = "tick", "priority"
"""What was asked, where nobody typed a word."""


def ticked(draft: Draft, step: Step, fact: Ticked) -> None:
    """A box of the checklist: counts from a holder of the step's role, is put back otherwise (procedure.md rule 2)."""
    requirement = next((r for r in step.requirements if r.id == fact.requirement), None)
    if requirement is None:
        draft.ignore(Ignored.STALE)
    elif fact.done is (requirement.id in draft.case.ticks):
        draft.ignore(Ignored.SAME)
    elif requirement.supply is not Supply.TICK:
        draft.show()
        draft.refuse(f"{TICK}:{requirement.id}", usual(draft.situation, step, Code.NOT_TICKABLE))
    elif step_capacity(draft.situation, step) is None:
        draft.show()
        draft.refuse(f"{TICK}:{requirement.id}", not_yours(draft.situation, step))
    else:
        draft.record(RequirementTicked(requirement.id) if fact.done else RequirementCleared(requirement.id))


def priority_moved(draft: Draft, step: Step, fact: PriorityMoved) -> None:
    """A priority's label: counts from whoever may set the priority in writing, at any step (POS step 6); is put back otherwise."""
    priority, asked = read_priority(fact.priority), f"{PRIORITY}:{fact.priority}"
    setters = [s for s in draft.procedure.steps if any(section.kind is SectionKind.PRIORITY for section in s.sections)]
    roles = tuple(dict.fromkeys(role for setter in setters for role in step_roles(setter)))
    if priority is None:
        draft.show()
        draft.refuse(asked, usual(draft.situation, step, Code.NO_SUCH_PRIORITY))
    elif priority == draft.case.priority:
        draft.ignore(Ignored.SAME)
    elif capacity(draft.situation, roles) is None:
        draft.show()
        draft.refuse(asked, Refusal(Code.NOT_YOURS, (), people(draft.situation, roles)))
    else:
        before = draft.case.priority
        draft.record(PrioritySet(priority.value))
        draft.note("prioritas", {"before": before, "priority": priority.value, "by": contexts.name_of(draft.situation)})


def team_named(draft: Draft, step: Step, fact: TeamNamed) -> None:  # noqa: ARG001 -- at any step: teams change
    """The case's team, the first one in charge (POS step 13); the platform tells accounts apart by their letters, not by their case."""
    spelled = {programmer.account.casefold(): programmer.account for programmer in draft.organisation.programmers}
    members = tuple(dict.fromkeys(spelled.get(account.casefold(), account) for account in fact.accounts))
    refusal = command_refusal(draft.situation, ASSIGN) or _unfit(draft, members)
    if refusal:
        draft.refuse(ASSIGN, refusal)
    elif members == draft.case.team:
        draft.ignore(Ignored.SAME)
    else:
        draft.record(TeamAssigned(draft.case.team_version + 1, members))
        lead, *others = contexts.accounts(draft.organisation, members)
        by = contexts.name_of(draft.situation)
        draft.note("tim", {"lead": lead, "members": others, "version": draft.case.team_version, "by": by})


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
    draft.note("jeda", {"reason": fact.reason.strip(), "by": contexts.name_of(s)})


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
    draft.note("lanjut", contexts.position(draft.situation, step) | {"by": contexts.name_of(s)})


def _unfit(draft: Draft, members: tuple[str, ...]) -> Refusal | None:
    """Teams are made of the organisation's programmers, and of nobody who verified this round's work (procedure.md rule 4)."""
    verifiers = {sign.by.account for sign in draft.case.standing_signoffs}
    unfit = [account for account in members if draft.organisation.programmer(account) is None or account in verifiers]
    if members and not unfit:
        return None
    return command_fault(draft.situation, ASSIGN, Code.UNFIT_TEAM, tuple(Missing("member", account) for account in unfit))
