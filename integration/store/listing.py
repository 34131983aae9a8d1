"""The list from which the portal rebuilds its view: every case once, in the order of its last change, so that none is missed.

A case gets its place when the list is read, and never before its change is committed: whoever has read up to a place finds all that
changes later behind it. Writers pay nothing for it.
"""

from typing import NamedTuple

import sqlalchemy as sa

from integration.store.intake import Intake
from integration.tables import BIG, UNLISTED, cases, sequences

PLACES = "daftar"
"""The sequence of the places; its row is the lock at which those who give places queue up, so that none is seen before a lower one."""

_ALL_YEARS = 0
_AFTER, _N = sa.bindparam("after", type_=BIG), sa.bindparam("n", type_=sa.Integer)
_PAGE = sa.select(cases.c.place, cases.c.ticket).where(cases.c.place > _AFTER).order_by(cases.c.place).limit(_N)
_CHANGED = sa.select(cases.c.ticket).where(UNLISTED).order_by(cases.c.ticket).limit(_N)
_PLACED = sa.update(cases).where(cases.c.ticket == sa.bindparam("of")).values(place=sa.bindparam("at"), listed=cases.c.version)
_LAST = sa.select(sequences.c.last).where(sequences.c.name == PLACES, sequences.c.year == _ALL_YEARS)


class Listed(NamedTuple):
    """A case and its place in the list; places are counted from 1."""

    place: int
    ticket: str


class Listing(Intake):
    """Gives places. The work for one page depends on nothing but its size."""

    def listed(self, after: int, limit: int) -> list[Listed] | None:
        """The first cases behind a place, at most `limit`; fewer only where there are no more.

        None for a place that was never given: this database is older than whoever asks, as after a restored backup. A case that changes
        again later is listed again later. Raises StoreDown.
        """
        page = self._page(after, limit)
        if len(page) < limit and self._any_changed():
            self._give_places(limit - len(page))
            page = self._page(after, limit)
        return page if page or after <= self._last_place() else None

    def _page(self, after: int, limit: int) -> list[Listed]:
        with self._read() as connection:
            return [Listed(*row) for row in connection.execute(_PAGE, {"after": after, "n": limit})]

    def _any_changed(self) -> bool:
        with self._read() as connection:
            return connection.execute(_CHANGED, {"n": 1}).first() is not None

    def _give_places(self, limit: int) -> None:
        """Put cases that changed at the end of the list, at most `limit`.

        Changes that are being written, and places that are being given, are waited for; tickets are locked in their order, and only one
        each by whoever writes, so that two never wait for each other.
        """
        with self._write() as connection:
            tickets = connection.execute(_CHANGED.with_for_update(), {"n": limit}).scalars().all()
            if tickets:
                first = self._counted(connection, PLACES, _ALL_YEARS, len(tickets)) - len(tickets) + 1
                connection.execute(_PLACED, [{"of": ticket, "at": place} for place, ticket in enumerate(tickets, first)])

    def _last_place(self) -> int:
        with self._read() as connection:
            return connection.execute(_LAST).scalar() or 0
