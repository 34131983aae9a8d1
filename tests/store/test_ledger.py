"""The ledger is read back as it was written, proves itself, and where cases stand can be asked."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from integration.faults import Failure
from integration.procedure.events import AccessGranted, CaseOpened, DocumentFiled, Entry, Missing, Paused, RequestRefused, StepEntered
from integration.procedure.facts import Actor, ActorKind, Attachment, Submission
from integration.store import Batch, CaseRow, ChainFault, Delivery, Store, Waiting
from integration.store.reading import AT_ONCE
from integration.tables import cases, events

LEASE = timedelta(minutes=5)
KADIV = Actor(ActorKind.PERSON, "kadiv.layanan", "Dra. Sri Wahyuni")
FORM = Submission(
    unit_code="FT",
    unit_name="Fakultas Teknik",
    head_name="Prof. Dr. Ahmad",
    head_nip="",
    head_title="Dekan",
    head_email="dekan@ft.example",
    reporter="Budi \ud83d\ude42".encode("utf-16", "surrogatepass").decode("utf-16"),
    reporter_email="budi@ft.example",
    system="SIAKAD",
    system_url="",
    subject="Galat\u00a0500",
    category="galat",
    description="Baris satu\nbaris dua \u0000 tiga",
    reproduction="",
    since="2026-06-01T08:00:00+07:00",
    urgency="tinggi",
    impact="fakultas",
    attachments=(Attachment("galat.png", "image/png", 3, "ab" * 32),),
    filled_from=None,
    filled_until=None,
    sha256="cd" * 32,
)


def written(store: Store, watch, *happenings) -> str:
    """A case with these events, each an hour after the one before."""
    ticket = store.submit(Delivery("portal", f"form {len(store.tickets())}", "", b""), "SI", 2026).answer["tiket"]
    turn, form = store.claim(lease=LEASE)
    assert turn.lane == ticket
    entries = [Entry(seq, watch() + timedelta(hours=seq), KADIV, "note:1", event) for seq, event in enumerate(happenings, 1)]
    store.commit(turn, form, Batch(ticket, tuple(entries), causes=("note:1",)))
    return ticket


def test_entries_are_read_back_as_they_were_written(store, watch):
    happenings = (
        CaseOpened("SI-2026-000001", "pos-si", "V/2025", FORM),
        StepEntered(4, watch(), 1),
        RequestRefused(4, "peran", "lengkap", (Missing("section", "Urgensi", ("Kepala Seksi Layanan Administrasi",)),)),
        AccessGranted("andi", "app-01", "deploy", date(2026, 12, 31)),
    )
    ticket = written(store, watch, *happenings)
    assert tuple(entry.event for entry in store.entries(ticket)) == happenings
    assert [(entry.seq, entry.by, entry.cause) for entry in store.entries(ticket)] == [(n, KADIV, "note:1") for n in (1, 2, 3, 4)]
    assert store.entries(ticket)[0].at == watch() + timedelta(hours=1)
    assert store.known_causes(ticket, ["note:1", "note:2"]) == {"note:1"}
    assert store.entries("SI-2026-000099") == []


def test_ledgers_are_read_together_as_they_are_one_by_one(store, watch):
    tickets = [written(store, watch, Paused(str(n)), Paused("x")) for n in range(AT_ONCE + 1)]
    assert list(store.ledgers([*tickets, "SI-2026-000099"])) == [store.entries(ticket) for ticket in tickets]
    assert list(store.ledgers([])) == []


def test_a_ledger_as_written_holds(store, watch):
    written(store, watch, Paused("a"), Paused("b"))
    ticket = written(store, watch, Paused("c"))
    assert store.verify() == []
    assert store.verify(ticket) == []


@pytest.mark.parametrize(
    ("meddling", "fault"),
    [
        (sa.update(events).where(events.c.seq == 2).values(data={"reason": "z"}), ChainFault("SI-2026-000001", 2, "rantai_berubah")),
        (sa.update(events).where(events.c.seq == 2).values(cause="other"), ChainFault("SI-2026-000001", 2, "rantai_berubah")),
        (sa.update(events).where(events.c.seq == 3).values(prev="ab" * 32), ChainFault("SI-2026-000001", 3, "rantai_berubah")),
        (sa.delete(events).where(events.c.seq == 2), ChainFault("SI-2026-000001", 2, "rantai_hilang")),
        (sa.delete(events).where(events.c.seq == 3), ChainFault("SI-2026-000001", 2, "rantai_terpotong")),
        (sa.update(cases).values(version=4), ChainFault("SI-2026-000001", 3, "rantai_terpotong")),
    ],
)
def test_a_ledger_meddled_with_says_where(store, url, watch, meddling, fault):
    written(store, watch, Paused("a"), Paused("b"), Paused("c"))
    database = sa.create_engine(url)
    with database.begin() as connection:
        connection.execute(meddling)
    database.dispose()
    assert store.verify() == [fault]


def test_where_cases_stand(store, watch):
    first, second, third = (written(store, watch, Paused("x")) for _ in range(3))
    rows = {
        first: CaseRow(first, "si", "1", "berjalan", 4, "kasi", watch() + timedelta(minutes=15), 1, 7, "SIAKAD: galat", watch(), None),
        second: CaseRow(second, "si", "1", "berjalan", 5, "kepala", watch() + timedelta(days=1), 1, 8, "SIAKAD: lambat", watch(), None),
        third: CaseRow(third, "si", "1", "selesai", None, None, watch(), 1, 9, "SIAKAD: akses", watch(), watch() + timedelta(hours=1)),
    }
    for n, row in enumerate(rows.values()):
        store.keep(Delivery("gitlab", str(n), row.ticket, b""))
        turn, hook = store.claim(lease=LEASE)
        store.commit(turn, hook, Batch(turn.lane, case_row=row))
    assert store.case_row(first) == store.case_rows(step=4)[0]
    assert store.case_row(first).due_at == rows[first].due_at
    assert store.case_row(first).version == 1
    assert store.case_row("SI-2026-000099") is None
    assert [row.ticket for row in store.case_rows(open_only=True)] == [first, second]
    assert [row.ticket for row in store.case_rows(status="selesai")] == [third]
    assert store.ticket_of(8) == second
    assert store.ticket_of(1) is None
    assert [row.ticket for row in store.due_by(watch() + timedelta(hours=1))] == [first]
    assert (store.open_issues(), store.open_by_role()) == (2, {"kasi": 1, "kepala": 1})
    assert store.sightings([8, 9, 10]) == {8: (second, None), 9: (third, None)}
    assert store.tickets() == [first, second, third]
    assert store.tickets(opened_before=watch()) == []
    assert store.tickets(ended_after=watch()) == [first, second, third]
    assert store.tickets(opened_before=watch() + timedelta(1), ended_after=watch() + timedelta(1)) == [first, second]


def test_what_waits_is_counted_with_its_age(store, watch):
    assert store.waiting() == (Waiting("inbox", 0, 0, None, {}), Waiting("outbox", 0, 0, None, {}))
    since = watch()
    for key in ("a", "b", "c"):
        store.keep(Delivery("gitlab", key, key, b""))
        watch.move(seconds=1)
    store.park(*store.claim(lease=LEASE), "x", Failure.RIGHTS)
    store.postpone(*store.claim(lease=LEASE), until=watch() + timedelta(hours=1), error="x", failure=Failure.DOWN)
    failing = {("parked", "rights"): 1, ("waiting", "down"): 1}
    assert store.waiting()[0] == Waiting("inbox", 2, 1, since + timedelta(seconds=1), failing)


def test_a_mark_stays_until_it_is_moved(store):
    assert store.mark("sapuan") is None
    store.set_mark("sapuan", "2026-06-01")
    store.set_mark("sapuan", "2026-06-02")
    assert store.mark("sapuan") == "2026-06-02"


def test_rows_are_listed_newest_first_and_found_by_number(store):
    for key in ("a", "b", "c"):
        store.keep(Delivery("gitlab", key, key, b""))
    assert [row.key for row in store.inbox_rows()] == ["c", "b", "a"]
    assert [row.key for row in store.inbox_rows(limit=1)] == ["c"]
    wanted = store.inbox_rows(lane="b")[0]
    store.commit(*store.claim(lease=LEASE), Batch())
    assert [row.key for row in store.inbox_rows()] == ["c", "b"]
    assert store.inbox_rows(row_id=wanted.id) == [wanted]
    assert store.outbox_rows(row_id=1) == []


def test_a_document_filed_is_an_event_like_others(store, watch):
    filed = DocumentFiled("SI-2026-000001/notulen/1", "", "ab" * 32, 10, "[notulen](/uploads/x)")
    assert store.entries(written(store, watch, filed))[0].event == filed
