"""Who may act: the roles a person holds on a day, and the persons who hold a role.

A role is held by an office on that day, by membership of the case's team, or by being the unit; never by anything written in a request.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from integration.procedure.case import Case, SignOff
from integration.procedure.definition import Channel, Procedure, Role, Source, Step
from integration.procedure.facts import Actor, ActorKind
from integration.procedure.lines import ASSIGN
from integration.procedure.offices import Organisation


@dataclass(frozen=True, slots=True)
class Performer:
    """Somebody who may act. `role` is the role's name, `office` "" or how it is held ("Plt."); the unit has no `account`."""

    account: str
    name: str
    role: str
    office: str = ""


@dataclass(frozen=True, slots=True)
class Capacity:
    """In what capacity somebody acts. `role` is the role's slug; `second`: not the performer of the step, but a role that may stand in."""

    role: str
    office: str = ""
    second: bool = False

    def title(self, procedure: Procedure) -> str:
        """The capacity as it is printed: "Plt. Kepala Divisi ..."."""
        return f"{self.office} {procedure.role(self.role).name}".strip()


class Bar(StrEnum):
    """Why the holder of a role may not verify all the same (procedure.md rule 4); values are refusals' codes."""

    OWN_WORK = "own_work"
    SIGNED_TWICE = "signed_twice"


@dataclass(frozen=True, slots=True)
class Vacancy:
    """Nobody may act in the step's own role: `may_act` in its place meanwhile, `appoint` one office up who name a Plt. or Plh."""

    may_act: tuple[Performer, ...]
    appoint: tuple[Performer, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a rule looks at besides the request itself: the case as it stands, who asks, and when (aware)."""

    procedure: Procedure
    organisation: Organisation
    case: Case
    by: Actor
    at: datetime

    @property
    def day(self) -> date:
        """The day at the organisation; offices are held by days."""
        return self.at.astimezone(self.organisation.calendar.tz).date()

    @property
    def step(self) -> Step | None:
        """The current step; None once the case has ended."""
        return None if self.case.step is None else self.procedure.step(self.case.step)


def performers(procedure: Procedure, organisation: Organisation, case: Case, day: date) -> tuple[Performer, ...]:
    """Who must act now, stand-ins first, for a team step the one in charge first; () once the case has ended.

    Where nobody may act in the role on `day`, those who may stand in for it, and at the team's steps those who may name a team; so () while
    it is open means: nobody may act.
    """
    if case.step is None:
        return ()
    step = procedure.step(case.step)
    found = (tuple(_eligible(procedure, organisation, case, day, step, role)) for role in _asked_roles(procedure, case, step))
    return next((people for people in found if people), ())


def vacancy(procedure: Procedure, organisation: Organisation, case: Case, day: date) -> Vacancy | None:
    """Where nobody may act in the role that is asked, for its office is vacant or its holders are barred; None where somebody may."""
    step = None if case.step is None else procedure.step(case.step)
    role = next(iter(_asked_roles(procedure, case, step)), None) if step else None
    if step is None or role is None or any(_eligible(procedure, organisation, case, day, step, role)):
        return None
    return Vacancy(performers(procedure, organisation, case, day), above(procedure, organisation, role, day))


def asked(procedure: Procedure, organisation: Organisation, case: Case, day: date) -> tuple[str, ...]:
    """The accounts of those who must act now; the unit has none."""
    return tuple(person.account for person in performers(procedure, organisation, case, day) if person.account)


def assignee(procedure: Procedure, organisation: Organisation, case: Case, day: date) -> str | None:
    """The account the issue is assigned to; None while the unit acts, nobody does, or the case has ended."""
    people = performers(procedure, organisation, case, day)
    return people[0].account or None if people else None


def people(situation: Situation, roles: Iterable[str]) -> tuple[Performer, ...]:
    """Everybody who holds one of these roles on the day, in the order of the roles."""
    s = situation
    return tuple(person for role in roles for person in _holders(s.procedure, s.organisation, s.case, s.day, role))


def eligible(situation: Situation, step: Step) -> tuple[Performer, ...]:
    """Everybody who may leave this step on the day, in the order of its roles."""
    s = situation
    return tuple(person for role in step_roles(step) for person in _eligible(s.procedure, s.organisation, s.case, s.day, step, role))


def superiors(procedure: Procedure, organisation: Organisation, step: Step, day: date) -> tuple[Performer, ...]:
    """Who holds the office above the step's performer; where nobody does, the office above that one. () for the head's own steps."""
    return above(procedure, organisation, step.performer, day) if step.performer else ()


def above(procedure: Procedure, organisation: Organisation, slug: str, day: date) -> tuple[Performer, ...]:
    """Who holds the office above this role; where nobody does, the office above that one. () for the head."""
    superior = procedure.role(slug).superior
    while superior:
        role = procedure.role(superior)
        found = tuple(Performer(o.account, o.name, role.name, o.stand_in) for o in organisation.holders(superior, day))
        if found:
            return found
        superior = role.superior
    return ()


def conflict(procedure: Procedure, case: Case, step: Step, account: str) -> tuple[bool, tuple[SignOff, ...]]:
    """What makes a holder of a verification's role its own judge: whether they did the work, and what else they signed in this round."""
    if procedure.verification is None or step.number not in procedure.verification.steps:
        return False, ()
    earlier = tuple(sign for sign in case.standing_signoffs if sign.by.account == account and sign.step != step.number)
    return account in workers(procedure, case), earlier


def bar(procedure: Procedure, case: Case, step: Step, account: str, office: str) -> Bar | None:
    """Why somebody who holds a role of this step may not act all the same (procedure.md rule 4); an acting `office` exempts."""
    own_work, earlier = conflict(procedure, case, step, account)
    if office or not (own_work or earlier):
        return None
    if own_work:
        return Bar.OWN_WORK
    return None if all(sign.office for sign in earlier) else Bar.SIGNED_TWICE


def workers(procedure: Procedure, case: Case) -> frozenset[str]:
    """The accounts whose work this case is: its team, and whoever was in it during a step of the team, though replaced since."""
    done = (passage.team for passage in case.history if is_teams(procedure, procedure.step(passage.step)))
    return frozenset(case.team).union(*done)


def is_teams(procedure: Procedure, step: Step) -> bool:
    """Whether the case's team performs this step."""
    return step.performer is not None and procedure.role(step.performer).team


def is_typed(procedure: Procedure, step: Step) -> bool:
    """Whether somebody may leave this step on the platform; the unit answers through the portal only."""
    return any(procedure.role(role).channel is Channel.PLATFORM for role in step_roles(step))


def lacks_team(procedure: Procedure, case: Case, step: Step) -> bool:
    """Whether the team that performs this step is still to be named: an exception order may come before it is (procedure.md rule 7)."""
    return is_teams(procedure, step) and not case.team


def step_roles(step: Step) -> tuple[str, ...]:
    """The roles that may perform a step, its performer first."""
    return (*filter(None, [step.performer]), *(also.role for also in step.also))


def role_names(procedure: Procedure, roles: Iterable[str]) -> tuple[str, ...]:
    """The names of these roles."""
    return tuple(procedure.role(role).name for role in roles)


def authority(procedure: Procedure, word: str) -> tuple[str, ...]:
    """The roles that may give a command beside the table (procedure.md rule 7); none where the procedure names none."""
    return procedure.authority.get(word, ())


def capacity(situation: Situation, roles: Iterable[str]) -> Capacity | None:
    """In which of these roles the actor may act on this day; the first one counts."""
    return next((held for role in roles for held in _held(situation, situation.procedure.role(role))), None)


def step_capacity(situation: Situation, step: Step) -> Capacity | None:
    """In what capacity the actor may perform this step; a second role counts where the first is not held."""
    held = capacity(situation, step_roles(step))
    return held and Capacity(held.role, held.office, second=held.role != step.performer)


def unconfirmed(step: Step, capacity: Capacity) -> bool:
    """Whether a second role acted where the first is only inferred (procedure.md, "Steps": pelaksana belum disahkan)."""
    return capacity.second and step.source is Source.INFERRED


def _held(situation: Situation, role: Role) -> Iterator[Capacity]:
    by = situation.by
    if role.channel is Channel.PORTAL:
        if by.kind is ActorKind.UNIT:
            yield Capacity(role.slug)
    elif by.kind is not ActorKind.PERSON:
        return
    elif role.team:
        if by.account in situation.case.team:
            yield Capacity(role.slug)
    else:
        offices = situation.organisation.offices_of(by.account, situation.day)
        yield from (Capacity(role.slug, office.stand_in) for office in offices if office.role == role.slug)


def _holders(procedure: Procedure, organisation: Organisation, case: Case, day: date, slug: str) -> Iterator[Performer]:
    role = procedure.role(slug)
    if role.channel is Channel.PORTAL:
        yield Performer("", case.submission.unit_name, role.name)
    elif role.team:
        for account in case.team:
            programmer = organisation.programmer(account)
            yield Performer(account, programmer.name if programmer else account, role.name)
    else:
        for office in organisation.holders(slug, day):
            yield Performer(office.account, office.name, role.name, office.stand_in)


def _asked_roles(procedure: Procedure, case: Case, step: Step) -> tuple[str, ...]:
    """The roles that are to act at a step; while its team is still to be named, those that may name it."""
    return authority(procedure, ASSIGN) if lacks_team(procedure, case, step) else step_roles(step)


def _eligible(procedure: Procedure, organisation: Organisation, case: Case, day: date, step: Step, role: str) -> Iterator[Performer]:
    """The holders of a role who may act at this step: in a verification nobody who is barred from it."""
    for person in _holders(procedure, organisation, case, day, role):
        if bar(procedure, case, step, person.account, person.office) is None:
            yield person
