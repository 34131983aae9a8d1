"""The book of numbers as people know it: its series by title and code, and the CSV file that a book kept by hand is taken over from.

A file is taken over as a whole or not at all: each line that cannot be is told, with its line.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from integration.neutral import clean
from integration.procedure.definition import Procedure
from integration.procedure.offices import Numbering
from integration.store import NumberRow, Store, TakenOver
from integration.templates import messages
from integration.yamlfile import Faults, FileFaults
from sync.periods import Span

COLUMNS = ("nomor", "jenis", "tanggal", "perihal")
DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)  # as spreadsheets here write dates


def titles(procedures: Sequence[Procedure], numbering: Numbering) -> dict[str, str]:
    """The title of each series: numbered documents, reports, and by their own names those only the organisation file speaks of."""
    papers = {document.slug: document.title for procedure in procedures for document in procedure.documents if document.numbered}
    reports = {str(span): messages("report")[f"page_{span}"] for span in Span}
    return {name: name for name in (*numbering.types, *numbering.patterns)} | papers | reports


def series_named(name: str, known: Mapping[str, str], numbering: Numbering) -> str | None:
    """The series that is called so, or has this code; None: none of those `known`."""
    return next((series for series in known if name.casefold() in (series, numbering.code(series).casefold())), None)


def take_over(store: Store, path: Path, known: Mapping[str, str], numbering: Numbering, today: date) -> TakenOver:
    """Put the numbers of this file into the book. Raises FileFaults with every reason not to, OSError, StoreDown; then nothing was."""
    faults = Faults(path, messages("book"), {})
    rows = dict(_rows(path, known, numbering, today, faults))
    taken = TakenOver(0)
    if not faults and not rows:
        faults.add((), "nothing")
    elif not faults:
        lines = {row.place: line for line, row in rows.items()}
        taken = store.take_over(list(rows.values()))
        for row, there in taken.clashes:
            kind = "otherwise" if there.document is None else "given"
            faults.add(("nomor",), kind, line=lines[row.place], number=row.number, there=there)
    if faults:
        raise FileFaults(sorted(faults))
    return taken


def gaps(rows: Sequence[NumberRow]) -> Iterator[NumberRow | tuple[int, int]]:
    """The lines of one series and year, and between them what is missing, from a place to a place: a hand-kept book did not have it."""
    last = 0
    for row in rows:
        if row.seq > last + 1:
            yield last + 1, row.seq - 1
        yield row
        last = row.seq


def _rows(path: Path, known: Mapping[str, str], numbering: Numbering, today: date, faults: Faults) -> Iterator[tuple[int, NumberRow]]:
    """What each line says, those with faults left out."""
    first: dict[object, int] = {}
    for line, said in _lines(path, faults):
        series = series_named(said["jenis"], known, numbering)
        day = _day(said["tanggal"])
        if series is None:
            codes = ", ".join(sorted(map(numbering.code, known)))
            faults.add(("jenis",), "type", line=line, given=said["jenis"], known=codes)
        if day is None:
            faults.add(("tanggal",), "day", line=line, given=said["tanggal"])
        elif day > today:
            faults.add(("tanggal",), "later", line=line, given=said["tanggal"])
        if series is None or day is None:
            continue
        place = numbering.place(series, said["nomor"], day.year)
        if place is None:
            example = numbering.pattern(series, day).format(seq=1)
            faults.add(("nomor",), "number", line=line, given=said["nomor"], example=example)
            continue
        row = NumberRow(series, day.year, *place, said["nomor"], day=day, subject=said["perihal"])
        earlier = first.setdefault(row.place, line)
        if earlier != line:
            faults.add(("nomor",), "twice", line=line, number=row.number, earlier=earlier)
        yield line, row


def _lines(path: Path, faults: Faults) -> Iterator[tuple[int, dict[str, str]]]:
    """The cells of each line by column, with the line they begin on; empty lines are left out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        faults.add((), "encoding")
        return
    head = text.partition("\n")[0]
    cells = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in head else ",", strict=True)
    columns: list[str] = []
    line = 1
    try:
        for found in cells:
            row = [" ".join(clean(cell).split()) for cell in found]
            if not columns:
                columns = [cell.casefold() for cell in row]
                if sorted(columns) != sorted(COLUMNS):
                    faults.add((), "head")
                    return
            elif len(row) == len(columns):
                yield from [(line, dict(zip(columns, row, strict=True)))] if any(row) else []
            elif any(row):
                faults.add((), "cells", line=line, found=len(row), wanted=len(columns))
            line = cells.line_num + 1
    except csv.Error:
        faults.add((), "syntax", line=line)


def _day(text: str) -> date | None:
    found = DAY_FIRST.fullmatch(text)
    try:
        return date(*map(int, reversed(found.groups()))) if found else date.fromisoformat(text)
    except ValueError:
        return None
