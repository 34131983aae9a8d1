"""What the store tells: the ledger, the rows, where things stand. Reading changes nothing; an operator's replay is the one exception."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Literal, Self

import sqlalchemy as sa

from integration.clock import Clock, utc_now
from integration.codec import Json
from integration.procedure.case import fold
from integration.procedure.events import Entry, Event
from integration.sealing import Keyring
from integration.settings import Settings
from integration.store import statements
from integration.store.book import Book
from integration.store.listing import Listing
from integration.store.rows import CaseRow, ChainFault, InboxRow, Known, Line, OutboxRow, Parked, Turn, Waiting
from integration.store.statements import columns
from integration.store.subjects import Subjects
from integration.store.worklist import Worklist
from integration.store.writing import FIRST, chain_faults, entry_of
from integration.tables import DONE, PARKED, UNFINISHED, WAITING, cases, events, inbox, marks, outbox

Side = Literal["inbox", "outbox"]

AT_ONCE = 50  # ledgers read in one question


class Store(Worklist, Book, Listing, Subjects):
    """The store of the service: everything it knows and everything it still has to do."""

    @classmethod
    def of(cls, settings: Settings, clock: Clock = utc_now) -> Self:
        """The store these settings describe."""
        keyring = Keyring.of([secret.get_secret_value() for secret in settings.data_keys])
        store = cls(settings.database_url.get_secret_value(), clock=clock, keyring=keyring)
        store.per_minute = settings.gitlab_per_minute
        return store

    # --- cases ---

    def entries(self, ticket: str) -> list[Entry]:
        """The ledger of a case from its first entry; empty for one that is not worked on yet or does not exist."""
        lines, of_case = self._ledger(ticket)
        key = self._key(of_case)
        return [entry_of(line, key) for line in lines]

    def lines(self, ticket: str) -> list[Line]:
        """The ledger of a case line by line, as it is stored."""
        return [Line(*(getattr(row, field) for field in Line.__dataclass_fields__)) for row in self._ledger(ticket)[0]]

    def known(self, turn: Turn) -> Known:
        """What is known of the case whose lane is held. It is read once a turn."""
        if turn.known is None:
            lines, of_case = self._ledger(turn.lane, statements.KEY_AND_OBSERVED)
            key = self._key(of_case)
            entries = tuple(entry_of(line, key) for line in lines)
            observed = of_case.observed if of_case else None
            turn.known = Known(entries, fold(entries), lines[-1].hash if lines else FIRST, key, observed)
        return turn.known

    def _ledger(self, ticket: str, asked: sa.Select[Any] = statements.KEY) -> tuple[Sequence[sa.Row[Any]], sa.Row[Any] | None]:
        """The lines of a case, and what is asked of its row; None where there is no such case."""
        with self._read() as connection:
            of_case = connection.execute(asked, {"of": ticket}).first()
            return connection.execute(statements.LEDGER, {"of": ticket}).all(), of_case

    def _key(self, of_case: sa.Row[Any] | None) -> bytes | None:
        """The key a case's row holds; None where there is none, or none any more."""
        return self.keyring.key(of_case.key) if of_case is not None and of_case.key else None

    def ledgers(self, tickets: Sequence[str], without: Iterable[type[Event]] = ()) -> Iterator[list[Entry]]:
        """The ledgers of these cases by ticket, those that have one, `without` events of these kinds.

        Never more of them are in memory than one question brings.
        """
        left_out = [kind.__name__ for kind in without]
        for start in range(0, len(tickets), AT_ONCE):
            asked = sa.select(events).where(events.c.ticket.in_(tickets[start : start + AT_ONCE]), events.c.kind.not_in(left_out))
            with self._read() as connection:
                keys = self._keys(connection, tickets[start : start + AT_ONCE])
                rows = connection.execute(asked.order_by(events.c.ticket, events.c.seq)).all()
            for ticket, of_case in groupby(rows, attrgetter("ticket")):
                yield [entry_of(line, keys.get(ticket)) for line in of_case]

    def ticket_exists(self, ticket: str) -> bool:
        """Whether there is such a case."""
        with self._read() as connection:
            return connection.execute(sa.select(cases.c.ticket).where(cases.c.ticket == ticket)).first() is not None

    def ticket_of(self, iid: int) -> str | None:
        """The case whose issue has this number."""
        with self._read() as connection:
            return connection.execute(statements.CASE_OF_ISSUE, {"issue": iid}).scalar()

    def case_row(self, ticket: str) -> CaseRow | None:
        """Where this case stands."""
        rows = self._case_rows(cases.c.ticket == ticket)
        return rows[0] if rows else None

    def case_rows(self, *, open_only: bool = False, status: str | None = None, step: int | None = None) -> list[CaseRow]:
        """Where cases stand, by ticket; each filter narrows."""
        wanted: list[sa.ColumnElement[bool]] = [sa.true()]
        if open_only:
            wanted.append(cases.c.ended_at.is_(None))
        if status is not None:
            wanted.append(cases.c.status == status)
        if step is not None:
            wanted.append(cases.c.step == step)
        return self._case_rows(*wanted)

    def tickets(self, *, opened_before: datetime | None = None, ended_after: datetime | None = None) -> list[str]:
        """All cases in order, or those opened before a moment, or those still open or ended after one."""
        chosen = sa.select(cases.c.ticket)
        if opened_before is not None:
            chosen = chosen.where(cases.c.opened_at < opened_before)
        if ended_after is not None:
            chosen = chosen.where(sa.or_(cases.c.ended_at.is_(None), cases.c.ended_at > ended_after))
        with self._read() as connection:
            return sorted(connection.execute(chosen).scalars())  # asked for in order, SQLite would read every case there ever was

    def open_issues(self) -> int:
        """How many open cases have an issue."""
        counted = sa.select(sa.func.count()).where(cases.c.ended_at.is_(None), cases.c.iid.is_not(None))
        with self._read() as connection:
            return connection.execute(counted).scalar_one()

    def open_by_role(self) -> dict[str, int]:
        """How many open cases wait for each role that any waits for."""
        counted = sa.select(cases.c.role, sa.func.count().label("n")).where(cases.c.ended_at.is_(None), cases.c.role.is_not(None))
        with self._read() as connection:
            return {row.role: row.n for row in connection.execute(counted.group_by(cases.c.role))}

    def open_by_status(self) -> dict[str, int]:
        """How many cases are open, by their status."""
        counted = sa.select(cases.c.status, sa.func.count().label("n")).where(cases.c.ended_at.is_(None)).group_by(cases.c.status)
        with self._read() as connection:
            return {row.status: row.n for row in connection.execute(counted)}

    def due_by(self, moment: datetime) -> list[CaseRow]:
        """Open cases whose step is due at this moment or was before; none that is paused or waits for its form."""
        return self._case_rows(cases.c.ended_at.is_(None), cases.c.due_at <= moment)

    def workload(self, *, without: str = "") -> Counter[str]:
        """In how many open cases' teams each account is; the case `without` is left out."""
        teams = sa.select(cases.c.team).where(cases.c.ended_at.is_(None), cases.c.team.is_not(None), cases.c.ticket != without)
        with self._read() as connection:
            return Counter(account for team in connection.execute(teams).scalars() for account in team)

    def known_causes(self, ticket: str, keys: Iterable[str]) -> set[str]:
        """Those of the facts' keys that were decided on already."""
        with self._read() as connection:
            return set(connection.execute(statements.KNOWN_CAUSES, {"of": ticket, "keys": list(keys)}).scalars())

    def observed(self, ticket: str) -> Json | None:
        """The issue as it was last seen."""
        with self._read() as connection:
            seen: Json | None = connection.execute(statements.OBSERVED, {"of": ticket}).scalar()
        return seen

    def sightings(self, iids: Sequence[int]) -> dict[int, tuple[str, Json | None]]:
        """By number, of the issues that are a case's: its ticket, and the issue as it was last seen."""
        asked = sa.select(cases.c.iid, cases.c.ticket, cases.c.observed).where(cases.c.iid.in_(iids))
        with self._read() as connection:
            return {iid: (ticket, seen) for iid, ticket, seen in connection.execute(asked)}

    def note_id(self, ticket: str, name: str) -> int | None:
        """GitLab's id of the newest note posted for this effect's key or in this slot."""
        with self._read() as connection:
            return connection.execute(statements.NEWEST_NOTE, {"of": ticket, "name": name}).scalar()

    # --- rows ---

    def inbox_rows(
        self, *, state: str | None = None, lane: str | None = None, row_id: int | None = None, limit: int = 100
    ) -> list[InboxRow]:
        """Kept messages, newest first; without `state` or `row_id` only those not done."""
        with self._read() as connection:
            return self._messages(connection, connection.execute(_rows(inbox, InboxRow, state, lane, row_id).limit(limit)))

    def portal_message(self, key: str) -> InboxRow | None:
        """What the unit said under this key, through the portal or on a page of ours."""
        found = self._portal_messages(inbox.c.key == key)
        return found[0] if found else None

    def portal_messages(self, prefix: str) -> tuple[InboxRow, ...]:
        """What the unit said under keys that begin so, oldest first."""
        return self._portal_messages(inbox.c.key >= prefix, inbox.c.key < f"{prefix}~")

    def _portal_messages(self, *wanted: sa.ColumnElement[bool]) -> tuple[InboxRow, ...]:
        said = sa.select(*columns(inbox, InboxRow)).where(inbox.c.source == "portal", *wanted).order_by(inbox.c.id)
        with self._read() as connection:
            return tuple(self._messages(connection, connection.execute(said)))

    def outbox_rows(
        self, *, state: str | None = None, lane: str | None = None, row_id: int | None = None, limit: int = 100
    ) -> list[OutboxRow]:
        """Effects, newest first; without `state` or `row_id` only those not done."""
        with self._read() as connection:
            return [OutboxRow(*row) for row in connection.execute(_rows(outbox, OutboxRow, state, lane, row_id).limit(limit))]

    def replay(self, side: Side, row_id: int | None = None) -> int:
        """Try a parked row again, or all of the side; gives how many are: 0 where none is parked.

        It has all its tries again, but what an earlier one may have left is looked for first: none of them counts as the first.
        """
        table = inbox if side == "inbox" else outbox
        known = [table.c.id, table.c.lane, table.c.attempts, *([outbox.c.kind] if side == "outbox" else ())]
        parked = sa.select(*known).where(table.c.state == PARKED).order_by(table.c.id)
        with self._write() as connection:
            rows = connection.execute(parked if row_id is None else parked.where(table.c.id == row_id)).all()
            for row in rows:
                state = DONE if side == "outbox" and row.kind == "ShowOnIssue" and self._shown_anyway(connection, row.lane) else WAITING
                again = {"state": state, "due_at": self.clock(), "attempts": min(row.attempts, 1)}
                connection.execute(sa.update(table).where(table.c.id == row.id).values(**again))
            self._wake(connection, {row.lane for row in rows})
            return len(rows)

    def _shown_anyway(self, connection: sa.Connection, lane: str) -> bool:
        """Whether a ShowOnIssue waits in the lane: it shows all that any other would."""
        waits = sa.select(outbox.c.id).where(outbox.c.lane == lane, outbox.c.kind == "ShowOnIssue", outbox.c.state == WAITING)
        return connection.execute(waits).first() is not None

    def parked(self, limit: int = 50) -> list[Parked]:
        """The parked rows of both sides, the newest first of each; no body is read, so no key is needed."""
        found = []
        with self._read() as connection:
            for side, table, since in (("inbox", inbox, inbox.c.received_at), ("outbox", outbox, outbox.c.created_at)):
                wanted = sa.select(table.c.id).where(table.c.state == PARKED, UNFINISHED)
                told = sa.select(table.c.id, since, table.c.attempts, table.c.failure).where(table.c.id.in_(wanted))
                rows = connection.execute(told.order_by(table.c.id.desc()).limit(limit))
                found += [Parked(side, *row) for row in rows]
        return found

    def waiting(self) -> tuple[Waiting, Waiting]:
        """How much waits in the inbox and in the outbox."""
        with self._read() as connection:
            found = []
            for side, table, since in (("inbox", inbox, inbox.c.received_at), ("outbox", outbox, outbox.c.created_at)):
                open_rows = sa.select(table.c.state, table.c.failure, sa.func.count(), sa.func.min(since)).where(UNFINISHED)
                counted = connection.execute(open_rows.group_by(table.c.state, table.c.failure)).all()
                rows: Counter[str] = Counter()
                for state, _, n, _ in counted:
                    rows[state] += n
                oldest = min((first for state, _, _, first in counted if state == WAITING), default=None)
                failing = {(state, failure): n for state, failure, n, _ in counted if failure}
                found.append(Waiting(side, rows[WAITING], rows[PARKED], oldest, failing))
        return found[0], found[1]

    def waits_since(self) -> datetime | None:
        """Since when what is due longest waits for a worker; None where nothing does. What is parked, or waits for its time, is not due."""
        with self._read() as connection:
            return connection.execute(statements.WAITS_SINCE, {"now": self.clock(), "wall": self.wall()}).scalar()

    def heard(self, source: str) -> datetime | None:
        """When the newest message of this source came: rows are read from the newest back to it."""
        of_source = sa.func.coalesce(inbox.c.source, "") == source  # by the column itself SQLite would take the index of keys, and sort all
        newest = sa.select(inbox.c.received_at).where(of_source).order_by(inbox.c.id.desc()).limit(1)
        with self._read() as connection:
            return connection.execute(newest).scalar()

    # --- where recurring work stands ---

    def mark(self, name: str) -> str | None:
        """The value last set under this name."""
        with self._read() as connection:
            return connection.execute(sa.select(marks.c.value).where(marks.c.name == name)).scalar()

    def set_mark(self, name: str, value: str) -> None:
        """Remember a value under this name."""
        with self._write() as connection:
            made = self._insert(marks).values(name=name, value=value)
            connection.execute(made.on_conflict_do_update(index_elements=["name"], set_={"value": value}))

    # --- the proof ---

    def verify(self, ticket: str | None = None) -> list[ChainFault]:
        """Recompute the chain of one case or of all; empty where every line holds."""
        of_case = cases.c.ticket == ticket if ticket is not None else sa.true()
        with self._read() as connection:
            versions = {row.ticket: row.version for row in connection.execute(sa.select(cases.c.ticket, cases.c.version).where(of_case))}
            return [
                fault
                for each, version in versions.items()
                for fault in chain_faults(each, connection.execute(statements.LEDGER, {"of": each}), version)
            ]

    def _case_rows(self, *wanted: sa.ColumnElement[bool]) -> list[CaseRow]:
        chosen = sa.select(*columns(cases, CaseRow)).where(*wanted)
        with self._read() as connection:
            rows = [row._asdict() for row in connection.execute(chosen.order_by(cases.c.ticket))]  # SQLAlchemy's documented name
        return [CaseRow(**{**row, "team": tuple(row["team"] or ())}) for row in rows]


def _rows(table: sa.Table, kind: type[InboxRow | OutboxRow], state: str | None, lane: str | None, row_id: int | None) -> sa.Select[Any]:
    wanted: list[sa.ColumnElement[bool] | sa.TextClause] = [sa.true()]
    if state is not None:
        wanted.append(table.c.state == state)
    if lane is not None:
        wanted.append(table.c.lane == lane)
    if row_id is not None:
        wanted.append(table.c.id == row_id)
    elif state != DONE:
        # Found first and put in order then: the other way round, SQLite would read every row that is done.
        wanted.append(UNFINISHED)
        wanted = [table.c.id.in_(sa.select(table.c.id).where(*wanted))]
    return sa.select(*columns(table, kind)).where(*wanted).order_by(table.c.id.desc())
