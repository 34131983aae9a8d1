"""Every open case is told once of each change under it; an office nobody holds is told to the operator."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from integration import codec
from integration.doorbell import Embedded
from integration.procedure.events import Entry, Paused
from integration.procedure.facts import SERVICE, OrganisationChanged
from integration.procedure.offices import DayOff, Holding, HoursPeriod, Organisation
from integration.procedures import load
from integration.store import Batch, CaseRow, Delivery, Store
from sync.roster import Roster
from tests.core.office import CALENDAR, office, organisation

POS = load("pengaduan-masalah-teknis-si.2025-05")
FRIDAY = date(2026, 6, 5)


@pytest.fixture
def roster(store) -> Roster:
    return Roster(store, (POS,), Embedded())


def open_case(store: Store, key: str = "form", role: str = "kasi-layanan-administrasi", ended: datetime | None = None) -> str:
    """A case the ledger has, at a step of this role."""
    store.submit(Delivery("portal", key, "", b""), "SI", 2026)
    turn, form = store.claim(lease=timedelta(minutes=1))
    row = CaseRow(turn.lane, "si", "1", "berjalan", 4, role, None, 1, None, "SIAKAD", store.clock(), ended)
    entries = (Entry(1, store.clock(), SERVICE, "x", Paused("x")),)
    store.commit(turn, form, Batch(turn.lane, entries, case_row=row))
    return turn.lane


def told(store: Store) -> list[tuple[str, object]]:
    """Which cases were told, oldest first, and what."""
    return [(row.lane, codec.read_fact(row.body)) for row in reversed(store.inbox_rows()) if row.source == "clock"]


def test_the_first_look_tells_nobody(store, roster):
    open_case(store)
    assert roster.look(organisation()) == 0
    assert roster.look(organisation()) == 0
    assert told(store) == []


def test_a_change_is_told_once_to_every_open_case_and_to_no_other(store, roster):
    first, second = open_case(store), open_case(store, "form2")
    open_case(store, "form3", ended=store.clock())
    store.submit(Delivery("portal", "form4", "", b""), "SI", 2026)  # nobody worked on it yet
    roster.look(organisation())
    rings = roster.bell.rings
    changed = organisation(office("kadiv-layanan", "pengganti"), without="kadiv-layanan")

    assert roster.look(changed) == 2
    assert roster.bell.rings == rings + 1
    assert roster.look(changed) == 0
    assert Roster(store, (POS,), Embedded()).look(changed) == 0
    assert [lane for lane, _ in told(store)] == [first, second]
    assert all(isinstance(fact, OrganisationChanged) and fact.by == SERVICE for _, fact in told(store))


def test_what_changes_back_and_again_is_told_each_time(store, roster):
    open_case(store)
    usual, other = organisation(), organisation(office("kadiv-layanan", "pengganti"), without="kadiv-layanan")
    roster.look(usual)
    assert [roster.look(now) for now in (other, usual, other, usual)] == [1, 1, 1, 1]


def test_two_who_find_the_same_change_tell_it_once(store, roster, monkeypatch):
    open_case(store)
    roster.look(organisation())
    changed = organisation(office("kadiv-layanan", "pengganti"), without="kadiv-layanan")
    before = store.mark("organisasi")
    assert roster.look(changed) == 1
    store.set_mark("organisasi", before)  # the other one looked before the mark was set
    assert Roster(store, (POS,), Embedded()).look(changed) == 0


def test_an_office_that_begins_and_ends_by_its_dates_alone_is_told_on_those_days(store, roster, watch):
    open_case(store)
    standing_in = organisation(office("kadiv-layanan", "wakil", Holding.DEPUTY, since=FRIDAY, until=FRIDAY))
    found = []
    for day in range(2, 8):
        watch.now = datetime(2026, 6, day, 1, tzinfo=UTC)
        found.append(roster.look(standing_in))
    assert found == [0, 0, 0, 1, 1, 0]  # Friday the 5th, and the day after


def calendar(**changes: object) -> Organisation:
    return replace(organisation(), calendar=replace(CALENDAR, **changes))


@pytest.mark.parametrize(
    ("other", "concerns"),
    [
        (calendar(days_off={FRIDAY: DayOff(FRIDAY, "Dies Natalis", "SE 1")}), True),
        (calendar(years=frozenset({2026})), True),
        (calendar(periods=(HoursPeriod("lain", {}, FRIDAY, FRIDAY), *CALENDAR.periods)), True),
        (calendar(tz=UTC), True),
        (replace(organisation(), programmers=()), True),
        (organisation(office("kepala-gudang", "gudang")), False),  # an office of no procedure
        (organisation(office("kadiv-layanan", "nanti", since=date(2030, 1, 1))), False),
        (replace(organisation(), name="Lain", report_recipients=("a@b.example",)), False),
    ],
)
def test_only_what_cases_depend_on_counts(store, roster, other, concerns):
    open_case(store)
    roster.look(organisation())
    assert roster.look(other) == concerns


def test_a_vacant_office_is_told_to_the_operator_whenever_its_cases_change(store, roster, caplog):
    caplog.set_level("ERROR")
    vacant = organisation(without="kasi-layanan-administrasi")
    roster.look(vacant)
    assert caplog.messages == ["nobody holds the office kasi-layanan-administrasi: 0 open cases wait for it"]
    roster.look(vacant)
    open_case(store)
    open_case(store, "form2", role="kepala-pustikom")
    roster.look(vacant)
    roster.look(vacant)
    assert caplog.messages[1:] == ["nobody holds the office kasi-layanan-administrasi: 1 open cases wait for it"]
    roster.look(organisation())
    roster.look(vacant)
    assert len(caplog.messages) == 3
