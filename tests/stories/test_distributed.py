"""One whole case on real processes: `alur web`, `alur worker` and `alur beat` over Redis and PostgreSQL, told by real hooks in real time."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from integration import organisation as organisations
from integration.clock import utc_now
from integration.procedure.case import Case, fold
from integration.store import Store
from sandbox.campus import Campus
from sandbox.portal import SECRET
from tests.stories.world import HOOK_SECRET, ORGANISATION, PROCEDURE, ROOT, example_form

PATIENCE = 60.0  # seconds


@contextmanager
def process(folder: Path, environment: dict[str, str], *command: str) -> Iterator[None]:
    """A process of the service, told to stop at the end; its words are kept in `folder`."""
    alur = [sys.executable, "-c", "from sync.cli import main; main()", *command]
    with (folder / f"{command[0]}.log").open("wb") as log:
        running = subprocess.Popen(alur, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            yield
        finally:
            running.terminate()
            running.wait(PATIENCE)


def wait_for(what: Callable[[], object], folder: Path) -> None:
    """Wait until this is true, or fail with the last words of the processes."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > deadline:
            pytest.fail("\n".join(log.read_text(errors="replace")[-3000:] for log in sorted(folder.glob("*.log"))), pytrace=False)
        time.sleep(0.05)


def ready(url: str) -> bool:
    """Whether the edge answers."""
    try:
        return requests.get(f"{url}/ready", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.mark.timeout(400)
def test_a_case_travels_through_every_step_on_web_worker_and_beat(tmp_path: Path, postgres_database: str, redis_database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as running, Campus(PROCEDURE, organisations.load(ORGANISATION), utc_now) as campus:
        campus.portal.service_url = url
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ALUR_")} | {
            "PYTHONPATH": str(ROOT),
            "ALUR_GITLAB_URL": campus.gitlab.url,
            "ALUR_GITLAB_TOKEN": campus.bot.token,
            "ALUR_GITLAB_PROJECT": campus.project.path,
            "ALUR_GITLAB_WEBHOOK_SECRET": HOOK_SECRET,
            "ALUR_PORTAL_SECRETS": SECRET,
            "ALUR_PORTAL_CALLBACK_URL": campus.portal.callback_url,
            "ALUR_DATABASE_URL": postgres_database,
            "ALUR_BROKER_URL": redis_database,
            "ALUR_ORGANISATION": str(ORGANISATION),
            "ALUR_PUBLIC_URL": url,
            "ALUR_DATA_DIR": str(tmp_path / "var"),
            "ALUR_BIND": f"127.0.0.1:{port}",
        }
        provision = [sys.executable, "-c", "from sync.cli import main; main()", "provision"]
        subprocess.run(provision, cwd=tmp_path, env=environment, check=True, capture_output=True)
        for command in (("web",), ("worker", "--concurrency", "2"), ("beat",)):
            running.enter_context(process(tmp_path, environment, *command))
        wait_for(lambda: ready(url), tmp_path)
        store = Store(postgres_database, clock=utc_now)
        running.callback(store.close)

        ticket = campus.portal.submit(example_form())

        def case() -> Case | None:
            return fold(store.entries(ticket))

        def shown() -> bool:
            """Whether the issue tells of the step the ledger is at. A card that was dragged shows its label before its checklist."""
            now = case()
            return now is not None and now.step is not None and f"**Langkah {now.step:02d} dari" in _description(campus, ticket)

        def moved(last: Case) -> bool:
            """Whether the case has gone on from there, for everybody to see."""
            now = case()
            return now is not None and (now.ended_at is not None or (now.step != last.step and shown()))

        wait_for(shown, tmp_path)
        while (now := case()) and not now.ended_at:
            campus.play(ticket)
            wait_for(lambda last=now: moved(last), tmp_path)

        wait_for(lambda: campus.issue(ticket)["state"] == "closed", tmp_path)
        ended = case()
        assert ended
        assert ended.status == "selesai"
        assert [passage.step for passage in ended.history] == [step.number for step in PROCEDURE.steps]
        wait_for(lambda: (now := case()) and all(paper.link for paper in now.documents), tmp_path)
        wait_for(lambda: "pengaduan.selesai" in [callback.type for callback in campus.portal.received(ticket)], tmp_path)
        assert store.verify(ticket) == []


def _description(campus: Campus, ticket: str) -> str:
    """What the issue says; "" while there is none."""
    try:
        return str(campus.issue(ticket)["description"])
    except LookupError:
        return ""
