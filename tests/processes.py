"""The processes of the service as they are started for real, on a campus of stand-ins."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from integration.clock import utc_now
from integration.procedure.case import Case, fold
from integration.procedure.guards import AT_ONCE
from integration.procedure.lines import way_forward
from integration.store import Store
from sandbox.campus import Campus
from tests.stories.world import ROOT, variables

PATIENCE = 60.0  # seconds
ALUR = (sys.executable, "-c", "from sync.cli import main; main()")


def free_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def environment(campus: Campus, folder: Path, database_url: str) -> dict[str, str]:
    """The settings of a service on a free port between the stand-ins of this campus, which learn its address; its data is in `folder`."""
    port = free_port()
    campus.portal.service_url = f"http://127.0.0.1:{port}"
    return {name: value for name, value in os.environ.items() if not name.startswith("ALUR_")} | {
        "PYTHONPATH": str(ROOT),
        **variables(campus, folder, database_url, campus.portal.service_url),
        "ALUR_BIND": f"127.0.0.1:{port}",
    }


def run(folder: Path, environ: dict[str, str], *command: str) -> None:
    """Run a command of the service that must succeed."""
    subprocess.run([*ALUR, *command], cwd=folder, env=environ, check=True, capture_output=True)


@contextmanager
def process(folder: Path, environ: dict[str, str], *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the service, told to stop at the end; its words are kept in `folder`."""
    with (folder / f"{command[0]}.log").open("ab") as log:
        running = subprocess.Popen([*ALUR, *command], cwd=folder, env=environ, stdout=log, stderr=log)
        try:
            yield running
        finally:
            running.terminate()
            running.wait(PATIENCE)


def wait_for(what: Callable[[], object], folder: Path, patience: float = PATIENCE) -> None:
    """Wait until this is true, or fail with the last words of the processes."""
    deadline = time.monotonic() + patience
    while not what():
        if time.monotonic() > deadline:
            pytest.fail("\n".join(log.read_text(errors="replace")[-3000:] for log in sorted(folder.glob("*.log"))), pytrace=False)
        time.sleep(0.05)


def children(pid: int) -> list[int]:
    """The processes this one has started, by whichever of its threads; none where it has ended."""
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended
                found += map(int, (task / "children").read_text("ascii").split())
    return found


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True


def ready(url: str) -> bool:
    """Whether the edge answers."""
    try:
        return requests.get(f"{url}/ready", timeout=5).ok
    except requests.ConnectionError:
        return False


def known(store: Store, ticket: str) -> Case:
    """The case as the ledger has it. LookupError while it has none."""
    case = fold(store.entries(ticket))
    if case is None:
        raise LookupError(ticket)
    return case


def tells_of(step: int, description: str) -> bool:
    """Whether an issue tells of this step: a card that was dragged shows its label before that."""
    return f"**Langkah {step:02d} dari" in description


def see(campus: Campus, case: Case) -> None:
    """People see where the case stands before they act: the word that led there, typed again at once, counts for the step before."""
    step = campus.procedure.step(case.step) if case.step else None
    forward = way_forward(step) if step and not campus.drags(step) else None
    if forward and case.entered_at and case.history[-2].outcome == forward.word:
        time.sleep(max(0.0, (case.entered_at + AT_ONCE - utc_now()).total_seconds() + 0.1))


def walk(campus: Campus, store: Store, ticket: str, folder: Path) -> Case:
    """Lead a case forward to its end by what people do, while processes work in real time; gives the case."""

    def shown() -> bool:
        """Whether the issue tells of the step the ledger is at."""
        try:
            return tells_of(known(store, ticket).step or 0, campus.issue(ticket)["description"])
        except LookupError:
            return False

    def moved(last: Case) -> bool:
        """Whether the case has gone on from there, for everybody to see."""
        now = known(store, ticket)
        return now.ended_at is not None or (now.step != last.step and shown())

    wait_for(shown, folder)
    while not (now := known(store, ticket)).ended_at:
        see(campus, now)
        campus.play(ticket)
        wait_for(lambda last=now: moved(last), folder)
    return now
