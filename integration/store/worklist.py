"""The worker's side of the store: a lane is held by one worker at a time, and its rows are worked on in order.

Every write demands proof of the lane: whoever lost it can change nothing. Within a lane an unfinished or parked inbox row blocks the
younger inbox rows, an outbox row the younger ones of its channel; other lanes go on.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from integration import codec
from integration.codec import Json
from integration.faults import Failure
from integration.procedure.effects import CallPortal, Effect, SendMail
from integration.procedure.facts import Fact
from integration.store.intake import Intake
from integration.store.quotas import Quotas
from integration.store.rows import Batch, Delivery, InboxRow, LeaseLost, NoteMade, OutboxRow, Turn
from integration.store.writing import append_entries, write_case
from integration.tables import DONE, PARKED, UNFINISHED, WAITING, Moment, cases, causes, inbox, lanes, leaders, notes, outbox

# Statements of every row's way, built once: building them costs more than running them.
FREE = (
    sa.select(lanes.c.lane)
    .where(lanes.c.next_due <= sa.bindparam("now"), sa.or_(lanes.c.lease_until.is_(None), lanes.c.lease_until <= sa.bindparam("wall")))
    .order_by(lanes.c.next_due, lanes.c.lane)
    .limit(1)
    .with_for_update(skip_locked=True)
)
TAKEN = (
    sa.update(lanes)
    .where(lanes.c.lane == sa.bindparam("free"))
    .values(token=sa.bindparam("by", type_=sa.String), lease_until=sa.bindparam("until", type_=Moment))
)
HELD = (lanes.c.lane == sa.bindparam("held")) & (lanes.c.token == sa.bindparam("by"))
PROLONGED = sa.update(lanes).where(HELD).values(lease_until=sa.bindparam("until", type_=Moment))
GIVEN_BACK = sa.update(lanes).where(HELD).values(token=None, lease_until=None)
DUE_NEXT = sa.update(lanes).where(lanes.c.lane == sa.bindparam("held")).values(next_due=sa.bindparam("at", type_=Moment))
INBOX_HEAD = sa.select(inbox).where(inbox.c.lane == sa.bindparam("of"), UNFINISHED).order_by(inbox.c.id).limit(1)
# Opening the issue comes before all else: effects that wait for an issue that was lost meanwhile go to the new one.
FIRST = sa.func.abs(sa.func.min(sa.case((outbox.c.kind == "OpenIssue", -outbox.c.id), else_=outbox.c.id)))
OLDEST = sa.select(FIRST).where(outbox.c.lane == sa.bindparam("of"), UNFINISHED).group_by(outbox.c.channel)
OUTBOX_HEADS = sa.select(outbox).where(outbox.c.id.in_(OLDEST)).order_by(outbox.c.id)
TRIED = {
    table: sa.update(table).where(table.c.id == sa.bindparam("row")).values(attempts=table.c.attempts + 1) for table in (inbox, outbox)
}

LATER = {
    table: sa.update(table)
    .where(table.c.id == sa.bindparam("row"))
    .values(due_at=sa.bindparam("at", type_=Moment), error="", failure=Failure.LIMIT)
    for table in (inbox, outbox)
}

PLATFORM = "platform"
READS = {"gitlab", "sweep"}  # sources whose rows are looks at the platform

LONGEST_ERROR = 8000  # characters of an error kept in its row


def channel_of(effect: Effect) -> str:
    """What an effect goes out by; a channel that is down does not hold up the others."""
    match effect:
        case CallPortal():
            return "portal"
        case SendMail():
            return "mail"
        case _:
            return PLATFORM


class Worklist(Intake, Quotas):
    """Hands out lanes and rows, and takes back what became of them."""

    def claim(self, *, lease: timedelta) -> Turn | None:
        """Hold the lane that has waited longest, or None where nothing is due. Raises StoreDown."""
        wall = self.wall()
        with self._write() as connection:
            lane = connection.execute(FREE, {"now": self.clock(), "wall": wall}).scalar()
            if lane is None:
                return None
            turn = Turn(lane, secrets.token_hex(16), lease)
            connection.execute(TAKEN, {"free": lane, "by": turn.token, "until": wall + lease})
            return turn

    def next(self, turn: Turn) -> InboxRow | OutboxRow | None:
        """The row to work on now: inbox before outbox. The attempt is counted on disk before it begins. Raises LeaseLost, StoreDown."""
        with self._write() as connection:
            self._hold(connection, turn)
            head = _inbox_head(connection, turn.lane)
            if head is not None and self._ready(connection, inbox, head, asks=head.source in READS):
                return inbox_row(head, attempts=head.attempts + 1)
            for row in _outbox_heads(connection, turn.lane):
                if self._ready(connection, outbox, row, asks=row.channel == PLATFORM):
                    return outbox_row(row, attempts=row.attempts + 1)
            return None

    def _ready(self, connection: Connection, table: sa.Table, row: Row[tuple[object, ...]], *, asks: bool) -> bool:
        """Whether this row is worked on now: then its attempt is counted. One that `asks` the platform may have to wait for it."""
        now = self.clock()
        if row.state != WAITING or row.due_at > now:
            return False
        wait = self._wait_for(connection, row.kind if table is outbox else "") if asks else None
        if wait is not None:
            connection.execute(LATER[table], {"row": row.id, "at": now + wait})
            return False
        connection.execute(TRIED[table], {"row": row.id})
        return True

    def commit(self, turn: Turn, row: InboxRow, batch: Batch) -> None:
        """Record all that the row leads to, and that the row is done, in one transaction. Raises LeaseLost, StoreDown.

        ValueError for entries of another case than the lane's, or not numbered on from the case's last.
        """
        if batch.ticket not in ("", turn.lane):
            raise ValueError(f"{batch.ticket} cannot be written by the lane of {turn.lane}")
        with self._write() as connection:
            self._hold(connection, turn)
            append_entries(connection, turn.lane, batch.entries)
            if batch.case_row is not None:
                write_case(connection, batch.case_row, batch.entries)
            if batch.observed is not None:
                connection.execute(sa.update(cases).where(cases.c.ticket == turn.lane).values(observed=batch.observed))
            self._insert_new(connection, causes, [{"ticket": turn.lane, "key": key} for key in batch.causes])
            self._send(connection, turn.lane, batch.effects)
            connection.execute(sa.update(inbox).where(inbox.c.id == row.id).values(state=DONE, error="", failure="", result=batch.result))

    def done(
        self, turn: Turn, row: OutboxRow, *, outcome: Fact | None = None, note: NoteMade | None = None, observed: Json | None = None
    ) -> None:
        """The effect was performed; `outcome` comes back as an inbox row of the lane. Raises LeaseLost, StoreDown."""
        with self._write() as connection:
            self._hold(connection, turn)
            if outcome is not None:
                self._insert_deliveries(
                    connection, [Delivery("outcome", f"{turn.lane}:{outcome.key}", turn.lane, codec.fact_bytes(outcome))]
                )
            if note is not None:
                row_of_note = {"key": note.key, "ticket": turn.lane, "slot": note.slot, "note_id": note.note_id}
                made = self._insert(notes).values(row_of_note)
                connection.execute(made.on_conflict_do_update(index_elements=["key"], set_=row_of_note))
            if observed is not None:
                connection.execute(sa.update(cases).where(cases.c.ticket == turn.lane).values(observed=observed))
            connection.execute(
                sa.update(outbox).where(outbox.c.id == row.id).values(state=DONE, error="", failure="", done_at=self.clock())
            )

    def postpone(self, turn: Turn, row: InboxRow | OutboxRow, *, until: datetime, error: str, failure: Failure = Failure.OTHER) -> None:
        """Try the row again at `until`. Raises LeaseLost, StoreDown."""
        self._set_aside(turn, row, {"due_at": until, "error": _cut(error), "failure": failure})

    def park(self, turn: Turn, row: InboxRow | OutboxRow, error: str, failure: Failure = Failure.OTHER) -> None:
        """Leave the row, and what waits behind it, until an operator replays it. Raises LeaseLost, StoreDown."""
        self._set_aside(turn, row, {"state": PARKED, "error": _cut(error), "failure": failure})

    def move(self, turn: Turn, row: InboxRow, lane: str) -> None:
        """Put the row into another lane: a hook's issue turned out to be a case. Raises LeaseLost, StoreDown."""
        with self._write() as connection:
            self._hold(connection, turn)
            connection.execute(sa.update(inbox).where(inbox.c.id == row.id).values(lane=lane, due_at=self.clock()))
            self._wake(connection, [lane])

    def hold(self, turn: Turn) -> None:
        """Prolong the hold: for a row whose work outside is many calls. Raises LeaseLost, StoreDown."""
        with self._write() as connection:
            self._hold(connection, turn)

    def release(self, turn: Turn) -> None:
        """Give the lane back; a lane lost already stays with whoever has it. Raises StoreDown."""
        with self._write() as connection:
            # The lane's row is locked first and its rows are read after: whatever arrives meanwhile wakes the lane once more.
            if connection.execute(GIVEN_BACK, {"held": turn.lane, "by": turn.token}).rowcount:
                connection.execute(DUE_NEXT, {"held": turn.lane, "at": self._next_due(connection, turn.lane)})

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
        if not connection.execute(PROLONGED, {"held": turn.lane, "by": turn.token, "until": self.wall() + turn.lease}).rowcount:
            raise LeaseLost(turn.lane)

    def _set_aside(self, turn: Turn, row: InboxRow | OutboxRow, values: dict[str, object]) -> None:
        table = inbox if isinstance(row, InboxRow) else outbox
        with self._write() as connection:
            self._hold(connection, turn)
            connection.execute(sa.update(table).where(table.c.id == row.id).values(**values))

    def _send(self, connection: Connection, lane: str, effects: Iterable[Effect]) -> None:
        """Queue effects. A key already queued, and a second waiting ShowOnIssue of the lane, add nothing."""
        now = self.clock()
        fresh = {"lane": lane, "created_at": now, "state": WAITING, "attempts": 0, "due_at": now, "error": ""}
        dumped = ((effect, *codec.EFFECTS.dump(effect)) for effect in effects)
        rows = [{**fresh, "channel": channel_of(effect), "key": effect.key, "kind": kind, "data": data} for effect, kind, data in dumped]
        self._insert_new(connection, outbox, rows)

    def _next_due(self, connection: Connection, lane: str) -> datetime | None:
        """When the lane has work again."""
        heads = [_inbox_head(connection, lane), *_outbox_heads(connection, lane)]
        return min((head.due_at for head in heads if head is not None and head.state == WAITING), default=None)


def _inbox_head(connection: Connection, lane: str) -> Row[tuple[object, ...]] | None:
    """The oldest inbox row that is not done."""
    return connection.execute(INBOX_HEAD, {"of": lane}).first()


def _outbox_heads(connection: Connection, lane: str) -> list[Row[tuple[object, ...]]]:
    """The oldest outbox row of each channel that is not done, oldest first."""
    return list(connection.execute(OUTBOX_HEADS, {"of": lane}))


def inbox_row(row: Row[tuple[object, ...]], *, attempts: int | None = None) -> InboxRow:
    """The row as a value."""
    fields = {name: row._mapping[name] for name in InboxRow.__dataclass_fields__}  # noqa: SLF001  # SQLAlchemy's documented name
    return InboxRow(**(fields if attempts is None else {**fields, "attempts": attempts}))


def outbox_row(row: Row[tuple[object, ...]], *, attempts: int | None = None) -> OutboxRow:
    """The row as a value."""
    fields = {name: row._mapping[name] for name in OutboxRow.__dataclass_fields__}  # noqa: SLF001  # SQLAlchemy's documented name
    return OutboxRow(**(fields if attempts is None else {**fields, "attempts": attempts}))


def _cut(error: str) -> str:
    """An error as it is kept: its end says most, and PostgreSQL keeps no NUL in text."""
    return error.replace("\x00", "\\0")[-LONGEST_ERROR:]
