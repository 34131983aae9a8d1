"""Who is told of the reports that are not there: one message a person, however many cases are theirs; pure.

Cases are told in the order they were opened, never people in an order of what they owe. Whoever is on leave is told nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from integration.procedure import duty
from integration.procedure.case import Case
from integration.procedure.definition import Procedure
from integration.procedure.facts import SERVICE, Chase
from integration.procedure.offices import Organisation
from integration.procedure.people import Situation, above, authority, people


@dataclass(frozen=True, slots=True)
class Owed:
    """A report that is not there. `account`, `name`: of whom it is asked; "" where everybody of the team is on leave, who are `away`."""

    case: Case
    account: str
    name: str
    away: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Digest:
    """All that one person is told at once; by the case opened first it is told where it is a note."""

    account: str
    name: str
    owed: tuple[Owed, ...]


def owed(kind: Chase, procedure: Procedure, organisation: Organisation, case: Case, week: str, at: datetime) -> Owed | None:
    """What is told of this case at `at`; None where nothing is owed, or not yet asked for."""
    if kind is Chase.ASK:
        asked = duty.not_asked(procedure, organisation, case, week, at) is None
    else:
        asked = duty.is_missing(procedure, organisation, case, week)
    return _of(procedure, organisation, case, at) if asked else None


def to_those_in_charge(found: Iterable[Owed]) -> tuple[Digest, ...]:
    """One digest for each who is there."""
    return _grouped((one.account, one.name, one) for one in found if one.account)


def to_the_office_above(
    procedures: dict[str, Procedure], organisation: Organisation, found: Iterable[Owed], day: date
) -> tuple[Digest, ...]:
    """One list for each who leads the members of these cases' teams; `procedures`: by ticket."""
    told = []
    for one in found:
        procedure = procedures[one.case.ticket]
        team = next((role.slug for role in procedure.roles if role.team), None)
        leads = above(procedure, organisation, team, day) if team else ()
        told += [(leads[0].account, leads[0].name, one)] if leads else []
    return _grouped(told)


def _of(procedure: Procedure, organisation: Organisation, case: Case, at: datetime) -> Owed:
    """The first of the team who is there; where there is no team, whoever else may report."""
    situation = Situation(procedure, organisation, case, SERVICE, at)
    if not case.team:
        others = people(situation, authority(procedure, procedure.duty.word)) if procedure.duty else ()
        return next((Owed(case, person.account, person.name) for person in others if person.account), Owed(case, "", ""))
    team = [(account, organisation.programmer(account)) for account in case.team]
    names = {account: programmer.name if programmer else account for account, programmer in team}
    away = [account for account, programmer in team if programmer and programmer.away(situation.day)]
    first = next((account for account in case.team if account not in away), "")
    return Owed(case, first, names.get(first, ""), tuple(names[account] for account in away))


def _grouped(told: Iterable[tuple[str, str, Owed]]) -> tuple[Digest, ...]:
    groups: dict[tuple[str, str], list[Owed]] = {}
    for account, name, one in told:
        groups.setdefault((account, name), []).append(one)
    return tuple(Digest(account, name, tuple(each)) for (account, name), each in groups.items())
