"""Killed at every statement of its own, the process that writes beside `alur web` loses nothing it called kept, and keeps nothing twice."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from integration.links import Links
from integration.settings import Settings
from integration.signatures import Secret
from integration.store import Arrival, Delivery, Kept, Store, StoreDown
from tests.edge.portal import ROOT, SECRET, settings_in
from tests.tables import laid
from webhooks.writing import Writer

LINKS = Links("https://alur.kampus.example", Secret.parse(SECRET))
ENOUGH = 8
"""Statements at least; far fewer would mean that nothing is watched any more."""


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
            return [await sent(writer, f"msg_{n}") for n in range(3)]

    answers = asyncio.run(scene())
    died = points.read_text(encoding="utf-8").splitlines()
    assert len(died) == len(set(died)) >= ENOUGH
    with closing(Store.of(settings)) as store:
        assert [kept.answer["tiket"] for kept in answers] == store.tickets() == [f"SI-2026-{n:06d}" for n in (1, 2, 3)]
    assert not answers[0].fresh, "it was on disk before the process could say so"


async def sent(writer: Writer, key: str) -> Kept:
    """Send a form until it is taken."""
    while True:
        try:
            (kept,) = await writer.keep_together([Arrival(Delivery("portal", key, "", b"a form"), ("SI", 2026, LINKS.accepted))])
        except StoreDown:
            continue
        assert isinstance(kept, Kept)
        return kept
