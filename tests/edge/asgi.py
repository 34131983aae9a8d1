"""Requests to the front, as an asynchronous server hands them over."""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from flask import Response

from webhooks.front import Front

PATIENCE = 30  # seconds


class Sender:
    """One request, its body in pieces; `left`: its sender goes away before the last of them."""

    def __init__(self, path: str, head: Mapping[str, str], *pieces: bytes, method: str = "POST", left: bool = False) -> None:
        self.scope: Any = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in head.items()],
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 50000),
        }
        last = {"type": "http.disconnect"} if left else {"type": "http.request", "body": b"", "more_body": False}
        self.coming: list[Any] = [*({"type": "http.request", "body": piece, "more_body": True} for piece in pieces), last]
        self.sent: list[Any] = []

    async def receive(self) -> Any:
        """The next piece."""
        await asyncio.sleep(0)
        return self.coming.pop(0)

    async def send(self, message: Any) -> None:
        """Note what is answered."""
        self.sent.append(message)

    async def served(self, by: Front) -> Response:
        """What is answered. ValueError where nothing is."""
        await by(self.scope, self.receive, self.send)
        if not self.sent:
            raise ValueError("no answer")
        start, *rest = self.sent
        head = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
        return Response(b"".join(message["body"] for message in rest), start["status"], head)


class FrontClient:
    """Sends to a front as Flask's test client does to a Flask application: one event loop for all threads that send."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def post(self, path: str, *, data: bytes, headers: Mapping[str, str], content_type: str | None = None) -> Response:
        """Send a body whose length is told."""
        head = {"Host": "localhost", "Content-Length": str(len(data)), **headers}
        if content_type:
            head["Content-Type"] = content_type
        return asyncio.run_coroutine_threadsafe(Sender(path, head, data).served(self.front), self.loop).result(PATIENCE)

    def get(self, path: str, *, headers: Mapping[str, str]) -> Response:
        """Ask for a page."""
        sender = Sender(path, {"Host": "localhost", **headers}, method="GET")
        return asyncio.run_coroutine_threadsafe(sender.served(self.front), self.loop).result(PATIENCE)

    def close(self) -> None:
        """End the loop."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()
