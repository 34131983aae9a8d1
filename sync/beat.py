"""`alur beat`: rings for what time brings, and for the sweep. It loads nothing of the service but its store."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from secrets import token_hex

import click
from celery import signals
from celery.beat import Scheduler

from integration import logs
from integration.doorbell import celery_app
from integration.faults import StoreDown
from integration.settings import Settings
from integration.store import Store
from sync.terminal import WORDS, configured_for_many

TICK, SWEEP = "alur.tick", "alur.sweep"
TICK_EVERY, SWEEP_EVERY = 5.0, 60.0  # seconds
BEAT, LEADS_FOR = "beat", timedelta(seconds=20)  # how long a beat that says nothing more keeps the others silent

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


@click.command(help=WORDS["help_beat"])
def beat() -> None:
    """Ring until told to stop. It remembers nothing: all of it is due every few seconds.

    Of several beats one rings; when it was told to stop, or has been silent for LEADS_FOR, the next one that asks takes over.
    """
    settings, broker_url = configured_for_many()
    log_our_way(settings)
    store, name = Store.of(settings), token_hex(8)
    store.migrate()  # it may be the first of all processes
    app = celery_app(broker_url)
    app.conf.beat_schedule = {
        TICK: {"task": TICK, "schedule": TICK_EVERY, "options": {"expires": TICK_EVERY}},
        SWEEP: {"task": SWEEP, "schedule": SWEEP_EVERY, "options": {"expires": SWEEP_EVERY}},
    }
    scheduler = partial(OneOfMany, leads=lambda: store.lead(BEAT, name, LEADS_FOR))
    try:
        app.Beat(scheduler_cls=scheduler, quiet=True).run()
    finally:
        with suppress(StoreDown):
            store.lead(BEAT, name, timedelta())


def log_our_way(settings: Settings) -> None:
    """Have Celery's processes log as all others do."""
    signals.setup_logging.connect(lambda **_: logs.configure(settings.log_level, settings.every_secret), weak=False)
