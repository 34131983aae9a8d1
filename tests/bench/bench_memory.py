"""What the processes keep in memory while 100,000 hooks come in, and while as many rows are worked off: nothing of them.

`make bench` runs it. The hooks are about issues that are no cases: each is verified, kept, claimed, read, looked up and called done. Once
more half of what is worked off are forms, each of which opens a case, and half hooks about cases, whose issues are read and compared. A
process is warm after a fifth of them; from then on its memory may not grow by more than GROWTH. ALUR_BENCH_DELIVERIES says how many come.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, median

import pytest
from rich.console import Console
from rich.table import Table

from integration.clock import utc_now
from integration.store import Delivery, Store
from tests.bench.backlog import FORM, NOTHING_NEW, backlog_of
from tests.bench.fleet import canned_platform
from tests.bench.grown import variables
from tests.bench.listing import listing
from tests.bench.load import driven, hook
from tests.processes import children, free_port, listens, process, wait_for
from tests.servers import new_database
from tests.stories.world import HOOK_SECRET, PROCEDURE, ROOT

DELIVERIES = int(os.environ.get("ALUR_BENCH_DELIVERIES", "100000"))  # a multiple of 1,000
SAMPLES = 50
LANES = 500  # issues the rows that are worked off are about
WORKERS = 2
WARM, LATE = 0.2, 0.8
GROWTH = 0.05

HOOK = {
    "object_kind": "issue",
    "user": {"username": "budi"},
    "project": {"id": 40},
    "object_attributes": {"iid": 77, "action": "update", "title": "Urusan lain", "description": "x" * 8 * 1024},
    "changes": {"updated_at": {"previous": "2026-06-02T01:00:00Z", "current": "2026-06-02T02:00:00Z"}},
}
"""As long as hooks about cases are."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How much was done by then, and the memory of one process, in MiB."""

    done: int
    memory: float


def test_the_edge_keeps_nothing(tmp_path: Path, redis_url: str) -> None:
    with serving(tmp_path, f"sqlite:///{tmp_path}/alur.db", redis_url, "web") as (pid, port):
        wait_for(lambda: listens(port), tmp_path)
        body = json.dumps(HOOK).encode()
        samples: dict[str, list[Sample]] = {}
        for n in range(SAMPLES):
            hooks = [hook(body, HOOK_SECRET) for _ in range(DELIVERIES // SAMPLES)]
            assert driven(port, hooks)["statuses"] == {200: len(hooks)}
            note(samples, pid, (n + 1) * len(hooks))
    kept("alur web", samples)


@pytest.mark.timeout(900)
def test_the_workers_keep_nothing(tmp_path: Path, postgres_url: str, redis_url: str) -> None:
    with new_database(postgres_url) as url, filled(url, DELIVERIES) as store:
        command = ("worker", "--concurrency", str(WORKERS))
        with serving(tmp_path, url, redis_url, *command) as (pid, _), serving(tmp_path, url, redis_url, "beat") as (beat, _):
            samples = watched(store, DELIVERIES, [pid, beat])
    kept(f"alur worker with {WORKERS} processes, alur beat", samples)


@pytest.mark.timeout(1800)
def test_the_workers_keep_nothing_of_what_they_decide(tmp_path: Path, postgres_url: str, redis_url: str) -> None:
    with new_database(postgres_url) as url, backlog_of(0, tmp_path, url, redis_url, quiet=LANES) as (backlog, settings):
        backlog.without_effects()
        for _ in range(DELIVERIES // (2 * LANES)):
            for kind in (FORM, NOTHING_NEW):
                backlog.keep(kind, list(backlog.quiet))
        with (
            canned_platform(tmp_path, backlog.answers()) as platform,
            process(tmp_path, settings | {"ALUR_GITLAB_URL": platform}, "worker", "--concurrency", str(WORKERS)) as worker,
        ):
            backlog.service.bell.ring()
            samples = watched(backlog.service.store, DELIVERIES, [worker.pid])
        assert len(backlog.service.store.tickets()) == LANES + DELIVERIES // 2
    kept(f"alur worker with {WORKERS} processes, which decide", samples)


@pytest.mark.timeout(900)
def test_the_one_process_keeps_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/alur.db"
    with filled(url, DELIVERIES) as store, serving(tmp_path, url, "", "serve") as (pid, _):
        samples = watched(store, DELIVERIES, [pid])
    kept("alur serve", samples)


# --- the processes ---


@contextmanager
def serving(folder: Path, url: str, broker: str, *command: str) -> Iterator[tuple[int, int]]:
    """A process of the service, with a platform that answers it; gives its number and its port."""
    port, own = free_port(), folder / command[0]
    own.mkdir()
    with listing(PROCEDURE) as forge:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("ALUR_")}
        environ |= variables(own, url, forge.url) | {"PYTHONPATH": str(ROOT), "ALUR_BROKER_URL": broker, "ALUR_BIND": f"127.0.0.1:{port}"}
        with process(folder, environ | {"ALUR_LOG_LEVEL": "WARNING"}, *command) as running:
            yield running.pid, port


@contextmanager
def filled(url: str, rows: int) -> Iterator[Store]:
    """A store with so many hooks that wait, about LANES issues."""
    store = Store(url, clock=utc_now)
    store.migrate()
    bodies = [json.dumps(HOOK | {"object_attributes": HOOK["object_attributes"] | {"iid": iid}}).encode() for iid in range(1, LANES + 1)]
    for start in range(0, rows, LANES):
        store.keep_all(Delivery("gitlab", f"{start}:{n}", f"issue:{n}", body) for n, body in enumerate(bodies, start=1))
    yield store
    store.close()


# --- their memory ---


def note(samples: dict[str, list[Sample]], pid: int, done: int) -> None:
    """Take a sample of a process and of each that it started, under "name number"."""
    for one in (pid, *started_by(pid)):
        status = dict(line.split(":", 1) for line in Path(f"/proc/{one}/status").read_text(encoding="ascii").splitlines())
        samples.setdefault(str(one), []).append(Sample(done, int(status["VmRSS"].split()[0]) / 1024))


def started_by(pid: int) -> list[int]:
    """The processes a process started, and those that these started."""
    return [number for child in sorted(children(pid)) for number in (child, *started_by(child))]


def watched(store: Store, rows: int, pids: list[int]) -> dict[str, list[Sample]]:
    """Samples taken while the rows are worked off, one a second."""
    samples: dict[str, list[Sample]] = {}
    done = 0
    while done < rows:
        time.sleep(1)
        done = rows - store.waiting()[0].waiting
        for pid in pids:
            note(samples, pid, done)
    assert store.waiting()[0].parked == 0
    return samples


def kept(title: str, samples: dict[str, list[Sample]]) -> None:
    """Print how each process's memory grew, and hold the growth to GROWTH."""
    table = Table(title=title)
    for column in ("process", "deliveries", "MiB at first", "warm", "at the end", "KiB more for 1,000 deliveries", "grew"):
        table.add_column(column, justify="right" if column != "process" else "left")
    grew = {}
    for n, (pid, taken) in enumerate(samples.items(), start=1):
        last = taken[-1].done
        warm = [sample for sample in taken if sample.done >= WARM * last]
        early = median(sample.memory for sample in warm if sample.done <= 2 * WARM * last)
        late = median(sample.memory for sample in warm if sample.done >= LATE * last)
        slope = linear_regression([s.done / 1000 for s in warm], [1024 * s.memory for s in warm]).slope
        grew[pid] = late / early - 1
        figures = [f"{last:,}", *(f"{memory:.1f}" for memory in (taken[0].memory, early, late)), f"{slope:.2f}", f"{100 * grew[pid]:.1f} %"]
        table.add_row(str(n), *figures)
    Console(width=130).print("\n", table)
    assert {pid: growth for pid, growth in grew.items() if growth > GROWTH} == {}
