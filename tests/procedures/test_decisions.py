"""The shipped procedure against the decisions of the design page, row by row, and against each rule beside its table."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from integration.procedure.definition import Channel, Gate, Outcome, OutcomeKind, Procedure, SectionKind, Step, Supply, Unit
from integration.procedures.rules import plain

STEPS = range(1, 32)
DECIDED_SINCE = {30: ["`kembali`* -> 29"]}
"""What the design page does not have yet: either side of the handover may send it back, and the source says of neither how."""
VERIFICATIONS = range(20, 24)


@dataclass(frozen=True)
class Row:
    """A row of the design page's table, as written."""

    name: str
    performer: str
    also: str
    time: str
    outcomes: str
    sections: str
    documents: str


@pytest.fixture(scope="module")
def page(shared: Path) -> str:
    return (shared / "design" / "procedure.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(page: str) -> dict[int, Row]:
    found = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        number, _, name = cells[0].partition(" ")
        if number.isdecimal() and len(cells) == 7:
            found[int(number)] = Row(name, *cells[1:])
    return found


def written(outcome: Outcome) -> str:
    """An outcome as the page writes it."""
    to = "ended" if outcome.ending else str(outcome.to)
    return f"`{outcome.word}`{'*' if outcome.needs_reason else ''} -> {to}"


def test_the_page_decides_every_step(rows: dict[int, Row]) -> None:
    assert sorted(rows) == list(STEPS)


@pytest.mark.parametrize("number", STEPS)
def test_name_performer_and_time_are_as_decided(number: int, rows: dict[int, Row], pos: Procedure) -> None:
    step, row = pos.step(number), rows[number]
    also = [word.strip() for word in row.also.split(", recording")[0].split(",") if word.strip()]
    assert step.name == row.name
    assert (f"{step.performer} ({step.source})" if step.performer else "-") == row.performer
    assert [one.role for one in step.also] == also
    assert time_of(step) == row.time


def time_of(step: Step) -> str:
    if step.standard is None:
        return "-"
    if step.standard.unit is Unit.WEEKLY:
        return "tiap minggu"
    return f"{step.standard.amount} {'menit' if step.standard.unit is Unit.MINUTES else 'HK'}"


@pytest.mark.parametrize("number", STEPS)
def test_outcomes_are_as_decided(number: int, rows: dict[int, Row], pos: Procedure) -> None:
    outcomes, cell = pos.step(number).outcomes, rows[number].outcomes
    expected = re.findall(r"`[\w-]+`\*? -> \w+", cell)
    if "the same two returns" in cell:
        expected += re.findall(r"`[\w-]+`\* -> \w+", rows[20].outcomes)
    expected += DECIDED_SINCE.get(number, [])
    if number == 19:
        assert cell == "a complete report -> 20"
        expected = ["`selesai` -> 20"]
    assert [written(outcome) for outcome in outcomes] == expected
    assert bool(expected) == (number >= pos.opens_at)


@pytest.mark.parametrize("number", STEPS)
def test_sections_are_as_decided(number: int, rows: dict[int, Row], pos: Procedure) -> None:
    expected = [] if number == 19 else [title.strip() for title in rows[number].sections.split(";") if title.strip()]

    assert [section.title for section in pos.step(number).sections] == expected


@pytest.mark.parametrize("number", STEPS)
def test_documents_are_as_decided(number: int, rows: dict[int, Row], pos: Procedure) -> None:
    assert [f"{product.document}, {product.edition}" for product in pos.step(number).products] == expected_papers(number, rows[number])


def expected_papers(number: int, row: Row) -> list[str]:
    """The page's last column; where it says no edition there is only one, the frozen form and the report are not a step's products."""
    cell = re.sub(r" \(signed by.*\)", "", row.documents)
    if number in VERIFICATIONS:
        cell = cell.replace("laporan-verifikasi, section", "section").replace("section ", "laporan-verifikasi bagian ")
    papers = []
    for paper in (one.strip() for one in re.split("[,;](?! numbered)", cell) if one.strip()):
        slug, _, edition = paper.replace("(", "").replace(")", "").replace(", numbered", "").partition(" ")
        papers.append(f"{slug}, {edition or 'final'}")
    if number in (30, 31):
        papers = [f"berita-acara-serah-terima, {'pihak pertama' if number == 30 else 'kedua belah pihak'}"]
    return [] if number in (2, 19) else papers


def test_the_roles_are_the_pages(page: str, pos: Procedure) -> None:
    table = re.findall(r"(?m)^\| `([\w-]+)` \| ([^|]+) \| (portal|platform)", page)

    assert [(role.slug, role.name, role.channel.value) for role in pos.roles] == table
    assert [role.slug for role in pos.roles if role.team] == ["tim-programmer"]


def test_each_office_has_the_one_above_it_up_to_the_head(pos: Procedure) -> None:
    assert {role.slug: role.superior for role in pos.roles} == {
        "pimpinan-unit-kerja": "kadiv-layanan",  # it follows up with the unit
        "kepala-pustikom": None,
        "kadiv-layanan": "kepala-pustikom",
        "kadiv-pengembangan": "kepala-pustikom",
        "kadiv-infrastruktur": "kepala-pustikom",
        "koordinator-programmer": "kadiv-pengembangan",
        "koordinator-infrastruktur": "kadiv-infrastruktur",
        "kasi-layanan-administrasi": "kadiv-layanan",
        "tim-programmer": "koordinator-programmer",
    }


def test_the_straight_path_is_34_working_days_and_105_minutes(pos: Procedure) -> None:
    standards = [step.standard for step in pos.steps if step.standard]

    assert sum(one.amount for one in standards if one.unit is Unit.DAYS) == 34
    assert sum(one.amount for one in standards if one.unit is Unit.MINUTES) == 105


def test_every_decided_performer_says_why(pos: Procedure) -> None:
    assert all(step.note for step in pos.steps)
    assert set(pos.authority_notes) == set(pos.authority)


def test_the_gates(pos: Procedure) -> None:
    gates = {step.number: step.gates for step in pos.steps if step.gates}

    assert gates == {13: (Gate.TEAM,), 27: (Gate.GRANT,), 30: (Gate.REVOKED,)}


def test_the_weekly_duty(pos: Procedure) -> None:
    duty = pos.duty
    assert duty is not None
    assert (duty.word, duty.first, duty.last, duty.step, duty.outcome) == ("progres", 16, 31, 19, "selesai")
    assert [(part.title, part.kind) for part in duty.parts] == [
        ("Identitas proyek", SectionKind.SERVICE),
        ("Tahapan pekerjaan yang telah diselesaikan", SectionKind.TEXT),
        ("Persentase capaian", SectionKind.PERCENT),
        ("Kendala dan solusi", SectionKind.TEXT),
        ("Dokumentasi pendukung", SectionKind.TEXT),
    ]


def test_the_sign_offs_the_exception_and_the_hand_offs(pos: Procedure) -> None:
    assert pos.verification is not None
    assert pos.verification.steps == tuple(VERIFICATIONS)
    assert pos.emergency is not None
    assert (pos.emergency.first, pos.emergency.last) == (25, 28)
    assert pos.authority["darurat"] == ("kepala-pustikom",)
    assert pos.handoffs == tuple(plain(name) for name in pos.head.related[:17])
    assert not pos.head.related[17].startswith("POS ")


def test_only_an_accepted_step_31_is_done(pos: Procedure) -> None:
    endings = [(step.number, outcome.word, outcome.ending) for step in pos.steps for outcome in step.outcomes if outcome.ending]

    assert endings == [(5, "tolak", "ditolak"), (31, "terima", "selesai")]


def test_forward_outcomes_go_one_step_on(pos: Procedure) -> None:
    forward = {(s.number, o.to) for s in pos.steps for o in s.outcomes if o.kind is OutcomeKind.FORWARD and o.to}

    assert forward == {(number, number + 1) for number in range(4, 31)}


def test_the_unit_is_told_of_its_turns(pos: Procedure) -> None:
    turns = [
        step.number
        for step in pos.steps
        if step.number >= pos.opens_at and (step.unit_takes_part or pos.role(step.performer or "").channel is Channel.PORTAL)
    ]

    assert turns == [11, 24, 31]


def test_people_tick_only_what_no_data_can_show(pos: Procedure) -> None:
    ticks = [one.id for step in pos.steps for one in step.requirements if one.supply is Supply.TICK]

    assert ticks == ["18.1", "18.2", "18.3", "20.5", "21.5", "22.5", "23.5", "28.2", "29.3", "30.1", "30.4"]


def test_documents_cite_reviewed_laws(pos: Procedure) -> None:
    titles = {law.slug: law.title for law in pos.laws}

    assert not [title for title in titles.values() if "Lingkup Privat" in title]
    assert "Pelindungan Data Pribadi" in titles["uu-27-2022"]
    assert "bagi Penyelenggara Sistem Elektronik" not in titles["peraturan-bssn-4-2021"]


def test_signed_copies_are_asked_for_of_what_binds_beyond_the_case(pos: Procedure) -> None:
    assert {document.slug: dict(document.signatures) for document in pos.documents if document.signatures} == {
        "lembar-persetujuan": {"final": 1},
        "surat-tugas": {"final": 1},
        "berita-acara-uji-coba": {"final": 1},
        "berita-acara-serah-terima": {"pihak pertama": 1, "kedua belah pihak": 2},
    }
    assert pos.authority["tanda-tangan"] == ("kasi-layanan-administrasi",)


def test_a_signed_trial_form_must_be_attached_before_somebody_records_it(pos: Procedure) -> None:
    (also,) = pos.step(24).also

    assert (also.role, also.attachment) == ("koordinator-programmer", "formulir-uji-coba")
    assert pos.document("formulir-uji-coba").template == ""
