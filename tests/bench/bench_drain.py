"""How fast messages are worked off, beside a Celery worker of the same settings that drains tasks which do nothing.

`make bench` runs it. What is measured is the inbox alone: a message is parsed, the issue read where it asks for that, decided, and
committed together with its effects; each case has one such message. The effects themselves take no time, nor does the platform: its
answers were recorded from the stand-in. What we did ourselves is told to `alur web` over 16 connections and settled there; all else is kept
first, and the workers work it off. Rates are shown for each kind of message, and for those of a case that wake a worker; what is demanded
is the rate of all messages of a case, nearly half of which are settled at the edge (decision 27).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median

import pytest
import redis
from celery import Celery
from rich.console import Console
from rich.table import Table

from integration.payloads import OWN as OUR_OWN_DOING
from integration.store import InboxRow
from sync.worker import CONCURRENCY
from tests.bench.backlog import DECIDED, FILED, FORM, NOTHING_NEW, OWN, Backlog, backlog_of
from tests.bench.bare import NOTHING
from tests.bench.fleet import awake, bare_worker, canned_platform, until
from tests.bench.load import driven, hook
from tests.processes import process, ready, wait_for
from tests.stories.world import HOOK_SECRET, world

AT_LEAST = 0.5
"""How many times as fast as Celery drains tasks that do nothing."""

ROUNDS = 3
CASES = 100  # a round
TASKS = 1500  # a round

HOOKS = 600  # of our own doing, a round

CELERY, WOKEN, MIX = "Celery: a task that does nothing", "the messages of a whole case that wake a worker", "all messages of a whole case"
KINDS = (OWN, NOTHING_NEW, DECIDED, FILED, FORM)
ALL = 1000  # rows


def met(folder: Path) -> dict[str, int]:
    """How many messages of each kind a case meets that goes straight through all steps, counted in the store of one."""
    with world(folder, f"sqlite:///{folder / 'straight.db'}") as walked:
        ticket = walked.submit()
        walked.walk(ticket)
        assert walked.case(ticket).status == "selesai"
        counted = Counter(kind_of(row) for row in walked.service.store.inbox_rows(state="done", limit=ALL))
    return {kind: counted[kind] for kind in KINDS}


def kind_of(row: InboxRow) -> str:
    """As which kind this message counts: every outcome as FILED, all of the portal as FORM, whatever people ask for as DECIDED."""
    if row.source != "gitlab":
        return {"outcome": FILED, "portal": FORM}[row.source]
    return {OUR_OWN_DOING: OWN, "nothing new": NOTHING_NEW}.get(row.result, DECIDED)


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


def settled(backlog: Backlog, port: int, tickets: list[str]) -> float:
    """The seconds in which the edge settles so many hooks of what we did ourselves, about each of these cases."""
    hooks = [hook(backlog.own[backlog.iids[ticket]], HOOK_SECRET) for ticket in tickets for _ in range(HOOKS // CASES)]
    before = backlog.settled()
    told = driven(port, hooks)
    assert told["statuses"] == {200: HOOKS}
    assert backlog.settled() == before + HOOKS
    return float(str(told["seconds"]))


def rounds(backlog: Backlog, port: int, celery: Celery, queues: redis.Redis) -> dict[str, list[float]]:
    """What was worked off in a second, by Celery and by kind of message, a round each; the first one, for warming up, is not among them."""
    rates: dict[str, list[float]] = {kind: [] for kind in (CELERY, *KINDS)}
    for number in range(ROUNDS + 1):
        tickets, quiet = (list(some)[number * CASES : (number + 1) * CASES] for some in (backlog.iids, backlog.quiet))
        rates[CELERY].append(TASKS / drained(celery, queues, TASKS))
        rates[OWN].append(HOOKS / settled(backlog, port, tickets))
        rates[NOTHING_NEW].append(CASES / worked(backlog, NOTHING_NEW, quiet))
        for kind in (DECIDED, FILED, FORM):
            rates[kind].append(CASES / worked(backlog, kind, tickets))
    return {kind: measured[1:] for kind, measured in rates.items()}


def mixed(rates: dict[str, list[float]], counts: Mapping[str, int], kinds: Iterable[str]) -> list[float]:
    """The rates of a mix: so many messages of each of these kinds, one kind after another."""
    counted = {kind: counts[kind] for kind in kinds}
    each = zip(*(rates[kind] for kind in counted), strict=True)
    return [sum(counted.values()) / sum(n / rate for n, rate in zip(counted.values(), measured, strict=True)) for measured in each]


def show(rates: dict[str, list[float]], counts: Mapping[str, int]) -> None:
    """Print the table; ratios are medians of the rounds' own."""
    table = Table(
        title=f"Drained by {CONCURRENCY} processes, medians of {ROUNDS} rounds of {TASKS} tasks, {HOOKS} hooks, {CASES} other messages"
    )
    table.add_column("what")
    for column in ("in a case's life", "a second", "x celery"):
        table.add_column(column, justify="right")
    for kind, measured in rates.items():
        table.add_row(kind, str(counts.get(kind, "")), f"{median(measured):.0f}", f"{ratio(measured, rates[CELERY]):.2f}")
    Console(width=120).print("\n", table)


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over the rounds of how many times as fast."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


@pytest.mark.timeout(300)
def test_messages_are_worked_off_half_as_fast_as_tasks_that_do_nothing(tmp_path: Path, durable_postgres: str, redis_url: str) -> None:
    cases = (ROUNDS + 1) * CASES
    with backlog_of(cases, tmp_path, durable_postgres, redis_url, quiet=cases) as (backlog, settings):
        elsewhere, edge = redis_url.removesuffix("/0") + "/1", backlog.campus.portal.service_url
        with (
            canned_platform(tmp_path, backlog.answers()) as url,
            process(tmp_path, settings | {"ALUR_GITLAB_URL": url}, "web"),
            process(tmp_path, settings | {"ALUR_GITLAB_URL": url}, "worker"),
            bare_worker(tmp_path, settings | {"ALUR_BROKER_URL": elsewhere}, CONCURRENCY) as celery,
            redis.Redis.from_url(elsewhere) as queues,
        ):
            wait_for(lambda: ready(edge), tmp_path)
            awake(redis_url, CONCURRENCY)
            backlog.without_effects()
            rates = rounds(backlog, int(edge.rpartition(":")[2]), celery, queues)
        assert backlog.service.store.inbox_rows() == []
    counts = met(tmp_path)
    rates[WOKEN], rates[MIX] = mixed(rates, counts, KINDS[1:]), mixed(rates, counts, KINDS)
    show(rates, counts | {WOKEN: sum(counts.values()) - counts[OWN], MIX: sum(counts.values())})
    assert ratio(rates[MIX], rates[CELERY]) >= AT_LEAST
