"""What the ledger says of a paper it issued: up to where it was written then, who signs it, and whether it still counts.

A paper itself is never changed: what became of it is told beside it, never in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from integration.procedure.case import Case, Paper
from integration.procedure.definition import DRAFT, OutcomeKind, Procedure, Step
from integration.procedure.events import DocumentIssued, Entry, LetterAnswered, StepLeft
from integration.procedure.facts import ActorKind


class Standing(StrEnum):
    """Whether a paper counts."""

    VALID = "berlaku"
    DRAFT = "rancangan"
    SUPERSEDED = "digantikan"
    VOID = "dibatalkan"


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs: `capacity` as it is printed ("Plh. Kepala Pustikom"); "" where nobody left the step: the paper is the centre's own.

    `entry`: by which somebody of ours left the step, in the office of this `role`; None where the head of the unit signs, or nobody.
    """

    capacity: str
    role: str = ""
    entry: Entry | None = None


def ledger_at(document: str, entries: Sequence[Entry]) -> Sequence[Entry]:
    """What the ledger said when it issued the paper with this id. Raises KeyError for an id it does not hold."""
    for position, entry in enumerate(entries, start=1):
        if isinstance(entry.event, DocumentIssued) and entry.event.id == document:
            return entries[:position]
    raise KeyError(document)


def leaving(step: Step, entries: Sequence[Entry]) -> Entry | None:
    """The entry by which the step was last left."""
    return next((e for e in reversed(entries) if isinstance(e.event, StepLeft) and e.event.step == step.number), None)


def signings(case: Case, step: Step, entries: Sequence[Entry], procedure: Procedure) -> tuple[Signing, ...]:
    """Who signs a paper of this step, the unit's side second: both where the case is handed over and accepted (POS steps 30 and 31).

    `entries`, `case`: as they stood when the paper was issued.
    """
    handing_over, accepting = handover(procedure)
    if step in accepting and handing_over:  # what the unit accepts was signed by whoever handed it over
        return (_signing(case, handing_over[-1], entries, procedure), _unit_head(case))
    signing = _signing(case, step, entries, procedure)
    return (signing, _unit_head(case)) if step in handing_over else (signing,)


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


def _signing(case: Case, step: Step, entries: Sequence[Entry], procedure: Procedure) -> Signing:
    """Whoever left the step that made the paper, in the office they left it in; an amended letter is signed by whoever approved it."""
    entry = _answering(step, entries, procedure) or leaving(step, entries)
    if entry is None or not isinstance(entry.event, StepLeft | LetterAnswered):
        return Signing("")
    if entry.by.kind is ActorKind.UNIT or not entry.by.account:
        return _unit_head(case)
    event = entry.event
    return Signing(f"{event.office} {procedure.role(event.role).name}".strip(), event.role, entry)


def _answering(step: Step, entries: Sequence[Entry], procedure: Procedure) -> Entry | None:
    """The entry by which an amended letter was approved, for the step that approves letters: it came after the step was left."""
    if procedure.letter is None or procedure.letter.approval != step.number:
        return None
    return next((e for e in reversed(entries) if isinstance(e.event, LetterAnswered) and e.event.accepted), None)


def _unit_head(case: Case) -> Signing:
    form = case.submission
    return Signing(f"{form.head_title} {form.unit_name}")
