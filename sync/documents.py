"""The papers of a case: made from what the ledger says up to the moment they were issued, so the same paper is always the same bytes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from integration.procedure import papers
from integration.procedure.case import Case, Paper, SignedCopy, fold
from integration.procedure.definition import DRAFT, Procedure, Role, SectionKind, Step
from integration.procedure.events import Entry, SignedOff, StepLeft
from integration.procedure.facts import Actor, Sections
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
    """How the step that made a paper was left: the outcome's word, its reason, and the role that acts next.

    Each "" where there is none, all where the step was not left by anybody.
    """

    word: str = ""
    reason: str = ""
    receiver: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """One verification with what was written at it; `stale`: the chain began anew since (procedure.md rule 3)."""

    step: int
    round: int
    status: str  # the outcome's word
    verifier: Signature
    at: datetime
    reason: str
    sections: Sections
    exemption: str
    stale: bool


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
    outcome = _left(step, upto, procedure)
    day = paper.issued_at.astimezone(organisation.calendar.tz).date()
    signings = papers.signings(procedure, case, paper)
    makers = tuple(_signature(signing, case, organisation) for signing in signings)
    approver = _approver(paper, procedure)
    letter_draft = approver is not None and procedure.letter is not None and paper.document == procedure.letter.document
    signatures = (_held(approver, organisation, day),) if approver and letter_draft else makers
    text = wording.render(
        f"documents/{kind.template}.md",
        case=case,
        form=case.submission,
        paper=paper,
        step=step,
        kind=kind,
        procedure=procedure,
        signatory=signatures[0],
        maker=makers[0],
        approver=approver,
        unit_signs=signings[0].by is None,
        centre=organisation.name,
        team=[organisation.programmer(account) or Programmer(account, account) for account in case.proposed or case.team],
        amends=_amended(case, paper),
        written=case.written.get(step.number, ()),
        work=_work(case, procedure, step),
        verified=list(_verified(case, upto, organisation, procedure)),
        listed=_listed(case, paper, procedure),
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


def _left(step: Step, entries: Sequence[Entry], procedure: Procedure) -> Decided:
    left = (entry.event for entry in reversed(entries) if isinstance(entry.event, StepLeft) and entry.event.step == step.number)
    event = next(left, None)
    if event is None:
        return Decided()
    outcome = step.outcome(event.outcome)
    performer = procedure.step(outcome.to).performer if outcome and outcome.to else None
    return Decided(event.outcome, event.reason, procedure.role(performer).name if performer else "")


def _approver(paper: Paper, procedure: Procedure) -> Role | None:
    """Who makes a paper of this draft: whoever performs the step that issues it as anything but one. None for what is none."""
    steps = (s for s in procedure.steps if any(p.document == paper.document and p.edition != DRAFT for p in s.products))
    step = next(steps, None) if paper.edition == DRAFT else None
    return procedure.role(step.performer) if step and step.performer else None


def _signature(signing: Signing, case: Case, organisation: Organisation) -> Signature:
    """The block of whoever signs, by the name the organisation has for them."""
    capacity, by, at, form = signing.capacity, signing.by, signing.at, case.submission
    if by is None or at is None:
        return Signature(capacity, form.head_name, form.head_nip) if capacity else Signature(organisation.letterhead.unit, "")
    return _named(capacity, (by, at), signing.role, organisation)


def _named(capacity: str, act: tuple[Actor, datetime], role: str, organisation: Organisation) -> Signature:
    """Whoever acted in this role at that moment, by the name the organisation has for them."""
    by, at = act
    day = at.astimezone(organisation.calendar.tz).date()
    office = next((o for o in organisation.offices_of(by.account, day) if o.role == role), None)
    person = office or organisation.programmer(by.account)
    return Signature(capacity, person.name, person.nip) if person else Signature(capacity, by.name or by.account)


def _held(role: Role, organisation: Organisation, day: date) -> Signature:
    """The block of whoever holds a role that day; without a name where nobody does."""
    office = next(iter(organisation.holders(role.slug, day)), None)
    return Signature(f"{office.stand_in} {role.name}".strip(), office.name, office.nip) if office else Signature(role.name, "")


def _witnesses(step: Step, procedure: Procedure, organisation: Organisation, day: date) -> tuple[Signature, ...]:
    """Who witnesses that a case is handed over and accepted: the holders, that day, of the roles the organisation names.

    Roles of other procedures witness nothing of this one.
    """
    if not any(step in steps for steps in papers.handover(procedure)):
        return ()
    roles = {role.slug: role for role in procedure.roles}
    held = (_held(roles[slug], organisation, day) for slug in organisation.papers.witnesses if slug in roles)
    return tuple(witness for witness in held if witness.name)


def _work(case: Case, procedure: Procedure, step: Step) -> list[tuple[Step, Sections]]:
    """What the team wrote at its steps up to this one, in their order; of a report, without what the service filled in and the figure."""
    parts = procedure.duty.parts if procedure.duty else ()
    counted = {part.title for part in parts if part.kind is not SectionKind.TEXT}
    teams = {role.slug for role in procedure.roles if role.team}
    steps = [s for s in procedure.steps if s.performer in teams and s.number < step.number and case.written.get(s.number)]
    return [(s, tuple((title, text) for title, text in case.written[s.number] if title not in counted)) for s in steps]


def _verified(case: Case, entries: Sequence[Entry], organisation: Organisation, procedure: Procedure) -> Iterator[Verified]:
    """Every verification so far, those that hold no longer as well; what was written is that of its own time."""
    left: dict[int, StepLeft] = {}
    for entry in entries:
        match entry.event:
            case StepLeft() as event:
                left[event.step] = event
            case SignedOff() as sign:
                how = left[sign.step]
                capacity = f"{sign.office} {procedure.role(sign.role).name}".strip()
                verifier = _named(capacity, (entry.by, entry.at), sign.role, organisation)
                stale = sign.round < case.round
                yield Verified(sign.step, sign.round, how.outcome, verifier, entry.at, how.reason, how.sections, sign.exemption, stale)


@dataclass(frozen=True, slots=True)
class Item:
    """A paper that another one lists. `number`: "" where it has none, or, `together`, gets one while the other is made."""

    document: str
    title: str
    edition: str
    version: int
    number: str
    issued_at: datetime
    together: bool


def _listed(case: Case, paper: Paper, procedure: Procedure) -> list[Item]:
    """The papers of the case beside this one, oldest first. All editions of a paper have one number, but drafts none."""
    known = {p.document: p.number for p in case.documents if p.number}
    items = []
    for other in (p for p in case.documents if p.id != paper.id):
        kind = procedure.document(other.document)
        numbered = kind.numbered and other.edition != DRAFT
        number = other.number or (known.get(other.document, "") if numbered else "")
        items.append(Item(kind.slug, kind.title, other.edition, other.version, number, other.issued_at, numbered and not number))
    return items


def _handed_over(case: Case, paper: Paper, procedure: Procedure) -> list[Item]:
    """The papers for the unit that the case holds, each in its latest version, without the handover's own."""
    latest = {item.document: item for item in _listed(case, paper, procedure)}
    return [item for slug, item in latest.items() if slug != paper.document and procedure.document(slug).for_unit]
