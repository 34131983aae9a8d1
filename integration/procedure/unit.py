"""What the unit is told through the portal: only where its case stands, never a comment of the office (procedure.md rule 10)."""

from integration.procedure.case import Case
from integration.procedure.definition import Step
from integration.procedure.draft import Draft, Ignored
from integration.procedure.events import SignedOff, StepLeft
from integration.procedure.facts import ActorKind, LinkAsked


def tell_unit(draft: Draft, before: Case) -> None:
    """Call the portal for what differs between the case before and after; reasons only where they are meant for the unit."""
    case = draft.case
    if case.ending and not before.ending:
        target = {"tujuan": case.ending_target} if case.ending_target else {}
        draft.call_portal("pengaduan.selesai", alasan=case.ending_reason, **target)
    elif case.entered_seq != before.entered_seq:
        _tell_step(draft, opened=before.entered_seq == 0)
    elif (case.status, case.due) != (before.status, before.due) or (draft.entries and draft.fact.by.kind is ActorKind.UNIT):
        draft.call_portal("status.berubah")  # also when the unit's own request was refused: the portal may show another step


def link_asked(draft: Draft, step: Step, fact: LinkAsked) -> None:
    """The unit's link has run out while its answer is waited for: it is asked again, at the addresses of its form, by another one."""
    if fact.stay != draft.case.entered_seq or not (draft.case.waits_for_unit or step.unit_takes_part):
        draft.ignore(Ignored.STALE)
    else:
        draft.ask_unit("pengaduan.perlu_revisi" if step.number == draft.procedure.revises_at else "giliran.unit_kerja")


def _tell_step(draft: Draft, *, opened: bool) -> None:
    case, step = draft.case, draft.situation.step
    left = [entry.event for entry in draft.entries if isinstance(entry.event, StepLeft)]
    if opened:
        draft.call_portal("pengaduan.terdaftar")
    elif any(isinstance(entry.event, SignedOff) for entry in draft.entries):
        draft.call_portal("status.berubah", hasil=left[-1].outcome)
    else:
        draft.call_portal("status.berubah")
    reason = left[-1].reason if left else ""
    if case.step == draft.procedure.revises_at and reason:
        draft.ask_unit("pengaduan.perlu_revisi", alasan=reason)
    elif case.waits_for_unit or (step and step.unit_takes_part):
        draft.ask_unit("giliran.unit_kerja")  # also for a form still owed when an exception order's steps are done
