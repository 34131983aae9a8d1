"""What reached us, decided: one kept row becomes facts, facts become events and effects, committed together.

Gather, decide, commit: no transaction is open while the platform is read, and nothing outside is changed from here.
"""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from integration import codec, logs
from integration.clock import Clock
from integration.codec import Json
from integration.drift import ASKING, REPAIRS, WITHIN, changed_by, left_until, parts_about, told
from integration.faults import Failure, Permanent, Transient
from integration.figures import FINDS, LEFT, MENDED
from integration.files import FileStore
from integration.issue import IssueSeen, Part, Sighting, Snapshot, differing, fields_of, sighting_json, sighting_of
from integration.payloads import CLERK, OURSELVES, OWN, Ignored, Look, Told, look_bytes, ourselves_text, read_hook, read_look, read_portal
from integration.procedure.case import Case, evolve
from integration.procedure.deadlines import week_began, week_of
from integration.procedure.decide import Decision, decide
from integration.procedure.definition import Procedure
from integration.procedure.duty import not_asked
from integration.procedure.effects import Effect, PublishReport, SendMail, ShowOnIssue
from integration.procedure.events import Entry, IssueMended, PersonalDataErased, RequestRefused
from integration.procedure.facts import (
    SERVICE,
    Activity,
    Chase,
    DocumentAttached,
    Fact,
    IssueClosed,
    IssueDrifted,
    IssueLost,
    ReportsOwed,
    RevisionAdopted,
    SignedCopyGiven,
    WeekDue,
)
from integration.procedure.revisions import obstacles
from integration.procedure.signing import asks_for_copies
from integration.snapshot import Reader, people_at, unread
from integration.store import Batch, CaseRow, Delivery, InboxRow, Store, Turn, Work
from sync import reports
from sync.chasing import Chasing
from sync.copies import Copies
from sync.digest import digests
from sync.display import Display
from sync.gitlab import Platform, asked
from sync.migration import sentence
from sync.periods import period
from sync.refusals import Gone

REPORT = "laporan"  # the template of the mail that takes a report along
DAY_OVER = "its day is over"
UNDER_WAY = timedelta(seconds=10)  # a hook may be on its way for so long; of what happened longer before a look was asked for, none told

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Ledger:
    """A case on its way through one row: what it was, what is added to it, and what is to be done about it."""

    ticket: str
    entries: tuple[Entry, ...]
    case: Case | None
    observed: Json | None  # its issue as it was last seen
    added: list[Entry] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)  # what something followed from
    words: list[str] = field(default_factory=list)  # for the operator: what became of each fact

    @property
    def only_undoes(self) -> bool:
        """Whether all that follows is that somebody is told no and the issue put back."""
        return self.shows and all(isinstance(entry.event, RequestRefused) for entry in self.added)

    @property
    def shows(self) -> bool:
        """Whether the issue will be brought to what the ledger says anyway."""
        return any(isinstance(effect, ShowOnIssue) for effect in self.effects)

    def take(self, fact: Fact, decision: Decision) -> None:
        """Add what was decided on a fact. The issue is shown once, as the last fact left the case."""
        for entry in decision.entries:
            self.case = evolve(self.case, entry)
        self.added += decision.entries
        if any(isinstance(effect, ShowOnIssue) for effect in decision.effects):
            self.effects = [effect for effect in self.effects if not isinstance(effect, ShowOnIssue)]
        self.effects += decision.effects
        self.causes.append(fact.key)
        self.facts += [] if decision.ignored else [fact]
        told = decision.ignored or ", ".join(type(event).__name__ for event in decision.events) or "answered"
        self.words.append(f"{type(fact).__name__}: {told}")


@dataclass(frozen=True, slots=True)
class Inbox:
    """Works inbox rows off; the drain calls `process` with the lane held. `by_mail`: whether there is a mail server to send by."""

    store: Store
    platform: Platform
    files: FileStore
    display: Display
    clock: Clock
    by_mail: bool = False

    def process(self, turn: Turn, row: InboxRow) -> Work | None:
        """Decide this row and commit it; gives what is to be worked on next. Raises Transient, Permanent, LeaseLost, StoreDown."""
        match row.source:
            case "gitlab":
                home = self.platform.home
                told_by = read_hook(row.body, own=home.account, project_id=home.project_id)
                us = ourselves_text(home.account, home.project_id)
                if told_by == Ignored(OWN) and self.store.mark(OURSELVES) != us:  # the edge knows nobody yet, or another account
                    self.store.set_mark(OURSELVES, us)
                return self._act(turn, row, told_by)
            case "sweep":
                return self._act(turn, row, read_look(row.body))
            case "portal":
                procedures = self.display.procedures
                clerk = str(row.headers.get(CLERK, ""))
                told = read_portal(row.body, ticket=row.lane, key=row.key, at=row.received_at, procedures=procedures, clerk=clerk)
                return self._act(turn, row, told)
            case "report":
                return self._report(turn, row)
            case "chase":
                return self._chase(turn, row)
            case "digest":
                return self._digest(turn, row)
            case _:
                return self._decide_one(turn, row, codec.read_fact(row.body))

    def _act(self, turn: Turn, row: InboxRow, message: Look | Told | Ignored) -> Work | None:
        match message:
            case Ignored(reason=reason):
                return self.store.commit(turn, row, Batch(result=reason))
            case Look():
                return self._look(turn, row, message)
            case Told(fact=fact, contents=contents, form=form):
                for content in contents:
                    self.files.put(turn.lane, content)
                return self._decide_one(turn, row, fact, self.display.for_form(form) if form else None)

    def _decide_one(self, turn: Turn, row: InboxRow, fact: Fact, opens: Procedure | None = None) -> Work | None:
        """Decide one fact about the lane's case; `opens`: the procedure it opens under, where it opens one."""
        ledger = self._ledger(turn)
        procedure = opens if ledger.case is None else self.display.procedure(ledger.case)
        if procedure is None:
            raise Permanent(f"{type(fact).__name__} about {turn.lane}, which is no case", Failure.STRAY)
        if isinstance(fact, RevisionAdopted) and ledger.case:  # decided under the revision it names
            before, procedure = procedure, self.display.revision(ledger.case.procedure, fact.revision)
            against = obstacles(before, procedure, ledger.case)
            if against:  # the case moved since it was asked for
                return self.store.commit(turn, row, Batch(result=" ".join(map(sentence, against))))
        if isinstance(fact, ReportsOwed) and (said := self._untold(ledger, fact)):
            return self.store.commit(turn, row, Batch(result=said))
        if isinstance(fact, WeekDue) and ledger.case:
            fact = replace(fact, activity=self._activity(ledger.case, ledger.observed, procedure, fact))
        if isinstance(fact, SignedCopyGiven) and fact.copy and ledger.case:
            fact = self._copies.looked_at(fact, self.files.get(turn.lane, fact.copy.sha256), ledger.case, fact.copy.link)
        ledger.take(fact, decide(procedure, self.display.organisation, ledger.case, fact, self.clock()))  # its row is the only one with it
        return self._commit(turn, row, ledger, procedure, None)

    def _untold(self, ledger: Ledger, fact: ReportsOwed) -> str:
        """Why a person is not told of their reports on this case's issue; "" where they are.

        A case that has ended meanwhile leaves it to the next of theirs.
        """
        if self._day_is_over(fact.kind, fact.at):
            return DAY_OVER
        if ledger.case is None or ledger.case.ending is None:
            return ""
        rest = fact.tickets[1:]
        if rest:
            told = codec.fact_bytes(replace(fact, tickets=rest))
            self.store.keep(Delivery("clock", f"{fact.key}:{rest[0]}", rest[0], told))
        return "told on their next case" if rest else "the case has ended"

    def _day_is_over(self, kind: Chase, asked_at: datetime) -> bool:
        """Whether what was to be told on that day would come a day late, on top of what is told since; a list is never too late."""
        tz = self.display.organisation.calendar.tz
        return kind is not Chase.LIST and self.clock().astimezone(tz).date() > asked_at.astimezone(tz).date()

    def _activity(self, case: Case, observed: Json | None, procedure: Procedure, fact: WeekDue) -> Activity:
        """What was done about the case in the week that is asked for, where it is.

        One request a page of comments, for an issue on which people were seen to do something in that week; none for any other, nor for
        what a comment mentions.
        """
        organisation = self.display.organisation
        last, tz = sighting_of(case.iid, observed), organisation.calendar.tz
        if last is None or not_asked(procedure, organisation, case, fact.week, fact.at):
            return Activity()
        seen = Snapshot(last.issue)
        if week_of(last.active_at - self.platform.ahead, tz) >= fact.week:
            paused_until = self.store.paused_until()
            if paused_until is not None:  # only looks wait for that by themselves
                raise Transient("the platform asked for a pause", Failure.LIMIT, retry_after=paused_until - self.clock())
            try:
                seen = self.platform.history(last.issue, frozenset({Part.NOTES}), week_began(fact.week, tz))
            except Gone:
                log.info("issue %d is gone: what was done this week is not known", last.issue.iid)
        return self._reader(procedure).activity(seen, case.team, fact.week)

    def _look(self, turn: Turn, row: InboxRow, look: Look) -> Work | None:
        """Read the issue, decide what people asked for there, and find what nobody can have asked for."""
        ledger = self._ledger(turn)
        if ledger.case is None:
            return self._pass_on(turn, row, look)
        if look.iid != ledger.case.iid:
            return self.store.commit(turn, row, Batch(result=f"issue {look.iid} is this case's no more"))
        procedure, last = self.display.procedure(ledger.case), sighting_of(look.iid, ledger.observed)
        try:
            issue = self.platform.issue(look.iid)
        except Gone as gone:
            return self._lost(turn, row, ledger, procedure, gone)
        parts = look.parts | unread(issue, last)
        snapshot = self.platform.history(issue, parts, last.notes_until if last else None)
        before = ledger.case
        self._fold(ledger, procedure, self._requests(ledger, procedure, snapshot))
        drifted = self._drifted(ledger, before, snapshot, last, closely=look.closely)
        until = issue.updated_at if Part.NOTES in parts or last is None else last.notes_until
        since = people_at(snapshot, last, self.platform.home.account)
        seen = Sighting(issue, turn.token, until, last.refused if last else {}, since)
        left = left_until(ledger.entries, self.clock()) if drifted or ledger.only_undoes else None
        if left is not None and last is not None:
            self._leave(ledger, issue, left)
            seen = replace(seen, issue=replace(last.issue, notes_count=issue.notes_count), turn="")  # it differs still when looked at later
        else:
            self._fold(ledger, procedure, drifted)
        following = self._commit(turn, row, ledger, procedure, seen)
        if row.source == "sweep" and not look.closely:
            self._count_finds(ledger.facts, issue.updated_at, row.received_at - UNDER_WAY)
        return following

    def _count_finds(self, facts: Iterable[Fact], changed_at: datetime, told_until: datetime) -> None:
        """Count what no hook told before we looked of our own accord; when somebody changed the issue without asking, only GitLab knows."""
        for fact in facts:
            drift = isinstance(fact, IssueDrifted)
            if (changed_at if drift else fact.at) <= told_until:
                self.platform.tally.add(FINDS, "drift" if drift else "request")

    def _requests(self, ledger: Ledger, procedure: Procedure, snapshot: Snapshot) -> list[Fact]:
        """What people asked for. Moving an issue to another project closes it here: nobody asked for that closing."""
        asked = self._reader(procedure).requests(snapshot)
        if not snapshot.issue.moved:
            return list(asked)
        log.warning("issue %d was moved to another project, where a copy of it is readable", snapshot.issue.iid)
        ledger.causes += [fact.key for fact in asked if isinstance(fact, IssueClosed)]
        return [fact for fact in asked if not isinstance(fact, IssueClosed)]

    def _reader(self, procedure: Procedure) -> Reader:
        return Reader(procedure, self.platform.home.account, self.display.organisation.calendar.tz, self.platform.ahead)

    def _lost(self, turn: Turn, row: InboxRow, ledger: Ledger, procedure: Procedure, gone: Gone) -> Work | None:
        """The issue cannot be read: where it was deleted, the case goes on in another one."""
        iid = ledger.case.iid if ledger.case else None
        if iid is None or not self.platform.deleted(iid):
            raise Transient(f"listed, but not readable: {gone}", Failure.CLOSED) from gone
        log.error("issue %d was deleted: the case gets another one", iid)
        self._fold(ledger, procedure, [IssueLost(f"lost:{iid}", self.clock(), SERVICE, iid)])
        following = self._commit(turn, row, ledger, procedure, None)
        if row.source == "sweep" and ledger.facts:
            self.platform.tally.add(FINDS, "deletion")
        return following

    def _leave(self, ledger: Ledger, issue: IssueSeen, until: datetime) -> None:
        """Put nothing back for now: somebody, or another robot, undoes it each time. What was asked is answered; a look follows."""
        log.error("the issue was put right %d times in %s; it is left as it is until %s", REPAIRS, WITHIN, until.isoformat())
        self.platform.tally.add(LEFT)
        ledger.effects = [effect for effect in ledger.effects if not isinstance(effect, ShowOnIssue)]
        look = look_bytes(Look(issue.iid, closely=True, after=until))
        self.store.keep(Delivery("sweep", f"left:{issue.iid}:{until.isoformat()}", f"issue:{issue.iid}", look))

    def _pass_on(self, turn: Turn, row: InboxRow, look: Look) -> Work | None:
        """A hook that came before its issue was known as a case's, or is about an issue that is none; or a look that had to wait."""
        wait = look.after - self.clock() if look.after else timedelta()
        if wait > timedelta():
            raise Transient("the issue is left as it is for now", Failure.WAITS, retry_after=wait)
        ticket = self.store.ticket_of(look.iid)
        if ticket is None or ticket == turn.lane:
            return self.store.commit(turn, row, Batch(result=f"issue {look.iid} is no case"))
        return self.store.move(turn, row, ticket)

    def _drifted(self, ledger: Ledger, case: Case, snapshot: Snapshot, last: Sighting | None, *, closely: bool) -> list[Fact]:
        """What of the issue is neither as the ledger says nor as it was last seen: somebody changed it without asking for anything.

        What is only not as the ledger says is on its way there, or was refused by GitLab; looked at `closely`, it counts too.
        """
        issue, before = snapshot.issue, None if last is None or closely else fields_of(last.issue)
        changed = None if before is None else told(differing(before, issue), before, issue)
        settled = ASKING if ledger.shows else frozenset[str]()  # put right anyway, and what was asked is answered; the rest is told
        if changed is not None and changed <= settled:
            return []  # found out without writing down how the issue should look, which takes longer than all else of a look
        wanted = self.display.issue(case, self.clock(), issue.description)
        differ = differing(wanted, issue)
        if last is not None and closely:
            differ = frozenset(name for name in differ if name not in last.refused or last.refused[name] != asked(wanted, name))
        what = told(differ, wanted, issue) - settled
        if changed is not None:
            what &= changed
        if not what:
            return []
        seen = f"{issue.updated_at.isoformat()}:{case.last_seq}:{','.join(sorted(what))}"
        key = f"drift:{hashlib.sha256(seen.encode()).hexdigest()[:32]}"
        accounts = self._changed_by(snapshot, what, last.issue.updated_at) if last else ()
        return [IssueDrifted(key, self.clock(), SERVICE, tuple(sorted(what)), accounts)]

    def _changed_by(self, snapshot: Snapshot, what: frozenset[str], since: datetime) -> tuple[str, ...]:
        """Who did it: what was not read of the issue's past is read now, for only now it is asked for."""
        more = self.platform.history(snapshot.issue, parts_about(what) - snapshot.parts, since)
        known = replace(
            snapshot,
            notes=snapshot.notes or more.notes,
            label_events=snapshot.label_events or more.label_events,
            state_events=snapshot.state_events or more.state_events,
        )
        return changed_by(known, what, since, self.platform.home.account)

    def _report(self, turn: Turn, row: InboxRow) -> Work | None:
        """A week is over, perhaps a month and a year with it: their reports are published and go to those the organisation names.

        Who has how much to do goes to nobody but those who lead the programmers.
        """
        week, to = str(codec.read(row.body)["week"]), self.display.organisation.report_recipients
        ended = period(week, self.display.organisation.calendar.tz)
        effects: list[Effect] = []
        for one in (ended, *ended.ends()):
            key = row.key if one is ended else f"report:{one.name}"
            effects.append(PublishReport(f"publish:{key}", one.name))
            if to:
                effects.append(SendMail(f"mail:{key}", REPORT, to, {"week": one.name}))
        above = reports.leaders(self.display, ended.until)
        if above:
            effects.append(SendMail(f"workload:{row.key}", reports.WORKLOAD, above, {"week": week}))
        return self.store.commit(turn, row, Batch(effects=tuple(effects), result=f"{len(to)} recipients"))

    def _chase(self, turn: Turn, row: InboxRow) -> Work | None:
        """Whoever is to make the reports that are not there is told."""
        said = codec.read(row.body)
        kind = Chase(said["kind"])
        if self._day_is_over(kind, row.received_at):
            return self.store.commit(turn, row, Batch(result=DAY_OVER))
        mails, told = Chasing(self.store, self.display, kind, str(said["week"]), self.clock(), self.by_mail).messages()
        self.store.keep_all(told)
        return self.store.commit(turn, row, Batch(effects=tuple(mails), result=f"{len(mails)} by mail, {len(told)} on issues"))

    def _digest(self, turn: Turn, row: InboxRow) -> Work | None:
        """A working day has begun: whoever holds an office above others, and can be written to, is told what waits for them."""
        today = self.clock().astimezone(self.display.organisation.calendar.tz).date()
        if str(codec.read(row.body)["day"]) != today.isoformat():
            return self.store.commit(turn, row, Batch(result=DAY_OVER))
        mails = digests(self.store, self.display, today) if self.by_mail else []
        return self.store.commit(turn, row, Batch(effects=tuple(mails), result=f"{len(mails)} by mail"))

    def _ledger(self, turn: Turn) -> Ledger:
        known = self.store.known(turn)
        if known.case is not None:
            logs.also(step=known.case.step)
        return Ledger(turn.lane, known.entries, known.case, known.observed)

    def _fold(self, ledger: Ledger, procedure: Procedure, facts: Iterable[Fact]) -> None:
        """Decide facts one after the other, each on the case the one before left; what was decided on before is passed over."""
        facts = list({fact.key: fact for fact in facts}.values())  # a page that shifts under the reader shows a comment twice
        known = self.store.known_causes(ledger.ticket, [fact.key for fact in facts]) if facts else set()
        for fact in facts:
            if fact.key in known:
                continue
            fact = self._as_copy(fact, ledger.case, procedure)  # noqa: PLW2901 -- the same fact, known better
            ledger.take(fact, decide(procedure, self.display.organisation, ledger.case, fact, self.clock()))

    @property
    def _copies(self) -> Copies:
        return Copies(self.store, self.platform, self.files)

    def _as_copy(self, fact: Fact, case: Case | None, procedure: Procedure) -> Fact:
        """What was attached as a paper of the service is its signed copy, where such copies are asked for."""
        organisation = self.display.organisation
        if case is None or not isinstance(fact, DocumentAttached) or not asks_for_copies(procedure, organisation, fact.document):
            return fact
        return self._copies.attached(fact, procedure, organisation, case)

    def _commit(self, turn: Turn, row: InboxRow, ledger: Ledger, procedure: Procedure, seen: Sighting | None) -> Work | None:
        batch = Batch(
            ticket=ledger.ticket,
            entries=tuple(ledger.added),
            effects=tuple(ledger.effects),
            causes=tuple(ledger.causes),
            observed=sighting_json(seen) if seen else None,
            case_row=_case_row(ledger.case, [*ledger.entries, *ledger.added][0].at, procedure) if ledger.case and ledger.added else None,
            result="; ".join(ledger.words) or "nothing new",
            erases=any(isinstance(entry.event, PersonalDataErased) for entry in ledger.added),
        )
        following = self.store.commit(turn, row, batch)
        for entry in ledger.added:
            for what in entry.event.what if isinstance(entry.event, IssueMended) else ():
                self.platform.tally.add(MENDED, what)
        return following


def _case_row(case: Case, opened_at: datetime, procedure: Procedure) -> CaseRow:
    """Where the case stands, for lists and the clock; no clock runs while it is paused."""
    step = None if case.step is None else procedure.step(case.step)
    return CaseRow(
        ticket=case.ticket,
        procedure=case.procedure,
        revision=case.revision,
        status=case.status,
        step=case.step,
        role=step.performer if step else None,
        due_at=None if case.paused_since or step is None else case.due,
        entered_seq=case.entered_seq,
        iid=case.iid,
        title=case.submission.about,
        opened_at=opened_at,
        ended_at=case.ended_at,
        team=case.team,
    )
