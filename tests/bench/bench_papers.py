"""What a paper costs: each kind once cold, in a process of its own, then warm; and the longest beside WeasyPrint, in the same run.

`make bench` runs it. WeasyPrint needs libraries of the system and is no dependency: ALUR_BENCH_WEASYPRINT names a Python that has it, and
without one that comparison is skipped. It draws the same text and table from the page of HTML that our reader makes.
"""

import json
import os
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from sync import documents, paper
from tests.papers.test_papers import MADE, ORGANISATION, PROCEDURE, WORDING, issued, ledger
from tests.stories.world import ROOT

WARM, COLD = 0.15, 0.3  # of WeasyPrint's time, at most
TIMES = 20
LONG = "Nilai tidak tersimpan ketika dua dosen menyimpan pada waktu yang sama. " * 20
MOMENT = datetime(2026, 6, 2, 3, tzinfo=UTC)
RESERVED = documents.Reserved("12/UN39.17/X/VI/2026", "https://alur.kampus.example/dokumen/abcdefghijklmnopqrstuvwx23")

MEASURED = """
import json, resource, sys, time
began = time.perf_counter()
{first}
pdf = draw()
cold = time.perf_counter() - began
times = []
for _ in range({times}):
    began = time.perf_counter()
    draw()
    times.append(time.perf_counter() - began)
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({{"cold": cold, "warm": sorted(times)[{times} // 2], "memory": most, "bytes": len(pdf)}}))
"""
"""A process of its own, from before it has loaded what draws; `first` gives `draw`, from what comes on standard input."""

OURS = """
import pickle
from sync import paper
text, sheet, moment = pickle.load(sys.stdin.buffer)
draw = lambda: paper.render(text, sheet, moment)
"""
THEIRS = """
import weasyprint
html = sys.stdin.buffer.read().decode()
draw = lambda: weasyprint.HTML(string=html).write_pdf()
"""


def composed(slug: str) -> documents.Composed:
    """The last paper of this kind of a case in which everywhere much was written."""
    entries = ledger(LONG)
    return documents.compose(issued(slug, entries)[-1], entries, PROCEDURE, ORGANISATION, RESERVED, WORDING)


def measured(python: str, first: str, given: bytes, times: int) -> dict[str, float]:
    """Seconds to the first paper, and for each further one (median); MiB at most; bytes."""
    source, environ = MEASURED.format(first=first, times=times), {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([python, "-c", source], input=given, check=True, capture_output=True, cwd=ROOT, env=environ)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def ours(made: documents.Composed) -> dict[str, float]:
    return measured(sys.executable, OURS, pickle.dumps((made.text, made.sheet, MOMENT)), TIMES)


def test_what_each_paper_costs() -> None:
    table = Table(title="One paper, everywhere 20 sentences written")
    for column in ("paper", "cold, ms", "warm, ms", "a core a second", "most, MiB", "KiB"):
        table.add_column(column, justify="right")
    for kind in MADE:
        told = ours(composed(kind.slug))
        figures = f"{1000 * told['cold']:.0f}", f"{1000 * told['warm']:.0f}", f"{1 / told['warm']:.0f}", f"{told['memory']:.0f}"
        table.add_row(kind.slug, *figures, f"{told['bytes'] / 1024:.0f}")
    Console(width=100).print(table)


def test_it_is_drawn_faster_than_by_weasyprint() -> None:
    python = os.environ.get("ALUR_BENCH_WEASYPRINT")
    if not python or not Path(python).exists():
        pytest.skip("ALUR_BENCH_WEASYPRINT names no Python with WeasyPrint")
    made = composed("laporan-verifikasi")
    told = ours(made)
    theirs = measured(python, THEIRS, paper.page(made.text, made.sheet.title).encode(), TIMES // 4)
    table = Table(title="The longest paper, beside WeasyPrint")
    for column in ("", "cold, ms", "warm, ms", "KiB"):
        table.add_column(column, justify="right")
    for name, figures in (("Typst", told), ("WeasyPrint", theirs)):
        table.add_row(name, f"{1000 * figures['cold']:.0f}", f"{1000 * figures['warm']:.0f}", f"{figures['bytes'] / 1024:.0f}")
    table.add_row("ratio", f"{told['cold'] / theirs['cold']:.2f}", f"{told['warm'] / theirs['warm']:.2f}", "")
    Console(width=100).print(table)
    assert told["warm"] <= WARM * theirs["warm"]
    assert told["cold"] <= COLD * theirs["cold"]
