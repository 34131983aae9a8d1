"""What all workers together may ask of the platform: so many new notes and issues a minute, and nothing during a pause it asked for.

Counted in the very transaction that hands out a row, so that no worker spends what another has taken.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from integration.clock import Clock, utc_now
from integration.sealing import PLAIN, Keyring
from integration.store.database import Database
from integration.tables import quotas

ALL, NOTES, ISSUES = "all", "notes", "issues"
"""What is counted and closed: new notes, new issues (behaviour.md 5.1), and the platform as a whole, which is never counted."""

SPENDS: Mapping[str, str] = {"PostNote": NOTES, "UploadAttachments": NOTES, "OpenIssue": ISSUES, "OpenTask": ISSUES}
"""Which kinds of effects write what is counted."""

MINUTE = 60  # seconds


class Quotas(Database):
    """`per_minute`: how many notes and how many issues all workers together may write; 0: as many as they like."""

    per_minute = 0

    def __init__(self, url: str, *, clock: Clock, wall: Clock = utc_now, keyring: Keyring = PLAIN) -> None:
        super().__init__(url, clock=clock, wall=wall, keyring=keyring)
        first = self._insert(quotas)
        again = {"taken": sa.case((quotas.c.minute == first.excluded.minute, quotas.c.taken + 1), else_=1), "minute": first.excluded.minute}
        self._counted_in = first.on_conflict_do_update(index_elements=["name"], set_=again).returning(quotas.c.taken)

    def close_quota(self, name: str, wait: timedelta) -> None:
        """The platform asked all of us for a pause, of everything (ALL) or of one kind. Raises StoreDown."""
        until = self.clock() + wait
        with self._write() as connection:
            made = self._insert(quotas).values(name=name, minute=0, taken=0, closed_until=until)
            longer = sa.case((quotas.c.closed_until > made.excluded.closed_until, quotas.c.closed_until), else_=made.excluded.closed_until)
            connection.execute(made.on_conflict_do_update(index_elements=["name"], set_={"closed_until": longer}))

    def paused_until(self) -> datetime | None:
        """Until when the platform asked to be left alone by all of us; None where it did not, or that is over. Raises StoreDown."""
        asked = sa.select(quotas.c.closed_until).where(quotas.c.name == ALL, quotas.c.closed_until > self.clock())
        with self._read() as connection:
            return connection.execute(asked).scalar()

    def _spend(self, connection: Connection, kind: str) -> timedelta | None:
        """Take the share of the minute an effect of this kind needs; how long it has to wait where the minute is used up."""
        now, name = self.clock(), SPENDS.get(kind)
        if name is None or not self.per_minute:
            return None
        minute = int(now.timestamp()) // MINUTE
        taken: int = connection.execute(self._counted_in, {"name": name, "minute": minute, "taken": 1}).scalar_one()
        return None if taken <= self.per_minute else timedelta(seconds=(minute + 1) * MINUTE - now.timestamp())


def closed_until(now: sa.ColumnElement[datetime], kind: sa.ColumnElement[str] | None = None) -> sa.ScalarSelect[datetime]:
    """Until when the platform is closed, to effects of this kind (None: to reading it); NULL where it is open."""
    meant = quotas.c.name == ALL
    if kind is not None:
        for spends, name in SPENDS.items():
            meant |= (quotas.c.name == name) & (kind == spends)
    return sa.select(sa.func.max(quotas.c.closed_until)).where(quotas.c.closed_until > now, meant).scalar_subquery()
