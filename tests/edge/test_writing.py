"""The process that writes beside `alur web`: what it says is kept is on disk, and whatever happens to it, whoever waits is told."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from importlib import import_module

import pytest

from integration.codec import Json
from integration.links import Links
from integration.signatures import Secret
from integration.store import Arrival, Conflict, Delivery, Kept, Store, StoreDown
from tests.edge.portal import SECRET
from webhooks.writing import Writer

LINKS = Links("https://alur.kampus.example", Secret.parse(SECRET))
MANY = [f"{n:02d}" for n in range(64)]
Scene = Callable[[Writer], Awaitable[object]]


@pytest.fixture
def store(settings) -> Iterator[Store]:
    with closing(Store.of(settings)) as store:
        yield store


@pytest.fixture(params=["asyncio", "uvloop"])
def played(settings, request) -> Callable[[Scene], object]:
    """What comes of this scene with a process that writes, on Python's own event loop and on that of `alur web`."""

    async def whole(scene: Scene) -> object:
        with closing(Writer(settings)) as writer:
            return await scene(writer)

    def play(scene: Scene) -> object:
        with asyncio.Runner(loop_factory=import_module(request.param).new_event_loop) as runner:
            return runner.run(whole(scene))

    return play


def complaint(key: str, body: bytes = b"a form") -> Arrival:
    return Arrival(Delivery("portal", key, "", body), ("SI", 2026, LINKS.accepted))


def accepted(number: int) -> Json:
    return LINKS.accepted(f"SI-2026-{number:06d}")


def test_what_is_new_is_kept_and_what_was_kept_before_gets_its_first_answer(played, store):
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


def test_while_the_database_is_closed_whoever_waits_is_told_so(played, store):
    async def scene(writer: Writer) -> None:
        with closing(sqlite3.connect(store.file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreDown, match="locked"):
                await writer.keep_together([complaint("1")])
        assert await writer.keep_together([complaint("1")]) == [Kept(accepted(1), fresh=True)]

    played(scene)


def test_any_other_fault_is_told_without_its_words_and_is_in_the_log(played, store, capfd):
    async def scene(writer: Writer) -> None:
        await writer.keep_together([complaint("1")])
        with sqlite3.connect(store.file) as other:
            other.execute("UPDATE cases SET key = ?", (b"wrapped by nobody we know",))
        with pytest.raises(RuntimeError, match="KeyClosed in the process that writes"):
            await writer.keep_together([Arrival(Delivery("portal", "2", "SI-2026-000001", b"withdrawn"))])
        assert await writer.keep_together([complaint("3")]) == [Kept(accepted(2), fresh=True)]

    played(scene)
    assert "1 messages could not be kept together" in capfd.readouterr().err


@pytest.mark.parametrize("warm", [True, False])
def test_where_it_is_killed_whoever_waits_comes_again_and_another_one_keeps(played, store, warm):
    async def scene(writer: Writer) -> None:
        if warm:
            await writer.keep_together([complaint("1")])
        os.kill(writer.pid, signal.SIGKILL)
        with pytest.raises(StoreDown, match="ended with -9"):
            await writer.keep_together([complaint("2")])
        assert await writer.keep_together([complaint("2")]) == [Kept(accepted(2 if warm else 1), fresh=True)]

    played(scene)
    assert len(store.inbox_rows()) == 1 + warm


def test_while_none_can_be_started_whoever_waits_comes_again(played, store, monkeypatch):
    async def scene(writer: Writer) -> None:
        await writer.keep_together([complaint("1")])
        os.kill(writer.pid, signal.SIGKILL)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", "/nowhere/python")
            for _ in range(3):
                with pytest.raises(StoreDown):
                    await writer.keep_together([complaint("2")])
        assert await writer.keep_together([complaint("2")]) == [Kept(accepted(2), fresh=True)]

    played(scene)


def test_whoever_is_cut_off_leaves_no_answer_to_those_who_come_next(played, store):
    async def scene(writer: Writer) -> None:
        with closing(sqlite3.connect(store.file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            asked = asyncio.create_task(writer.keep_together([complaint("1"), complaint("2")]))
            await asyncio.sleep(0.01)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
        assert await writer.keep_together([complaint("3")]) == [Kept(accepted(1), fresh=True)]

    played(scene)
    assert [row.key for row in store.inbox_rows()] == ["3"]


def test_a_stop_of_all_at_once_does_not_end_it_before_those_who_ask(played, store):
    async def scene(writer: Writer) -> int:
        await writer.keep_together([complaint("1")])
        for stop in (signal.SIGTERM, signal.SIGINT):
            os.kill(writer.pid, stop)
        assert await writer.keep_together([complaint("2")]) == [Kept(accepted(2), fresh=True)]
        return writer.close()

    assert played(scene) == 0
    assert len(store.inbox_rows()) == 2


def test_of_many_each_gets_its_own(played, store):
    async def scene(writer: Writer) -> None:
        kept = await writer.keep_together([complaint(key, key.encode() * 100_000) for key in reversed(MANY)])
        assert kept == [Kept(accepted(number), fresh=True) for number in reversed(range(1, len(MANY) + 1))]

    played(scene)
    assert sorted(row.body[:2].decode() for row in store.inbox_rows()) == MANY
