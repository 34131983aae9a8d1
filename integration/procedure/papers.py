"""What the ledger says of a paper it issued: up to where it was written then, who signs it, and whether it still counts.

A paper itself is never changed: what became of it is told beside it, never in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from integration.procedure.case import Approval, Case, Paper, Passage
from integration.procedure.definition import DRAFT, Channel, OutcomeKind, Procedure, Step
from integration.procedure.events import DocumentIssued, Entry
from integration.procedure.facts import Actor, ActorKind


class Standing(StrEnum):
    """Whether a paper counts."""

    VALID = "berlaku"
    DRAFT = "rancangan"
    SUPERSEDED = "digantikan"
    VOID = "dibatalkan"


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs: `capacity` as it is printed ("Plh. Kepala Pustikom"); "" where nobody left the step: the paper is the centre's own.

    `by`, `at`: who of ours left the step in this `role`, and when; None where the head of the unit signs, or nobody.
    """

    capacity: str
    role: str = ""
    by: Actor | None = None
    at: datetime | None = None


def ledger_at(document: str, entries: Sequence[Entry]) -> Sequence[Entry]:
    """What the ledger said when it issued the paper with this id. Raises KeyError for an id it does not hold."""
    for position, entry in enumerate(entries, start=1):
        if isinstance(entry.event, DocumentIssued) and entry.event.id == document:
            return entries[:position]
    raise KeyError(document)


def signings(procedure: Procedure, case: Case, paper: Paper) -> tuple[Signing, ...]:
    """Who signs a paper, the unit's side second: both where the case is handed over and accepted (POS steps 30 and 31).

    `case`: as it stood when the paper was issued, or at any time since: of what came later nothing counts but a revised form.
    """
    step = procedure.step(paper.step)
    handing_over, accepting = handover(procedure)
    if step in accepting and handing_over:  # what the unit accepts was signed by whoever handed it over
        return (_signing(procedure, case, paper, handing_over[-1]), _unit_head(procedure, case))
    signing = _signing(procedure, case, paper, step)
    return (signing, _unit_head(procedure, case)) if step in handing_over else (signing,)


def signers(procedure: Procedure, case: Case, paper: Paper) -> tuple[Signing, ...]:
    """Of whom signed copies of this paper are asked for, in the order in which they sign; () where of nobody."""
    asked = procedure.document(paper.document).signatures_on(paper.edition)
    return tuple(signing for signing in signings(procedure, case, paper)[:asked] if signing.capacity)


def to_sign(procedure: Procedure, case: Case, paper: Paper) -> tuple[Signing, ...]:
    """Who has yet to sign, the next one first; () once all have, and for a paper that does not count or is not made yet."""
    if not paper.sha256 or standing(procedure, case, paper) is not Standing.VALID:
        return ()
    return signers(procedure, case, paper)[len(paper.copies) :]


def signed_paper(procedure: Procedure, case: Case, document: str) -> Paper | None:
    """The paper of this type that counts and of which signed copies are asked for, whether or not they are there; None without one."""
    counting = (p for p in case.documents if p.document == document and p.sha256 and standing(procedure, case, p) is Standing.VALID)
    return next((paper for paper in counting if signers(procedure, case, paper)), None)


def handover(procedure: Procedure) -> tuple[list[Step], list[Step]]:
    """The steps by which a case is handed over, and those at which that is accepted."""
    accepting = [s for s in procedure.steps if any(o.kind is OutcomeKind.FORWARD and o.ending for o in s.outcomes)]
    numbers = {s.number for s in accepting}
    return [s for s in procedure.steps if any(o.kind is OutcomeKind.FORWARD and o.to in numbers for o in s.outcomes)], accepting


def superseding(procedure: Procedure, case: Case, paper: Paper) -> Paper | None:
    """The newest paper that took this one's place; a draft takes another draft's alone, and only until one is approved.

    The reports of a recurring duty stand beside each other: only one of the same week takes another's place.
    """
    later = [p for p in reversed(case.documents) if p.document == paper.document and p.version > paper.version]
    if procedure.duty is not None and procedure.duty.document == paper.document:
        later = [p for p in later if p.edition == paper.edition]
    drafts = [p for p in later if p.edition == DRAFT and paper.edition == DRAFT]
    return next((p for p in later if p.edition != DRAFT), next(iter(drafts), None))


def standing(procedure: Procedure, case: Case, paper: Paper, *, void: bool = False) -> Standing:
    """Whether a paper counts. `void`: its number was, which the ledger does not tell."""
    if void:
        return Standing.VOID
    if superseding(procedure, case, paper) is not None:
        return Standing.SUPERSEDED
    return Standing.DRAFT if paper.edition == DRAFT else Standing.VALID


def _signing(procedure: Procedure, case: Case, paper: Paper, step: Step) -> Signing:
    """Whoever left the step, in the office they left it in; an amended letter is signed by whoever approved it."""
    left = _approval(procedure, case, paper, step) or _leaving(case, paper, step)
    if left is None or left.by is None:
        return Signing("")
    if left.by.kind is ActorKind.UNIT or not left.by.account:
        return _unit_head(procedure, case)
    at = left.at if isinstance(left, Approval) else left.left_at
    return Signing(f"{left.office} {procedure.role(left.role).name}".strip(), left.role, left.by, at)


def _leaving(case: Case, paper: Paper, step: Step) -> Passage | None:
    """The last stay in the step that was over when the paper was issued."""
    stays = (stay for stay in reversed(case.history) if stay.step == step.number and stay.entered_seq < paper.issued_seq)
    return next((stay for stay in stays if stay.role), None)


def _approval(procedure: Procedure, case: Case, paper: Paper, step: Step) -> Approval | None:
    """The last approval of an amended letter before the paper, for the step that approves letters: it came after the step was left."""
    if procedure.letter is None or procedure.letter.approval != step.number:
        return None
    return next((approval for approval in reversed(case.approvals) if approval.seq < paper.issued_seq), None)


def _unit_head(procedure: Procedure, case: Case) -> Signing:
    form = case.submission
    role = next(role.slug for role in procedure.roles if role.channel is Channel.PORTAL)
    return Signing(f"{form.head_title} {form.unit_name}", role)
