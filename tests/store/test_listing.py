"""The list from which the portal rebuilds its view: nothing is missed, whatever changes while it is read, by however many processes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from integration.procedure.events import Entry, Paused
from integration.procedure.facts import SERVICE
from integration.store import Batch, Delivery, Store
from tests.store.test_migrations import migrate


def submit(store: Store, n: int) -> list[str]:
    """So many new complaints, none worked on; gives their tickets."""
    known = len(store.tickets())
    return [store.submit(Delivery("portal", f"msg_{known + i}", "", b""), "SI", 2026).answer["tiket"] for i in range(n)]


def change(store: Store, ticket: str) -> None:
    """Something is recorded of a case."""
    store.keep(Delivery("gitlab", f"{ticket}:{len(store.entries(ticket))}", ticket, b""))
    while (claimed := store.claim(lease=timedelta(minutes=1))) is not None:
        turn, row = claimed
        seq = len(store.entries(turn.lane)) + 1
        entries = (Entry(seq, store.clock(), SERVICE, "x", Paused("x")),) if turn.lane == ticket else ()
        store.commit(turn, row, Batch(turn.lane, entries))


def read(store: Store, after: int = 0, size: int = 2) -> tuple[list[str], int]:
    """Page by page to the end; gives the tickets in the order they came, and the last place."""
    tickets: list[str] = []
    while page := store.listed(after, size):
        tickets += [listed.ticket for listed in page]
        after = page[-1].place
    assert page == []
    return tickets, after


def test_every_case_is_listed_once_those_not_worked_on_too(store):
    tickets = submit(store, 5)
    change(store, tickets[3])
    read_, last = read(store)
    assert sorted(read_) == tickets
    assert (read(store)[0], last) == (read_, 5)


def test_nothing_new_gives_no_place(store):
    assert store.listed(0, 10) == []
    submit(store, 3)
    _, last = read(store)
    assert store.listed(last, 10) == []
    assert read(store) == read(store)


def test_what_changes_while_it_is_read_comes_again_behind(store):
    tickets = submit(store, 4)
    first = store.listed(0, 2)
    change(store, first[0].ticket)  # read already
    change(store, tickets[3])  # not read yet
    rest, _ = read(store, first[-1].place)
    assert sorted(rest) == sorted([first[0].ticket, *tickets[2:]])


def test_since_a_place_only_what_changed_is_listed(store):
    tickets = submit(store, 4)
    _, last = read(store)
    change(store, tickets[2])
    new = submit(store, 1)
    assert sorted(read(store, last)[0]) == [tickets[2], *new]


def test_a_place_that_was_never_given_is_known_for_it(store):
    assert store.listed(1, 10) is None
    submit(store, 2)
    _, last = read(store)
    assert store.listed(last, 10) == []
    assert store.listed(last + 1, 10) is None


CHANGE = sa.text("update cases set version = version + 1 where ticket = :of")
"""What a commit does to a case's row, without a lane to wait for."""


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_changed_case_that_is_being_changed_again_is_waited_for(store, url):
    tickets = submit(store, 3)
    _, last = read(store)
    change(store, tickets[1])
    database = sa.create_engine(url)
    with ThreadPoolExecutor(1) as pool, database.connect() as other, database.connect() as watching:
        other.execute(CHANGE, {"of": tickets[1]})
        reading = pool.submit(store.listed, last, 10)
        while not watching.execute(sa.text("select 1 from pg_locks where not granted")).first():
            watching.rollback()
        other.commit()
        ((place, ticket),) = reading.result(30)
    assert ticket == tickets[1]
    assert read(store, place)[0] == []
    database.dispose()


def write(store: Store, url: str, tickets: list[str]) -> None:
    """All cases change six times, and a new one comes meanwhile."""
    database = sa.create_engine(url, connect_args={"timeout": 30} if url.startswith("sqlite") else {})
    for round_ in range(6):
        for ticket in tickets:
            with database.begin() as connection:
                connection.execute(CHANGE, {"of": ticket})
        if round_ == 3:
            submit(store, 1)
    database.dispose()


def follow(store: Store, view: dict[str, int], done: threading.Event) -> None:
    """Keep a view up with the list alone, until nothing new came after all was written."""
    after, finished = 0, False
    while not finished:
        finished = done.is_set()
        while page := store.listed(after, 2):
            view |= {ticket: store.case_row(ticket).version for _, ticket in page}
            after = page[-1].place


def test_many_readers_and_writers_at_once_miss_nothing(open_store, url):
    writer, *readers = (open_store() for _ in range(3))
    tickets, done, views = submit(writer, 6), threading.Event(), ({}, {})
    reading = [threading.Thread(target=follow, args=(*pair, done)) for pair in zip(readers, views, strict=True)]
    for thread in reading:
        thread.start()
    write(writer, url, tickets)
    done.set()
    for thread in reading:
        thread.join(60)
    true = {row.ticket: row.version for row in writer.case_rows()}
    assert len(true) == 7
    assert views == (true, true)


def test_what_the_release_before_goes_on_writing_is_listed(url, watch):
    database = sa.create_engine(url)
    migrate(database, "0007")
    opened = sa.text(
        "insert into cases (ticket, prefix, year, number, procedure, revision, status, version, title, opened_at)"
        " values (:ticket, 'SI', 2026, :number, '', '', 'baru', 0, '', '2026-06-01 00:00:00+00:00')"
    )
    with database.begin() as connection:
        connection.execute(opened, {"ticket": "SI-2026-000001", "number": 1})
    store = Store(url, clock=watch)
    store.migrate()
    assert read(store)[0] == ["SI-2026-000001"]
    with database.begin() as connection:
        connection.execute(opened, {"ticket": "SI-2026-000002", "number": 2})
        connection.execute(sa.text("update cases set version = 4 where number = 1"))
    assert read(store, 1)[0] == ["SI-2026-000001", "SI-2026-000002"]
    store.close()
    database.dispose()
