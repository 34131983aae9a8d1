"""Files the unit sent along: handed out to whoever signed in and works here, and to whoever holds the case's link; to nobody else.

Only what was looked over is shown, under the type its content has; anything but pictures, PDF and text is for saving, not for opening.
"""

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from integration import attachments
from integration.procedure.case import fold
from integration.templates import messages
from webhooks.edge import Edge, for_a_browser, refusal
from webhooks.login import Login, reader
from webhooks.pages import disposition, notice
from webhooks.statuspages import denied

SHOWN = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "application/pdf", "text/plain"})


def attached_files(edge: Edge, login: Login) -> Blueprint:
    """The one route."""
    pages = Blueprint("attached", __name__)

    @pages.get("/layanan/pengaduan/<ticket>/lampiran/<sha256>")
    def attached(ticket: str, sha256: str) -> AnyResponse:
        who = reader()
        refused = None if who and edge.works_here(who.account) else denied(edge, ticket)
        if refused:
            if not (login.open and for_a_browser()) or "token" in request.args:
                return refusal(*refused)
            if who is not None:
                return notice("attachment", "attachment_strange", 403)
            return redirect(f"/masuk?ke={request.path}", 303)
        case = fold(edge.store.entries(ticket))
        came = [*(form.attachments for form in case.submissions), *(sent.attachments for sent in case.sent)] if case else []
        files = [file for each in came for file in each]
        file = next((file for file in files if file.sha256 == sha256), None)
        if file is None:
            return refusal(404, "unknown_file")
        if edge.restricted(ticket):
            return notice("attachment", "data_restricted", 403)
        found = attachments.kept(edge.store, ticket, sha256)
        if found is None:
            return notice("attachment", "attachment_soon", 404, request.full_path, "again")
        if not found.shown:
            return notice("attachment", "attachment_refused", 404, reason=messages("attachment")[found.refused])
        return _handed_out(edge.files.get(ticket, found.shown), found.media_type, file.name)

    return pages


def _handed_out(content: bytes, media_type: str, name: str) -> Response:
    shown = media_type in SHOWN
    answer = Response(content, mimetype=media_type if shown else "application/octet-stream")
    answer.headers["Content-Disposition"] = disposition("inline" if shown else "attachment", name)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return answer
