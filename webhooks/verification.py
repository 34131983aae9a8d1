"""Where anybody asks whether a paper is genuine: `GET /dokumen/{id}`, the address printed on it, as JSON and as a small page.

Told is what is printed on the paper anyway, without the persons, and whether it still counts: nothing of the complaint. An id that was
never given is answered as an address that is not there.
"""

from flask import Blueprint, Response, jsonify, request

from integration.codec import Json
from integration.procedure.case import fold
from integration.procedure.definition import by_revision
from integration.procedure.events import PersonalDataErased
from integration.procedure.papers import ledger_at, signings, standing, superseding, to_sign
from integration.store import NumberState
from integration.templates import messages
from webhooks.edge import Edge, for_a_browser, refusal
from webhooks.limits import Allowance, waiting
from webhooks.pages import page

AT_ONCE, PAUSE = 60, 1.0
"""How often one address may ask: so many times, then once in so many seconds. A whole campus may stand behind one."""


def verification(edge: Edge) -> Blueprint:
    """The one route."""
    pages = Blueprint("verification", __name__)
    allowance = Allowance(AT_ONCE, PAUSE)

    @pages.get("/dokumen/<public_id>")
    def paper(public_id: str) -> Response:
        wait = allowance.take_here()
        if wait:
            return waiting(_refused(429, "too_many"), wait)
        told = _told(edge, public_id)
        if told is None:
            return _refused(404, "unknown_paper")
        return _page(told, "", 200) if for_a_browser() else jsonify(told)

    return pages


def _told(edge: Edge, public_id: str) -> Json | None:
    """What anybody may know of the paper with this id; None where there is none. Days as ISO 8601 in the calendar's zone.

    The hash of a paper says nothing of a person: whoever holds the paper can have it proved though the case's data was erased.
    """
    found = edge.store.verifiable(public_id)
    if found is None:
        return None
    ledger = edge.store.entries(found.ticket)
    entries = [entry for entry in ledger if not isinstance(entry.event, PersonalDataErased)]
    issued = ledger_at(found.document, entries)
    then, now = fold(issued), fold(entries)
    assert then and now  # noqa: S101, PT018 -- only a paper that a case issued has an id
    paper = next(paper for paper in now.documents if paper.id == found.document)
    procedure = by_revision(edge.procedures)[now.procedure, paper.revision]
    signed = signings(procedure, then, paper)
    later = superseding(procedure, now, paper)
    waits = to_sign(procedure, now, paper) if edge.organisation.papers.provider and len(entries) == len(ledger) else ()
    void = edge.store.number_state(paper.number) is NumberState.VOID
    return {
        "jenis": paper.document,
        "judul": procedure.document(paper.document).title,
        "nomor": paper.number or None,
        "tanggal": edge.day(paper.issued_at),
        "pejabat": [signing.capacity or edge.centre for signing in signed],
        "edisi": paper.edition,
        "versi": paper.version,
        "sha256": paper.sha256 or None,
        "keadaan": standing(procedure, now, paper, void=void).value,
        "digantikan_oleh": {"versi": later.version, "tanggal": edge.day(later.issued_at)} if later else None,
        "naskah_bertanda_tangan": [
            {
                "pejabat": copy.capacity,
                "tanggal": edge.day(copy.at),
                "cara": copy.provider,
                "sha256": copy.sha256,
                "lengkap": copy.complete,
            }
            for copy in paper.copies
        ],
        "menunggu_tanda_tangan": [signing.capacity for signing in waits],
    }


def _refused(code: int, sentence: str) -> Response:
    return _page(None, messages("edge")[sentence], code) if for_a_browser() else refusal(code, sentence)


def _page(told: Json | None, sentence: str, code: int) -> Response:
    """The small page. It can send nothing anywhere: the one script reads a file where it lies."""
    here = f"{request.path}/tanda-tangan" if told and told["menunggu_tanda_tangan"] else ""
    return page("dokumen.html", code, told=told, sentence=sentence, checks=messages("signing"), sign_here=here)
