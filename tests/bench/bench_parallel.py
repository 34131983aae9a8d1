"""How near many cases at once come to what a slow platform can answer: a request takes it 50 ms, and a worker process asks one at a time.

`make bench` runs it. In every case somebody has left the step by a comment, and GitLab's hook of that is kept; then the workers are told.
Each case costs two reads and two writes, and its paper an upload. The real processes work: `alur worker`, and `alur web` for the hooks by
which the platform tells of our own changes, on Redis and PostgreSQL. The platform is the stand-in, in the process of this test, which has
nothing else to do meanwhile; what it needs itself comes on top of the 50 ms.
"""

import time
from concurrent.futures import ThreadPoolExecutor
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

AT_LEAST = 0.8
"""The share of the platform's limit that is reached."""

LATENCY = 0.05  # seconds
LIMIT = CONCURRENCY / LATENCY
CASES = 80
ASKED = 200  # requests by which the limit is looked at, without us


@pytest.mark.timeout(300)
def test_many_cases_at_once_keep_a_slow_platform_busy(tmp_path: Path, durable_postgres: str, redis_url: str) -> None:
    with backlog_of(CASES, tmp_path, durable_postgres, redis_url) as (backlog, settings):
        service, campus, tickets = backlog.service, backlog.campus, list(backlog.iids)
        campus.gitlab.fault("*", "", times=10**9, latency=LATENCY)
        alone = asked_alone(campus)
        with process(tmp_path, settings, "web"), process(tmp_path, settings, "worker"):
            wait_for(lambda: ready(campus.portal.service_url), tmp_path)
            awake(redis_url, CONCURRENCY)
            backlog.keep(DECIDED, tickets)
            campus.gitlab.requests.clear()
            service.bell.ring()
            took = until(lambda: not service.store.busy())
        asked = sum(request.user == campus.bot.username for request in campus.gitlab.requests)
        assert [row.error for row in (*service.store.inbox_rows(), *service.store.outbox_rows())] == []
        assert {known(service.store, ticket).step for ticket in tickets} == {5}
    show(asked, took, alone)
    assert asked / took / LIMIT >= AT_LEAST


def asked_alone(campus: Campus) -> float:
    """The requests a second the platform answers to as many clients that do nothing else."""

    def ask(client: int) -> None:
        with requests.Session() as session:
            session.headers["PRIVATE-TOKEN"] = campus.bot.token
            for _ in range(ASKED // CONCURRENCY):
                session.get(f"{campus.gitlab.url}{PROJECT}/issues/{client + 1}", timeout=30).raise_for_status()

    began = time.perf_counter()
    with ThreadPoolExecutor(CONCURRENCY) as clients:
        list(clients.map(ask, range(CONCURRENCY)))
    return ASKED / (time.perf_counter() - began)


def show(asked: int, took: float, alone: float) -> None:
    """Print the table."""
    table = Table(title=f"{CASES} cases leave a step, {CONCURRENCY} processes, a platform that takes {1000 * LATENCY:.0f} ms")
    table.add_column("what")
    for column in ("requests/s", "of the limit"):
        table.add_column(column, justify="right")
    for what, rate in (
        ("the limit", LIMIT),
        ("clients that do nothing else", alone),
        (f"alur worker: {asked} requests in {took:.1f} s", asked / took),
    ):
        table.add_row(what, f"{rate:.1f}", f"{rate / LIMIT:.2f}")
    Console(width=120).print("\n", table)
