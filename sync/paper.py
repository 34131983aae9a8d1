"""Markdown to a printable PDF, or to a page of HTML for mail: the text travels as data, never as markup.

A document's Markdown is read into a small tree, the tree goes to Typst as JSON, and one layout file draws it. What a user wrote can
therefore never become a Typst command, and the renderer reaches neither network nor files. Same text, head and moment: same bytes.
"""

import io
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from html import escape, unescape
from xml.etree.ElementTree import Element

import markdown
import segno
import typst
from markdown.inlinepatterns import SubstituteTagInlineProcessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

from integration.faults import Failure, Permanent
from integration.procedure.offices import OUR_FONT
from integration.templates import TEMPLATES

LAYOUT = TEMPLATES / "documents" / "layout.typ"
PAGE = TEMPLATES / "pages" / "surel.html"
BREAK = "\u2028"  # how a template ends a line within a cell; what people wrote never holds one
CHART = "grafik:"  # how a template refers to a chart of its sheet: ![](grafik:langkah); anything else that is an image is left out

# Markdown beyond this is refused: it holds a week with 10,000 open cases, and rendering time grows with it.
LARGEST_TEXT = 4 * 1024 * 1024
MOST_ROWS = 20_000  # paragraphs, and lines in them: some 500 pages, drawn in about ten seconds

Node = dict[str, object]


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature block: `capacity` above ("Plh. Kepala Pustikom"), name and NIP below."""

    capacity: str
    name: str
    nip: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands around a document's text: head, title, number, signatures."""

    letterhead: tuple[str, ...]  # lines; the last is the unit, drawn bold
    address: tuple[str, ...]
    title: str
    number: str  # "": an unnumbered paper
    place_date: str
    signatures: tuple[Signature, ...]
    reference: str  # printed in the footer: ticket and document id
    proof: str = ""  # the address where the paper can be verified, printed and as a QR code; "": nowhere
    landscape: bool = False
    emblem: str = ""  # SVG left of the letterhead; "": an empty place
    witnesses: tuple[Signature, ...] = ()
    copies: tuple[str, ...] = ()  # who else gets it
    font: str = OUR_FONT
    fonts: str = ""  # a folder of further fonts
    charts: Mapping[str, str] = field(default_factory=dict)  # SVG by the name the text refers to it under


def render(text: str, sheet: Sheet, moment: datetime) -> bytes:
    """The PDF (PDF/A-2a for archives, PDF/UA-1 for readers of the screen, A4) of Markdown `text` on `sheet`, dated `moment` (aware).

    Raises Permanent where the text is longer than LARGEST_TEXT, has more rows than MOST_ROWS, or cannot be drawn.
    """
    _measured(text)
    data = json.dumps({"sheet": asdict(sheet), "body": tree(text), "code": _code(sheet.proof) if sheet.proof else ""}, ensure_ascii=False)
    stamp = moment.astimezone(UTC).replace(microsecond=0)
    try:
        with _drawing:  # one Compiler is not made for two threads at once
            pdf = _compiler(sheet.fonts).compile(format="pdf", sys_inputs={"data": data}, pdf_standards=["a-2a", "ua-1"], timestamp=stamp)
    except typst.TypstError as fault:
        raise Permanent(f"document cannot be drawn: {fault}", Failure.TEMPLATE) from fault
    if not isinstance(pdf, bytes):
        raise Permanent("the renderer gave no single PDF", Failure.TEMPLATE)
    return pdf


def _code(address: str) -> str:
    """The QR code of an address as SVG: a seventh of it may be soiled or creased. The quiet zone around it is the layout's."""
    image = io.BytesIO()
    segno.make_qr(address, error="m").save(image, kind="svg", border=0, xmldecl=False)
    return image.getvalue().decode()


_drawing = threading.Lock()


@cache
def _compiler(folder: str) -> typst.Compiler:
    return typst.Compiler(str(LAYOUT), root=str(LAYOUT.parent), font_paths=_fonts(folder), ignore_system_fonts=True)


def _fonts(folder: str) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[folder] if folder else [])


def families(folder: str) -> list[str]:
    """The fonts a sheet can be set in: those that come inside the renderer, and those of this folder ("": of none)."""
    return _fonts(folder).families()


def tree(text: str) -> list[Node]:
    """The blocks of Markdown `text` as plain data: `{"t": tag, "c": [children or strings], ...}`. Raw HTML stays text."""
    return [_node(child) for child in _read(text, written=False)[1]]


def page(text: str, title: str) -> str:
    """Markdown `text` as a page of HTML that stands alone and loads nothing. Raises Permanent as `render`."""
    _measured(text)
    return PAGE.read_text(encoding="utf-8").replace("{title}", escape(title)).replace("{body}", _read(text)[0])


def _measured(text: str) -> None:
    if len(text) > LARGEST_TEXT:
        raise Permanent(f"document text of {len(text)} characters is over {LARGEST_TEXT}", Failure.TEMPLATE)
    rows = text.count("\n\n") + text.count("  \n")
    if rows > MOST_ROWS:
        raise Permanent(f"document of {rows} paragraphs and lines is over {MOST_ROWS}", Failure.TEMPLATE)


def _read(text: str, *, written: bool = True) -> tuple[str, Element]:
    """The text as HTML without images ("" where it is not to be `written`), and as the tree that was written from, with them."""
    reader = markdown.Markdown(extensions=["tables", "sane_lists"])
    reader.preprocessors.deregister("html_block")
    reader.parser.blockprocessors.deregister("setextheader")
    for pattern in ("html", "entity", "autolink", "automail"):
        reader.inlinePatterns.deregister(pattern)
    reader.inlinePatterns.register(SubstituteTagInlineProcessor(BREAK, "br"), "cell-break", 0)
    reader.treeprocessors.register(_Plain(reader), "plain", BEFORE_INLINE)
    kept = _Keep(reader)
    reader.treeprocessors.register(kept, "keep", -100)
    if not written:
        reader.serializer, reader.stripTopLevelTags = lambda _: "", False
    html = reader.convert(text)
    return IMAGE.sub("", html).translate(_SHOWN), Element("div") if kept.root is None else kept.root


IMAGE = re.compile(r"<img\b[^>]*>")


BEFORE_INLINE = 30  # the reader's own looks for inline markup with 20
_INLINE = re.compile(rf"[`\\\[*_{BREAK}]|  \n")


class _Plain(Treeprocessor):
    """Lets text without inline markup pass: in a long table nearly every cell, and to try each pattern on it is what reading costs."""

    def run(self, root: Element) -> None:
        for element in root.iter():
            if element.text and not _INLINE.search(element.text):
                element.text = AtomicString(element.text)
            if element.tail and not _INLINE.search(element.tail):
                element.tail = AtomicString(element.tail)


class _Keep(Treeprocessor):
    """Holds the finished element tree before it is written out as HTML."""

    root: Element | None = None

    def run(self, root: Element) -> None:
        self.root = root


_PRIVATE = 0xE000  # where Unicode gives characters no meaning
_MASKED = {ord(sign): _PRIVATE + ord(sign) for sign in "\\`*_{}[]()>#+-.!|"}
_SHOWN = {masked: chr(sign) for sign, masked in _MASKED.items()}
"""What Markdown reads as more than itself goes through its reader under another name: to escape each takes minutes in a long text."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ue000-\uf8ff\ufeff]")


def line(text: str) -> str:
    """Markdown that reads as exactly this text on one line; for table cells and sentences."""
    return _UNPRINTABLE.sub("", " ".join(text.split())).translate(_MASKED)


def prose(text: str) -> str:
    """Markdown that reads as exactly this text, its paragraphs and line breaks kept."""
    paragraphs = re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n").strip())
    return "\n\n".join("  \n".join(line(row) for row in paragraph.split("\n")) for paragraph in paragraphs)


def _node(element: Element) -> Node:
    if element.tag == "table":
        return _table(element)
    node: Node = {"t": element.tag, "c": list(_children(element))}
    if element.tag == "a":
        node["href"] = element.get("href", "").translate(_SHOWN)
    if element.tag == "ol":
        node["start"] = int(element.get("start", "1"))
    return node


def _table(element: Element) -> Node:
    """A table with its cells one after the other: Typst remembers every call of a function, and a cell of mere text needs none.

    `figures`: which columns are set to the right; `longest`: how many characters are in the longest cell of each.
    """
    head = list(element.iterfind("thead/tr/th"))
    rows = [list(row) for row in element.iterfind("tbody/tr")]
    breakable = _in_narrow if any(cell.text for cell in head) else _breakable  # without a head it is a list of labels
    return {
        "t": "table",
        "c": [],
        "head": [_cell(cell, breakable) for cell in head],
        "figures": ["right" in cell.get("style", "") for cell in head],
        "longest": [max(len("".join(cell.itertext())) for cell in column) for column in zip(head, *rows, strict=True)],
        "cells": [_cell(cell, breakable) for row in rows for cell in row],
    }


def _cell(cell: Element, breakable: Callable[[str], str]) -> str | Node:
    inside = list(_children(cell, breakable))
    if all(isinstance(part, str) for part in inside):
        return "".join(map(str, inside))
    return {"t": cell.tag, "c": inside}


_LONG = re.compile(r"\S{50}(?=\S)")
_LONG_IN_CELL = re.compile(r"[^\s/]{25,}")  # longer than any word of the language; after "/" a line may end anyway
_PIECE = re.compile(r".{8}(?=.)")


def _breakable(text: str) -> str:
    """The text with a place in every long word at which a line may end: what stood beside the page would be lost."""
    return _LONG.sub("\\g<0>\u200b", text.translate(_SHOWN))


def _in_narrow(text: str) -> str:
    """Likewise in a column, which may be as narrow as a date: what stood beside it would be printed over the next one."""
    return _LONG_IN_CELL.sub(lambda word: _PIECE.sub("\\g<0>\u200b", word[0]), text.translate(_SHOWN))


def _children(element: Element, breakable: Callable[[str], str] = _breakable) -> Iterator[str | Node]:
    if element.text:
        yield breakable(unescape(element.text) if element.tag == "code" else element.text.replace("\n", " "))
    for child in element:
        source = child.get("src", "")
        if child.tag != "img":  # a paper loads nothing from anywhere
            yield _node(child)
        elif source.startswith(CHART):
            yield {"t": "chart", "c": [], "name": source.removeprefix(CHART), "alt": child.get("alt", "")}
        if child.tail:
            yield breakable(child.tail.removeprefix("\n").replace("\n", " "))
