"""What the benches of the worker share: a platform of recorded answers, and a Celery worker of our settings whose tasks do nothing."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from celery import Celery

from integration.doorbell import BELL, celery_app
from integration.settings import Settings
from tests.bench.bare import bare
from tests.stories.world import ROOT

PROJECT = "/api/v4/projects/pustikom%2Fpengaduan-si"
"""Where the addresses of the stand-in's project begin."""


@contextmanager
def canned_platform(folder: Path, answers: dict[str, object]) -> Iterator[str]:
    """The address of a platform that says this at once, by the path that is asked."""
    file = folder / "answers.json"
    file.write_text(json.dumps(answers), encoding="utf-8")
    command = [sys.executable, "-m", "tests.bench.canned", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            yield f"http://127.0.0.1:{running.stdout.readline().strip()}"
        finally:
            running.terminate()


@contextmanager
def bare_worker(folder: Path, settings: dict[str, str], concurrency: int) -> Iterator[Celery]:
    """The app of a Celery worker whose tasks do nothing, running; what `bare.heard` hears is in `folder`/heard."""
    command = [sys.executable, "-m", "tests.bench.bare", str(concurrency), str(folder / "heard")]
    with (folder / "bare.log").open("ab") as log, subprocess.Popen(command, cwd=ROOT, env=settings, stdout=log, stderr=log) as running:
        try:
            yield bare(Settings.read(settings, env_file=None))
        finally:
            running.terminate()


def awake(broker_url: str, concurrency: int) -> None:
    """Have every process of a worker make what it works with: as many rings at once as processes, each of which takes its time."""
    app = celery_app(broker_url)
    with app.connection_for_write() as connection, redis.Redis.from_url(broker_url) as queue:
        for _ in range(concurrency):
            app.send_task(BELL, connection=connection, ignore_result=True)
        until(lambda: not queue.llen("alur") and not queue.hlen("unacked"))


def until(done: Callable[[], bool], seconds: float = 200.0) -> float:
    """Wait until it is, and give the seconds that took. TimeoutError where it never is."""
    began = time.perf_counter()
    while not done():
        if time.perf_counter() - began > seconds:
            raise TimeoutError
        time.sleep(0.005)
    return time.perf_counter() - began
