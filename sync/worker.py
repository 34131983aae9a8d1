"""`alur worker`: the same work as in one process, told by Celery messages that carry nothing.

A message lost, doubled or late changes nothing: whoever hears the bell asks the store, and the beat rings every few seconds anyway.
"""

import gc
import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property

import click
from celery import Celery

from integration import organisation as organisations
from integration.doorbell import BELL, celery_app
from integration.faults import Permanent, StoreDown, Transient
from integration.settings import Settings
from sync.beat import SWEEP, TICK, log_our_way
from sync.drain import TURN, Drain
from sync.terminal import WORDS, configured_for_many
from sync.wiring import Service, build
from sync.wording import Wording

CONCURRENCY = 4  # processes of one `alur worker`; they mostly wait for the platform

log = logging.getLogger(__name__)


class Hands:
    """What one worker process works with: made with its first task, for nothing of it survives a fork.

    Two pairs of hands: while one waits for the platform, the other decides, draws papers and writes. They ask the platform one at a time,
    so that it is asked by as many at once as there are processes. The second pair works where more is due than the first has in hand.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._end = 0.0  # of this turn, by the monotonic clock
        self._helping: Future[int] | None = None

    @cached_property
    def service(self) -> Service:
        """This process's own service."""
        made = build(self._settings)
        gc.freeze()  # what is loaded stays: the collector need not walk through it again and again
        return made

    @cached_property
    def _pairs(self) -> tuple[Drain, Drain]:
        lock = threading.RLock()
        first, second = (self.service.worker(self._stop, lock) for _ in range(2))
        return replace(first, ring=self._more), second

    @cached_property
    def _beside(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, thread_name_prefix="second-pair")

    def work(self) -> None:
        """Work while anything is due. What ends the work of one pair ends that of the other, after the row in hand."""
        self._stop.clear()
        self._end = time.monotonic() + TURN
        try:
            self._pairs[0].until_idle(TURN)
        except BaseException:
            self._stop.set()
            if (other := self._second_ended()) is not None:
                log.error("the second pair of hands ended", exc_info=other)  # noqa: TRY400 -- it is not the one at hand
            raise
        if (fault := self._second_ended()) is not None:
            raise fault

    def _more(self) -> None:
        """More is due: have a colleague look for it, and the second pair of hands."""
        self.service.bell.ring()
        left = self._end - time.monotonic()
        if left > 0 and (self._helping is None or (self._helping.done() and self._helping.exception() is None)):
            self._helping = self._beside.submit(self._pairs[1].until_idle, left)

    def _second_ended(self) -> BaseException | None:
        """Wait for the second pair; gives what ended its work, if anything did."""
        helping, self._helping = self._helping, None
        return helping.exception() if helping is not None else None

    def tick(self) -> None:
        """Look at the time, and for work whose bell was not heard."""
        self.service.tick()
        self.work()

    def sweep(self) -> None:
        """Look for what no hook told."""
        self.service.sweep()
        self.work()


def make_app(settings: Settings, broker_url: str) -> Celery:
    """The Celery app of the worker."""
    app = celery_app(broker_url)
    app.conf.update(
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
    )
    hands = Hands(settings)
    for name, work in ((BELL, hands.work), (TICK, hands.tick), (SWEEP, hands.sweep)):
        app.task(_enduring(work), name=name, shared=False)
    return app


def look_at_files(settings: Settings) -> None:
    """Say at once what is wrong with the files; processes forked after this need not compile the templates. Raises OrganisationFaults."""
    broken = Wording(organisations.load(settings.organisation)).broken()
    if broken:
        log.error("templates that cannot be read: %s", ", ".join(broken))


def serve(app: Celery, concurrency: int) -> None:
    """Have so many processes of this app work until told to stop."""
    argv = [
        "--quiet",  # no banner: logs are lines of JSON
        "worker",
        "--pool=prefork",
        f"--concurrency={concurrency}",
        f"--hostname=alur-{os.getpid()}@%h",
        "--without-gossip",
        "--without-mingle",
    ]
    app.worker_main(argv)


@click.command(help=WORDS["help_worker"])
@click.option("--concurrency", default=CONCURRENCY, show_default=True, help=WORDS["help_concurrency"])
def worker(concurrency: int) -> None:
    """Work until told to stop; a first SIGTERM lets the tasks in hand end."""
    settings, broker_url = configured_for_many()
    log_our_way(settings)
    look_at_files(settings)
    gc.freeze()  # nor write into it, which would make it each process's own
    serve(make_app(settings, broker_url), concurrency)


def _enduring(work: Callable[[], None]) -> Callable[[], None]:
    """The same work; what is not to be had now is looked for again with the next ring."""

    def task() -> None:
        try:
            work()
        except StoreDown as fault:
            log.error("the store is down: %s", fault)  # noqa: TRY400 -- the driver's words say it all
        except (Transient, Permanent) as fault:
            log.exception("nothing could be done: %s", fault.failure)
        except Exception:  # a worker loop outlives every fault (architecture.md); Celery would log its words, which may be anybody's
            log.exception("a fault of the programme")

    return task
