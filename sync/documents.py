"""The papers of a case: made from what the ledger says up to the moment they were issued, so the same paper is always the same bytes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from integration.procedure import papers
from integration.procedure.case import Case, Paper, SignedCopy, fold
from integration.procedure.definition import DRAFT, Procedure, Step
from integration.procedure.events import Entry, StepLeft
from integration.procedure.offices import Organisation, Programmer
from integration.procedure.papers import Signing
from integration.procedure.suggestion import scheduled
from sync.paper import Sheet, Signature, render
from sync.wording import Wording, long_date


@dataclass(frozen=True, slots=True)
class Made:
    """A finished paper: the PDF's bytes and the name it goes by on the platform."""

    content: bytes
    filename: str


@dataclass(frozen=True, slots=True)
class Decided:
    """How the step that made a paper was left: the outcome's word and its reason; both "" where it was not left by anybody."""

    word: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reserved:
    """What a paper gets from the store before it is drawn: its `number`, "" without one, and the `address` where it can be verified."""

    number: str
    address: str


@dataclass(frozen=True, slots=True)
class Composed:
    """A paper before it is drawn: its text in Markdown, and what stands around it."""

    text: str
    sheet: Sheet
    paper: Paper


def make(
    document: str, entries: Sequence[Entry], procedure: Procedure, organisation: Organisation, reserved: Reserved, wording: Wording
) -> Made:
    """The PDF of the issued document with this id (procedure.md, "document it produces"). See `compose`; Permanent also if not drawn."""
    composed = compose(document, entries, procedure, organisation, reserved, wording)
    return Made(render(composed.text, composed.sheet, composed.paper.issued_at), filename(composed.paper))


def compose(
    document: str, entries: Sequence[Entry], procedure: Procedure, organisation: Organisation, reserved: Reserved, wording: Wording
) -> Composed:
    """The issued document with this id, to be drawn.

    `entries` is the case's ledger; what comes after the paper's own entry is not looked at.
    Raises KeyError for an id the ledger does not hold, Permanent where its template cannot be filled in.
    """
    upto = papers.ledger_at(document, entries)
    case = fold(upto)
    assert case is not None  # noqa: S101 -- a ledger that issued a paper has opened its case
    paper = next(p for p in case.documents if p.id == document)
    kind = procedure.document(paper.document)
    step = procedure.step(paper.step)
    outcome = _left(step, upto)
    signatures = tuple(_signature(signing, case, organisation) for signing in papers.signings(procedure, case, paper))
    day = paper.issued_at.astimezone(organisation.calendar.tz).date()
    text = wording.render(
        f"documents/{kind.template}.md",
        case=case,
        form=case.submission,
        paper=paper,
        step=step,
        procedure=procedure,
        signatory=signatures[0],
        team=[organisation.programmer(account) or Programmer(account, account) for account in case.proposed or case.team],
        amends=_amended(case, paper),
        written=case.written.get(step.number, ()),
        repairs=_repairs(case, procedure, step),
        handed_over=_handed_over(case, paper, procedure),
        accepted=outcome.word != "" and step == procedure.steps[-1],
        outcome=outcome,
        opened_at=entries[0].at,
        schedule=scheduled(procedure, case),
    )
    head, form = organisation.letterhead, organisation.papers
    sheet = Sheet(
        letterhead=tuple(part.upper() for part in (head.ministry, head.university, head.unit) if part),
        address=tuple(
            part for part in (head.address, ", ".join(filter(None, (head.contact, head.website and f"laman {head.website}")))) if part
        ),
        title=kind.title,
        number=reserved.number,
        place_date=f"{head.city}, {long_date(day)}",
        signatures=signatures,
        reference=f"{case.ticket} · {kind.title} · {paper.edition}",
        proof=reserved.address,
        emblem=head.emblem,
        witnesses=_witnesses(step, procedure, organisation, day),
        copies=form.copies.get(kind.slug, ()) if paper.edition != DRAFT else (),
        font=form.font,
        fonts=form.fonts,
    )
    return Composed(text, sheet, paper)


ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


def filename(paper: Paper, copy: SignedCopy | None = None) -> str:
    """Such as "surat-tugas-final-2.pdf": what it is, which edition, which version; of a signed copy of it also who signed it last."""
    edition = re.sub(r"[^a-z0-9]+", "-", paper.edition.lower()).strip("-")
    signed, ending = (f"-ttd-{copy.role}", ENDINGS.get(copy.media_type, "bin")) if copy else ("", "pdf")
    return f"{paper.document}-{edition}-{paper.version}{signed}.{ending}"


def _amended(case: Case, paper: Paper) -> Paper | None:
    """The approved paper of the same type that this one takes the place of."""
    earlier = (p for p in reversed(case.documents) if p.document == paper.document and p.edition != DRAFT and p.id != paper.id)
    return next(earlier, None)


def _left(step: Step, entries: Sequence[Entry]) -> Decided:
    left = (entry.event for entry in reversed(entries) if isinstance(entry.event, StepLeft) and entry.event.step == step.number)
    return next((Decided(event.outcome, event.reason) for event in left), Decided("", ""))


def _signature(signing: Signing, case: Case, organisation: Organisation) -> Signature:
    """The block of whoever signs, by the name the organisation has for them."""
    capacity, by, at, form = signing.capacity, signing.by, signing.at, case.submission
    if by is None or at is None:
        return Signature(capacity, form.head_name, form.head_nip) if capacity else Signature(organisation.letterhead.unit, "")
    day = at.astimezone(organisation.calendar.tz).date()
    office = next((o for o in organisation.offices_of(by.account, day) if o.role == signing.role), None)
    person = office or organisation.programmer(by.account)
    return Signature(capacity, person.name, person.nip) if person else Signature(capacity, by.name or by.account)


def _witnesses(step: Step, procedure: Procedure, organisation: Organisation, day: date) -> tuple[Signature, ...]:
    """Who witnesses that a case is handed over and accepted: the holders, that day, of the roles the organisation names."""
    if not any(step in steps for steps in papers.handover(procedure)):
        return ()
    held = [office for role in organisation.papers.witnesses for office in organisation.holders(role, day)[:1]]
    return tuple(Signature(f"{o.stand_in} {procedure.role(o.role).name}".strip(), o.name, o.nip) for o in held)


def _repairs(case: Case, procedure: Procedure, step: Step) -> list[tuple[int, tuple[tuple[str, str], ...]]]:
    """What was written at the latest team step before this one: the cause and the repair the manual explains."""
    teams = {role.slug for role in procedure.roles if role.team}
    steps = [s.number for s in procedure.steps if s.performer in teams and s.number < step.number and case.written.get(s.number)]
    return [(steps[-1], case.written[steps[-1]])] if steps else []


@dataclass(frozen=True, slots=True)
class Item:
    """One paper that goes along with a handover."""

    title: str
    number: str
    version: int


def _handed_over(case: Case, paper: Paper, procedure: Procedure) -> list[Item]:
    """The papers for the unit that the case holds, each in its latest version, without the handover's own."""
    latest = {p.document: p for p in case.documents if p.document != paper.document and procedure.document(p.document).for_unit}
    return [Item(procedure.document(p.document).title, p.number, p.version) for p in latest.values()]
