"""What must hold between the parts of a procedure, and of each step on its own.

A rule only speaks where it can: a value that was read with a fault is empty (or 0) and breaks no rule a second time.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise

from integration.procedure.definition import (
    COMMANDS,
    DRAFT,
    QUESTIONS,
    Channel,
    Duty,
    Gate,
    OutcomeKind,
    Procedure,
    Role,
    SectionKind,
    Supply,
)
from integration.procedure.papers import handover
from integration.procedures.step_rules import broken_step_rules
from integration.yamlfile import Faults, Place

BOTH_SIDES = 2
WORD = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
PREFIX = re.compile(r"[A-Z][A-Z0-9]*")


def broken_rules(procedure: Procedure, faults: Faults) -> None:
    """Note what is wrong with names, references and the rules beside the table; then with every step."""
    for rule in (
        _words,
        _names_given_twice,
        _frame,
        _superiors,
        _authority,
        _needed_authority,
        _duty,
        _verification,
        _emergency,
        _letter,
        _handoffs,
        _signatures,
    ):
        rule(procedure, faults)
    for index, step in enumerate(procedure.steps):
        broken_step_rules(procedure, step, ("steps", index), faults)


def plain(text: str) -> str:
    """A name as people type it: without the marks of italics and the stray spaces of the issued document."""
    return re.sub(r"\s+(?=[,.])", "", " ".join(text.replace("*", "").split()))


def _words(procedure: Procedure, faults: Faults) -> None:
    """Whatever becomes part of a command, a label or a file name is written so that it can."""
    words: list[tuple[Place, str]] = [(("slug",), procedure.slug), (("revision",), procedure.revision)]
    words += [(("roles", index, "slug"), role.slug) for index, role in enumerate(procedure.roles)]
    words += [(("laws", index, "slug"), law.slug) for index, law in enumerate(procedure.laws)]
    for index, document in enumerate(procedure.documents):
        words += [(("documents", index, "slug"), document.slug), (("documents", index, "template"), document.template)]
    for index, step in enumerate(procedure.steps):
        words += [(("steps", index, "outcomes", outcome.word), outcome.word) for outcome in step.outcomes]
    if procedure.duty:
        words.append((("duty", "word"), procedure.duty.word))
    for place, word in words:
        if word and not WORD.fullmatch(word):
            faults.add(place, "bad-word", given=word)
    if procedure.prefix and not PREFIX.fullmatch(procedure.prefix):
        faults.add(("prefix",), "bad-prefix", given=procedure.prefix)


def _names_given_twice(procedure: Procedure, faults: Faults) -> None:
    """What is told apart by its name has one of its own."""

    def each(key: str, values: Iterable[str], *rest: str, within: Place = ()) -> None:
        seen: set[str] = set()
        for index, value in enumerate(values):
            if value and value.casefold() in seen:
                faults.add((*within, key, index, *rest), "twice", given=value)
            seen.add(value.casefold())

    each("roles", (role.slug for role in procedure.roles), "slug")
    each("roles", (role.name for role in procedure.roles), "name")
    each("documents", (document.slug for document in procedure.documents), "slug")
    each("laws", (law.slug for law in procedure.laws), "slug")
    each("handoffs", procedure.handoffs)
    if procedure.duty:
        each("parts", (part.title for part in procedure.duty.parts), "title", within=("duty",))
    for index, step in enumerate(procedure.steps):
        within = ("steps", index)
        each("sections", (section.title for section in step.sections), "title", within=within)
        each("also", (also.role for also in step.also), "role", within=within)
        each("products", (f"{product.document}, {product.edition}" for product in step.products), within=within)


def _frame(procedure: Procedure, faults: Faults) -> None:
    """Steps count from 1 without a gap; a case opens at one of them and goes back for revision to the unit's, before it."""
    for index, step in enumerate(procedure.steps):
        if step.number and step.number != index + 1:
            faults.add(("steps", index, "number"), "step-number", number=step.number, expected=index + 1)
    known = [step.number for step in procedure.steps]
    opens, revises = procedure.opens_at, procedure.revises_at
    for key, number in (("opens_at", opens), ("revises_at", revises)):
        if number and number not in known:
            faults.unknown((key,), "unknown-step", number, known)
    if revises in known and opens in known:
        performer = procedure.step(revises).performer
        unit = any(role.slug == performer and role.channel is Channel.PORTAL for role in procedure.roles)
        if revises >= opens or not unit:
            faults.add(("revises_at",), "revises-elsewhere", number=revises, opens=opens)


def _superiors(procedure: Procedure, faults: Faults) -> None:
    """One office up is an office: a role with holders on the platform, and nobody's own superior by however many steps."""
    roles = {role.slug: role for role in procedure.roles}
    for index, role in enumerate(procedure.roles):
        place = ("roles", index, "superior")
        above = roles.get(role.superior or "")
        if role.superior and above is None:
            faults.unknown(place, "unknown-role", role.superior, roles)
        elif above and (above.team or above.channel is Channel.PORTAL):
            faults.add(place, "superior-elsewhere", given=above.slug)
        elif role.slug in _above(roles, role):
            faults.add(place, "superior-circle", given=role.slug)


def _above(roles: Mapping[str, Role], role: Role) -> set[str]:
    """The roles above this one, all the way up."""
    found: set[str] = set()
    slug = role.superior or ""
    while slug in roles and slug not in found:
        found.add(slug)
        slug = roles[slug].superior or ""
    return found


def _authority(procedure: Procedure, faults: Faults) -> None:
    """Authority is given to known roles, for known commands."""
    roles = [role.slug for role in procedure.roles]
    commands = COMMANDS | ({procedure.duty.word} if procedure.duty else set())
    for command, given in procedure.authority.items():
        if command not in commands:
            faults.unknown(("authority", command), "unknown-command", command, sorted(commands))
        for index, slug in enumerate(given):
            if slug and slug not in roles:
                faults.unknown(("authority", command, "roles", index), "unknown-role", slug, roles)


def _needed_authority(procedure: Procedure, faults: Faults) -> None:
    """What the procedure asks for, somebody may give: no case waits for a command nobody has."""
    needed: list[tuple[Place, str]] = []
    if procedure.duty and procedure.duty.word:
        needed.append((("duty",), procedure.duty.word))
    if procedure.emergency:
        needed.append((("emergency",), "darurat"))
    if procedure.handoffs:
        needed.append((("handoffs",), "alihkan"))
    needed += [(("roles", index), "tugaskan") for index, role in enumerate(procedure.roles) if role.team]
    attached = {document.slug for document in procedure.documents if not document.template}
    signed = [index for index, document in enumerate(procedure.documents) if document.signatures]
    needed += [(("documents", index, "signatures"), word) for index in signed for word in ("lampir", "tanda-tangan")]
    by_gate = {Gate.TEAM: "tugaskan", Gate.GRANT: "akses", Gate.REVOKED: "cabut-akses"}
    by_supply = {Supply.TEAM: "tugaskan", Supply.GRANT: "akses"}
    for index, step in enumerate(procedure.steps):
        at = ("steps", index)
        needed += [((*at, "gates"), by_gate[gate]) for gate in step.gates]
        needed += [((*at, "also", position), "lampir") for position, also in enumerate(step.also) if also.attachment]
        for position, requirement in enumerate(step.requirements):
            command = "lampir" if requirement.document in attached else by_supply.get(requirement.supply)
            if command:
                needed.append(((*at, "requirements", position), command))
    for place, command in needed:
        if command not in procedure.authority:
            faults.add(place, "nobody-may", command=command)


def _duty(procedure: Procedure, faults: Faults) -> None:
    """The report's word is its own; it is owed around its step, leaves it forward, and one of its parts is the percentage."""
    duty = procedure.duty
    if duty is None:
        return
    words = {outcome.word for step in procedure.steps for outcome in step.outcomes}
    if duty.word in COMMANDS | QUESTIONS | words:
        faults.add(("duty", "word"), "reserved-word", given=duty.word)
    if [part.kind for part in duty.parts].count(SectionKind.PERCENT) != 1:
        faults.add(("duty", "parts"), "duty-percent")
    made = [document.slug for document in procedure.documents if document.template]
    if duty.document and duty.document not in made:
        faults.unknown(("duty", "document"), "unknown-document", duty.document, made)
    _duty_steps(procedure, duty, faults)


def _duty_steps(procedure: Procedure, duty: Duty, faults: Faults) -> None:
    known = [step.number for step in procedure.steps]
    numbers = {"first": duty.first, "last": duty.last, "step": duty.step}
    for key, number in numbers.items():
        if number and number not in known:
            faults.unknown(("duty", key), "unknown-step", number, known)
    if all(numbers.values()) and not duty.first <= duty.step <= duty.last:
        faults.add(("duty",), "duty-range", first=duty.first, last=duty.last, step=duty.step)
    if duty.step in known:
        step = procedure.step(duty.step)
        forward = [outcome.word for outcome in step.outcomes if outcome.kind is OutcomeKind.FORWARD]
        if duty.outcome and duty.outcome not in forward:
            faults.unknown(("duty", "outcome"), "unknown-outcome", duty.outcome, forward)
        if step.sections:
            faults.add(("steps", known.index(duty.step), "sections"), "duty-sections")


def _verification(procedure: Procedure, faults: Faults) -> None:
    """The chain is one: each step leads forward to the next, and no role or team would have to sign twice or for itself (rule 4)."""
    steps = procedure.verification.steps if procedure.verification else ()
    known = {step.number: step for step in procedure.steps}
    performers = Counter(known[number].performer for number in steps if number in known)
    for index, number in enumerate(steps):
        place = ("verification", index)
        if number and number not in known:
            faults.unknown(place, "unknown-step", number, known)
        if number not in known:
            continue
        following = steps[index + 1] if index + 1 < len(steps) else 0
        if following in known and not leads_to(procedure, number, following):
            faults.add(("verification", index + 1), "verification-chain", number=number, following=following)
        performer = known[number].performer
        if performer and (performers[performer] > 1 or any(role.team and role.slug == performer for role in procedure.roles)):
            faults.add(place, "verification-signer", number=number, role=performer)


def _emergency(procedure: Procedure, faults: Faults) -> None:
    """The exception's steps follow one another; the step before leads into them and the last one out, for debts are paid around them."""
    emergency = procedure.emergency
    known = [step.number for step in procedure.steps]
    numbers = {"first": emergency.first, "last": emergency.last} if emergency else {}
    for key, number in numbers.items():
        if number and number not in known:
            faults.unknown(("emergency", key), "unknown-step", number, known)
    if emergency is None or not all(number in known for number in numbers.values()):
        return
    opens = procedure.opens_at if procedure.opens_at in known else 0
    first, last = known.index(emergency.first), known.index(emergency.last)
    if not opens < emergency.first <= emergency.last < max(known):
        faults.add(("emergency",), "emergency-range", first=emergency.first, last=emergency.last)
        return
    for number, following in pairwise(known[first - 1 : last + 2]):
        if not leads_to(procedure, number, following):
            faults.add(("emergency",), "emergency-chain", number=number, following=following)


def _letter(procedure: Procedure, faults: Faults) -> None:
    """The letter is drafted, then approved, then received: its steps make it in these editions, and the approval has one way on."""
    letter, known = procedure.letter, {step.number: step for step in procedure.steps}
    if letter is None:
        return
    numbers = {"draft": letter.draft, "approval": letter.approval, "receipt": letter.receipt}
    for key, number in numbers.items():
        if number and number not in known:
            faults.unknown(("letter", key), "unknown-step", number, known)
    made = [document.slug for document in procedure.documents if document.template]
    if letter.document and letter.document not in made:
        faults.unknown(("letter", "document"), "unknown-document", letter.document, made)
    elif all(number in known for number in numbers.values()) and letter.document:
        editions = {
            number: [product.edition for product in known[number].products if product.document == letter.document] for number in known
        }
        made_in_order = DRAFT in editions[letter.draft] and set(editions[letter.approval]) - {DRAFT}
        if not made_in_order or not letter.draft < letter.approval < letter.receipt:
            faults.add(("letter",), "letter-steps", document=letter.document, draft=letter.draft, approval=letter.approval)


def _handoffs(procedure: Procedure, faults: Faults) -> None:
    """A case is handed to a related procedure of the document's head."""
    related = [plain(name) for name in procedure.head.related]
    for index, name in enumerate(procedure.handoffs):
        if name and plain(name) not in related:
            faults.unknown(("handoffs", index), "unknown-related", name, related)


def _signatures(procedure: Procedure, faults: Faults) -> None:
    """Signed copies are asked for of approved editions that a step makes, and from no more than sign them: two at a handover, else one."""
    both_sides = {step.number for steps in handover(procedure) for step in steps}
    for index, document in enumerate(procedure.documents):
        made: dict[str, int] = {}
        for step, edition in ((s, p.edition) for s in procedure.steps for p in s.products if p.document == document.slug):
            made[edition] = BOTH_SIDES if step.number in both_sides else 1
        made.pop(DRAFT, None)
        for edition, count in document.signatures:
            place = ("documents", index, "signatures", edition)
            if edition not in made:
                faults.unknown(place, "unknown-edition", edition, sorted(made))
            elif count > made[edition]:
                faults.add(place, "too-many-signatures", edition=edition, most=made[edition])


def leads_to(procedure: Procedure, number: int, following: int) -> bool:
    """Whether some outcome of step `number` goes forward to step `following`."""
    outcomes = (outcome for step in procedure.steps if step.number == number for outcome in step.outcomes)
    return any(outcome.to == following and outcome.kind is OutcomeKind.FORWARD for outcome in outcomes)
