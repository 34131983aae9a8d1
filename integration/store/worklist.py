"""The worker's side of the store: a lane is held by one worker at a time, and its rows are worked on in order.

Every write demands proof of the lane: whoever lost it can change nothing. Within a lane an unfinished or parked inbox row blocks the
younger inbox rows, an outbox row the younger ones of its channel; other lanes go on. What ends the work on a row hands out the next one
in the same transaction, or gives the lane back.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import ReturningUpdate

from integration import codec, tracing
from integration.clock import Clock, utc_now
from integration.codec import Json
from integration.faults import Failure
from integration.procedure.case import evolve
from integration.procedure.effects import CallPortal, Effect, SendMail
from integration.procedure.events import Entry
from integration.procedure.facts import Fact
from integration.sealing import PLAIN, Keyring
from integration.store import statements
from integration.store.intake import Intake
from integration.store.publicids import PublicIds
from integration.store.quotas import Quotas
from integration.store.rows import Batch, Delivery, Due, InboxRow, Known, LeaseLost, NoteMade, OutboxRow, Turn, Work
from integration.store.statements import OUTCOME, PLATFORM
from integration.store.writing import append_entries, write_case
from integration.tables import PARKED, WAITING, causes, inbox, lanes, leaders, notes, outbox

MAILBOX = 11  # hex digits that tell recipients apart: a channel has sixteen characters

LONGEST_OVERTAKEN = timedelta(minutes=1)
"""A message does not go before an effect that was due so long when it came: who writes again and again is answered all the same."""

LONGEST_ERROR = 8000  # characters of an error kept in its row


def channel_of(effect: Effect) -> str:
    """What an effect goes out by; a channel that is down does not hold up the others."""
    match effect:
        case CallPortal():
            return "portal"
        case SendMail(to=to):  # whose address is refused holds up nobody else's mail
            return f"mail:{hashlib.sha256(' '.join(to).encode()).hexdigest()[:MAILBOX]}"
        case _:
            return PLATFORM


class Worklist(Intake, PublicIds, Quotas):
    """Hands out lanes and rows, and takes back what became of them.

    The attempt at a row is counted on disk before it begins. A method that ends the work on a row gives what is to be worked on next: it is
    in the same lane; where nothing there is due, that was given back, and it is in another lane if the turn goes `onward`.
    """

    def __init__(self, url: str, *, clock: Clock, wall: Clock = utc_now, keyring: Keyring = PLAIN) -> None:
        super().__init__(url, clock=clock, wall=wall, keyring=keyring)
        noted = self._insert(notes)
        same = {name: noted.excluded[name] for name in ("ticket", "slot", "note_id")}
        self._noted = noted.on_conflict_do_update(index_elements=["key"], set_=same)

    def claim(self, *, lease: timedelta, onward: bool = False) -> tuple[Turn, Due | None] | None:
        """Hold the lane that has waited longest; None where no lane is due. Raises StoreDown.

        With the first row that is due in it; None instead of one where nothing is after all: then it was given back.
        """
        with self._write() as connection:
            turn = self._claimed(connection, lease, onward=onward)
            return (turn, self._due(connection, turn)) if turn else None

    def commit(self, turn: Turn, row: InboxRow, batch: Batch) -> Work | None:
        """Record all that the row leads to, and that the row is done, in one transaction; gives what is next.

        Raises LeaseLost, StoreDown; ValueError for entries of another case than the lane's, or not numbered on from the case's last.
        """
        if batch.ticket not in ("", turn.lane):
            raise ValueError(f"{batch.ticket} cannot be written by the lane of {turn.lane}")
        with self._write() as connection:
            self._hold(connection, turn)
            known = self._append(connection, turn, batch.entries)
            write_case(connection, turn.lane, batch)
            if batch.erases:
                self._erase(connection, turn.lane)
                known = None
            self._insert_new(connection, causes, [{"ticket": turn.lane, "key": key} for key in batch.causes])
            self._send(connection, turn.lane, batch.effects)
            more = connection.execute(statements.DECIDED, {"row": row.id, "of": turn.lane, "word": batch.result}).one()
            following = self._following(connection, turn, more)
        turn.known = _seen(known, batch.observed)
        return following

    def done(
        self, turn: Turn, row: OutboxRow, *, outcome: Fact | None = None, note: NoteMade | None = None, observed: Json | None = None
    ) -> Work | None:
        """The effect was performed; `outcome` comes back as an inbox row of the lane. Gives what is next.

        Raises LeaseLost, StoreDown.
        """
        with self._write() as connection:
            self._hold(connection, turn)
            if outcome is not None:
                body, headers = codec.fact_bytes(outcome), tracing.headed({})
                self._insert_deliveries(connection, [Delivery(OUTCOME, f"{turn.lane}:{outcome.key}", turn.lane, body, headers)])
            if note is not None:
                made = {"key": note.key, "ticket": turn.lane, "slot": note.slot, "note_id": note.note_id}
                connection.execute(self._noted, made)
            write_case(connection, turn.lane, Batch(observed=observed))
            more = connection.execute(statements.PERFORMED, {"row": row.id, "of": turn.lane, "now": self.clock()}).one()
            following = self._following(connection, turn, more)
        turn.known = _seen(turn.known, observed)
        return following

    def postpone(self, turn: Turn, row: Due, *, until: datetime, error: str, failure: Failure = Failure.OTHER) -> Work | None:
        """Try the row again at `until`; gives what is next. Raises LeaseLost, StoreDown."""
        return self._set_aside(turn, row, {"due_at": until, "error": _cut(error), "failure": failure})

    def park(self, turn: Turn, row: Due, error: str, failure: Failure = Failure.OTHER) -> Work | None:
        """Leave the row, and what waits behind it, until an operator replays it; gives what is next. Raises LeaseLost, StoreDown."""
        return self._set_aside(turn, row, {"state": PARKED, "error": _cut(error), "failure": failure})

    def move(self, turn: Turn, row: InboxRow, lane: str) -> Work | None:
        """Put the row into another lane: a hook's issue turned out to be a case. Gives what is next. Raises LeaseLost, StoreDown."""
        with self._write() as connection:
            self._hold(connection, turn)
            connection.execute(sa.update(inbox).where(inbox.c.id == row.id).values(lane=lane, due_at=self.clock()))
            self._wake(connection, [lane])
            return self._following(connection, turn)

    def hold(self, turn: Turn) -> None:
        """Prolong the hold: for a row whose work outside is many calls. Raises LeaseLost, StoreDown."""
        with self._write() as connection:
            self._hold(connection, turn)

    def release(self, turn: Turn, unbegun: Due | None = None) -> None:
        """Give the lane back, with a row that was handed out and not begun; a lane lost already stays with whoever has it.

        Raises StoreDown.
        """
        with suppress(LeaseLost), self._write() as connection:
            self._hold(connection, turn)
            if unbegun is not None:
                connection.execute(statements.UNTRIED[_table(unbegun)], {"row": unbegun.id})
            self._give_back(connection, turn)

    def break_leases(self) -> None:
        """Give all lanes back, whoever held them: for the one process of an embedded database, at its start. Raises StoreDown."""
        with self._write() as connection:
            connection.execute(sa.update(lanes).where(lanes.c.token.is_not(None)).values(token=None, lease_until=None))

    def lead(self, name: str, holder: str, lease: timedelta) -> bool:
        """Whether `holder` does for now what only one of several processes should; asked again in time, it goes on. Raises StoreDown."""
        wall = self.wall()
        asks = self._insert(leaders).values(name=name, holder=holder, until=wall + lease)
        free = (leaders.c.holder == asks.excluded.holder) | (leaders.c.until <= wall)
        led = {"holder": asks.excluded.holder, "until": asks.excluded.until}
        settled = asks.on_conflict_do_update(index_elements=["name"], set_=led, where=free).returning(leaders.c.name)
        with self._write() as connection:
            return connection.execute(settled).first() is not None

    def busy(self) -> bool:
        """Whether anything is due or being worked on. Raises StoreDown."""
        stirring = sa.select(lanes.c.lane).where(sa.or_(lanes.c.next_due <= self.clock(), lanes.c.token.is_not(None))).limit(1)
        with self._read() as connection:
            return connection.execute(stirring).first() is not None

    def _hold(self, connection: Connection, turn: Turn) -> None:
        """Prove the hold and prolong it; locks the lane until the transaction ends."""
        if not connection.execute(statements.PROLONGED, {"of": turn.lane, "by": turn.token, "until": self.wall() + turn.lease}).rowcount:
            raise LeaseLost(turn.lane)

    def _append(self, connection: Connection, turn: Turn, added: tuple[Entry, ...]) -> Known | None:
        """Add to the ledger; gives what it says with that, where what it said before was known."""
        known = turn.known
        if not added:
            return known
        last = append_entries(connection, turn.lane, added, known, self.keyring)
        return replace(known, entries=(*known.entries, *added), case=reduce(evolve, added, known.case), hash=last) if known else None

    def _claimed(self, connection: Connection, lease: timedelta, *, onward: bool) -> Turn | None:
        """Hold the lane that has waited longest."""
        wall, token = self.wall(), secrets.token_hex(16)
        asked = {"now": self.clock(), "wall": wall, "by": token, "until": wall + lease}
        lane = connection.execute(statements.CLAIMED, asked).scalar()
        return None if lane is None else Turn(lane, token, lease, onward)

    def _following(self, connection: Connection, turn: Turn, more: Sequence[bool] = (True, True)) -> Work | None:
        """What is to be worked on next; `more`: whether any messages, and any effects, may be unfinished in the lane."""
        row = self._due(connection, turn, more)
        if row is None and turn.onward:
            another = self._claimed(connection, turn.lease, onward=True)
            turn, row = (another, self._due(connection, another)) if another else (turn, None)
        return None if row is None else (turn, row)

    def _due(self, connection: Connection, turn: Turn, more: Sequence[bool] = (True, True)) -> Due | None:
        """What is due in the lane, its attempt counted: inbox before outbox, see LONGEST_OVERTAKEN. Where nothing is, it is given back."""
        messages, effects = more
        found = connection.execute(statements.MESSAGE, {"of": turn.lane, "now": self.clock()}).first() if messages else None
        if found is not None:
            *values, since = found
            (message,) = self._messages(connection, [values])
            bound = message.received_at - LONGEST_OVERTAKEN
            effect = self._effect(connection, turn, statements.EFFECT_SINCE, at=bound) if since is not None and since <= bound else None
            if effect is not None:
                connection.execute(statements.UNTRIED[inbox], {"row": message.id})
            return effect or message
        effect = self._effect(connection, turn, statements.EFFECT) if effects else None
        if effect is None:
            self._give_back(connection, turn, [table for table, some in ((inbox, messages), (outbox, effects)) if some])
        return effect

    def _effect(self, connection: Connection, turn: Turn, asked: ReturningUpdate[Any], **since: datetime) -> OutboxRow | None:
        """The first effect that is due, of those `asked` for; one whose share of the minute is used up waits for the next one."""
        while (found := connection.execute(asked, {"of": turn.lane, "now": self.clock(), **since}).first()) is not None:
            row = OutboxRow(*found)
            wait = self._spend(connection, row.kind)
            if wait is None:
                return row
            turn.onward = False  # one quota is locked until this transaction ends: for another one, two could wait for each other
            connection.execute(statements.UNTRIED[outbox], {"row": row.id})
            connection.execute(statements.LATER[outbox], {"row": row.id, "at": self.clock() + wait})
        return None

    def _give_back(self, connection: Connection, turn: Turn, left: Sequence[sa.Table] = (inbox, outbox)) -> None:
        """Let the lane go until something is due of what may be `left` unfinished in it.

        The lane is locked and its rows are read after: whatever arrives meanwhile wakes it once more.
        """
        dues = []
        for table in left:
            for row in connection.execute(statements.FIRST_ROWS[table], {"of": turn.lane, "now": self.clock()}).all():
                due = max(row.due_at, row.closed or row.due_at)
                if due > row.due_at:
                    connection.execute(statements.LATER[table], {"row": row.id, "at": due})
                dues.append(due)
        connection.execute(statements.GIVEN_BACK, {"of": turn.lane, "by": turn.token, "at": min(dues, default=None)})

    def _set_aside(self, turn: Turn, row: Due, values: dict[str, object]) -> Work | None:
        table = _table(row)
        with self._write() as connection:
            self._hold(connection, turn)
            connection.execute(sa.update(table).where(table.c.id == row.id).values(**values))
            return self._following(connection, turn)

    def _send(self, connection: Connection, lane: str, effects: Iterable[Effect]) -> None:
        """Queue effects. A key already queued, and a second waiting ShowOnIssue of the lane, add nothing."""
        now = self.clock()
        fresh = {"lane": lane, "created_at": now, "state": WAITING, "attempts": 0, "due_at": now, "error": "", "trace": tracing.carried()}
        dumped = ((effect, *codec.EFFECTS.dump(effect)) for effect in effects)
        rows = [{**fresh, "channel": channel_of(effect), "key": effect.key, "kind": kind, "data": data} for effect, kind, data in dumped]
        self._insert_new(connection, outbox, rows)


def _seen(known: Known | None, observed: Json | None) -> Known | None:
    """The same, its issue seen once more where it was."""
    return known if known is None or observed is None else replace(known, observed=observed)


def _table(row: Due) -> sa.Table:
    return inbox if isinstance(row, InboxRow) else outbox


def _cut(error: str) -> str:
    """An error as it is kept: its end says most, and PostgreSQL keeps no NUL in text."""
    return error.replace("\x00", "\\0")[-LONGEST_ERROR:]
