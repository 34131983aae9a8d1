"""The book of document numbers on the command line: listed, made void, and taken over from the book that was kept by hand."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from integration.parts import Parts
from integration.settings import Settings
from integration.store import NumberState

TUESDAY = datetime(2026, 6, 2, 2, 0, tzinfo=UTC)
TODAY = date(2026, 6, 2)
HAND_KEPT = """nomor,jenis,tanggal,perihal
98/UN39.17/ST/IV/2020,ST,2020-04-30,Perbaikan SIAKAD
100/UN39.17/ST/V/2020,surat-tugas,11/05/2020,"Migrasi peladen, tahap 1"
100a/UN39.17/ST/V/2020,ST,2020-05-11,"Perbaikan ""SSO"" lama"

100b/UN39.17/ST/VI/2020,st,2020-05-12,
7/UN39.17/BAST/V/2020,BAST,2020-05-12,Serah terima SIAKAD
"""


@pytest.fixture
def parts(environment: dict[str, str]) -> Iterator[Parts]:
    parts = Parts.of(Settings.read(environment, env_file=None), lambda: TUESDAY)
    parts.store.migrate()
    yield parts
    parts.store.close()


@pytest.fixture
def book(tmp_path: Path) -> Callable[[str | bytes], str]:
    """A hand-kept book as a file."""

    def written(content: str | bytes) -> str:
        (tmp_path / "buku.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
        return "buku.csv"

    return written


def reserve(parts: Parts, document: str, series: str, day: date = TODAY) -> str:
    pattern = parts.organisation.numbering.pattern(series, day)
    return parts.store.number(document, series, day, lambda seq: pattern.format(seq=seq))


def cells(table: str) -> list[list[str]]:
    """The lines of the tables, cell by cell; a line folded into several is as many."""
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in table.splitlines() if line.startswith("│")]


def test_each_series_is_listed_with_what_became_of_its_numbers(alur, parts, book):
    assert alur("numbers", "list").stdout == "Tidak ada.\n"
    letter = reserve(parts, "SI-2026-000001/surat-tugas", "surat-tugas")
    parts.store.issue_number(letter)
    reserve(parts, "SI-2026-000002/surat-tugas", "surat-tugas")
    reserve(parts, "laporan-mingguan:2026-W22", "laporan-mingguan")
    parts.store.void_number(letter, "Salah \x1b nama")
    assert alur("numbers", "import", book(HAND_KEPT)).exit_code == 0

    listed = alur("numbers", "list").stdout
    assert cells(listed) == [
        ["1 sampai dengan 6", "", "", "", "tidak tercatat dalam buku yang diimpor"],
        ["7/UN39.17/BAST/V/2020", "Serah terima SIAKAD", "", "12 Mei 2020", "impor"],
        ["1/UN39.17/LM/VI/2026", "Laporan mingguan 2026-W22", "", "2 Jun 2026", "dipesan"],
        ["1 sampai dengan 97", "", "", "", "tidak tercatat dalam buku yang diimpor"],
        ["98/UN39.17/ST/IV/2020", "Perbaikan SIAKAD", "", "30 Apr 2020", "impor"],
        ["99", "", "", "", "tidak tercatat dalam buku yang diimpor"],
        ["100/UN39.17/ST/V/2020", "Migrasi peladen, tahap 1", "", "11 Mei 2020", "impor"],
        ["100a/UN39.17/ST/V/2020", 'Perbaikan "SSO" lama', "", "11 Mei 2020", "impor"],
        ["100b/UN39.17/ST/VI/2020", "Surat Tugas", "", "12 Mei 2020", "impor"],
        ["1/UN39.17/ST/VI/2026", "Surat Tugas", "SI-2026-000001", "2 Jun 2026", "batal 2 Jun 2026 09.00: Salah nama"],
        ["2/UN39.17/ST/VI/2026", "Surat Tugas", "SI-2026-000002", "2 Jun 2026", "dipesan"],
    ]
    assert "Surat Tugas, 2020" in listed
    narrow = alur("numbers", "list", COLUMNS="80").stdout
    assert all(words in narrow for words in ("│ 100b/UN39.17/ST/VI/2020 ", "│ SI-2026-000001 ", "│ dipesan"))
    assert "\x1b" not in listed
    assert [row[0] for row in cells(alur("numbers", "list", "--type", "lm", "--year", "2026").stdout)] == ["1/UN39.17/LM/VI/2026"]
    assert alur("numbers", "list", "--type", "surat-tugas", "--year", "2019").stdout == "Tidak ada.\n"
    unknown = alur("numbers", "list", "--type", "surat-cinta")
    assert (unknown.exit_code, "“surat-cinta”" in unknown.stderr, "BAST" in unknown.stderr) == (1, True, True)


def test_a_number_is_made_void_with_a_reason_and_only_once(alur, parts):
    number = reserve(parts, "SI-2026-000001/surat-tugas", "surat-tugas")
    for refused in (("--reason", " \x07 "), ()):
        result = alur("numbers", "void", number, *refused)
        assert (result.exit_code, result.stderr) == (1, "Sebutkan alasan pembatalan dengan --reason.\n")
    assert parts.store.number_state(number) is NumberState.RESERVED

    made = alur("numbers", "void", number, "--reason", "Tim  dibatalkan\n")
    assert (made.exit_code, made.stdout.startswith(f"Nomor {number} dibatalkan.")) == (0, True)
    again = alur("numbers", "void", number, "--reason", "Lain")
    assert again.exit_code == 1
    assert again.stderr.startswith(f"Nomor {number} sudah dibatalkan pada ")
    assert again.stderr.endswith(": Tim dibatalkan\n")
    unknown = alur("numbers", "void", "9/UN39.17/ST/VI/2026", "--reason", "Lain")
    assert (unknown.exit_code, "9/UN39.17/ST/VI/2026 tidak ada dalam buku nomor" in unknown.stderr) == (1, True)


def test_a_hand_kept_book_is_taken_over_once_and_numbers_go_on_behind_it(alur, parts, book):
    assert alur("numbers", "import", book(HAND_KEPT)).stdout == "5 nomor baru diambil alih.\n"
    before = parts.store.number_rows()
    semicolons = HAND_KEPT.replace(",", ";").replace("; tahap", ", tahap")
    for same in (HAND_KEPT, "\ufeff" + semicolons.replace("\n", "\r\n")):  # the second as a spreadsheet here saves it
        assert alur("numbers", "import", book(same)).stdout == "0 nomor baru diambil alih.\n"
    assert parts.store.number_rows() == before
    assert reserve(parts, "x", "surat-tugas", date(2020, 6, 2)) == "101/UN39.17/ST/VI/2020"
    assert reserve(parts, "y", "berita-acara-serah-terima", date(2020, 6, 2)) == "008/UN39.17/BAST/VI/2020"
    assert reserve(parts, "z", "surat-tugas", date(2021, 6, 2)) == "1/UN39.17/ST/VI/2021"


def test_every_line_that_cannot_be_taken_over_is_told_and_nothing_is_taken(alur, parts, book):
    lines = [
        "8/UN39.17/ST/V/2020,ST,2020-05-12,Baik",
        "9/UN39.17/ST/V/2020,SC,12 Mei 2020,Jenis dan tanggal",
        "9/UN39.17/ST/V/2020,ST,31/02/2020,Tanggal",
        "9/UN39.17/ST/V/9999,ST,9999-12-31,Belum tiba",
        "9/UN39/ST/V/2020,ST,2020-05-12,Unit lain",
        "9/UN39.17/NOT/V/2020,ST,2020-05-12,Jenis lain",
        "9/UN39.17/ST/V/2020,ST,2020-05-12,Terlalu, banyak",
        '010/UN39.17/ST/V/2020,ST,2020-05-12,"Dua',
        'baris"',
        "10/UN39.17/ST/V/2020,ST,2020-05-12,Dua kali",
    ]
    refused = alur("numbers", "import", book("nomor,jenis,tanggal,perihal\n" + "\n".join(lines)))
    assert refused.exit_code == 1
    assert [words.split(": ", 2)[:2] for words in refused.stdout.splitlines()] == [
        ["buku.csv:3", "jenis"],
        ["buku.csv:3", "tanggal"],
        ["buku.csv:4", "tanggal"],
        ["buku.csv:5", "tanggal"],
        ["buku.csv:6", "nomor"],
        ["buku.csv:7", "nomor"],
        ["buku.csv:8", "baris ini berisi 5 kolom, seharusnya 4; apit dengan tanda kutip isian yang memuat pemisah kolom."],
        ["buku.csv:11", "nomor"],
    ]
    assert 'nomor "9/UN39/ST/V/2020" tidak sesuai dengan pola jenis dan tahunnya; contoh yang sesuai 1/UN39.17/ST/V/2020.' in refused.stdout
    assert "nomor 10/UN39.17/ST/V/2020 sudah tercantum pada baris 9." in refused.stdout
    assert refused.stderr == "8 kesalahan; tidak ada nomor yang diambil alih.\n"
    assert parts.store.number_rows() == []
    assert reserve(parts, "x", "surat-tugas", date(2020, 6, 2)) == "1/UN39.17/ST/VI/2020"


def test_a_line_that_clashes_with_the_book_is_told(alur, parts, book):
    reserve(parts, "SI-2020-000001/surat-tugas", "surat-tugas", date(2020, 6, 2))
    head, old = "nomor,jenis,tanggal,perihal", "5/UN39.17/ST/V/2020,ST,2020-05-12,Lama"
    alur("numbers", "import", book(f"{head}\n{old}\n"))
    lines = ("6/UN39.17/ST/V/2020,ST,2020-05-12,Baru", old.replace("Lama", "Lain"), old.replace("5/", "1/"))
    refused = alur("numbers", "import", book("\n".join((head, *lines))))
    said = "tempat nomor 5/UN39.17/ST/V/2020 sudah diimpor sebagai 5/UN39.17/ST/V/2020, tanggal 2020-05-12, perihal"
    given = "tempat nomor 1/UN39.17/ST/V/2020 sudah terisi 1/UN39.17/ST/VI/2020, yang diberikan layanan kepada"
    assert refused.stdout.splitlines() == [
        f'buku.csv:3: nomor: {said} "Lama".',
        f"buku.csv:4: nomor: {given} SI-2020-000001/surat-tugas.",
    ]
    assert [row.seq for row in parts.store.number_rows()] == [1, 5]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "berkas tidak memuat satu nomor pun"),
        ("nomor,jenis,tanggal,perihal\n\n", "berkas tidak memuat satu nomor pun"),
        ("nomor,jenis,tanggal\n", "baris pertama harus memuat keempat judul kolom"),
        (b"nomor,jenis,tanggal,perihal\n1,ST,2020-05-12,\xff\n", "berkas tidak berisi teks UTF-8"),
        ('nomor,jenis,tanggal,perihal\n1,ST,2020-05-12,"a"b\n', "buku.csv:2: baris ini bukan baris CSV yang sah"),
    ],
)
def test_a_file_that_is_no_such_book_is_told(alur, book, content, words):
    refused = alur("numbers", "import", book(content))
    assert (refused.exit_code, words in refused.stdout) == (1, True)
    assert "tidak ada nomor yang diambil alih" in refused.stderr


def test_a_file_that_is_not_there_is_told(alur):
    assert alur("numbers", "import", "tidak-ada.csv").stderr == "tidak-ada.csv tidak dapat dibaca.\n"
