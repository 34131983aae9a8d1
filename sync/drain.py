"""The working loop: claim the lane of a case, work its rows in order, give it back.

A row that fails is postponed or parked, never dropped; a lane that was lost is left alone.
"""

import logging
import threading
import traceback
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from integration import logs
from integration.faults import NeedsOperator, Permanent, RateLimited, Transient, pause
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
    """One worker's hands; not shared between threads. `stop`, once set, ends the work after the row in hand."""

    store: Store
    inbox: Decides
    outbox: Performs
    stop: threading.Event = field(default_factory=threading.Event)

    def work_once(self) -> bool:
        """Work one lane until nothing in it is due; False where no lane had work. Raises StoreDown."""
        turn = None if self.stop.is_set() else self.store.claim(lease=LEASE)
        if turn is None:
            return False
        with logs.about(case=turn.lane):
            try:
                while not self.stop.is_set() and (row := self.store.next(turn)) is not None:
                    self._work(turn, row)
            except LeaseLost:
                log.warning("the lane was taken over by another worker")
            self.store.release(turn)
        return True

    def until_idle(self) -> int:
        """Work until nothing is due any more; gives how many lanes were worked. Raises StoreDown."""
        lanes = 0
        while self.work_once():
            lanes += 1
        return lanes

    def _work(self, turn: Turn, row: InboxRow | OutboxRow) -> None:
        """Work one row off, or set it aside with what went wrong."""
        side = "inbox" if isinstance(row, InboxRow) else "outbox"
        with logs.about(**{side: row.id, "key": row.key, "attempt": row.attempts}):
            try:
                if isinstance(row, InboxRow):
                    self.inbox.process(turn, row)
                else:
                    self.outbox.perform(turn, row)
            except Transient as fault:
                wait = pause(row.attempts) if fault.retry_after is None else min(fault.retry_after, LONGEST_ASKED)
                if isinstance(fault, NeedsOperator):
                    log.error("waits for an operator: %s", fault.remedy)  # noqa: TRY400 -- these words say it all
                log.info("postponed for %.0f s", wait.total_seconds())
                self.store.postpone(turn, row, until=self.store.clock() + wait, error=str(fault))
                if isinstance(fault, RateLimited):
                    self.store.close_quota(fault.of, wait)
            except Permanent as fault:
                log.exception("parked: an operator must look")
                self.store.park(turn, row, str(fault))
            except (LeaseLost, StoreDown):
                raise
            except Exception:
                log.exception("a fault of the programme")
                self._stumble(turn, row, traceback.format_exc())

    def _stumble(self, turn: Turn, row: InboxRow | OutboxRow, error: str) -> None:
        """A fault of the programme: tried again a few times, for it may be one of the moment, then parked."""
        if row.attempts >= LAST_TRY:
            log.error("parked: an operator must look")
            self.store.park(turn, row, error)
        else:
            self.store.postpone(turn, row, until=self.store.clock() + pause(row.attempts), error=error)
