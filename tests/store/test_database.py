"""A process has so many connections to the database and no more; whoever finds them all in use waits a while, and is told."""

import threading
from contextlib import ExitStack

import psycopg
import pytest

from integration.store import Delivery, StoreDown
from integration.store.database import POOL
from tests.servers import libpq

MOST = POOL["pool_size"] + POOL["max_overflow"]


def connections(url: str) -> int:
    """How many the server has open to this database, but for the one that asks."""
    with psycopg.connect(libpq(url)) as asking:
        count = "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
        return asking.execute(count).fetchone()[0]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_where_all_connections_are_in_use_who_comes_next_waits_is_told_and_is_served_later(open_store, url, monkeypatch):
    monkeypatch.setitem(POOL, "pool_timeout", 2)
    store, delivery = open_store(), Delivery("gitlab", "a", "SI-2026-000001", b"{}")
    with ExitStack() as in_use:
        held = [in_use.enter_context(ExitStack()) for _ in range(MOST)]
        for each in held:
            each.enter_context(store._write())  # noqa: SLF001 -- transactions that come to no end
        assert connections(url) == MOST
        with pytest.raises(StoreDown, match="limit"):
            store.keep(delivery)
        threading.Timer(0.1, held.pop().close).start()
        assert store.keep(delivery).fresh
        assert connections(url) == MOST
    assert not store.keep(delivery).fresh
    assert [row.key for row in store.inbox_rows()] == ["a"]
