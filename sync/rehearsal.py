"""A case led through a procedure on paper: the one decision is asked as the worker would ask it, and nothing is stored or sent.

What is answered comes from a script; what of it is not lawful here is noted, and the step is left by its way forward all the same.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from integration.procedure.case import Case, evolve
from integration.procedure.deadlines import CalendarGap, due, week_of
from integration.procedure.decide import decide
from integration.procedure.definition import Gate, Outcome, OutcomeKind, Procedure, SectionKind, Step, Supply
from integration.procedure.events import Entry, Missing, RequestRefused
from integration.procedure.facts import (
    SERVICE,
    AccessGiven,
    AccessTaken,
    Actor,
    ActorKind,
    DocumentAttached,
    FormRevised,
    FormSubmitted,
    Known,
    OutcomeChosen,
    ProgressMade,
    ResumeAsked,
    Sections,
    StepExpired,
    TeamNamed,
    Ticked,
    Via,
)
from integration.procedure.lines import ASSIGN, ATTACH, GRANT, RESUME, REVOKE, by_report, way_forward
from integration.procedure.offices import Organisation
from integration.procedure.people import Situation, authority, is_teams, people, performers
from sync.stays import Meter

MOMENT = timedelta(seconds=10)  # between two acts: longer than what is taken for the same word said twice
LONGEST = 300  # stays after which a case is taken to go round for ever
SAID = "Simulasi"
UNIT = Actor(ActorKind.UNIT, name=SAID)
TEAM = 2  # members of a team nobody named in the past


@dataclass(frozen=True, slots=True)
class Act:
    """Something asked for, to be asked for again `after` so many working days in a step."""

    after: float
    fact: Known


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done at one stay in a step: the acts, and where none of them leaves it, `word` after `days` working days.

    `word` "": the step's way forward. `days` None: `pace` times what its time standard allows.
    """

    word: str = ""
    days: float | None = None
    pace: float = 1.0
    acts: tuple[Act, ...] = ()


class Script(Protocol):
    """What is answered, whatever the procedure asks."""

    def plan(self, step: Step, visit: int) -> Plan:
        """What is done at this step when the case comes to it, `visit` times before."""


@dataclass(frozen=True, slots=True)
class Objection:
    """What was asked for and refused; `code`: a guards.Code's value."""

    step: str
    asked: str
    code: str
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A case as it went. `stopped`: "" where it ended; else "calendar" (a year is not loaded), "stuck" or "endless"."""

    case: Case
    entries: tuple[Entry, ...]
    objections: tuple[Objection, ...]
    stopped: str


class Rehearsal:
    """One case under one procedure. `organisation` holds whoever acts, on every day."""

    def __init__(self, procedure: Procedure, organisation: Organisation, meter: Meter, script: Script) -> None:
        self.procedure, self.organisation, self.meter, self.script = procedure, organisation, meter, script
        self.known: Case | None = None
        self.entries: list[Entry] = []
        self.objections: list[Objection] = []
        self.told = 0

    def run(self, opening: FormSubmitted) -> Rehearsed:
        """All the way from the form to the end, or to where it stops."""
        self.now = opening.at
        self._tell(opening)
        visits: Counter[int] = Counter()
        stopped = ""
        while self.case.step is not None and not stopped:
            step = self.procedure.step(self.case.step)
            stopped = self._stay(step, self.script.plan(step, visits[step.number]))
            visits[step.number] += 1
            if len(self.case.history) > LONGEST:
                stopped = stopped or "endless"
        return Rehearsed(self.case, tuple(self.entries), tuple(self.objections), stopped)

    @property
    def case(self) -> Case:
        """The case as it stands; there is one once the form is told."""
        if self.known is None:
            raise LookupError("no form was told")
        return self.known

    def _stay(self, step: Step, plan: Plan) -> str:
        """One stay in a step; gives why the case gets no further, "" where it does."""
        entered, stay = self.now, self.case.entered_seq
        for act in plan.acts:
            if self._moved(stay):
                return ""
            if not self._wait_until(self.meter.after(entered, act.after)):
                return "calendar"
            self._again(step, act.fact)
        if self._moved(stay):
            return ""
        days = self._days(step, entered, plan.pace) if plan.days is None else plan.days
        if days is None or not self._wait_until(self.meter.after(entered, days)):
            return "calendar"
        self._leave(step, plan.word)
        return "" if self._moved(stay) else "stuck"

    def _moved(self, stay: int) -> bool:
        return self.case.step is None or self.case.entered_seq != stay

    def _days(self, step: Step, entered: datetime, pace: float) -> float | None:
        """So many times what a step's time standard allows; a step without one takes no time."""
        if step.standard is None:
            return 0.0
        ends = due(self.organisation.calendar, entered, step.standard)
        allowed = None if isinstance(ends, CalendarGap) else self.meter.days(entered, ends)
        return None if allowed is None else pace * allowed

    def _wait_until(self, moment: datetime | None) -> bool:
        """Time passes, and a due time with it; False where the calendar ends before."""
        if moment is None:
            return False
        moment = max(moment, self.now + MOMENT)
        due_at = self.case.due
        if due_at and due_at < moment and not self.case.late and not self.case.paused_since:
            self.now = max(self.now, due_at)
            self._ask(StepExpired, SERVICE, self.case.entered_seq)
        self.now = moment
        return True

    def _again(self, step: Step, fact: Known) -> None:
        """Ask for what was asked for in the past; access lasts as long as it did then."""
        changed: dict[str, Any] = {"key": self._key(), "at": self.now}
        if isinstance(fact, AccessGiven):
            changed["until"] = fact.until + (self.now.date() - fact.at.date())
        events = self._tell(replace(fact, **changed))
        self.objections += [
            Objection(step.label_text, event.asked, event.code, event.missing) for event in events if isinstance(event, RequestRefused)
        ]

    def _leave(self, step: Step, word: str) -> None:
        """Leave a step by a word, supplied with all it asks for; by its way forward where that word does not leave it."""
        stay, onward = self.case.entered_seq, way_forward(step)
        if self.case.paused_since:
            self._ask(ResumeAsked, self._holder(authority(self.procedure, RESUME)))
        if step.number == self.procedure.revises_at:
            self._ask(FormRevised, UNIT, self.case.submission)
            return
        for outcome in dict.fromkeys(filter(None, (step.outcome(word), onward))):
            if not self._moved(stay):
                if outcome.kind is OutcomeKind.FORWARD:
                    self._supply(step)
                self._say(step, outcome)
        if not self._moved(stay):
            refused = [entry.event for entry in self.entries if isinstance(entry.event, RequestRefused)][-1:]
            self.objections += [Objection(step.label_text, event.asked, event.code, event.missing) for event in refused]

    def _say(self, step: Step, outcome: Outcome) -> None:
        day = self.now.astimezone(self.organisation.calendar.tz).date()
        may_act = performers(self.procedure, self.organisation, self.case, day)
        by = _person(may_act[0].account) if may_act and may_act[0].account else UNIT
        if by_report(self.procedure, step, outcome.word):
            self._report(by)
        elif by == UNIT:
            self._ask(OutcomeChosen, by, outcome.word, SAID, (), Via.PORTAL)
        else:
            written = () if outcome.needs_reason else self._written(step)
            self._ask(OutcomeChosen, by, outcome.word, SAID if outcome.needs_reason else "", written, Via.COMMENT)

    def _written(self, step: Step) -> Sections:
        """Something readable below every heading a step asks for."""
        text = {SectionKind.DATE: f"{self.now:%Y-%m-%d}", SectionKind.PRIORITY: self.case.priority, SectionKind.PERCENT: "50"}
        return tuple((section.title, text.get(section.kind, SAID)) for section in step.sections)

    def _report(self, by: Actor) -> None:
        duty = self.procedure.duty
        if duty:
            parts = tuple((part.title, SAID) for part in duty.parts if part.kind is SectionKind.TEXT)
            self._ask(ProgressMade, by, week_of(self.now, self.organisation.calendar.tz), 50, parts)

    def _supply(self, step: Step) -> None:
        """Whatever a step asks for and the case does not hold yet, by whoever may supply it."""
        procedure, supplies = self.procedure, {requirement.supply for requirement in step.requirements}
        if not self.case.team and (is_teams(procedure, step) or Gate.TEAM in step.gates or Supply.TEAM in supplies):
            signed = {sign.by.account for sign in self.case.standing_signoffs}
            able = [programmer.account for programmer in self.organisation.programmers if programmer.account not in signed]
            self._ask(TeamNamed, self._holder(authority(procedure, ASSIGN)), tuple(able[:TEAM]))
        if not self.case.open_grants and (Gate.GRANT in step.gates or Supply.GRANT in supplies):
            to, until = (*self.case.team, self.organisation.programmers[0].account)[0], self.now.date() + timedelta(days=365)
            self._ask(AccessGiven, self._holder(authority(procedure, GRANT)), to, "server", "ssh", until)
        if Gate.REVOKED in step.gates:
            for grant in self.case.open_grants:
                self._ask(AccessTaken, self._holder(authority(procedure, REVOKE)), grant.account, grant.server)
        duty = procedure.duty
        if duty and Supply.REPORT in supplies and not self.case.reports and step.number != duty.step:
            self._report(self._holder(authority(procedure, duty.word)))
        for requirement in step.requirements:
            document = requirement.document or ""
            if document and not procedure.document(document).template and not self.case.attached(document):
                self._ask(DocumentAttached, self._holder(authority(procedure, ATTACH)), document, (f"[{SAID}]()",))
            if requirement.supply is Supply.TICK and requirement.id not in self.case.ticks:
                self._ask(Ticked, self._holder((step.performer or "",)), requirement.id, done=True)

    def _holder(self, roles: tuple[str, ...]) -> Actor:
        """Somebody who holds one of these roles; the unit where nobody on the platform does."""
        situation = Situation(self.procedure, self.organisation, self.case, UNIT, self.now)
        return next((_person(person.account) for person in people(situation, roles) if person.account), UNIT)

    def _ask(self, kind: Any, by: Actor, *values: Any, **named: Any) -> None:  # noqa: ANN401 -- the fields of whichever fact it is
        self.now += MOMENT
        self._tell(kind(self._key(), self.now, by, *values, **named))

    def _key(self) -> str:
        self.told += 1
        return f"simulasi:{self.told}"

    def _tell(self, fact: Any) -> tuple[object, ...]:  # noqa: ANN401 -- a fact, whose union no type can be taken from
        decision = decide(self.procedure, self.organisation, self.known, fact, self.now)
        for entry in decision.entries:
            self.known = evolve(self.known, entry)
        self.entries += decision.entries
        return decision.events


def _person(account: str) -> Actor:
    return Actor(ActorKind.PERSON, account, account)
