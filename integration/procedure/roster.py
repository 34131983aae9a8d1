"""The organisation changed under a running case: its clock is counted anew, and who acts from now on is told.

What was decided keeps the office and the working time of its own day; only what is still open is looked at again.
"""

from integration.procedure import contexts
from integration.procedure.definition import Step
from integration.procedure.draft import Draft, Ignored
from integration.procedure.events import DueRecomputed, PerformersChanged
from integration.procedure.facts import OrganisationChanged
from integration.procedure.people import performers
from integration.procedure.transitions import clock


def organisation_changed(draft: Draft, step: Step, fact: OrganisationChanged) -> None:  # noqa: ARG001 -- it says only that it is so
    """The due time by the calendar of now, and the people of now; where both are as before, nothing happened."""
    _recompute(draft, step)
    _ask(draft, step)
    if not draft.entries:
        draft.ignore(Ignored.SAME)


def _recompute(draft: Draft, step: Step) -> None:
    """The clock of the step anew; a paused one is counted when it is resumed."""
    case = draft.case
    if case.paused_since:
        return
    moment, gap = clock(draft, step, case.entered_at or draft.at, case.pauses)
    if (moment, gap) == (case.due, case.gap):
        return
    before = case.due
    draft.record(DueRecomputed(moment, gap, late=moment is not None and moment <= draft.at))
    draft.note("tenggat-berubah", contexts.position(draft.situation, step) | {"before": contexts.iso(before)})


def _ask(draft: Draft, step: Step) -> None:
    """Others hold the office than when somebody was last asked: they are asked now; nobody: who may act meanwhile is named."""
    s = draft.situation
    accounts = tuple(person.account for person in performers(s.procedure, s.organisation, s.case, s.day) if person.account)
    if accounts == draft.case.asked:
        return
    before = draft.case.asked
    draft.record(PerformersChanged(before, accounts))
    draft.note("pejabat-berganti", contexts.position(draft.situation, step) | {"before": list(before)})
