"""What is asked of the database while cases come and go reads no table through: it costs the same, however many cases have ended.

SQLite says how it will answer, and always the same way, for nobody counts its rows. What PostgreSQL does is measured (tests/bench).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa

from integration.procedure.effects import PostNote, ShowOnIssue
from integration.procedure.events import Entry, Paused
from integration.procedure.facts import SERVICE
from integration.store import Batch, CaseRow, Delivery, NoteMade, Store
from integration.tables import metadata

LEASE = timedelta(minutes=5)
GROWING = {"cases", "events", "causes", "inbox", "outbox", "lanes", "notes", "numbers"}
"""The tables that keep what is over."""


def worked_off(store: Store) -> None:
    """A form is kept, decided, its effects are performed; and what can become of a row instead."""
    store.submit(Delivery("portal", "form", "", b""), "SI", 2026)
    for key in ("a", "b", "c"):
        store.keep(Delivery("gitlab", key, "SI-2026-000001", b""))
    turn = store.claim(lease=LEASE)
    case = CaseRow(turn.lane, "si", "1", "berjalan", 4, "kasi", store.clock(), 1, 7, "SIAKAD", store.clock(), None)
    effects = (ShowOnIssue("show:1"), PostNote("note:1", "langkah", {}))
    entries = (Entry(1, store.clock(), SERVICE, "x", Paused("x")),)
    store.commit(turn, store.next(turn), Batch(turn.lane, entries, effects, ("x",), {"iid": 7}, case))
    store.move(turn, store.next(turn), "issue:7")
    store.postpone(turn, store.next(turn), until=store.clock(), error="later")
    store.park(turn, store.next(turn), "never")
    store.hold(turn)
    for _ in effects:
        row = store.next(turn)
        store.done(turn, row, note=NoteMade(row.key, "", 5), observed={"iid": 7})
    store.number("SI-2026-000001/surat-tugas", "surat-tugas", 2026, str)
    store.replay("inbox", 4)
    store.release(turn)
    assert store.claim(lease=LEASE)


def asked(store: Store) -> None:
    """What the processes and their operators ask."""
    now = store.clock()
    store.entries("SI-2026-000001")
    list(store.ledgers(["SI-2026-000001"]))
    store.ticket_exists("SI-2026-000001")
    store.ticket_of(7)
    store.case_row("SI-2026-000001")
    store.case_rows(open_only=True)
    store.tickets(opened_before=now, ended_after=now)
    store.open_issues()
    store.open_by_role()
    store.due_by(now)
    store.known_causes("SI-2026-000001", ["x"])
    store.observed("SI-2026-000001")
    store.sightings([7, 8])
    store.note_id("SI-2026-000001", "langkah")
    for rows in (store.inbox_rows, store.outbox_rows):
        for state in (None, "waiting", "parked"):
            rows(state=state)
            rows(state=state, lane="SI-2026-000001")
        rows(row_id=1)
    store.waiting()
    store.counts()


@contextmanager
def watched() -> Iterator[dict[str, tuple[object, ...]]]:
    """Each statement that any engine executes meanwhile, with the parameters it was executed with last."""
    heard: dict[str, tuple[object, ...]] = {}

    def hear(_connection, _cursor, statement, parameters, _context, many) -> None:
        heard[statement] = parameters[0] if many else parameters

    sa.event.listen(sa.Engine, "before_cursor_execute", hear)
    yield heard
    sa.event.remove(sa.Engine, "before_cursor_execute", hear)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("doing", [worked_off, asked])
def test_nothing_is_read_through(store: Store, url: str, doing: Callable[[Store], None]) -> None:
    with watched() as statements:
        doing(store)
    database, scans = sa.create_engine(url), []
    with database.connect() as connection:
        for statement, parameters in statements.items():
            if statement.startswith(("SELECT", "UPDATE", "INSERT", "DELETE")):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                scans += [(detail, statement) for *_, detail in plan if read_through(detail)]
    database.dispose()
    assert len(statements) > 10
    assert scans == []


def read_through(detail: str) -> bool:
    """Whether this step of a plan reads a table of the growing ones from its first row to its last, and not only what is open."""
    words = detail.split()
    return words[0] == "SCAN" and words[1] in GROWING and not words[-1].endswith("_open")


def test_every_table_that_grows_is_known() -> None:
    assert set(metadata.tables) - {"sequences", "counters", "marks", "quotas", "leaders"} == GROWING
