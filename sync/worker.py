"""`alur worker` and `alur beat`: the same work as in one process, told by Celery messages that carry nothing.

A message lost, doubled or late changes nothing: whoever hears the bell asks the store, and the beat rings every few seconds anyway.
"""

import logging
import os
from collections.abc import Callable
from datetime import timedelta
from functools import cached_property, partial
from secrets import token_hex

from celery import Celery, signals
from celery.beat import Scheduler

from integration import logs
from integration.clock import utc_now
from integration.doorbell import BELL, celery_app
from integration.faults import Permanent, Transient
from integration.parts import secrets
from integration.settings import Settings
from integration.store import Store, StoreDown
from sync.wiring import Service, build

TICK, SWEEP = "alur.tick", "alur.sweep"
TICK_EVERY, SWEEP_EVERY = 5.0, 60.0  # seconds
CONCURRENCY = 4  # processes of one `alur worker`; they mostly wait for the platform
BEAT, LEADS_FOR = "beat", timedelta(seconds=20)  # how long a beat that says nothing more keeps the others silent
LONGEST_TURN = 10.0  # seconds a task works before it gives its place to the next, so that a warm shutdown is never far

log = logging.getLogger(__name__)


class OneOfMany(Scheduler):  # type: ignore[misc]  # Celery has no types
    """The schedule of one beat of several: it rings only while `leads` says so, and asks before each ring."""

    def __init__(self, *args: object, leads: Callable[[], bool], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._leads = leads

    def tick(self) -> float:  # the parent's parameters are for its own tests
        """Ring for what is due; gives the seconds until something is again."""
        try:
            leads = self._leads()
        except StoreDown as fault:
            log.error("the store is down: %s", fault)  # noqa: TRY400 -- the driver's words say it all
            return TICK_EVERY
        return float(super().tick()) if leads else TICK_EVERY


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


def make_app(settings: Settings) -> Celery:
    """The Celery app of the worker and the beat. ValueError without a broker."""
    if settings.broker_url is None:
        raise ValueError("no broker")
    app = celery_app(settings.broker_url.get_secret_value())
    app.conf.update(
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        beat_schedule={
            TICK: {"task": TICK, "schedule": TICK_EVERY, "options": {"expires": TICK_EVERY}},
            SWEEP: {"task": SWEEP, "schedule": SWEEP_EVERY, "options": {"expires": SWEEP_EVERY}},
        },
    )
    hands = Hands(settings)
    for name, work in ((BELL, hands.work), (TICK, hands.tick), (SWEEP, hands.sweep)):
        app.task(_enduring(work), name=name, shared=False)
    return app


def run_worker(settings: Settings, concurrency: int = CONCURRENCY) -> None:
    """Work until told to stop; a first SIGTERM lets the tasks in hand end."""
    _log_our_way(settings)
    serve(make_app(settings), concurrency)


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


def run_beat(settings: Settings) -> None:
    """Ring for the time and the sweep until told to stop. It remembers nothing: all of it is due every few seconds.

    Of several beats one rings; when it has been silent for LEADS_FOR, the next one that asks takes over.
    """
    _log_our_way(settings)
    store, name = Store(settings.database_url.get_secret_value(), clock=utc_now), token_hex(8)
    store.migrate()  # it may be the first of all processes
    scheduler = partial(OneOfMany, leads=lambda: store.lead(BEAT, name, LEADS_FOR))
    make_app(settings).Beat(scheduler_cls=scheduler, quiet=True).run()


def _log_our_way(settings: Settings) -> None:
    signals.setup_logging.connect(lambda **_: logs.configure(settings.log_level, secrets(settings)), weak=False)


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
