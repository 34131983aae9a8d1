"""A procedure as a table and as a diagram."""

import re
from pathlib import Path

from integration.procedure.definition import Procedure
from integration.procedures import load
from integration.procedures.show import as_table, mermaid, table

EDGE = re.compile(r'    (?P<start>\w+) (?P<arrow>-->|-\.->)\|"(?P<word>[^"]+)"\| (?P<to>\w+)')


def edges(diagram: str) -> set[tuple[str, str, str, str]]:
    return {(found["start"], found["arrow"], found["word"], found["to"]) for found in map(EDGE.fullmatch, diagram.splitlines()) if found}


def test_the_table_has_a_row_per_step(pos: Procedure) -> None:
    headings, rows = table(pos)

    assert headings == ("No", "Langkah", "Pelaksana", "Waktu", "Hasil", "Bagian yang ditulis", "Dokumen")
    assert [row[0] for row in rows] == [str(step.number) for step in pos.steps]
    assert rows[0] == ("1", "Mulai", "dicatat oleh layanan", "", "", "", "")
    assert rows[4] == (
        "5",
        "Persetujuan Kepala Pustikom",
        "Kepala Pustikom (tersurat)",
        "1 Hari Kerja",
        "setuju → 6\nrevisi* → 2\ntolak* → ditolak",
        "",
        "Lembar Persetujuan Pengaduan",
    )
    assert rows[18][4:] == (
        "laporan progres → 20",
        "\n".join(part.title for part in (pos.duty.parts if pos.duty else ())),
        "Laporan Progres",
    )
    assert rows[23][2].endswith("juga: Koordinator Programmer, dengan Formulir Uji Coba yang Ditandatangani Unit Kerja")
    assert rows[29][6] == "Berita Acara Serah Terima (pihak pertama)"


def test_the_table_ends_with_the_office_above_each(pos: Procedure) -> None:
    text = as_table(pos)
    assert "Tim Programmer → Koordinator Programmer\n" in text
    assert "Pimpinan Unit Kerja → Kepala Divisi Layanan dan Pangkalan Data\n" in text
    assert "Kepala Pustikom → tidak ada\n" in text


def test_the_table_fits_a_terminal_of_120(pos: Procedure, tiny_path: Path) -> None:
    for procedure in (pos, load(tiny_path)):
        text = as_table(procedure)
        assert max(len(line) for line in text.splitlines()) <= 120
        assert text.startswith(f"{procedure.head.name}\n{procedure.head.number} · {procedure.slug}.{procedure.revision}\n")
        assert text.endswith("* = harus disertai alasan")
        for step in procedure.steps:
            assert re.search(rf"(?m)^{step.number} +{step.name.split()[0]}", text)


def test_the_diagram_shows_every_step_and_every_outcome(pos: Procedure) -> None:
    diagram = mermaid(pos)

    assert diagram.startswith("flowchart TD\n")
    for step in pos.steps:
        assert f'    s{step.number:02d}["{step.label_text}' in diagram
    expected = {
        (
            f"s{step.number:02d}",
            "-.->" if outcome.needs_reason else "-->",
            "laporan progres" if step.number == 19 else outcome.word,
            outcome.ending.value if outcome.ending else f"s{outcome.to:02d}",
        )
        for step in pos.steps
        for outcome in step.outcomes
    }
    assert edges(diagram) == expected
    assert {"    s01 --> s02", "    s02 --> s03", "    s03 --> s04", "    darurat{{darurat}} ==> s25"} <= set(diagram.splitlines())
    assert '    selesai(["selesai"])' in diagram
    assert "    class s02,s03,s24,s31 unit" in diagram


def test_the_diagram_of_a_procedure_without_rules_beside_the_table(tiny_path: Path) -> None:
    diagram = mermaid(load(tiny_path))

    assert edges(diagram) == {
        ("s02", "-->", "layak", "s03"),
        ("s02", "-.->", "revisi", "s01"),
        ("s03", "-->", "izinkan", "s04"),
        ("s03", "-.->", "ulang", "s02"),
        ("s03", "-.->", "larang", "ditolak"),
        ("s04", "-->", "serahkan", "selesai"),
    }
    assert "==>" not in diagram


def test_quotes_in_a_name_do_not_break_the_diagram(every_rule: str, tmp_path: Path) -> None:
    file = tmp_path / "quoted.yaml"
    file.write_text(every_rule.replace("    name: Akses", '    name: Akses "server"'), encoding="utf-8")

    assert 's07["07 Akses #quot;server#quot;<br/>Seksi"]' in mermaid(load(file))
