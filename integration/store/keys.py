"""The keys of cases: each made with its case, asked for with its data, and forgotten for good when that is erased.

Rule: forgetting a key takes along, in the same transaction, whatever of the case stands in rows that can be changed.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from integration.sealing import SEALED, Erased, unseal
from integration.store.database import Database
from integration.store.rows import InboxRow
from integration.tables import DONE, cases, inbox, outbox

_KEYS = sa.select(cases.c.ticket, cases.c.key).where(cases.c.ticket.in_(sa.bindparam("of", expanding=True)), cases.c.key.is_not(None))
_KEY = sa.select(cases.c.key, cases.c.erased_at).where(cases.c.ticket == sa.bindparam("of", type_=sa.String))


class Keys(Database):
    """What is kept of a case is sealed with its key; a case of before has none, and what is kept of it stays as it is."""

    def key(self, ticket: str) -> bytes | None:
        """The key of this case; None where it has none. Raises Erased, KeyClosed, StoreDown."""
        with self._read() as connection:
            found = connection.execute(_KEY, {"of": ticket}).first()
        if found is None or (found.key is None and found.erased_at is None):
            return None
        if found.key is None:
            raise Erased(ticket)
        return self.keyring.key(found.key)

    def erased_cases(self) -> int:
        """How many cases' data was erased. Raises StoreDown."""
        with self._read() as connection:
            return connection.execute(sa.select(sa.func.count()).where(cases.c.erased_at.is_not(None))).scalar_one()

    def rewrap(self) -> int:
        """Wrap all keys by the first of ALUR_DATA_KEYS, so that the others can go; gives how many. Raises KeyClosed, StoreDown."""
        kept = sa.select(cases.c.ticket, cases.c.key).where(cases.c.key.is_not(None)).order_by(cases.c.ticket).with_for_update()
        set_key = sa.update(cases).where(cases.c.ticket == sa.bindparam("of")).values(key=sa.bindparam("by"))
        with self._write() as connection:
            rows = [{"of": row.ticket, "by": self.keyring.rewrapped(row.key)} for row in connection.execute(kept)]
            if rows:
                connection.execute(set_key, rows)
        return len(rows)

    def _keys(self, connection: Connection, tickets: Collection[str]) -> dict[str, bytes]:
        """The keys of those of these cases that have one. Raises KeyClosed."""
        if not tickets:
            return {}
        return {ticket: self.keyring.key(kept) for ticket, kept in connection.execute(_KEYS, {"of": sorted(tickets)})}

    def _messages(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> list[InboxRow]:
        """Kept messages, of whose columns these are the values, with their bodies as they came. Raises KeyClosed."""
        found = [InboxRow(*row) for row in rows]
        keys = self._keys(connection, {row.lane for row in found if row.body.startswith(SEALED)})
        return [replace(row, body=unseal(keys[row.lane], row.body, row.lane)) if row.body.startswith(SEALED) else row for row in found]

    def empty_messages(self, ticket: str) -> None:
        """Empty what was told of an erased case and is worked off. Raises StoreDown."""
        with self._write() as connection:
            self._empty_messages(connection, ticket)

    def _erase(self, connection: Connection, ticket: str) -> None:
        """Forget the case's key and empty its rows; what was still to be done with the data is not done any more."""
        now = self.clock()
        connection.execute(sa.update(cases).where(cases.c.ticket == ticket).values(key=None, erased_at=now, observed=None))
        connection.execute(sa.update(outbox).where(outbox.c.lane == ticket).values(state=DONE, data={}, error="", failure="", done_at=now))
        self._empty_messages(connection, ticket)

    def _empty_messages(self, connection: Connection, ticket: str) -> None:
        iid = connection.execute(sa.select(cases.c.iid).where(cases.c.ticket == ticket)).scalar()
        about = inbox.c.lane.in_((ticket, f"issue:{iid}"))
        connection.execute(sa.update(inbox).where(about, inbox.c.state == DONE).values(body=b"", headers={}))
