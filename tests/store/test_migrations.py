"""The migrations make exactly the tables the code speaks of, once, also when several processes start together, and keep what is there."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from integration.store import Delivery, Store
from integration.store.copies import Copies, Plain, TableCopy
from integration.store.database import MIGRATIONS, UnknownRevision
from integration.store.writing import link
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


TICKET = "SI-2026-000001"
AT = "2026-06-01T02:00:00.000000+00:00"
ACTOR = '{"kind": "person", "account": "dewi", "name": "Dewi"}'


def ledger() -> list[list[Plain]]:
    """Three entries as the first release wrote them, chained."""
    said = [
        ("Paused", {"reason": "menunggu"}),
        ("TeamAssigned", {"version": 1, "members": ["budi", "sari"]}),
        ("DocumentFiled", {"id": f"{TICKET}/surat-tugas/1", "number": "1/ST"}),
    ]
    rows: list[list[Plain]] = []
    for seq, (kind, data) in enumerate(said, 1):
        prev = str(rows[-1][-1]) if rows else ""
        line = {"actor": json.loads(ACTOR), "cause": "note:1", "kind": kind, "data": data}
        this = link(TICKET, seq, datetime.fromisoformat(AT), line, prev)
        rows.append([TICKET, seq, AT, ACTOR, "note:1", kind, json.dumps(data), prev, this])
    return rows


FIRST_RELEASE: dict[str, tuple[str, list[list[Plain]]]] = {
    "cases": (
        "ticket prefix year number procedure revision status step role due_at entered_seq version iid title opened_at ended_at observed",
        [[TICKET, "SI", 2026, 1, "si", "1", "berjalan", 5, "kasi", AT, 1, 3, 7, "SIAKAD", AT, None, '{"iid": 7, "labels": []}']],
    ),
    "causes": ("ticket key", [[TICKET, "note:1"]]),
    "counters": ("name n", [["retries:inbox", 2**40]]),
    "events": ("ticket seq at actor cause kind data prev hash", ledger()),
    "inbox": (
        "id source key lane body body_sha256 headers answer received_at state attempts due_at error result",
        [[3, "gitlab", "k", TICKET, "/wAB", "x", "{}", '{"tiket": "é"}', AT, "parked", 5, AT, "403", ""]],
    ),
    "lanes": ("lane next_due token lease_until", [[TICKET, AT, None, None]]),
    "marks": ("name value", [["minggu", "2026-W22"]]),
    "notes": ("key ticket slot note_id", [["langkah:5", TICKET, "langkah", 2**33]]),
    "numbers": ("document series year seq number", [[f"{TICKET}/surat-tugas", "surat-tugas", 2026, 1, "1/ST"]]),
    "outbox": (
        "id lane channel key kind data created_at done_at state attempts due_at error",
        [[4, TICKET, "gitlab", "show:1", "ShowOnIssue", "{}", AT, None, "waiting", 0, AT, ""]],
    ),
    "sequences": ("name year last", [["SI", 2026, 1], ["nomor:surat-tugas", 2026, 1]]),
}


def found(url: str) -> tuple[str, dict[str, tuple[tuple[str, ...], list[list[Plain]]]]]:
    database = Copies(url, clock=datetime.now)
    with database.snapshot() as snapshot:
        told = {table.name: (table.columns, list(table.rows)) for table in snapshot.tables}
    database.close()
    return snapshot.revision, told


def test_what_the_first_release_wrote_is_the_same_after_every_way_forward_and_back(url, watch):
    copies = Copies(url, clock=watch)
    written = {name: (tuple(columns.split()), rows) for name, (columns, rows) in FIRST_RELEASE.items()}
    copies.fill("0001", (TableCopy(name, columns, iter(rows)) for name, (columns, rows) in written.items()))
    store = Store(url, clock=watch)
    revisions = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    assert found(url)[0] == revisions[0] == max(revisions)
    assert (store.verify(), store.case_row(TICKET).team) == ([], ("budi", "sari"))
    assert [(row.number, row.state.value) for row in store.number_rows()] == [("1/ST", "issued")]
    for revision in revisions[1:]:
        store.migrate(revision)
        told = found(url)
        assert (told[0], told[1]["events"]) == (revision, written["events"])
    assert found(url)[1] == written
    for revision in reversed(revisions):
        store.migrate(revision)
    assert (store.verify(), store.case_row(TICKET).team, store.migrated()) == ([], ("budi", "sari"), True)
    assert store.replay("inbox") == 1
    store.close()
    copies.close()


def test_tables_of_a_newer_release_are_worked_with_and_left_as_they_are(store, url, watch):
    database = sa.create_engine(url)
    with database.begin() as connection:
        connection.execute(sa.text("alter table cases add column of_tomorrow text"))
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    older = Store(url, clock=watch)
    older.migrate()
    assert older.migrated()
    assert older.revisions()[0] == "9999"
    assert older.submit(Delivery("portal", "form", "", b"{}"), "SI", 2026).answer["tiket"] == "SI-2026-000001"
    with pytest.raises(UnknownRevision):
        older.migrate("0001")
    older.close()
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
