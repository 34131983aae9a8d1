"""What differs between two organisations, and the words it is told in."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from integration.organisation import load
from integration.organisation_diff import differences
from integration.procedure.offices import Organisation
from integration.procedures import load as procedure
from sync.changes import sentences

EXAMPLE = Path(__file__).resolve().parents[1] / "deploy" / "organisation.example.yaml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
POS = procedure("pengaduan-masalah-teknis-si.2025-05")
BEFORE = load(EXAMPLE)
KADIV = "Kepala Divisi Layanan dan Pangkalan Data"
COORDINATOR = "Koordinator Programmer, Fajar Nugroho, S.Kom. (definitif, SK Kepala Pustikom Nomor 11/UN39.17/KP/2025)"
LONG = "Senin s.d. Kamis 07.30-16.00 (istirahat 12.00-13.00)"
PLH = """  - role: kadiv-layanan
    account: kasi.layanan
    name: Dewi Lestari, S.E.
    decree: SP Nomor 7/2026
    since: 2026-06-08
    until: 2026-06-12
    holding: Plh.
"""
CLOSED = """closures:
  - since: 2026-05-18
    until: 2026-05-19
    name: Dies Natalis
    decree: SE Rektor 1/2026
"""


@pytest.fixture
def told(tmp_path: Path):
    """What is said of the example once `old` reads `new` in it; further pairs as well."""

    def change(*pairs: str) -> list[str]:
        text = TEXT
        for old, new in zip(pairs[::2], pairs[1::2], strict=True):
            assert old in text
            text = text.replace(old, new, 1)
        file = tmp_path / "organisasi.yaml"
        file.write_text(text, encoding="utf-8")
        return sentences(BEFORE, load(file), (POS,))

    return change


def test_the_same_file_differs_in_nothing():
    assert differences(BEFORE, load(EXAMPLE)) == ()


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (
            ("offices:\n", f"offices:\n{PLH}"),
            f"{KADIV}: Dewi Lestari, S.E. (Plh.) menjabat mulai 8 Juni 2026 hingga 12 Juni 2026, SP Nomor 7/2026",
        ),
        (
            ("since: 2025-01-06\n", "since: 2025-01-06\n    until: 2026-06-30\n"),
            f"{COORDINATOR}: akhir masa berlaku seterusnya menjadi 30 Juni 2026",
        ),
        (("capacity: 4", "capacity: 5"), "Programmer Intan Permata, S.Kom.: kapasitas 4 menjadi 5"),
        (
            ("until: 2026-07-10", "until: 2026-07-11"),
            "Programmer Rizky Maulana, S.T.: cuti 6 Juli 2026 s.d. 10 Juli 2026 menjadi 6 Juli 2026 s.d. 11 Juli 2026",
        ),
        (
            ("[JavaScript, Vue, desain antarmuka]", "[Vue]"),
            "Programmer Rizky Maulana, S.T.: keahlian JavaScript, Vue, desain antarmuka menjadi Vue",
        ),
        (
            ("friday: { open: 07.30-16.30, break: 11.30-13.00 }", "friday: { open: 07.30-12.00 }"),
            f"Jam kerja biasa: hari dan jamnya {LONG}; Jumat 07.30-16.30 (istirahat 11.30-13.00) menjadi {LONG}; Jumat 07.30-12.00",
        ),
        (("until: 2027-03-09", "until: 2027-03-10"), "Jam kerja Ramadan 1448 H: akhir masa berlaku 9 Maret 2027 menjadi 10 Maret 2027"),
        (("[2026, 2027]", "[2026]"), "Kalender tahun 2027 tidak dimuat lagi; tenggat di dalamnya tidak dapat dihitung"),
        (("  - layanan.pustikom@kampus.example\n", ""), "Laporan mingguan tidak dikirim lagi ke layanan.pustikom@kampus.example"),
        (("notulen: NOT", "notulen: NTL"), "kode jenis dokumen notulen: NOT menjadi NTL"),
        (("    notulen: NOT\n", ""), "kode jenis dokumen notulen: NOT menjadi (kosong)"),
        (("city: Jakarta", "city: Depok"), "tempat penandatanganan: Jakarta menjadi Depok"),
        (("time_zone: Asia/Jakarta", "time_zone: Asia/Makassar"), "zona waktu: Asia/Jakarta menjadi Asia/Makassar"),
    ],
)
def test_each_difference_is_told_in_words(told, pairs, said):
    assert told(*pairs) == [said]


def test_a_period_that_begins_on_another_day_is_another_period(told):
    gone, new = told("since: 2027-02-08", "since: 2027-02-09")
    assert gone == "Jam kerja Ramadan 1448 H, 8 Februari 2027 hingga 9 Maret 2027, dihapus"
    assert new.startswith("Jam kerja Ramadan 1448 H berlaku 9 Februari 2027 hingga 9 Maret 2027: Senin s.d. Kamis 08.00-15.00 ")


def test_closed_days_are_told_day_by_day(told):
    assert told("closures: []\n", CLOSED) == [
        "18 Mei 2026 menjadi hari libur: Dies Natalis (SE Rektor 1/2026)",
        "19 Mei 2026 menjadi hari libur: Dies Natalis (SE Rektor 1/2026)",
    ]


def test_what_comes_and_goes_is_told_both_ways(told):
    start, end = TEXT.index("  - account: hendra.wijaya"), TEXT.index("  - account: laras.ayu")
    assert told(TEXT[start:end], "") == ["Programmer Hendra Wijaya, S.Kom. (hendra.wijaya) dihapus"]

    fewer = replace(BEFORE, programmers=BEFORE.programmers[1:], offices=BEFORE.offices[1:], report_recipients=())
    said = sentences(fewer, BEFORE, (POS,))
    assert said[0].startswith("Kepala Pustikom: Dr. Ratna Wulandari, M.Kom. (definitif) menjabat mulai 2 Januari 2025 hingga seterusnya")
    assert said[1] == "Programmer Dimas Pratama, S.Kom. (dimas.pratama) ditambahkan"
    assert said[2:] == [f"Laporan mingguan juga dikirim ke {address}" for address in BEFORE.report_recipients]
    assert sentences(BEFORE, fewer, (POS,))[0].endswith("seterusnya, SK Rektor Nomor 101/UN39/KP/2025, dihapus")


def with_days(organisation: Organisation, **changes) -> Organisation:
    calendar = organisation.calendar
    days = {day: replace(off, **changes) for day, off in calendar.days_off.items() if day != date(2026, 1, 16)}
    return replace(organisation, calendar=replace(calendar, days_off=days | {date(2026, 1, 1): days[date(2026, 1, 1)]}))


def test_another_decree_for_the_same_days_is_told(told):
    said = sentences(BEFORE, with_days(BEFORE, decree="SKB baru"), (POS,))
    assert said[0].startswith("16 Januari 2026 bukan hari libur lagi: ") or said[0].startswith("1 Januari 2026: nomor keputusan ")
    assert any(line.startswith("16 Januari 2026 bukan hari libur lagi: ") for line in said)
    assert all(line.endswith("menjadi SKB baru") for line in said if "nomor keputusan" in line)
    assert len(said) == len(BEFORE.calendar.days_off)


def test_a_year_that_is_loaded_is_one_line():
    later = replace(BEFORE, calendar=replace(BEFORE.calendar, years=BEFORE.calendar.years | {2028}))
    assert sentences(BEFORE, later, (POS,)) == ["Kalender tahun 2028 dimuat"]
