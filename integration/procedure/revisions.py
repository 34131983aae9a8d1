"""A running case under another revision of its procedure: only where its position survives, and never by itself.

Cases stay on the revision they were opened under; what was decided under it stays as it was.
"""

from integration.procedure import contexts
from integration.procedure.definition import Step
from integration.procedure.draft import Draft, Ignored
from integration.procedure.events import RevisionAdopted as Adopted
from integration.procedure.facts import RevisionAdopted
from integration.procedure.transitions import clock


def revision_adopted(draft: Draft, step: Step, fact: RevisionAdopted) -> None:
    """The case goes on under the revision it is decided with here; its step's clock is counted anew by that one's time standard."""
    case = draft.case
    if case.revision == fact.revision or draft.procedure.revision != fact.revision:
        draft.ignore(Ignored.SAME)
        return
    before = case.revision
    draft.record(Adopted(fact.revision, *clock(draft, step, case.entered_at or draft.at, case.pauses)))
    draft.note("revisi-prosedur", contexts.position(draft.situation, step) | {"before": before, "revision": fact.revision})
