"""Where the unit looks: `GET /layanan/pengaduan/{tiket}`, as JSON for the portal and as a small page, and the papers meant for it.

Shown to whoever signs as the portal does, or holds the link of the ticket; never without either.
"""

import mimetypes

from flask import Blueprint, Response, jsonify, request

from integration import signatures
from integration.procedure.case import fold
from integration.procedure.definition import by_revision
from integration.templates import messages
from webhooks.edge import Edge, for_a_browser, refusal, unsigned
from webhooks.pages import disposition, page
from webhooks.status import timeline, told_of


def status_pages(edge: Edge) -> Blueprint:
    """Where a case stands, and its papers."""
    pages = Blueprint("status", __name__)

    @pages.get("/layanan/pengaduan/<ticket>")
    def status(ticket: str) -> Response:
        refused = denied(edge, ticket)
        if refused:
            return _refused_page(refused) if for_a_browser() else refusal(*refused)
        case = fold(edge.store.entries(ticket))
        if case is None and not edge.store.ticket_exists(ticket):
            return refusal(404, "unknown_ticket")
        told = told_of(ticket, case, edge.procedures, edge.calendar, edge.clock())
        if not for_a_browser():
            return jsonify(told)
        way = timeline(by_revision(edge.procedures), edge.calendar, case) if case else []
        return page("status.html", told=told, timeline=way, links=edge.links)

    @pages.get("/layanan/pengaduan/<ticket>/dokumen/<sha256>")
    def paper(ticket: str, sha256: str) -> Response:
        refused = denied(edge, ticket)
        if refused:
            return _refused_page(refused) if for_a_browser() else refusal(*refused)
        told = told_of(ticket, fold(edge.store.entries(ticket)), edge.procedures, edge.calendar, edge.clock())["dokumen"]
        files = [(each["judul"], file) for each in told for file in ({"sha256": each["sha256"]}, each["bertanda_tangan"]) if file]
        title, found = next(((title, file) for title, file in files if file["sha256"] == sha256), ("", None))
        if found is None:
            return refusal(404, "unknown_file")
        if edge.restricted(ticket):
            return _refused_page((403, "data_restricted")) if for_a_browser() else refusal(403, "data_restricted")
        kind = found.get("jenis_berkas", "application/pdf")
        answer = Response(edge.files.get(ticket, sha256), mimetype=kind)
        answer.headers["Content-Disposition"] = disposition("inline", f"{ticket} {title}{mimetypes.guess_extension(kind) or ''}")
        return answer

    return pages


def denied(edge: Edge, ticket: str) -> tuple[int, str] | None:
    """Why this request may not see the ticket: the status and sentence of the refusal."""
    if "token" in request.args:
        held = signatures.status_token_matches(edge.secrets, ticket, request.args["token"])
        return None if held else (401, "link_invalid")
    denied = unsigned(edge)
    return (401, "link_invalid") if denied == (400, "header_missing") and for_a_browser() else denied


def _refused_page(answer: tuple[int, str]) -> Response:
    """What somebody sees who may see nothing. It gives its address to nobody, for the address may hold a token."""
    code, sentence = answer
    return page("status.html", code, told=None, sentence=messages("edge")[sentence])
