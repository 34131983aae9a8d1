"""What the members of a team find assigned to them: an issue of their own each, for the platform keeps one assignee (behaviour.md 4).

The one in charge has the case's own issue. Tasks are to-dos and nothing else: whatever happens to one moves no case.
"""

from integration.procedure.case import Case
from integration.procedure.definition import OutcomeKind, Procedure
from integration.procedure.draft import Draft
from integration.procedure.events import IssueLost
from integration.procedure.people import is_teams


def give_tasks(draft: Draft, before: Case) -> None:
    """Open and close what differs between the case before and after; an issue in the place of a lost one is linked again."""
    had, has = _with_tasks(draft.procedure, before), _with_tasks(draft.procedure, draft.case)
    lost = any(isinstance(entry.event, IssueLost) for entry in draft.entries)
    for account in has:
        if lost or account not in had:
            draft.open_task(account)
    for account in had:
        if account not in has:
            draft.close_task(account)


def _with_tasks(procedure: Procedure, case: Case) -> tuple[str, ...]:
    """Who has one: the team beside the one in charge, from when it was told until the case ends (POS step 16)."""
    return case.team[1:] if case.step is not None and _told(procedure, case) else ()


def _told(procedure: Procedure, case: Case) -> bool:
    """Whether the team knows of its case: its letter was received, or an exception order has come to a step of its own before that."""
    for passage in case.history:
        step = procedure.step(passage.step)
        outcome = step.outcome(passage.outcome)
        received = procedure.letter is not None and passage.step == procedure.letter.receipt
        if is_teams(procedure, step) or (received and outcome and outcome.kind is OutcomeKind.FORWARD):
            return True
    return False
