"""How papers look to whoever reads them closely: nothing torn apart, printed over, left empty or said in another language than theirs."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pypdfium2
import pytest

from integration.procedure.case import fold
from integration.procedure.definition import DocumentType
from integration.procedure.events import DocumentFiled, Entry, SignedOff, StepEntered, StepLeft
from integration.procedure.facts import Sections
from integration.procedure.offices import Programmer
from sync import documents, paper
from sync.documents import Reserved
from sync.wording import Wording
from tests.papers.test_papers import ADDRESS, MADE, MOMENT, ORGANISATION, PROCEDURE, WORDING, issued, ledger, made, words

DARK = 128
LONG_WORD = "Pertanggungjawabanketerselenggaraankeberlangsunganpembelajaran"
LONG_NAME = f"Prof. Dr. Ir. Raden Mas Haryo Kusumoadmodjo Wiryodiningrat {LONG_WORD}, S.T., M.Eng., Ph.D."
PARAGRAPH = f"Permintaan ke halaman nilai gagal setiap kali lebih dari seratus mahasiswa masuk bersamaan. {LONG_WORD} "
CROWDED = replace(
    ORGANISATION,
    offices=tuple(replace(office, name=LONG_NAME) for office in ORGANISATION.offices),
    programmers=tuple(Programmer(p.account, LONG_NAME, p.nip, p.rank) for p in ORGANISATION.programmers),
)
SCHEDULE = (("Mulai", "2026-06-15"), ("Target selesai", "24 Juli 2026"), ("Prioritas", "tinggi"))


def pages(pdf: bytes) -> list[str]:
    """The words of each page, on one line."""
    return [" ".join(page.get_textpage().get_text_bounded().split()) for page in pypdfium2.PdfDocument(pdf)]


def printed_over(pdf: bytes) -> Iterator[tuple[str, str]]:
    """Signs of one line that lie on each other."""
    for page in pypdfium2.PdfDocument(pdf):
        text = page.get_textpage()
        lines: dict[int, list[tuple[float, float, str]]] = defaultdict(list)
        for at, sign in enumerate(text.get_text_range()):
            if sign.strip():
                left, bottom, right, _ = text.get_charbox(at, loose=True)
                lines[round(bottom)].append((left, right, sign))
        for line in lines.values():
            pairs = ((a, b) for a, b in pairwise(sorted(line)) if a[:2] != b[:2])  # signs joined into one have the same place
            yield from ((a[2], b[2]) for a, b in pairs if a[1] - b[0] > 0.5 * (b[1] - b[0]))


def left_with(entries: list[Entry], step: int, sections: Sections) -> list[Entry]:
    """The ledger in which the step was left with this written."""
    return [
        replace(entry, event=replace(entry.event, sections=sections))
        if isinstance(entry.event, StepLeft) and entry.event.step == step
        else entry
        for entry in entries
    ]


def version(slug: str, number: int, entries: list[Entry]) -> str:
    """The words of this version of a paper."""
    document = issued(slug, entries)[number - 1]
    return words(documents.make(document, entries, PROCEDURE, ORGANISATION, Reserved("", ADDRESS), WORDING).content)


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.slug)
def test_nothing_is_printed_over_anything_however_long_names_are(kind: DocumentType) -> None:
    entries = ledger(PARAGRAPH * 3)
    document = issued(kind.slug, entries)[-1]

    pdf = documents.make(document, entries, PROCEDURE, CROWDED, Reserved("1/A/2026", ADDRESS), Wording(CROWDED)).content

    assert list(printed_over(pdf)) == []


@pytest.mark.parametrize("word", [LONG_WORD, "peladen-sistem-informasi-01.pustikom.kampus.example", "x" * 200])
def test_a_long_word_stays_in_its_column(word: str) -> None:
    table = f"| A | B | C | D | E |\n|---|---|---|---|---|\n| {word} | {word} | {word} | {word} | {word} |"

    pdf = paper.render(table, paper.Sheet((), (), "Uji", "", "", (), ""), MOMENT)

    assert list(printed_over(pdf)) == []


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.slug)
def test_no_signature_stands_on_a_page_without_what_is_signed(kind: DocumentType) -> None:
    for paragraphs in (1, 4, 7, 10):
        text = pages(made(kind.slug, ledger("\n\n".join([PARAGRAPH] * paragraphs))).content)
        (signed,) = [page for page in text if re.search(r"Jakarta, \d+ Juni 2026", page)]
        assert "Demikian " in signed


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.slug)
def test_papers_show_no_markup_and_no_word_of_the_machine(kind: DocumentType) -> None:
    text = words(made(kind.slug, ledger()).content)

    assert not re.search(r"\*|#|\||None|True|False|\d{4}-W\d\d \d|2026-\d\d-\d\d", text.replace("· 2026-W23", ""))
    assert not re.search(r"[;,][A-Z]", text)


@pytest.mark.parametrize("lines", range(28, 44))
def test_the_words_before_a_list_or_a_table_stay_with_it(lines: int) -> None:
    filler = "\n\n".join(["Isi."] * lines)
    sheet = paper.Sheet((), (), "Uji", "", "", (), "")

    for following in ("1. satu\n2. dua", "| Nama |\n|---|\n| Dimas |"):
        first, *_ = pages(paper.render(f"{filler}\n\nuntuk:\n\n{following}", sheet, MOMENT))
        assert not re.search(r"untuk: Halaman|untuk:$", re.sub(r" *Halaman \d+ dari \d+$", "", first))


def test_a_line_of_a_table_stays_on_one_page() -> None:
    words = "kata " * 24
    rows = "\n".join(f"| awal{n} {words} | {words} | {words} akhir{n} |" for n in range(30))

    for page in pages(paper.render(f"| A | B | C |\n|---|---|---|\n{rows}", paper.Sheet((), (), "Uji", "", "", (), ""), MOMENT)):
        assert set(re.findall(r"awal(\d+)", page)) == set(re.findall(r"akhir(\d+)", page))


def test_a_schedule_says_its_days_as_days_are_said_drafted_and_final() -> None:
    entries = left_with(ledger(), 6, SCHEDULE)

    draft, final = (version("jadwal", number, entries) for number in (1, 2))

    for text in (draft, final):
        assert "Mulai Senin, 15 Juni 2026 Target selesai Jumat, 24 Juli 2026 Prioritas Tinggi" in text
    assert "Rancangan — belum berlaku sebelum ditetapkan oleh Kepala Divisi Layanan dan Pangkalan Data." in draft
    assert "Rancangan" not in final


def test_a_drafted_letter_is_one_of_whoever_will_approve_it_and_says_who_drafted_it() -> None:
    entries = ledger()
    head, clerk = (ORGANISATION.holders(role, MOMENT.date())[0] for role in ("kepala-pustikom", "kasi-layanan-administrasi"))

    draft = version("surat-tugas", 1, entries)

    assert f"Rancangan, disusun oleh {clerk.name} (Kepala Seksi Layanan Administrasi) — belum berlaku" in draft
    assert "Kepala Pustikom memberikan tugas kepada:" in draft
    assert f"Kepala Pustikom, {head.name} NIP {head.nip}" in draft
    assert "Rancangan" not in version("surat-tugas", 2, entries)


def test_a_report_of_progress_has_its_five_parts_once_each_in_the_order_of_the_procedure() -> None:
    assert PROCEDURE.duty is not None
    titles = [part.title for part in PROCEDURE.duty.parts]
    sections = tuple((title, "60" if title == "Persentase capaian" else f"Tentang {title}.") for title in titles)
    entries = [replace(e, event=replace(e.event, sections=sections)) if hasattr(e.event, "percent") else e for e in ledger()]

    text = words(made("laporan-progres", entries).content)

    assert re.findall(r"(\d)\. ([A-Z][a-z ]+?) (?=Nama|Tentang|60%)", text) == [(str(n), title) for n, title in enumerate(titles, 1)]
    assert "60% pada pekan ke-23 tahun 2026, dilaporkan Selasa, 2 Juni 2026 pukul 12.00 WIB." in text


def test_a_verification_that_was_returned_is_kept_with_its_words_and_marked_as_no_longer_valid() -> None:
    entries: list[Entry] = []
    for entry in ledger():
        event = entry.event
        again = isinstance(event, StepEntered) and event.step >= 22
        entries.append(replace(entry, event=replace(event, round=2)) if again else entry)
    returned = [
        replace(e, event=replace(e.event, outcome="perlu-perbaikan", reason="Uji beban belum ada.", sections=()))
        if isinstance(e.event, StepLeft) and e.event.step == 21
        else replace(e, event=replace(e.event, accepted=False) if e.event.step == 21 else replace(e.event, round=2))
        if isinstance(e.event, SignedOff) and e.event.step > 20
        else e
        for e in left_with(entries, 20, (("Catatan verifikasi", "Catatan pertama."),))
    ]
    case = fold(returned)
    assert case is not None
    assert case.round == 2

    text = words(made("laporan-verifikasi", returned).content)

    stale = "Putaran 1 — tidak berlaku lagi, verifikasi diulang"
    assert (
        f"(Koordinator Programmer) {stale} Status : Diterima Diverifikasi oleh : Fajar Nugroho, S.Kom. (Plt. Koordinator Programmer)"
        in text
    )
    assert "Catatan verifikasi Catatan pertama. Belum diverifikasi pada putaran 2." in text
    assert f"{stale} Status : Perlu perbaikan" in text
    assert "Alasan Uji beban belum ada. Belum diverifikasi pada putaran 2." in text
    assert "(Kepala Pustikom) Putaran 2 Status : Diterima" in text
    assert text.count("tidak berlaku lagi") == 2


def test_a_list_of_papers_names_the_number_all_editions_share_also_of_one_that_is_just_being_made() -> None:
    entries = ledger()
    for slug, number in (("laporan-verifikasi", "7/UN39.17/LV/VI/2026"), ("surat-tugas", "9/UN39.17/ST/VI/2026")):
        filed = DocumentFiled(issued(slug, entries)[1], number, "0" * 64, 1, "x")
        at = next(at for at, entry in enumerate(entries) if getattr(entry.event, "id", "") == filed.id)
        entries[at + 1 : at + 1] = [replace(entries[at], event=filed)]

    text = words(made("laporan-penyelesaian", entries).content)

    assert "Laporan Verifikasi bagian 4 4 7/UN39.17/LV/VI/2026" in text
    assert "Surat Tugas draft 1 - Surat Tugas final 2 9/UN39.17/ST/VI/2026" in text
    assert "Buku Panduan Pengguna final 1 terbit bersama dokumen ini" in text


def test_the_head_of_a_paper_ends_in_a_thick_and_a_thin_rule() -> None:
    shown = pypdfium2.PdfDocument(made("notulen", ledger()).content)[0].render(scale=6, grayscale=True)
    pixels, beside_the_words = bytes(shown.buffer), shown.width * 4 // 5
    column = (pixels[y * shown.stride + beside_the_words] for y in range(shown.height // 5))
    thick, thin = (len(run) for run in "".join("x" if grey < DARK else " " for grey in column).split())
    assert thick > 2 * thin


def test_those_who_sign_beside_each_other_sign_on_one_line_as_the_parties_they_are() -> None:
    entries = ledger()
    *_, last = pypdfium2.PdfDocument(made("berita-acara-serah-terima", entries).content)
    page = last.get_textpage()
    text = page.get_text_range()
    head = ORGANISATION.holders("kepala-pustikom", MOMENT.date())[0].name
    first, second = (page.get_charbox(text.rindex(name)) for name in (head, "Prof. Dr. Ratna Kusumawati"))
    assert first[1] == pytest.approx(second[1], abs=0.5)
    assert first[0] < second[0]
    assert "Pihak Pertama," in text
    assert "Pihak Kedua," in text
