"""From the entries of a file to the types of a procedure.

The order of lists is kept one to one, faulty items included: the rules find the line of a thing by its position.
"""

from dataclasses import replace

from yaml.nodes import Node

from integration.procedure.definition import (
    Also,
    Channel,
    DocumentType,
    Duty,
    Emergency,
    Ending,
    Gate,
    Head,
    Law,
    Letter,
    Outcome,
    OutcomeKind,
    Procedure,
    Product,
    Requirement,
    Role,
    Section,
    SectionKind,
    Source,
    Standard,
    Step,
    Supply,
    Trace,
    Unit,
    Verification,
)
from integration.procedures.nodes import Entries, read_entries
from integration.yamlfile import Faults

ONE_EDITION = "final"
"""The edition of a document that knows no others."""

NO_HEAD = Head("", "", "", "", "", "", (), (), (), (), (), "", "")


def procedure(root: Node, faults: Faults) -> Procedure:
    """The whole file, `root` being its one document; what is wrong with its form is noted in `faults`."""
    return read_entries(root, (), faults, _procedure)


def _procedure(entries: Entries) -> Procedure:
    authority = entries.named("authority", _authority)
    verification = entries.numbers("verification")
    return Procedure(
        slug=entries.text("slug"),
        revision=entries.text("revision"),
        prefix=entries.text("prefix"),
        form=entries.text("form"),
        opens_at=entries.number("opens_at"),
        revises_at=entries.number("revises_at"),
        head=entries.inside("head", _head, needed=True) or NO_HEAD,
        roles=entries.each("roles", _role, needed=True),
        authority={word: roles for word, (roles, _) in authority.items()},
        authority_notes={word: note for word, (_, note) in authority.items()},
        documents=entries.each("documents", _document),
        duty=entries.inside("duty", _duty),
        verification=Verification(verification) if verification else None,
        emergency=entries.inside("emergency", _emergency),
        letter=entries.inside("letter", _letter),
        handoffs=entries.texts("handoffs"),
        laws=entries.each("laws", _law),
        steps=entries.each("steps", _step, needed=True),
    )


def _head(entries: Entries) -> Head:
    return Head(
        number=entries.text("number"),
        name=entries.text("name"),
        created=entries.text("created"),
        revised=entries.text("revised"),
        revision=entries.text("revision"),
        effective=entries.text("effective"),
        approved_by=entries.texts("approved_by", needed=True),
        legal_basis=entries.texts("legal_basis"),
        qualifications=entries.texts("qualifications"),
        related=entries.texts("related"),
        equipment=entries.texts("equipment"),
        warning=entries.text("warning", ""),
        recording=entries.text("recording", ""),
    )


def _role(entries: Entries) -> Role:
    return Role(
        slug=entries.text("slug"),
        name=entries.text("name"),
        channel=entries.choice("channel", Channel, needed=True) or Channel.PLATFORM,
        team=entries.flag("team"),
        superior=entries.text("superior", "") or None,
    )


def _authority(entries: Entries) -> tuple[tuple[str, ...], str]:
    return entries.texts("roles", needed=True), entries.text("note")


def _document(entries: Entries) -> DocumentType:
    return DocumentType(
        slug=entries.text("slug"),
        title=entries.text("title"),
        template=entries.text("template", ""),
        numbered=entries.flag("numbered"),
        for_unit=entries.flag("for_unit"),
        signatures=entries.inside("signatures", _signatures) or (),
    )


def _signatures(entries: Entries) -> tuple[tuple[str, int], ...]:
    return tuple((edition, entries.number(edition)) for edition in entries.nodes)


def _duty(entries: Entries) -> Duty:
    return Duty(
        word=entries.text("word"),
        first=entries.number("first"),
        last=entries.number("last"),
        step=entries.number("step"),
        outcome=entries.text("outcome"),
        document=entries.text("document", "") or None,
        parts=entries.each("parts", _part, plain=Section, needed=True),
    )


def _emergency(entries: Entries) -> Emergency:
    return Emergency(first=entries.number("first"), last=entries.number("last"), debt_days=entries.number("debt_days"))


def _letter(entries: Entries) -> Letter:
    return Letter(
        document=entries.text("document"),
        draft=entries.number("draft"),
        approval=entries.number("approval"),
        receipt=entries.number("receipt"),
    )


def _law(entries: Entries) -> Law:
    return Law(slug=entries.text("slug"), title=entries.text("title"))


def _section(entries: Entries) -> Section:
    return Section(title=entries.text("title"), kind=entries.choice("kind", SectionKind) or SectionKind.TEXT)


def _part(entries: Entries) -> Section:
    return replace(_section(entries), draft_from=entries.choices("draft_from", Trace))


def _step(entries: Entries) -> Step:
    number = entries.number("number")
    outcomes = tuple(entries.named("outcomes", _outcome).values())
    forward = tuple(outcome.word for outcome in outcomes if outcome.kind is OutcomeKind.FORWARD)
    requirements = entries.each("requirements", _requirement)
    return Step(
        number=number,
        name=entries.text("name"),
        text=entries.text("text"),
        requirements=tuple(
            Requirement(f"{number}.{position}", text, supply, document, edition)
            for position, (text, supply, document, edition) in enumerate(requirements, start=1)
        ),
        standard=entries.inside("standard", _standard),
        outputs=entries.texts("outputs"),
        remark=entries.text("remark", ""),
        performer=entries.text("performer", "") or None,
        also=entries.each("also", _also, plain=Also),
        source=entries.choice("source", Source) or Source.NONE,
        note=entries.text("note", ""),
        outcomes=outcomes,
        sections=entries.each("sections", _section, plain=Section),
        products=entries.each("products", lambda product: _product(product, forward)),
        gates=entries.choices("gates", Gate),
        unit_takes_part=entries.flag("unit_takes_part"),
    )


def _requirement(entries: Entries) -> tuple[str, Supply, str | None, str | None]:
    text = entries.text("text")
    if not entries.is_mapping("supply"):
        return text, entries.choice("supply", Supply, needed=True) or Supply.FORM, None, None
    document, edition = entries.inside("supply", lambda supply: (supply.text("document"), supply.text("edition", ""))) or ("", "")
    return text, Supply.DOCUMENT, document, edition or None


def _standard(entries: Entries) -> Standard:
    return Standard(
        text=entries.text("text"),
        amount=entries.number("amount", 0),
        unit=entries.choice("unit", Unit, needed=True) or Unit.WEEKLY,
    )


def _also(entries: Entries) -> Also:
    return Also(role=entries.text("role"), attachment=entries.text("attachment", "") or None)


def _outcome(entries: Entries) -> Outcome:
    to, back_to, ending = entries.number("to", 0), entries.number("back_to", 0), entries.choice("ends", Ending)
    given = [key for key in ("to", "back_to", "ends") if key in entries.nodes]
    if len(given) != 1:
        entries.faults.add(entries.place, "one-way")
    if "back_to" in given:
        return Outcome(entries.name, OutcomeKind.RETURN, to=back_to)
    if ending and ending is not Ending.DONE:
        return Outcome(entries.name, OutcomeKind.END, ending=ending)
    return Outcome(entries.name, OutcomeKind.FORWARD, to=to if "to" in given else None, ending=ending)


def _product(entries: Entries, forward: tuple[str, ...]) -> Product:
    return Product(
        document=entries.text("document"),
        edition=entries.text("edition", ONE_EDITION),
        on=entries.texts("after") or forward,
    )
