"""What a paper says of where it can be verified: in words, as a code that is that address, and to whoever cannot see it."""

import ctypes
import re

import pypdfium2
import pytest
import segno
from pypdfium2 import raw

from integration.procedure.definition import DocumentType
from sync import paper
from tests.papers.test_papers import ADDRESS, MADE, MOMENT, ledger, made, words

INCH = 72  # points
DOTS = 600  # an inch
DARK = 128
SHEET = paper.Sheet((), (), "Uji", "", "", (), "", proof=ADDRESS)


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.slug)
def test_every_paper_says_where_it_can_be_verified_and_calls_that_no_signature(kind: DocumentType) -> None:
    text = words(made(kind.slug, ledger()).content)

    assert f"Keaslian dokumen ini dapat diperiksa pada {ADDRESS}" in text
    assert "elektronik" not in text.lower()


@pytest.mark.parametrize("text", ["isi", "isi\n\n" * 200])
def test_the_code_is_the_address_on_the_first_page_alone(text: str) -> None:
    first, *others = pypdfium2.PdfDocument(paper.render(text, SHEET, MOMENT))

    assert code(first, len(matrix(ADDRESS))) == matrix(ADDRESS)
    assert all("Keaslian" not in page.get_textpage().get_text_bounded() for page in others)
    assert (len(others) > 1) == (text != "isi")


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8080/dokumen/" + "a" * 26, "https://" + "alur." * 30 + "example/dokumen/" + "z" * 26]
)
def test_a_short_and_a_long_address_fit(address: str) -> None:
    (page,) = pypdfium2.PdfDocument(paper.render("isi", paper.Sheet((), (), "Uji", "", "", (), "", proof=address), MOMENT))

    assert code(page, len(matrix(address))) == matrix(address)
    assert address in re.sub(r"\s", "", page.get_textpage().get_text_bounded())


def test_whoever_cannot_see_the_code_is_told_what_it_is() -> None:
    (page,) = pypdfium2.PdfDocument(paper.render("isi", SHEET, MOMENT))

    assert f"Kode QR menuju {ADDRESS}" in alternatives(page)


def test_a_sheet_that_cannot_be_verified_has_no_code() -> None:
    (page,) = pypdfium2.PdfDocument(paper.render("isi", paper.Sheet((), (), "Uji", "", "", (), ""), MOMENT))

    assert "Keaslian" not in page.get_textpage().get_text_bounded()
    assert alternatives(page) == []


def matrix(address: str) -> list[list[bool]]:
    """The modules the code of this address must have: True where it is dark."""
    return [[bool(module) for module in row] for row in segno.make_qr(address, error="m").matrix]


def code(page: pypdfium2.PdfPage, size: int) -> list[list[bool]]:
    """What is printed at the foot of the page, looked at in the middle of each of so many modules."""
    shown = page.render(scale=DOTS / INCH, grayscale=True)
    pixels, row, centimetre = bytes(shown.buffer), shown.stride, DOTS / 2.54
    columns = range(int(2.7 * centimetre), int(4.6 * centimetre))
    rows = range(int(shown.height - 4.2 * centimetre), int(shown.height - 2.1 * centimetre))
    dark = [(x, y) for y in rows for x in columns if pixels[y * row + x] < DARK]
    left, top = min(x for x, _ in dark), min(y for _, y in dark)
    module = (max(x for x, _ in dark) + 1 - left) / size
    places = [int((n + 0.5) * module) for n in range(size)]
    return [[pixels[(top + y) * row + left + x] < DARK for x in places] for y in places]


def alternatives(page: pypdfium2.PdfPage) -> list[str]:
    """The texts that stand in for what is drawn on the page."""
    tree = raw.FPDF_StructTree_GetForPage(page.raw)
    roots = [raw.FPDF_StructTree_GetChildAtIndex(tree, n) for n in range(raw.FPDF_StructTree_CountChildren(tree))]
    found = [text for root in roots for text in below(root)]
    raw.FPDF_StructTree_Close(tree)
    return found


def below(element: object) -> list[str]:
    length = raw.FPDF_StructElement_GetAltText(element, None, 0)
    space = ctypes.create_string_buffer(length)
    raw.FPDF_StructElement_GetAltText(element, space, length)
    own = space.raw.decode("utf-16-le").rstrip("\0")
    children = [raw.FPDF_StructElement_GetChildAtIndex(element, n) for n in range(raw.FPDF_StructElement_CountChildren(element))]
    return [*([own] if own else []), *(text for child in children if child for text in below(child))]
