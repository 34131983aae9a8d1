"""Where papers are signed: whoever signs one, or hands in what others signed, does it at `/dokumen/{id}/tanda-tangan`.

What comes here is kept and answered; the worker looks at it and decides. NIK and passphrase go on to the client service of the national CA
in the same request, and are kept nowhere.
"""

import logging
import re
import secrets
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, request
from pydantic import SecretStr
from werkzeug.wrappers import Response as AnyResponse

from integration import logs
from integration.bsre import Bsre, Declined
from integration.codec import fact_bytes
from integration.files import LARGEST_SIGNED
from integration.procedure.case import Case, Paper, fold
from integration.procedure.definition import Procedure, by_revision
from integration.procedure.facts import Actor, ActorKind, Copy, SignedCopyGiven
from integration.procedure.offices import Provider
from integration.procedure.papers import Signing, to_sign
from integration.procedure.people import Situation
from integration.procedure.signing import may_hand_in
from integration.store import Delivery, Kept, NumberState
from integration.templates import messages
from webhooks.edge import Edge
from webhooks.limits import Allowance, waiting
from webhooks.login import Login, Reader, signed_in
from webhooks.pages import disposition, notice, page

AT_ONCE, PAUSE = 5, 30.0  # how often one account may try to sign: a passphrase is not to be guessed here, nor locked by hasty hands
NIK = re.compile(r"[0-9]{16}")
ONCE = re.compile(r"[\w-]{16}")
AGAIN = frozenset({Declined.DOWN, Declined.FOREIGN, Declined.CREDENTIALS})  # none of them is the signer's doing

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """A paper that waits for a signature, and how whoever is here gives it. `live`: by NIK and passphrase, else by a file."""

    public_id: str
    case: Case
    paper: Paper
    procedure: Procedure
    provider: Provider
    signing: Signing
    live: bool

    @property
    def sha256(self) -> str:
        """The hash of the file that is to be signed: the paper, with the signatures that came before."""
        before = [copy.sha256 for copy in self.paper.copies if copy.provider != Provider.WET]
        return before[-1] if before else self.paper.sha256

    @property
    def told(self) -> dict[str, object]:
        """What the page says of it."""
        kind = self.procedure.document(self.paper.document)
        return {"title": kind.title, "number": self.paper.number, "version": self.paper.version, "capacity": self.signing.capacity}


def signing_pages(edge: Edge, login: Login) -> Blueprint:
    """The page, its form, and the file that is signed."""
    pages = Blueprint("signing", __name__)
    allowance = Allowance(AT_ONCE, PAUSE)

    @pages.get("/dokumen/<public_id>/tanda-tangan")
    @login.required
    def sign(public_id: str) -> AnyResponse:
        desk = _desk(edge, public_id, signed_in())
        return _form(desk) if isinstance(desk, Desk) else desk

    @pages.get("/dokumen/<public_id>/tanda-tangan/naskah.pdf")
    @login.required
    def sheet(public_id: str) -> AnyResponse:
        desk = _desk(edge, public_id, signed_in())
        if not isinstance(desk, Desk):
            return desk
        answer = Response(edge.files.get(desk.case.ticket, desk.sha256), mimetype="application/pdf")
        answer.headers["Content-Disposition"] = disposition("attachment", f"{desk.paper.document}-{desk.paper.version}.pdf")
        return answer

    @pages.post("/dokumen/<public_id>/tanda-tangan")
    @login.required
    def signed(public_id: str) -> AnyResponse:
        desk = _desk(edge, public_id, signed_in())
        if not isinstance(desk, Desk):
            return desk
        wait = allowance.take(signed_in().account) if desk.live else 0.0
        if wait:
            return waiting(_form(desk, messages("edge")["sign_too_often"], 429), wait)
        content = _by_passphrase(edge, desk) if desk.live else _by_file(desk)
        return _kept(edge, desk, content) if isinstance(content, bytes) else content

    return pages


def _desk(edge: Edge, public_id: str, who: Reader) -> Desk | Response:
    """The paper with this id where it waits for what this person may give; a page that says why not."""
    found, organisation = edge.store.verifiable(public_id), edge.organisation
    if found is None:
        return notice("signing", "unknown_paper", 404)
    provider = organisation.papers.provider
    if provider is None or (provider is Provider.BSRE and edge.bsre_credentials is None):
        return notice("signing", "signing_closed", 404)
    case = fold(edge.store.entries(found.ticket))
    assert case is not None  # noqa: S101 -- only a paper that a case issued has an id
    paper = next(paper for paper in case.documents if paper.id == found.document)
    procedure = by_revision(edge.procedures)[case.procedure, case.revision]
    waits = to_sign(procedure, case, paper)
    if not waits or edge.store.number_state(paper.number) is NumberState.VOID:
        return notice("signing", "signing_done" if paper.of_record else "signing_nothing", 409, f"/dokumen/{public_id}", "signing_paper")
    situation = Situation(procedure, organisation, case, _actor(who), edge.clock())
    if who.account not in {person.account for person in may_hand_in(situation, waits[0])}:
        return notice("signing", "signing_not_yours", 403, f"/dokumen/{public_id}", "signing_paper")
    own = waits[0].by is not None and waits[0].by.account == who.account
    return Desk(public_id, case, paper, procedure, provider, waits[0], live=own and provider is Provider.BSRE)


def _actor(who: Reader) -> Actor:
    return Actor(ActorKind.PERSON, who.account, who.name)


def _form(desk: Desk, sentence: str = "", code: int = 200) -> Response:
    """The page with its form, for whoever it waits for; what was typed before is not shown again."""
    way = Provider.WET if desk.provider is Provider.WET else Provider.UPLOAD
    once, key = secrets.token_urlsafe(12), signed_in().form_key
    return page("tanda-tangan.html", code, forms=True, desk=desk, told=desk.told, way=way.value, sentence=sentence, once=once, key=key)


def _by_passphrase(edge: Edge, desk: Desk) -> bytes | Response:
    """The paper signed by the client service while the signer waits; the form again where it was not."""
    nik, passphrase = request.form.get("nik", "").strip(), SecretStr(request.form.get("passphrase", ""))
    if not NIK.fullmatch(nik) or not passphrase.get_secret_value():
        return _form(desk, messages("edge")["sign_incomplete"], HTTPStatus.UNPROCESSABLE_ENTITY)
    service = Bsre(edge.organisation.papers.signing_address, edge.bsre_credentials or SecretStr(""))
    answer = service.sign(edge.files.get(desk.case.ticket, desk.sha256), nik, passphrase)
    if isinstance(answer, bytes):
        return answer
    with logs.about(case=desk.case.ticket):
        log.warning("the client service signed nothing: %s", answer.value)
    code = HTTPStatus.SERVICE_UNAVAILABLE if answer in AGAIN else HTTPStatus.UNPROCESSABLE_ENTITY
    return _form(desk, messages("bsre")[answer], code)


def _by_file(desk: Desk) -> bytes | Response:
    """The file that was sent; the form again where there is none, or a too large one."""
    file = request.files.get("naskah")
    content = file.stream.read(LARGEST_SIGNED + 1) if file else b""
    if not content:
        return _form(desk, messages("refusals")["one_file"], HTTPStatus.UNPROCESSABLE_ENTITY)
    return _form(desk, messages("refusals")["file_too_large"], 413) if len(content) > LARGEST_SIGNED else content


def _kept(edge: Edge, desk: Desk, content: bytes) -> Response:
    """Keep the file, then what is said of it; the same form with the same file is kept once, however often it is sent."""
    once, who = request.form.get("sekali", ""), signed_in()
    if not ONCE.fullmatch(once):
        return notice("signing", "form_stale", 400, request.path, "again")
    way = Provider.BSRE if desk.live else Provider.WET if desk.provider is Provider.WET else Provider.UPLOAD
    copy = Copy(edge.files.put(desk.case.ticket, content), len(content), "")
    key, ticket = f"page:{desk.public_id}:{once}:{copy.sha256}", desk.case.ticket
    role = request.form.get("penanda-tangan", "")
    fact = SignedCopyGiven(key, edge.clock(), _actor(who), desk.paper.document, desk.paper.id, role, way.value, copy)
    kept = edge.store.keep(Delivery("page", key, ticket, fact_bytes(fact)))
    with logs.about(case=ticket):
        log.info("a signed copy was kept" if isinstance(kept, Kept) and kept.fresh else "a signed copy was repeated")
    edge.bell.ring()
    return notice("signing", "signing_kept", 202, f"/dokumen/{desk.public_id}", "signing_paper")
