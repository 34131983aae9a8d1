"""The ways a case can take through the steps: every step is reached, every step leads to the end, every document is made in time.

Judged only on a procedure whose parts fit together (`rules`): beside a wrong step number the ways mean nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from integration.procedure.definition import Ending, Procedure, Requirement
from integration.yamlfile import Faults, Place


@dataclass(frozen=True, slots=True)
class Way:
    """From step `start` to step `to` (None: out of the case), making `papers`: documents with their editions, "" for any."""

    start: int
    to: int | None
    papers: tuple[tuple[str, str], ...] = ()

    def makes(self, document: str, edition: str | None) -> bool:
        """Whether the document, in this edition (None: any), is made on the way."""
        return any(made == document and edition in (None, made_edition) for made, made_edition in self.papers)


def broken_ways(procedure: Procedure, faults: Faults) -> None:
    """Note unreachable steps, steps without a way to the end, and documents that are asked for before they are made."""
    ways = _ways(procedure)
    reached = _reached(procedure.opens_at, ways)
    last = {step.number for step in procedure.steps for outcome in step.outcomes if outcome.ending is Ending.DONE}
    for index, step in enumerate(procedure.steps):
        at = ("steps", index)
        if step.number < procedure.opens_at:
            continue
        if step.number not in reached:
            faults.add(at, "unreachable", number=step.number, opens=procedure.opens_at)
        if not last & _reached(step.number, ways):
            faults.add(at, "no-end", number=step.number)
        for position, requirement in enumerate(step.requirements):
            _made_in_time(procedure, requirement, step.number, ways, (*at, "requirements", position), faults)


def _made_in_time(procedure: Procedure, requirement: Requirement, number: int, ways: list[Way], place: Place, faults: Faults) -> None:
    """A demanded document is made on every way to its step, also on the exception's; one without a template people bring themselves."""
    if not requirement.document or not procedure.document(requirement.document).template:
        return
    without = [way for way in ways if not way.makes(requirement.document, requirement.edition)]
    if number in _reached(procedure.opens_at, without):
        faults.add(place, "not-made", item=requirement.id, document=requirement.document)
    exception = procedure.emergency
    if exception and exception.first <= number <= exception.last:
        inside = range(exception.first, exception.last + 1)
        if number in _reached(exception.first, [way for way in without if way.start in inside and way.to in inside]):
            faults.add(place, "not-made-in-emergency", item=requirement.id, document=requirement.document, first=exception.first)


def _ways(procedure: Procedure) -> list[Way]:
    """All of them, the revised form's included: it comes back to where a case opens."""
    ways = [Way(procedure.revises_at, procedure.opens_at)]
    for step in procedure.steps:
        for outcome in step.outcomes:
            papers = [(product.document, product.edition) for product in step.products if outcome.word in product.on]
            duty = procedure.duty
            if duty and duty.document and (duty.step, duty.outcome) == (step.number, outcome.word):
                papers.append((duty.document, ""))
            ways.append(Way(step.number, outcome.to, tuple(papers)))
    return ways


def _reached(start: int, ways: Iterable[Way]) -> set[int]:
    """The steps these ways lead to from `start`, itself included."""
    reached, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        ahead = {way.to for way in ways if way.start == here and way.to is not None} - reached
        reached |= ahead
        waiting += ahead
    return reached
