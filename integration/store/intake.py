"""The edge's side of the store: messages are kept once, and a new case gets its number in the same transaction.

Nothing is answered before its transaction is on disk; the same key is always given the same answer.
"""

import hashlib
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from integration import tracing
from integration.clock import Clock, utc_now
from integration.codec import Json
from integration.faults import StoreDown
from integration.sealing import PLAIN, KeyClosed, Keyring, seal
from integration.store.keys import Keys
from integration.store.rows import NEW, Conflict, Delivery, Kept, Outcome
from integration.tables import DONE, WAITING, cases, counters, inbox, lanes, sequences

LARGEST_GROUP = 64  # requests
LARGEST_BYTES = 32 * 1024 * 1024  # of their bodies together, unless one alone is larger

MOST_KEYS = 500  # asked for in one statement

# Made once, as those of `Intake.__init__`: making a statement anew for each transaction takes longer than the database does.
FIRST = sa.select(inbox.c.source, inbox.c.key, inbox.c.body_sha256, inbox.c.answer).where(
    inbox.c.source.in_(sa.bindparam("sources", expanding=True)), inbox.c.key.in_(sa.bindparam("keys", expanding=True))
)
NEW_CASES = sa.insert(cases).values(
    {name: sa.literal_column(f"'{NEW if name == 'status' else ''}'") for name in ("status", "procedure", "revision", "title")}
    | {"version": sa.literal_column("0")}
)
NEW_ROWS = sa.insert(inbox)

PORTAL = "portal"
"""The source of what the unit sends."""

Key = tuple[str, str]
"""Source and key of a delivery."""


def _only_ticket(ticket: str) -> Json:
    return {"tiket": ticket}


@dataclass(slots=True)
class Arrival:
    """A delivery on its way to disk; `opens`: the prefix and year of the case it opens, and the answer for its ticket.

    Made where its trace is. What it is made of can go to another process.
    """

    delivery: Delivery
    opens: tuple[str, int, Callable[[str], Json]] | None = None
    sha256: str = field(init=False)  # of the body

    def __post_init__(self) -> None:
        self.delivery = replace(self.delivery, headers=tracing.headed(self.delivery.headers))
        self.sha256 = hashlib.sha256(self.delivery.body).hexdigest()

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.delivery.source, self.delivery.key


@dataclass(slots=True)
class _Member:
    """An arrival that waits for its transaction; `woken`: it is written, it failed, or it is to lead."""

    arrival: Arrival
    outcome: Outcome | None = None
    failed: bool = False
    woken: threading.Event = field(default_factory=threading.Event)


class _Group:
    """Arrivals that wait for the same transaction: one of them, the leader, writes for all and names the next leader."""

    def __init__(self) -> None:
        self.queue: list[_Member] = []
        self._led = False
        self._lock = threading.Lock()

    def join(self, member: _Member) -> bool:
        """Wait for a transaction from now on; whether the member is to lead it at once, because nobody else does."""
        with self._lock:
            self.queue.append(member)
            leads, self._led = not self._led, True
        return leads

    def take(self) -> list[_Member]:
        """The oldest members that fit into one transaction, the leader first of them."""
        with self._lock:
            sizes = itertools.accumulate(len(member.arrival.delivery.body) for member in self.queue[:LARGEST_GROUP])
            fitting = max(1, sum(size <= LARGEST_BYTES for size in sizes))
            taken = self.queue[:fitting]
            del self.queue[:fitting]
        return taken

    def hand_on(self) -> None:
        """The oldest of those that wait now leads."""
        with self._lock:
            self._led = bool(self.queue)
            if self.queue:
                self.queue[0].woken.set()


class Intake(Keys):
    """Keeps deliveries. One fsync serves all that arrive while the one before is running."""

    def __init__(self, url: str, *, clock: Clock, wall: Clock = utc_now, keyring: Keyring = PLAIN) -> None:
        super().__init__(url, clock=clock, wall=wall, keyring=keyring)
        self._group = _Group()
        upsert = self._insert(sequences)
        higher = {"last": sequences.c.last + upsert.excluded.last}
        self._next = upsert.on_conflict_do_update(index_elements=["name", "year"], set_=higher).returning(sequences.c.last)
        woken = self._insert(lanes)
        earlier = sa.case((lanes.c.next_due < woken.excluded.next_due, lanes.c.next_due), else_=woken.excluded.next_due)
        self._woken = woken.on_conflict_do_update(index_elements=["lane"], set_={"next_due": earlier})

    def submit(self, delivery: Delivery, prefix: str, year: int, answer: Callable[[str], Json] = _only_ticket) -> Outcome:
        """Keep the delivery and open the case it asks for: ticket "SI-2026-000123", status "baru", its own lane.

        `answer` makes the answer for the ticket. Repeats get the first answer, also while it is in flight. Raises StoreDown.
        """
        return self.enter(Arrival(delivery, (prefix, year, answer)))

    def keep(self, delivery: Delivery) -> Outcome:
        """Keep the delivery in its lane. Raises StoreDown."""
        return self.enter(Arrival(delivery))

    def enter(self, arrival: Arrival) -> Outcome:
        """Wait for a transaction this arrival is part of, or lead one. Raises StoreDown."""
        member = _Member(arrival)
        if not self._group.join(member):
            member.woken.wait()
        if member.outcome is None and not member.failed:
            self._lead()
        if member.outcome is None:
            raise StoreDown("the transaction this delivery waited for failed")
        return member.outcome

    def keep_together(self, arrivals: Sequence[Arrival], *, repeats: bool = False) -> list[Outcome]:
        """Keep these in one transaction, for whoever gathers them; gives the outcome of each. Raises StoreDown, and none is kept.

        `repeats`: that some were kept before is to be expected, and asked first. Where one was after all, by whomever, it is begun again.
        """
        asked = int(repeats)
        while True:
            try:
                with self._write() as connection:
                    return self._kept(connection, arrivals, self._first(connection, arrivals) if asked else {})
            except sa.exc.IntegrityError:
                if asked > len(arrivals):
                    raise
            except KeyClosed:  # a repeat needs no key
                if asked:
                    raise
            asked += 1

    def keep_all(self, deliveries: Iterable[Delivery]) -> int:
        """Keep many in one transaction: the clock's and the sweep's. Gives how many were new. Raises StoreDown."""
        arrivals = [Arrival(delivery) for delivery in deliveries]
        outcomes = self.keep_together(arrivals, repeats=True) if arrivals else []
        return sum(isinstance(outcome, Kept) and outcome.fresh for outcome in outcomes)

    def count(self, more: Mapping[str, int]) -> None:
        """Add to durable counters, by name. Raises StoreDown."""
        added = self._insert(counters)
        higher = added.on_conflict_do_update(index_elements=["name"], set_={"n": counters.c.n + added.excluded.n})
        with self._write() as connection:  # in order: two such never wait for each other in a circle
            connection.execute(higher, [{"name": name, "n": n} for name, n in sorted(more.items())])

    def counts(self) -> dict[str, int]:
        """All durable counters by name. Raises StoreDown."""
        with self._read() as connection:
            return {row.name: row.n for row in connection.execute(sa.select(counters))}

    def _lead(self) -> None:
        """Write for all that wait. What has failed is told to each; the leader alone is told why."""
        members = self._group.take()
        try:
            for member, outcome in zip(members, self.keep_together([member.arrival for member in members]), strict=True):
                member.outcome = outcome
        finally:
            self._group.hand_on()
            for member in members:
                member.failed = member.outcome is None
                member.woken.set()

    def _kept(self, connection: Connection, arrivals: Sequence[Arrival], first: dict[Key, tuple[str, Json]]) -> list[Outcome]:
        """Keep the arrivals whose keys are new; `first`: see `_first`.

        Locks are taken in one order: sequences, keys, lanes; two such never wait in a circle.
        """
        new = {arrival.key: arrival for arrival in reversed(arrivals) if arrival.key not in first}
        fresh = [new[key] for key in sorted(new)]
        deliveries, keys = self._open(connection, fresh)
        if deliveries:
            keys |= self._keys(connection, {delivery.lane for delivery in deliveries if delivery.source == PORTAL} - keys.keys())
            now = self.clock()
            rows = [
                _row(delivery, arrival.sha256, now, keys.get(delivery.lane)) for delivery, arrival in zip(deliveries, fresh, strict=True)
            ]
            connection.execute(NEW_ROWS, rows)
            self._wake(connection, {delivery.lane for delivery in deliveries if not delivery.settled})
            first |= {key: (row["body_sha256"], row["answer"]) for key, row in zip(sorted(new), rows, strict=True)}
        return [_outcome(arrival, *first[arrival.key], fresh=new.get(arrival.key) is arrival) for arrival in arrivals]

    def _first(self, connection: Connection, arrivals: Sequence[Arrival]) -> dict[Key, tuple[str, Json]]:
        """Of those keys that are known: the hash of the body that came first, and what it was answered."""
        known: dict[Key, tuple[str, Json]] = {}
        for start in range(0, len(arrivals), MOST_KEYS):
            sources, keys = zip(*(arrival.key for arrival in arrivals[start : start + MOST_KEYS]), strict=True)
            rows = connection.execute(FIRST, {"sources": sorted(set(sources)), "keys": keys})
            known |= {(source, key): (body_sha256, answer) for source, key, body_sha256, answer in rows}
        return known

    def _open(self, connection: Connection, fresh: Sequence[Arrival]) -> tuple[list[Delivery], dict[str, bytes]]:
        """The deliveries as they are kept: one that opens a case goes into the lane of its new ticket, with the answer for it.

        And the keys of the new cases.
        """
        wanted = Counter(arrival.opens[:2] for arrival in fresh if arrival.opens)
        numbers = {
            (prefix, year): itertools.count(self._counted(connection, f"tiket:{prefix}", year, n) - n + 1)
            for (prefix, year), n in sorted(wanted.items())
        }
        now, deliveries, opened, keys = self.clock(), [], [], {}
        for arrival in fresh:
            delivery = arrival.delivery
            if arrival.opens:
                prefix, year, answer_for = arrival.opens
                number = next(numbers[prefix, year])
                ticket = f"{prefix}-{year}-{number:06d}"
                delivery = replace(delivery, lane=ticket, answer=answer_for(ticket))
                kept = self.keyring.new()
                keys[ticket] = self.keyring.key(kept)
                opened.append({"ticket": ticket, "prefix": prefix, "year": year, "number": number, "key": kept, "opened_at": now})
            deliveries.append(delivery)
        if opened:
            connection.execute(NEW_CASES, opened)
        return deliveries, keys

    def _insert_deliveries(self, connection: Connection, deliveries: Iterable[Delivery]) -> None:
        """Insert those whose keys are new; their lanes are not woken."""
        now = self.clock()
        self._insert_new(connection, inbox, [_row(delivery, hashlib.sha256(delivery.body).hexdigest(), now) for delivery in deliveries])

    def _counted(self, connection: Connection, name: str, year: int, n: int = 1) -> int:
        """Take the next `n` numbers of a sequence; gives the last of them. No gaps: they are given back when the transaction fails."""
        last: int = connection.execute(self._next, {"name": name, "year": year, "last": n}).scalar_one()
        return last

    def _wake(self, connection: Connection, awake: Iterable[str]) -> None:
        """Have these lanes worked on from now."""
        now = self.clock()
        rows = [{"lane": lane, "next_due": now} for lane in sorted(awake)]
        if rows:
            connection.execute(self._woken, rows)


def _row(delivery: Delivery, body_sha256: str, now: datetime, key: bytes | None = None) -> Json:
    """A delivery as it is kept.

    What comes from the portal is the original of what people wrote, and is sealed; of what is settled nothing is asked any more.
    """
    sealed = delivery.source == PORTAL
    return {
        "source": delivery.source,
        "key": delivery.key,
        "lane": delivery.lane,
        "body": b"" if delivery.settled else seal(key, delivery.body, delivery.lane) if key and sealed else delivery.body,
        "body_sha256": body_sha256,
        "headers": delivery.headers,
        "answer": delivery.answer,
        "received_at": now,
        "state": DONE if delivery.settled else WAITING,
        "attempts": 0,
        "due_at": now,
        "error": "",
        "result": delivery.settled,
    }


def _outcome(arrival: Arrival, body_sha256: str, answer: Json, *, fresh: bool) -> Outcome:
    """What to tell the sender: the first answer, unless another body came with this key before."""
    if fresh or body_sha256 == arrival.sha256:
        return Kept(answer, fresh)
    return Conflict()
