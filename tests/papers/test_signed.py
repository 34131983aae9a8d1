"""A paper that was signed elsewhere: that its signatures hold, and that it still shows what was issued, whatever was appended to it."""

import io
import re
from collections.abc import Callable

import pytest
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, NumberObject, StreamObject, TextStringObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import PageObject
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.validation import DocumentSecurityStore

from integration.procedure.facts import Finding
from sandbox.certificates import Authority, sign
from sync import paper
from sync.pdf_signatures import LONGEST_NAME, look
from tests.papers.test_papers import ADDRESS, MOMENT

AUTHORITY = Authority()
RATNA, DEAN = AUTHORITY.signer("Ratna Wulandari"), AUTHORITY.signer("Dekan")
SHEET = paper.Sheet(("UNJ",), (), "Surat Tugas", "1/ST", "Jakarta", (paper.Signature("Kepala", "Ratna"),), "r", proof=ADDRESS)
ISSUED = paper.render("Menugaskan Budi\n\n" * 60, SHEET, MOMENT)
ONE = sign(ISSUED, RATNA, "Kepala")
TWO = sign(ONE, DEAN, "Dekan")
SOUND, BROKEN, CHANGED = Finding.SOUND, Finding.SIGNATURE_BROKEN, Finding.CONTENT_CHANGED

Change = Callable[[IncrementalPdfFileWriter], None]


def with_change(pdf: bytes, change: Change) -> bytes:
    """The PDF with something appended to it: not a byte of what was there is changed."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(pdf)
    return out.getvalue()


def other_words(writer: IncrementalPdfFileWriter) -> None:
    page = writer.find_page_for_modification(0)[0].get_object()
    page["/Contents"] = writer.add_object(StreamObject(stream_data=b"BT /F1 12 Tf (Menugaskan Sari) Tj ET"))
    writer.update_container(page)


def another_page(writer: IncrementalPdfFileWriter) -> None:
    writer.insert_page(PageObject(contents=writer.add_object(StreamObject(stream_data=b"")), media_box=(0, 0, 500, 500)))


def annotation(kind: str) -> Change:
    def added(writer: IncrementalPdfFileWriter) -> None:
        box = ArrayObject([NumberObject(n) for n in (0, 0, 500, 500)])
        said = {"/Type": pdf_name("/Annot"), "/Subtype": pdf_name(kind), "/Rect": box, "/Contents": TextStringObject("Batal")}
        one = writer.add_object(DictionaryObject({pdf_name(name): value for name, value in said.items()}))
        writer.register_annotation(writer.find_page_for_modification(0)[0], one)

    return added


def a_script(writer: IncrementalPdfFileWriter) -> None:
    action = DictionaryObject({pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): TextStringObject("app.alert(1)")})
    writer.root["/OpenAction"] = writer.add_object(action)
    writer.update_root()


def a_field(writer: IncrementalPdfFileWriter) -> None:
    field = DictionaryObject({pdf_name("/FT"): pdf_name("/Tx"), pdf_name("/T"): TextStringObject("nama")})
    writer.root["/AcroForm"] = DictionaryObject({pdf_name("/Fields"): ArrayObject([writer.add_object(field)])})
    writer.update_root()


def another_title(writer: IncrementalPdfFileWriter) -> None:
    writer.set_info(DictionaryObject({pdf_name("/Producer"): TextStringObject("Peralatan Tanda Tangan")}))


def test_a_signed_paper_says_whom_its_newest_certificate_names() -> None:
    assert look(ONE, 1) == (SOUND, "Ratna Wulandari")
    assert look(TWO, 1) == look(TWO, 2) == (SOUND, "Dekan")
    assert look(sign(ISSUED, AUTHORITY.signer("N" * 64), "x"), 1) == (SOUND, ("N" * 64)[:LONGEST_NAME])


def test_a_signature_may_be_seen() -> None:
    assert look(sign(ISSUED, RATNA, "Kepala", visible=True), 1) == (SOUND, "Ratna Wulandari")
    assert look(sign(sign(ISSUED, RATNA, "Kepala", visible=True), DEAN, "Dekan", visible=True), 2) == (SOUND, "Dekan")


def test_one_signature_fewer_than_there_must_be_is_unsigned() -> None:
    assert look(ISSUED, 1) == (Finding.UNSIGNED, "")
    assert look(ONE, 2) == (Finding.UNSIGNED, "")


@pytest.mark.parametrize("change", [other_words, another_page, annotation("/FreeText"), annotation("/Stamp"), a_script, a_field])
def test_what_shows_something_else_is_found_whether_it_was_changed_before_or_after_signing(change: Change) -> None:
    assert look(sign(with_change(ISSUED, change), RATNA, "Kepala"), 1) == (CHANGED, "")
    assert look(with_change(ONE, change), 1)[0] in (CHANGED, BROKEN)
    assert look(sign(with_change(ONE, change), DEAN, "Dekan"), 2)[0] in (CHANGED, BROKEN)


def test_who_made_the_file_may_be_said_anew() -> None:
    assert look(sign(with_change(ISSUED, another_title), RATNA, "Kepala"), 1)[0] is SOUND


def test_what_proves_a_signature_for_longer_may_come_after_it() -> None:
    lasting = io.BytesIO(ONE)
    DocumentSecurityStore.add_dss(lasting, sig_contents=None, certs=[RATNA.signing_cert])
    assert lasting.getvalue().startswith(ONE)
    assert len(lasting.getvalue()) > len(ONE)
    assert look(lasting.getvalue(), 1) == (SOUND, "Ratna Wulandari")


@pytest.mark.parametrize("behind", [b"\n1 0 obj\n<<>>\nendobj\n", b"\nstartxref\n0\n%%EOF\n"])
def test_nothing_stands_behind_the_end(behind: bytes) -> None:
    lasting = io.BytesIO(ONE)
    DocumentSecurityStore.add_dss(lasting, sig_contents=None, certs=[RATNA.signing_cert])
    for signed in (ONE, lasting.getvalue()):
        assert look(signed + behind, 1)[0] is not SOUND


def test_a_changed_signature_is_broken() -> None:
    end = container().end(1) - 20  # within the signature itself, which stands last
    assert look(ONE[:end] + bytes([ONE[end] ^ 1]) + ONE[end + 1 :], 1) == (BROKEN, "")


def test_a_weak_digest_is_no_proof() -> None:
    weak = PdfSigner(PdfSignatureMetadata(field_name="Kepala", md_algorithm="sha1"), signer=RATNA)
    assert look(weak.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(ISSUED))).getvalue(), 1) == (BROKEN, "")


@pytest.mark.parametrize("junk", [b"", b"%PDF-1.7", b"%PDF-1.7\n%%EOF", ONE[:-200], ONE[: len(ISSUED) + 40], b"\x00" * 1000])
def test_what_is_no_pdf_is_said_to_be_none_and_stops_nobody(junk: bytes) -> None:
    assert look(junk, 1)[0] in (Finding.NO_PDF, Finding.UNSIGNED, BROKEN)


def container() -> re.Match[bytes]:
    """Where the signature stands: all else of the file is covered by it."""
    found = re.search(rb"/Contents ?<([0-9a-fA-F]+?)0*>", ONE)
    assert found
    return found


@pytest.mark.parametrize("at", range(0, 4_000, 157))
def test_no_byte_that_was_appended_beside_it_can_be_changed(at: int) -> None:
    first, last = container().span()
    beside = [place for place in range(len(ISSUED), len(ONE)) if not first + 10 < place < last]
    meddled = bytearray(ONE)
    meddled[beside[at % len(beside)]] ^= 1
    assert look(bytes(meddled), 1)[0] is not SOUND
