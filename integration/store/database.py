"""The connection to SQLite or PostgreSQL: short transactions, and one kind of failure for "the database is not there".

No connection is held longer than one transaction, and no transaction is open during a call to the outside.
"""

import json
import math
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from pydantic_core import from_json
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Dialect, Engine, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from integration.clock import Clock, utc_now
from integration.faults import StoreDown
from integration.sealing import PLAIN, Keyring

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"
UNREACHABLE = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError, sa.exc.TimeoutError)
RESTED = 1.0  # seconds after which a connection is asked whether it is still there: each time would cost as much as a statement
POOL = {"pool_size": 5, "max_overflow": 10, "pool_timeout": 5, "pool_use_lifo": True}
"""A process keeps 5 connections and has 15 at most; whoever finds all in use waits for 5 s. The one used last is taken first: what SQLite
has read stays with a connection, and is read anew once another one has written."""

MIGRATION_LOCK = 0x616C7572  # any number, the same for all processes: they migrate one after the other


class UnknownRevision(Exception):
    """The tables are those of a release this one knows nothing of, or there are none; the text is their revision."""


class CannotGoBack(Exception):
    """The tables cannot be made those of an older release without losing what must stay. Nothing was changed."""


class Database:
    """The engine and its transactions. `clock` is the time of the cases; `wall` the time of this machine, for leases only.

    The two differ in the demo, where weeks pass in seconds: a lease must not end because a week was skipped. `keyring`: for cases' keys.
    """

    def __init__(self, url: str, *, clock: Clock, wall: Clock = utc_now, keyring: Keyring = PLAIN) -> None:
        self.keyring = keyring
        self.clock = clock
        self.wall = wall
        self._engine = _engine(_driver(make_url(url)))
        self._reader = self._engine if self._sqlite else self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._new: dict[sa.Table, sqlite.Insert | postgresql.Insert] = {}
        # SQLite lets one connection write at a time and makes the others poll; threads of one process queue up here instead.
        self._writers: AbstractContextManager[object] = threading.Lock() if self._sqlite else nullcontext()

    @property
    def _sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """Where SQLite keeps its tables; None for a database on a server."""
        return Path(self._engine.url.database or "") if self._sqlite else None

    def migrate(self, to: str | None = None) -> None:
        """Bring the tables to this release, or forward or back to the revision `to`; harmless where they are. All or nothing.

        Tables of a newer release are left as they are, where no other revision is asked for: while releases change, its processes work
        beside those of this one. Raises StoreDown, UnknownRevision, and CannotGoBack where what is kept cannot be.
        """
        from alembic import command  # noqa: PLC0415 -- it takes 11 MiB, which whoever only reads is spared

        wanted = to or _head()
        if wanted not in {script.revision for script in _scripts().walk_revisions()}:
            raise UnknownRevision(wanted)
        with self._write() as connection:
            if not self._sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            present = _present(connection)
            if present is None or present < wanted:
                command.upgrade(self._migrations(connection), wanted)
            elif to is not None and present > wanted:
                if present > _head():
                    raise UnknownRevision(present)
                try:
                    command.downgrade(self._migrations(connection), wanted)
                except RuntimeError as fault:  # as a migration says it that would lose what cannot be lost
                    raise CannotGoBack(str(fault)) from fault

    @staticmethod
    def _migrations(connection: Connection) -> "Config":
        """What Alembic goes by, within this connection's transaction."""
        from alembic.config import Config  # noqa: PLC0415 -- as in `migrate`

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        return config

    def migrated(self) -> bool:
        """Whether the tables are those of this release, or of a newer one, which leaves what this one needs. Raises StoreDown."""
        present, ours = self.revisions()
        return present is not None and present >= ours

    def revisions(self) -> tuple[str | None, str]:
        """The revision of the tables there are, None for none, and that of this release: numbers of four digits. Raises StoreDown."""
        with self._read() as connection:
            return _present(connection), _head()

    def close(self) -> None:
        """Give all connections back. A store used again opens new ones."""
        self._engine.dispose()

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        """One transaction that may write; rolled back as a whole when anything is raised."""
        with (
            self._writers,
            self._reachable(),
            self._engine.connect().execution_options(writes=True) as connection,
            _left(connection),
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        """Statements that only read. PostgreSQL shows each of them what is committed by then anyway, so it is spared BEGIN and COMMIT."""
        with self._reachable(), self._reader.connect() as connection, _left(connection), connection.begin():
            yield connection

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except UNREACHABLE as fault:
            # The text of the statement and its parameters may hold personal data: only the driver's own words go on.
            raise StoreDown(str(fault.orig) if isinstance(fault, sa.exc.DBAPIError) else str(fault)) from fault

    def _insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT, which the two databases spell alike."""
        return sqlite.insert(table) if self._sqlite else postgresql.insert(table)

    def _insert_new(self, connection: Connection, table: sa.Table, rows: Sequence[dict[str, object]]) -> None:
        """Insert the rows that are not there yet."""
        if table not in self._new:  # made once: see intake.FIRST
            self._new[table] = self._insert(table).on_conflict_do_nothing()
        if rows:
            connection.execute(self._new[table], rows)


def _head() -> str:
    """The revision of this release's tables."""
    return str(_scripts().get_current_head())


def _present(connection: Connection) -> str | None:
    """The revision of the tables there are."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 -- as in `migrate`

    return MigrationContext.configure(connection).get_current_revision()


def _scripts() -> "ScriptDirectory":
    """The migrations."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 -- as in `migrate`

    return ScriptDirectory(str(MIGRATIONS))


@contextmanager
def _left(connection: Connection) -> Iterator[None]:
    """Close a connection that failed: opened while the disk took no changes, SQLite's would take none ever after, nor let others."""
    try:
        yield
    except UNREACHABLE:
        connection.invalidate()
        raise


def _driver(url: URL) -> URL:
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "sqlite":
        raise ValueError(f"neither SQLite nor PostgreSQL: {url.get_backend_name()}")
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    return url


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        settings = "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
        connect = {"connect_timeout": 5, "options": settings}
        engine = sa.create_engine(url, connect_args=connect, **POOL, json_deserializer=_read_json)
        sa.event.listen(engine, "checkin", _note_rest)
        sa.event.listen(engine, "checkout", partial(_greet, engine.dialect))
        return engine
    patience = {} if "timeout" in url.query else {"timeout": 5}  # seconds a locked database is waited for
    engine = sa.create_engine(url, connect_args=patience, **POOL, json_deserializer=_read_json)
    sa.event.listen(engine, "connect", _open_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _read_json(text: str) -> object:
    """What a JSON column holds. The quick reader refuses half a surrogate pair, which `json` writes and reads."""
    try:
        return from_json(text)
    except ValueError:
        return json.loads(text)


def _note_rest(connection: object, entry: ConnectionPoolEntry) -> None:
    """Remember since when the connection rests."""
    del connection
    entry.info["rests"] = time.monotonic()


def _greet(dialect: Dialect, connection: DBAPIConnection, entry: ConnectionPoolEntry, proxy: object) -> None:
    """Ask a connection that has rested whether it is still there; the server may have been restarted meanwhile."""
    del proxy
    if time.monotonic() - entry.info.get("rests", math.inf) < RESTED:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as fault:
        raise sa.exc.InvalidatePoolError from fault


def _open_sqlite(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
    """Write-ahead log, on disk before COMMIT returns, what is deleted overwritten; transactions begin by `_begin_sqlite`.

    One that cannot be made ready is closed, as `_left` says.
    """
    del entry
    connection.isolation_level = None
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise


def _begin_sqlite(connection: Connection) -> None:
    """A transaction that will write takes its lock at once: two that read first and write later would fail each other."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")
