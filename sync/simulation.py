"""What an edited procedure would have made of past cases, and would make of invented ones, beside the one in force; nothing is written.

Both sides get the same answers, so that what differs is the procedure's doing; and the same seed gives the same figures.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from statistics import median

from integration.procedure.case import Case, fold
from integration.procedure.deadlines import CalendarGap, working_days
from integration.procedure.definition import Procedure, Revisions, by_revision
from integration.procedure.events import CaseOpened, DocumentIssued, Entry, StepRanLate
from integration.procedure.facts import FormSubmitted, Submission
from integration.procedure.offices import Organisation
from integration.store import Store
from sync.rehearsal import UNIT, Objection, Rehearsal, Rehearsed, Script
from sync.scripts import AsRecorded, Drawn, Habits, cast, counterparts, habits
from sync.stays import Figures, Meter, Sample, percentile, returned, stays

REMEMBERED = 500  # ended cases, the newest: from which it is told what people usually do
OPENING = 40  # working days at the beginning of the year over which invented cases begin
FINAL = "final"


@dataclass(frozen=True, slots=True)
class Tally:
    """What cases under one procedure add up to, in working days: `days` of each case that came to its end.

    `steps` by number, `roles` by name; `late` and `returned` by number of the step; `papers` by title; `stopped`: why, and how often.
    """

    procedure: Procedure
    days: list[float] = field(default_factory=list)
    steps: dict[int, Sample] = field(default_factory=dict)
    roles: dict[str, Sample] = field(default_factory=dict)
    late: Counter[int] = field(default_factory=Counter)
    returned: Counter[int] = field(default_factory=Counter)
    papers: Counter[str] = field(default_factory=Counter)
    stopped: Counter[str] = field(default_factory=Counter)

    def take(self, went: Rehearsed, meter: Meter) -> None:
        """One case more."""
        procedure, entries = self.procedure, went.entries
        if went.stopped:
            self.stopped[went.stopped] += 1
            return
        for stay in stays(went.case, entries, meter, entries[0].at, entries[-1].at):
            step = procedure.step(stay.passage.step)
            self.steps.setdefault(step.number, Sample()).take(stay)
            if step.performer:
                self.roles.setdefault(procedure.role(step.performer).name, Sample()).take(stay)
            self.returned[step.number] += returned(stay.passage, procedure) is not None
        self.late.update(entry.event.step for entry in entries if isinstance(entry.event, StepRanLate))
        self.papers.update(_title(procedure, entry.event) for entry in entries if isinstance(entry.event, DocumentIssued))
        whole = meter.days(entries[0].at, entries[-1].at)
        self.days.extend([] if whole is None else [whole])

    @property
    def left(self) -> int:
        """How many stays came to their end."""
        return sum(len(sample.left) for sample in self.steps.values())

    @property
    def middle(self) -> float | None:
        """The median of whole cases; None where none ended."""
        return median(self.days) if self.days else None

    @property
    def most(self) -> float | None:
        """What nine of ten cases do not exceed; None where none ended."""
        return percentile(self.days, 90) if self.days else None

    def shares(self) -> dict[str, float]:
        """By role, the greatest first: its part of the time all cases took."""
        took = {name: sample.worked + sample.waited for name, sample in self.roles.items()}
        whole = sum(took.values())
        return {name: took[name] / whole for name in sorted(took, key=lambda name: (-took[name], name))} if whole else {}

    def figures(self, number: int) -> Figures | None:
        """Of one step; None where no case left it."""
        return self.steps[number].figures(self.procedure.step(number).label_text) if number in self.steps else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same cases on both sides; `before` None: no procedure of this name is in force.

    `objections`: what people did that is not lawful in the edited one, though it is in the one in force, with the tickets it concerns.
    """

    cases: int
    before: Tally | None
    after: Tally
    objections: dict[Objection, list[str]]

    def steps(self) -> Iterator[tuple[int | None, int | None]]:
        """Steps side by side by their numbers: those of the edited procedure, each with its counterpart, then those that are gone."""
        ahead = counterparts(self.before.procedure, self.after.procedure) if self.before else {}
        back = {new: old for old, new in ahead.items()}
        yield from ((back.get(step.number), step.number) for step in self.after.procedure.steps)
        if self.before:
            yield from ((step.number, None) for step in self.before.procedure.steps if step.number not in ahead)


@dataclass(frozen=True, slots=True)
class Simulation:
    """All that was tried; `past` None: no case of this procedure has ended yet, or none was asked for."""

    current: Procedure | None
    edited: Procedure
    seed: int
    past: Comparison | None
    invented: Comparison | None


def simulate(
    store: Store | None, procedures: Sequence[Procedure], organisation: Organisation, edited: Procedure, asked: "Asked"
) -> Simulation:
    """What the edited procedure does to past cases and to invented ones; `store` None: there is no past yet."""
    revisions, meter = by_revision(procedures), Meter(organisation.calendar)
    current = next((known for known in reversed(procedures) if known.slug == edited.slug), None)
    ended = _ended(store, edited.slug, revisions) if store else []
    known = habits(_ledgers(store, ended[-REMEMBERED:]), revisions, current, meter) if store and current else {}
    workshop = _Workshop(organisation, meter, revisions, current, edited, known, asked.seed)
    past = ended[len(ended) - min(asked.past, len(ended)) :]
    return Simulation(
        current,
        edited,
        asked.seed,
        workshop.compared(workshop.recorded(_ledgers(store, past))) if store and past else None,
        workshop.compared(workshop.drawn(asked.cases)) if asked.cases else None,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """How many cases to try: the newest `past` ones that have ended, and `cases` invented ones from a `seed`."""

    cases: int
    past: int
    seed: int


Trial = tuple[FormSubmitted, dict[str, Script], Organisation]
"""One case to try: its form, who answers on which side, and who acts."""

BEFORE, AFTER = "before", "after"


@dataclass(frozen=True, slots=True)
class _Workshop:
    """What trying a case takes."""

    organisation: Organisation
    meter: Meter
    revisions: Revisions
    current: Procedure | None
    edited: Procedure
    habits: Habits
    seed: int

    @property
    def sides(self) -> dict[str, Procedure]:
        return ({BEFORE: self.current} if self.current else {}) | {AFTER: self.edited}

    def compared(self, trials: Iterable[Trial]) -> Comparison:
        """Every case on both sides; where one stops on one side it counts on neither, for figures of other cases compare nothing."""
        tallies = {side: Tally(procedure) for side, procedure in self.sides.items()}
        objections: dict[Objection, list[str]] = {}
        cases = 0
        for form, scripts, organisation in trials:
            cases += 1
            went = {side: Rehearsal(procedure, organisation, self.meter, scripts[side]).run(form) for side, procedure in self.sides.items()}
            for side, tally in tallies.items():
                if went[side].stopped or not any(each.stopped for each in went.values()):
                    tally.take(went[side], self.meter)
            lawful = set(went[AFTER].objections) - set(went[BEFORE].objections if BEFORE in went else ())
            for objection in dict.fromkeys(each for each in went[AFTER].objections if each in lawful):
                objections.setdefault(objection, []).append(form.ticket)
        return Comparison(cases, tallies.get(BEFORE), tallies[AFTER], objections)

    def recorded(self, ledgers: Iterable[tuple[Case, list[Entry]]]) -> Iterator[Trial]:
        """Past cases, with the answers they were given."""
        for case, entries in ledgers:
            opened, first = entries[0], entries[0].event
            if not isinstance(first, CaseOpened):
                continue
            form = FormSubmitted(opened.cause, opened.at, opened.by, case.ticket, first.submission)
            scripts: dict[str, Script] = {
                side: AsRecorded(case, entries, self.revisions, procedure, self.meter, self._drawn(case.ticket, procedure))
                for side, procedure in self.sides.items()
            }
            yield form, scripts, cast(self.organisation, self.sides.values(), entries)

    def drawn(self, cases: int) -> Iterator[Trial]:
        """Invented cases, that begin on working days of the newest year that is loaded."""
        organisation, zone = cast(self.organisation, self.sides.values()), self.organisation.calendar.tz
        days = self._opening_days()
        for number in range(1, cases + 1):
            name = f"{self.edited.prefix}-{number:06d}"
            draw = Random(f"{self.seed}:{name}")  # noqa: S311 -- chance, no secret
            begins = datetime.combine(draw.choice(days), time(8), zone) + timedelta(minutes=draw.randrange(180))
            form = FormSubmitted(name, begins, UNIT, name, _form(begins))
            yield form, {side: self._drawn(name, procedure) for side, procedure in self.sides.items()}, organisation

    def _drawn(self, name: str, procedure: Procedure) -> Script:
        return Drawn(f"{self.seed}:{name}", procedure, self.current, self.habits)

    def _opening_days(self) -> tuple[date, ...]:
        calendar = self.organisation.calendar
        year = max(calendar.years)
        days = working_days(calendar, date(year, 1, 1), date(year, 12, 31))
        return (date(year, 1, 1),) if isinstance(days, CalendarGap) or not days else days[:OPENING]


def _ended(store: Store, slug: str, revisions: Revisions) -> list[str]:
    """The cases of a procedure that have ended, the newest last; those under a revision that is not shipped any more cannot be read."""
    known = [row for row in store.case_rows() if row.procedure == slug and (slug, row.revision) in revisions]
    rows = [(row.ended_at, row.ticket) for row in known if row.ended_at]
    return [ticket for _, ticket in sorted(rows)]


def _ledgers(store: Store, tickets: Sequence[str]) -> Iterator[tuple[Case, list[Entry]]]:
    """Of these cases, those of which it is still known what was said; of one whose personal data was erased it is not."""
    return ((case, entries) for entries in store.ledgers(tickets) if (case := fold(entries)) and not case.erased_at)


def _title(procedure: Procedure, event: DocumentIssued) -> str:
    """A paper by its title, with its edition where it is not the usual one."""
    title = procedure.document(event.document).title
    return (
        title if event.edition == FINAL or event.document == (procedure.duty and procedure.duty.document) else f"{title} ({event.edition})"
    )


def _form(at: datetime) -> Submission:
    words = dict.fromkeys(
        (
            *("unit_code", "unit_name", "head_name", "head_nip", "head_title", "head_email", "reporter", "reporter_email", "system"),
            *("system_url", "subject", "category", "description", "reproduction", "impact"),
        ),
        "",
    )
    return Submission(**words, since=at.isoformat(), urgency="sedang", attachments=(), filled_from=at, filled_until=at, sha256="0" * 64)
