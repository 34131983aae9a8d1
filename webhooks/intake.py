"""Where the portal calls: `POST /webhooks/layanan`. Verified, kept, answered; what it leads to is the worker's.

A 202 is given only for what is on disk, attachments included, and a repeat of the same `webhook-id` gets the same one.
"""

import logging
from collections.abc import Mapping

from flask import Response

from integration import forms, logs, signatures, tracing
from integration.figures import MESSAGES_REFUSED
from integration.forms import Message, Revised, Submitted
from integration.store import Arrival, Conflict, Delivery
from webhooks.calls import Taking
from webhooks.edge import Edge, brings_files, delivery_id, refusal, told

log = logging.getLogger(__name__)

PATH = "/webhooks/layanan"

SENTENCES = {signatures.Verdict.MISSING: (400, "header_missing")}
NOT_OURS = (401, "unauthorized")


def taken(edge: Edge, headers: Mapping[str, str], body: bytes) -> Taking:
    """Keep a message of the portal, and answer it."""
    with logs.about(delivery=delivery_id(headers)), tracing.span("message of the portal"):
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return _refused(415, "media_type")
        given = {name: headers.get(name, "").strip() for name in signatures.HEADERS}
        verdict = signatures.verify(edge.secrets, given, body, edge.clock())
        if verdict is not signatures.Verdict.OK:
            return _refused(*SENTENCES.get(verdict, NOT_OURS), f"signature {verdict.value}")
        if not signatures.IDENTIFIER.fullmatch(given[signatures.ID]):
            return _refused(400, "identifier")
        return (yield from _judged(edge, body, {name: given[name] for name in (signatures.ID, signatures.TIMESTAMP)}))


def _judged(edge: Edge, body: bytes, headers: dict[str, str]) -> Taking:
    """What an authentic message says decides whether it is kept."""
    match forms.read(body, edge.forms):
        case forms.NotJson():
            return _refused(400, "no_json")
        case forms.Faults() as faults:
            log.warning("refused: %d faults in what it says", len(faults.faults))
            yield lambda: edge.store.count({MESSAGES_REFUSED.key("422"): 1})
            return told(faults.answer(), 422)
        case message:
            return (yield from _kept(edge, message, body, headers))


def _kept(edge: Edge, message: Message, body: bytes, headers: dict[str, str]) -> Taking:
    """Keep a message, its files first, and answer it."""
    key = headers[signatures.ID]
    if isinstance(message, Submitted):
        arrival = edge.opening(message.data.formulir, key, body, headers)
    else:
        ticket = message.data.tiket
        if not (yield lambda: edge.store.ticket_exists(ticket)):
            return _refused(404, "unknown_ticket")
        if isinstance(message, Revised) and not edge.is_form_of(message.data.formulir, ticket):
            return told(forms.Faults((forms.fault("formulir.kode", "other_form"),)).answer(), 422)
        arrival = Arrival(Delivery("portal", key, ticket, body, headers, edge.links.accepted(ticket)))
    if isinstance(message, Submitted | Revised) and brings_files(message.data.formulir):
        yield edge.files.probe
    kept = yield arrival
    if isinstance(kept, Conflict):
        return _refused(409, "conflict")
    with logs.about(case=kept.answer["tiket"]):
        log.info("kept" if kept.fresh else "repeated")
    if kept.fresh:
        edge.bell.ring()
    return told(kept.answer, 202)


def _refused(status: int, sentence: str, why: str = "") -> Response:
    """A short answer, and a line in the log: by its id the portal's people find out what became of their message."""
    log.warning("refused: %s", why or sentence)
    return refusal(status, sentence)
