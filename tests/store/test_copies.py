"""A whole database is read at one moment while others write, and put into an empty one of either kind, from any release's tables."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice

import pytest
import sqlalchemy as sa

from integration.faults import Failure
from integration.store import Delivery, Store
from integration.store.copies import Copies, NotEmpty, Snapshot, TableCopy, UnknownRevision
from integration.store.database import Database
from tests.store.test_migrations import migrate

Kept = tuple[str, list[TableCopy]]


def kept(snapshot: Snapshot) -> Kept:
    return snapshot.revision, [TableCopy(table.name, table.columns, list(table.rows)) for table in snapshot.tables]


def again(copy: Kept) -> Iterator[TableCopy]:
    return (TableCopy(table.name, table.columns, iter(table.rows)) for table in copy[1])


def submit(store: Store, key: str, body: bytes = b'{"a": "\xc3\xa9"}') -> str:
    return store.submit(Delivery("portal", key, "", body), "SI", 2026).answer["tiket"]


@pytest.fixture
def lay(watch) -> Iterator[Callable[[str], Copies]]:
    opened: list[Database] = []

    def at(url: str) -> Copies:
        opened.append(Copies(url, clock=watch))
        return opened[-1]

    yield at
    for database in opened:
        database.close()


@pytest.fixture
def other(request, url, tmp_path) -> str:
    """An empty database of the other kind."""
    return request.getfixturevalue("postgres_database") if url.startswith("sqlite") else f"sqlite:///{tmp_path}/lain.db"


def test_a_database_is_the_same_in_one_of_the_other_kind_and_goes_on_there(store, url, other, lay, watch, wall):
    first = submit(store, "satu", bytes(range(256)) * 500)
    submit(store, "dua")
    turn, row = store.claim(lease=timedelta(minutes=1))
    store.park(turn, row, "403", Failure.RIGHTS)
    store.set_mark("minggu", "2026-W22 — selesai")
    store.number(f"{first}/surat-tugas", "surat-tugas", watch().date(), str)
    with lay(url).snapshot() as snapshot:
        copy = kept(snapshot)
    filled = lay(other).fill(copy[0], again(copy))
    assert filled == {table.name: len(table.rows) for table in copy[1]}
    with lay(other).snapshot() as snapshot:
        assert kept(snapshot) == copy
    there = Store(other, clock=watch, wall=wall)
    assert there.migrated()
    assert there.inbox_rows() == store.inbox_rows()
    assert (there.mark("minggu"), there.number_rows()) == ("2026-W22 — selesai", store.number_rows())
    assert submit(there, "satu", bytes(range(256)) * 500) == first
    assert submit(there, "tiga") == "SI-2026-000003"
    assert len({row.id for row in there.inbox_rows()}) == 3
    there.close()


def test_what_is_written_meanwhile_is_not_in_it_and_nobody_waits(store, url, lay):
    submit(store, "satu")
    with lay(url).snapshot() as snapshot:
        cases = next(table for table in snapshot.tables if table.name == "cases")
        assert submit(store, "dua") == "SI-2026-000002"
        assert len(list(cases.rows)) == 1
        assert {table.name: len(list(table.rows)) for table in snapshot.tables}["inbox"] == 1


def test_json_that_is_null_and_none_at_all_stay_apart(store, url, other, lay):
    submit(store, "satu")
    database = sa.create_engine(url)
    with database.begin() as connection:
        connection.execute(sa.text("update cases set observed = 'null', team = null"))
    with lay(url).snapshot() as snapshot:
        copy = kept(snapshot)
    lay(other).fill(copy[0], again(copy))
    target = sa.create_engine(other)
    with target.connect() as connection:
        told = connection.execute(sa.text("select cast(observed as text), team is null from cases")).one()
    assert tuple(told) == ("null", 1)
    database.dispose()
    target.dispose()


def test_a_copy_of_an_older_release_is_brought_to_this_one(url, other, lay, watch):
    database = sa.create_engine(url)
    migrate(database, "0006")
    with database.begin() as connection:
        reserve = sa.text("insert into numbers (document, series, year, seq, number) values (:document, 'surat-tugas', 2026, 1, '1/ST')")
        connection.execute(reserve, {"document": "SI-2026-000001/surat-tugas"})
    database.dispose()
    with lay(url).snapshot() as snapshot:
        copy = kept(snapshot)
    assert copy[0] == "0006"
    lay(other).fill(copy[0], again(copy))
    there = Store(other, clock=watch)
    assert there.migrated()
    assert [(row.number, row.state.value) for row in there.number_rows()] == [("1/ST", "reserved")]
    there.close()


def test_numbers_given_since_are_left_out_where_asked(store, url, other, lay, watch):
    submit(store, "satu")
    with lay(url).snapshot() as snapshot:
        copy = kept(snapshot)
    lay(other).fill(copy[0], again(copy), skip=50)
    there = Store(other, clock=watch)
    assert submit(there, "dua") == "SI-2026-000052"
    there.close()


def test_nothing_is_put_over_what_is_there_or_half_of_it_anywhere(store, url, other, lay, watch):
    submit(store, "satu")
    with lay(url).snapshot() as snapshot:
        copy = kept(snapshot)
    with pytest.raises(NotEmpty):
        lay(url).fill(copy[0], again(copy))
    with pytest.raises(UnknownRevision):
        lay(other).fill("9999", again(copy))

    def broken() -> Iterator[TableCopy]:
        yield from islice(again(copy), 4)
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"):
        lay(other).fill(copy[0], broken())
    with pytest.raises(UnknownRevision), lay(other).snapshot():
        pass  # there is not even a table
    there = Store(other, clock=watch)
    there.migrate()  # somebody started the service too early: its tables are empty
    lay(other).fill(copy[0], again(copy))
    assert there.ticket_exists("SI-2026-000001")
    there.close()
