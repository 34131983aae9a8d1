"""The process that writes beside `alur web`: what it says is kept is on disk, and whatever happens to it, whoever waits is told."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from integration.clock import utc_now
from integration.codec import Json
from integration.links import Links
from integration.signatures import Secret
from integration.store import Arrival, Conflict, Delivery, Kept, Store, StoreDown
from tests.edge.portal import ROOT, SECRET
from tests.tables import laid
from webhooks.writing import Writer

LINKS = Links("https://alur.kampus.example", Secret.parse(SECRET))
SETTINGS = {
    "GITLAB_URL": "https://gitlab.kampus.example",
    "GITLAB_TOKEN": "token",
    "GITLAB_PROJECT": "pustikom/pengaduan-si",
    "GITLAB_WEBHOOK_SECRET": "a secret of these tests",
    "PORTAL_SECRETS": SECRET,
    "ORGANISATION": str(ROOT / "deploy" / "organisation.example.yaml"),
    "PUBLIC_URL": LINKS.home,
}
MANY = [f"{n:02d}" for n in range(64)]
T = TypeVar("T")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database of the process that writes, as the environment says it."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(f"ALUR_{name}", value)
    monkeypatch.setenv("ALUR_DATABASE_URL", laid(f"sqlite:///{tmp_path}/alur.db?timeout=0.05"))
    return tmp_path / "alur.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    with closing(Store(f"sqlite:///{file}", clock=utc_now)) as store:
        yield store


def played(scene: Callable[[Writer], Awaitable[T]]) -> T:
    """What comes of this scene with a process that writes."""

    async def whole() -> T:
        with closing(Writer()) as writer:
            return await scene(writer)

    return asyncio.run(whole())


def complaint(key: str, body: bytes = b"a form") -> Arrival:
    return Arrival(Delivery("portal", key, "", body), ("SI", 2026, LINKS.accepted))


def accepted(number: int) -> Json:
    return LINKS.accepted(f"SI-2026-{number:06d}")


def test_what_is_new_is_kept_and_what_was_kept_before_gets_its_first_answer(store):
    async def scene(writer: Writer) -> None:
        assert await writer.keep_together([complaint("1"), complaint("2"), complaint("1")]) == [
            Kept(accepted(1), fresh=True),
            Kept(accepted(2), fresh=True),
            Kept(accepted(1), fresh=False),
        ]
        assert await writer.keep_together([complaint("3"), complaint("2"), complaint("1", b"another")]) == [
            Kept(accepted(3), fresh=True),
            Kept(accepted(2), fresh=False),
            Conflict(),
        ]

    played(scene)
    assert [row.body for row in store.inbox_rows()] == [b"a form"] * 3


def test_while_the_database_is_closed_whoever_waits_is_told_so(file, store):
    async def scene(writer: Writer) -> None:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreDown, match="locked"):
                await writer.keep_together([complaint("1")])
        assert await writer.keep_together([complaint("1")]) == [Kept(accepted(1), fresh=True)]

    played(scene)


def test_any_other_fault_is_told_without_its_words_and_is_in_the_log(file, store, capfd):
    async def scene(writer: Writer) -> None:
        await writer.keep_together([complaint("1")])
        with sqlite3.connect(file) as other:
            other.execute("UPDATE cases SET key = ?", (b"wrapped by nobody we know",))
        with pytest.raises(RuntimeError, match="KeyClosed in the process that writes"):
            await writer.keep_together([Arrival(Delivery("portal", "2", "SI-2026-000001", b"withdrawn"))])
        assert await writer.keep_together([complaint("3")]) == [Kept(accepted(2), fresh=True)]

    played(scene)
    assert "1 messages could not be kept together" in capfd.readouterr().err


@pytest.mark.parametrize("warm", [True, False])
def test_where_it_is_killed_whoever_waits_comes_again_and_another_one_keeps(store, warm):
    async def scene(writer: Writer) -> None:
        if warm:
            await writer.keep_together([complaint("1")])
        os.kill(writer.pid, signal.SIGKILL)
        with pytest.raises(StoreDown, match="ended with -9; another one was started"):
            await writer.keep_together([complaint("2")])
        assert await writer.keep_together([complaint("2")]) == [Kept(accepted(2 if warm else 1), fresh=True)]

    played(scene)
    assert len(store.inbox_rows()) == 1 + warm


def test_a_stop_of_all_at_once_does_not_end_it_before_those_who_ask(store):
    async def scene(writer: Writer) -> int:
        await writer.keep_together([complaint("1")])
        for stop in (signal.SIGTERM, signal.SIGINT):
            os.kill(writer.pid, stop)
        assert await writer.keep_together([complaint("2")]) == [Kept(accepted(2), fresh=True)]
        return writer.close()

    assert played(scene) == 0
    assert len(store.inbox_rows()) == 2


def test_of_many_each_gets_its_own(store):
    async def scene(writer: Writer) -> None:
        kept = await writer.keep_together([complaint(key, key.encode() * 100_000) for key in reversed(MANY)])
        assert kept == [Kept(accepted(number), fresh=True) for number in reversed(range(1, len(MANY) + 1))]

    played(scene)
    assert sorted(row.body[:2].decode() for row in store.inbox_rows()) == MANY
