"""What must hold of each step: who performs it, how it is left, what it asks for and what it makes.

Every rule takes the procedure, the step, its place in the file and the faults, and says one thing.
"""

from integration.procedure.definition import (
    COMMANDS,
    QUESTIONS,
    Channel,
    Outcome,
    OutcomeKind,
    Procedure,
    Requirement,
    SectionKind,
    Source,
    Step,
    Supply,
    Unit,
)
from integration.yamlfile import Faults, Place

BY_ACCOUNT = frozenset({Supply.TICK, Supply.ACCOUNT})
"""What only somebody with an account on the platform can supply."""


def broken_step_rules(procedure: Procedure, step: Step, at: Place, faults: Faults) -> None:
    """Note what is wrong with one step."""
    _performer(procedure, step, at, faults)
    _second_performers(procedure, step, at, faults)
    _recorded(procedure, step, at, faults)
    _sections(procedure, step, at, faults)
    for outcome in step.outcomes:
        _outcome(procedure, step, outcome, at, faults)
    for index, requirement in enumerate(step.requirements):
        place = (*at, "requirements", index, "supply")
        _supply(procedure, step, requirement, place, faults)
        _document(procedure, requirement, place, faults)
        _portal_supply(procedure, step, requirement, place, faults)
    _products(procedure, step, at, faults)
    if step.standard and (step.standard.amount == 0) != (step.standard.unit is Unit.WEEKLY):
        faults.add((*at, "standard"), "standard-amount")


def is_recorded(procedure: Procedure, step: Step) -> bool | None:
    """Whether the step comes before the one a case opens at; None where the file does not say which that is."""
    known = any(one.number == procedure.opens_at for one in procedure.steps)
    return step.number < procedure.opens_at if known else None


def acts_in_portal(procedure: Procedure, step: Step) -> bool:
    """Whether the step is the unit's, through the portal."""
    return any(role.slug == step.performer and role.channel is Channel.PORTAL for role in procedure.roles)


def _performer(procedure: Procedure, step: Step, at: Place, faults: Faults) -> None:
    """A performer is a known role, and the file says from what it is known; only recorded steps may go without."""
    roles = [role.slug for role in procedure.roles]
    if step.performer and step.performer not in roles:
        faults.unknown((*at, "performer"), "unknown-role", step.performer, roles)
    if step.performer is None and is_recorded(procedure, step) is False:
        faults.add(at, "no-performer", number=step.number)
    if (step.performer is None) != (step.source is Source.NONE):
        faults.add((*at, "source"), "performer-and-source")


def _second_performers(procedure: Procedure, step: Step, at: Place, faults: Faults) -> None:
    """A second performer stands where the issued words leave room for one; what it must attach is a paper people attach."""
    roles = [role.slug for role in procedure.roles]
    attachable = [document.slug for document in procedure.documents if not document.template]
    if step.also and step.source in (Source.MARK, Source.NONE):
        faults.add((*at, "also"), "also-fixed")
    for index, also in enumerate(step.also):
        place = (*at, "also", index)
        if also.role and also.role not in roles:
            faults.unknown((*place, "role"), "unknown-role", also.role, roles)
        if also.role and also.role == step.performer:
            faults.add((*place, "role"), "twice", given=also.role)
        if also.attachment and also.attachment not in attachable:
            faults.unknown((*place, "attachment"), "unknown-attachment", also.attachment, attachable)


def _recorded(procedure: Procedure, step: Step, at: Place, faults: Faults) -> None:
    """Steps before the opening are recorded, never left by anybody; the others have a way out."""
    recorded = is_recorded(procedure, step)
    if recorded is False and not step.outcomes:
        faults.add(at, "no-outcome", number=step.number)
    if not recorded:
        return
    decided = {"outcomes": step.outcomes, "sections": step.sections, "products": step.products, "gates": step.gates, "also": step.also}
    for key, value in decided.items():
        if value:
            faults.add((*at, key), "recorded", key=key, opens=procedure.opens_at)
    for index, requirement in enumerate(step.requirements):
        if requirement.supply is not Supply.FORM:
            faults.add((*at, "requirements", index, "supply"), "recorded-supply", item=requirement.id)


def _sections(procedure: Procedure, step: Step, at: Place, faults: Faults) -> None:
    """Kinds that belong to the duty stay there; the portal's one remark fills at most one text section."""
    for index, section in enumerate(step.sections):
        if section.kind in (SectionKind.SERVICE, SectionKind.PERCENT):
            faults.add((*at, "sections", index, "kind"), "duty-kind", section=section.kind)
    texts = [section for section in step.sections if section.kind is SectionKind.TEXT]
    if acts_in_portal(procedure, step) and (len(step.sections) > 1 or len(texts) != len(step.sections)):
        faults.add((*at, "sections"), "portal-sections")


def _outcome(procedure: Procedure, step: Step, outcome: Outcome, at: Place, faults: Faults) -> None:
    """An outcome's word is no command's; it goes forward to a later step, or back to an earlier one that is not only recorded."""
    place = (*at, "outcomes", outcome.word)
    if outcome.word in COMMANDS | QUESTIONS:
        faults.add(place, "reserved-word", given=outcome.word)
    if not outcome.to:
        return
    known = [one.number for one in procedure.steps]
    if outcome.to not in known:
        faults.unknown(place, "unknown-step", outcome.to, known)
    elif outcome.kind is OutcomeKind.FORWARD and outcome.to <= step.number:
        faults.add(place, "not-later", to=outcome.to, number=step.number)
    elif outcome.kind is OutcomeKind.RETURN and outcome.to >= step.number:
        faults.add(place, "not-earlier", to=outcome.to, number=step.number)
    elif is_recorded(procedure, procedure.step(outcome.to)) and procedure.revises_at not in (0, outcome.to):
        faults.add(place, "back-to-recorded", to=outcome.to, revises=procedure.revises_at)


def _supply(procedure: Procedure, step: Step, requirement: Requirement, place: Place, faults: Faults) -> None:
    """What satisfies an item is something this procedure has."""
    dated = any(section.kind is SectionKind.DATE for one in procedure.steps if one.number <= step.number for section in one.sections)
    lacking = {
        Supply.DOCUMENT: requirement.document is None,
        Supply.REPORT: procedure.duty is None,
        Supply.SECTION: not step.sections,
        Supply.SCHEDULE: not dated,
    }
    if lacking.get(requirement.supply):
        faults.add(place, f"no-{requirement.supply}", item=requirement.id)


def _document(procedure: Procedure, requirement: Requirement, place: Place, faults: Faults) -> None:
    """A demanded document is known, and so is the edition of it."""
    if not requirement.document:
        return
    slugs = [document.slug for document in procedure.documents]
    if requirement.document not in slugs:
        faults.unknown((*place, "document"), "unknown-document", requirement.document, slugs)
        return
    made = {product.edition for step in procedure.steps for product in step.products if product.document == requirement.document}
    if requirement.edition and requirement.edition not in made:
        faults.unknown((*place, "edition"), "unknown-edition", requirement.edition, sorted(made))


def _portal_supply(procedure: Procedure, step: Step, requirement: Requirement, place: Place, faults: Faults) -> None:
    """The unit has no account: it ticks nothing, and it can only be asked for documents it is shown."""
    if not acts_in_portal(procedure, step):
        return
    if requirement.supply in BY_ACCOUNT:
        faults.add(place, "portal-supply", item=requirement.id, supply=requirement.supply)
    if any(document.slug == requirement.document and not document.for_unit for document in procedure.documents):
        faults.add(place, "portal-document", item=requirement.id, document=requirement.document)


def _products(procedure: Procedure, step: Step, at: Place, faults: Faults) -> None:
    """A step makes known documents that have a template, when it is left by one of its own outcomes."""
    made = [document.slug for document in procedure.documents if document.template]
    words = [outcome.word for outcome in step.outcomes]
    for index, product in enumerate(step.products):
        place = (*at, "products", index)
        if product.document and product.document not in made:
            faults.unknown((*place, "document"), "unknown-document", product.document, made)
        for position, word in enumerate(product.on):
            if word and word not in words:
                faults.unknown((*place, "after", position), "unknown-outcome", word, words)
