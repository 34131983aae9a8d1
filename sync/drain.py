"""The working loop: claim the lane of a case, work its rows in order, give it back.

A row that fails is postponed or parked, never dropped, with what kind of failure it was; a lane that was lost is left alone.
"""

import logging
import math
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from integration import logs, tracing
from integration.faults import Failure, NeedsOperator, Permanent, RateLimited, Transient, pause
from integration.figures import ENOUGH, RETRIES, Tally
from integration.store import Due, InboxRow, LeaseLost, OutboxRow, Store, StoreDown, Turn, Work

LEASE = timedelta(minutes=2)  # from a lane's last sign of life; longer than any one outside call may take, and another one before it
STALE = LEASE / 4  # after so long without one, the lane is proved again before anything is asked
LOOKS = 1.0  # seconds after which it is looked again whether more is due than is in hand
TURN = 10.0  # seconds after which a worker gives back what it has in hand and takes what has waited longest; a stop is never far then
LAST_TRY = 5  # attempts after which a fault of the programme itself is parked
SHORTEST_ASKED, LONGEST_ASKED = timedelta(seconds=1), timedelta(hours=1)  # no pause the other side asks for is shorter, or longer

log = logging.getLogger(__name__)


def asked_for(pause: timedelta) -> timedelta:
    """The pause that is made where the other side asks for this one."""
    return min(max(pause, SHORTEST_ASKED), LONGEST_ASKED)


def _wait(fault: Transient, attempts: int) -> timedelta:
    """The pause that is made after a fault; who is down is asked more and more seldom, whatever they or a proxy before them say."""
    if fault.retry_after is None:
        return pause(attempts)
    asked = asked_for(fault.retry_after)
    return max(asked, pause(attempts)) if fault.failure in {Failure.DOWN, Failure.PORTAL_DOWN} else asked


class Decides(Protocol):
    """What works an inbox row off: reads, decides, commits."""

    def process(self, turn: Turn, row: InboxRow) -> Work | None:
        """Decide the row and commit it; gives what is to be worked on next. Raises Transient, Permanent, LeaseLost."""


class Performs(Protocol):
    """What works an outbox row off: does it outside, marks it done."""

    def perform(self, turn: Turn, row: OutboxRow) -> Work | None:
        """Perform the row's effect; gives what is to be worked on next. Raises Transient, Permanent, LeaseLost."""


class Asking:
    """Stands before each request of a worker's thread: those that share `lock` ask one at a time, and none about a lane that was lost.

    A request to a slow platform may take half of a lease, and the one that is waited for as much; so the hold is proved in between.
    """

    def __init__(self, store: Store, lock: "threading.RLock") -> None:
        self._store = store
        self._lock = lock
        self._turn: Turn | None = None
        self._alive = 0.0

    def about(self, turn: Turn) -> None:
        """What is asked next is about this lane, whose hold was just prolonged."""
        self._turn, self._alive = turn, time.monotonic()

    def __enter__(self) -> None:
        """Wait for the others. Raises LeaseLost, StoreDown."""
        self._lock.acquire()
        if self._turn is not None and time.monotonic() - self._alive > STALE.total_seconds():
            try:
                self._store.hold(self._turn)
            except BaseException:
                self._lock.release()
                raise
            self._alive = time.monotonic()

    def __exit__(self, *_: object) -> None:
        """The next one may ask."""
        self._lock.release()


@dataclass(frozen=True, slots=True)
class Drain:
    """One worker's hands; not shared between threads. `stop`, once set, ends the work after the row in hand.

    `tally` is what this thread counts: told to the store once there is enough of it, and whenever nothing is left to do. `ring` calls a
    colleague: when more is due than this one has in hand, and when some is given back unbegun.
    """

    store: Store
    inbox: Decides
    outbox: Performs
    stop: threading.Event = field(default_factory=threading.Event)
    tally: Tally = field(default_factory=Tally)
    ring: Callable[[], None] = lambda: None

    def until_idle(self, seconds: float = math.inf) -> int:
        """Work until nothing is due any more, or for so long; gives how many rows were worked. Raises StoreDown."""
        now = time.monotonic()
        end, looks, rows = now + seconds, now, 0
        work = self._claim()
        while work is not None:
            now = time.monotonic()
            if self.stop.is_set() or now >= end:
                self.store.release(*work)
                self.ring()
                break
            if now >= looks:
                looks = now + LOOKS
                if self.store.waits_since():
                    self.ring()
            work = self._work(*work) or self._claim()
            self.tally.tell(self.store, at_least=ENOUGH)
            rows += 1
        self.tally.tell(self.store)
        return rows

    def _claim(self) -> Work | None:
        """What is due first in the lane that has waited longest; None where nothing is due."""
        while not self.stop.is_set() and (claimed := self.store.claim(lease=LEASE, onward=True)) is not None:
            turn, row = claimed
            if row is not None:
                return turn, row
        return None

    def _work(self, turn: Turn, row: Due) -> Work | None:
        """Work one row off, or set it aside with what went wrong; gives what is to be worked on next."""
        side, what = ("inbox", "delivery") if isinstance(row, InboxRow) else ("outbox", "effect")
        name, within = ("decision", str(row.headers.get(tracing.PARENT, ""))) if isinstance(row, InboxRow) else ("effect", row.trace)
        kind = row.source if isinstance(row, InboxRow) else row.kind
        about = {side: row.id, "attempt": row.attempts}
        with logs.about(case=turn.lane, **about, **{what: row.key}), tracing.span(name, within, case=turn.lane, kind=kind, **about):
            if row.attempts > 1:
                self.tally.add(RETRIES, side)
            try:
                return self._tried(turn, row)
            except LeaseLost:
                log.warning("the lane was taken over by another worker")
                return None

    def _tried(self, turn: Turn, row: Due) -> Work | None:
        try:
            following = self.inbox.process(turn, row) if isinstance(row, InboxRow) else self.outbox.perform(turn, row)
        except Transient as fault:
            tracing.failed(fault.failure)
            wait = _wait(fault, row.attempts)
            if isinstance(fault, NeedsOperator):
                log.error("waits for an operator: %s", fault.remedy)  # noqa: TRY400 -- these words say it all
            log.info("postponed for %.0f s: %s", wait.total_seconds(), fault.failure)
            if isinstance(fault, RateLimited):  # before another row is handed out
                self.store.close_quota(fault.of, wait)
            return self.store.postpone(turn, row, until=self.store.clock() + wait, error=str(fault), failure=fault.failure)
        except Permanent as fault:
            tracing.failed(fault.failure)
            if fault.failure is Failure.UNREADABLE:  # while releases change, a colleague of the other one may read it
                log.exception("written by another release")
                return self._stumble(turn, row, str(fault), fault.failure)
            log.exception("parked, an operator must look: %s", fault.failure)
            return self.store.park(turn, row, str(fault), fault.failure)
        except (LeaseLost, StoreDown):
            raise
        except Exception as fault:
            log.exception("a fault of the programme")
            failure = Failure.SYSTEM if isinstance(fault, OSError) else Failure.PROGRAMME
            tracing.failed(failure)
            return self._stumble(turn, row, traceback.format_exc(), failure)
        log.info("worked off")
        return following

    def _stumble(self, turn: Turn, row: Due, error: str, failure: Failure) -> Work | None:
        """A fault of the programme, or of this process's release: tried again a few times, for it may be one of the moment, then parked."""
        if row.attempts >= LAST_TRY:
            log.error("parked, an operator must look: %s", failure)
            return self.store.park(turn, row, error, failure)
        return self.store.postpone(turn, row, until=self.store.clock() + pause(row.attempts), error=error, failure=failure)
