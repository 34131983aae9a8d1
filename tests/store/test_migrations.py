"""The migrations make exactly the tables the code speaks of, once, also when several processes start together, and keep what is there."""

from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from integration.store import Store
from integration.store.database import MIGRATIONS
from integration.tables import Moment, metadata


def migrate(database: sa.Engine, to: str) -> None:
    """Bring the tables to an older release's."""
    with database.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def test_migrating_makes_the_tables_of_this_release(store, url):
    assert store.migrated()
    database = sa.create_engine(url)
    with database.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": False}), metadata) == []
    database.dispose()


def test_rows_of_the_release_before_are_kept_and_that_release_may_go_on_writing(url, watch):
    database = sa.create_engine(url)
    migrate(database, "0002")
    keep = sa.text(
        "insert into inbox (source, key, lane, body, body_sha256, headers, answer, received_at, state, attempts, due_at, error, result)"
        " values ('gitlab', :key, 'x', :body, '', '{}', '{}', :now, :state, 5, :now, :error, '')"
    ).bindparams(sa.bindparam("now", watch(), type_=Moment), body=b"{}", state="parked", error="403: Forbidden")
    with database.begin() as connection:
        connection.execute(keep, {"key": "before"})
    store = Store(url, clock=watch)
    store.migrate()
    with database.begin() as connection:
        connection.execute(keep, {"key": "meanwhile"})
    assert [(row.key, row.error, row.failure) for row in store.inbox_rows(state="parked")] == [
        ("meanwhile", "403: Forbidden", ""),
        ("before", "403: Forbidden", ""),
    ]
    assert store.replay("inbox") == 2
    store.close()
    database.dispose()


def test_several_processes_may_migrate_at_once(url, watch):
    stores = [Store(url, clock=watch) for _ in range(3)]
    assert not stores[0].migrated()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(Store.migrate, stores))
    assert all(store.migrated() for store in stores)
    for store in stores:
        store.close()


def test_the_numbers_of_before_are_in_the_book_and_those_of_filed_papers_are_issued(url, watch):
    database = sa.create_engine(url)
    migrate(database, "0006")
    reserve = sa.text("insert into numbers (document, series, year, seq, number) values (:document, :series, 2026, :seq, :number)")
    columns = ("document", "series", "seq", "number")
    reserved = [
        ("SI-2026-000001/surat-tugas", "surat-tugas", 1, "1/ST"),
        ("SI-2026-000002/surat-tugas", "surat-tugas", 2, "2/ST"),
        ("laporan-mingguan:2026-W22", "laporan-mingguan", 1, "1/LM"),
    ]
    filed = sa.text(
        "insert into events (ticket, seq, at, actor, cause, kind, data, prev, hash)"
        " values ('SI-2026-000001', :seq, :at, '{}', '', 'DocumentFiled', :data, '', '')"
    ).bindparams(sa.bindparam("at", type_=Moment), sa.bindparam("data", type_=sa.JSON))
    with database.begin() as connection:
        connection.execute(reserve, [dict(zip(columns, row, strict=True)) for row in reserved])
        connection.execute(sa.text("insert into marks (name, value) values ('laporan-mingguan:2026-W22', '')"))
        for seq, number in enumerate(("", "1/ST"), 1):
            connection.execute(filed, {"seq": seq, "at": watch(), "data": {"id": "x", "number": number}})
    store = Store(url, clock=watch)
    store.migrate()
    with database.begin() as connection:  # that release may go on writing
        connection.execute(reserve, {"document": "x", "series": "surat-tugas", "seq": 3, "number": "3/ST"})
    assert [(row.number, row.state.value) for row in store.number_rows()] == [
        ("1/LM", "issued"),
        ("1/ST", "issued"),
        ("2/ST", "reserved"),
        ("3/ST", "reserved"),
    ]
    assert store.number_row("1/ST").issued_at == watch()
    assert store.number("SI-2026-000002/surat-tugas", "surat-tugas", watch().date(), str) == "2/ST"
    store.close()
    database.dispose()
