"""Where the unit looks: `GET /layanan/pengaduan/{tiket}`, as JSON for the portal and as a small page for a browser.

Shown to whoever signs as the portal does, or holds the link of the ticket; never without either.
"""

from flask import Blueprint, Response, jsonify, make_response, render_template, request

from integration import signatures
from integration.codec import Json
from integration.procedure.case import fold
from integration.templates import messages
from webhooks.edge import Edge, for_a_browser, refusal, unsigned
from webhooks.status import told_of


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
    denied = unsigned(edge)
    return (401, "link_invalid") if denied == (400, "header_missing") and for_a_browser() else denied


def _status(edge: Edge, ticket: str) -> Json | None:
    """The case as the unit may see it; None for a ticket that does not exist."""
    case = fold(edge.store.entries(ticket))
    if case is None and not edge.store.ticket_exists(ticket):
        return None
    return told_of(ticket, case, edge.procedures, edge.calendar, edge.clock())


def _page(told: Json | None, answer: tuple[int, str]) -> Response:
    """The small page; it loads nothing and gives its address to nobody, for the address holds the token."""
    code, sentence = answer
    page = make_response(render_template("status.html", told=told, sentence=messages("edge")[sentence] if sentence else ""), code)
    page.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return page
