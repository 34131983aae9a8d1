"""What must hold whenever all is quiet, whatever was done before: checked against the stand-ins and the ledger, in the service's own data.

Nothing here mends anything. The rules of the procedure are read by tests/core/lawful.py, not by the engine's guards.
"""

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, TypeVar

from integration.drift import left_until
from integration.faults import Transient
from integration.issue import IssueFields, IssueSeen, differing, fields_of, read_sighting
from integration.procedure.case import Case, evolve
from integration.procedure.decide import decide
from integration.procedure.definition import Channel, Procedure, SectionKind, Step, Supply, by_revision
from integration.procedure.effects import PostNote
from integration.procedure.events import CaseEnded, Entry, IssueLinked, Resumed, StepLeft
from integration.procedure.facts import (
    AccessGiven,
    AccessTaken,
    Actor,
    ActorKind,
    DocumentAttached,
    Fact,
    FormRevised,
    OutcomeChosen,
    ProgressMade,
    ResumeAsked,
    TeamNamed,
    Ticked,
    Via,
)
from integration.procedure.offices import Organisation
from integration.projection import project
from integration.store import NumberState
from integration.tables import DONE, PARKED
from sync.audit import out_of_order
from sync.gitlab import asked
from tests.core.lawful import faults
from tests.stories.people import People
from tests.stories.world import World

PATIENCE = 60  # how often the worker may find something more to do later
LATER = timedelta(minutes=70)  # after which what was left alone for being moved too often is looked at again

T = TypeVar("T")
_TODAY = "/wikis/Status-hari-ini"
_MARK = re.compile(r"<!-- alur:(.+?) -->")


def come_to_rest(world: World) -> None:
    """Let the worker do all that is due, and all that waits for its time, and let one sweep find what no hook told."""
    world.service.tick()
    _wait(world)
    world.clock.advance(timedelta(minutes=1))
    tried(world.service.sweep)
    _wait(world)


def tried(call: Callable[[], T]) -> T:
    """What comes of it, once no failure of the platform is left that was meant for somebody else."""
    while True:
        try:
            return call()
        except Transient:
            continue


def _wait(world: World) -> None:
    for _ in range(PATIENCE):
        world.settle()
        rows = [row for row in (*world.service.store.inbox_rows(), *world.service.store.outbox_rows()) if row.state != PARKED]
        if not rows:
            return
        later = [row.due_at for row in rows if row.due_at > world.clock()]  # the others wait behind these
        world.clock.to(min(later, default=world.clock()) + timedelta(seconds=1))
    raise AssertionError(f"never done: {world.service.store.inbox_rows()} {world.service.store.outbox_rows()}")


def unsound(world: World, people: People, of: Iterable[str] | None = None) -> list[str]:
    """All that is not as it must be once everything rests, after these people were at work; only `of` these cases, None: of all."""
    store = world.service.store
    found = [f"parked: {row}" for row in (*store.inbox_rows(state=PARKED), *store.outbox_rows(state=PARKED))]
    found += [f"the chain is broken: {fault}" for fault in store.verify()]
    found += [f"the stand-in does not know {call}" for call in world.campus.gitlab.unknown]
    found += [f"the number {row.number} is {row.state}" for row in store.number_rows() if row.state is not NumberState.ISSUED]
    tickets = store.tickets() if of is None else list(of)
    left_alone = [ticket for ticket in tickets if _differs(world, ticket) and _mended_often(world, ticket)]
    if left_alone:
        world.clock.advance(LATER)
        come_to_rest(world)
    first = people.organisation
    for ticket in tickets:
        case = world.case(ticket)
        procedure, organisation = world.service.display.procedure(case), world.service.display.organisation
        found += [f"{ticket} shows {difference}" for difference in _differs(world, ticket)]
        found += [f"{ticket}, entry {fault}" for fault in faults(procedure, first, store.entries(ticket), later=people.later(ticket))]
        found += [f"{ticket} {fault.kind} at {fault.seq}" for fault in out_of_order(store.entries(ticket), by_revision((procedure,)))]
        found += [f"{ticket} decided twice on {cause}" for cause in _decided_twice(store.entries(ticket))]
        found += [f"{ticket} {fault}" for fault in stuck(procedure, organisation, case, world.clock())]
        found += [f"{ticket} {fault}" for fault in _notes(world, ticket)]
        found += [f"{ticket} {fault}" for fault in _row(world, case)]
        keys = [f"note:{number}" for number, about in people.commands.items() if about == ticket]
        found += [f"{ticket} never answered {key}" for key in sorted(set(keys) - store.known_causes(ticket, keys))]
    return found or _never_at_rest(world)


def _never_at_rest(world: World) -> list[str]:
    """What the service still does where nothing happened, not even time: it writes on the platform, or in its ledger.

    Only the page of today may be written: it tells of what has changed when its time comes, which can be now.
    """
    before = [world.case(ticket).last_seq for ticket in world.service.store.tickets()]
    world.campus.gitlab.requests.clear()
    tried(world.service.sweep)
    _wait(world)
    writes = [request for request in world.bot_requests() if not request.startswith("GET") and not request.endswith(_TODAY)]
    after = [world.case(ticket).last_seq for ticket in world.service.store.tickets()]
    return [f"never at rest: {writes}, {before} {after}"] if writes or before != after else []


def _decided_twice(entries: Iterable[Entry]) -> list[str]:
    """The facts whose entries do not stand together: each is decided on once, and all that follows is recorded with it."""
    runs = Counter(cause for cause, _ in groupby(entry.cause for entry in entries))
    return [cause for cause, count in runs.items() if count > 1]


# --- the platform equals the projection ---


def _differs(world: World, ticket: str) -> list[str]:
    """In what the case's issue is not what the ledger says, but for what GitLab would not take."""
    case, store = world.case(ticket), world.service.store
    if case.iid is None:
        return ["no issue"]
    platform, iid = world.service.platform(), case.iid
    seen = tried(lambda: platform.issue(iid))
    wanted = world.service.display.issue(case, world.clock(), seen.description)
    last = read_sighting(store.observed(ticket))
    refused = last.refused if last else {}
    names = [name for name in sorted(differing(wanted, seen)) if name not in refused or refused[name] != asked(wanted, name)]
    return [f"another {name}: {_told(name, wanted, seen)}" for name in names]


def _told(name: str, wanted: IssueFields, seen: IssueSeen) -> str:
    shown = fields_of(seen)
    if name == "region":
        lines = difflib.unified_diff(wanted.description.splitlines(), shown.description.splitlines(), "wanted", "shown", lineterm="", n=0)
        return "\n".join(lines)
    name = "open" if name == "state" else name
    return f"{getattr(shown, name)} instead of {getattr(wanted, name)}"


def _mended_often(world: World, ticket: str) -> bool:
    entries = world.service.store.entries(ticket)
    return left_until(entries, entries[-1].at) is not None


def _row(world: World, case: Case) -> Iterator[str]:
    """What lists and clocks read beside the ledger."""
    row = world.service.store.case_row(case.ticket)
    if row is None or (row.step, row.status, row.entered_seq, row.iid) != (case.step, case.status, case.entered_seq, case.iid):
        yield f"stands in the lists as {row}"


# --- the service's notes ---


def _notes(world: World, ticket: str) -> Iterator[str]:
    """Each is there once, and none is missing, unless the platform lost the issue it was in."""
    case, store = world.case(ticket), world.service.store
    if case.iid is None:
        return
    bodies = [str(note["body"]) for note in _read_notes(world, case.iid)]
    marks = Counter(mark for body in bodies for mark in _MARK.findall(body))
    yield from (f"says {mark} {count} times" for mark, count in marks.items() if count > 1)
    linked = max(entry.at for entry in store.entries(ticket) if isinstance(entry.event, IssueLinked))
    told = [row.effect for row in store.outbox_rows(state=DONE, lane=ticket, limit=100_000) if row.created_at > linked]
    keys = [effect.key for effect in told if isinstance(effect, PostNote) and not effect.slot]
    yield from (f"does not say {key}" for key in keys if not any(key in mark for mark in marks))


def _read_notes(world: World, iid: int) -> Iterable[Mapping[str, Any]]:
    platform = world.service.platform()
    home = tried(lambda: platform.home)
    notes = tried(lambda: list(platform.pages(f"{platform.project}/issues/{iid}/notes")))
    return [note for note in notes if note["author"]["id"] == home.account_id]


# --- somebody can move it ---


def stuck(procedure: Procedure, organisation: Organisation, case: Case, now: datetime) -> list[str]:
    """Why nobody who is named for this case can move it; empty where somebody can, or where it has ended."""
    if case.step is None:
        return []
    dry = Dry(procedure, organisation, case, now)
    region: Any = project(procedure, organisation, case, now.astimezone(organisation.calendar.tz).date()).region
    if case.paused_since:
        return [] if dry.resumed() else ["is paused, and nobody can resume it"]
    named = [str(person["account"]) for person in region["people"]]
    named += [str(person["account"]) for person in region.get("may_act") or ()]
    if not named:
        return [] if region["vacant"] else [f"stands at {case.step}, and nobody is named"]
    if any(dry.moved_by(account) for account in named):
        return []
    return [f"stands at {case.step}, and {', '.join(named)} cannot move it: {dry.why}"]


class Dry:
    """A case on which is tried what would come of it, without telling anybody."""

    def __init__(self, procedure: Procedure, organisation: Organisation, case: Case, now: datetime) -> None:
        self.procedure, self.organisation, self.case, self.now = procedure, organisation, case, now
        self.start, self.told, self.why = case, 0, ""

    def resumed(self) -> bool:
        """Whether any of those who may resume it can."""
        return any(any(isinstance(e, Resumed) for e in self._tell(ResumeAsked, person)) for person in self._holders("lanjut"))

    def moved_by(self, account: str) -> bool:
        """Whether this account ("" is the unit), given all that others supply, can leave the step by any of its words."""
        by = Actor(ActorKind.PERSON, account, account) if account else Actor(ActorKind.UNIT, name="Dekan")
        here = self.procedure.step(self.start.step or 0)
        if here.number == self.procedure.revises_at:
            return self._moves(FormRevised, by, self.case.submission)
        return any(self._leaves(here, word, by) for word in [outcome.word for outcome in here.outcomes])

    def _leaves(self, step: Step, word: str, by: Actor) -> bool:
        self.case = self.start
        self._supply(step, by)
        duty = self.procedure.duty
        if duty and (step.number, word) == (duty.step, duty.outcome):
            parts = tuple((part.title, "Isi.") for part in duty.parts if part.kind is SectionKind.TEXT)
            return self._moves(ProgressMade, by, "2026-W30", 90, parts)
        texts = {SectionKind.DATE: "2026-12-01", SectionKind.PRIORITY: "tinggi"}
        written = tuple((section.title, texts.get(section.kind, "Isi.")) for section in step.sections)
        via = Via.COMMENT if by.account else Via.PORTAL
        return self._moves(OutcomeChosen, by, word, "Alasan.", written, via)

    def _supply(self, step: Step, by: Actor) -> None:
        gates, wants = {gate.value for gate in step.gates}, {requirement.supply for requirement in step.requirements}
        team_acts = bool(step.performer) and self.procedure.role(step.performer or "").team
        if not self.case.team and ("team" in gates or Supply.TEAM in wants or team_acts):
            signers = {sign.by.account for sign in self.case.standing_signoffs}
            free = tuple(p.account for p in self.organisation.programmers if p.account not in signers)[:2]
            self._tell(TeamNamed, by if by in self._holders("tugaskan") else self._one("tugaskan"), free)
        if not self.case.open_grants and ("grant" in gates or Supply.GRANT in wants):
            until = (self.now + timedelta(days=30)).date()
            self._tell(AccessGiven, self._one("akses"), "siapa", "srv", "ssh", until)
        if "revoked" in gates:
            for grant in self.case.open_grants:
                self._tell(AccessTaken, self._one("cabut-akses"), grant.account, grant.server)
        for also in step.also:
            if also.attachment and by.account:
                self._tell(DocumentAttached, by, also.attachment, ("[a](/uploads/a)",))
        for requirement in step.requirements:
            if requirement.supply is Supply.TICK and requirement.id not in self.case.ticks:
                self._tell(Ticked, by, requirement.id, True)

    def _moves(self, kind: Any, by: Actor, *values: Any) -> bool:
        case = self.case
        events = self._tell(kind, by, *values)
        if any(isinstance(event, StepLeft | CaseEnded) for event in events):
            self.case = self.start
            return True
        self.why, self.case = f"{by.account} {values[:1]}: {events}", case
        return False

    def _tell(self, kind: Any, by: Actor, *values: Any) -> list[object]:
        self.told += 1
        at = self.now + timedelta(seconds=self.told)
        fact: Fact = kind(f"dry:{self.told}", at, by, *values)
        decision = decide(self.procedure, self.organisation, self.case, fact, at)
        for entry in decision.entries:
            self.case = evolve(self.case, entry)
        return list(decision.events)

    def _holders(self, word: str) -> list[Actor]:
        """Everybody who may give a command today."""
        day = self.now.astimezone(self.organisation.calendar.tz).date()
        roles = [self.procedure.role(slug) for slug in self.procedure.authority.get(word, ())]
        offices = [office for role in roles if role.channel is Channel.PLATFORM for office in self.organisation.holders(role.slug, day)]
        return [Actor(ActorKind.PERSON, office.account, office.name) for office in offices]

    def _one(self, word: str) -> Actor:
        return next(iter(self._holders(word)), Actor(ActorKind.PERSON))
