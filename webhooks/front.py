"""The edge as `alur web` serves it: calls of programs are read one after the other in one thread, and pages have threads of their own.

The interpreter lets one thread go on at a time, and each time another: sixteen that read forms take longer than one (decision 24).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from a2wsgi import WSGIMiddleware
from a2wsgi.asgi_typing import Receive, Scope, Send
from a2wsgi.wsgi_typing import WSGIApp
from flask import Flask, Response
from werkzeug.exceptions import RequestTimeout

from integration.store import LARGEST_GROUP, Arrival, Outcome, StoreDown
from webhooks.calls import Call, Taking
from webhooks.edge import failed, for_nobody_else

if TYPE_CHECKING:
    from wsgiref.types import StartResponse

PAGES = 16
"""Threads that serve pages, and calls with large bodies: whoever sends those slowly holds one."""

ASKING = 8
"""Threads in which calls ask the store for something, and the disk."""

MOST_WAITING = 64 * 1024 * 1024
"""Bytes of bodies that may wait to be written; whoever comes while more do is told to come again."""

LARGEST = 256 * 1024
"""Bytes of a call that is read here: so much is held of each that is on its way, and it holds up nobody however slowly it comes."""

WHOLE_BODY, LARGER_BODY = 30.0, 300.0
"""Seconds in which such a body has to come, and any other: whoever takes longer is left, for there are only so many connections."""

WAITED = 5.0
"""Seconds a body has still that waited for a thread longer than that. What came meanwhile is read at once; a large one is sent on only now
and may have to come again, or those who send nothing would keep all others waiting for a quarter of an hour."""

Waiting = tuple[Arrival, asyncio.Future[Outcome]]
Keep = Callable[[Sequence[Arrival]], Awaitable[list[Outcome]]]
"""Keeps these in one transaction, and gives the outcome of each. Raises StoreDown. Called again only once it has ended."""


class Front:
    """An ASGI application: `calls` by their paths, and for all else the pages of `app`. `keep`: what the calls bring."""

    def __init__(self, app: Flask, calls: Mapping[str, Call], keep: Keep) -> None:
        self._pages = WSGIMiddleware(cast(WSGIApp, partial(_to_the_end, app)), workers=PAGES)
        self._calls = calls
        self._keep_together = keep
        self._threads = ThreadPoolExecutor(ASKING, thread_name_prefix="asking")
        self._arrived: deque[Waiting] = deque()
        self._bytes = 0  # of the bodies in it
        self._writing: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in self._calls:
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            if _small(headers.get("content-length", "")):
                answer = await self._answer(self._calls[scope["path"]], headers, _in_time(receive, WHOLE_BODY))
                if answer is not None:
                    await _send(for_nobody_else(answer), send)
                return
        await self._pages(scope, _in_time(receive, LARGER_BODY), send)

    async def _answer(self, call: Call, headers: Mapping[str, str], receive: Receive) -> Response | None:
        """The answer; None where its sender left before the end of the body."""
        try:
            body = await _whole(receive)
            return None if body is None else await self._taken(call(headers, body))
        except Exception as fault:  # noqa: BLE001 -- nobody else would answer
            return failed(fault, headers)

    async def _taken(self, taking: Taking) -> Response:
        """The answer; what has to be waited for is waited for in other threads."""
        loop = asyncio.get_running_loop()
        try:
            waits = next(taking)
            while True:
                try:
                    if isinstance(waits, Arrival):
                        came = await self._entered(waits)
                    else:
                        came = await loop.run_in_executor(self._threads, copy_context().run, waits)
                except BaseException as fault:  # noqa: BLE001 -- it is the taker's, also that nobody waits for the answer any more
                    waits = taking.throw(fault)
                else:
                    waits = taking.send(came)
        except StopIteration as end:
            answer: Response = end.value
            return answer

    def _entered(self, arrival: Arrival) -> "asyncio.Future[Outcome]":
        """What becomes of an arrival, once it is on disk. Those that come while a transaction runs share the next one. Raises StoreDown."""
        if self._bytes > MOST_WAITING:
            raise StoreDown(f"{len(self._arrived)} messages wait to be written already")
        self._bytes += len(arrival.delivery.body)
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._arrived.append((arrival, outcome))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return asyncio.shield(outcome)  # whoever leaves now takes nothing from the others

    async def _write(self) -> None:
        """Keep all that has arrived, and what arrives meanwhile."""
        while self._arrived:
            group = [self._arrived.popleft() for _ in range(min(len(self._arrived), LARGEST_GROUP))]
            self._bytes -= sum(len(arrival.delivery.body) for arrival, _ in group)
            await self._keep(group)
        self._writing = None

    async def _keep(self, group: Sequence[Waiting]) -> None:
        """Keep these in one transaction; where one of them makes that fail, each alone: it takes nothing from the others."""
        arrivals = [arrival for arrival, _ in group]
        try:
            outcomes = list(zip(group, await self._keep_together(arrivals), strict=True))
        except Exception as fault:  # noqa: BLE001 -- it is theirs who wait
            if isinstance(fault, StoreDown) or len(group) == 1:
                for _, outcome in group:
                    outcome.set_exception(StoreDown(str(fault)) if isinstance(fault, StoreDown) else fault)
            else:
                for one in group:
                    await self._keep([one])
        else:
            for (_, outcome), came in outcomes:
                outcome.set_result(came)


def _to_the_end(app: Flask, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
    """Serve a page; a body whose length is not told ends where nothing more comes."""
    return app(environ | {"wsgi.input_terminated": True}, start_response)


async def _send(answer: Response, send: Send) -> None:
    head = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": head})
    await send({"type": "http.response.body", "body": answer.get_data()})


def _small(length: str) -> bool:
    """Whether a body of this `Content-Length` is read here; one whose length is not told is not."""
    return length.isascii() and length.isdecimal() and int(length) <= LARGEST


def _in_time(receive: Receive, seconds: float) -> Receive:
    """The same, but that the whole body has to come within so many seconds. Raises RequestTimeout."""
    time = asyncio.get_running_loop().time
    last, end, whole = time() + seconds, 0.0, False

    async def received() -> Any:  # noqa: ANN401 -- whatever the server says
        nonlocal end, whole
        end = end or max(last, time() + WAITED)
        try:
            async with asyncio.timeout_at(None if whole else end):
                message = await receive()
        except TimeoutError:
            raise RequestTimeout from None
        whole = not message.get("more_body", False)
        return message

    return received


async def _whole(receive: Receive) -> bytes | None:
    """The body; None where its sender left before its end. Raises RequestTimeout."""
    pieces = []
    while (message := await receive())["type"] == "http.request":
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)
    return None
