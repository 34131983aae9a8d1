"""A running case under another revision of its procedure: only a newer one, only where its position survives, and never by itself.

Cases stay on the revision they were opened under; what was decided under it stays as it was. A position survives where every rule that
will be applied finds in the new revision what it looks up for the case, and nothing is asked for that can no longer be supplied.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from integration.procedure import contexts
from integration.procedure.case import Case
from integration.procedure.definition import Channel, OutcomeKind, Procedure, Requirement, Step, Supply
from integration.procedure.draft import Draft, Ignored
from integration.procedure.events import RevisionAdopted as Adopted
from integration.procedure.facts import RevisionAdopted
from integration.procedure.lines import RESUME, REVOKE, way_forward
from integration.procedure.people import authority, is_teams, role_names, step_roles
from integration.procedure.requirements import dates, dates_written
from integration.procedure.route import Way, reached, ways
from integration.procedure.transitions import ask_anew, clock


@dataclass(frozen=True, slots=True)
class Finding:
    """Something two revisions differ in that concerns a case. `kind`: a key of templates/messages/revision.yaml, filled in by `facts`."""

    kind: str
    facts: Mapping[str, object] = field(default_factory=dict)


def age(revision: str) -> tuple[tuple[bool, int, str], ...]:
    """A revision's place among others, the newest greatest: "2025-9" before "2025-10" before "2025-10-b" before "2026-01"."""
    return tuple((False, int(word), "") if word.isdecimal() else (True, 0, word) for word in revision.split("-"))


def revision_adopted(draft: Draft, step: Step, fact: RevisionAdopted) -> None:
    """The case goes on under the revision it is decided with here, which nothing may stand against (`obstacles`).

    Its step's clock is counted anew by that one's time standard; a paused one when it is resumed. Whoever is to act now is asked.
    """
    case, new = draft.case, draft.procedure
    if (new.slug, new.revision) != (case.procedure, fact.revision) or age(new.revision) <= age(case.revision):
        draft.ignore(Ignored.NOT_NEWER)
        return
    before, moment, gap, late = case.revision, case.due, case.gap, case.late
    if not case.paused_since:
        moment, gap = clock(draft, step, case.entered_at or draft.at, case.pauses)
        late = moment is not None and moment <= draft.at
    draft.record(Adopted(new.revision, moment, gap, late))
    draft.note("revisi-prosedur", contexts.position(draft.situation, step) | {"before": before, "revision": new.revision})
    ask_anew(draft, step)


def obstacles(old: Procedure, new: Procedure, case: Case) -> tuple[Finding, ...]:
    """What stands against an open case, now under `old`, going on under `new`; nothing: its position survives.

    What the case holds of revisions before `old` is in `old` as well, for nothing stood against that either.
    """
    if case.step is None:
        return ()
    foreign = tuple(_foreign_steps(old, new, case))
    return foreign or tuple(finding for rule in _RULES for finding in rule(old, new, case))


def changes(old: Procedure, new: Procedure, case: Case) -> tuple[Finding, ...]:
    """What of an open case's current step reads otherwise in `new`, and which steps after it do. None of it stands against anything.

    To be asked where there are no obstacles: the current step is in both.
    """
    return () if case.step is None else tuple(_changes(old, new, case.step))


def _changes(old: Procedure, new: Procedure, number: int) -> Iterator[Finding]:
    before, now = old.step(number), new.step(number)
    if before.name != now.name:
        yield Finding("name", {"before": before.label_text, "now": now.label_text})
    if before.text != now.text:
        yield Finding("text", {"now": now.text})
    if before.standard != now.standard:
        yield Finding("standard", {"before": _standard(before), "now": _standard(now)})
    if step_roles(before) != step_roles(now):
        yield Finding("performer", {"now": _listed(role_names(new, step_roles(now)))})
    yield from _items(before, now)
    if before.sections != now.sections:
        yield Finding("headings", {"now": _listed(section.title for section in now.sections)})
    if before.outcomes != now.outcomes:
        yield Finding("words", {"now": _listed(outcome.word for outcome in now.outcomes)})
    known = {step.number: step for step in old.steps}
    later = [step.label_text for step in new.steps if step.number > number and step != known.get(step.number)]
    if later:
        yield Finding("later", {"steps": _listed(later)})


def _items(before: Step, now: Step) -> Iterator[Finding]:
    """The kelengkapan, item by item."""
    had = {requirement.id: requirement for requirement in before.requirements}
    for requirement in now.requirements:
        same = had.pop(requirement.id, None)
        if same is None:
            yield Finding("item_new", {"item": requirement.id, "text": requirement.text})
        elif same.text != requirement.text:
            yield Finding("item_text", {"item": requirement.id, "text": requirement.text})
        elif same != requirement:
            yield Finding("item_supply", {"item": requirement.id})
    yield from (Finding("item_gone", {"item": item}) for item in had)


# --- what stands against it: each rule names what it found ---


def _foreign_steps(old: Procedure, new: Procedure, case: Case) -> Iterator[Finding]:
    """The steps the case stands at, went through or owes are gone, or others: neither their name nor words of their own are the same."""
    texts = [step.text for step in old.steps]
    known = {step.number: step for step in new.steps}
    numbers = {passage.step for passage in case.history} | {owed for owed, _ in case.debts}
    for number in sorted(numbers):
        before, now = old.step(number), known.get(number)
        if now is None:
            yield Finding("step_gone", {"step": before.label_text})
        elif before.name != now.name and (before.text != now.text or texts.count(now.text) > 1):
            yield Finding("step_other", {"step": before.label_text, "now": now.label_text})


def _other_form(old: Procedure, new: Procedure, case: Case) -> Iterator[Finding]:  # noqa: ARG001 -- all rules are asked alike
    """The case's form was filled in on another one."""
    if old.form != new.form:
        yield Finding("form", {"before": old.form, "now": new.form})


def _frame(old: Procedure, new: Procedure, case: Case) -> Iterator[Finding]:
    """A case that waits for its form, or owes it, goes on where the form is expected and where it opens."""
    first = min([case.step or 0, *(owed for owed, _ in case.debts)])
    moved = (old.opens_at, old.revises_at) != (new.opens_at, new.revises_at)
    if moved and first < max(old.opens_at, new.opens_at):
        yield Finding("frame", {"opens": new.opens_at, "revises": new.revises_at})


def _current_step(old: Procedure, new: Procedure, case: Case) -> Iterator[Finding]:
    """Who acts stays in the portal or on the platform; the way on is still called so; what was ticked still says the same."""
    before, now = old.step(case.step or 0), new.step(case.step or 0)
    if _channel(old, before) is not _channel(new, now):
        yield Finding("channel", {"before": _performer(old, before), "now": _performer(new, now)})
    onward = way_forward(before)
    same = onward and now.outcome(onward.word)
    if onward and (same is None or same.kind is not OutcomeKind.FORWARD):
        yield Finding("way_on", {"word": onward.word})
    texts = {requirement.id: requirement.text for requirement in before.requirements}
    for requirement in now.requirements:
        if requirement.id in case.ticks and requirement.text != texts.get(requirement.id):
            yield Finding("ticked", {"item": requirement.id})


def _verification(old: Procedure, new: Procedure, case: Case) -> Iterator[Finding]:
    """A round that has begun ends in the chain it began in."""
    chains = [procedure.verification.steps if procedure.verification else () for procedure in (old, new)]
    if chains[0] != chains[1] and (case.standing_signoffs or case.step in {*chains[0], *chains[1]}):
        yield Finding("verification", {"before": _listed(chains[0]), "now": _listed(chains[1])})


def _exception(old: Procedure, new: Procedure, case: Case) -> Iterator[Finding]:
    """An exception order is carried out as it was given: over the same steps, and what is owed leads from step to step as before."""
    if case.emergency is None:
        return
    spans = [(procedure.emergency.first, procedure.emergency.last) if procedure.emergency else () for procedure in (old, new)]
    if spans[0] != spans[1]:
        yield Finding("exception", {})
    for number, _ in case.debts:
        if _ahead(old.step(number)) != _ahead(new.step(number)):
            yield Finding("debt", {"step": new.step(number).label_text})


def _letter(old: Procedure, new: Procedure, case: Case) -> Iterator[Finding]:
    """An amended letter is answered as it was drafted: as the same paper, by the words of the same step."""
    if case.proposed and old.letter != new.letter:
        yield Finding("letter", {})


def _duty(old: Procedure, new: Procedure, case: Case) -> Iterator[Finding]:
    """The weekly report is owed at the current step by both, or by neither: nobody owes it for weeks gone by, and none is forgotten."""
    owed = [procedure.duty is not None and procedure.duty.covers(case.step) for procedure in (old, new)]
    if owed[0] != owed[1]:
        yield Finding("duty_begins" if owed[1] else "duty_ends", {})


def _holdings(old: Procedure, new: Procedure, case: Case) -> Iterator[Finding]:
    """What the case holds has a name: its papers, what people attached, and the roles people acted in; the team's work stays the team's."""
    known = {document.slug for document in new.documents}
    for slug in dict.fromkeys([paper.document for paper in case.documents] + [attached.document for attached in case.attachments]):
        if slug not in known:
            yield Finding("document", {"title": old.document(slug).title})
    roles = {role.slug for role in new.roles}
    acted = [passage.role for passage in case.history] + [role.slug for role in old.roles if role.team and case.team]
    yield from (Finding("role", {"role": old.role(slug).name}) for slug in dict.fromkeys(acted) if slug and slug not in roles)
    for number in sorted({passage.step for passage in case.history}):
        if is_teams(old, old.step(number)) and not is_teams(new, new.step(number)):
            yield Finding("team", {"step": new.step(number).label_text})


def _commands(old: Procedure, new: Procedure, case: Case) -> Iterator[Finding]:  # noqa: ARG001 -- all rules are asked alike
    """Somebody may still resume what is paused, and take back access that is open."""
    needed = {RESUME: case.paused_since is not None, REVOKE: bool(case.open_grants)}
    yield from (Finding("command", {"word": word}) for word, asked in needed.items() if asked and not authority(new, word))


def _demands(old: Procedure, new: Procedure, case: Case) -> Iterator[Finding]:  # noqa: ARG001 -- all rules are asked alike
    """What steps from here on ask for and only steps passed by now would have made: a paper, or a schedule."""
    known = ways(new, case)
    starts = {case.step or 0, *(owed for owed, _ in case.debts[:1])}
    for step in new.steps:
        for requirement in step.requirements:
            if _unsupplied(new, case, step, requirement):
                without = [way for way in known if not _supplies(new, way, requirement)]
                if any(step.number in reached(start, without) for start in starts):
                    yield Finding("demand", {"item": requirement.id, "text": requirement.text})


_RULES: tuple[Callable[[Procedure, Procedure, Case], Iterator[Finding]], ...] = (
    _other_form,
    _frame,
    _current_step,
    _verification,
    _exception,
    _letter,
    _duty,
    _holdings,
    _commands,
    _demands,
)


def _unsupplied(new: Procedure, case: Case, step: Step, requirement: Requirement) -> bool:
    """Whether an item asks for what the service makes or steps write, and the case does not hold it. All else people can still supply."""
    if requirement.supply is Supply.SCHEDULE:
        dated = [one for one in new.steps if one.number <= step.number and dates(one)]
        return step not in dated and not any(dates_written(case, one) for one in dated)
    document = requirement.document
    return document is not None and bool(new.document(document).template) and not case.current_paper(document, requirement.edition)


def _supplies(new: Procedure, way: Way, requirement: Requirement) -> bool:
    """Whether who goes this way has what the item asks for: a schedule is written by whoever leaves its step forward."""
    if requirement.supply is Supply.SCHEDULE:
        return bool(dates(new.step(way.start))) and (way.to is None or way.to > way.start)
    return way.makes(requirement.document or "", requirement.edition)


def _ahead(step: Step) -> set[int | None]:
    return {outcome.to for outcome in step.outcomes if outcome.kind is OutcomeKind.FORWARD}


def _channel(procedure: Procedure, step: Step) -> Channel | None:
    return procedure.role(step.performer).channel if step.performer else None


def _performer(procedure: Procedure, step: Step) -> str:
    return procedure.role(step.performer).name if step.performer else "-"


def _standard(step: Step) -> str:
    return step.standard.text if step.standard else "-"


def _listed(words: Iterable[object]) -> str:
    return ", ".join(map(str, words)) or "-"
