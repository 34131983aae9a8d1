"""From what the portal rebuilds its view: `GET /layanan/pengaduan`, every case as its own address tells it, by its last change.

Whoever reads from the beginning to the end has all of them; whoever comes again with the last cursor gets what changed since.
"""

import base64

from flask import Blueprint, Response, jsonify, request

from integration.codec import Json
from integration.procedure.case import fold
from webhooks.edge import Edge, refusal, unsigned
from webhooks.status import told_of

DEFAULT_SIZE, SIZES = 50, {str(n): n for n in range(1, 101)}
"""How many cases there are on a page, and may be."""

_WIDTH = 8  # bytes of a place in a cursor


def listing(edge: Edge) -> Blueprint:
    """The one route."""
    pages = Blueprint("listing", __name__)

    @pages.get("/layanan/pengaduan")
    def cases() -> Response:
        denied = unsigned(edge)
        if denied:
            return refusal(*denied)
        after, size = place_in(request.args.get("kursor", "")), SIZES.get(request.args.get("jumlah", str(DEFAULT_SIZE)))
        if after is None or size is None:
            return refusal(400, "cursor" if after is None else "page_size")
        page = edge.store.listed(after, size + 1)
        if page is None:
            return refusal(410, "cursor_gone")
        shown = page[:size]
        told = _told(edge, [listed.ticket for listed in shown])
        return jsonify(pengaduan=told, kursor=cursor(shown[-1].place if shown else after), masih_ada=len(page) > size)

    return pages


def _told(edge: Edge, tickets: list[str]) -> list[Json]:
    """The cases as the unit may see them, in this order."""
    cases = filter(None, map(fold, edge.store.ledgers(sorted(tickets))))
    known = {case.ticket: case for case in cases}
    now = edge.clock()
    return [told_of(ticket, known.get(ticket), edge.procedures, edge.calendar, now) for ticket in tickets]


def cursor(place: int) -> str:
    """A place as the portal keeps it."""
    return base64.urlsafe_b64encode(place.to_bytes(_WIDTH)).rstrip(b"=").decode()


def place_in(text: str) -> int | None:
    """The place in a cursor of ours, the beginning for none; None for anything else."""
    if not text:
        return 0
    try:
        place = int.from_bytes(base64.urlsafe_b64decode(text + "="))
    except ValueError:
        return None
    return place if place < 1 << 63 and cursor(place) == text else None
