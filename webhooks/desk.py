"""The officers' desk: what waits for whoever signed in, what changed since they last looked, and the decision with its reason; `/meja`.

A decision here is the one the same words in the issue would be: kept as a fact under the person's account and decided by the same rules.
"""

import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import cast

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from integration import codec
from integration.codec import Json
from integration.commands import LONGEST, LONGEST_SECTIONS
from integration.desk import Desk, Waits, reason_of, stands
from integration.procedure import contexts
from integration.procedure.definition import OutcomeKind, Procedure, Supply, by_revision
from integration.procedure.events import RequestRefused
from integration.procedure.facts import Actor, ActorKind, Fact, OutcomeChosen, Ticked, Via
from integration.procedure.lines import by_report
from integration.procedure.people import Situation
from integration.secrecy import secrets_in
from integration.store import CaseRow, Delivery
from integration.templates import messages
from webhooks.edge import Edge
from webhooks.login import Login, Reader, signed_in
from webhooks.pages import notice, page

SOURCE = "meja"
"""Of the inbox rows that hold what was decided here."""

MOST_CHANGES = 50
ONCE = "sekali"
"""The field that tells one sending of a form from the next: sent twice, it counts once."""


def desk_pages(edge: Edge, login: Login) -> Blueprint:
    """The desk, and what is done there."""
    pages = Blueprint("desk", __name__)

    @pages.get("/meja")
    @login.required
    def look() -> Response:
        return _desk_page(edge, signed_in())

    @pages.post("/meja")
    @login.required
    def seen() -> AnyResponse:
        shown = dict(said.partition("=")[::2] for said in request.form.getlist("dilihat")[:MOST_CHANGES])
        _desk(edge).see(signed_in().account, shown)
        return redirect("/meja", 303)

    @pages.post("/meja/<ticket>")
    @login.required
    def decide(ticket: str) -> AnyResponse:
        who, one = signed_in(), _desk(edge).one(ticket)
        if not edge.works_here(who.account):
            return notice("desk", "desk_strange", 403)
        if one is None or str(one.case.entered_seq) != request.form.get("kunjungan"):
            return notice("desk", "desk_moved", 409, "/meja", "to_desk")
        if one.step.outcome(request.form.get("hasil", "")) is None:
            return notice("desk", "form_stale", 400, "/meja", "to_desk")
        written = [request.form.get("alasan", ""), *(request.form.get(f"bagian-{n}", "") for n in range(len(one.step.sections)))]
        if any(secrets_in(text) for text in written):
            return notice("desk", "desk_secret", 422, "/meja", "to_desk")
        if len(written[0]) > LONGEST or sum(map(len, written[1:])) > LONGEST_SECTIONS:
            return notice("desk", "desk_long", 422, "/meja", "to_desk")
        edge.store.keep_all(_facts(one, who, edge.clock(), written))
        edge.bell.ring()
        return redirect("/meja", 303)

    return pages


def _desk(edge: Edge) -> Desk:
    return Desk(edge.store, by_revision(edge.procedures), edge.organisation, edge.today)


def examined(edge: Edge, who: Reader) -> tuple[Procedure, ...]:
    """The procedures whose forms somebody examines by an office held today: of each form the one that it opens a case of."""
    held = {office.role for office in edge.organisation.offices_of(who.account, edge.today)}
    newest = {procedure.form: procedure for procedure in edge.procedures}
    return tuple(procedure for procedure in newest.values() if procedure.step(procedure.opens_at).performer in held)


def _facts(one: Waits, who: Reader, now: datetime, written: list[str]) -> list[Delivery]:
    """What was decided, as facts: the boxes that were ticked, then the outcome, meant for the step the page showed."""
    by, once, case = Actor(ActorKind.PERSON, who.account, who.name), request.form.get(ONCE, "")[:64], one.case
    step, word = one.step, request.form.get("hasil", "")
    boxes = [
        r.id for r in step.requirements if r.supply is Supply.TICK and r.id in request.form.getlist("butir") and r.id not in case.ticks
    ]
    # Kept, and so decided, in the order of their keys: what is ticked counts for the outcome.
    ticks: list[Fact] = [Ticked(f"{SOURCE}:{once}:0:{box}", now, by, box, done=True) for box in boxes]
    outcome = step.outcome(word)
    forward = outcome is not None and outcome.kind is OutcomeKind.FORWARD
    sections = tuple((section.title, text) for section, text in zip(step.sections, written[1:], strict=True)) if forward else ()
    asked = OutcomeChosen(f"{SOURCE}:{once}:1", now, by, word, written[0].strip(), sections, Via.COMMENT, case.step)
    return [Delivery(SOURCE, fact.key, case.ticket, codec.fact_bytes(fact)) for fact in (*ticks, asked)]


# --- what is shown ---


def _desk_page(edge: Edge, who: Reader) -> Response:
    desk = _desk(edge)
    offices = edge.organisation.offices_of(who.account, desk.day)
    roles = {role.slug: role.name for procedure in edge.procedures for role in procedure.roles}
    changed, known = desk.changed(who.account) if offices else [], edge.works_here(who.account)
    return page(
        "meja.html",
        forms=True,
        who=who,
        offices=[f"{office.stand_in} {roles.get(office.role, office.role)}".strip() for office in offices],
        known=known,
        waiting=[_shown(edge, desk, one, who) for one in (desk.waiting(who.account) if known else [])],
        changed=[_change(edge, row) for row in changed[:MOST_CHANGES]],
        more=max(0, len(changed) - MOST_CHANGES),
        clerk=bool(examined(edge, who)),
        once=secrets.token_urlsafe(16),
        words=messages("desk"),
    )


def _shown(edge: Edge, desk: Desk, one: Waits, who: Reader) -> Json:
    """One case on the desk: where it stands, what is asked, and what can be said."""
    case, step = one.case, one.step
    situation = Situation(one.procedure, desk.organisation, case, Actor(ActorKind.PERSON, who.account, who.name), edge.clock())
    told = contexts.check(situation)
    return {
        "ticket": case.ticket,
        "system": case.submission.system,
        "subject": case.submission.subject,
        "unit": case.submission.unit_name,
        "step": step.label_text,
        "stay": case.entered_seq,
        "due": edge.moment(case.due) if case.due else "",
        "late": case.late,
        "url": case.url,
        "reason": reason_of(one.entries, case.entered_seq),
        "outcomes": [way for way in cast("list[Json]", told["outcomes"]) if not by_report(one.procedure, step, way["word"])],
        "sections": [section.title for section in step.sections],
        "ticks": [(r.id, r.text) for r in step.requirements if r.supply is Supply.TICK and r.id not in case.ticks],
        "missing": [item["item"] for item in cast("list[Json]", told["missing"])],
        "no_team": told["no_team"],
        "under_way": any(row.source == SOURCE for row in edge.store.inbox_rows(lane=case.ticket)),
        "refused": next(_refusals(one, who), False),
    }


def _refusals(one: Waits, who: Reader) -> Iterator[bool]:
    """Whether what this person asked last at this step was refused."""
    for entry in reversed(one.entries):
        if entry.seq <= one.case.entered_seq:
            return
        if entry.by.account == who.account and entry.cause.startswith(f"{SOURCE}:") and entry.cause.endswith(":1"):
            yield isinstance(entry.event, RequestRefused)


def _change(edge: Edge, row: CaseRow) -> Json:
    procedure = by_revision(edge.procedures).get((row.procedure, row.revision))
    step = procedure.step(row.step).label_text if procedure and row.step is not None else ""
    said = {"ticket": row.ticket, "title": row.title, "status": row.status, "step": step, "ended": row.ended_at is not None}
    return said | {"stood": stands(row)}
