"""The edge's side of the store: messages are kept once, and a new case gets its number in the same transaction.

Nothing is answered before its transaction is on disk; the same key is always given the same answer.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from integration.clock import Clock, utc_now
from integration.codec import Json
from integration.store.database import Database
from integration.store.rows import NEW, Conflict, Delivery, Kept, StoreDown
from integration.tables import WAITING, cases, counters, inbox, lanes, sequences

LARGEST_GROUP = 64  # requests
LARGEST_BYTES = 32 * 1024 * 1024  # of their bodies together, unless one alone is larger

ANSWERED = (
    sa.update(inbox)
    .where(inbox.c.id == sa.bindparam("row"))
    .values(lane=sa.bindparam("ticket"), answer=sa.bindparam("answer", type_=sa.JSON))
)


def _only_ticket(ticket: str) -> Json:
    return {"tiket": ticket}


@dataclass(slots=True)
class _Request:
    """A delivery on its way to disk; `opens`: the prefix and year of the case it opens, and the answer for its ticket."""

    delivery: Delivery
    opens: tuple[str, int, Callable[[str], Json]] | None = None
    outcome: Kept | Conflict | None = None
    failed: bool = False


@dataclass(slots=True)
class _Group:
    """Requests that wait for the same transaction: one of them, the leader, writes for all."""

    leading: threading.Lock = field(default_factory=threading.Lock)
    queueing: threading.Lock = field(default_factory=threading.Lock)
    queue: list[_Request] = field(default_factory=list)

    def join(self, request: _Request) -> None:
        with self.queueing:
            self.queue.append(request)

    def take(self) -> list[_Request]:
        """The oldest requests that fit into one transaction; at least one."""
        with self.queueing:
            sizes = accumulate(len(request.delivery.body) for request in self.queue[:LARGEST_GROUP])
            fitting = max(1, sum(size <= LARGEST_BYTES for size in sizes))
            taken = self.queue[:fitting]
            del self.queue[:fitting]
        return taken


class Intake(Database):
    """Keeps deliveries. One fsync serves all requests that arrive while the one before is running."""

    def __init__(self, url: str, *, clock: Clock, wall: Clock = utc_now) -> None:
        super().__init__(url, clock=clock, wall=wall)
        self._group = _Group()

    def submit(self, delivery: Delivery, prefix: str, year: int, answer: Callable[[str], Json] = _only_ticket) -> Kept | Conflict:
        """Keep the delivery and open the case it asks for: ticket "SI-2026-000123", status "baru", its own lane.

        `answer` makes the answer for the ticket. Repeats get the first answer, also while it is in flight. Raises StoreDown.
        """
        return self._enter(_Request(delivery, (prefix, year, answer)))

    def keep(self, delivery: Delivery) -> Kept | Conflict:
        """Keep the delivery in its lane. Raises StoreDown."""
        return self._enter(_Request(delivery))

    def keep_all(self, deliveries: Iterable[Delivery]) -> int:
        """Keep many in one transaction: the clock's and the sweep's. Gives how many were new. Raises StoreDown."""
        requests = [_Request(delivery) for delivery in deliveries]
        if requests:
            self._keep(requests)
        return sum(isinstance(request.outcome, Kept) and request.outcome.fresh for request in requests)

    def count(self, name: str, n: int = 1) -> None:
        """Add to a durable counter. Raises StoreDown."""
        with self._write() as connection:
            added = self._insert(counters).values(name=name, n=n)
            connection.execute(added.on_conflict_do_update(index_elements=["name"], set_={"n": counters.c.n + added.excluded.n}))

    def counts(self) -> dict[str, int]:
        """All durable counters by name. Raises StoreDown."""
        with self._read() as connection:
            return {row.name: row.n for row in connection.execute(sa.select(counters))}

    def _enter(self, request: _Request) -> Kept | Conflict:
        """Wait for a transaction this request is part of, or lead one."""
        self._group.join(request)
        with self._group.leading:
            while request.outcome is None and not request.failed:
                members = self._group.take()
                try:
                    self._keep(members)
                finally:
                    for member in members:
                        member.failed = member.outcome is None
        if request.outcome is None:
            raise StoreDown("the transaction this delivery waited for failed")
        return request.outcome

    def _keep(self, requests: Sequence[_Request]) -> None:
        """One transaction for all. Rows come in the order of their keys and tickets after them: two such never wait in a circle."""
        with self._write() as connection:
            ids = self._insert_deliveries(connection, [request.delivery for request in requests])
            fresh = [(ids.pop(_key(request)), request) for request in requests if _key(request) in ids]
            answers = {row: request.delivery.answer for row, request in fresh} | self._open(connection, fresh)
            self._wake(connection, {request.delivery.lane for _, request in fresh if not request.opens})
            outcomes: dict[int, Kept | Conflict] = {id(request): Kept(answers[row], fresh=True) for row, request in fresh}
            for request in requests:
                if id(request) not in outcomes:
                    outcomes[id(request)] = _first_answer(connection, request.delivery)
        for request in requests:
            request.outcome = outcomes[id(request)]

    def _insert_deliveries(self, connection: Connection, deliveries: Sequence[Delivery]) -> dict[tuple[str, str], int]:
        """Insert those whose keys are new; gives the ids of the new rows by source and key."""
        now = self.clock()
        rows = [
            {
                "source": delivery.source,
                "key": delivery.key,
                "lane": delivery.lane,
                "body": delivery.body,
                "body_sha256": hashlib.sha256(delivery.body).hexdigest(),
                "headers": delivery.headers,
                "answer": delivery.answer,
                "received_at": now,
                "state": WAITING,
                "attempts": 0,
                "due_at": now,
                "error": "",
                "result": "",
            }
            for delivery in sorted(deliveries, key=lambda delivery: (delivery.source, delivery.key))
        ]
        new = self._insert(inbox).on_conflict_do_nothing().returning(inbox.c.id, inbox.c.source, inbox.c.key)
        return {(row.source, row.key): row.id for row in connection.execute(new, rows)}

    def _open(self, connection: Connection, fresh: Sequence[tuple[int, _Request]]) -> dict[int, Json]:
        """Give a ticket and a lane to each of the new rows that opens a case; gives the answers by row."""
        counts = Counter(request.opens[:2] for _, request in fresh if request.opens)
        last = {series: self._counted(connection, f"tiket:{series[0]}", series[1], n) for series, n in sorted(counts.items())}
        tickets: list[Json] = []
        for row, request in fresh:
            if request.opens:
                prefix, year, answer_for = request.opens
                number = last[prefix, year] - counts[prefix, year] + 1
                counts[prefix, year] -= 1
                ticket = f"{prefix}-{year}-{number:06d}"
                tickets.append(
                    {"row": row, "ticket": ticket, "prefix": prefix, "year": year, "number": number, "answer": answer_for(ticket)}
                )
        if tickets:
            now = self.clock()
            nothing_yet = {"status": NEW, "opened_at": now, "procedure": "", "revision": "", "title": "", "version": 0}
            connection.execute(sa.insert(cases), [_only(one, "ticket", "prefix", "year", "number") | nothing_yet for one in tickets])
            connection.execute(sa.insert(lanes), [{"lane": one["ticket"], "next_due": now} for one in tickets])
            connection.execute(ANSWERED, [_only(one, "row", "ticket", "answer") for one in tickets])
        return {one["row"]: one["answer"] for one in tickets}

    def _counted(self, connection: Connection, name: str, year: int, n: int = 1) -> int:
        """Take the next `n` numbers of a sequence; gives the last of them. No gaps: they are given back when the transaction fails."""
        first = self._insert(sequences).values(name=name, year=year, last=n)
        counted = first.on_conflict_do_update(index_elements=["name", "year"], set_={"last": sequences.c.last + first.excluded.last})
        last: int = connection.execute(counted.returning(sequences.c.last)).scalar_one()
        return last

    def _wake(self, connection: Connection, awake: Iterable[str]) -> None:
        """Have these lanes worked on from now."""
        rows = [{"lane": lane, "next_due": self.clock()} for lane in sorted(awake)]
        if rows:
            woken = self._insert(lanes)
            earlier = sa.case((lanes.c.next_due < woken.excluded.next_due, lanes.c.next_due), else_=woken.excluded.next_due)
            connection.execute(woken.on_conflict_do_update(index_elements=["lane"], set_={"next_due": earlier}), rows)


def _only(row: Json, *names: str) -> Json:
    return {name: row[name] for name in names}


def _key(request: _Request) -> tuple[str, str]:
    return request.delivery.source, request.delivery.key


def _first_answer(connection: Connection, delivery: Delivery) -> Kept | Conflict:
    """What the delivery that came first with this key was answered."""
    same_key = (inbox.c.source == delivery.source) & (inbox.c.key == delivery.key)
    first = connection.execute(sa.select(inbox.c.answer, inbox.c.body_sha256).where(same_key)).one()
    if first.body_sha256 != hashlib.sha256(delivery.body).hexdigest():
        return Conflict()
    return Kept(first.answer, fresh=False)
