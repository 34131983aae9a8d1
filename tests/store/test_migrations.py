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


def test_migrating_makes_the_tables_of_this_release(store, url):
    assert store.migrated()
    database = sa.create_engine(url)
    with database.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": False}), metadata) == []
    database.dispose()


def test_rows_of_the_release_before_are_kept_and_that_release_may_go_on_writing(url, watch):
    database = sa.create_engine(url)
    with database.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
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
