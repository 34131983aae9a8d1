"""What the processes need: time to start, memory, and for the one process also the time in which forms are taken and worked off.

`make bench` runs it. All of it is only shown. The service is in processes of its own here; the stand-ins live in the test's.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from rich.console import Console
from rich.table import Table

from integration import organisation as organisations
from integration.clock import utc_now
from integration.doorbell import celery_app
from integration.store import Store
from sandbox.campus import Campus
from sync.beat import BEAT
from sync.worker import CONCURRENCY
from tests.processes import children, environment, process, ready, run, wait_for, walk
from tests.stories.world import ORGANISATION, PROCEDURE, example_form

FORMS = 100
AT_ONCE = 8

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only /proc tells the memory of a process")


def test_start_intake_and_memory_of_the_one_process(tmp_path: Path) -> None:
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


@pytest.mark.timeout(300)
def test_start_and_memory_of_each_process(tmp_path: Path, postgres_database: str, redis_database: str) -> None:
    table = Table(title=f"Processes on PostgreSQL and Redis, {CONCURRENCY} children of the worker")
    table.add_column("process")
    for column in ("start, s", "at rest, MiB", f"after {FORMS} forms, MiB", "of it not shared, MiB"):
        table.add_column(column, justify="right")
    store = Store(postgres_database, clock=utc_now)
    app = celery_app(redis_database)
    begun = {
        "web": lambda campus: ready(campus.portal.service_url),
        "worker": lambda _: bool(app.control.ping(timeout=0.05)),
        "beat": lambda _: not store.lead(BEAT, "bench", timedelta()),
    }
    with Campus(PROCEDURE, organisations.load(ORGANISATION), utc_now) as campus, ExitStack() as running:
        environ = environment(campus, tmp_path, postgres_database) | {"ALUR_BROKER_URL": redis_database}
        run(tmp_path, environ, "provision")
        started, pids = {}, {}
        for command, has_begun in begun.items():
            began = time.perf_counter()
            pid = running.enter_context(process(tmp_path, environ, command)).pid
            wait_for(lambda done=has_begun: done(campus), tmp_path)
            started[command] = time.perf_counter() - began
            pids[command] = pid
        members = {f"alur {command}": pid for command, pid in pids.items()}
        members |= {f"alur {command}, a child": children(pids[command])[0] for command in ("web", "worker")}
        members["alur web, the one that writes"] = children(members["alur web, a child"])[0]
        at_rest = {name: memory(pid, "VmRSS") for name, pid in members.items()}
        for _ in range(FORMS):
            campus.portal.submit(example_form())
        wait_for(lambda: not store.busy(), tmp_path)
        for name, pid in sorted(members.items()):
            start = started.get(name.removeprefix("alur "))
            table.add_row(
                name, f"{start:.1f}" if start else "", f"{at_rest[name]:.0f}", f"{memory(pid, 'VmRSS'):.0f}", f"{unshared(pid):.0f}"
            )
    store.close()
    Console(width=120).print("\n", table)


def memory(pid: int, what: str) -> float:
    """Memory of a process in MiB, now (`VmRSS`) or at most (`VmHWM`)."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines())
    return int(lines[what].split()[0]) / 1024


def unshared(pid: int) -> float:
    """Memory of a process in MiB that would be free without it."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:])
    return (int(lines["Private_Clean"].split()[0]) + int(lines["Private_Dirty"].split()[0])) / 1024
