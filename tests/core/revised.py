"""Other revisions of a procedure, made from one by edits as an office might decide them; some of them fit no procedure."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from integration.procedure.definition import (
    DocumentType,
    Duty,
    Emergency,
    Outcome,
    Procedure,
    Product,
    Requirement,
    Section,
    SectionKind,
    Source,
    Standard,
    Step,
    Supply,
    Unit,
    Verification,
)
from integration.procedures.rules import broken_rules
from integration.procedures.ways import broken_ways
from integration.templates import messages
from integration.yamlfile import Faults

REVISION = "2026-01"

Edit = Callable[[Procedure, int, int], Procedure]


def revised(procedure: Procedure, *edits: Callable[[Procedure], Procedure]) -> Procedure:
    """The next revision: with these edits."""
    for edit in edits:
        procedure = edit(procedure)
    return replace(procedure, revision=REVISION)


def fits(procedure: Procedure) -> bool:
    """Whether a file that says this would be let in."""
    faults = Faults(Path("uji"), messages("procedure"), {})
    broken_rules(procedure, faults)
    if not faults:
        broken_ways(procedure, faults)
    return not faults


def with_step(procedure: Procedure, number: int, **changes: object) -> Procedure:
    """One step with other values."""
    steps = tuple(replace(step, **changes) if step.number == number else step for step in procedure.steps)  # type: ignore[arg-type]
    return replace(procedure, steps=steps)


def without_step(procedure: Procedure, number: int) -> Procedure:
    """One step less: whatever led to it leads to the one after it, and the others move up."""

    def moved(n: int | None) -> int | None:
        return n - 1 if n and n > number else n

    def step(one: Step) -> Step:
        outcomes = tuple(replace(o, to=moved(o.to)) for o in one.outcomes)
        return replace(one, number=moved(one.number), outcomes=outcomes, requirements=_numbered(one, moved(one.number) or 0))

    chain = procedure.verification and Verification(tuple(moved(n) or 0 for n in procedure.verification.steps if n != number))
    duty, emergency = procedure.duty, procedure.emergency
    return replace(
        procedure,
        steps=tuple(step(one) for one in procedure.steps if one.number != number),
        opens_at=moved(procedure.opens_at),
        revises_at=moved(procedure.revises_at),
        verification=chain,
        duty=duty and replace(duty, first=moved(duty.first), last=moved(duty.last), step=moved(duty.step)),
        emergency=emergency and replace(emergency, first=moved(emergency.first), last=moved(emergency.last)),
    )


def _numbered(step: Step, number: int) -> tuple[Requirement, ...]:
    return tuple(replace(r, id=f"{number}.{position}") for position, r in enumerate(step.requirements, start=1))


def without_role(procedure: Procedure, slug: str, instead: str) -> Procedure:
    """A role nobody has any more; another has its steps and commands."""

    def of(role: str | None) -> str | None:
        return instead if role == slug else role

    return replace(
        procedure,
        roles=tuple(replace(role, superior=of(role.superior)) for role in procedure.roles if role.slug != slug),
        steps=tuple(replace(s, performer=of(s.performer), also=tuple(a for a in s.also if a.role != slug)) for s in procedure.steps),
        authority={word: tuple(dict.fromkeys(of(role) or "" for role in roles)) for word, roles in procedure.authority.items()},
    )


def without_document(procedure: Procedure, slug: str) -> Procedure:
    """A paper that is neither made nor asked for any more."""
    steps = (
        replace(
            step,
            requirements=tuple(replace(r, supply=Supply.TICK, document=None) if r.document == slug else r for r in step.requirements),
            products=tuple(product for product in step.products if product.document != slug),
            also=tuple(also for also in step.also if also.attachment != slug),
        )
        for step in procedure.steps
    )
    duty = procedure.duty and replace(procedure.duty, document=None if procedure.duty.document == slug else procedure.duty.document)
    documents = tuple(document for document in procedure.documents if document.slug != slug)
    return replace(procedure, documents=documents, steps=tuple(steps), duty=duty)


def with_new_paper(procedure: Procedure, made: int, asked: int) -> Procedure:
    """A new paper, made by leaving one step forward and asked for at another."""
    step = procedure.step(made)
    product = Product("paper-baru", "final", tuple(o.word for o in step.outcomes if not o.needs_reason))
    procedure = with_step(procedure, made, products=(*step.products, product))
    demanding = procedure.step(asked)
    item = Requirement(f"{asked}.{len(demanding.requirements) + 1}", "Paper baru", Supply.DOCUMENT, "paper-baru")
    procedure = with_step(procedure, asked, requirements=(*demanding.requirements, item))
    return replace(procedure, documents=(*procedure.documents, DocumentType("paper-baru", "Paper Baru", "catatan", for_unit=True)))


def with_word(procedure: Procedure, number: int, old: str, new: str) -> Procedure:
    """A step left by another word."""
    step = procedure.step(number)
    duty = procedure.duty
    if duty and (duty.step, duty.outcome) == (number, old):
        procedure = replace(procedure, duty=replace(duty, outcome=new))
    return with_step(
        procedure,
        number,
        outcomes=tuple(replace(o, word=new) if o.word == old else o for o in step.outcomes),
        products=tuple(replace(p, on=tuple(new if word == old else word for word in p.on)) for p in step.products),
    )


def with_schedule(procedure: Procedure, written: int, asked: int) -> Procedure:
    """A further day to write at a step, and a step that asks for the schedule."""
    step = procedure.step(written)
    procedure = with_step(procedure, written, sections=(*step.sections, Section("Hari tambahan", SectionKind.DATE)))
    demanding = procedure.step(asked)
    item = Requirement(f"{asked}.{len(demanding.requirements) + 1}", "Jadwal", Supply.SCHEDULE)
    return with_step(procedure, asked, requirements=(*demanding.requirements, item))


def with_duty(procedure: Procedure, first: int, last: int) -> Procedure:
    """The report owed over another range."""
    duty = procedure.duty
    assert isinstance(duty, Duty)
    return replace(procedure, duty=replace(duty, first=first, last=last))


def _pick(procedure: Procedure, a: int) -> Step:
    """A step people leave."""
    left = [step for step in procedure.steps if step.outcomes]
    return left[a % len(left)]


def _forward(step: Step) -> Outcome:
    return next(outcome for outcome in step.outcomes if not outcome.needs_reason)


def _item(step: Step, b: int, **changes: object) -> tuple[Requirement, ...]:
    chosen = b % max(len(step.requirements), 1)
    return tuple(replace(r, **changes) if i == chosen else r for i, r in enumerate(step.requirements))  # type: ignore[arg-type]


def _another_performer(procedure: Procedure, a: int, b: int) -> Procedure:
    role, step = procedure.roles[b % len(procedure.roles)].slug, _pick(procedure, a)
    also = tuple(one for one in step.also if one.role != role)
    return with_step(procedure, step.number, performer=role, also=also, source=Source.INFERRED)


EDITS: tuple[Edit, ...] = (
    lambda p, a, _: with_step(p, _pick(p, a).number, name="Nama baru"),
    lambda p, a, _: with_step(p, _pick(p, a).number, text="Uraian baru"),
    lambda p, a, _: with_step(p, _pick(p, a).number, name="Langkah lain", text="Uraian lain"),
    lambda p, a, b: with_step(p, _pick(p, a).number, standard=Standard(f"{b} Hari", b % 9 + 1, Unit.DAYS)),
    lambda p, a, b: with_step(p, _pick(p, a).number, requirements=_item(_pick(p, a), b, text="Butir lain")),
    lambda p, a, b: with_step(p, _pick(p, a).number, requirements=_item(_pick(p, a), b, supply=Supply.TICK, document=None, edition=None)),
    lambda p, a, _: with_step(p, _pick(p, a).number, requirements=_pick(p, a).requirements[:-1]),
    lambda p, a, _: with_step(p, _pick(p, a).number, sections=(*_pick(p, a).sections, Section("Bagian baru"))),
    lambda p, a, _: with_word(p, _pick(p, a).number, _forward(_pick(p, a)).word, "rampung"),
    _another_performer,
    lambda p, a, b: without_role(p, p.roles[a % len(p.roles)].slug, p.roles[b % len(p.roles)].slug),
    lambda p, a, _: without_document(p, p.documents[a % len(p.documents)].slug),
    lambda p, a, b: with_new_paper(p, _pick(p, a).number, _pick(p, b).number),
    lambda p, a, b: with_schedule(p, _pick(p, a).number, _pick(p, b).number),
    lambda p, a, _: without_step(p, _pick(p, a).number),
    lambda p, a, _: replace(p, verification=p.verification and Verification(p.verification.steps[a % 3 :])),
    lambda p, _, __: replace(p, verification=None),
    lambda p, _, __: replace(p, emergency=None),
    lambda p, a, b: replace(p, emergency=Emergency(_pick(p, a).number, _pick(p, b).number, 5)),
    lambda p, a, b: with_duty(p, _pick(p, a).number, _pick(p, b).number),
    lambda p, a, _: replace(p, authority={w: r for i, (w, r) in enumerate(p.authority.items()) if i != a % len(p.authority)}),
)
"""What may be decided otherwise, told where by two numbers."""
