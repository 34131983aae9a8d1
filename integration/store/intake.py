"""The edge's side of the store: messages are kept once, and a new case gets its number in the same transaction.

Nothing is answered before its transaction is on disk; the same key is always given the same answer.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from integration.clock import Clock, utc_now
from integration.codec import Json
from integration.store.database import Database
from integration.store.rows import NEW, Conflict, Delivery, Kept, StoreDown
from integration.tables import WAITING, cases, counters, inbox, lanes, sequences

LARGEST_GROUP = 64


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
        with self.queueing:
            taken = self.queue[:LARGEST_GROUP]
            del self.queue[:LARGEST_GROUP]
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
        outcomes: dict[int, Kept | Conflict] = {}
        with self._write() as connection:
            ordered = sorted(enumerate(requests), key=lambda pair: (pair[1].delivery.source, pair[1].delivery.key))
            ids = {position: self._insert_delivery(connection, request.delivery) for position, request in ordered}
            for position, request in enumerate(requests):
                row = ids[position]
                if row is not None:
                    answer = self._open(connection, row, *request.opens) if request.opens else request.delivery.answer
                    outcomes[position] = Kept(answer, fresh=True)
            awake = {request.delivery.lane for position, request in enumerate(requests) if ids[position] is not None and not request.opens}
            self._wake(connection, awake)
            for position, request in enumerate(requests):
                if position not in outcomes:
                    outcomes[position] = _first_answer(connection, request.delivery)
        for position, request in enumerate(requests):
            request.outcome = outcomes[position]

    def _insert_delivery(self, connection: Connection, delivery: Delivery) -> int | None:
        """The new row's id, or None where the key is known."""
        now = self.clock()
        row = self._insert(inbox).values(
            source=delivery.source,
            key=delivery.key,
            lane=delivery.lane,
            body=delivery.body,
            body_sha256=hashlib.sha256(delivery.body).hexdigest(),
            headers=delivery.headers,
            answer=delivery.answer,
            received_at=now,
            state=WAITING,
            attempts=0,
            due_at=now,
            error="",
            result="",
        )
        return connection.execute(row.on_conflict_do_nothing().returning(inbox.c.id)).scalar()

    def _open(self, connection: Connection, row: int, prefix: str, year: int, answer_for: Callable[[str], Json]) -> Json:
        """Give the delivery's new case its ticket. Gives the answer."""
        number = self._following(connection, f"tiket:{prefix}", year)
        ticket = f"{prefix}-{year}-{number:06d}"
        answer = answer_for(ticket)
        connection.execute(sa.update(inbox).where(inbox.c.id == row).values(lane=ticket, answer=answer))
        case = {"ticket": ticket, "prefix": prefix, "year": year, "number": number, "status": NEW, "opened_at": self.clock()}
        connection.execute(sa.insert(cases).values(**case, procedure="", revision="", title="", version=0))
        connection.execute(sa.insert(lanes).values(lane=ticket, next_due=self.clock()))
        return answer

    def _following(self, connection: Connection, name: str, year: int) -> int:
        """The next number of a sequence: without gaps, for it is given back when the transaction fails."""
        first = self._insert(sequences).values(name=name, year=year, last=1)
        counted = first.on_conflict_do_update(index_elements=["name", "year"], set_={"last": sequences.c.last + 1})
        following: int = connection.execute(counted.returning(sequences.c.last)).scalar_one()
        return following

    def _wake(self, connection: Connection, awake: Iterable[str]) -> None:
        """Have these lanes worked on from now."""
        rows = [{"lane": lane, "next_due": self.clock()} for lane in sorted(awake)]
        if rows:
            woken = self._insert(lanes)
            earlier = sa.case((lanes.c.next_due < woken.excluded.next_due, lanes.c.next_due), else_=woken.excluded.next_due)
            connection.execute(woken.on_conflict_do_update(index_elements=["lane"], set_={"next_due": earlier}), rows)


def _first_answer(connection: Connection, delivery: Delivery) -> Kept | Conflict:
    """What the delivery that came first with this key was answered."""
    same_key = (inbox.c.source == delivery.source) & (inbox.c.key == delivery.key)
    first = connection.execute(sa.select(inbox.c.answer, inbox.c.body_sha256).where(same_key)).one()
    if first.body_sha256 != hashlib.sha256(delivery.body).hexdigest():
        return Conflict()
    return Kept(first.answer, fresh=False)
