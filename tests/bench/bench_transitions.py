"""What leading one case costs: requests to the platform, which are budgeted, and time, which is only shown.

`make bench` runs it. The stand-in's own time is in every figure, for it shares the process.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from sandbox.gitlab.server import Request
from tests.stories.world import World, example_form, world

READS, WRITES = 2, 2
"""The most requests one transition may cost, besides one upload for each paper it makes and what a member's own issue costs."""

EACH, TEAM = 2, 2
"""The most requests about a member's own issue, and how many members the case has; who is in charge has none."""

CASE = 2  # the number of its issue: one case was there before
FORM = "form"
MEMBERS = re.compile(rf"/issues$|/links$|/issues/(?!{CASE}\b)\d+$")  # what is asked about members' issues, once the case has its own

PACE = timedelta(hours=25)
"""How long a case stays at a step: people need longer than the overlap in which comments are read again."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the service asked of the platform, and how long all of it took, in milliseconds."""

    reads: int
    writes: int
    uploads: int
    members: int  # requests about issues of their own
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Transition:
    """A step that was left, by which gesture, and what that cost."""

    left: str
    gesture: str
    cost: Cost


def test_a_transition_costs_two_reads_two_writes_and_its_papers(tmp_path: Path) -> None:
    with world(tmp_path, f"sqlite:///{tmp_path / 'alur.db'}") as told:
        transitions = walked(told)
        (case,) = (told.case(ticket) for ticket in told.service.store.tickets() if told.case(ticket).step is None)
        assert len(case.team) == TEAM
        papers = sum(1 for paper in case.documents if paper.sha256)
    show(transitions)
    assert {transition.gesture for transition in transitions} == {"portal", "comment", "card"}
    assert [t for t in transitions if t.cost.reads > READS or t.cost.writes > WRITES or t.cost.members > EACH * (TEAM - 1)] == []
    assert sum(transition.cost.uploads for transition in transitions) <= papers


def walked(told: World) -> list[Transition]:
    """One complaint from its form to its end, in a process that has met its project and its members before.

    What people do before they leave a step is over before the count of leaving it begins.
    """
    told.submit()
    tickets: list[str] = []
    transitions = [measured(told, FORM, lambda: tickets.append(told.campus.portal.submit(example_form())))]
    ticket = tickets[0]
    while (step := told.case(ticket).step) is not None:
        told.clock.advance(PACE)
        told.campus.prepare(ticket)
        told.settle()
        transitions.append(measured(told, told.procedure.step(step).label_text, lambda: told.campus.leave(ticket)))
        assert told.case(ticket).step != step, told.campus.notes(ticket)[-1]
    return transitions


def measured(told: World, left: str, deed: Callable[[], object]) -> Transition:
    """Do something, let everything follow, and count."""
    told.campus.gitlab.requests.clear()
    began = time.perf_counter()
    deed()
    told.settle()
    took = 1000 * (time.perf_counter() - began)
    asked = list(told.campus.gitlab.requests)
    ours = [request for request in asked if request.user == told.campus.bot.username]
    members = [] if left == FORM else [request for request in ours if MEMBERS.search(request.path)]
    rest = [request for request in ours if request not in members]
    reads = sum(request.method == "GET" for request in rest)
    uploads = sum(request.path.endswith("/uploads") for request in rest)
    cost = Cost(reads, len(rest) - reads - uploads, uploads, len(members), took)
    return Transition(left, gesture([request for request in asked if request not in ours]), cost)


def gesture(theirs: list[Request]) -> str:
    """What the one who left the step did, by what people changed on the platform meanwhile."""
    changed = [request.path.rsplit("/", 1)[-1] for request in theirs if request.method != "GET"]
    return "portal" if not changed else "comment" if "notes" in changed else "card"


def show(transitions: list[Transition]) -> None:
    """Print the table, with sums, extremes and medians below it."""
    table = Table(title="Requests to the platform, by step that is left")
    for column in ("step", "gesture"):
        table.add_column(column)
    for column in ("reads", "writes", "uploads", "members' issues", "ms"):
        table.add_column(column, justify="right")
    for transition in transitions:
        table.add_row(transition.left, transition.gesture, *figures(astuple(transition.cost)))
    table.add_section()
    columns = list(zip(*(astuple(transition.cost) for transition in transitions), strict=True))
    for name, over in (("whole case", sum), ("most", max), ("median", median)):
        table.add_row(name, "", *figures([over(column) for column in columns]))
    Console().print("\n", table)


def figures(values: Sequence[float]) -> list[str]:
    return [f"{value:.0f}" for value in values]
