"""A paper as DOCX says what the PDF says, in Word's own parts."""

import io

import pytest
from docx import Document

from integration.procedure.definition import DocumentType
from sync import documents, word
from tests.papers.test_papers import HOSTILE, MADE, ORGANISATION, PROCEDURE, WORDING, issued, ledger


def opened(slug: str, text: str = "Telah diperiksa.") -> list[str]:
    """The words of a paper's DOCX, paragraph by paragraph, those in tables as well."""
    entries = ledger(text)
    composed = documents.compose(
        issued(slug, entries)[-1], entries, PROCEDURE, ORGANISATION, documents.Reserved("12/UN39.17/X/VI/2026", ""), WORDING
    )
    document = Document(io.BytesIO(word.render(composed.text, composed.sheet)))
    cells = [cell for table in document.tables for row in table.rows for cell in row.cells]
    return [paragraph.text for paragraph in (*document.paragraphs, *(p for cell in cells for p in cell.paragraphs))]


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.slug)
def test_every_paper_names_itself_its_number_and_its_case(kind: DocumentType) -> None:
    said = opened(kind.slug)
    assert kind.title.upper() in said
    assert "Nomor: 12/UN39.17/X/VI/2026" in said
    assert any("SI-2026-000001" in line for line in said)
    assert any(line.startswith("Jakarta, ") for line in said)


def test_what_strangers_wrote_stands_there_as_they_wrote_it() -> None:
    said = "\n".join(opened("laporan-perbaikan", HOSTILE))
    assert '#let x = 1 *tebal* <b>html</b> ![](http://x/y.png) $1$ @all | & "kutip" \\ `kode`' in said


def test_the_letter_of_assignment_has_its_table_its_tasks_and_its_copies() -> None:
    said = opened("surat-tugas")
    names = [programmer.name for programmer in ORGANISATION.programmers[:3]]
    assert [line for line in said if line in names] == names
    assert "melaporkan perkembangan pekerjaan setiap minggu sampai dengan serah terima;" in said
    assert "Tembusan:" in said


def test_the_handover_is_signed_by_both_before_witnesses() -> None:
    said = opened("berita-acara-serah-terima")
    assert any("Dekan Fakultas Teknik," in line and "Ratna Kusumawati" in line for line in said)
    assert "Saksi-saksi:" in said
