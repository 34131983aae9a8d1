"""A GitLab that knows no more than a sweep asks: who asks, its labels, which issues changed, how many are open. It answers at once.

So that what is measured is the service's own work, whatever the number of issues a platform would have to look through.
"""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from integration.labels import all_labels
from integration.procedure.definition import Procedure

PROJECT = "pustikom/pengaduan-si"


class Listing(ThreadingHTTPServer):
    """`changed`: the issues that changed; `opened`: how many are open; `asked`: what was asked for, how often."""

    daemon_threads = True

    def __init__(self, procedure: Procedure) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        labels = enumerate(all_labels([procedure]), start=1)
        self.labels = [{"id": n, "name": label.name, **label.fields, "is_project_label": True} for n, label in labels]
        self.changed: Sequence[Mapping[str, Any]] = ()
        self.opened = 0
        self.asked: Counter[str] = Counter()
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 20  # head and body in one packet: as two, the second waits 40 ms for the first to be acknowledged

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query, what = parse_qs(address.query), address.path.rpartition("/")[2]
        self.server.asked[what] += 1
        if what == "user":
            self._answer({"id": 1, "username": "alur-pos"})
        elif what == quote(PROJECT, safe=""):
            self._answer({"id": 40, "path_with_namespace": PROJECT})
        elif what == "labels":
            self._answer(self.server.labels)
        elif what == "issues" and query.get("scope") == ["created_by_me"]:
            self._answer([], **{"X-Total": str(self.server.opened)})
        elif what == "issues" and "updated_after" in query:
            self._answer(self.server.changed)
        else:
            self._answer({"message": f"nobody taught me {self.path}"}, status=HTTPStatus.NOT_IMPLEMENTED)

    def _answer(self, content: object, *, status: int = HTTPStatus.OK, **headers: str) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is told: the test asks."""


@contextmanager
def listing(procedure: Procedure) -> Iterator[Listing]:
    """One of them, answering while the block runs."""
    with Listing(procedure) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
