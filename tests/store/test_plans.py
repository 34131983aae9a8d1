"""What is asked of the database while cases come and go reads no table through: it costs the same, however many cases have ended.

SQLite says how it will answer, and always the same way, for nobody counts its rows. What PostgreSQL does is measured (tests/bench).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import pytest
import sqlalchemy as sa

from integration.faults import Permanent, Transient
from integration.procedure.effects import PostNote, ShowOnIssue
from integration.procedure.events import Entry, Paused
from integration.procedure.facts import SERVICE, IssueLinked
from integration.store import Batch, CaseRow, Delivery, InboxRow, NoteMade, OutboxRow, Store, Turn
from integration.tables import metadata
from sync.drain import Drain

GROWING = {"cases", "events", "causes", "inbox", "outbox", "lanes", "notes", "numbers", "public_ids"}
"""The tables that keep what is over."""


class Hands:
    """Does with each row one of the things that can be done with rows."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def process(self, turn: Turn, row: InboxRow) -> object:
        """A form opens a case; of the others one is another lane's, one has to wait, and one is no good."""
        now = self.store.clock()
        match row.key:
            case "form":
                case = CaseRow(turn.lane, "si", "1", "berjalan", 4, "kasi", now, 1, 7, "SIAKAD", now, None)
                effects = (ShowOnIssue("show:1"), PostNote("note:1", "langkah", {}))
                entries = (Entry(1, now, SERVICE, "x", Paused("x")),)
                return self.store.commit(turn, row, Batch(turn.lane, entries, effects, ("x",), {"iid": 7}, case))
            case "elsewhere" if turn.lane != "issue:7":
                return self.store.move(turn, row, "issue:7")
            case "later" if row.attempts == 1:
                raise Transient("later")
            case "never" if row.attempts == 1:
                raise Permanent("never")
        return self.store.commit(turn, row, Batch())

    def perform(self, turn: Turn, row: OutboxRow) -> object:
        """A note, which is slow, is posted under a number."""
        self.store.hold(turn)
        self.store.number("SI-2026-000001/surat-tugas", "surat-tugas", date(2026, 6, 2), str)
        self.store.issue_number("1")
        self.store.public_id("SI-2026-000001", "SI-2026-000001/surat-tugas/1")
        outcome = IssueLinked("linked:7", self.store.clock(), SERVICE, 7, "https://gitlab.example/7")
        return self.store.done(turn, row, outcome=outcome, note=NoteMade(row.key, "", 5), observed={"iid": 7})


def worked_off(store: Store) -> None:
    """Messages are kept, decided, and what follows is performed; what is no good is tried again."""
    store.per_minute = 300
    store.submit(Delivery("portal", "form", "", b""), "SI", 2026)
    for key in ("elsewhere", "later", "never"):
        store.keep(Delivery("gitlab", key, "SI-2026-000001", b""))
    drain = Drain(store, Hands(store), Hands(store))
    drain.until_idle()
    store.clock.move(hours=1)
    drain.until_idle()
    store.keep(Delivery("outcome", "overtakes", "SI-2026-000001", b""))
    store.clock.move(hours=1)
    store.keep(Delivery("gitlab", "too late to overtake", "SI-2026-000001", b""))
    drain.until_idle()
    (parked,) = store.inbox_rows(state="parked")
    store.replay("inbox", parked.id)
    drain.until_idle()
    assert [*store.inbox_rows(), *store.outbox_rows()] == []


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
    store.open_by_status()
    store.waits_since()
    store.due_by(now)
    store.known_causes("SI-2026-000001", ["x"])
    store.observed("SI-2026-000001")
    store.sightings([7, 8])
    store.note_id("SI-2026-000001", "langkah")
    store.verifiable("a" * 26)
    store.listed(0, 10)
    store.listed(7, 10)
    for rows in (store.inbox_rows, store.outbox_rows):
        for state in (None, "waiting", "parked"):
            rows(state=state)
            rows(state=state, lane="SI-2026-000001")
        rows(row_id=1)
    store.number_state("1")
    store.void_number("2", "")
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


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_newest_message_of_a_source_is_found_from_the_newest_on(store: Store, url: str) -> None:
    with watched() as statements:
        assert store.heard("gitlab") is None
    database = sa.create_engine(url)
    with database.connect() as connection:
        (plan,) = [
            [detail for *_, detail in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            for statement, parameters in statements.items()
            if statement.startswith("SELECT")
        ]
    database.dispose()
    assert plan == ["SCAN inbox"], "in the order of its rows, which is that of their numbers, and nothing is sorted"


def read_through(detail: str) -> bool:
    """Whether this step of a plan reads a table of the growing ones from its first row to its last, and not only what is open or new."""
    how, table, *by = [*detail.split(), ""]
    without = how == "SCAN" or (how == "SEARCH" and not any(by))  # by no index: for the least of all
    return without and table.rstrip("_0123456789") in GROWING and not detail.endswith(("_open", "_unlisted"))


def test_every_table_that_grows_is_known() -> None:
    assert set(metadata.tables) - {"sequences", "counters", "marks", "quotas", "leaders", "subject_requests", "restraints"} == GROWING
