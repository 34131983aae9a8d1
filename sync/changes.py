"""What another organisation file would change, in the words of its keeper: the differences, and what open cases would notice of them.

Nothing is changed here. What would happen to a case is what the core itself decides.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from itertools import groupby

from babel.dates import format_date, get_day_names

from integration.organisation_diff import Change, differences
from integration.procedure.case import fold
from integration.procedure.decide import decide
from integration.procedure.definition import Procedure, by_revision
from integration.procedure.events import DueRecomputed, PerformersChanged, StepLeft
from integration.procedure.facts import SERVICE, OrganisationChanged
from integration.procedure.offices import DayHours, HoursPeriod, Office, Organisation
from integration.store import Store
from integration.templates import messages
from integration.vacancies import office_roles
from sync.console import LOCALE, moment


def report(store: Store, procedures: Sequence[Procedure], before: Organisation, after: Organisation) -> Iterator[str]:
    """All there is to say, line by line: what is otherwise, what open cases would notice, and what must not be. Raises StoreDown."""
    words = messages("changes")
    told = sentences(before, after, procedures)
    yield words["heading" if told else "none"]
    yield from (f"  {line}" for line in told)
    cases = list(noticed(store, procedures, before, after))
    yield words["cases" if cases else "cases_none"]
    yield from (f"  {line}" for line in cases)
    yield from unproven(store, procedures, before, after)


def sentences(before: Organisation, after: Organisation, procedures: Sequence[Procedure]) -> list[str]:
    """Every difference, a sentence each."""
    roles = {slug: role.name for slug, role in office_roles(procedures).items()}
    return [_sentence(change, roles) for change in differences(before, after)]


def noticed(store: Store, procedures: Sequence[Procedure], before: Organisation, after: Organisation) -> Iterator[str]:
    """What changes for each open case: its due time and who acts, a sentence each. Raises StoreDown."""
    words, now = messages("changes"), store.clock()
    revisions = by_revision(procedures)
    names = {p.account: p.name for o in (before, after) for p in o.programmers} | {
        p.account: p.name for p in (*before.offices, *after.offices)
    }

    def called(accounts: tuple[str, ...]) -> str:
        return ", ".join(names.get(account, account) for account in accounts) or words["nobody"]

    def due(at: datetime | None, gap: int | None) -> str:
        return words["due_gap"].format(year=gap) if gap else moment(at, after.calendar.tz) or words["empty"]

    for ticket in (row.ticket for row in store.case_rows(open_only=True) if row.version):
        case = fold(store.entries(ticket))
        if case is None:
            continue
        fact = OrganisationChanged("diff", now, SERVICE)
        for event in decide(revisions[case.procedure, case.revision], after, case, fact, now).events:
            match event:
                case DueRecomputed():
                    yield words["case_due"].format(ticket=ticket, before=due(case.due, case.gap), after=due(event.due, event.gap))
                case PerformersChanged():
                    yield words["case_people"].format(ticket=ticket, before=called(event.before), after=called(event.accounts))


def unproven(store: Store, procedures: Sequence[Procedure], before: Organisation, after: Organisation) -> Iterator[str]:
    """The offices that decisions were taken in and that `after` no longer holds as they were; a sentence each. Raises StoreDown."""
    lost: Counter[Office] = Counter()
    for ticket in store.tickets():
        for entry in store.entries(ticket):
            if isinstance(entry.event, StepLeft) and entry.by.account:
                day = entry.at.astimezone(before.calendar.tz).date()
                kept = {_identity(office) for office in after.offices_of(entry.by.account, day)}
                held = [office for office in before.offices_of(entry.by.account, day) if office.role == entry.event.role]
                lost.update(office for office in held if _identity(office) not in kept)
    roles = {slug: role.name for slug, role in office_roles(procedures).items()}
    for office, n in lost.items():
        yield messages("changes")["signed_one"].format(n=n, **_told(office, roles))


def _identity(office: Office) -> tuple[str, ...]:
    """What a decision says of the office it was taken in."""
    return office.role, office.name, office.nip, office.decree, office.holding


def _sentence(change: Change, roles: Mapping[str, str]) -> str:
    told = _told(change.thing, roles)
    if change.field:
        told |= {"what": _what(change.field), "before": _word(change.before), "after": _word(change.after)}
    return messages("changes")[f"{change.kind}_{change.form}"].format(**told)


def _told(thing: object, roles: Mapping[str, str]) -> dict[str, str]:
    """What a sentence can say of an office, a programmer, a period, a day; of anything else its `value`."""
    if not is_dataclass(thing):
        return {"value": str(thing)}
    told = {field.name: _word(getattr(thing, field.name)) for field in fields(thing)}
    if isinstance(thing, Office):
        told["role"] = roles.get(thing.role, thing.role)
    if isinstance(thing, HoursPeriod) and not thing.name:
        told["name"] = messages("changes")["regular"]
    return told


def _what(field: str) -> str:
    """What a field is called; of a mapping's entry with the entry's name: "numbering.types.notulen"."""
    words = messages("changes")
    group, _, name = field.rpartition(".")
    known = words.get(f"field_{field}")
    return known if known is not None else words[f"field_{group}"].format(name=name)


def _word(value: object) -> str:
    words = messages("changes")
    match value:
        case None:
            return words["open_ended"]
        case "" | ():
            return words["empty"]
        case str() if "<svg" in value:
            return words["drawing"]
        case date():
            return format_date(value, "d MMMM y", locale=LOCALE)
        case (date() as first, date() as last):
            return words["span"].format(first=_word(first), last=_word(last))
        case tuple():
            return ", ".join(_word(part) for part in value)
        case Mapping():
            return "; ".join(_same_hours(value))
        case _:
            return str(value)


def _same_hours(days: Mapping[int, DayHours]) -> Iterator[str]:
    """Weekdays with their hours, those that follow each other with the same hours together."""
    words, names = messages("changes"), get_day_names("wide", locale=LOCALE)
    for hours, group in groupby(sorted(days), key=lambda day: days[day]):
        together = [names[day] for day in group]
        span = words["span"].format(first=together[0], last=together[-1]) if len(together) > 1 else together[0]
        clock = {field.name: _clock(getattr(hours, field.name)) for field in fields(hours)}
        yield words["hours" if hours.break_from == hours.break_to else "hours_break"].format(days=span, **clock)


def _clock(at: time) -> str:
    return at.strftime("%H.%M")
