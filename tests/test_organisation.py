"""The organisation file: what the example says, and every way a file can be wrong, told with its line."""

import re
from collections.abc import Callable
from datetime import date, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from integration.calendars import SHIPPED, shipped_years
from integration.organisation import OrganisationFaults, check, load
from integration.procedure.offices import DayHours, Holding, Numbering, Office, Organisation, Papers, Programmer, Provider
from integration.templates import messages

EXAMPLE = Path(__file__).resolve().parents[1] / "deploy" / "organisation.example.yaml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
DECREE_2026 = (SHIPPED / "2026.yaml").read_text(encoding="utf-8")
ROLES = (
    "kepala-pustikom",
    "kadiv-layanan",
    "kadiv-pengembangan",
    "kadiv-infrastruktur",
    "koordinator-programmer",
    "koordinator-infrastruktur",
    "kasi-layanan-administrasi",
)

Told = Callable[..., list[str]]


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    return load(EXAMPLE, ROLES)


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """What is said about the example once `old` reads `new` in it, as "line: path: sentence"; further pairs as well."""

    def change(*pairs: str, text: str = TEXT) -> list[str]:
        for old, new in zip(pairs[::2], pairs[1::2], strict=True):
            assert old in text
            text = text.replace(old, new, 1)
        file = tmp_path / "organisasi.yaml"
        file.write_text(text, encoding="utf-8")
        return [str(fault).removeprefix(f"{file}:") for fault in check(file, ROLES)]

    return change


def line(part: str, text: str = TEXT) -> int:
    """The line of the example this stands in."""
    return text[: text.index(part)].count("\n") + 1


# --- the example ---


def test_the_example_holds_every_platform_role_once(organisation: Organisation):
    day = date(2026, 6, 2)
    assert [len(organisation.holders(role, day)) for role in ROLES] == [1] * 7
    assert len({office.account for office in organisation.offices}) == 7
    assert organisation.holders("kepala-pustikom", date(2025, 1, 1)) == ()
    assert [office.role for office in organisation.offices_of("kasi.layanan", day)] == ["kasi-layanan-administrasi"]
    assert organisation.offices_of("", day) == ()
    assert all(re.fullmatch(r"\d{18}", office.nip) and office.decree for office in organisation.offices)


def test_the_example_has_programmers_who_differ(organisation: Organisation):
    assert len(organisation.programmers) >= 6
    rizky = organisation.programmer("rizky.maulana")
    assert rizky is not None
    assert (rizky.nip, rizky.systems, rizky.leave) == ("", ("SIAKAD", "Portal Layanan"), ((date(2026, 7, 6), date(2026, 7, 10)),))
    assert organisation.programmer("kepala.pustikom") is None
    assert len({programmer.skills for programmer in organisation.programmers}) == len(organisation.programmers)


def test_the_example_names_the_office_and_its_papers(organisation: Organisation):
    assert organisation.letterhead.university == "Universitas Negeri Jakarta"
    assert organisation.numbering.pattern("surat-tugas", date(2026, 5, 8)) == "{seq}/UN39.17/ST/V/2026"
    assert organisation.numbering.pattern("berita-acara-serah-terima", date(2026, 12, 1)) == "{seq:03d}/UN39.17/BAST/XII/2026"
    assert organisation.numbering.pattern("lain", date(2026, 1, 1)).format(seq=7) == "7/UN39.17/LAIN/I/2026"
    assert organisation.report_recipients == ("layanan.pustikom@kampus.example", "pengembangan.pustikom@kampus.example")
    assert Numbering().pattern("notulen", date(2026, 2, 1)) == "{seq}//NOTULEN/II/2026"


@pytest.mark.parametrize(
    ("number", "place"),
    [
        ("100/UN39.17/ST/V/2025", (100, "")),
        ("100b/UN39.17/ST/V/2025", (100, "b")),
        ("100B/UN39.17/ST/XII/2025", (100, "b")),  # another month, a capital
        ("007/UN39.17/ST/V/2025", (7, "")),
        ("0/UN39.17/ST/V/2025", None),
        ("100bb/UN39.17/ST/V/2025", None),
        ("1000000/UN39.17/ST/V/2025", None),
        ("b/UN39.17/ST/V/2025", None),
        ("100/UN39a17/ST/V/2025", None),
        ("100/UN39.17/NOT/V/2025", None),
        ("100/UN39.17/ST/XIII/2025", None),
        ("100/UN39.17/ST/V/2024", None),
        ("100/UN39.17/ST/V/2025 ", None),
    ],
)
def test_a_number_is_read_back_by_its_pattern(organisation: Organisation, number: str, place: tuple[int, str] | None):
    assert organisation.numbering.place("surat-tugas", number, 2025) == place


def test_a_width_is_no_hindrance_to_reading(organisation: Organisation):
    kind, day = "berita-acara-serah-terima", date(2026, 12, 1)
    assert organisation.numbering.place(kind, organisation.numbering.pattern(kind, day).format(seq=7), 2026) == (7, "")
    assert organisation.numbering.place(kind, "7a/UN39.17/BAST/XII/2026", 2026) == (7, "a")


def test_the_head_of_the_papers_is_that_of_the_issued_procedure(organisation: Organisation, shared: Path):
    issued = (shared / "seed" / "pos-pengaduan-masalah-teknis-si.md").read_text(encoding="utf-8").casefold()
    head = organisation.letterhead
    for words in (head.ministry, head.university, head.unit, head.address, head.website):
        assert words.casefold() in issued


def test_the_example_keeps_the_hours_of_the_page(organisation: Organisation):
    ramadan, _, usual = organisation.calendar.periods
    assert organisation.calendar.tz == ZoneInfo("Asia/Jakarta")
    assert usual.days[3] == DayHours(time(7, 30), time(16), time(12), time(13))
    assert usual.days[4] == DayHours(time(7, 30), time(16, 30), time(11, 30), time(13))
    assert ramadan.days[3] == DayHours(time(8), time(15), time(12), time(12, 30))
    assert ramadan.days[4] == DayHours(time(8), time(15, 30), time(11, 30), time(12, 30))
    assert (ramadan.since, ramadan.until) == (date(2026, 2, 19), date(2026, 3, 20))
    assert set(usual.days) == set(ramadan.days) == {0, 1, 2, 3, 4}


def test_without_roles_any_role_may_be_named(told: Told, tmp_path: Path):
    assert told("role: kadiv-layanan", "role: kepala-gudang") != []
    assert check(tmp_path / "organisasi.yaml") == ()


def test_stand_ins_come_first(tmp_path: Path):
    stand_in = """
  - role: kepala-pustikom
    account: kadiv.layanan
    name: Bambang Setiawan, M.T.
    decree: SK Rektor Nomor 7/UN39/KP/2026
    since: 2026-06-01
    until: 2026-06-05
    holding: Plh.
  - role: kadiv-layanan
    account: kadiv.layanan
"""
    file = tmp_path / "organisasi.yaml"
    file.write_text(TEXT.replace("\n  - role: kadiv-layanan\n    account: kadiv.layanan\n", stand_in, 1), encoding="utf-8")
    organisation = load(file, ROLES)
    assert [office.holding for office in organisation.holders("kepala-pustikom", date(2026, 6, 5))] == [Holding.DEPUTY, Holding.FULL]
    assert [office.holding for office in organisation.holders("kepala-pustikom", date(2026, 6, 6))] == [Holding.FULL]


# --- calendars ---


def test_every_shipped_year_agrees_with_its_decree(organisation: Organisation):
    assert set(shipped_years()) == organisation.calendar.years == {2026, 2027}
    assert len(organisation.calendar.days_off) == 17 + 8 + 18 + 8
    assert organisation.calendar.days_off[date(2026, 12, 24)].name == "Cuti bersama Kelahiran Yesus Kristus"


def test_a_campus_closure_is_a_day_off_and_a_decree_goes_before_it(told: Told, tmp_path: Path):
    assert told("closures: []", "closures:\n  - {since: 2026-05-13, until: 2026-05-14, name: Dies Natalis, decree: SE Rektor 1}") == []
    days_off = load(tmp_path / "organisasi.yaml").calendar.days_off
    assert (days_off[date(2026, 5, 13)].name, days_off[date(2026, 5, 13)].decree) == ("Dies Natalis", "SE Rektor 1")
    assert days_off[date(2026, 5, 14)].name == "Kenaikan Yesus Kristus"
    assert told("closures: []", "closures:\n  - {since: 2026-05-13, name: Dies Natalis, decree: SE Rektor 1}") == []


def test_a_calendar_of_one_s_own_stands_beside_the_file(told: Told, tmp_path: Path):
    own = tmp_path / "kalender-2026.yaml"
    own.write_text(DECREE_2026, encoding="utf-8")
    assert told("calendars: [2026, 2027]", "calendars: [kalender-2026.yaml]") == []
    assert load(tmp_path / "organisasi.yaml").calendar.years == {2026}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "holidays: 17",
            "holidays: 18",
            ["counts.holidays: menurut keputusan jumlahnya 18, sedangkan berkas ini memuat 17."],
        ),
        (
            "  2026-08-17: Proklamasi Kemerdekaan\n",
            "",
            [
                "counts.holidays: menurut keputusan jumlahnya 17, sedangkan berkas ini memuat 16.",
                "counts.working_days: menurut keputusan jumlahnya 240, sedangkan berkas ini memuat 241.",
            ],
        ),
        (
            "2026-12-24",
            "2026-12-26",  # a Saturday
            ["counts.working_days: menurut keputusan jumlahnya 240, sedangkan berkas ini memuat 241."],
        ),
        (
            "2026-12-24",
            "2026-12-25",
            [
                "joint_leave.2026-12-25: tanggal ini tercantum sebagai libur nasional sekaligus cuti bersama.",
                "counts.working_days: menurut keputusan jumlahnya 240, sedangkan berkas ini memuat 241.",
            ],
        ),
        (
            "2026-12-24",
            "2025-12-24",
            [
                "joint_leave.2025-12-24: tanggal ini bukan dalam tahun 2026.",
                "counts.working_days: menurut keputusan jumlahnya 240, sedangkan berkas ini memuat 241.",
            ],
        ),
        (
            "2026-08-25",
            "2026-08-17",
            [
                'holidays.2026-08-17: kunci "2026-08-17" tertulis lebih dari satu kali.',
            ],
        ),
        ("2026-01-01", "20260101", ['holidays.20260101: "20260101" bukan tanggal yang sah; contoh yang benar 2026-12-31.']),
        ("2026-01-01", "2026-13-01", ['holidays.2026-13-01: "2026-13-01" bukan tanggal yang sah; contoh yang benar 2026-12-31.']),
        ("year: 2026", "year: 20260", ["year: bilangan ini paling besar 2999."]),
        ("year: 2026", "year: duaribu", ['year: "duaribu" bukan bilangan bulat.']),
    ],
)
def test_a_calendar_that_disagrees_with_its_decree_is_refused(told: Told, tmp_path: Path, old: str, new: str, expected: list[str]):
    own = tmp_path / "kalender.yaml"
    own.write_text(DECREE_2026.replace(old, new, 1), encoding="utf-8")
    found = told("calendars: [2026, 2027]", "calendars: [kalender.yaml]")
    assert [re.sub(r":\d+: ", ": ", fault, count=1) for fault in found] == [f"{own}: {fault}" for fault in expected]


def test_a_fault_of_a_calendar_stands_on_its_line_there(told: Told, tmp_path: Path):
    own = tmp_path / "kalender.yaml"
    own.write_text(DECREE_2026.replace("2026-12-24", "2026-12-25"), encoding="utf-8")
    found = [int(fault.removeprefix(f"{own}:").partition(":")[0]) for fault in told("[2026, 2027]", "[kalender.yaml]")]
    assert found == [line("2026-12-24", DECREE_2026), line("working_days", DECREE_2026)]


def test_calendars_are_named_once_and_exist(told: Told, tmp_path: Path):
    (tmp_path / "kalender.yaml").write_text(DECREE_2026, encoding="utf-8")
    where = line("calendars: [")
    assert told("[2026, 2027]", "[2026, kalender.yaml]") == [f"{where}: calendars[2]: kalender tahun 2026 dimuat lebih dari satu kali."]
    assert told("[2026, 2027]", "[2026, 2031]") == [
        f"{where}: calendars[2]: " + messages("organisation")["calendar_unknown"].format(given=2031, known="2026, 2027"),
    ]
    assert told("[2026, 2027]", "[lain.yaml]") == [f"{tmp_path / 'lain.yaml'}:1: berkas tidak ditemukan atau tidak dapat dibaca."]
    assert told("[2026, 2027]", "[]") == [f"{where}: calendars: daftar ini paling sedikit berisi 1 butir."]
    assert told("[2026, 2027]", "[2026, [2027]]") == [f"{where}: calendars[2]: isian ini harus berupa teks."]


def test_a_closure_in_a_year_that_is_not_loaded_is_told(told: Told):
    where = line("closures: []")
    found = told("closures: []", "closures: [{since: 2027-12-31, until: 2028-01-01, name: Tutup, decree: SE}]")
    assert found == [f"{where}: closures[1]: kalender tahun 2028 belum dimuat, sehingga penutupan ini tidak dapat dihitung."]


# --- faults of single entries ---


@pytest.mark.parametrize(
    ("old", "new", "path", "kind", "values"),
    [
        ("  city: Jakarta\n", "", "letterhead.city", "missing", {}),
        ("city: Jakarta", "city:", "letterhead.city", "missing", {}),
        ("city: Jakarta", 'city: ""', "letterhead.city", "string_too_short", {}),
        ("city: Jakarta", "city: [Jakarta]", "letterhead.city", "string_type", {}),
        ("city: Jakarta", "city: Jakarta\n  kota: Jakarta", "letterhead.kota", "extra_forbidden", {}),
        ("city: Jakarta", "city: Jakarta\n  city: Bekasi", "letterhead.city", "twice", {"given": "city"}),
        ("name: Pusat Teknologi", "nama: Pusat Teknologi", "name", "missing", {}),
        ("time_zone: Asia/Jakarta", "time_zone: Asia/Jakata", "time_zone", "zone", {"given": "Asia/Jakata"}),
        ("time_zone: Asia/Jakarta", "time_zone: Asia", "time_zone", "zone", {"given": "Asia"}),
        ("time_zone: Asia/Jakarta", "time_zone: ../Asia", "time_zone", "zone", {"given": "../Asia"}),
        ('"{seq:03d}/{unit}', '"{seq:03d}/{satuan}', "numbering.patterns.berita-acara-serah-terima", "number_pattern", None),
        ('"{seq:03d}/{unit}', '"{unit}', "numbering.patterns.berita-acara-serah-terima", "number_pattern", None),
        ('"{seq:03d}/{unit}', '"{seq:03d}/{unit:3}', "numbering.patterns.berita-acara-serah-terima", "number_pattern", None),
        ('"{seq:03d}/{unit}', '"{seq:03d}/{unit!r}', "numbering.patterns.berita-acara-serah-terima", "number_pattern", None),
        ('"{seq:03d}/{unit}', '"{seq:03d/{unit}', "numbering.patterns.berita-acara-serah-terima", "number_pattern", None),
        ('"{seq:03d}/{unit}', '"{seq}/{unit.x}', "numbering.patterns.berita-acara-serah-terima", "number_pattern", None),
        ("unit: UN39.17", "unit: UN39.{17}", "numbering.unit", "braces", {}),
        ("notulen: NOT", "Notulen: NOT", "numbering.types.Notulen", "slug", {"given": "Notulen"}),
        ('"{seq:03d}/{unit}', '"{seq}/{seq}/{unit}', "numbering.patterns.berita-acara-serah-terima", "number_pattern", None),
        ('"{seq:03d}/{unit}', '"{seq:x}/{unit}', "numbering.patterns.berita-acara-serah-terima", "number_pattern", None),
        ('"{seq:03d}/{unit}', '"{seq}/{{unit}}', "numbering.patterns.berita-acara-serah-terima", "number_pattern", None),
        ('"{seq:03d}/{unit}', '"{seq}/\\a{unit}', "numbering.patterns.berita-acara-serah-terima", "number_pattern", None),
        ('"{seq:03d}/{unit}', '"{seq}b/{unit}', "numbering.patterns.berita-acara-serah-terima", "number_behind", None),
        ('"{seq:03d}/{unit}', '"{seq}{unit}', "numbering.patterns.berita-acara-serah-terima", "number_behind", None),
        ('{roman_month}/{year}"\n\n', '{roman_month}"\n\n', "numbering.patterns.berita-acara-serah-terima", "number_year", None),
        ("notulen: NOT", "notulen: ST", "numbering.types.surat-tugas", "numbers_alike", {"document": "surat-tugas", "other": "notulen"}),
        (
            '"{seq:03d}/{unit}/{type}',
            '"{seq:03d}/{unit}/ST',
            "numbering.patterns.berita-acara-serah-terima",
            "numbers_alike",
            {"document": "berita-acara-serah-terima", "other": "surat-tugas"},
        ),
        ('default: "{seq}/{unit}/{type}/', 'default: "{seq}/{unit}/', "numbering.default", "number_type", {}),
        ("- layanan.pustikom@", "- layanan.pustikom", "report_recipients[1]", "mail", {"given": "layanan.pustikomkampus.example"}),
        ("role: kadiv-layanan", "rol: kadiv-layanan", "offices[2].role", "missing", {}),
        ("account: kadiv.layanan", 'account: "@kadiv.layanan"', "offices[2].account", "account", {"given": "@kadiv.layanan"}),
        ('nip: "197809232005011002"', "nip: 1978", "offices[2].nip", "nip", {"given": "1978"}),
        ("since: 2025-01-06", "since: 6 Januari 2025", "offices[5].since", "day", {"given": "6 Januari 2025"}),
        ("since: 2025-01-06", "since: 2025-01-06\n    until: 2025-01-05", "offices[5]", "until_before_since", {}),
        ("since: 2025-01-06", "since: 2025-01-06\n    holding: Pjs.", "offices[5].holding", "enum", {"given": "Pjs."}),
        ("capacity: 3", "capacity: 0", "programmers[1].capacity", "greater_than_equal", {"ge": 1}),
        ("capacity: 3", "capacity: 21", "programmers[1].capacity", "less_than_equal", {"le": 20}),
        ("capacity: 3", "capacity: tiga", "programmers[1].capacity", "int_parsing", {"given": "tiga"}),
        ("capacity: 3", "capacity: [3]", "programmers[1].capacity", "int_type", {}),
        ("skills: [PHP, Laravel, MySQL]", "skills: []", "programmers[1].skills", "too_short", {"min_length": 1}),
        ("skills: [PHP, Laravel, MySQL]", "skills: PHP", "programmers[1].skills", "tuple_type", {}),
        ("until: 2026-07-10", "until: 2026-07-01", "programmers[3].leave[1]", "until_before_since", {}),
        ("07.30-16.00,", "07.30-24.00,", "working_hours.days.monday-thursday.open", "times", {"given": "07.30-24.00"}),
        ("07.30-16.00,", "16.00-07.30,", "working_hours.days.monday-thursday.open", "times_order", {"given": "16.00-07.30"}),
        ("break: 12.00-13.00", "break: 12.00-16.00", "working_hours.days.monday-thursday", "break_outside", {}),
        ("friday:", "jumat:", "working_hours.days.jumat", "weekdays", {"given": "jumat"}),
        ("friday:", "friday-tuesday:", "working_hours.days.friday-tuesday", "weekdays", {"given": "friday-tuesday"}),
        ("friday:", "thursday-friday:", "working_hours", "weekday_twice", {}),
        ("    until: 2026-03-20\n", "", "special_hours[1].until", "missing", {}),
        ("closures: []", "closures: [Dies Natalis]", "closures[1]", "model_type", {}),
        ("closures: []", "closures:\n  -", "closures[1]", "model_type", {}),
        ("skills: [PHP, Laravel, MySQL]", "skills: [PHP, ~]", "programmers[1].skills[2]", "string_too_short", {}),
        ("closures: []", "closures: ditutup", "closures", "tuple_type", {}),
        ("role: kadiv-layanan", "role: satpam", "offices[2].role", "role_unknown", {"given": "satpam", "known": ", ".join(sorted(ROLES))}),
    ],
)
def test_a_faulty_entry_is_told_by_its_path_and_in_its_sentence(
    told: Told, old: str, new: str, path: str, kind: str, values: dict[str, object] | None
):
    sentence = messages("organisation")[kind]
    start = sentence.partition('"')[0] if values is None else sentence.format(**values)
    assert any(found.partition(": ")[2].startswith(f"{path}: {start}") for found in told(old, new)), told(old, new)


def test_mappings_are_asked_for_where_there_must_be_one(told: Told):
    types = TEXT[TEXT.index("  types:\n") : TEXT.index("  patterns:\n")]
    assert told(types, "  types: ST\n") == [f"{line(types)}: numbering.types: isian ini harus berupa pasangan kunci dan nilai."]


def test_a_fault_stands_on_its_line(told: Told):
    assert told('nip: "197809232005011002"', "nip: 1978") == [
        f'{line("197809232005011002")}: offices[2].nip: NIP "1978" harus terdiri atas 18 angka tanpa spasi.'
    ]


def test_all_faults_are_told_together_from_top_to_bottom(told: Told):
    found = told("city: Jakarta", "kota: Jakarta", "role: kadiv-layanan", "role: satpam", "capacity: 3", "capacity: 0", "[2026,", "[2031,")
    assert [re.sub(r"^\d+: (.*?): .*", r"\1", fault) for fault in found] == [
        "letterhead.city",
        "letterhead.kota",
        "offices[2].role",
        "programmers[1].capacity",
        "calendars[1]",
    ]
    lines = [int(fault.partition(":")[0]) for fault in found]
    assert lines == sorted(lines)


def test_loading_a_faulty_file_raises_all_of_them(told: Told, tmp_path: Path):
    found = told("city: Jakarta", "kota: Jakarta")
    with pytest.raises(OrganisationFaults) as refused:
        load(tmp_path / "organisasi.yaml", ROLES)
    assert [str(fault) for fault in refused.value.faults] == [f"{tmp_path / 'organisasi.yaml'}:{fault}" for fault in found]
    assert str(refused.value).splitlines() == [str(fault) for fault in refused.value.faults]


# --- entries that do not go together ---


def office(role: str, account: str, name: str, *, since: str, rest: str = "") -> str:
    return f"  - {{role: {role}, account: {account}, name: {name}, decree: SK, since: {since}{rest}}}\n"


@pytest.mark.parametrize(
    ("since", "rest", "faulty"),
    [
        ("2026-01-01", "", True),
        ("2026-01-01", ", holding: Plt.", True),  # a Plt. fills a vacancy
        ("2026-01-01", ", until: 2026-01-31, holding: Plh.", False),
        ("2024-01-01", ", until: 2025-01-01", False),
        ("2024-01-01", ", until: 2025-01-02", True),
        ("2024-01-01", ", until: 2025-01-01, holding: Plt.", False),
    ],
)
def test_an_office_has_one_holder_at_a_time(told: Told, since: str, rest: str, *, faulty: bool):
    second = office("kepala-pustikom", "budi", "Budi", since=since, rest=rest)
    found = told("\n# Programmer:", f"{second}\n# Programmer:")
    expected = (
        f"{line('# Programmer:') - 1}: offices[8]: jabatan kepala-pustikom dipegang Budi pada waktu yang sama dengan "
        "Dr. Ratna Wulandari, M.Kom.; sesuaikan tanggalnya."
    )
    assert found == ([expected] if faulty else [])


def test_two_deputies_at_once_are_one_too_many(told: Told):
    first = office("kepala-pustikom", "budi", "Budi", since="2026-02-01", rest=", until: 2026-02-05, holding: Plh.")
    second = office("kepala-pustikom", "wati", "Wati", since="2026-02-05", rest=", until: 2026-02-06, holding: Plh.")
    assert len(told("\n# Programmer:", f"{first}{second}\n# Programmer:")) == 1


def test_an_account_is_one_person(told: Told):
    sentence = messages("organisation")["account_of_two"]
    said = sentence.format(account="kasi.layanan", name="Laras Ayu Ningtyas, S.Si.", other="Dewi Lestari, S.E.")
    assert told("account: laras.ayu", "account: kasi.layanan") == [f"{line('account: laras.ayu')}: programmers[6].account: {said}"]


def test_a_programmer_is_named_once(told: Told):
    again = "  - {account: laras.ayu, name: 'Laras Ayu Ningtyas, S.Si.', skills: [Python]}\n"
    found = told("\n# Jam kerja biasa", f"{again}\n# Jam kerja biasa")
    where = line("# Jam kerja biasa") - 1
    assert found == [f"{where}: programmers[8].account: programmer dengan akun laras.ayu tercantum lebih dari satu kali."]


def test_special_hours_do_not_overlap(told: Told):
    assert told("until: 2026-03-20", "until: 2027-02-08") == [
        f'{line("- name: Ramadan 1448 H")}: special_hours[2]: masa berlaku "Ramadan 1448 H" beririsan dengan "Ramadan 1447 H".'
    ]


# --- files that cannot be read ---


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "1: berkas harus berisi pasangan kunci dan nilai."),
        (b"- satu\n", "1: berkas harus berisi pasangan kunci dan nilai."),
        (b"name: \xff\n", "1: berkas tidak berisi teks UTF-8."),
        (b"name: x\nunit: [a\n", "3: baris ini bukan YAML yang sah; periksa lekukan, titik dua, dan tanda kutipnya."),
        (b"name: \x07\n", "1: baris ini bukan YAML yang sah; periksa lekukan, titik dua, dan tanda kutipnya."),
        (
            b"a: &x [1]\nb:\n  - *x\n",
            "3: acuan YAML (tanda * dan &) tidak digunakan di sini; tuliskan isinya secara langsung.",
        ),
        (b"a: &x [*x]\n", "1: acuan YAML (tanda * dan &) tidak digunakan di sini; tuliskan isinya secara langsung."),
    ],
)
def test_a_file_that_cannot_be_read_is_one_fault(tmp_path: Path, content: bytes, expected: str):
    file = tmp_path / "organisasi.yaml"
    file.write_bytes(content)
    assert [str(fault) for fault in check(file)] == [f"{file}:{expected}"]


def test_nothing_is_ever_constructed_from_a_file(tmp_path: Path):
    file = tmp_path / "organisasi.yaml"
    made = tmp_path / "dibuat"
    file.write_text(f"name: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{made}']]\n", encoding="utf-8")
    assert any("name: isian ini harus berupa teks." in str(fault) for fault in check(file))
    assert not made.exists()


def test_every_way_to_hold_an_office_is_named_in_the_sentence_about_it():
    assert all(holding in messages("organisation")["enum"] for holding in Holding)


def test_messages_are_sentences_by_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(TypeError):
        messages("organisation")["missing"] = "lain"  # type: ignore[index]  # read-only
    with pytest.raises(FileNotFoundError):
        messages("tidak-ada")
    monkeypatch.setattr("integration.templates.TEMPLATES", tmp_path)
    (tmp_path / "messages").mkdir()
    for name, content in (("daftar", "- a\n"), ("angka", "a: 1\n")):
        (tmp_path / "messages" / f"{name}.yaml").write_text(content, encoding="utf-8")
        with pytest.raises(TypeError, match="sentences by key"):
            messages(name)


def test_whoever_has_several_addresses_is_written_to_at_that_of_the_office_held_that_day() -> None:
    head = Office("kepala-pustikom", "ani", "Ani", since=date(2026, 6, 1), email="kepala@example.ac.id")
    people = (Programmer("ani", "Ani", email="ani@example.ac.id"), Programmer("budi", "Budi"))
    office = Organisation("Pustikom", (head,), people, load(EXAMPLE).calendar)
    assert office.address("ani", date(2026, 6, 1)) == "kepala@example.ac.id"
    assert office.address("ani", date(2026, 5, 31)) == "ani@example.ac.id"
    assert office.address("budi", date(2026, 6, 1)) == ""


def test_the_emblem_is_a_drawing_beside_the_file(told: Told, tmp_path: Path) -> None:
    (tmp_path / "lambang.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    (tmp_path / "besar.svg").write_text("<svg/>" + " " * 300_000, encoding="utf-8")
    (tmp_path / "lambang.png").write_bytes(b"\x89PNG")
    city = "  city: Jakarta\n"

    assert told(city, f"{city}  emblem: lambang.svg\n") == []
    assert load(tmp_path / "organisasi.yaml").letterhead.emblem.startswith("<svg")
    for name in ("besar.svg", "lambang.png", "tidak-ada.svg"):
        (said,) = told(city, f"{city}  emblem: {name}\n")
        assert "letterhead.emblem" in said
        assert name in said


def test_witnesses_are_of_roles_that_are_known(told: Told) -> None:
    (said,) = told("witnesses: [kadiv-pengembangan,", "witnesses: [kadiv-gudang,")
    assert "papers.witnesses[1]" in said
    assert "kadiv-gudang" in said


def test_it_says_how_papers_are_signed(told: Told, tmp_path: Path) -> None:
    (said,) = told("provider: basah", "provider: basa")
    assert "papers.signing.provider" in said
    assert '"basa" bukan cara penandatanganan' in said
    for wrong in ("provider: bsre", "provider: unggah\n    address: https://bsre.example"):
        (said,) = told("provider: basah", wrong)
        assert "papers.signing" in said
        assert "address wajib ada untuk bsre" in said
    (said,) = told("provider: basah", "provider: bsre\n    address: https://nama:sandi@bsre.example")
    assert "bukan alamat yang diawali http" in said

    file = tmp_path / "organisasi.yaml"
    file.write_text(TEXT.replace("provider: basah", "provider: bsre\n    address: https://bsre.example/esign"), encoding="utf-8")
    papers = load(file).papers
    assert (papers.provider, papers.signing_address) == (Provider.BSRE, "https://bsre.example/esign")
    file.write_text(TEXT.replace("  signing:\n    provider: basah\n", ""), encoding="utf-8")
    assert load(file).papers.provider is None


def test_without_a_word_on_papers_they_are_as_ever(tmp_path: Path) -> None:
    file = tmp_path / "organisasi.yaml"
    file.write_text(re.sub(r"^papers:\n(?:  .*\n)+", "", TEXT, flags=re.MULTILINE), encoding="utf-8")
    assert load(file).papers == Papers()
    file.write_text(re.sub(r"^  font: .*\n", "", TEXT, flags=re.MULTILINE), encoding="utf-8")
    assert load(file).papers.font == Papers().font


def test_fonts_lie_beside_the_file(told: Told, tmp_path: Path) -> None:
    assert told("  font: Libertinus Serif\n", "  font: Bookman\n  fonts: huruf\n") == []
    assert load(tmp_path / "organisasi.yaml").papers.fonts == str(tmp_path / "huruf")
