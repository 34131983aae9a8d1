"""Papers and reports: what stands in them, that nothing in them is a command, and that they are the same bytes each time."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pypdfium2
import pytest

from integration import organisation as organisations
from integration import procedures
from integration.faults import Permanent
from integration.procedure.definition import Channel, DocumentType, Procedure
from integration.procedure.events import (
    AccessGranted,
    CaseOpened,
    DocumentIssued,
    Entry,
    Event,
    ProgressReported,
    SignedOff,
    StepEntered,
    StepLeft,
    TeamAssigned,
)
from integration.procedure.facts import SERVICE, Actor, ActorKind, Submission
from integration.procedure.offices import Holding, Organisation
from sync import documents, paper
from sync.documents import Reserved
from sync.wording import Wording

ROOT = Path(__file__).resolve().parents[2]
ORGANISATION = organisations.load(ROOT / "deploy" / "organisation.example.yaml")
PROCEDURE: Procedure = procedures.load("pengaduan-masalah-teknis-si")
WORDING = Wording(ORGANISATION)
MOMENT = datetime(2026, 6, 2, 3, tzinfo=UTC)
ADDRESS = "https://alur.kampus.example/dokumen/abcdefghijklmnopqrstuvwx23"
EMBLEM = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill="red"/></svg>'
HOSTILE = '#let x = 1 *tebal* <b>html</b> ![](http://x/y.png) $1$ @all | & "kutip" \\ `kode`\n===\n- butir\n    #eval("1")'
MADE: list[DocumentType] = [document for document in PROCEDURE.documents if document.template]


def ledger(text: str = "Telah diperiksa.") -> list[Entry]:
    """A case in which every step that makes a paper was left once, with `text` written everywhere."""
    entries: list[Entry] = []

    def record(event: Event, by: Actor = SERVICE) -> None:
        entries.append(Entry(len(entries) + 1, MOMENT + timedelta(hours=len(entries)), by, f"fakta:{len(entries)}", event))

    record(CaseOpened("SI-2026-000001", PROCEDURE.slug, PROCEDURE.revision, submission(text)))
    record(TeamAssigned(1, tuple(programmer.account for programmer in ORGANISATION.programmers[:3])))
    record(ProgressReported("2026-W23", 19, 60, (("Kendala dan solusi", text),)))
    record(AccessGranted(ORGANISATION.programmers[0].account, "srv-01", "ssh-deploy", date(2026, 12, 31)))
    for step in PROCEDURE.steps:
        made = [(product.document, product.edition) for product in step.products]
        if PROCEDURE.duty and PROCEDURE.duty.step == step.number and PROCEDURE.duty.document:
            made.append((PROCEDURE.duty.document, "final"))
        if not made:
            continue
        role = PROCEDURE.role(step.performer or "")
        holders = ORGANISATION.holders(role.slug, MOMENT.date())
        account = holders[0].account if holders else ORGANISATION.programmers[0].account
        unit = role.channel is Channel.PORTAL
        by = Actor(ActorKind.UNIT, name="Dekan") if unit else Actor(ActorKind.PERSON, account, account)
        record(StepEntered(step.number, None, 1))
        record(StepLeft(step.number, step.outcomes[0].word, "", tuple((s.title, text) for s in step.sections), role.slug, "", False), by)
        if PROCEDURE.verification and step.number in PROCEDURE.verification.steps:
            record(SignedOff(step.number, 1, True, role.slug, "Plt."), by)
        for slug, edition in made:
            version = 1 + sum(isinstance(e.event, DocumentIssued) and e.event.document == slug for e in entries)
            record(DocumentIssued(f"SI-2026-000001/{slug}/{version}", slug, edition, version, step.number))
    return entries


def submission(text: str) -> Submission:
    return Submission(
        unit_code="FT",
        unit_name="Fakultas Teknik",
        head_name="Prof. Dr. Ratna Kusumawati, M.T.",
        head_nip="197203141998032001",
        head_title="Dekan",
        head_email="dekan@contoh.ac.id",
        reporter="Agus",
        reporter_email="agus@contoh.ac.id",
        system="SIAKAD",
        system_url="https://siakad.contoh.ac.id",
        subject=text.splitlines()[0],
        category="galat",
        description=text,
        reproduction="",
        since="2026-05-28T10:15:00+07:00",
        urgency="tinggi",
        impact="fakultas",
        attachments=(),
        filled_from=None,
        filled_until=None,
        sha256="0" * 64,
    )


def issued(slug: str, entries: list[Entry]) -> list[str]:
    """The papers of this type, oldest first."""
    return [entry.event.id for entry in entries if isinstance(entry.event, DocumentIssued) and entry.event.document == slug]


def made(
    slug: str, entries: list[Entry], number: str = "12/UN39.17/X/VI/2026", organisation: Organisation = ORGANISATION
) -> documents.Made:
    return documents.make(issued(slug, entries)[-1], entries, PROCEDURE, organisation, Reserved(number, ADDRESS), WORDING)


def words(pdf: bytes) -> str:
    """The text of all pages, on one line."""
    document = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(page.get_textpage().get_text_bounded().split()) for page in document)


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.slug)
def test_every_paper_is_made_though_everybody_in_it_has_left_the_organisation(kind: DocumentType) -> None:
    deserted = replace(ORGANISATION, offices=(), programmers=())

    assert kind.title in words(made(kind.slug, ledger(), organisation=deserted).content)


def test_a_letter_names_a_member_who_has_left_by_account() -> None:
    gone, *others = ORGANISATION.programmers

    text = words(made("surat-tugas", ledger(), organisation=replace(ORGANISATION, programmers=tuple(others))).content)

    assert gone.account in text
    assert others[0].name in text


@pytest.mark.parametrize("word", ["x" * 300, "QUJDRA" * 40 + "==", "`" + "z" * 300 + "`"])
def test_a_word_longer_than_a_line_is_broken_and_not_lost_beside_the_page(word: str) -> None:
    page = pypdfium2.PdfDocument(made("catatan-evaluasi", ledger(f"Isi: {word}")).content)[0]
    text = page.get_textpage()

    assert max(text.get_charbox(at)[2] for at in range(text.count_chars())) < page.get_width()
    assert word.strip("`") in "".join(text.get_text_bounded().split()).replace("\u200b", "")


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.slug)
def test_every_paper_names_itself_its_case_its_number_and_who_signs(kind: DocumentType) -> None:
    text = words(made(kind.slug, ledger()).content)

    assert kind.title.upper() in text
    assert "SI-2026-000001" in text
    assert "Nomor: 12/UN39.17/X/VI/2026" in text
    assert "PUSAT TEKNOLOGI INFORMASI DAN KOMUNIKASI" in text
    assert "Jakarta, " in text


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.slug)
def test_what_strangers_wrote_is_printed_as_they_wrote_it_and_orders_nothing(kind: DocumentType) -> None:
    text = words(made(kind.slug, ledger(HOSTILE)).content).replace(" ", "")  # a line may end anywhere

    if "#let" in text:
        assert "#letx=1*tebal*<b>html</b>![](http://x/y.png)$1$@all|&" in text


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.slug)
def test_the_same_ledger_gives_the_same_bytes_whatever_came_later(kind: DocumentType) -> None:
    entries = ledger()
    last = [e.seq for e in entries if isinstance(e.event, DocumentIssued) and e.event.document == kind.slug][-1]
    newest = issued(kind.slug, entries)[-1]

    early = documents.make(newest, entries[:last], PROCEDURE, ORGANISATION, Reserved("", ADDRESS), WORDING)

    assert early.content == documents.make(newest, entries, PROCEDURE, ORGANISATION, Reserved("", ADDRESS), WORDING).content
    assert b"pdfaid" in early.content


def test_the_assignment_letter_lists_the_team_with_the_one_in_charge_first() -> None:
    text = words(made("surat-tugas", ledger()).content)

    lead, *others = (programmer.name.split(",")[0] for programmer in ORGANISATION.programmers[:3])
    assert "Penanggung jawab" in text
    assert all(name.split()[0] in text for name in (lead, *others))


def test_the_handover_is_signed_by_both_and_names_stand_ins() -> None:
    text = words(made("berita-acara-serah-terima", ledger()).content)

    assert "Pihak Pertama" in text
    assert "Dekan Fakultas Teknik" in text
    assert ORGANISATION.holders("kepala-pustikom", MOMENT.date())[0].name in text


def test_a_handover_says_its_day_in_words_and_has_witnesses_and_copies() -> None:
    text = words(made("berita-acara-serah-terima", ledger()).content)

    assert "Pada hari ini, Jumat, tanggal lima bulan Juni tahun dua ribu dua puluh enam (05-06-2026)" in text
    witnesses = [ORGANISATION.holders(role, MOMENT.date())[0] for role in ORGANISATION.papers.witnesses]
    assert witnesses
    assert all(f"{number}. {office.name}" in text for number, office in enumerate(witnesses, start=1))
    assert text.endswith(f"Tembusan: 1. {ORGANISATION.papers.copies['berita-acara-serah-terima'][0]} " + text[-len(footer(text)) :])


def footer(text: str) -> str:
    return text[text.rindex("SI-2026-000001 ·") :]


def test_a_witness_who_stands_in_is_printed_as_such() -> None:
    stand_in = replace(ORGANISATION.holders("koordinator-programmer", MOMENT.date())[0], name="Wakil, S.T.", holding=Holding.DEPUTY)

    text = words(made("berita-acara-serah-terima", ledger(), organisation=replace(ORGANISATION, offices=(stand_in,))).content)

    assert "Plh. Koordinator Programmer" in text
    assert "Sri Handayani" not in text


def test_a_letter_says_from_when_to_when_and_a_draft_goes_to_nobody_else() -> None:
    entries = [
        replace(e, event=replace(e.event, sections=(("Mulai", "2026-06-08"), ("Target selesai", "21 Juli 2026"), ("Prioritas", "tinggi"))))
        if isinstance(e.event, StepLeft) and e.event.step == 6
        else e
        for e in ledger()
    ]
    first, *_ = issued("surat-tugas", entries)

    letter = words(made("surat-tugas", entries).content)
    draft = words(documents.make(first, entries, PROCEDURE, ORGANISATION, Reserved("", ADDRESS), WORDING).content)

    assert "Mulai : Senin, 8 Juni 2026 Target selesai : Selasa, 21 Juli 2026" in letter
    assert "Tembusan" in letter
    assert "Tembusan" not in draft


def test_the_emblem_stands_in_its_place_and_the_paper_in_the_font_of_the_organisation() -> None:
    head, form = replace(ORGANISATION.letterhead, emblem=EMBLEM), replace(ORGANISATION.papers, font="New Computer Modern")

    plain = made("notulen", ledger()).content
    dressed = made("notulen", ledger(), organisation=replace(ORGANISATION, letterhead=head, papers=form)).content

    assert b"NewCM" in dressed
    assert b"NewCM" not in plain
    assert red(dressed)
    assert not red(plain)


def red(pdf: bytes) -> bool:
    """Whether the first page has a spot of it."""
    bitmap = pypdfium2.PdfDocument(pdf)[0].render(rev_byteorder=True)
    row, channels, pixels = bitmap.stride, bitmap.n_channels, bytes(bitmap.buffer)
    dots = (pixels[y * row + x * channels :][:3] for y in range(bitmap.height // 4) for x in range(bitmap.width // 4))
    return any(dot == b"\xff\x00\x00" for dot in dots)


def test_the_accepted_handover_names_whoever_handed_over_in_the_office_they_did_it_in() -> None:
    stand_in = Actor(ActorKind.PERSON, "pejabat.lain", "Pejabat Lain")
    entries = [
        replace(e, by=stand_in, event=replace(e.event, office="Plh.")) if isinstance(e.event, StepLeft) and e.event.step == 30 else e
        for e in ledger()
    ]

    text = words(made("berita-acara-serah-terima", entries).content)

    assert "Plh. Kepala Pustikom" in text
    assert "Pejabat Lain" in text
    assert ORGANISATION.holders("kepala-pustikom", MOMENT.date())[0].name not in text


def test_any_moment_can_date_a_paper() -> None:
    sheet = paper.Sheet((), (), "Uji", "", "", (), "")
    moment = datetime(2026, 6, 2, 10, 0, 0, 123456, tzinfo=ZoneInfo("Asia/Jakarta"))

    assert paper.render("isi", sheet, moment) == paper.render("isi", sheet, moment.astimezone(UTC).replace(microsecond=0))


def test_a_text_beyond_all_reason_is_refused_cleanly() -> None:
    sheet = paper.Sheet((), (), "Uji", "", "", (), "")

    with pytest.raises(Permanent, match="over"):
        paper.render("x" * (paper.LARGEST_TEXT + 1), sheet, MOMENT)


@pytest.mark.parametrize("sign", ["*", "[", "[a](b)", "`", "_a", "\\", "|", "#", "<b>", "&amp;", "- "])
def test_a_long_text_of_signs_is_printed_as_it_is(sign: str) -> None:
    sheet, text = paper.Sheet((), (), "Uji", "", "", (), ""), sign * 30_000

    shown = "".join(words(paper.render(paper.prose(text), sheet, MOMENT)).split()).replace("\u200b", "").removeprefix("UJI")

    assert re.sub(r"Halaman\d+dari\d+", "", shown) == "".join(text.split())


def test_a_megabyte_of_signs_is_drawn() -> None:
    assert paper.render(paper.prose("*_[x](y)" * 131_072), paper.Sheet((), (), "Uji", "", "", (), ""), MOMENT).startswith(b"%PDF")


def test_a_text_of_more_rows_than_anybody_reads_is_refused_cleanly() -> None:
    with pytest.raises(Permanent, match="paragraphs"):
        paper.render(paper.prose("a\n\n" * 30_000), paper.Sheet((), (), "Uji", "", "", (), ""), MOMENT)


def test_a_paper_the_ledger_does_not_hold_is_not_made_up() -> None:
    with pytest.raises(KeyError):
        documents.make("SI-2026-000001/surat-tugas/9", ledger(), PROCEDURE, ORGANISATION, Reserved("", ADDRESS), WORDING)


@pytest.mark.parametrize(
    "text", [HOSTILE, "a\n\nb", "  spasi  ", "1. satu\n2. dua", "| a | b |\n|---|---|", "[x](y)", "# judul", "a_b_c __d__"]
)
def test_prose_reads_as_exactly_its_text(text: str) -> None:
    shown = "".join(_text(node) for node in paper.tree(paper.prose(text)))

    assert "".join(shown.split()) == "".join(text.split())


def _text(node: object) -> str:
    if isinstance(node, str):
        return node
    assert isinstance(node, dict)
    return "".join(_text(child) for child in node["c"])
