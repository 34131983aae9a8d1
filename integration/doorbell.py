"""The doorbell: "there is work", and nothing else. Whoever hears it looks into the store.

A ring that is lost costs one poll interval, never a message. Ringing is quick and never fails, whatever the broker does.
"""

import logging
import threading
import time
from typing import Protocol

from celery import Celery
from kombu.exceptions import OperationalError

BELL = "alur.bell"
"""The name of the task that answers the bell."""

PAUSE, LONGEST_PAUSE = 0.002, 0.05
"""Seconds until the next ring, for each that the last one stood for, and at most: ringing for each of hundreds of forms a second would
take a third of the time they need, and wakes nobody who is not awake."""

STALE_AFTER = 60
"""Seconds after which a ring nobody took says nothing any more: the scheduler has rung since."""

log = logging.getLogger(__name__)


class Doorbell(Protocol):
    """What the edge and the worker ring when something was kept."""

    def ring(self) -> None:
        """Say that there is work."""

    def answers(self) -> bool:
        """Whether a ring would be heard; a question for health pages, which may wait a moment."""


class Embedded:
    """The bell inside one process: threads wait for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rings = 0

    @property
    def rings(self) -> int:
        """How often it rang; remember it before looking for work, so that a ring in between is not slept through."""
        return self._rings

    def ring(self) -> None:
        """Wake everybody who waits."""
        with self._changed:
            self._rings += 1
            self._changed.notify_all()

    def answers(self) -> bool:
        """It is in this very process."""
        return True

    def wait(self, heard: int, seconds: float) -> None:
        """Sleep until it rang more often than `heard`, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._rings != heard, seconds)


class Broker:
    """The bell between processes: a Celery message without content, sent aside so that nobody waits for the broker.

    Rings that come while one is being sent are one ring.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._asked = threading.Condition()
        self._rings = 0  # asked for since the last one was sent
        self._sender: threading.Thread | None = None

    def ring(self) -> None:
        """Have a message sent."""
        with self._asked:
            self._rings += 1
            if self._sender is None:  # it starts with the first ring: threads do not survive a fork before it
                self._sender = threading.Thread(target=self._send, name="doorbell", daemon=True)
                self._sender.start()
            self._asked.notify()

    def answers(self) -> bool:
        """Whether the broker takes connections."""
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=2)
        except OperationalError:
            return False
        return True

    def _send(self) -> None:
        while True:
            with self._asked:
                self._asked.wait_for(lambda: self._rings)
                rings, self._rings = self._rings, 0
            try:
                self._app.send_task(BELL, ignore_result=True, expires=STALE_AFTER, retry=False)
            except OperationalError:
                log.warning("the broker does not answer; the scheduler will look for work")
            time.sleep(min(PAUSE * rings, LONGEST_PAUSE))


def celery_app(broker_url: str) -> Celery:
    """The Celery app as all processes see it; what answers the bell is registered by the worker alone."""
    app = Celery("alur", broker=broker_url, set_as_current=False)
    app.conf.update(
        broker_transport_options={"socket_connect_timeout": 2, "socket_timeout": 5},
        broker_connection_timeout=2,
        broker_connection_max_retries=None,  # whoever waits for the broker waits as long as it takes
        task_ignore_result=True,
        task_default_queue="alur",
    )
    return app
