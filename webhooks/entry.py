"""A form that came on paper, entered by whoever examines forms, with its scan; `/meja/formulir`. It is checked as one of the portal's is.

What the unit wrote counts, whoever typed it: the case says that it was entered off line, and by whom.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from integration import forms
from integration.codec import Json, canonical
from integration.forms import Faults, Submitted
from integration.payloads import CLERK
from integration.procedure.definition import Procedure
from integration.store import Conflict
from webhooks.desk import ONCE, examined
from webhooks.edge import Edge
from webhooks.formfields import CHOICES, PROBLEM, files, filled
from webhooks.login import Login, reader
from webhooks.pages import notice, page

PLACES = (
    *("unit_kerja.kode", "unit_kerja.nama"),
    *(f"unit_kerja.pimpinan.{name}" for name in ("nama", "nip", "jabatan", "email")),
    *("pelapor.nama", "pelapor.email", "pelapor.telepon"),
    *PROBLEM,
    *("pdp.versi", "pdp.dasar"),
)
SINCE, AGREED, SCAN, CODE, OPENED = "masalah.sejak", "disetujui", "pindaian", "kode", "dibuka"
EMPTY = dict.fromkeys((*PLACES, SINCE, CODE, OPENED), "")
NOTICE, BASIS = "2026-01", "tugas-layanan-publik"


def entry_pages(edge: Edge, login: Login) -> Blueprint:
    """The page, and what is entered there."""
    pages = Blueprint("entry", __name__)

    @pages.get("/meja/formulir")
    @login.required
    def look() -> Response:
        kinds = _kinds(edge)
        if not kinds:
            return notice("entry", "entry_not_yours", 403, "/meja", "to_desk")
        return _page(kinds, EMPTY | {"pdp.versi": NOTICE, "pdp.dasar": BASIS, OPENED: edge.clock().isoformat()})

    @pages.post("/meja/formulir")
    @login.required
    def enter() -> AnyResponse:
        clerk, kinds = reader(), _kinds(edge)
        if clerk is None or not kinds:
            return notice("entry", "entry_not_yours", 403, "/meja", "to_desk")
        given = EMPTY | request.form.to_dict()
        given[OPENED] = given[OPENED] or edge.clock().isoformat()  # when the page was opened: sent again, it is the same message
        body = canonical({"type": "pengaduan.diajukan", "timestamp": given[OPENED], "data": {"formulir": _form(edge, kinds)}})
        message = forms.read(body, edge.forms)
        if isinstance(message, Faults):
            stale = "timestamp" in {fault.path for fault in message.faults}
            return notice("entry", "form_stale", 400, request.path, "again") if stale else _page(kinds, given, message.faults, 422)
        if not isinstance(message, Submitted) or not message.data.formulir.lampiran:
            return _page(kinds, given, (forms.fault("formulir.lampiran", "scan_needed"),), 422)
        key, entered_by = f"luring:{request.form.get(ONCE, '')[:64]}", {CLERK: f"{clerk.name} ({clerk.account})"}
        kept = edge.open_case(message.data.formulir, key, body, entered_by)
        if isinstance(kept, Conflict):
            return notice("entry", "entry_twice", 409, "/meja", "to_desk")
        edge.bell.ring()
        return redirect(kept.answer["status_url"], 303)

    return pages


def _kinds(edge: Edge) -> tuple[Procedure, ...]:
    """The procedures whose forms whoever signed in may enter."""
    who = reader()
    return examined(edge, who) if who else ()


def _form(edge: Edge, kinds: Sequence[Procedure]) -> Json:
    given, tz = request.form, edge.calendar.tz
    codes = [kind.form for kind in kinds]
    code = given[CODE] if given.get(CODE) in codes else codes[0]
    form = filled({"kode": code, "lampiran": [*files(SCAN), *files("lampiran")]}, PLACES, given)
    form["masalah"]["sejak"] = _moment(given.get(SINCE, ""), tz)
    form["pdp"]["disetujui"] = AGREED in given
    return form


def _moment(text: str, tz: object) -> str:
    """A date and time of a page's field, where the office is; as it was written where it is none, which is told when it is read."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=tz).isoformat(timespec="seconds")  # type: ignore[arg-type]
    except ValueError:
        return text


def _page(kinds: Sequence[Procedure], given: dict[str, str], faults: tuple[forms.Fault, ...] = (), code: int = 200) -> Response:
    who = reader()
    once = given.get(ONCE) or secrets.token_urlsafe(16)
    return page("formulir.html", code, forms=True, who=who, kinds=kinds, given=given, faults=faults, choices=CHOICES, once=once)
