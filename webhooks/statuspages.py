"""Where the unit looks: `GET /layanan/pengaduan/{tiket}`, as JSON for the portal and as a small page for a browser.

Shown to whoever signs as the portal does, or holds the link of the ticket; never without either.
"""

from flask import Blueprint, Response, jsonify, request

from integration import signatures
from integration.codec import Json
from integration.procedure.case import fold
from integration.procedure.definition import by_revision
from integration.store import NEW
from integration.templates import messages
from webhooks.edge import Edge, for_a_browser, refusal
from webhooks.pages import page
from webhooks.status import public_status


def status_pages(edge: Edge) -> Blueprint:
    """The one route."""
    pages = Blueprint("status", __name__)

    @pages.get("/layanan/pengaduan/<ticket>")
    def status(ticket: str) -> Response:
        denied = _denied(edge, ticket)
        if denied:
            return _page(None, denied) if for_a_browser() else refusal(*denied)
        told = _status(edge, ticket)
        if told is None:
            return refusal(404, "unknown_ticket")
        return _page(told, (200, "")) if for_a_browser() else jsonify(told)

    return pages


def _denied(edge: Edge, ticket: str) -> tuple[int, str] | None:
    """Why this request may not see the ticket: the status and sentence of the refusal."""
    if "token" in request.args:
        held = signatures.status_token_matches(edge.secrets, ticket, request.args["token"])
        return None if held else (401, "link_invalid")
    verdict = signatures.verify(edge.secrets, dict(request.headers), b"", edge.clock())
    if verdict is signatures.Verdict.MISSING:
        return (401, "link_invalid") if for_a_browser() else (400, "header_missing")
    return None if verdict is signatures.Verdict.OK else (401, "unauthorized")


def _status(edge: Edge, ticket: str) -> Json | None:
    """The case as the unit may see it; None for a ticket that does not exist."""
    case = fold(edge.store.entries(ticket))
    if case is None:
        return {"tiket": ticket, "status": NEW, **dict.fromkeys(WITHOUT_CASE), "dokumen": []} if edge.store.ticket_exists(ticket) else None
    procedure = by_revision(edge.procedures)[case.procedure, case.revision]
    return public_status(procedure, edge.calendar, case, edge.clock())


WITHOUT_CASE = ("langkah", "nama_langkah", "giliran", "batas", "dijeda_sejak", "pengecualian", "tujuan", "perkiraan_selesai")
"""What nobody can say of a form that is kept and not yet worked on."""


def _page(told: Json | None, answer: tuple[int, str]) -> Response:
    """The small page; it loads nothing and gives its address to nobody, for the address holds the token."""
    code, sentence = answer
    return page("status.html", code, told=told, sentence=messages("edge")[sentence] if sentence else "")
