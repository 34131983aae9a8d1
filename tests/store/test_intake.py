"""A delivery is kept once, answered the same each time, and a new case gets the next number."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import Pool

from integration.sealing import KeyClosed
from integration.store import NEW, Conflict, Delivery, Kept, Store, StoreDown
from integration.tables import cases


def form(key: str, body: bytes = b"{}") -> Delivery:
    return Delivery("portal", key, "", body, {"webhook-id": key})


def test_a_new_case_gets_a_ticket_a_lane_and_a_row_in_the_inbox(store):
    assert store.submit(form("a"), "SI", 2026) == Kept({"tiket": "SI-2026-000001"}, fresh=True)
    (case,) = store.case_rows()
    assert (case.ticket, case.status, case.version) == ("SI-2026-000001", NEW, 0)
    (row,) = store.inbox_rows()
    assert (row.key, row.lane, row.body, row.headers, row.attempts) == ("a", "SI-2026-000001", b"{}", {"webhook-id": "a"}, 0)
    assert store.ticket_exists("SI-2026-000001")
    assert not store.ticket_exists("SI-2026-000002")


def test_a_repeat_gets_the_first_answer_and_another_body_is_a_conflict(store):
    first = store.submit(form("a"), "SI", 2026, lambda ticket: {"tiket": ticket, "status_url": "first"})
    again = store.submit(form("a"), "SI", 2026, lambda ticket: {"tiket": ticket, "status_url": "second"})
    assert isinstance(first, Kept)
    assert again == Kept(first.answer, fresh=False)
    assert store.submit(form("a", b"[]"), "SI", 2026) == Conflict()
    assert len(store.case_rows()) == 1


def test_a_repeat_gets_its_first_answer_also_where_the_key_of_its_case_is_closed(store):
    ticket = store.submit(form("a"), "SI", 2026).answer["tiket"]
    withdrawn = Delivery("portal", "b", ticket, b"withdrawn", {}, {"tiket": ticket})
    assert store.keep(withdrawn).fresh
    with store._write() as connection:  # noqa: SLF001 -- as whoever restored a backup and not its secret leaves it
        connection.execute(sa.update(cases).values(key=b"wrapped by nobody we know"))
    assert store.keep(withdrawn) == Kept({"tiket": ticket}, fresh=False)
    with pytest.raises(KeyClosed):
        store.keep(replace(withdrawn, key="c"))


def test_each_prefix_and_each_year_counts_from_one(store):
    asked = [("SI", 2026), ("SI", 2026), ("JR", 2026), ("SI", 2027)]
    answers = [store.submit(form(str(n)), prefix, year) for n, (prefix, year) in enumerate(asked)]
    assert [kept.answer["tiket"] for kept in answers] == ["SI-2026-000001", "SI-2026-000002", "JR-2026-000001", "SI-2027-000001"]


def test_the_same_key_of_two_sources_is_two_deliveries(store):
    assert store.keep(Delivery("gitlab", "k", "issue:1", b"")).fresh
    assert store.keep(Delivery("clock", "k", "issue:1", b"")).fresh
    assert not store.keep(Delivery("clock", "k", "issue:1", b"")).fresh


def test_many_are_kept_at_once_and_only_the_new_ones_are_counted(store):
    deliveries = [Delivery("clock", str(n), f"SI-2026-{n:06d}", b"x") for n in range(5)]
    assert store.keep_all(deliveries[:3]) == 3
    assert store.keep_all(deliveries) == 2
    assert store.keep_all([]) == 0


def test_counters_add_up(store):
    store.count({"ditolak:422": 1})
    store.count({"ditolak:422": 2, "ditolak:409": 1})
    assert store.counts() == {"ditolak:422": 3, "ditolak:409": 1}


def test_one_delivery_sixteen_times_at_once_through_two_processes_is_one_case_with_one_answer(open_store):
    stores = [open_store(), open_store()]
    start = threading.Barrier(16)

    def send(n: int) -> Kept | Conflict:
        start.wait()
        return stores[n % 2].submit(form("a"), "SI", 2026)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(16)))
    assert [kept.answer for kept in answers] == [{"tiket": "SI-2026-000001"}] * 16
    assert sum(kept.fresh for kept in answers) == 1
    assert len(stores[0].inbox_rows()) == 1


def test_tickets_of_many_at_once_through_two_processes_are_without_gap_and_without_double(open_store):
    stores = [open_store(), open_store()]
    keys = [f"k{n % 40:02d}" for n in range(60)]  # twenty of them are sent twice

    def send(pair: tuple[int, str]) -> str:
        n, key = pair
        return stores[n % 2].submit(form(key), "SI", 2026).answer["tiket"]

    with ThreadPoolExecutor(12) as pool:
        tickets = list(pool.map(send, enumerate(keys)))
    assert sorted(set(tickets)) == [f"SI-2026-{n:06d}" for n in range(1, 41)]
    assert dict(zip(keys, tickets, strict=True)) == dict(zip(reversed(keys), reversed(tickets), strict=True))


def test_what_waits_for_one_transaction_is_written_by_one(store, monkeypatch):
    written = []
    keep = Store.keep_together  # the moment between queueing and writing is nobody else's business
    first_is_in, first_may_go = threading.Event(), threading.Event()

    def slowly(self, requests):
        written.append(len(requests))
        if len(written) == 1:
            first_is_in.set()
            first_may_go.wait(5)
        return keep(self, requests)

    monkeypatch.setattr(Store, "keep_together", slowly)
    with ThreadPoolExecutor(9) as pool:
        leader = pool.submit(store.submit, form("first"), "SI", 2026)
        first_is_in.wait(5)
        others = [pool.submit(store.submit, form(f"k{n}"), "SI", 2026) for n in range(8)]
        while len(store._group.queue) < 8:  # noqa: SLF001
            pass
        first_may_go.set()
        assert leader.result().fresh
        assert all(other.result().fresh for other in others)
    assert written == [1, 8]


def test_a_group_whose_transaction_fails_tells_each_of_its_members(store, monkeypatch):
    first_is_in, first_may_go = threading.Event(), threading.Event()

    def fails(self, requests):
        first_is_in.set()
        first_may_go.wait(5)
        raise StoreDown("disk full")

    monkeypatch.setattr(Store, "keep_together", fails)
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(store.submit, form("first"), "SI", 2026)]
        first_is_in.wait(5)
        sent += [pool.submit(store.submit, form(f"k{n}"), "SI", 2026) for n in range(3)]
        while len(store._group.queue) < 3:  # noqa: SLF001
            pass
        first_may_go.set()
        failures = [one.exception() for one in sent]
    assert [type(failure) for failure in failures] == [StoreDown] * 4
    monkeypatch.undo()
    assert store.submit(form("first"), "SI", 2026).answer == {"tiket": "SI-2026-000001"}


def test_a_locked_database_is_down_and_works_again_afterwards(tmp_path, watch):
    store = Store(f"sqlite:///{tmp_path}/alur.db?timeout=0.05", clock=watch)
    store.migrate()
    other = sqlite3.connect(tmp_path / "alur.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreDown, match="locked"):
        store.submit(form("a"), "SI", 2026)
    other.execute("ROLLBACK")
    other.close()
    assert store.submit(form("a"), "SI", 2026).fresh
    store.close()


def test_a_full_disk_is_down_and_nothing_of_the_delivery_stays(tmp_path, watch):
    store = Store(f"sqlite:///{tmp_path}/alur.db", clock=watch)
    store.migrate()

    def almost_full(connection: sqlite3.Connection, *_: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages + 1}")

    sa.event.listen(Pool, "checkout", almost_full)
    with pytest.raises(StoreDown, match="full"):
        store.submit(form("a", b"x" * 100_000), "SI", 2026)
    assert store.case_rows() == []
    assert store.inbox_rows() == []
    sa.event.remove(Pool, "checkout", almost_full)
    store.close()


def test_a_database_that_is_not_there_is_down_and_the_address_stays_out_of_the_words(watch):
    store = Store("postgresql://alur:hunter2@/alur?host=/nonexistent", clock=watch)
    with pytest.raises(StoreDown) as down:
        store.migrated()
    assert "hunter2" not in str(down.value)
    store.close()


def test_only_the_two_databases_are_known(watch):
    with pytest.raises(ValueError, match="mysql"):
        Store("mysql://localhost/alur", clock=watch)
