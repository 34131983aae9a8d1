"""The migrations make exactly the tables the code speaks of, once, also when several processes start together."""

from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from integration.store import Store
from integration.tables import metadata


def test_migrating_makes_the_tables_of_this_release(store, url):
    assert store.migrated()
    database = sa.create_engine(url)
    with database.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": False}), metadata) == []
    database.dispose()


def test_several_processes_may_migrate_at_once(url, watch):
    stores = [Store(url, clock=watch) for _ in range(3)]
    assert not stores[0].migrated()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(Store.migrate, stores))
    assert all(store.migrated() for store in stores)
    for store in stores:
        store.close()
