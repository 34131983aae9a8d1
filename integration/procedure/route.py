"""Where a way out of a step leads: where the table says, but around the steps of an exception order (procedure.md rule 7).

And all ways together, as who judges a procedure or another revision of it looks at them: what is reached, and what is made on the way.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from integration.procedure.case import Case
from integration.procedure.definition import Outcome, OutcomeKind, Procedure, Step


@dataclass(frozen=True, slots=True)
class Way:
    """From step `start` to step `to` (None: out of the case), making `papers`: documents with their editions, "" for any."""

    start: int
    to: int | None
    papers: tuple[tuple[str, str], ...] = ()

    def makes(self, document: str, edition: str | None) -> bool:
        """Whether the document, in this edition (None: any), is made on the way."""
        return any(made == document and edition in (None, made_edition) for made, made_edition in self.papers)


def ways(procedure: Procedure, case: Case | None = None) -> list[Way]:
    """All of them, the revised form's included: it comes back to where a case opens. With a case, its exception order's detours too."""
    found = [Way(procedure.revises_at, procedure.opens_at)]
    for step in procedure.steps:
        for outcome in step.outcomes:
            papers = [(product.document, product.edition) for product in step.products if outcome.word in product.on]
            duty = procedure.duty
            if duty and duty.document and (duty.step, duty.outcome) == (step.number, outcome.word):
                papers.append((duty.document, ""))
            targets = {outcome.to, destination(procedure, case, step, outcome)} if case else {outcome.to}
            found += [Way(step.number, to, tuple(papers)) for to in targets]
    return found


def reached(start: int, known: Sequence[Way]) -> set[int]:
    """The steps these ways lead to from `start`, itself included."""
    found, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        ahead = {way.to for way in known if way.start == here and way.to is not None} - found
        found |= ahead
        waiting += ahead
    return found


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
