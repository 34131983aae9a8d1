"""What the weekly report costs as open cases grow: 1,000 of them and 10,000, each in a process of its own, on SQLite.

`make bench` runs it. Measured is all of it, from the ledgers to the last byte kept: page, PDF, CSV and both texts of the mail. With 1,000
cases it may take SECONDS and MEMORY; with ten times as many a case may take at most GROWTH times as long: it grows with them, no faster.
Times are the processor's, so that what else the machine does is not in them; of the few cases the best of TIMES, for a shared machine is
slower at one moment than at another by a third.
ALUR_BENCH_OPEN says another number than 10,000. The cases are copies (crowd.py).
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from tests.bench.crowd import fill, kinds
from tests.stories.world import ROOT

FEW, MANY = 1000, int(os.environ.get("ALUR_BENCH_OPEN", "10000"))
SECONDS, MEMORY = 5.0, 300  # MiB
TIMES = 3
GROWTH = 1.3  # times as long for each case

Figures = dict[str, float]
"""Seconds to read the ledgers and to issue the report, reading included; the most memory in MiB, and before; bytes of the PDF."""


@pytest.mark.timeout(1200)
def test_it_grows_with_the_open_cases(tmp_path: Path) -> None:
    templates, found = kinds(tmp_path), dict[int, Figures]()
    for amount, times in ((FEW, TIMES), (MANY, 1)):
        base = tmp_path / f"{amount}.db"
        fill(f"sqlite:///{base}", templates, 0, amount)
        copies = [shutil.copy(base, tmp_path / f"{amount}-{time}.db") for time in range(times)]  # a report is issued once
        found[amount] = min((told(f"sqlite:///{copy}", tmp_path / f"var-{copy.stem}") for copy in copies), key=lambda told: told["issued"])
    show(found)
    few, many = found[FEW], found[MANY]
    assert few["issued"] <= SECONDS
    assert few["memory"] <= MEMORY
    assert many["issued"] / MANY <= GROWTH * few["issued"] / FEW


def told(url: str, folder: Path) -> Figures:
    """What a process of its own says of itself."""
    command = [sys.executable, "-m", "tests.bench.reporting", url, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    figures: Figures = json.loads(done.stdout)
    return figures


def show(found: dict[int, Figures]) -> None:
    """Print the table."""
    table = Table(title="The weekly report, with the PDF")
    for column in ("open cases", "ledgers read, s", "issued in all, s", "ms a case", "memory before, MiB", "most, MiB", "PDF, KiB"):
        table.add_column(column, justify="right")
    for cases, figures in found.items():
        issued = figures["issued"]
        row = [f"{cases:,}", f"{figures['read']:.2f}", f"{issued:.2f}", f"{1000 * issued / cases:.2f}"]
        table.add_row(*row, f"{figures['before']:.0f}", f"{figures['memory']:.0f}", f"{figures['pdf'] / 1024:.0f}")
    Console(width=110).print("\n", table)
