"""Where a way out of a step leads: where the table says, but around the steps of an exception order (procedure.md rule 7)."""

from integration.procedure.case import Case
from integration.procedure.definition import Outcome, OutcomeKind, Procedure, Step


def destination(procedure: Procedure, case: Case, step: Step, outcome: Outcome) -> int | None:
    """The step this outcome of the current step leads to; None where it ends the case.

    When the last step of an exception order is done, the skipped ones are made up for from the first one still owed; when the step before
    the order's is left after that, they are not walked a second time.
    """
    emergency, order = procedure.emergency, case.emergency
    if emergency is None or order is None or outcome.kind is not OutcomeKind.FORWARD:
        return outcome.to
    if step.number == emergency.last and order.debts:
        return order.debts[0][0]
    if outcome.to == emergency.first and _walked(procedure, case, emergency.last, order.seq):
        return emergency.last + 1
    return outcome.to


def _walked(procedure: Procedure, case: Case, last: int, since: int) -> bool:
    """Whether the exception's steps were done under this order, and in this round: what was reworked goes to the server again."""
    passages = [passage for passage in case.history if passage.step == last and passage.entered_seq > since]
    if not passages or passages[-1].round != case.round:
        return False
    outcome = procedure.step(last).outcome(passages[-1].outcome)
    return outcome is not None and outcome.kind is OutcomeKind.FORWARD
