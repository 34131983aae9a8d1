"""`alur serve`: web, workers and clock as threads of one process, on a database that needs no server.

A stop loses nothing: no new request is taken, the rows in hand are finished, the lanes are given back.
"""

import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import click
from waitress.server import TcpWSGIServer, create_server  # type: ignore[import-untyped]

from integration.doorbell import Embedded
from integration.faults import Permanent, Transient
from integration.settings import Bind
from integration.store import StoreDown
from sync.drain import TURN
from sync.terminal import WORDS, configured
from sync.wiring import Service, build
from webhooks.app import create_app

WEB_THREADS = 8
WORKERS = 2
POLL = 1.0  # seconds between two looks for work nobody rang for: rows whose pause has ended
TICK = 5.0  # seconds between two looks at the time
SWEEP = 60.0  # seconds between two looks for what no hook told
STORE_PAUSE = 2.0  # seconds before a store that was down is asked again
LAST_ANSWERS = 10.0  # seconds requests in hand have to be answered at a stop

UNHURRIED = {"connection_limit": 800, "channel_timeout": 30, "max_request_header_size": 16 * 1024, "asyncore_use_poll": True}
"""What those may take who send slowly, or nothing: no thread waits for a body, and whoever says nothing for so many seconds is left."""

log = logging.getLogger(__name__)


class Web:
    """The WSGI server in a thread."""

    def __init__(self, service: Service, bind: Bind) -> None:
        listening = socket.create_server((bind.host, bind.port), family=_family(bind.host), backlog=128)
        self._map: dict[int, object] = {}
        app = create_app(service.parts)
        own = {"threads": WEB_THREADS, "ident": None, "clear_untrusted_proxy_headers": False}  # whom a proxy speaks for: webhooks/limits.py
        self._server: TcpWSGIServer = create_server(app, self._map, sockets=[listening], **own, **UNHURRIED)
        self._refuses = threading.Event()
        self.port: int = listening.getsockname()[1]

    def run(self) -> None:
        """Serve until `close`."""
        self._server.run()

    def close(self) -> None:
        """Take no new connection, answer what is in hand, and end."""
        self._in_loop(self._refuse_connections)
        self._refuses.wait(LAST_ANSWERS)
        deadline = time.monotonic() + LAST_ANSWERS
        while self._busy() and time.monotonic() < deadline:
            time.sleep(0.01)
        with suppress(OSError):  # what wakes the loop is closed in it too, perhaps before we have used it
            self._in_loop(lambda: self._server.asyncore.close_all(self._map))
        self._server.task_dispatcher.shutdown()

    def _in_loop(self, do: Callable[[], None]) -> None:
        """Have the server's own thread do it: nothing of it may be touched from another one."""
        self._server.trigger.pull_trigger(do)

    def _refuse_connections(self) -> None:
        self._server.accepting = False
        self._server.del_channel()
        self._server.socket.close()
        self._refuses.set()

    def _busy(self) -> bool:
        channels = list(self._server.active_channels.values())
        return any(channel.requests or channel.total_outbufs_len for channel in channels)


class OneProcess:
    """The running service. `stop` may be set by anybody; `failed` says that a thread ended though nobody asked."""

    def __init__(self, service: Service, bind: Bind) -> None:
        if not isinstance(service.bell, Embedded):
            raise TypeError("one process needs no broker")
        self.service = service
        self.bell = service.bell
        self.stop = threading.Event()
        self.failed = False
        self._web = Web(service, bind)
        self.url = f"http://{f'[{bind.host}]' if ':' in bind.host else bind.host}:{self._web.port}"
        works = [self._web.run, *[self._work] * WORKERS, self._look_around]
        self._threads = [threading.Thread(target=self._watched, args=(work,), name=work.__name__) for work in works]

    def start(self) -> None:
        """Begin. Leases left behind are of a process that is no more: this one is alone with its database."""
        self.service.store.break_leases()
        for thread in self._threads:
            thread.start()
        log.info("listening at %s", self.url)

    def close(self) -> None:
        """Stop, and return when all is finished."""
        log.info("stopping")
        self.stop.set()
        self._web.close()
        self.bell.ring()
        for thread in self._threads:
            thread.join()
        self.service.store.close()
        log.info("stopped")

    def settle(self) -> None:
        """Wait until nothing is due and nobody works. RuntimeError when the service ends instead."""
        while self.service.store.busy():
            if self.failed:
                raise RuntimeError("the service ended")
            self.bell.ring()
            time.sleep(0.005)

    def _watched(self, work: Callable[[], None]) -> None:
        """Without any one of its threads the service is not what it says it is: it ends, to be started again."""
        try:
            work()
        finally:
            if not self.stop.is_set():
                self.failed = True
                self.stop.set()

    def _work(self) -> None:
        """A worker: work while there is work, then wait for the bell."""
        drain = self.service.worker(self.stop)
        while not self.stop.is_set():
            heard = self.bell.rings
            try:
                if not drain.until_idle(TURN):
                    self.bell.wait(heard, POLL)
            except StoreDown as fault:
                log.error("the store is down: %s", fault)  # noqa: TRY400 -- the driver's words say it all
                self.stop.wait(STORE_PAUSE)
        with suppress(StoreDown):
            drain.tally.tell(self.service.store)

    def _look_around(self) -> None:
        """The clock and the sweep."""
        last_sweep = -SWEEP
        while not self.stop.wait(TICK):
            try:
                self.service.tick()
                if time.monotonic() - last_sweep >= SWEEP:
                    last_sweep = time.monotonic()
                    self.service.sweep()
            except (Transient, Permanent) as fault:
                log.exception("looking around failed: %s", fault.failure)
            except Exception:  # a worker loop outlives every fault (architecture.md); the next look may succeed
                log.exception("looking around failed")


def log_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    """For `threading.excepthook`: why a thread ended, as all else is logged."""
    name = ended.thread.name if ended.thread else "?"
    log.critical("thread %s ended", name, exc_info=ended.exc_value)


@contextmanager
def running(service: Service, bind: Bind) -> Iterator[OneProcess]:
    """The service, running while the block does."""
    process = OneProcess(service, bind)
    process.start()
    try:
        yield process
    finally:
        process.close()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@click.command(help=WORDS["help_serve"])
def serve() -> None:
    """Serve until told to stop, or a thread ends."""
    settings = configured().model_copy(update={"broker_url": None})
    process = OneProcess(build(settings), settings.bind)
    threading.excepthook = log_end_of_thread
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: process.stop.set())
    process.start()
    click.echo(WORDS["listening"].format(url=process.url))
    process.stop.wait()
    process.close()
    sys.exit(process.failed)
