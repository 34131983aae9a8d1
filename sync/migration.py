"""Running cases and a newer revision of their procedure: what it would mean for each, in words, and the asking for it.

Nothing is decided here: what is asked for is decided by the worker with the case's lane held, for the case may have moved meanwhile.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from rich.table import Table

from integration import codec
from integration.neutral import clean
from integration.procedure import contexts
from integration.procedure.case import Case, evolve
from integration.procedure.decide import decide
from integration.procedure.definition import Procedure
from integration.procedure.facts import SERVICE, RevisionAdopted
from integration.procedure.revisions import Finding, age, changes, obstacles
from integration.projection import project
from integration.store import Delivery, Store
from integration.templates import messages
from sync.console import moment
from sync.display import Display


@dataclass(frozen=True, slots=True)
class Plan:
    """What going on under another revision means for a case: nothing stands against it, or it stays. Sentences for the operator."""

    case: Case
    step: str
    revision: str
    obstacles: tuple[str, ...]
    changes: tuple[str, ...] = ()


def planned(display: Display, case: Case, to: str | None, now: datetime) -> Plan | None:
    """What revision `to` of its procedure (None: the newest) would mean for a case. None where it has ended, or that one is no newer."""
    known = (p for p in display.procedures if p.slug == case.procedure and to in (None, p.revision))
    new = max(known, key=lambda procedure: age(procedure.revision), default=None)
    if case.step is None or new is None or age(new.revision) <= age(case.revision):
        return None
    old = display.procedure(case)
    step, against = old.step(case.step).label_text, obstacles(old, new, case)
    if against:
        return Plan(case, step, new.revision, tuple(map(sentence, against)))
    differing = tuple(map(sentence, changes(old, new, case)))
    return Plan(case, step, new.revision, (), (*differing, *_shown(display, old, new, case, now)))


def ask(store: Store, plans: Iterable[Plan], now: datetime) -> int:
    """Ask for what nothing stands against; gives how many rows are new. Asked again while the case has not moved, it is one asking."""
    return store.keep_all(_asked(plan.case, plan.revision, now) for plan in plans if not plan.obstacles)


def told(plan: Plan) -> list[str]:
    """What stands against it, or what would change; line by line."""
    words, case = messages("cli"), plan.case
    heading = words["migrate_stays" if plan.obstacles else "migrate_survives"]
    sentences = plan.obstacles or plan.changes or (words["migrate_same"],)
    first = heading.format(ticket=case.ticket, step=plan.step, before=case.revision, revision=plan.revision)
    return [first, *(words["migrate_item"].format(sentence=clean(sentence)) for sentence in sentences)]


def summary(plans: Iterable[Plan]) -> Table:
    """A line a case."""
    words = messages("cli")
    table = Table(title=words["title_migration"])
    for column in ("ticket", "step", "before", "revision", "survives"):
        table.add_column(words[f"column_{column}"], overflow="fold", no_wrap=column == "ticket")
    for plan in plans:
        verdict = words["migrate_no" if plan.obstacles else "migrate_yes"]
        table.add_row(plan.case.ticket, plan.step, plan.case.revision, plan.revision, verdict)
    return table


def sentence(finding: Finding) -> str:
    """What two revisions differ in, for people."""
    return messages("revision")[finding.kind].format(**finding.facts)


def _asked(case: Case, revision: str, now: datetime) -> Delivery:
    fact = RevisionAdopted(f"revisi-prosedur:{revision}", now, SERVICE, revision)
    return Delivery("clock", f"{case.ticket}:{fact.key}:{case.last_seq}", case.ticket, codec.fact_bytes(fact))


def _shown(display: Display, old: Procedure, new: Procedure, case: Case, now: datetime) -> Iterator[str]:
    """What would be decided at this moment, as far as it is seen: the due time, who is asked to act, the labels."""
    words, organisation = messages("revision"), display.organisation
    zone, after = organisation.calendar.tz, case
    fact = RevisionAdopted("", now, SERVICE, new.revision)
    for entry in decide(new, organisation, case, fact, now).entries:
        after = evolve(after, entry)
    if after.due != case.due:
        yield words["due"].format(before=_moment(case.due, zone), now=_moment(after.due, zone))
    if after.asked != case.asked:
        yield words["asked"].format(now=", ".join(str(who["name"]) for who in contexts.accounts(organisation, after.asked)) or "-")
    day: date = now.astimezone(zone).date()
    before, labels = project(old, organisation, case, day).labels, project(new, organisation, after, day).labels
    if before != labels:
        yield words["labels"].format(before=", ".join(sorted(before - labels)), now=", ".join(sorted(labels - before)))


def _moment(at: datetime | None, zone: tzinfo) -> str:
    return moment(at, zone) or "-"
