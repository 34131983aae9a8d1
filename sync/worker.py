"""`alur worker`: the same work as in one process, told by Celery messages that carry nothing.

A message lost, doubled or late changes nothing: whoever hears the bell asks the store, and the beat rings every few seconds anyway.
"""

import logging
import os
from collections.abc import Callable
from functools import cached_property

import click
from celery import Celery

from integration.doorbell import BELL, celery_app
from integration.faults import Permanent, StoreDown, Transient
from integration.settings import Settings
from sync.beat import SWEEP, TICK, log_our_way
from sync.terminal import WORDS, configured_for_many
from sync.wiring import Service, build

CONCURRENCY = 4  # processes of one `alur worker`; they mostly wait for the platform
LONGEST_TURN = 10.0  # seconds a task works before it gives its place to the next, so that a warm shutdown is never far

log = logging.getLogger(__name__)


class Hands:
    """What one worker process works with: made with its first task, for nothing of it survives a fork."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def service(self) -> Service:
        """This process's own service."""
        return build(self._settings)

    def work(self) -> None:
        """Work while anything is due."""
        self.service.drain.until_idle(LONGEST_TURN)

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


def serve(app: Celery, concurrency: int) -> None:
    """Have so many processes of this app work until told to stop."""
    argv = [
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
