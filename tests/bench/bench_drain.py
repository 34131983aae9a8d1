"""How fast the workers work kept messages off, beside a Celery worker of the same settings that drains tasks which do nothing.

`make bench` runs it. What is measured is the inbox alone: a message is parsed, the issue read where it asks for that, decided, and
committed together with its effects; each case has one such message. The effects themselves wait, as they do behind one that an operator
must look at: in each case that will have any, one is parked on each channel. The platform answers at once: its answers were recorded from
the stand-in. Rates are shown for each kind of message; what is demanded is the rate of the mix in which they come in the life of a case.
"""

from pathlib import Path
from statistics import median

import pytest
import redis
from celery import Celery
from rich.console import Console
from rich.table import Table

from sync.worker import CONCURRENCY
from tests.bench.backlog import DECIDED, FILED, FORM, NOTHING_NEW, OWN, Backlog, backlog_of
from tests.bench.bare import NOTHING
from tests.bench.fleet import awake, bare_worker, canned_platform, until
from tests.processes import process

AT_LEAST = 0.5
"""How many times as fast as Celery drains tasks that do nothing."""

ROUNDS = 3
CASES = 100  # a round
TASKS = 1500  # a round

CELERY, MIX = "Celery: a task that does nothing", "the messages of a whole case"
LIFE = {OWN: 61, NOTHING_NEW: 14, DECIDED: 26, FILED: 29, FORM: 3}
"""How many messages a case meets that goes straight through all steps, counted in the store of one; whatever people ask for counts as
DECIDED, every outcome as FILED, all of the portal as FORM. Our own doing is settled at the edge and takes no worker's time."""


def drained(celery: Celery, queues: redis.Redis, tasks: int) -> float:
    """The seconds in which Celery works off so many tasks that do nothing. They wait elsewhere until all of them are there."""
    with celery.connection_for_write() as connection:
        for _ in range(tasks):
            celery.send_task(NOTHING, connection=connection, queue="later", ignore_result=True)
    queues.rename("later", "alur")
    return until(lambda: not queues.llen("alur") and not queues.hlen("unacked"))


def worked(backlog: Backlog, kind: str, tickets: list[str]) -> float:
    """The seconds in which the workers work off a message of this kind about each of these cases."""
    backlog.keep(kind, tickets)
    backlog.service.bell.ring()
    return until(lambda: not backlog.waits())


def rounds(backlog: Backlog, celery: Celery, queues: redis.Redis) -> dict[str, list[float]]:
    """What was worked off in a second, by Celery and by kind of message, a round each; the first one, for warming up, is not among them."""
    rates: dict[str, list[float]] = {kind: [] for kind in (CELERY, *LIFE)}
    for number in range(ROUNDS + 1):
        tickets = list(backlog.iids)[number * CASES : (number + 1) * CASES]
        rates[CELERY].append(TASKS / drained(celery, queues, TASKS))
        rates[OWN].append(CASES / worked(backlog, OWN, tickets))
        backlog.block(tickets)
        for kind in (DECIDED, FILED):
            rates[kind].append(CASES / worked(backlog, kind, tickets))
        backlog.forget_effects()
        for kind in (NOTHING_NEW, FORM):
            rates[kind].append(CASES / worked(backlog, kind, tickets))
        backlog.forget_effects()
    return {kind: measured[1:] for kind, measured in rates.items()}


def life(rates: dict[str, list[float]]) -> list[float]:
    """The rates of the mix of a whole case: all its messages in the time that those take which wake a worker."""
    woken = {kind: n for kind, n in LIFE.items() if kind != OWN}
    each = zip(*(rates[kind] for kind in woken), strict=True)
    return [sum(LIFE.values()) / sum(n / rate for n, rate in zip(woken.values(), measured, strict=True)) for measured in each]


def show(rates: dict[str, list[float]]) -> None:
    """Print the table; ratios are medians of the rounds' own."""
    table = Table(
        title=f"Drained by {CONCURRENCY} processes, medians of {ROUNDS} rounds of {TASKS} tasks and {CASES} messages of each kind"
    )
    table.add_column("what")
    for column in ("in a case's life", "a second", "x celery"):
        table.add_column(column, justify="right")
    for kind, measured in rates.items():
        table.add_row(kind, str(LIFE.get(kind, "")), f"{median(measured):.0f}", f"{ratio(measured, rates[CELERY]):.2f}")
    Console(width=120).print("\n", table)


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over the rounds of how many times as fast."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


@pytest.mark.timeout(300)
def test_messages_are_worked_off_half_as_fast_as_tasks_that_do_nothing(tmp_path: Path, durable_postgres: str, redis_url: str) -> None:
    with backlog_of((ROUNDS + 1) * CASES, tmp_path, durable_postgres, redis_url) as (backlog, settings):
        elsewhere = redis_url.removesuffix("/0") + "/1"
        with (
            canned_platform(tmp_path, backlog.answers()) as url,
            process(tmp_path, settings | {"ALUR_GITLAB_URL": url}, "worker"),
            bare_worker(tmp_path, settings | {"ALUR_BROKER_URL": elsewhere}, CONCURRENCY) as celery,
            redis.Redis.from_url(elsewhere) as queues,
        ):
            awake(redis_url, CONCURRENCY)
            rates = rounds(backlog, celery, queues)
        assert backlog.service.store.inbox_rows(state="parked") == []
    rates[MIX] = life(rates)
    show(rates)
    assert ratio(rates[MIX], rates[CELERY]) >= AT_LEAST
