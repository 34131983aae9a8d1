"""The whole database as plain rows, read while the service runs and put into an empty database of either kind.

The tables are taken as they are in the database, not as this release knows them: so a copy of an older release is put back as it was, and
the migrations bring it here as they would have brought the original.
"""

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from integration.store.database import MIGRATION_LOCK, MIGRATIONS, Database, UnknownRevision
from integration.tables import metadata, sequences

Plain = str | int | float | None
Rows = Iterator[list[Plain]]

AT_ONCE = 10  # rows in memory: one may hold a message of 32 MiB
REVISION = "alembic_version"


@dataclass(frozen=True, slots=True)
class TableCopy:
    """One table: the names of its columns, and its rows in that order. Moments and days are ISO 8601, bytes Base64, JSON its own text."""

    name: str
    columns: tuple[str, ...]
    rows: Rows


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The database at one moment. `revision`: of its tables."""

    revision: str
    tables: Iterator[TableCopy]


class NotEmpty(Exception):
    """There is something in the database already; the text is the name of a table."""


class Copies(Database):
    """Reads and fills whole databases."""

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Everything in the database at one moment, whoever writes meanwhile; its tables are to be read in their order, within the block.

        Raises StoreDown, and UnknownRevision where there are no tables.
        """
        options = {} if self._sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._reachable(), self._engine.connect().execution_options(**options) as connection, connection.begin():
            revision = MigrationContext.configure(connection).get_current_revision()
            if revision is None:
                raise UnknownRevision("-")
            yield Snapshot(revision, (_copied(connection, table) for table in _tables(connection)))

    def fill(self, revision: str, tables: Iterable[TableCopy], *, skip: int = 0) -> dict[str, int]:
        """Put these tables of that revision into the database and bring them to this release, all or nothing; gives the rows of each.

        `skip`: so many numbers of each sequence are left out, for what was numbered after the copy was made.
        Raises NotEmpty where anything is there already, UnknownRevision, StoreDown.
        """
        self.able_to_fill(revision)
        with self._write() as connection:
            if not self._sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            self._cleared(connection)
            command.upgrade(self._migrations(connection), revision)
            made = {table.name: table for table in _tables(connection)}
            filled = {copy.name: self._filled(connection, made[copy.name], copy) for copy in tables}
            command.upgrade(self._migrations(connection), "head")
            connection.execute(sa.update(sequences).values(last=sequences.c.last + skip))
            return filled

    def able_to_fill(self, revision: str) -> None:
        """Raises NotEmpty where something is in the database, UnknownRevision where this release has no such tables, StoreDown."""
        if revision not in {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}:
            raise UnknownRevision(revision)
        with self._read() as connection:
            for table in _tables(connection):
                if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
                    raise NotEmpty(table.name)

    def _cleared(self, connection: Connection) -> None:
        """Take away the empty tables a start of the service has made; they may be another revision's."""
        for table in _tables(connection):
            if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
                raise NotEmpty(table.name)
            if table.name in metadata.tables:
                table.drop(connection)
        connection.execute(sa.text(f"DROP TABLE IF EXISTS {REVISION}"))

    def _filled(self, connection: Connection, table: sa.Table, copy: TableCopy) -> int:
        """Insert the rows of a copy; gives how many."""
        columns = [table.columns[name] for name in copy.columns]
        read = [_reader(column) for column in columns]
        values = {column.name: self._bound(column) for column in columns}
        insert, n = sa.insert(table).values(values), 0
        while rows := list(islice(copy.rows, AT_ONCE)):
            named = ({c.name: take(value) for c, take, value in zip(columns, read, row, strict=True)} for row in rows)
            connection.execute(insert, list(named))
            n += len(rows)
        if not self._sqlite and "id" in table.columns and isinstance(table.columns["id"].type, sa.Integer):
            last = sa.select(sa.func.max(table.columns["id"])).scalar_subquery()
            counter = sa.func.pg_get_serial_sequence(table.name, "id")
            connection.execute(sa.select(sa.func.setval(counter, sa.func.coalesce(last, 1), last.is_not(None))))
        return n

    def _bound(self, column: sa.Column[object]) -> sa.ColumnElement[Any]:
        """How a value goes in. JSON goes as its text; only PostgreSQL has to be told what it is, and SQLite would make a number of it."""
        if not isinstance(column.type, sa.JSON):
            return sa.bindparam(column.name, type_=column.type)
        text = sa.bindparam(column.name, type_=sa.Text)
        return text if self._sqlite else sa.cast(text, column.type)


def _tables(connection: Connection) -> Sequence[sa.Table]:
    """The tables there are, by name."""
    there = sa.MetaData()
    there.reflect(connection, resolve_fks=False)
    return [table for name, table in sorted(there.tables.items()) if name != REVISION]


def _copied(connection: Connection, table: sa.Table) -> TableCopy:
    columns = list(table.columns)
    shown = [sa.cast(column, sa.Text) if isinstance(column.type, sa.JSON) else column for column in columns]
    asked = sa.select(*shown).order_by(*table.primary_key.columns).execution_options(yield_per=AT_ONCE)
    rows = ([_plain(value) for value in row] for row in connection.execute(asked))
    return TableCopy(table.name, tuple(column.name for column in columns), rows)


def _plain(value: object) -> Plain:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case date():
            return value.isoformat()
        case bytes() | memoryview():
            return base64.b64encode(value).decode()
        case None | str() | int() | float():
            return value
    raise TypeError(type(value).__name__)


def _reader(column: sa.Column[object]) -> Callable[[Plain], object]:
    """Back from plain, as the column takes it."""
    kinds: tuple[tuple[type[object], Callable[[str], object]], ...] = (
        (sa.LargeBinary, base64.b64decode),
        (sa.DateTime, datetime.fromisoformat),
        (sa.Date, date.fromisoformat),
    )
    take = next((take for kind, take in kinds if isinstance(column.type, kind)), None)
    return lambda value: value if value is None or take is None else take(str(value))
