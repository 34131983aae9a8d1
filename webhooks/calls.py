"""What comes from programs, the portal and GitLab, in two parts: what is only read and reckoned, and what has to be waited for.

A call is taken by a generator. It yields what has to wait for the disk or the database, an arrival or something to be called, is given what
came of it, and returns the answer. Who serves it says where the waiting is done: in the thread of the request itself, or beside it.
"""

from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response

from integration.store import Arrival, Store
from webhooks.edge import headers_here, whole_body

Waits = Arrival | Callable[[], Any]
Taking = Generator[Waits, Any, Response]
Call = Callable[[Mapping[str, str], bytes], Taking]
"""Takes the headers, by their names in small letters, and the body."""


def routes(calls: Mapping[str, Call], store: Store) -> Blueprint:
    """A route for each of these paths, which waits in the thread of its request."""
    pages = Blueprint("calls", __name__)
    for path, call in calls.items():
        pages.add_url_rule(path, path.rpartition("/")[2], partial(_here, call, store), methods=["POST"])
    return pages


def _here(call: Call, store: Store) -> Response:
    taking = call(headers_here(), whole_body())
    step: Callable[[], Waits] = partial(next, taking)
    while True:
        try:
            waits = step()
        except StopIteration as end:
            answer: Response = end.value
            return answer
        try:
            step = partial(taking.send, store.enter(waits) if isinstance(waits, Arrival) else waits())
        except Exception as fault:  # noqa: BLE001 -- it is the taker's
            step = partial(taking.throw, fault)
