"""A case under test: told facts one by one, as the worker would tell them, and checked after each."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from integration.procedure.case import Case, evolve, fold
from integration.procedure.decide import Decision, decide
from integration.procedure.definition import Procedure
from integration.procedure.effects import CallPortal, Effect, PostNote, SendMail
from integration.procedure.events import Entry, Event, RequestRefused, StepEntered
from integration.procedure.facts import (
    SERVICE,
    Actor,
    Fact,
    FormSubmitted,
    OrganisationChanged,
    OutcomeChosen,
    ProgressMade,
    Submission,
    TeamNamed,
    Ticked,
    Via,
)
from integration.procedure.offices import Organisation
from tests.core.lawful import faults
from tests.core.office import MINUTE, START, UNIT, organisation, person, submission

TICKET = "SI-2026-000001"


@dataclass
class Run:
    procedure: Procedure
    organisation: Organisation = field(default_factory=organisation)
    now: datetime = START
    entries: list[Entry] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    case: Case | None = None
    told: int = 0
    checked: bool = True
    made_elsewhere: int = 0
    later: list[tuple[int, Organisation]] = field(default_factory=list)  # offices that came since: after which entry, and which

    def copy(self, office: Organisation | None = None) -> "Run":
        """A run of its own from here; under another office, which then has not made the entries so far."""
        own = replace(self, entries=list(self.entries), effects=list(self.effects), later=list(self.later))
        return replace(own, organisation=office, made_elsewhere=len(self.entries)) if office else own

    def tell(self, fact: Fact) -> Decision:
        decision = decide(self.procedure, self.office, self.case, fact, self.now)
        for entry in decision.entries:
            self.case = evolve(self.case, entry)
        self.entries += decision.entries
        self.effects += decision.effects
        assert decision.entries or decision.effects or decision.ignored, f"{fact} came to nothing, without a name"
        assert not (decision.ignored and (decision.entries or decision.effects))
        assert [entry.seq for entry in self.entries] == list(range(1, len(self.entries) + 1))
        if self.checked:
            self.check()
        return decision

    def check(self) -> None:
        assert fold(self.entries) == self.case
        keys = [effect.key for effect in self.effects]
        assert len(set(keys)) == len(keys), "an effect's key was used twice"
        assert faults(self.procedure, self.organisation, self.entries, self.made_elsewhere, self.later) == []

    def reorganise(self, office: Organisation) -> Decision:
        """From now on the office is another, and the case is told."""
        self.later.append((len(self.entries), office))
        return self.fact(OrganisationChanged, SERVICE)

    def fact(self, kind: Any, by: Actor, /, *values: Any, after: timedelta = MINUTE, **named: Any) -> Decision:
        self.now += after
        self.told += 1
        return self.tell(kind(f"fact:{self.told}", self.now, by, *values, **named))

    def submit(self, form: Submission | None = None) -> Decision:
        return self.fact(FormSubmitted, UNIT, TICKET, form or submission())

    def say(self, account: str, word: str, reason: str = "", **options: Any) -> Decision:
        """A `/pos` comment with a word; `sections` by title, by default all the step asks for."""
        written = options.pop("sections", None)
        sections = written_for(self, word) if written is None else tuple(written.items())
        return self.fact(OutcomeChosen, person(account), word, reason, sections, Via.COMMENT, **options)

    def portal(self, word: str, remark: str = "", step: int | None = None) -> Decision:
        return self.fact(OutcomeChosen, UNIT, word, remark, (), Via.PORTAL, step)

    def tick_all(self, account: str) -> None:
        for requirement in self.procedure.step(self.at).requirements:
            if requirement.supply == "tick" and requirement.id not in self.open.ticks:
                self.fact(Ticked, person(account), requirement.id, done=True)

    def report(self, account: str = "budi", week: str = "2026-W23", percent: int | None = 50, **changed: str) -> Decision:
        parts = {
            "Tahapan pekerjaan yang telah diselesaikan": "Perbaikan",
            "Kendala dan solusi": "Tidak ada",
            "Dokumentasi pendukung": "Tangkapan layar",
        }
        written = tuple((title, text) for title, text in (parts | changed).items() if text)
        return self.fact(ProgressMade, person(account), week, percent, written)

    def assign(self, account: str = "koordinator", *members: str) -> Decision:
        return self.fact(TeamNamed, person(account), members or ("budi", "sari"))

    @property
    def office(self) -> Organisation:
        """The office as it is now."""
        return self.later[-1][1] if self.later else self.organisation

    @property
    def open(self) -> Case:
        assert self.case is not None
        return self.case

    @property
    def at(self) -> int:
        assert self.open.step is not None, "the case has ended"
        return self.open.step


def written_for(run: Run, word: str) -> tuple[tuple[str, str], ...]:
    """Something readable below every heading the current step asks for, on the way forward."""
    if run.open.step is None:
        return ()
    step = run.procedure.step(run.at)
    outcome = step.outcome(word)
    if outcome is None or outcome.needs_reason:
        return ()
    text = {"date": "2 Juni 2026", "priority": "tinggi"}
    return tuple((section.title, text.get(section.kind, f"Isi {section.title}.")) for section in step.sections)


def kinds(decision: Decision) -> list[str]:
    """The names of what was recorded."""
    return [type(event).__name__ for event in decision.events]


def entered(decision: Decision) -> list[int]:
    return [event.step for event in decision.events if isinstance(event, StepEntered)]


def only(decision: Decision, kind: type[Event]) -> Any:
    (event,) = [event for event in decision.events if isinstance(event, kind)]
    return event


def refused(decision: Decision) -> RequestRefused:
    """The refusal, which is all that was recorded."""
    (event,) = decision.events
    assert isinstance(event, RequestRefused)
    return event


def note(decision: Decision, template: str) -> dict[str, Any]:
    (found,) = [effect for effect in decision.effects if isinstance(effect, PostNote) and effect.template == template]
    return found.context


def notes(decision: Decision) -> list[str]:
    return [effect.template for effect in decision.effects if isinstance(effect, PostNote)]


def calls(decision: Decision) -> list[str]:
    return [effect.type for effect in decision.effects if isinstance(effect, CallPortal)]


def mails(decision: Decision) -> list[SendMail]:
    return [effect for effect in decision.effects if isinstance(effect, SendMail)]


def call(decision: Decision, kind: str) -> dict[str, Any]:
    (found,) = [effect for effect in decision.effects if isinstance(effect, CallPortal) and effect.type == kind]
    return found.data
