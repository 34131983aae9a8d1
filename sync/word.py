"""A document as DOCX, for whoever must edit it by hand: the same text and the same parts as the PDF, in Word's own styles.

It is no document of record: only the PDF is numbered, kept by its hash and verified.
"""

import io
from collections.abc import Iterable, Mapping
from typing import Any

from docx import Document
from docx.document import Document as DocxDocument
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Cm, Pt
from docx.table import Table
from docx.text.paragraph import Paragraph

from sync.paper import Sheet, Signature, tree

A4 = (Cm(21), Cm(29.7))
LABELS = (Cm(4.4), Cm(0.5))
ROOM = 3  # empty lines to sign in


def render(text: str, sheet: Sheet) -> bytes:
    """The DOCX (A4) of Markdown `text` on `sheet`; charts and emblem are left out."""
    document = Document()
    _page(document, sheet)
    for line in sheet.letterhead:
        _centred(document, line, bold=line == sheet.letterhead[-1], size=12)
    for line in sheet.address:
        _centred(document, line, size=9)
    document.add_paragraph("_" * 78).alignment = WD_ALIGN_PARAGRAPH.CENTER
    _centred(document, sheet.title.upper(), bold=True, size=13)
    if sheet.number:
        _centred(document, f"Nomor: {sheet.number}", size=11)
    _blocks(document, tree(text))
    if sheet.signatures:
        _signed(document, sheet)
    if sheet.witnesses:
        document.add_paragraph("Saksi-saksi:")
        for number, witness in enumerate(sheet.witnesses, 1):
            document.add_paragraph(f"{number}. {witness.name}, {witness.capacity} ............................")
    if sheet.copies:
        document.add_paragraph("Tembusan:")
        for number, copy in enumerate(sheet.copies, 1):
            document.add_paragraph(f"{number}. {copy}")
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _page(document: DocxDocument, sheet: Sheet) -> None:
    section = document.sections[0]
    width, height = reversed(A4) if sheet.landscape else A4
    section.page_width, section.page_height = width, height
    section.orientation = WD_ORIENT.LANDSCAPE if sheet.landscape else WD_ORIENT.PORTRAIT
    section.left_margin, section.right_margin, section.top_margin, section.bottom_margin = Cm(2.8), Cm(2.2), Cm(1.8), Cm(2.2)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = sheet.font, Pt(11)
    section.footer.paragraphs[0].text = sheet.reference


def _centred(document: DocxDocument, text: str, *, size: int, bold: bool = False) -> None:
    paragraph = document.add_paragraph()
    paragraph.alignment, paragraph.paragraph_format.space_after = WD_ALIGN_PARAGRAPH.CENTER, Pt(0)
    run = paragraph.add_run(text)
    run.bold, run.font.size = bold, Pt(size)


def _blocks(where: DocxDocument, nodes: Iterable[object]) -> None:
    """The blocks of a document, one after the other."""
    for node in nodes:
        match node:
            case {"t": "table", "head": head, "cells": cells}:
                _table(where, head, cells)
            case {"t": "ul" | "ol" as kind, "c": items}:
                for item in items:
                    if isinstance(item, Mapping):
                        _runs(where.add_paragraph(style="List Bullet" if kind == "ul" else "List Number"), item["c"])
            case {"t": "blockquote" | "pre", "c": inside}:
                _blocks(where, inside)
            case {"t": str() as tag, "c": inside} if tag[:1] == "h" and tag[1:].isdigit():
                _runs(where.add_paragraph(style=f"Heading {tag[1:]}"), inside)
            case {"c": inside}:
                _runs(where.add_paragraph(), inside)
            case str() if node.strip():
                where.add_paragraph(node)


def _runs(paragraph: Paragraph, inside: Iterable[object], *, bold: bool = False, italic: bool = False) -> None:
    """Text with what is said strongly, in italics, or on a new line."""
    for part in inside:
        match part:
            case str():
                run = paragraph.add_run(part.replace("\u200b", ""))
                run.bold, run.italic = bold or None, italic or None
            case {"t": "br"}:
                paragraph.add_run().add_break()
            case {"t": tag, "c": children}:
                _runs(paragraph, children, bold=bold or tag == "strong", italic=italic or tag == "em")


def _table(where: DocxDocument, head: list[Any], cells: list[Any]) -> None:
    """A table; one without words in its head is a list of labels."""
    if any(cell != "" for cell in head):
        rows = [head, *(cells[at : at + len(head)] for at in range(0, len(cells), len(head)))]
        _filled(where.add_table(len(rows), len(head)), rows, headed=True).style = "Table Grid"
        return
    labels = [[label, ":" if label else "", value] for label, value in zip(cells[::2], cells[1::2], strict=True)]
    table = _filled(where.add_table(len(labels), len(LABELS) + 1), labels)
    for row in table.rows:
        for cell, width in zip(row.cells, LABELS, strict=False):
            cell.width = width


def _filled(table: Table, rows: list[list[Any]], *, headed: bool = False) -> Table:
    for number, (row, said) in enumerate(zip(table.rows, rows, strict=True)):
        for cell, content in zip(row.cells, said, strict=True):
            _runs(cell.paragraphs[0], [content] if isinstance(content, str) else content["c"], bold=headed and number == 0)
    return table


def _signed(document: DocxDocument, sheet: Sheet) -> None:
    """Place and day, and who signs: beside each other where there are two."""
    table = document.add_table(2, 2)
    table.rows[0].cells[1].text = sheet.place_date
    signatures = sheet.signatures if len(sheet.signatures) > 1 else (None, *sheet.signatures)
    parties = ("Pihak Pertama,\n", "Pihak Kedua,\n") if len(sheet.signatures) > 1 else ("", "")
    for cell, party, signature in zip(table.rows[1].cells, parties, signatures, strict=False):
        if signature:
            cell.text = party + _block(signature)


def _block(signature: Signature) -> str:
    nip = f"\nNIP {signature.nip}" if signature.nip else ""
    return f"{signature.capacity},{chr(10) * (ROOM + 1)}{signature.name}{nip}"
