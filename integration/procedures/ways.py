"""The ways a case can take through the steps: every step is reached, every step leads to the end, every document is made in time.

Judged only on a procedure whose parts fit together (`rules`): beside a wrong step number the ways mean nothing.
"""

from integration.procedure.definition import Ending, Procedure, Requirement
from integration.procedure.route import Way, reached, ways
from integration.yamlfile import Faults, Place


def broken_ways(procedure: Procedure, faults: Faults) -> None:
    """Note unreachable steps, steps without a way to the end, and documents that are asked for before they are made."""
    known = ways(procedure)
    reachable = reached(procedure.opens_at, known)
    last = {step.number for step in procedure.steps for outcome in step.outcomes if outcome.ending is Ending.DONE}
    for index, step in enumerate(procedure.steps):
        at = ("steps", index)
        if step.number < procedure.opens_at:
            continue
        if step.number not in reachable:
            faults.add(at, "unreachable", number=step.number, opens=procedure.opens_at)
        if not last & reached(step.number, known):
            faults.add(at, "no-end", number=step.number)
        for position, requirement in enumerate(step.requirements):
            _made_in_time(procedure, requirement, step.number, known, (*at, "requirements", position), faults)


def _made_in_time(procedure: Procedure, requirement: Requirement, number: int, known: list[Way], place: Place, faults: Faults) -> None:
    """A demanded document is made on every way to its step, also on the exception's; one without a template people bring themselves."""
    if not requirement.document or not procedure.document(requirement.document).template:
        return
    without = [way for way in known if not way.makes(requirement.document, requirement.edition)]
    if number in reached(procedure.opens_at, without):
        faults.add(place, "not-made", item=requirement.id, document=requirement.document)
    exception = procedure.emergency
    if exception and exception.first <= number <= exception.last:
        inside = range(exception.first, exception.last + 1)
        if number in reached(exception.first, [way for way in without if way.start in inside and way.to in inside]):
            faults.add(place, "not-made-in-emergency", item=requirement.id, document=requirement.document, first=exception.first)
