"""A store full of cases in a minute: one case of each kind is led by the real service, and its rows are copied under other tickets.

A copy has a ticket, an issue, keys and a chain of hashes of its own, and the chain holds. Its words and times are those of the case it was
copied from, but for when it was opened, is due and has ended. Cut short are only the bodies of hooks that are done: they are three quarters
of what a case takes on disk, and nothing reads them again.
"""

import hashlib
import itertools
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from integration import codec
from integration.clock import utc_now
from integration.store import Store
from integration.store.writing import FIRST
from integration.tables import metadata
from tests.servers import libpq
from tests.stories.world import World, world

IID = 987_654_321  # of each template's issue: a number that stands for nothing else in its rows
ISSUE = str(IID)
BEFORE = "(the hash before)"
HOOK_BODY = 200  # bytes kept of the body of a hook
BLOCK = 200  # cases that go on at the same time: their rows lie between each other's on disk
STEPS = (4, 10, 18, 24)  # at which open cases stand
WHOLE = int(os.environ.get("ALUR_BENCH_WHOLE", "100"))  # of so many that ended, one went through all steps
ENDED_LATELY = 20  # in the week the templates lived in, the first of June 2026
SOON = "2026-06-08T08:00:00.000000+00:00"  # on the Monday after, in the afternoon
LATER = "2026-07-20T09:00:00.000000+00:00"

TABLES = {
    "cases": "ticket",
    "events": "ticket",
    "causes": "ticket",
    "inbox": "lane",
    "outbox": "lane",
    "lanes": "lane",
    "notes": "ticket",
    "numbers": "document",
}
"""Where the rows of a case are, and in which column they name it."""

COLUMNS = {table: [column.name for column in metadata.tables[table].c if column.name != "id"] for table in TABLES}
"""What is copied: the numbers of rows are the database's own."""

Row = Sequence[Any]


@dataclass(frozen=True)
class Kind:
    """A case as the service left it: its rows by table, each line of its ledger as the hash is taken over it, its issue as GitLab has it.

    `takes`: how many rows or files it is, and how many bytes they hold, before anything was cut short.
    """

    ticket: str
    rows: Mapping[str, Sequence[Row]]
    lines: Sequence[str]
    issue: Mapping[str, Any]
    takes: Mapping[str, tuple[int, int]]

    @cached_property
    def naming(self) -> Mapping[str, Sequence[Sequence[int]]]:
        """Of each row the places where the case or its issue is named."""
        return {
            table: [
                [n for n, value in enumerate(row) if isinstance(value, str) and (self.ticket in value or ISSUE in value)] for row in rows
            ]
            for table, rows in self.rows.items()
        }


@dataclass(frozen=True, slots=True)
class Copy:
    """A case to be written; `otherwise`: what of its row in `cases` is not as the template's."""

    kind: Kind
    number: int
    otherwise: Mapping[str, object] = field(default_factory=dict)

    @property
    def ticket(self) -> str:
        """Of case 7: "SI-2026-000007". Its issue has the same number."""
        return f"SI-2026-{self.number:06d}"

    @property
    def issue(self) -> Mapping[str, Any]:
        """Its issue as GitLab answers it."""
        text = json.dumps(self.kind.issue).replace(self.kind.ticket, self.ticket).replace(ISSUE, str(self.number))
        answered: Mapping[str, Any] = json.loads(text)
        return answered

    def rows(self, table: str) -> Iterator[Row]:
        """Its rows in this table, in the order they were written."""
        own = {"cases": {"number": self.number, "iid": self.number, **self.otherwise}, "numbers": {"seq": self.number}}.get(table, {})
        places = {COLUMNS[table].index(name): value for name, value in own.items()}
        hashes = self._hashes() if table == "events" else None
        key = COLUMNS[table].index("key") if table == "inbox" else None
        printed = COLUMNS[table].index("number") if table == "numbers" else None
        old, new, issue = self.kind.ticket, self.ticket, str(self.number)
        for row, naming in zip(self.kind.rows[table], self.kind.naming[table], strict=True):
            values = list(row)
            for place in naming:
                values[place] = values[place].replace(old, new).replace(ISSUE, issue)
            for place, value in places.items():
                values[place] = value
            if printed is not None:
                values[printed] = f"{self.number}/{values[printed].partition('/')[2]}"
            if hashes:
                values[-2:] = next(hashes)
            if key is not None and key not in naming:  # a sender's own: as good as drawn by lot, and so are these
                values[key] = hashlib.sha256(f"{new}{values[key]}".encode("ascii")).hexdigest()[:36]
            yield values

    def _hashes(self) -> Iterator[tuple[str, str]]:
        """Of each line of the ledger the hash of the one before, and its own (integration/store/writing.py)."""
        this, old, new, issue = FIRST, self.kind.ticket, self.ticket, str(self.number)
        for line in self.kind.lines:
            said = line.replace(old, new).replace(ISSUE, issue).replace(BEFORE, this)
            before, this = this, hashlib.sha256(said.encode("ascii")).hexdigest()
            yield before, this


# --- the templates ---


def kinds(folder: Path) -> dict[str, Kind]:
    """Open cases at each of STEPS ("04", "10", ...), one led to its end ("selesai"), one withdrawn at once ("dibatalkan")."""
    found: dict[str, Kind] = {}
    with _begun(folder / "berjalan") as (told, ticket):
        for step in STEPS:
            told.walk(ticket, step)
            found[f"{step:02d}"] = _taken(told, ticket)
        told.walk(ticket)
        found["selesai"] = _taken(told, ticket)
    with _begun(folder / "dibatalkan") as (told, ticket):
        told.portal("pengaduan.dibatalkan", tiket=ticket, alasan="sudah pulih", oleh="Dekan")
        found["dibatalkan"] = _taken(told, ticket)
    return found


@contextmanager
def _begun(folder: Path) -> Iterator[tuple[World, str]]:
    """A campus of its own with one complaint, whose issue has the number IID."""
    folder.mkdir()
    with world(folder, f"sqlite:///{folder}/alur.db") as told:
        told.campus.project.last_iid = IID - 1
        yield told, told.submit()


def _taken(told: World, ticket: str) -> Kind:
    """The case as it is on disk now."""
    with closing(sqlite3.connect(told.settings.data_dir.parent / "alur.db")) as database:
        whole = {table: _rows(database, table, of, ticket) for table, of in TABLES.items()}
    lines = []
    for row in whole["events"]:
        line = dict(zip(COLUMNS["events"], row, strict=True)) | {"prev": BEFORE}
        line |= {name: json.loads(line[name]) for name in ("actor", "data")}
        del line["hash"]
        lines.append(codec.canonical(line).decode("ascii"))
    body, source = (COLUMNS["inbox"].index(name) for name in ("body", "source"))
    hooks = [row for row in whole["inbox"] if row[source] == "gitlab"]
    files = [file.stat().st_size for file in told.settings.data_dir.rglob("*") if file.is_file()]
    takes = {table: (len(rows), sum(map(_bytes, rows))) for table, rows in whole.items()}
    takes |= {"bodies of hooks": (len(hooks), sum(len(row[body]) for row in hooks)), "files": (len(files), sum(files))}
    cut = [[*row[:body], row[body][:HOOK_BODY], *row[body + 1 :]] if row[source] == "gitlab" else row for row in whole["inbox"]]
    return Kind(ticket, whole | {"inbox": cut}, lines, told.campus.issue(ticket), takes)


def _rows(database: sqlite3.Connection, table: str, of: str, ticket: str) -> list[Row]:
    asked = f"SELECT {', '.join(COLUMNS[table])} FROM {table} WHERE {of} IN (?, ?) OR {of} LIKE ? ORDER BY rowid"  # noqa: S608
    return database.execute(asked, (ticket, f"issue:{IID}", f"{ticket}/%")).fetchall()


def _bytes(row: Row) -> int:
    return sum(len(value if isinstance(value, bytes) else str(value).encode()) for value in row if value is not None)


# --- the copies ---


def crowd(templates: Mapping[str, Kind], ended: int, opened: int, first: int = 1) -> Iterator[Copy]:
    """Cases numbered from `first`: those that ended, over the years and ENDED_LATELY lately; then those that are open, one in ten late."""
    last = first + ended
    for n in range(first, last):
        day = datetime(2020, 1, 1) + timedelta(days=n * 2000 // last)  # noqa: DTZ001 -- only its date is written
        past = dict.fromkeys(("opened_at", "ended_at"), f"{day:%Y-%m-%d}T02:00:00.000000+00:00")
        yield Copy(templates["dibatalkan" if n % WHOLE else "selesai"], n, past if last - n > ENDED_LATELY else {})
    standing = [kind for name, kind in sorted(templates.items()) if name.isdigit()]
    for n in range(last, last + opened):
        yield Copy(standing[n % len(standing)], n, {} if n % 10 == 0 else {"due_at": SOON if n % 10 == 1 else LATER})


def fill(url: str, templates: Mapping[str, Kind], ended: int, opened: int, first: int = 1) -> None:
    """Write a crowd into a store that holds the cases below `first`, and that nobody has open; the next form gets the next number."""
    store = Store(url, clock=utc_now)
    store.migrate()
    store.close()
    with closing(_Sqlite(url) if url.startswith("sqlite") else _Postgres(url)) as database:
        left = crowd(templates, ended, opened, first)
        while block := list(itertools.islice(left, BLOCK)):
            for table in TABLES:
                database.write(table, _beside_each_other([copy.rows(table) for copy in block]))
            series = {row[COLUMNS["numbers"].index("series")] for copy in block for row in copy.kind.rows["numbers"]}
            database.count([(name, 2026, block[-1].number) for name in ("tiket:SI", *(f"nomor:{one}" for one in series))])


def _beside_each_other(rows: Sequence[Iterator[Row]]) -> Iterator[Row]:
    """The first row of each case, then the second ones: as cases go on."""
    return (row for rank in itertools.zip_longest(*rows) for row in rank if row is not None)


class _Sqlite:
    """Writes with the driver alone, and not to the disk before the end."""

    def __init__(self, url: str) -> None:
        self._database = sqlite3.connect(url.removeprefix("sqlite:///"))
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-500000"):
            self._database.execute(f"PRAGMA {pragma}")

    def write(self, table: str, rows: Iterable[Row]) -> None:
        into = f"INSERT INTO {table} ({', '.join(COLUMNS[table])}) VALUES ({', '.join('?' * len(COLUMNS[table]))})"  # noqa: S608
        self._database.executemany(into, rows)

    def count(self, last: Sequence[Row]) -> None:
        self._database.executemany("INSERT OR REPLACE INTO sequences (name, year, last) VALUES (?, ?, ?)", last)

    def close(self) -> None:
        self._database.commit()
        self._database.close()


class _Postgres:
    """Writes with COPY; what autovacuum would do in time is done at the end."""

    def __init__(self, url: str) -> None:
        self._database = psycopg.connect(libpq(url))

    def write(self, table: str, rows: Iterable[Row]) -> None:
        with self._database.cursor().copy(f"COPY {table} ({', '.join(COLUMNS[table])}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def count(self, last: Sequence[Row]) -> None:
        self._database.cursor().executemany(
            "INSERT INTO sequences (name, year, last) VALUES (%s, %s, %s) ON CONFLICT (name, year) DO UPDATE SET last = excluded.last", last
        )

    def close(self) -> None:
        self._database.commit()
        self._database.autocommit = True
        self._database.execute("VACUUM ANALYZE")
        self._database.close()
