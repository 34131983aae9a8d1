"""The working loop: claim the lane of a case, work its rows in order, give it back.

A row that fails is postponed or parked, never dropped, with what kind of failure it was; a lane that was lost is left alone.
"""

import logging
import threading
import traceback
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from integration import logs
from integration.faults import Failure, NeedsOperator, Permanent, RateLimited, Transient, pause
from integration.figures import ENOUGH, RETRIES, Tally
from integration.store import InboxRow, LeaseLost, OutboxRow, Store, StoreDown, Turn

LEASE = timedelta(minutes=2)  # from a lane's last sign of life; longer than any one outside call may take
LAST_TRY = 5  # attempts after which a fault of the programme itself is parked
LONGEST_ASKED = timedelta(hours=1)  # no pause the other side asks for is longer

log = logging.getLogger(__name__)


class Decides(Protocol):
    """What works an inbox row off: reads, decides, commits."""

    def process(self, turn: Turn, row: InboxRow) -> None:
        """Decide the row and commit it. Raises Transient, Permanent, LeaseLost."""


class Performs(Protocol):
    """What works an outbox row off: does it outside, marks it done."""

    def perform(self, turn: Turn, row: OutboxRow) -> None:
        """Perform the row's effect. Raises Transient, Permanent, LeaseLost."""


@dataclass(frozen=True, slots=True)
class Drain:
    """One worker's hands; not shared between threads. `stop`, once set, ends the work after the row in hand.

    `tally` is what this thread counts: told to the store once there is enough of it, and whenever nothing is left to do.
    """

    store: Store
    inbox: Decides
    outbox: Performs
    stop: threading.Event = field(default_factory=threading.Event)
    tally: Tally = field(default_factory=Tally)

    def work_once(self) -> bool:
        """Work one lane until nothing in it is due; False where no lane had work. Raises StoreDown."""
        turn = None if self.stop.is_set() else self.store.claim(lease=LEASE)
        if turn is None:
            self.tally.tell(self.store)
            return False
        with logs.about(case=turn.lane):
            try:
                while not self.stop.is_set() and (row := self.store.next(turn)) is not None:
                    self._work(turn, row)
            except LeaseLost:
                log.warning("the lane was taken over by another worker")
            self.store.release(turn)
        self.tally.tell(self.store, at_least=ENOUGH)
        return True

    def until_idle(self) -> int:
        """Work until nothing is due any more; gives how many lanes were worked. Raises StoreDown."""
        lanes = 0
        while self.work_once():
            lanes += 1
        return lanes

    def _work(self, turn: Turn, row: InboxRow | OutboxRow) -> None:
        """Work one row off, or set it aside with what went wrong."""
        side, what = ("inbox", "delivery") if isinstance(row, InboxRow) else ("outbox", "effect")
        with logs.about(**{side: row.id, what: row.key, "attempt": row.attempts}):
            if row.attempts > 1:
                self.tally.add(RETRIES, side)
            try:
                if isinstance(row, InboxRow):
                    self.inbox.process(turn, row)
                else:
                    self.outbox.perform(turn, row)
                log.info("worked off")
            except Transient as fault:
                wait = pause(row.attempts) if fault.retry_after is None else min(fault.retry_after, LONGEST_ASKED)
                if isinstance(fault, NeedsOperator):
                    log.error("waits for an operator: %s", fault.remedy)  # noqa: TRY400 -- these words say it all
                log.info("postponed for %.0f s: %s", wait.total_seconds(), fault.failure)
                self.store.postpone(turn, row, until=self.store.clock() + wait, error=str(fault), failure=fault.failure)
                if isinstance(fault, RateLimited):
                    self.store.close_quota(fault.of, wait)
            except Permanent as fault:
                if fault.failure is Failure.UNREADABLE:  # while releases change, a colleague of the other one may read it
                    log.exception("written by another release")
                    self._stumble(turn, row, str(fault), fault.failure)
                else:
                    log.exception("parked, an operator must look: %s", fault.failure)
                    self.store.park(turn, row, str(fault), fault.failure)
            except (LeaseLost, StoreDown):
                raise
            except Exception as fault:
                log.exception("a fault of the programme")
                failure = Failure.SYSTEM if isinstance(fault, OSError) else Failure.PROGRAMME
                self._stumble(turn, row, traceback.format_exc(), failure)

    def _stumble(self, turn: Turn, row: InboxRow | OutboxRow, error: str, failure: Failure) -> None:
        """A fault of the programme, or of this process's release: tried again a few times, for it may be one of the moment, then parked."""
        if row.attempts >= LAST_TRY:
            log.error("parked, an operator must look: %s", failure)
            self.store.park(turn, row, error, failure)
        else:
            self.store.postpone(turn, row, until=self.store.clock() + pause(row.attempts), error=error, failure=failure)
