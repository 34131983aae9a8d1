"""The organisation changed under a running case: its clock is counted anew, and who acts from now on is told.

What was decided keeps the office and the working time of its own day; only what is still open is looked at again.
"""

from integration.procedure import contexts
from integration.procedure.definition import Step
from integration.procedure.draft import Draft
from integration.procedure.events import DueRecomputed
from integration.procedure.facts import OrganisationChanged
from integration.procedure.transitions import ask_anew, clock


def organisation_changed(draft: Draft, step: Step, fact: OrganisationChanged) -> None:  # noqa: ARG001 -- it says only that it is so
    """The due time by the calendar of now, and the people of now; also where both are as before, the issue may name them otherwise."""
    _recompute(draft, step)
    ask_anew(draft, step)
    draft.show()


def _recompute(draft: Draft, step: Step) -> None:
    """The clock of the step anew; a paused one is counted when it is resumed."""
    case = draft.case
    if case.paused_since:
        return
    before = case.due
    moment, gap = clock(draft, step, case.entered_at or draft.at, case.pauses)
    if (moment, gap) == (before, case.gap):
        return
    draft.record(DueRecomputed(moment, gap, late=moment is not None and moment <= draft.at))
    skipped = contexts.days_off(draft.organisation.calendar, draft.case)
    draft.note("tenggat-berubah", contexts.position(draft.situation, step) | {"before": contexts.iso(before), "skipped": skipped})
