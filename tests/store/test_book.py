"""The book of numbers: handed out in order, once, without a gap, whoever dies meanwhile; issued, void, and taken over."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from itertools import groupby
from pathlib import Path

import pytest

from integration.faults import Failure, Permanent
from integration.store import NumberRow, NumberState, Store, TakenOver
from tests.store.reserving import document_of

DAY = date(2026, 6, 2)
WRITTEN = "{}/UN39.17/ST/VI/2026".format
DOCUMENTS = 40
DEATHS = [(), ("inside", "7"), ("inside", "1"), ("after", "13")]
RESERVING = Path(__file__).with_name("reserving.py")


def reserve_for(store: Store, document: str) -> str:
    return store.number(document, "surat-tugas", DAY, WRITTEN)


def reserve(store: Store, ticket: int) -> str:
    return reserve_for(store, f"SI-2026-{ticket:06d}/surat-tugas")


def by_hand(seq: int, suffix: str = "", subject: str = "Perbaikan SIAKAD") -> NumberRow:
    number = f"{seq}{suffix}/UN39.17/ST/V/2026"
    return NumberRow("surat-tugas", 2026, seq, suffix, number, day=date(2026, 5, 12), subject=subject)


def worker(url: str, name: int, *death: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(RESERVING), url, str(name), str(DOCUMENTS), *death]
    return subprocess.Popen(command, cwd=RESERVING.parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def told(running: list[subprocess.Popen[str]]) -> list[tuple[str, str]]:
    """What workers tell that begin at the same time, once all have ended."""
    assert [process.stdout.readline() for process in running] == ["ready\n"] * len(running)
    with ThreadPoolExecutor(len(running)) as pool:
        words = list(pool.map(lambda process: process.communicate("go\n")[0], running))
    return [(document, number) for lines in words for document, number in (line.split(" ") for line in lines.splitlines())]


def test_processes_that_reserve_at_once_and_die_at_it_take_no_number_twice_and_leave_no_gap(store, url):
    workers = [worker(url, name, *death) for name, death in enumerate(DEATHS)]
    heard = told(workers)
    assert [process.returncode for process in workers] == [-signal.SIGKILL if death else 0 for death in DEATHS]

    turns = [row.document[8:9] for row in store.number_rows()]
    if url.startswith("postgresql"):  # SQLite lets whom it likes go on
        assert len(list(groupby(turns))) > len(DEATHS)  # they took turns, none waited for another's end

    left = [document_of(name, n) for name in range(len(DEATHS)) for n in range(DOCUMENTS)]
    heard_after = [(document, reserve_for(store, document)) for document in left]  # as the outbox does after a restart

    book = store.number_rows()
    documents = 1 + len(DEATHS) * (DOCUMENTS - 1)
    assert [row.seq for row in book] == list(range(1, documents + 1))
    assert [row.number for row in book] == [WRITTEN(row.seq) for row in book]
    assert {row.document: row.number for row in book} == dict(heard_after)
    assert len(set(left)) == documents
    assert set(heard) <= set(heard_after)
    assert len(heard) == DOCUMENTS + 7 + 1 + 13


def test_a_number_is_reserved_and_then_issued(store, watch):
    number = reserve(store, 1)
    assert (number, store.number_state(number)) == ("1/UN39.17/ST/VI/2026", NumberState.RESERVED)
    store.issue_number(number)
    issued_at = watch()
    watch.move(days=3)
    store.issue_number(number)
    assert store.number_row(number) == NumberRow("surat-tugas", 2026, 1, "", number, "SI-2026-000001/surat-tugas", DAY, issued_at=issued_at)
    assert store.number_state(number) is NumberState.ISSUED
    assert store.number_state("2/UN39.17/ST/VI/2026") is None


@pytest.mark.parametrize("issued", [False, True])
def test_a_void_number_stays_in_the_book_and_its_document_gets_another(store, watch, issued):
    number = reserve(store, 1)
    if issued:
        store.issue_number(number)
    assert store.void_number(number, "Salah ketik")
    voided_at = watch()
    watch.move(days=1)
    assert not store.void_number(number, "Sekali lagi")
    assert not store.void_number("9/UN39.17/ST/VI/2026", "Tidak ada")

    assert [reserve(store, 1), reserve(store, 1), reserve(store, 2)] == [WRITTEN(2), WRITTEN(2), WRITTEN(3)]
    row = store.number_row(number)
    assert (row.state, row.reason, row.voided_at) == (NumberState.VOID, "Salah ketik", voided_at)


def test_each_series_and_each_year_is_counted_for_itself(store):
    assert reserve(store, 1) == "1/UN39.17/ST/VI/2026"
    assert store.number("x", "surat-tugas", date(2027, 1, 4), "{}/UN39.17/ST/I/2027".format) == "1/UN39.17/ST/I/2027"
    assert store.number("y", "notulen", DAY, "{}/UN39.17/NOT/VI/2026".format) == "1/UN39.17/NOT/VI/2026"
    assert [row.document for row in store.number_rows(series="surat-tugas", year=2027)] == ["x"]
    assert [row.document for row in store.number_rows(year=2026)] == ["y", "SI-2026-000001/surat-tugas"]


def test_a_number_of_another_series_is_never_given_once_more_and_takes_no_place(store):
    reserve(store, 1)
    with pytest.raises(Permanent) as refused:
        store.number("y", "notulen", DAY, WRITTEN)  # its code was changed to that of the letters
    assert refused.value.failure is Failure.NUMBER
    assert store.number("y", "notulen", DAY, "{}/UN39.17/NOT/VI/2026".format) == "1/UN39.17/NOT/VI/2026"


def test_the_sequence_goes_on_behind_the_book_that_was_kept_by_hand(store):
    lines = [by_hand(98), by_hand(100), by_hand(100, "b"), by_hand(100, "a"), by_hand(99)]
    assert store.take_over(lines) == TakenOver(5)
    assert store.take_over(lines[:3]) == TakenOver(0)
    assert reserve(store, 1) == WRITTEN(101)
    assert store.take_over([*lines, by_hand(97)]) == TakenOver(1)
    assert reserve(store, 2) == WRITTEN(102)
    assert [(row.seq, row.suffix, row.state.value) for row in store.number_rows()] == [
        (97, "", "imported"),
        (98, "", "imported"),
        (99, "", "imported"),
        (100, "", "imported"),
        (100, "a", "imported"),
        (100, "b", "imported"),
        (101, "", "reserved"),
        (102, "", "reserved"),
    ]
    store.void_number(lines[0].number, "Tidak jadi dipakai")
    assert store.take_over(lines) == TakenOver(0)
    assert store.number_state(lines[0].number) is NumberState.VOID


def test_nothing_is_taken_over_where_one_line_clashes(store):
    number = reserve(store, 1)
    store.take_over([by_hand(7)])
    before = store.number_rows()
    otherwise = by_hand(7, subject="Perihal lain")
    elsewhere = replace(by_hand(9), series="notulen", number=number)
    taken = store.take_over([by_hand(8), by_hand(1), otherwise, elsewhere])
    assert taken == TakenOver(0, ((by_hand(1), before[0]), (otherwise, before[1]), (elsewhere, before[0])))
    assert store.number_rows() == before
    assert [reserve(store, 2), store.number("y", "notulen", DAY, "{}/NOT".format)] == [WRITTEN(8), "1/NOT"]


def test_a_book_is_taken_over_while_numbers_are_reserved(open_store):
    stores = [open_store() for _ in range(4)]
    lines = [by_hand(seq) for seq in range(1, 31)]
    with ThreadPoolExecutor(4) as pool:
        taking = pool.submit(stores[0].take_over, lines)
        reserved = list(pool.map(lambda n: reserve(stores[1 + n % 3], n), range(1, 31)))
    book = [row.seq for row in stores[0].number_rows()]
    assert len(set(reserved)) == 30
    if taking.result().clashes:  # a number was reserved first: then nothing of the book is here
        assert book == list(range(1, 31))
    else:
        assert book == list(range(1, 61))
