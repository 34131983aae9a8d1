"""The ids under which strangers may ask whether a paper is genuine: made by chance, once for each paper, and never again.

They hang on no secret, so that a paper printed years ago is still found after every rotation. Whoever has not seen the paper cannot
guess its id.
"""

import base64
import secrets
from typing import NamedTuple

import sqlalchemy as sa

from integration.store.database import Database
from integration.tables import public_ids

BITS = 128


class Verifiable(NamedTuple):
    """The paper an id stands for: the case, and the paper's own id in its ledger."""

    ticket: str
    document: str


class PublicIds(Database):
    """Who asks twice for one paper, from whichever process, gets the same id."""

    def public_id(self, ticket: str, document: str) -> str:
        """The id of this paper: 26 characters of a to z and 2 to 7, kept before it is given. Raises StoreDown."""
        fresh = base64.b32encode(secrets.token_bytes(BITS // 8)).decode().rstrip("=").lower()
        with self._write() as connection:
            self._insert_new(connection, public_ids, [{"id": fresh, "ticket": ticket, "document": document}])
            kept: str = connection.execute(sa.select(public_ids.c.id).where(public_ids.c.document == document)).scalar_one()
        return kept

    def verifiable(self, public_id: str) -> Verifiable | None:
        """The paper this id stands for; None for an id that was never given. Raises StoreDown."""
        asked = sa.select(public_ids.c.ticket, public_ids.c.document).where(public_ids.c.id == public_id)
        with self._read() as connection:
            found = connection.execute(asked).first()
        return None if found is None else Verifiable(*found)
