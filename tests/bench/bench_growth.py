"""What the service costs as its past grows: a store of 100,000 cases beside one of 1,000, with the same going on in both.

`make bench` runs it. How "the same" is read: cases that have ended must cost nothing. So both stores have as many open cases (SAME), the
same work is done in both, in rounds, side by side, and the fastest round may take no more than LIMIT times the other's: what else the
machine does comes on top of either, and is no growth. What must look at every open case (the weekly report, the clock, lists) takes longer
where more of them are open, whatever the past: it is compared with as many open, and where OPEN are by the time per open case. What does
not look at them is held to LIMIT there too. Rounds last as long in either store: of many short ones one is always lucky.

The cases are copies (crowd.py): one in WHOLE of those that ended went through all steps, the others were withdrawn at once;
ALUR_BENCH_CASES and ALUR_BENCH_WHOLE say otherwise. The platform answers at once (listing.py). PostgreSQL is the tests' own, which does not
wait for the disk: what shows there is the database's work alone.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

import pytest
from rich.console import Console
from rich.table import Table

from tests.bench import grown
from tests.bench.crowd import Kind, fill, kinds
from tests.bench.grown import Stand, stand
from tests.servers import new_database

CASES = int(os.environ.get("ALUR_BENCH_CASES", "100000"))
FEW, SAME, OPEN = 1000, 200, CASES // 20
ROUNDS, ROUNDS_OF_MANY = 15, 3
LIMIT = 1.3


@dataclass(frozen=True, slots=True)
class Work:
    """Something that is measured; `looks_at_all`: at every open case, so that it takes longer where more are open."""

    name: str
    once: Callable[[Stand], float]
    looks_at_all: bool = False


WORKS = (
    Work("a form on disk, 16 at once", grown.forms_kept),
    Work("a hook, from the edge to the disk", grown.hooks_taken),
    Work("a fact decided and committed", grown.facts_decided),
    Work("a sweep, nothing changed", grown.sweeps),
    Work(f"a sweep, {grown.CHANGED} issues changed", grown.sweeps_of_changed),
    Work("a unit's status page", grown.statuses_shown),
    Work(f"a page of {grown.LISTED} cases for the portal", grown.pages_listed),
    Work("GET /ready", grown.readiness),
    Work("alur inbox list, outbox list", grown.rows_listed),
    Work("GET /metrics, an office vacant", grown.metrics, looks_at_all=True),
    Work("a tick of the clock", grown.ticks, looks_at_all=True),
    Work("alur case list", grown.cases_listed, looks_at_all=True),
    Work("the weekly report", grown.reports_made, looks_at_all=True),
)

Pair = tuple[str, str]
"""The addresses of the small store and of the large one."""

Times = dict[str, tuple[float, float]]
"""By work: the seconds its fastest round took in the one store and in the other."""


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Kind]:
    """One case of each kind, led by the real service."""
    return kinds(tmp_path_factory.mktemp("kinds"))


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory, postgres_url: str, templates: Mapping[str, Kind]) -> Iterator[dict[str, Pair]]:
    """On each database a store with FEW cases and one with CASES, less those open ones that come later."""
    folder = tmp_path_factory.mktemp("stores")
    with new_database(postgres_url) as few, new_database(postgres_url) as many:
        pairs = {"SQLite": (f"sqlite:///{folder}/few.db", f"sqlite:///{folder}/many.db"), "PostgreSQL": (few, many)}
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as hands:
            written = [hands.submit(fill, large, templates, CASES - OPEN, SAME) for _, large in pairs.values()]
            written += [hands.submit(fill, small, templates, FEW - SAME, SAME) for small, _ in pairs.values()]
            for one in written:
                one.result()
        yield pairs


def test_what_a_case_takes(templates: Mapping[str, Kind]) -> None:
    """Only shown."""
    takes = [templates[name].takes for name in ("selesai", "dibatalkan")]
    table = Table(title="What a case takes: the bytes of its values; indexes and free space come on top")
    for column in ("", "led to its end", "KiB", "withdrawn at once", "KiB"):
        table.add_column(column, justify="right" if column else "left")
    for what in takes[0]:
        table.add_row(what, *(figure for one in takes for figure in (f"{one[what][0]}", f"{one[what][1] / 1024:.1f}")))
    Console(width=130).print("\n", table)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def test_cases_that_ended_cost_nothing(tmp_path: Path, database: str, stores: dict[str, Pair], templates: Mapping[str, Kind]) -> None:
    few, many = stores[database]
    ended = CASES - OPEN
    with stand(tmp_path / "few", few, FEW - SAME, SAME, templates["10"]) as small:
        with stand(tmp_path / "many", many, ended, SAME, templates["10"]) as large:
            as_many = measured(small, large, ROUNDS)
        fill(many, templates, 0, OPEN - SAME, first=ended + SAME + 1)
        with stand(tmp_path / "open", many, ended, OPEN, templates["10"]) as large:
            more = measured(small, large, ROUNDS, looking=False) | measured(small, large, ROUNDS_OF_MANY, looking=True)
    show(database, as_many, more)
    assert {name: grew(times) for name, times in as_many.items() if grew(times) > LIMIT} == {}
    assert {work.name: by_case(work, more) for work in WORKS if by_case(work, more) > LIMIT} == {}


def measured(small: Stand, large: Stand, rounds: int, *, looking: bool | None = None) -> Times:
    """Do all work in both stores by turns, for as long in either; `looking`: only what looks at every open case, or only what does not."""
    works = [work for work in WORKS if looking is None or work.looks_at_all is looking]
    for work in works:  # what is new to this process, or to the database, is no round's
        work.once(small), work.once(large)
    # In the small store, for one in the large one: where more are open there, what looks at all of them takes longer.
    times = {work.name: round(work.once(large) / work.once(small)) if looking else 1 for work in works}
    took: dict[str, tuple[list[float], list[float]]] = {work.name: ([], []) for work in works}
    for number in range(rounds):
        for work in works:
            for which in (0, 1) if number % 2 else (1, 0):  # nobody always comes after the other
                round_of = range(1 if which else max(1, times[work.name]))
                took[work.name][which].append(fmean(work.once((small, large)[which]) for _ in round_of))
    return {name: (min(few), min(many)) for name, (few, many) in took.items()}


def grew(times: tuple[float, float]) -> float:
    """How many times as long it takes in the large store."""
    return times[1] / times[0]


def by_case(work: Work, more: Times) -> float:
    """The same where more cases are open; of what looks at all of them, for each of them."""
    return grew(more[work.name]) * (SAME / OPEN if work.looks_at_all else 1)


def show(database: str, as_many: Times, more: Times) -> None:
    """Print the table."""
    table = Table(title=f"{database}: milliseconds with {FEW:,} cases, and with {CASES:,}")
    table.add_column("what is done once")
    for column in (
        f"{FEW:,}, {SAME} open",
        f"{CASES:,}, {SAME} open",
        "x",
        f"{FEW:,} again",
        f"{CASES:,}, {OPEN:,} open",
        "x",
        "an open case",
    ):
        table.add_column(column, justify="right")
    for work in WORKS:
        one, other = as_many[work.name], more[work.name]
        each = f"{1000 * other[1] / OPEN:.3f}" if work.looks_at_all else ""
        figures = [f"{1000 * one[0]:.2f}", f"{1000 * one[1]:.2f}", f"{grew(one):.2f}", *(f"{1000 * time:.2f}" for time in other)]
        table.add_row(work.name, *figures, f"{by_case(work, more):.2f}", each)
    Console(width=150).print("\n", table)
