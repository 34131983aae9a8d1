"""What is answered in a simulation: as people did in a past case, or as a seed draws it from what they usually do.

Steps are recognised by their names, then by their words, never by their numbers: an edited procedure may count them anew.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random

from integration.procedure import events, facts
from integration.procedure.case import Case, Passage
from integration.procedure.definition import Channel, Ending, OutcomeKind, Procedure, Revisions, Step, Supply
from integration.procedure.events import Entry
from integration.procedure.facts import ActorKind, Known, Via
from integration.procedure.offices import Holding, Office, Organisation, Programmer
from sync.rehearsal import Act, Plan, Script
from sync.stays import Meter, stays

FEWEST = 5  # stays of which durations are drawn; where there are fewer, the time standard says more
PACE = (0.1, 1.3, 0.8)  # of what a standard allows: the shortest, the longest, the usual
RETURNS = 0.1  # how often a step sends back that may, where nobody knows
INVENTED = "simulasi-"  # how the accounts begin of those who act where nobody is known


def counterparts(old: Procedure, new: Procedure) -> dict[int, int]:
    """By the number of each step of `old` that is in `new` too: its number there."""
    named = {step.name.casefold(): step.number for step in new.steps}
    found = {step.number: named[step.name.casefold()] for step in old.steps if step.name.casefold() in named}
    before, after = (Counter(step.text for step in procedure.steps) for procedure in (old, new))
    worded = {step.text: step.number for step in new.steps if after[step.text] == 1 and step.number not in found.values()}
    for step in old.steps:
        if step.number not in found and step.text in worded and before[step.text] == 1:
            found[step.number] = worded[step.text]
    return found


# --- what people usually do ---


@dataclass(slots=True)
class Habit:
    """What is known of a step: how many working days its stays took, and by which words it was left."""

    days: list[float] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)


Habits = Mapping[int, Habit]
"""By the numbers of the steps of the procedure in force."""


def habits(ledgers: Iterable[tuple[Case, Sequence[Entry]]], revisions: Revisions, current: Procedure, meter: Meter) -> Habits:
    """What the ledgers tell of the steps of the procedure in force."""
    found: defaultdict[int, Habit] = defaultdict(Habit)
    for case, entries in ledgers:
        if not entries:
            continue
        for stay in stays(case, entries, meter, entries[0].at, entries[-1].at):
            old = revisions[case.procedure, stay.passage.revision or case.revision]
            number = counterparts(old, current).get(stay.passage.step)
            if number and stay.left_at and stay.passage.outcome:
                found[number].days.append(stay.whole)
                found[number].words[stay.passage.outcome] += 1
    return found


class Drawn:
    """Answers drawn from a seed. A step that two procedures share is answered alike in both, visit by visit."""

    def __init__(self, seed: str, new: Procedure, current: Procedure | None, known: Habits) -> None:
        self._seed, self._current, self._known = seed, current, known
        self._before = {number: old for old, number in counterparts(current, new).items()} if current else {}

    def plan(self, step: Step, visit: int) -> Plan:
        """What is done at this step, the `visit`th time."""
        before = self._current.step(self._before[step.number]) if self._current and step.number in self._before else None
        draw = Random(f"{self._seed}:{(before or step).name}:{visit}")  # noqa: S311 -- chance, no secret
        chance, choice, pace = draw.random(), draw.random(), draw.triangular(*PACE)
        habit = self._known.get(before.number, Habit()) if before else Habit()
        word = _word(step, habit.words, chance)
        if before is None or before.standard != step.standard or len(habit.days) < FEWEST:
            return Plan(word, pace=pace)
        return Plan(word, days=habit.days[int(choice * len(habit.days))])


def _word(step: Step, words: Counter[str], chance: float) -> str:
    """The word a step is left by: as often as it was, or sent back now and then where that is not known; "" for the way forward."""
    known = [(word, count) for word, count in sorted(words.items()) if step.outcome(word)]
    total = sum(count for _, count in known)
    if total >= FEWEST:
        for word, count in known:
            chance -= count / total
            if chance < 0:
                return word
        return known[-1][0]
    back = [outcome.word for outcome in step.outcomes if outcome.kind is OutcomeKind.RETURN]
    return back[int(chance / RETURNS * len(back))] if back and chance < RETURNS else ""


# --- what people did ---


class AsRecorded:
    """The answers of a past case, each where it was given, to be given again in another procedure.

    `otherwise`: the answers to what nobody was asked in the past.
    """

    def __init__(self, case: Case, entries: Sequence[Entry], revisions: Revisions, new: Procedure, meter: Meter, otherwise: Script) -> None:
        self._otherwise = otherwise
        self._plans: defaultdict[int, list[Plan]] = defaultdict(list)
        told: set[str] = set()
        ends = [passage.entered_seq for passage in case.history[1:]] + [case.last_seq + 1]
        for passage, end in zip(case.history, ends, strict=True):
            old = revisions[case.procedure, passage.revision or case.revision]
            stay = [entry for entry in entries if passage.entered_seq < entry.seq < end]
            acts = tuple(_acts(passage, stay, old, meter, told))
            number = counterparts(old, new).get(passage.step)
            days = meter.days(passage.entered_at, passage.left_at) if passage.left_at else None
            if number is not None and acts:
                here = tuple(act for act in (_there(act, old.step(passage.step), new.step(number)) for act in acts) if act)
                self._plans[number].append(Plan(passage.outcome, days, acts=here))

    def plan(self, step: Step, visit: int) -> Plan:
        """What was done when the case came to this step so many times before; what is asked for the first time goes its usual way."""
        known = self._plans.get(step.number, [])
        return known[visit] if visit < len(known) else replace(self._otherwise.plan(step, visit), word="")


def _acts(passage: Passage, stay: Iterable[Entry], old: Procedure, meter: Meter, told: set[str]) -> Iterator[Act]:
    """What was asked for during a stay: the first thing of each cause, for all else of it followed from that."""
    for entry in stay:
        if entry.cause in told or entry.by.kind is ActorKind.SERVICE:
            continue
        fact, after = asked(entry, old), meter.days(passage.entered_at, entry.at)
        if fact is not None and after is not None:
            told.add(entry.cause)
            yield Act(after, fact)


def _there(act: Act, before: Step, now: Step) -> Act | None:
    """The same act at the counterpart of its step: a tick at the box with the same words, None where there is no such box any more."""
    if not isinstance(act.fact, facts.Ticked):
        return act
    texts = {requirement.id: requirement.text for requirement in before.requirements}
    boxes = [r.id for r in now.requirements if r.supply is Supply.TICK and r.text == texts.get(act.fact.requirement)]
    return Act(act.after, replace(act.fact, requirement=boxes[0])) if boxes else None


def asked(entry: Entry, procedure: Procedure) -> Known | None:  # noqa: C901, PLR0912 -- one arm per kind of event
    """What somebody asked for, of which this entry is the record; None for what only followed. `procedure`: as it was then."""
    event, known = entry.event, (entry.cause, entry.at, entry.by)
    match event:
        case events.StepLeft(outcome=word) if word:
            if entry.by.kind is ActorKind.UNIT:
                return facts.OutcomeChosen(*known, word, event.reason or _said(event.sections), (), Via.PORTAL)
            return facts.OutcomeChosen(*known, word, event.reason, event.sections, Via.COMMENT)
        case events.LetterAnswered(accepted=accepted) if procedure.letter:
            ways = procedure.step(procedure.letter.approval).outcomes
            word = next((way.word for way in ways if (way.kind is OutcomeKind.FORWARD) is accepted), "")
            return facts.OutcomeChosen(*known, word, event.reason, (), Via.COMMENT)
        case events.FormRevised():
            return facts.FormRevised(*known, event.submission)
        case events.RequirementTicked() | events.RequirementCleared():
            return facts.Ticked(*known, event.requirement, done=isinstance(event, events.RequirementTicked))
        case events.TeamAssigned() | events.TeamProposed():
            return facts.TeamNamed(*known, event.members)
        case events.ProgressReported():
            return facts.ProgressMade(*known, event.week, event.percent, event.sections)
        case events.AccessGranted():
            return facts.AccessGiven(*known, event.account, event.server, event.right, event.until)
        case events.AccessRevoked():
            return facts.AccessTaken(*known, event.account, event.server)
        case events.DocumentAttached():
            return facts.DocumentAttached(*known, event.document, event.links)
        case events.PrioritySet():
            return facts.PriorityMoved(*known, event.priority)
        case events.Paused():
            return facts.PauseAsked(*known, event.reason)
        case events.Resumed():
            return facts.ResumeAsked(*known)
        case events.EmergencyOpened():
            return facts.EmergencyAsked(*known, event.reason)
        case events.CaseEnded(ending=Ending.WITHDRAWN):
            return facts.Withdrawn(*known, event.reason)
        case events.CaseEnded(ending=Ending.HANDED_OFF):
            return facts.HandOffAsked(*known, event.target, event.reason)
        case _:
            return None


def _said(sections: facts.Sections) -> str:
    """The one text the unit wrote."""
    return next((text for _, text in sections), "")


# --- who acts ---


def cast(organisation: Organisation, procedures: Iterable[Procedure], entries: Iterable[Entry] = ()) -> Organisation:
    """The organisation with somebody for every part, on every day: whoever acted in these entries, and else somebody invented.

    So nothing in a simulation hangs on who happens to hold an office on the days it takes.
    """
    zone, roles = organisation.calendar.tz, {role.slug: role for procedure in procedures for role in procedure.roles}
    held: dict[tuple[str, str], Office] = {}
    members: dict[str, Programmer] = {}
    for entry in entries:
        day = entry.at.astimezone(zone).date()
        account, event = entry.by.account, entry.event
        offices = list(organisation.offices_of(account, day))
        if isinstance(event, events.StepLeft | events.SignedOff) and account:
            offices.append(Office(event.role, account, account, holding=Holding(event.office or Holding.FULL)))
        held |= {(office.role, account): _always(office) for office in offices if (office.role, account) not in held}
        if isinstance(event, events.TeamAssigned | events.TeamProposed):
            members |= {member: organisation.programmer(member) or Programmer(member, member) for member in event.members}
    known = {role for role, _ in held}
    vacant = (role for role in roles.values() if role.slug not in known and not role.team and role.channel is Channel.PLATFORM)
    invented = [Programmer(f"{INVENTED}{name}", name) for name in ("programmer-1", "programmer-2")]
    return replace(
        organisation,
        offices=(*held.values(), *(Office(role.slug, f"{INVENTED}{role.slug}", role.name) for role in vacant)),
        programmers=tuple(replace(programmer, leave=()) for programmer in (*members.values(), *invented)),
    )


def _always(office: Office) -> Office:
    return replace(office, since=datetime.min.date(), until=None)  # noqa: DTZ901 -- a day, of no zone
