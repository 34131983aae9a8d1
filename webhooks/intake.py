"""Where the portal calls: `POST /webhooks/layanan`. Verified, kept, answered; what it leads to is the worker's.

A 202 is given only for what is on disk, attachments included, and a repeat of the same `webhook-id` gets the same one.
"""

import logging

from flask import Blueprint, Response, jsonify, request

from integration import forms, logs, signatures, tracing
from integration.codec import Json
from integration.figures import MESSAGES_REFUSED
from integration.forms import Message, Revised, Submitted
from integration.store import Conflict, Delivery
from webhooks.edge import Edge, delivery_id, refusal, whole_body

log = logging.getLogger(__name__)

SENTENCES = {signatures.Verdict.MISSING: (400, "header_missing")}
NOT_OURS = (401, "unauthorized")


def intake(edge: Edge) -> Blueprint:
    """The one route."""
    pages = Blueprint("intake", __name__)

    @pages.post("/webhooks/layanan")
    def layanan() -> Response:
        with logs.about(delivery=delivery_id()), tracing.span("message of the portal"):
            if request.mimetype != "application/json":
                return _refused(415, "media_type")
            body = whole_body()
            given = {name: request.headers.get(name, "").strip() for name in signatures.HEADERS}
            verdict = signatures.verify(edge.secrets, given, body, edge.clock())
            if verdict is not signatures.Verdict.OK:
                return _refused(*SENTENCES.get(verdict, NOT_OURS), f"signature {verdict.value}")
            if not signatures.IDENTIFIER.fullmatch(given[signatures.ID]):
                return _refused(400, "identifier")
            return _judged(edge, body, {name: given[name] for name in (signatures.ID, signatures.TIMESTAMP)})

    return pages


def _judged(edge: Edge, body: bytes, headers: dict[str, str]) -> Response:
    """What an authentic message says decides whether it is kept."""
    match forms.read(body, edge.forms):
        case forms.NotJson():
            return _refused(400, "no_json")
        case forms.Faults() as faults:
            log.warning("refused: %d faults in what it says", len(faults.faults))
            edge.store.count({MESSAGES_REFUSED.key("422"): 1})
            return _answer(faults.answer(), 422)
        case message:
            return _kept(edge, message, body, headers)


def _kept(edge: Edge, message: Message, body: bytes, headers: dict[str, str]) -> Response:
    """Keep a message, its files first, and answer it."""
    key = headers[signatures.ID]
    if isinstance(message, Submitted):
        kept = edge.open_case(message.data.formulir, key, body, headers)
    else:
        ticket = message.data.tiket
        if not edge.store.ticket_exists(ticket):
            return _refused(404, "unknown_ticket")
        if isinstance(message, Revised):
            if not edge.is_form_of(message.data.formulir, ticket):
                return _answer(forms.Faults((forms.fault("formulir.kode", "other_form"),)).answer(), 422)
            edge.make_room(message.data.formulir)
        kept = edge.store.keep(Delivery("portal", key, ticket, body, headers, edge.accepted(ticket)))
    if isinstance(kept, Conflict):
        return _refused(409, "conflict")
    with logs.about(case=kept.answer["tiket"]):
        log.info("kept" if kept.fresh else "repeated")
    if kept.fresh:
        edge.bell.ring()
    return _answer(kept.answer, 202)


def _refused(status: int, sentence: str, why: str = "") -> Response:
    """A short answer, and a line in the log: by its id the portal's people find out what became of their message."""
    log.warning("refused: %s", why or sentence)
    return refusal(status, sentence)


def _answer(content: Json, status: int) -> Response:
    answer = jsonify(content)
    answer.status_code = status
    return answer
