"""Calls as `alur web` takes them: read in one thread, written together; slow, broken and many ones hold up nobody.

What the calls are answered is tested in test_intake.py and test_hooks.py, for this front as for a server of threads.
"""

import asyncio
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, closing
from typing import Any

import pytest
from flask import Response

from integration.signatures import Secret, headers
from integration.store import Store, StoreDown
from integration.store.database import POOL
from integration.templates import messages
from tests.edge.asgi import Sender
from tests.edge.portal import HOOK_TOKEN, SECRET, Watch, form
from webhooks.app import front
from webhooks.front import LARGEST, PAGES, Front

PATH = "/webhooks/layanan"
AT_ONCE = 12


def complaint(watch: Watch, key: str, **how: Any) -> Sender:
    """A form."""
    return message(watch, key, "pengaduan.diajukan", {"formulir": form()}, **how)


def message(watch: Watch, key: str, kind: str, data: dict[str, Any], *, pieces: int = 1, spaces: int = 0, **how: Any) -> Sender:
    """What the portal says, signed and sent in so many pieces."""
    body = json.dumps({"type": kind, "timestamp": watch().isoformat(), "data": data}).encode()
    body += b" " * spaces
    head = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers(Secret.parse(SECRET), key, watch(), body)}
    size = -(-len(body) // pieces)
    return Sender(PATH, head, *(body[start : start + size] for start in range(0, len(body), size)), **how)


@pytest.fixture
def whole(parts) -> Front:
    return front(parts)


def together(*served: Awaitable[Response]) -> list[Response]:
    """All of them at the same time."""

    async def gathered() -> list[Response]:
        return list(await asyncio.gather(*served))

    return asyncio.run(gathered())


def test_a_form_in_pieces_is_kept_and_what_answers_is_for_nobody_else(whole, watch, parts):
    (answer,) = together(complaint(watch, "msg_1", pieces=7).served(whole))
    assert (answer.status_code, answer.json["tiket"]) == (202, "SI-2026-000001")
    assert answer.headers["cache-control"] == "no-store"
    assert parts.store.ticket_exists("SI-2026-000001")


def test_who_leaves_before_the_end_is_answered_nothing_and_nothing_is_kept(whole, watch, parts):
    with pytest.raises(ValueError, match="no answer"):
        together(complaint(watch, "msg_1", pieces=3, left=True).served(whole))
    assert parts.store.inbox_rows() == []


async def dripping() -> Any:
    """The next piece of a body that never ends."""
    await asyncio.sleep(0.02)
    return {"type": "http.request", "body": b" ", "more_body": True}


@pytest.mark.parametrize("bound", ["WHOLE_BODY", "LARGER_BODY"])
def test_who_never_comes_to_the_end_is_left_and_nothing_is_kept(whole, watch, parts, monkeypatch, caplog, bound):
    monkeypatch.setattr(f"webhooks.front.{bound}", 0.05)
    monkeypatch.setattr("webhooks.front.WAITED", 0.05)
    sender = complaint(watch, "msg_1", spaces=LARGEST if bound == "LARGER_BODY" else 0)
    monkeypatch.setattr(sender, "receive", dripping)
    (answer,) = together(sender.served(whole))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json == {"pesan": messages("edge")["too_slow"]}
    assert [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "webhooks.edge"] == [
        ("WARNING", "left: the body did not come to its end in time")
    ]
    assert parts.store.inbox_rows() == []


@pytest.mark.parametrize("fault", ["too_slow", "unavailable"])
def test_people_are_told_so_by_a_page(whole, watch, parts, monkeypatch, tmp_path, fault):
    sender = complaint(watch, "msg_1", spaces=LARGEST)
    sender.scope["headers"].append((b"accept", b"text/html"))
    with closing(sqlite3.connect(tmp_path / "alur.db", isolation_level=None)) as other:
        if fault == "unavailable":
            other.execute("BEGIN IMMEDIATE")
        else:
            for bound in ("LARGER_BODY", "WAITED"):
                monkeypatch.setattr(f"webhooks.front.{bound}", 0.05)
            monkeypatch.setattr(sender, "receive", dripping)
        (answer,) = together(sender.served(whole))
    assert (answer.status_code, answer.headers["retry-after"], answer.mimetype) == (503, "5", "text/html")
    assert messages("edge")[fault] in answer.get_data(as_text=True)


def test_a_body_that_came_is_read_however_long_no_thread_was_there_to_read_it(whole, watch, parts, monkeypatch):
    monkeypatch.setattr("webhooks.front.LARGER_BODY", 0.05)
    monkeypatch.setattr("webhooks.front.WAITED", 0.5)
    slow = [complaint(watch, f"msg_{n}", spaces=LARGEST) for n in range(PAGES)]
    for sender in slow:
        monkeypatch.setattr(sender, "receive", dripping)

    async def served() -> tuple[list[Response], Response]:
        left = [asyncio.create_task(sender.served(whole)) for sender in slow]
        await asyncio.sleep(0)
        return await complaint(watch, "msg", spaces=LARGEST).served(whole), await asyncio.gather(*left)

    answer, left = asyncio.run(served())
    assert answer.status_code == 202
    assert {one.status_code for one in left} == {503}


def test_who_waited_for_a_thread_for_nothing_is_left_soon(whole, watch, parts, monkeypatch):
    """Else so many who say nothing would hold their places for a whole turn of the threads each: for hours."""
    monkeypatch.setattr("webhooks.front.LARGER_BODY", 2.0)
    monkeypatch.setattr("webhooks.front.WAITED", 0.05)
    slow = [complaint(watch, f"msg_{n}", spaces=LARGEST) for n in range(4 * PAGES)]
    for sender in slow:
        monkeypatch.setattr(sender, "receive", dripping)
    began = time.monotonic()
    answers = together(*(sender.served(whole) for sender in slow))
    assert {answer.status_code for answer in answers} == {503}
    assert time.monotonic() - began < 4 * 2.0, "four turns"


def test_what_comes_together_is_written_together(whole, watch, parts, monkeypatch):
    written, keep = [], Store.keep_together
    monkeypatch.setattr(Store, "keep_together", lambda self, arrivals: written.append(len(arrivals)) or keep(self, arrivals))
    answers = together(*(complaint(watch, f"msg_{n}").served(whole) for n in range(AT_ONCE)))
    assert sorted(answer.json["tiket"] for answer in answers) == [f"SI-2026-{n:06d}" for n in range(1, AT_ONCE + 1)]
    assert sum(written) == AT_ONCE
    assert max(written) > AT_ONCE / 2
    assert len(parts.store.tickets()) == AT_ONCE


def test_when_the_store_is_down_each_is_told_to_come_again_and_then_is_taken(whole, watch, parts, tmp_path):
    other = sqlite3.connect(tmp_path / "alur.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answers = together(*(complaint(watch, f"msg_{n}").served(whole) for n in range(AT_ONCE)))
    assert {(answer.status_code, answer.headers["retry-after"]) for answer in answers} == {(503, "5")}
    other.execute("ROLLBACK")
    other.close()
    answers = together(*(complaint(watch, f"msg_{n}").served(whole) for n in range(AT_ONCE)))
    assert {answer.status_code for answer in answers} == {202}
    assert len(parts.store.tickets()) == AT_ONCE


def test_while_too_much_waits_to_be_written_whoever_comes_is_told_to_come_again(whole, watch, parts, monkeypatch):
    keep = Store.keep_together
    monkeypatch.setattr(Store, "keep_together", lambda self, arrivals: time.sleep(0.2) or keep(self, arrivals))
    monkeypatch.setattr("webhooks.front.MOST_WAITING", 8 * len(complaint(watch, "msg").coming[0]["body"]))
    answers = together(*(complaint(watch, f"msg_{n}").served(whole) for n in range(64)))
    told = Counter((answer.status_code, answer.headers.get("retry-after")) for answer in answers)
    assert set(told) == {(202, None), (503, "5")}
    assert len(parts.store.tickets()) == told[202, None]
    assert together(complaint(watch, "msg_64").served(whole))[0].status_code == 202


def test_while_all_connections_are_in_use_whoever_comes_is_told_to_come_again(whole, watch, parts, monkeypatch):
    monkeypatch.setattr(parts.store._engine.pool, "_timeout", 0.2)  # noqa: SLF001
    ready = Sender("/ready", {}, method="GET")
    with ExitStack() as in_use:
        for _ in range(POOL["pool_size"] + POOL["max_overflow"]):
            in_use.enter_context(parts.store._read())  # noqa: SLF001 -- who asks and comes to no end
        told, *answers = together(ready.served(whole), *(complaint(watch, f"msg_{n}").served(whole) for n in range(AT_ONCE)))
        assert told.status_code == 503
        assert {(answer.status_code, answer.headers["retry-after"]) for answer in answers} == {(503, "5")}
    answers = together(*(complaint(watch, f"msg_{n}").served(whole) for n in range(AT_ONCE)))
    assert {answer.status_code for answer in answers} == {202}
    assert len(parts.store.tickets()) == AT_ONCE


def test_one_that_cannot_be_kept_takes_nothing_from_the_others(whole, watch, parts, tmp_path):
    (opened,) = together(complaint(watch, "msg_0").served(whole))
    ticket = opened.json["tiket"]
    with sqlite3.connect(tmp_path / "alur.db") as other:
        other.execute("UPDATE cases SET key = ?", (b"wrapped by nobody we know",))
    withdrawn = message(watch, "msg_1", "pengaduan.dibatalkan", {"tiket": ticket, "alasan": "Sudah selesai.", "oleh": "Budi"})
    answers = together(withdrawn.served(whole), *(complaint(watch, f"msg_{n}").served(whole) for n in range(2, AT_ONCE)))
    assert [answer.status_code for answer in answers] == [500] + [202] * (AT_ONCE - 2)
    assert len(parts.store.tickets()) == AT_ONCE - 1


def test_who_is_cut_off_while_it_waits_takes_nothing_from_the_others(whole, watch, parts):
    async def scene() -> list[Response]:
        impatient = asyncio.create_task(complaint(watch, "msg_0").served(whole))
        patient = [asyncio.create_task(complaint(watch, f"msg_{n}").served(whole)) for n in range(1, 4)]
        while not whole._arrived:  # noqa: ASYNC110, SLF001 -- the moment between reading and writing is nobody else's business
            await asyncio.sleep(0)
        impatient.cancel()
        return list(await asyncio.gather(*patient))

    assert [answer.status_code for answer in asyncio.run(scene())] == [202] * 3
    assert len(parts.store.tickets()) >= 3
    assert together(complaint(watch, "msg_9").served(whole))[0].status_code == 202


@pytest.mark.parametrize(("fault", "status"), [(StoreDown("gone"), 503), (OSError("full"), 503), (ZeroDivisionError("/srv/alur"), 500)])
def test_no_fault_is_told_in_its_own_words(whole, watch, monkeypatch, caplog, fault, status):
    def fails(self: Store, arrivals: object) -> None:
        raise fault

    monkeypatch.setattr(Store, "keep_together", fails)
    (answer,) = together(complaint(watch, "msg_1").served(whole))
    assert answer.status_code == status
    assert set(answer.json) == {"pesan"}
    assert str(fault) not in answer.json["pesan"]
    assert {record.levelname for record in caplog.records} == {"ERROR"}


def without_length(watch: Watch) -> Sender:
    sender = complaint(watch, "msg_1")
    sender.scope["headers"] = [(name, value) for name, value in sender.scope["headers"] if name != b"content-length"]
    return sender


def large(watch: Watch) -> Sender:
    """More than is read here: a form among many spaces."""
    return complaint(watch, "msg_1", spaces=LARGEST)


@pytest.mark.parametrize("as_sent", [large, without_length])
def test_a_large_body_and_one_of_unknown_length_go_to_the_threads_of_the_pages(
    whole, watch, parts, monkeypatch, as_sent: Callable[[Watch], Sender]
):
    by_pages: list[str] = []
    pages = whole._pages  # noqa: SLF001 -- which of the two serves is not to be seen from outside

    async def noted(scope: dict[str, Any], receive: Any, send: Any) -> None:
        by_pages.append(scope["path"])
        await pages(scope, receive, send)

    monkeypatch.setattr(whole, "_pages", noted)
    (served,) = together(as_sent(watch).served(whole))
    assert by_pages == [PATH]
    assert served.status_code == 202
    assert parts.store.tickets() == ["SI-2026-000001"]


def test_pages_are_served_beside(whole):
    hook = {"Content-Length": "2", "X-Gitlab-Token": HOOK_TOKEN}
    live, unknown, called = together(
        Sender("/live", {}, method="GET").served(whole),
        Sender("/tidak/ada", {}, method="GET").served(whole),
        Sender("/webhooks/gitlab", hook, b"{}").served(whole),
    )
    assert (live.status_code, live.json) == (200, {"live": True})
    assert (unknown.status_code, called.status_code) == (404, 200)
