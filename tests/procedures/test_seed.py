"""The shipped procedure against the document as issued, cell by cell.

The exported table's columns shift from page to page, so a row is read as its filled cells in order: number, uraian, kelengkapan, waktu,
keluaran, keterangan.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.procedure.definition import Procedure, Source

STEPS = range(1, 32)


@pytest.fixture(scope="module")
def issued(shared: Path) -> str:
    return (shared / "seed" / "pos-pengaduan-masalah-teknis-si.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(issued: str) -> dict[int, list[str]]:
    """Step number -> its filled cells after the number, the flowchart's mark left out."""
    split = [line.split("\t") for line in issued.splitlines()]
    return {int(row[0]): [cell for cell in row[1:] if cell.strip() not in ("", "□")] for row in split if row[0].isdecimal()}


def words(cell: str) -> str:
    """A cell's text as Markdown: italics as asterisks, links as their address, spaces single."""
    cell = re.sub(r"<a [^>]*>|</a>|</?b>", "", cell)
    return " ".join(re.sub(r"</?i>", "*", cell).split())


def items(cell: str) -> tuple[str, ...]:
    """A cell's items: of an HTML list, of "1. ... 2. ...", of "- ... - ...", or the one it is."""
    if "<li>" in cell:
        return tuple(re.sub(r"^\d+\. ", "", words(item)) for item in re.findall("<li>(.*?)</li>", cell))
    text = words(cell)
    if text.startswith("1. "):
        return tuple(numbered(text))
    if text.startswith("- "):
        return tuple(text.removeprefix("- ").split(" - "))
    return (text,)


def numbered(text: str) -> Iterator[str]:
    """The items of "1. ... 2. ...": each number is looked for after the one before, so that other numbers do not count."""
    rest, number = text.removeprefix("1. "), 2
    while rest:
        item, _, rest = rest.partition(f" {number}. ")
        yield item
        number += 1


def between(issued: str, start: str, end: str) -> str:
    return issued.split(start, 1)[1].split(end, 1)[0]


def test_the_document_has_the_31_steps(rows: dict[int, list[str]], pos: Procedure) -> None:
    assert sorted(rows) == list(STEPS) == [step.number for step in pos.steps]


@pytest.mark.parametrize("number", STEPS)
def test_a_step_is_word_for_word_as_issued(number: int, rows: dict[int, list[str]], pos: Procedure) -> None:
    step = pos.step(number)
    text, *cells = rows[number]
    assert step.text == words(text)
    if number == 1:
        assert cells == []
        assert (step.requirements, step.standard, step.outputs, step.remark) == ((), None, (), "")
        return
    kelengkapan, waktu, keluaran, *keterangan = cells
    assert tuple(requirement.text for requirement in step.requirements) == items(kelengkapan)
    assert [requirement.id for requirement in step.requirements] == [f"{number}.{n + 1}" for n in range(len(step.requirements))]
    assert step.standard is not None
    assert step.standard.text == words(waktu)
    assert step.outputs == items(keluaran)
    assert step.remark == words("".join(keterangan))


def test_only_the_steps_the_document_marks_say_so(issued: str, pos: Procedure) -> None:
    columns = {
        index: " ".join(name.split())
        for line in issued.splitlines()
        if line.startswith("\t\tPIMPINAN UNIT KERJA")
        for index, name in enumerate(line.split("\t"))
    }
    table = [line.split("\t") for line in issued.splitlines()]
    marked = {int(row[0]): columns[row.index("□")] for row in table if row[0].isdecimal() and "□" in row}

    assert marked == {step.number: pos.role(step.performer or "").name.upper() for step in pos.steps if step.source is Source.MARK}


@pytest.mark.parametrize(
    ("field", "label"),
    [
        ("number", "NOMOR POS"),
        ("name", "NAMA POS"),
        ("created", "TGL. PEMBUATAN"),
        ("revised", "TGL. REVISI"),
        ("revision", "REVISI KE"),
        ("effective", "TGL. EFEKTIF"),
    ],
)
def test_a_line_of_the_head(field: str, label: str, issued: str, pos: Procedure) -> None:
    (value,) = re.findall(rf"(?m)^{re.escape(label)}\t: (.*)$", issued)

    assert getattr(pos.head, field) == value


def test_who_approved_it(issued: str, pos: Procedure) -> None:
    (value,) = re.findall(r"(?m)^DISAHKAN OLEH\t: (.*)$", issued)

    assert " ".join(pos.head.approved_by) == " ".join(value.split())


def test_the_legal_basis_and_the_qualifications(issued: str, pos: Procedure) -> None:
    basis = re.findall(r"(?m)^\d+\. (.*)$", between(issued, "**DASAR HUKUM :**", "**KUALIFIKASI"))
    ninth = re.findall(r"(?m)^9\. (.*)$", issued)
    qualifications = re.findall(r"(?m)^\d+\. (.*)$", between(issued, "**KUALIFIKASI PELAKSANA :**", "\n9. "))

    assert pos.head.legal_basis == tuple(words(law) for law in [*basis, *ninth])
    assert pos.head.qualifications == tuple(words(one) for one in qualifications)
    assert (len(pos.head.legal_basis), len(pos.head.qualifications)) == (9, 7)


@pytest.mark.parametrize(("field", "label", "count"), [("related", "KETERKAITAN", 18), ("equipment", "PERALATAN PERLENGKAPAN", 6)])
def test_a_list_of_the_head(field: str, label: str, count: int, issued: str, pos: Procedure) -> None:
    (cell,) = re.findall(rf"<b>{label} :</b>([^\t\n]*)", issued)

    assert getattr(pos.head, field) == items(cell)
    assert len(items(cell)) == count


@pytest.mark.parametrize(("field", "label"), [("warning", "PERINGATAN"), ("recording", "PENCATATAN DAN PENDATAAN")])
def test_a_text_of_the_head(field: str, label: str, issued: str, pos: Procedure) -> None:
    (cell,) = re.findall(rf"<b>{label} :</b>([^\t\n]*)", issued)

    assert getattr(pos.head, field) == words(cell)
