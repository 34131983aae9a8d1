"""A form that came on paper, entered by whoever examines forms, with its scan; `/meja/formulir`. It is checked as one of the portal's is.

What the unit wrote counts, whoever typed it: the case says that it was entered off line, and by whom.
"""

import secrets
from datetime import datetime

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from integration import forms
from integration.codec import Json, canonical
from integration.forms import Faults, Submitted
from integration.payloads import CLERK
from integration.procedure.definition import Procedure
from integration.store import Conflict, Delivery
from webhooks.desk import ONCE
from webhooks.edge import Edge
from webhooks.formfields import CHOICES, PROBLEM, files, filled
from webhooks.login import Login, Reader, reader
from webhooks.pages import notice, page

PLACES = (
    *("unit_kerja.kode", "unit_kerja.nama"),
    *(f"unit_kerja.pimpinan.{name}" for name in ("nama", "nip", "jabatan", "email")),
    *("pelapor.nama", "pelapor.email", "pelapor.telepon"),
    *PROBLEM,
    *("pdp.versi", "pdp.dasar"),
)
SINCE, FILLED, AGREED, SCAN = "masalah.sejak", "diisi", "disetujui", "pindaian"
NOTICE, BASIS = "2026-01", "tugas-layanan-publik"


def entry_pages(edge: Edge, login: Login) -> Blueprint:
    """The page, and what is entered there."""
    pages = Blueprint("entry", __name__)

    @pages.get("/meja/formulir")
    @login.required
    def look() -> Response:
        if _clerk(edge) is None:
            return notice("entry", "entry_not_yours", 403, "/meja", "to_desk")
        return _page(dict.fromkeys((*PLACES, SINCE, FILLED), "") | {"pdp.versi": NOTICE, "pdp.dasar": BASIS})

    @pages.post("/meja/formulir")
    @login.required
    def enter() -> AnyResponse:
        clerk = _clerk(edge)
        if clerk is None:
            return notice("entry", "entry_not_yours", 403, "/meja", "to_desk")
        body = canonical({"type": "pengaduan.diajukan", "timestamp": edge.clock().isoformat(), "data": {"formulir": _form(edge)}})
        message = forms.read(body)
        given = request.form.to_dict()
        if isinstance(message, Faults):
            return _page(dict.fromkeys((*PLACES, SINCE, FILLED), "") | given, message.faults, 422)
        if not isinstance(message, Submitted) or not message.data.formulir.lampiran:
            return _page(dict.fromkeys((*PLACES, SINCE, FILLED), "") | given, (forms.fault("formulir.lampiran", "scan_needed"),), 422)
        edge.keep_files(message.data.formulir)
        prefix = _procedure(edge).prefix
        year = edge.clock().astimezone(edge.calendar.tz).year
        headers = {CLERK: f"{clerk.name} ({clerk.account})"}
        delivery = Delivery("portal", f"luring:{request.form.get(ONCE, '')[:64]}", "", body, headers)
        kept = edge.store.submit(delivery, prefix, year, edge.accepted)
        if isinstance(kept, Conflict):
            return notice("entry", "entry_twice", 409, "/meja", "to_desk")
        edge.bell.ring()
        return redirect(kept.answer["status_url"], 303)

    return pages


def _procedure(edge: Edge) -> Procedure:
    """The procedure forms of paper open a case of: the newest with a form."""
    return next(procedure for procedure in reversed(edge.procedures) if procedure.form)


def _clerk(edge: Edge) -> Reader | None:
    """Whoever signed in, where they hold the office that examines forms today."""
    who, organisation, procedure = reader(), edge.organisation, _procedure(edge)
    today = edge.clock().astimezone(organisation.calendar.tz).date()
    examines = procedure.step(procedure.opens_at).performer
    return who if who and any(office.role == examines for office in organisation.offices_of(who.account, today)) else None


def _form(edge: Edge) -> Json:
    given, tz = request.form, edge.calendar.tz
    form = filled({"kode": _procedure(edge).form, "lampiran": [*files(SCAN), *files("lampiran")]}, PLACES, given)
    form["masalah"]["sejak"] = _moment(given.get(SINCE, ""), tz)
    form["pdp"]["disetujui"] = AGREED in given
    return form


def _moment(text: str, tz: object) -> str:
    """A date and time of a page's field, where the office is; as it was written where it is none, which is told when it is read."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=tz).isoformat(timespec="seconds")  # type: ignore[arg-type]
    except ValueError:
        return text


def _page(given: dict[str, str], faults: tuple[forms.Fault, ...] = (), code: int = 200) -> Response:
    who = reader()
    once = given.get(ONCE) or secrets.token_urlsafe(16)
    return page("formulir.html", code, forms=True, who=who, given=given, faults=faults, choices=CHOICES, once=once)
