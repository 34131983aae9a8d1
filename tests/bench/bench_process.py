"""What the one process needs: time to start, time for a form to be taken and worked off, memory. All of it is only shown.

`make bench` runs it. The service is a process of its own here; the stand-ins live in the test's.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from rich.console import Console
from rich.table import Table

from integration import organisation as organisations
from integration.clock import utc_now
from integration.store import Store
from sandbox.campus import Campus
from tests.processes import environment, process, ready, run, wait_for, walk
from tests.stories.world import ORGANISATION, PROCEDURE, example_form

FORMS = 100
AT_ONCE = 8


def test_start_intake_and_memory_of_the_one_process(tmp_path: Path) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("this machine does not tell the memory of a process in /proc")
    table = Table(title="One process on SQLite")
    table.add_column("what")
    table.add_column("", justify="right")
    database = f"sqlite:///{tmp_path / 'alur.db'}"
    with Campus(PROCEDURE, organisations.load(ORGANISATION), utc_now) as campus:
        environ = environment(campus, tmp_path, database)
        run(tmp_path, environ, "provision")
        store = Store(database, clock=utc_now)
        began = time.perf_counter()
        with process(tmp_path, environ, "serve") as alur:
            wait_for(lambda: ready(campus.portal.service_url), tmp_path)
            table.add_row("start, until ready", f"{time.perf_counter() - began:.1f} s")
            table.add_row("memory, at rest", f"{memory(alur.pid, 'VmRSS'):.0f} MiB")
            began = time.perf_counter()
            with ThreadPoolExecutor(AT_ONCE) as portal:
                list(portal.map(lambda _: campus.portal.submit(example_form()), range(FORMS)))
            table.add_row(f"{FORMS} forms taken, {AT_ONCE} at once", f"{time.perf_counter() - began:.1f} s")
            wait_for(lambda: not store.busy(), tmp_path)
            table.add_row(f"{FORMS} issues opened and the portal told", f"{time.perf_counter() - began:.1f} s")
            table.add_row("memory, most until then", f"{memory(alur.pid, 'VmHWM'):.0f} MiB")
            walk(campus, store, campus.portal.submit(example_form()), tmp_path)
            table.add_row("memory, most until one case is led to its end", f"{memory(alur.pid, 'VmHWM'):.0f} MiB")
            assert requests.get(f"{campus.portal.service_url}/ready", timeout=5).json()["outbox_oldest_seconds"] == 0
        store.close()
    Console().print("\n", table)


def memory(pid: int, what: str) -> float:
    """Memory of a process in MiB, now (`VmRSS`) or at most (`VmHWM`)."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines())
    return int(lines[what].split()[0]) / 1024
