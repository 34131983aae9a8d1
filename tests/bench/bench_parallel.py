"""How near many cases at once come to what a slow platform can answer: a request takes it 50 ms, and a worker process asks one at a time.

`make bench` runs it. In every case somebody has left the step by a comment, and GitLab's hook of that is kept; then the workers are told.
Each case costs two reads and two writes, and its paper an upload. The real processes work: `alur worker`, and `alur web` for the hooks by
which the platform tells of our own changes, on Redis and PostgreSQL. The platform is the stand-in, in the process of this test, which has
nothing else to do meanwhile; what it needs itself comes on top of the 50 ms.

Demanded is the share that a process for each core reaches. With more, the machine, which also runs all the others, is what is measured.
"""

import os
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from rich.console import Console
from rich.table import Table

from sandbox.campus import Campus
from sync.worker import CONCURRENCY
from tests.bench.backlog import DECIDED, backlog_of
from tests.bench.fleet import PROJECT, awake, until
from tests.processes import known, process, ready, wait_for
from tests.servers import new_database

AT_LEAST = 0.8
"""The share of the platform's limit that is reached."""

LATENCY = 0.05  # seconds
CASES = 40  # for each process
ASKED = 50  # requests of each client by which the limit is looked at, without us
CORES = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Measured:
    """What so many processes asked of the platform in so many seconds, and how much a second as many clients did that do nothing else."""

    processes: int
    requests: int
    seconds: float
    alone: float

    @property
    def limit(self) -> float:
        """What the platform could answer them in a second."""
        return self.processes / LATENCY

    @property
    def share(self) -> float:
        """The part of that which they reached."""
        return self.requests / self.seconds / self.limit


@pytest.mark.timeout(300)
def test_many_cases_at_once_keep_a_slow_platform_busy(tmp_path: Path, durable_postgres: str, redis_url: str) -> None:
    rows = {}
    for processes in sorted({CORES, CONCURRENCY}):
        folder = tmp_path / str(processes)
        folder.mkdir()
        with new_database(durable_postgres) as database:
            rows[processes] = measured(processes, folder, database, redis_url)
    show(rows.values())
    assert rows[CORES].share >= AT_LEAST


def measured(processes: int, folder: Path, database_url: str, redis_url: str) -> Measured:
    """Have so many processes work CASES for each of them off."""
    with backlog_of(CASES * processes, folder, database_url, redis_url) as (backlog, settings):
        service, campus, tickets = backlog.service, backlog.campus, list(backlog.iids)
        campus.gitlab.fault("*", "", times=10**9, latency=LATENCY)
        alone = asked_alone(campus, processes)
        with process(folder, settings, "web"), process(folder, settings, "worker", "--concurrency", str(processes)):
            wait_for(lambda: ready(campus.portal.service_url), folder)
            awake(redis_url, processes)
            backlog.keep(DECIDED, tickets)
            campus.gitlab.requests.clear()
            service.bell.ring()
            took = until(lambda: not service.store.busy())
        asked = sum(request.user == campus.bot.username for request in campus.gitlab.requests)
        assert [row.error for row in (*service.store.inbox_rows(), *service.store.outbox_rows())] == []
        assert {known(service.store, ticket).step for ticket in tickets} == {5}
    return Measured(processes, asked, took, alone)


def asked_alone(campus: Campus, clients: int) -> float:
    """The requests a second the platform answers to so many clients that do nothing else."""

    def ask(client: int) -> None:
        with requests.Session() as session:
            session.headers["PRIVATE-TOKEN"] = campus.bot.token
            for _ in range(ASKED):
                session.get(f"{campus.gitlab.url}{PROJECT}/issues/{client + 1}", timeout=30).raise_for_status()

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as asking:
        list(asking.map(ask, range(clients)))
    return ASKED * clients / (time.perf_counter() - began)


def show(rows: Iterable[Measured]) -> None:
    """Print the table."""
    table = Table(title=f"{CASES} cases for each process leave a step, a platform that takes {1000 * LATENCY:.0f} ms, {CORES} cores")
    table.add_column("what")
    for column in ("the limit/s", "clients that do nothing else/s", "alur worker/s", "of the limit", "of those clients"):
        table.add_column(column, justify="right")
    for row in rows:
        reached = row.requests / row.seconds
        figures = (row.limit, row.alone, reached)
        table.add_row(f"{row.processes} processes", *(f"{n:.1f}" for n in figures), f"{row.share:.2f}", f"{reached / row.alone:.2f}")
    Console(width=120).print("\n", table)
