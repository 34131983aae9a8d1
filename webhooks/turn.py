"""The unit's turn: where it sees what is asked of it, answers with its reasons, and gets a receipt; `/layanan/giliran/{tiket}`.

Reached by the link that the portal and the unit's head are sent (contract.md, "Service -> portal"). What is answered here is kept as the
message the portal would send, and decided the same way: one answer at a time, and none once the case has gone on.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from integration import forms, signatures
from integration.codec import Json, canonical, fact_bytes
from integration.desk import reason_of
from integration.forms import Faults, NotJson, Revised
from integration.procedure.case import Case, fold
from integration.procedure.definition import Procedure, by_revision
from integration.procedure.events import CaseOpened, Entry, FormRevised, RequestRefused
from integration.procedure.facts import Actor, ActorKind, Attachment, FilesSent, LinkAsked
from integration.secrecy import cover
from integration.signatures import TurnHeld
from integration.store import Conflict, Delivery, InboxRow
from integration.templates import messages
from webhooks.edge import LARGEST_BODY, Edge
from webhooks.formfields import CHOICES, PROBLEM, files, filled, shown
from webhooks.limits import Allowance, waiting
from webhooks.pages import notice, page
from webhooks.status import public_status

AT_ONCE, PAUSE = 60, 1.0
PORTAL = "portal:"  # what the cause of an entry begins with that a message of the unit led to
RECEIPT = 12  # hex digits of the answer's hash


@dataclass(frozen=True, slots=True)
class Turn:
    """One stay of a case in a step, as the link's holder sees it. `answers`: what was answered at it here, oldest first.

    `form`: the last one, with its attachments, where it is to be revised.

    `closed`: why nothing can be answered now, a key of templates/messages/turn.yaml; "" where something can.
    """

    ticket: str
    stay: int
    case: Case
    entries: tuple[Entry, ...]
    procedure: Procedure
    answers: tuple[InboxRow, ...]
    form: Json
    closed: str

    @property
    def open(self) -> bool:
        """Whether the unit can answer now."""
        return not self.closed and all(row.state == "done" for row in self.answers)

    @property
    def revises(self) -> bool:
        """Whether the form is to be revised."""
        return self.case.step == self.procedure.revises_at

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The words the unit can answer by."""
        words = [outcome.word for outcome in self.procedure.step(self.case.step).outcomes] if self.case.step is not None else []
        return tuple(word for word in words if forms.answered_by(word))

    @property
    def key(self) -> str:
        """Under which its next answer is kept: sent twice, it counts once."""
        return f"{_mark(self.ticket, self.stay)}{len(self.answers) + 1}"


def turn_pages(edge: Edge) -> Blueprint:
    """The one address, to look at and to answer."""
    pages = Blueprint("turn", __name__)
    allowance = Allowance(AT_ONCE, PAUSE)

    @pages.get("/layanan/giliran/<ticket>")
    def look(ticket: str) -> Response:
        turn = _found(edge, allowance, ticket)
        return turn if isinstance(turn, Response) else _page(edge, turn, _known(turn))

    @pages.post("/layanan/giliran/<ticket>")
    def answer(ticket: str) -> AnyResponse:
        turn = _found(edge, allowance, ticket)
        return turn if isinstance(turn, Response) else _answered(edge, turn)

    @pages.post("/layanan/giliran/<ticket>/tautan")
    def renew(ticket: str) -> Response:
        held = _held(edge, allowance, ticket)
        return held if isinstance(held, Response) else _asked_again(edge, ticket, held.stay)

    return pages


def _answered(edge: Edge, turn: Turn) -> AnyResponse:
    """Keep what the unit says, where it can say something now; the page again, with every fault, where it cannot be read."""
    if turn.open:
        body = canonical({"timestamp": edge.clock().isoformat()} | _message(turn))
        if len(body) > LARGEST_BODY:
            return _page(edge, turn, _known(turn) | request.form.to_dict(), (forms.fault("formulir.lampiran", "too_much"),), 422)
        match forms.read(body):
            case Faults(faults=faults):
                return _page(edge, turn, _known(turn) | request.form.to_dict(), faults, 422)
            case NotJson():  # not what this page sends
                return notice("turn", "form_stale", 400, request.full_path, "again")
            case Revised(data=data):
                edge.make_room(data.formulir)
            case _:
                wrong = _with_files(edge, turn)
                if wrong:
                    return _page(edge, turn, _known(turn) | request.form.to_dict(), wrong, 422)
        kept = edge.store.keep(Delivery("portal", turn.key, turn.ticket, body, {}, edge.links.accepted(turn.ticket)))
        if not isinstance(kept, Conflict) and kept.fresh:
            edge.bell.ring()
    return redirect(request.full_path, 303)


def _with_files(edge: Edge, turn: Turn) -> tuple[forms.Fault, ...]:
    """Keep the files that were sent along with an answer, before the answer; what is wrong with them. Raises OSError, StoreDown."""
    came = forms.read_files(list(files("berkas")))
    if isinstance(came, Faults) or not came:
        return came.faults if isinstance(came, Faults) else ()
    for file in came:
        edge.files.put(turn.ticket, file.content() or b"")
    key, by = f"{turn.key}:berkas", Actor(ActorKind.UNIT, name=request.form.get("oleh", ""))
    attachments = tuple(Attachment(file.nama, file.jenis, file.ukuran, file.sha256) for file in came)
    sent = FilesSent(key, edge.clock(), by, turn.stay, attachments)
    edge.store.keep(Delivery("page", key, turn.ticket, fact_bytes(sent)))
    return ()


def _found(edge: Edge, allowance: Allowance, ticket: str) -> Turn | Response:
    """The turn the link is for, or the page that says why there is none."""
    held = _held(edge, allowance, ticket)
    if isinstance(held, Response):
        return held
    if held.until < edge.clock():
        words, again = messages("edge"), f"/layanan/giliran/{ticket}/tautan?{request.query_string.decode('ascii', 'ignore')}"
        said = {"title": words["turn"], "sentence": words["turn_expired"], "href": edge.links.status(ticket), "link": words["to_status"]}
        return page("pesan.html", 410, forms=True, **said, action=again, button=words["turn_renew"])
    entries = tuple(edge.store.entries(ticket))
    case = fold(entries)
    assert case is not None  # noqa: S101 -- only a case that was opened has a stay to make a link for
    procedure = by_revision(edge.procedures)[case.procedure, case.revision]
    return Turn(
        ticket=ticket,
        stay=held.stay,
        case=case,
        entries=entries,
        procedure=procedure,
        answers=edge.store.portal_messages(_mark(ticket, held.stay)),
        form=_last_form(edge, case, entries) if case.step == procedure.revises_at else {},
        closed=_closed(case, held.stay),
    )


def _held(edge: Edge, allowance: Allowance, ticket: str) -> TurnHeld | Response:
    """What the link is for, were its time over, too; or the page that says why it is for nothing."""
    wait = allowance.take_here()
    if wait:
        return waiting(notice("turn", "too_many", 429), wait)
    return signatures.turn_held(edge.secrets, ticket, request.args.get("token", "")) or notice("turn", "turn_invalid", 401)


def _asked_again(edge: Edge, ticket: str, stay: int) -> Response:
    """Keep it that somebody wants another link: one a day, however often it is asked for."""
    key = f"tautan:{ticket}:{stay}:{edge.today.isoformat()}"
    asked = LinkAsked(key, edge.clock(), Actor(ActorKind.UNIT), stay)
    edge.store.keep(Delivery("page", key, ticket, fact_bytes(asked)))
    edge.bell.ring()
    return notice("turn", "turn_renewed", 202, edge.links.status(ticket), "to_status")


def _mark(ticket: str, stay: int) -> str:
    return f"giliran:{ticket}:{stay}:"


def _closed(case: Case, stay: int) -> str:
    if case.step is None or case.entered_seq != stay:
        return "over"
    if case.paused_since:
        return "paused"
    return "" if case.waits_for_unit else "informs"


def _last_form(edge: Edge, case: Case, entries: tuple[Entry, ...]) -> Json:
    """The form as the case goes by it, attachments and all; {} where its message is there no more.

    What was corrected since is in no message: the kept form has it.
    """
    causes = [entry.cause for entry in entries if isinstance(entry.event, CaseOpened | FormRevised)]
    sent = next(cause for cause in reversed(causes) if cause.startswith(PORTAL))
    row = edge.store.portal_message(sent.removeprefix(PORTAL))
    form: Json = json.loads(row.body)["data"]["formulir"] if row else {}
    if form and causes[-1] != sent:
        kept = json.loads(edge.files.get(case.ticket, case.submission.sha256))
        form |= {"pelapor": kept["pelapor"], "unit_kerja": kept["unit_kerja"]}
    return form


# --- what is answered ---


def _message(turn: Turn) -> Json:
    """The answer as the portal would send it; whatever is wrong with it is told when it is read."""
    given = request.form
    kind, by = given.get("jenis", ""), {"tiket": turn.ticket, "oleh": given.get("oleh", "")}
    if turn.revises and kind == "batal":
        return {"type": "pengaduan.dibatalkan", "data": by | {"alasan": given.get("alasan", "")}}
    if turn.revises:
        return {"type": "pengaduan.direvisi", "data": {"tiket": turn.ticket, "formulir": _revised(turn.form)}}
    word = given.get("hasil", "")
    kind = forms.answered_by(word if word in turn.outcomes else turn.outcomes[0])
    return {"type": kind, "data": by | {"hasil": word, "catatan": given.get("catatan", "")}}


def _revised(form: Json) -> Json:
    """The last form with what was written into the page."""
    revised = filled(form, PROBLEM, request.form)
    keeping = set(request.form.getlist("pertahankan"))
    revised["lampiran"] = [*(file for file in form.get("lampiran") or () if file["sha256"] in keeping), *files("lampiran")]
    revised.pop("pengisian", None)  # it told when the form before was filled in
    return revised


# --- what is shown ---


def _known(turn: Turn) -> dict[str, str]:
    """What the page's fields hold before anything is written into them."""
    head = turn.case.submission
    fields = {place: cover(text) for place, text in shown(turn.form, PROBLEM).items()}
    return fields | {"oleh": f"{head.head_name}, {head.head_title}", "alasan": "", "catatan": ""}


def _page(edge: Edge, turn: Turn, given: Mapping[str, str], faults: tuple[forms.Fault, ...] = (), code: int = 200) -> Response:
    kept = [file for file in turn.form.get("lampiran") or () if isinstance(file, dict)]
    keeping = set(request.form.getlist("pertahankan")) if faults else {file["sha256"] for file in kept}
    return page(
        "giliran.html",
        code,
        forms=turn.open,
        turn=turn,
        form=turn.case.submission,
        told=public_status(turn.procedure, edge.calendar, turn.case, edge.clock()),
        receipts=list(_receipts(turn, edge)),
        reason=reason_of(turn.entries, turn.stay) if turn.revises else "",
        given={"hasil": ""} | dict(given),
        faults=faults,
        choices=CHOICES,
        kept=kept,
        keeping=keeping,
        words=messages("turn"),
        links=edge.links,
    )


def _receipts(turn: Turn, edge: Edge) -> Iterator[Json]:
    """What was answered at this turn, and what became of it."""
    became = {entry.cause: isinstance(entry.event, RequestRefused) for entry in turn.entries}
    for row in turn.answers:
        data, refused = json.loads(row.body)["data"], became.get(f"portal:{row.key}", True)
        yield {
            "number": hashlib.sha256(row.body).hexdigest()[:RECEIPT],
            "at": edge.moment(row.received_at),
            "state": "waiting" if row.state != "done" else "not_applied" if refused else "applied",
            "answer": data.get("hasil", ""),
            "note": cover(data.get("catatan", data.get("alasan", ""))),
            "by": data.get("oleh", ""),
        }
