"""How papers are built, for archives and for readers of the screen; looked at with pikepdf, for veraPDF needs a Java nobody has here.

Typst checks PDF/A-2a and PDF/UA-1 itself and draws nothing that breaks them; here it is seen that what they rest on is there.
"""

import io

import pikepdf
import pytest

from integration.procedure.definition import DocumentType
from tests.papers.test_papers import MADE, ledger, made

A4 = [0, 0, 595.276, 841.89]  # points


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.slug)
def test_every_paper_is_tagged_dated_and_carries_its_fonts(kind: DocumentType) -> None:
    with pikepdf.open(io.BytesIO(made(kind.slug, ledger()).content)) as pdf:
        assert not pdf.check_pdf_syntax()
        said = pdf.open_metadata()
        assert (said["pdfaid:part"], said["pdfaid:conformance"], said["pdfuaid:part"]) == ("2", "A", "1")
        assert said["dc:title"] == kind.title
        assert said["xmp:CreateDate"].startswith("2026-06-0")
        assert pdf.Root.Lang == "id"
        assert pdf.Root.MarkInfo.Marked
        assert {"/H1", "/P"} <= tags(pdf.Root.StructTreeRoot)
        assert "/JavaScript" not in pdf.Root.get("/Names", {})
        fonts = [font for page in pdf.pages for font in page.resources.get("/Font", {}).values()]
        assert fonts
        assert all(embedded(font) for font in fonts)
        assert all([float(edge) for edge in page.mediabox] == pytest.approx(A4, abs=0.01) for page in pdf.pages)


def embedded(font: pikepdf.Object) -> bool:
    """Whether the shapes of its letters lie in the document."""
    described = font.get("/DescendantFonts", [font])[0].FontDescriptor
    return any(name in described for name in ("/FontFile", "/FontFile2", "/FontFile3"))


def tags(node: pikepdf.Object) -> set[str]:
    """What the parts of a document are said to be."""
    if not isinstance(node, pikepdf.Dictionary):
        return set()
    below = node.get("/K", [])
    children = list(below) if isinstance(below, pikepdf.Array) else [below]
    return {str(node.get("/S", ""))}.union(*(tags(child) for child in children))
