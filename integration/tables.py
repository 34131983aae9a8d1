"""The tables of the store, the same on SQLite and PostgreSQL. `migrations/` creates them; a test holds the two together.

Moments are kept in UTC, JSON as text: nothing here depends on what one of the two databases can do and the other cannot.
"""

from datetime import UTC, datetime
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table, Text, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

WAITING, DONE, PARKED = "waiting", "done", "parked"
"""The states of inbox and outbox rows."""


@lru_cache(maxsize=64)
def _text(moment: datetime) -> str:
    """How SQLite keeps a moment; the same one stands in several columns of a row, and in many rows of a transaction."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class Moment(sa.TypeDecorator[datetime]):
    """An aware moment. PostgreSQL: timestamptz. SQLite: ISO 8601 in UTC of a fixed width, so that text order is time order."""

    impl = sa.String(32)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        """How the dialect keeps it."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        return dialect.type_descriptor(sa.String(32))  # type: ignore[arg-type]  # read back by process_result_value

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> object:
        """To the database. ValueError for a naive datetime: it names no moment."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment needs its zone: {value!r}")
        return value.astimezone(UTC) if dialect.name == "postgresql" else _text(value)

    def process_result_value(self, value: object, dialect: Dialect) -> datetime | None:
        """From the database."""
        del dialect
        if value is None:
            return None
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return moment.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BIG = sa.BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER column

UNFINISHED = sa.text("state <> 'done'")  # as the indexes say it: written out, or SQLite would not use them
IN_FORCE = sa.text("voided_at IS NULL")
UNLISTED = sa.text("version <> listed")
ONE_SHOW = sa.text("kind = 'ShowOnIssue' AND state = 'waiting'")

cases = Table(
    "cases",
    metadata,
    Column("ticket", String(40), primary_key=True),
    Column("prefix", String(16), nullable=False),
    Column("year", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("procedure", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("step", Integer),
    Column("role", Text),
    Column("due_at", Moment),
    Column("entered_seq", Integer),
    Column("version", Integer, nullable=False),  # sequence number of the case's last event
    Column("iid", Integer, unique=True),
    Column("title", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("observed", sa.JSON),  # the issue as last seen
    Column("team", sa.JSON(none_as_null=True)),  # accounts, who is in charge first; None: none was named
    Column("place", BIG),  # in the order of the last changes; None: never listed
    Column("listed", Integer, nullable=False, server_default="-1"),  # the version that got this place
    Column("key", LargeBinary),  # what is personal is sealed with it, wrapped by integration.sealing; None: nothing is, or nothing is left
    Column("erased_at", Moment),  # since when its key is gone
    UniqueConstraint("prefix", "year", "number"),
    UniqueConstraint("place"),
    Index("ix_cases_unlisted", "ticket", sqlite_where=UNLISTED, postgresql_where=UNLISTED),
    Index("ix_cases_open", "ended_at", "due_at", "role", "iid"),  # of open cases all that is counted stands in it
)

events = Table(
    "events",
    metadata,
    Column("ticket", String(40), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("actor", sa.JSON, nullable=False),
    Column("cause", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", sa.JSON, nullable=False),
    Column("prev", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

causes = Table(
    "causes",
    metadata,
    Column("ticket", String(40), primary_key=True),
    Column("key", Text, primary_key=True),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", BIG, primary_key=True),
    Column("source", String(32), nullable=False),
    Column("key", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("body_sha256", String(64), nullable=False),
    Column("headers", sa.JSON, nullable=False),
    Column("answer", sa.JSON, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("error", Text, nullable=False),
    Column("failure", String(16), nullable=False, server_default=""),  # of integration.faults; "" for a row that never failed
    Column("result", Text, nullable=False),
    UniqueConstraint("source", "key"),
    Index("ix_inbox_open", "lane", "id", sqlite_where=UNFINISHED, postgresql_where=UNFINISHED),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BIG, primary_key=True),
    Column("lane", Text, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("data", sa.JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("error", Text, nullable=False),
    Column("failure", String(16), nullable=False, server_default=""),  # of integration.faults; "" for a row that never failed
    Column("trace", String(55), nullable=False, server_default=""),  # in which it was decided (integration.tracing); "": in none
    Index("ix_outbox_open", "lane", "channel", "id", sqlite_where=UNFINISHED, postgresql_where=UNFINISHED),
    Index(
        "uq_outbox_show",
        "lane",
        unique=True,
        sqlite_where=ONE_SHOW,
        postgresql_where=ONE_SHOW,
    ),
)

lanes = Table(
    "lanes",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("next_due", Moment),  # None: nothing to do
    Column("token", String(32)),  # who holds the lane
    Column("lease_until", Moment),
    Index(None, "next_due", "lane"),  # in the order they are taken: of many that are due, none is sorted
)

notes = Table(
    "notes",
    metadata,
    Column("key", Text, primary_key=True),
    Column("ticket", String(40), nullable=False),
    Column("slot", Text, nullable=False),
    Column("note_id", BIG, nullable=False),
    Index(None, "ticket", "slot"),
)

sequences = Table(  # of tickets and of numbered documents, each counted from 1 every year
    "sequences",
    metadata,
    Column("name", Text, primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("last", Integer, nullable=False),
)

numbers = Table(  # the book of document numbers: nothing is ever taken out of it
    "numbers",
    metadata,
    Column("series", Text, primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("suffix", String(1), primary_key=True, server_default=""),  # the letter of a number between two others
    Column("number", Text, nullable=False, unique=True),  # as it is written
    Column("document", Text),  # None: of a paper made before us
    Column("day", sa.Date),  # the date in it; None: reserved by a release that did not keep it
    Column("subject", Text, nullable=False, server_default=""),  # of a paper made before us
    Column("issued_at", Moment),  # None: nothing was filed under it yet
    Column("voided_at", Moment),
    Column("reason", Text, nullable=False, server_default=""),
    Index("uq_numbers_document", "document", unique=True, sqlite_where=IN_FORCE, postgresql_where=IN_FORCE),
)

public_ids = Table(  # under which strangers may ask whether a paper is genuine
    "public_ids",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("ticket", String(40), nullable=False),
    Column("document", Text, nullable=False, unique=True),
)

subject_requests = Table(  # what people asked for about the data kept of them (UU 27/2022)
    "subject_requests",
    metadata,
    Column("id", BIG, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("subject", Text, nullable=False),  # an address of mail; "" once they were erased
    Column("received_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("done_at", Moment),
    Column("result", Text, nullable=False, server_default=""),
)

restraints = Table(  # why the data of a case is kept though its time is over, or kept without being used
    "restraints",
    metadata,
    Column("ticket", String(40), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", Moment, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("n", BIG, nullable=False),
)

marks = Table(  # where recurring work stood last
    "marks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

quotas = Table(  # what all workers together may ask of the platform
    "quotas",
    metadata,
    Column("name", Text, primary_key=True),
    Column("minute", BIG, nullable=False),  # since 1970
    Column("taken", Integer, nullable=False),  # in that minute
    Column("closed_until", Moment),  # the pause the platform asked for
)

leaders = Table(  # which of several processes does what only one should
    "leaders",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Moment, nullable=False),
)
