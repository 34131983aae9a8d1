"""Offices nobody holds, and the cases that stand still because of it: what the log, the metrics and the doctor warn of.

A team and the unit are no offices: a team is named case by case, the unit answers in the portal.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from integration.procedure.definition import Channel, Procedure, Role
from integration.procedure.offices import Organisation
from integration.store import Store


@dataclass(frozen=True, slots=True)
class Vacancy:
    """An office nobody holds. `cases`: how many open cases stand at a step of it."""

    role: Role
    cases: int


def office_roles(procedures: Iterable[Procedure]) -> dict[str, Role]:
    """The roles of all these procedures that are held by office, by slug; of several revisions the last one names them."""
    roles = (role for procedure in procedures for role in procedure.roles)
    return {role.slug: role for role in roles if role.channel is Channel.PLATFORM and not role.team}


def vacant(procedures: Iterable[Procedure], organisation: Organisation, day: date) -> tuple[Role, ...]:
    """The offices nobody holds on `day`, neither for good nor as a stand-in."""
    return tuple(role for role in office_roles(procedures).values() if not organisation.holders(role.slug, day))


def vacancies(store: Store, procedures: Iterable[Procedure], organisation: Organisation) -> tuple[Vacancy, ...]:
    """The offices nobody holds today, with the cases that wait for them. Raises StoreDown."""
    empty = vacant(procedures, organisation, store.clock().astimezone(organisation.calendar.tz).date())
    waiting = store.open_by_role() if empty else {}
    return tuple(Vacancy(role, waiting.get(role.slug, 0)) for role in empty)
