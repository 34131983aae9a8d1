"""The process beside `alur web` that writes: the interpreter of the one is left to what is read, and that of the other to the database.

    python -m webhooks.writing DESCRIPTOR

is started by `Writer`. It takes from the socket with this number first its settings, then what is to be kept, and says there what became
of that; where nobody is at the other end any more, it ends, after what it has in hand. What is said is a pickle, its length before it.
"""

import asyncio
import contextlib
import gc
import logging
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, BinaryIO

from integration import logs
from integration.settings import Settings
from integration.store import Arrival, Outcome, Store, StoreDown

LENGTH = 8  # bytes

Told = list[Outcome] | StoreDown | RuntimeError
"""What became of those that were to be kept together."""

log = logging.getLogger(__name__)


class Writer:
    """Keeps arrivals by a process of its own, with these settings. For one event loop, and one task at a time.

    Where it has ended, those who wait are told to come again, as where the database is down, and another one is started.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._child: _Child | None = _Child(settings)

    @property
    def pid(self) -> int | None:
        """The number of the process that writes now; None where the next message starts one."""
        return self._child.process.pid if self._child else None

    async def keep_together(self, arrivals: Sequence[Arrival]) -> list[Outcome]:
        """Keep these in one transaction; gives the outcome of each. Raises StoreDown; RuntimeError for any other fault there."""
        try:
            if self._child is None:
                self._child = _Child(self._settings)
            told = await self._child.told(arrivals)
        except (OSError, EOFError) as fault:
            raise StoreDown(f"no process writes: {type(fault).__name__}, it ended with {self._given_up()}") from fault
        except BaseException:
            self._given_up()  # what it says next would be taken for the answer to what is asked next
            raise
        if isinstance(told, Exception):
            raise told
        return told

    def close(self) -> int | None:
        """Ask nothing any more, and wait until the process has ended, after what it has in hand; gives what it ended with."""
        child, self._child = self._child, None
        return child.close() if child else None

    def _given_up(self) -> int | None:
        """Kill the process, if there is one; gives what it ended with."""
        if self._child is not None:
            self._child.process.kill()
        return self.close()


class _Child:
    """One process that writes, and the socket at which it is asked. Raises OSError where it cannot be started."""

    def __init__(self, settings: Settings) -> None:
        self._socket, theirs = socket.socketpair()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        try:
            with theirs:
                self._socket.sendall(_framed(settings))  # of this process: their files may say something else by now
                command = [sys.executable, "-P", "-m", "webhooks.writing", str(theirs.fileno())]
                self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()])  # noqa: S603 -- nothing in it is from outside
        except BaseException:
            self._socket.close()
            raise

    async def told(self, arrivals: Sequence[Arrival]) -> Told:
        """What becomes of these. Raises OSError and EOFError where it has ended."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(sock=self._socket)
        come, go = self._streams
        go.write(_framed(arrivals))
        length = int.from_bytes(await come.readexactly(LENGTH))
        told: Told = pickle.loads(await come.readexactly(length))  # noqa: S301 -- our own child says it
        return told

    def close(self) -> int:
        """Ask nothing any more, and wait for its end; gives what it ended with."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        if self._streams is None:
            self._socket.close()
        else:
            self._streams[1].transport.abort()
        return self.process.wait()


def serve(asked: BinaryIO, told: BinaryIO, store: Store) -> None:
    """Keep what is asked for, and tell the outcomes or the fault, as long as anybody asks."""
    while (arrivals := _next(asked)) is not None:
        told.write(_framed(_kept(store, arrivals)))
        told.flush()


def _next(asked: BinaryIO) -> Any:  # noqa: ANN401 -- what our parent says
    """What is said next; None where nobody says anything any more, or went in the middle of it."""
    length = int.from_bytes(asked.read(LENGTH))
    said = asked.read(length)
    return pickle.loads(said) if length and len(said) == length else None  # noqa: S301 -- our own parent says it


def _kept(store: Store, arrivals: Sequence[Arrival]) -> Told:
    try:
        return store.keep_together(arrivals)
    except StoreDown as down:
        return StoreDown(str(down))  # alone: what it came from cannot be sent
    except Exception as fault:  # theirs who wait, and none of those who come after them
        log.exception("%d messages could not be kept together", len(arrivals))
        return RuntimeError(f"{type(fault).__name__} in the process that writes")


def _framed(said: object) -> bytes:
    pickled = pickle.dumps(said)
    return len(pickled).to_bytes(LENGTH) + pickled


if __name__ == "__main__":
    for stop in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # meant for all at once: who asked is answered first
        signal.signal(stop, signal.SIG_IGN)
    with (
        contextlib.suppress(ConnectionError),  # nobody is there any more
        socket.socket(fileno=int(sys.argv[1])) as parent,
        parent.makefile("rb") as hears,
        parent.makefile("wb") as says,
    ):
        if (own := _next(hears)) is not None:
            logs.configure(own.log_level, own.every_secret)
            gc.freeze()  # as in webhooks.app
            serve(hears, says, Store.of(own))
