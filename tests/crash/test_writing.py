"""Killed at each statement of theirs, who writes beside `alur web` and who asks for it lose nothing they called kept, nor keep it twice."""

import asyncio
import json
import pickle
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from integration.settings import Settings
from integration.store import Kept, Store
from tests.crash.asking import sent
from tests.edge.portal import ROOT, settings_in
from tests.tables import laid
from webhooks.writing import Writer

ENOUGH, ENOUGH_OF_ASKING = 8, 25
"""Statements at least, of the process that writes and of the one that asks it; far fewer would mean that nothing is watched any more."""

ASKING = ("webhooks/writing.py:Writer.", "webhooks/writing.py:_Child.")
DIED = 77  # what a process ends with at a point


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, database_url=laid(f"sqlite:///{tmp_path}/alur.db"))


@pytest.fixture
def points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a process writes down at which point it ends; what is started from now on is mortal."""
    file = tmp_path / "points"
    file.touch()
    monkeypatch.setenv("CRASH_POINTS", str(file))
    monkeypatch.setenv("CRASH_IN", "webhooks/writing.py")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'tests' / 'crash' / 'mortal'}:{ROOT}")
    return file


def test_wherever_it_dies_a_form_that_is_sent_until_it_is_taken_is_one_case(settings: Settings, points: Path) -> None:
    async def scene() -> list[Kept]:
        with closing(Writer(settings)) as writer:
            return [await sent(writer, f"msg_{n}", settings) for n in range(3)]

    answers = asyncio.run(scene())
    died = points.read_text(encoding="utf-8").splitlines()
    assert len(died) == len(set(died)) >= ENOUGH
    with closing(Store.of(settings)) as store:
        assert [kept.answer["tiket"] for kept in answers] == store.tickets() == [f"SI-2026-{n:06d}" for n in (1, 2, 3)]
    assert not answers[0].fresh, "it was on disk before the process could say so"


def test_wherever_who_asks_it_dies_a_form_that_is_sent_until_it_is_taken_is_one_case(settings: Settings, points: Path) -> None:
    asks = [sys.executable, "-m", "tests.crash.asking", "msg_0"]
    while (asked := subprocess.run(asks, input=pickle.dumps(settings), capture_output=True, check=False)).returncode == DIED:
        pass
    assert asked.returncode == 0, asked.stderr.decode()
    died = [json.loads(line)["died"] for line in points.read_text(encoding="utf-8").splitlines()]
    assert len(died) == len(set(died))
    assert sum(point.startswith(ASKING) for point in died) >= ENOUGH_OF_ASKING, died
    with closing(Store.of(settings)) as store:
        assert store.tickets() == [asked.stdout.decode()] == ["SI-2026-000001"]
