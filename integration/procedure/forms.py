"""The unit's form in a case: submitted, revised, withdrawn, all through the portal; and corrected, where it was wrong about somebody.

A revision keeps the case and its number; the form gets a new version beside the old one (procedure.md rule 3).
"""

from dataclasses import fields
from datetime import datetime

from integration.procedure import contexts
from integration.procedure.contexts import Context
from integration.procedure.definition import Ending, Step
from integration.procedure.draft import Draft, Ignored
from integration.procedure.events import FilesReceived, PrioritySet, StepEntered
from integration.procedure.events import FormRevised as NewVersion
from integration.procedure.facts import FilesSent, FormCorrected, FormRevised, Submission, Withdrawn
from integration.procedure.guards import Code, command_refusal, usual
from integration.procedure.lines import WITHDRAW
from integration.procedure.people import authority, capacity, step_capacity
from integration.procedure.transitions import end, enter, record_recorded

FORM = "form"
"""What a revised form asks for, where a command would have a word."""

_NOT_COMPARED = {"attachments", "filled_from", "filled_until", "sha256", "entered_by"}


def submitted(draft: Draft) -> None:
    """A case that was just opened: what happened in the portal is recorded, then it stands open (POS steps 1 to 4)."""
    started = draft.case.submission.filled_from or draft.at
    _record_portal(draft, 1, min(started, draft.at))
    draft.open_issue()
    draft.upload_attachments()
    enter(draft, draft.procedure.opens_at)


def revised(draft: Draft, step: Step, fact: FormRevised) -> None:
    """The form was revised: where that was asked for, the case goes on with the new version, under the same number."""
    if step.number != draft.procedure.revises_at or step_capacity(draft.situation, step) is None:
        draft.refuse(FORM, usual(draft.situation, step, Code.NOT_AWAITED))
        return
    before = draft.case.submission
    draft.record(NewVersion(len(draft.case.submissions) + 1, fact.submission))
    if fact.submission.urgency != before.urgency:
        draft.record(PrioritySet(fact.submission.urgency))
    _record_portal(draft, step.number, draft.case.entered_at or draft.at)
    draft.upload_attachments()
    enter(draft, draft.procedure.opens_at)
    here = contexts.position(draft.situation, draft.procedure.step(draft.procedure.opens_at))
    differences = changes(before, fact.submission)
    draft.note("revisi-diterima", here | {"version": len(draft.case.submissions), "changes": differences})


def corrected(draft: Draft, fact: FormCorrected) -> None:
    """What the form says of persons is put right, at whatever step: a new version of it, and a note that says which fields changed."""
    before = draft.case.submission
    if draft.case.erased_at or fact.submission == before:
        draft.ignore(Ignored.SAME)
        return
    draft.record(NewVersion(len(draft.case.submissions) + 1, fact.submission))
    fields = [change["field"] for change in changes(before, fact.submission)]
    draft.note("koreksi", {"version": len(draft.case.submissions), "fields": fields})


def files_sent(draft: Draft, step: Step, fact: FilesSent) -> None:
    """The unit sent files along: they go to the issue, where its answer is read."""
    if fact.stay != draft.case.entered_seq or not draft.case.waits_for_unit or not fact.attachments:
        draft.ignore(Ignored.STALE)
        return
    draft.record(FilesReceived(step.number, fact.attachments))
    draft.upload_sent()


def withdrawn(draft: Draft, step: Step, fact: Withdrawn) -> None:  # noqa: ARG001 -- at any step
    """The unit takes its complaint back, at any time, paused or not (procedure.md rule 7)."""
    refusal = command_refusal(draft.situation, WITHDRAW, reason=fact.reason)
    if refusal:
        draft.refuse(WITHDRAW, refusal)
    else:
        end(draft, Ending.WITHDRAWN, fact.reason.strip(), capacity(draft.situation, authority(draft.procedure, WITHDRAW)))


def _record_portal(draft: Draft, first: int, started: datetime) -> None:
    """The steps before the case opens, from `first` on, with the portal's times; the form is filled in at the step revisions go to."""
    fills = draft.procedure.revises_at
    filled = min(max(draft.case.submission.filled_until or draft.at, started), draft.at)
    for step in draft.procedure.steps:
        if first <= step.number < draft.procedure.opens_at:
            if step.number != draft.case.step:
                draft.record(StepEntered(step.number, None, draft.case.round, at=filled if step.number > fills else started))
            left_at = draft.at if step.number > fills else filled
            record_recorded(draft, step, left_at if step.number >= fills else started)


def changes(before: Submission, after: Submission) -> list[Context]:
    """What differs between two versions, field by field; attachments by their names."""
    pairs = [(f.name, getattr(before, f.name), getattr(after, f.name)) for f in fields(after) if f.name not in _NOT_COMPARED]
    pairs.append(("attachments", _names(before), _names(after)))
    return [{"field": name, "before": old, "after": new} for name, old, new in pairs if old != new]


def _names(form: Submission) -> str:
    return ", ".join(attachment.name for attachment in form.attachments)
