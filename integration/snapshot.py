"""What people have asked for on the platform, read from an issue and its past; pure.

A request is read from what GitLab keeps of who did what and when (comments, label events, state events, its own notes about ticks), never
from how a field looks now: a field put back by the service in between loses nobody's request.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from integration import commands, secrecy
from integration.issue import EVERYTHING, SAME_SECOND, IssueSeen, LabelEventSeen, NoteSeen, Part, Sighting, Snapshot, StateEventSeen
from integration.labels import asks, priority_of, step_of
from integration.procedure.deadlines import week_of
from integration.procedure.definition import Procedure, Supply
from integration.procedure.facts import (
    AccessGiven,
    AccessTaken,
    Activity,
    Actor,
    ActorKind,
    CheckAsked,
    CommandUnclear,
    DocumentAttached,
    EmergencyAsked,
    Fact,
    HandOffAsked,
    HelpAsked,
    IssueClosed,
    IssueReopened,
    OutcomeChosen,
    PauseAsked,
    PriorityMoved,
    ProgressMade,
    ResumeAsked,
    SecretWritten,
    StepLabelMoved,
    TeamNamed,
    Ticked,
    Via,
    Withdrawn,
)
from integration.region import tasks, ticked

EDITED, SEVERAL, MISPLACED = "suntingan", "satu-perintah", "baris-pertama"
"""The usage shown to somebody who edited a command into a comment, wrote several into one, or one below other text: none is acted on."""

LONGEST = 300  # characters of a comment that are taken over into a draft
MOST = 30  # things of one kind that are taken over, the newest

_SET = re.compile(r"\*\*(?P<words>.+)\*\* as (?P<state>completed|incomplete)$", re.DOTALL)
_MENTION = re.compile(r"mentioned in (?:commit (?P<commit>(?:[\w./-]+@)?[0-9a-f]{7,64})|merge request (?P<request>[\w./-]*!\d+))$")
_TICK = re.compile(r"\*\*(?P<requirement>\d+\\?\.\d+)\b.* as (?P<state>completed|incomplete)$", re.DOTALL)


def unread(issue: IssueSeen, last: Sighting | None) -> frozenset[Part]:
    """The parts of the issue's past in which something may stand that was not looked at yet; none where nothing changed.

    What the issue itself does not show, such as a box ticked and cleared again without a hook, is found at the next reason to read, for
    notes are read on from the last time. What our own writing covers is looked for by whoever writes.
    """
    if last is None:
        return EVERYTHING
    before = last.issue
    parts = {
        Part.NOTES: issue.notes_count != before.notes_count or ticked(issue.description) != ticked(before.description),
        Part.LABEL_EVENTS: _asking(issue) != _asking(before),
        Part.STATE_EVENTS: issue.open != before.open,
    }
    return frozenset(part for part, differs in parts.items() if differs)


def people_at(snapshot: Snapshot, last: Sighting | None, own: str) -> datetime:
    """When somebody else than `own` last did something on the issue: told by the comments, GitLab's own among them, where they were read.

    Where they were not, an issue that changed since it was last seen may have been changed by anybody.
    """
    before = last.active_at if last else snapshot.issue.created_at
    if Part.NOTES in snapshot.parts:
        known = last.people_at if last and last.people_at else snapshot.issue.created_at
        return max([known, *(note.created_at for note in snapshot.notes if note.account not in ("", own))])
    return before if last and snapshot.issue.updated_at == last.issue.updated_at else snapshot.issue.updated_at


@dataclass(frozen=True, slots=True)
class Reader:
    """How a case's issue is read. `own`: the service's account, whose doings are nobody's request; `tz` says in which week one falls.

    `ahead`: how far the platform's clock is ahead of ours. What people asked there is weighed against what was asked elsewhere.
    """

    procedure: Procedure
    own: str
    tz: tzinfo
    ahead: timedelta = timedelta()

    def requests(self, snapshot: Snapshot) -> tuple[Fact, ...]:
        """What people asked for, oldest first, whenever it was: what came too late for its step is answered, not passed over.

        Whoever decides drops what was decided on before, by the facts' keys.
        """
        past = self._by_our_clock(snapshot) if self.ahead else snapshot
        found = [*self._from_notes(past), *self._from_labels(past), *self._from_states(past)]
        return tuple(sorted(found, key=lambda fact: fact.at))  # stable: at the same moment words come before cards

    def activity(self, snapshot: Snapshot, team: Iterable[str], week: str) -> Activity:
        """What was done about the case in this week, from the comments of the snapshot; the boxes are those of its description.

        A box that was cleared again was not set. Commands are no remarks, and a comment that holds a secret is not repeated.
        """
        past, of_team = self._by_our_clock(snapshot) if self.ahead else snapshot, frozenset(team)
        notes = [n for n in past.notes if n.account not in ("", self.own) and week_of(n.created_at, self.tz) == week]
        boxes = [found for note in notes if note.system and (found := _SET.search(note.body))]
        left = {found["words"]: found["state"] == "completed" for found in boxes}
        mentions = [found for note in notes if note.system and (found := _MENTION.search(note.body))]
        remarks = [n for n in notes if not n.system and n.account in of_team and self._command(n) is None]
        done, all_of_them = tasks(snapshot.issue.description)
        return Activity(
            ticked=_newest(_plain(words) for words, is_set in left.items() if is_set),
            merge_requests=_newest(found["request"] for found in mentions if found["request"]),
            commits=_newest(found["commit"] for found in mentions if found["commit"]),
            comments=_newest(_shortened(note.body) for note in remarks),
            done=done,
            tasks=all_of_them,
        )

    def _by_our_clock(self, snapshot: Snapshot) -> Snapshot:
        notes = (replace(n, created_at=n.created_at - self.ahead, updated_at=n.updated_at - self.ahead) for n in snapshot.notes)
        labels = (replace(event, at=event.at - self.ahead) for event in snapshot.label_events)
        states = (replace(event, at=event.at - self.ahead) for event in snapshot.state_events)
        return replace(snapshot, notes=tuple(notes), label_events=tuple(labels), state_events=tuple(states))

    def _from_notes(self, snapshot: Snapshot) -> Iterator[Fact]:
        for note in snapshot.notes:
            if note.account in ("", self.own):
                continue
            fact = self._tick(note) if note.system else self._command(note)
            if fact is not None:
                yield fact

    def _tick(self, note: NoteSeen) -> Ticked | None:
        """A box of a checklist ticked or cleared, by the note GitLab wrote about it; a box belongs to one step.

        People have lists of their own: a box that is not theirs to set is known by its words, too.
        """
        found = _TICK.search(note.body)
        number = found["requirement"].replace("\\", "") if found else ""
        item = next((r for step in self.procedure.steps for r in step.requirements if r.id == number), None)
        if found is None or item is None or (item.supply is not Supply.TICK and _letters(item.text) not in _letters(note.body)):
            return None
        by = Actor(ActorKind.PERSON, note.account, note.name)
        return Ticked(f"tick:{note.id}", note.created_at, by, number, done=found["state"] == "completed")

    def _command(self, note: NoteSeen) -> Fact | None:
        """What a comment asks for. Only its creation counts: one that was edited into a command is answered and not acted on."""
        key, at, by = f"note:{note.id}", note.created_at, Actor(ActorKind.PERSON, note.account, note.name)
        if secrecy.secrets_in(note.body):
            return SecretWritten(key, at, by)
        words = frozenset(outcome.word for step in self.procedure.steps for outcome in step.outcomes)
        duty = self.procedure.duty.word if self.procedure.duty else None
        documents = frozenset(document.slug for document in self.procedure.documents)
        asked = commands.read(note.body, words, documents, self.procedure.handoffs, duty)
        if isinstance(asked, commands.NotACommand):
            return None
        if note.edited:
            return CommandUnclear(key, at, by, "", None, EDITED)
        if isinstance(asked, commands.Misplaced):
            return CommandUnclear(key, at, by, "", None, MISPLACED)
        if asked.extra:
            return CommandUnclear(key, at, by, "", None, SEVERAL)
        return self._fact(asked, key, at, by)

    def _fact(self, asked: commands.Command | commands.Unknown | commands.Malformed, key: str, at: datetime, by: Actor) -> Fact:  # noqa: C901, PLR0912 -- one line a command
        match asked:
            case commands.Outcome(word=word, reason=reason, sections=sections):
                return OutcomeChosen(key, at, by, word, reason, sections, Via.COMMENT)
            case commands.Assign(accounts=accounts):
                return TeamNamed(key, at, by, accounts)
            case commands.Progress(percent=percent, sections=sections):
                return ProgressMade(key, at, by, week_of(at, self.tz), percent, sections)
            case commands.Grant(account=account, server=server, right=right, until=until):
                return AccessGiven(key, at, by, account, server, right, until)
            case commands.Revoke(account=account, server=server):
                return AccessTaken(key, at, by, account, server)
            case commands.Attach(document=document, uploads=uploads, signer=signer):
                return DocumentAttached(key, at, by, document, uploads, signer)
            case commands.Pause(reason=reason):
                return PauseAsked(key, at, by, reason)
            case commands.Resume():
                return ResumeAsked(key, at, by)
            case commands.HandOff(target=target, reason=reason):
                return HandOffAsked(key, at, by, target, reason)
            case commands.Emergency(reason=reason):
                return EmergencyAsked(key, at, by, reason)
            case commands.Withdraw(reason=reason):
                return Withdrawn(key, at, by, reason)
            case commands.Check():
                return CheckAsked(key, at, by)
            case commands.Help():
                return HelpAsked(key, at, by)
            case commands.Unknown(word=word, nearest=nearest):
                return CommandUnclear(key, at, by, word, nearest, "")
            case commands.Malformed(word=word, usage=usage):
                return CommandUnclear(key, at, by, word, None, usage)

    def _from_labels(self, snapshot: Snapshot) -> Iterator[Fact]:
        """Labels of steps and priorities that people put on: by the sidebar, or by dragging the card."""
        added = [event for event in snapshot.label_events if event.added and event.account not in ("", self.own)]
        for event in added:
            priority = priority_of(event.label)
            if priority is not None:
                yield PriorityMoved(f"label:{event.id}", event.at, _person(event), priority)
        for stroke in _strokes(added):
            to, *others = dict.fromkeys(step for _, step in stroke)
            first = stroke[0][0]
            yield StepLabelMoved(f"label:{first.id}", first.at, _person(first), to, tuple(others))

    def _from_states(self, snapshot: Snapshot) -> Iterator[Fact]:
        for event in snapshot.state_events:
            if event.account not in ("", self.own):
                kind = IssueClosed if event.state == "closed" else IssueReopened
                yield kind(f"state:{event.id}", event.at, _person(event))


def _strokes(events: Iterable[LabelEventSeen]) -> Iterable[list[tuple[LabelEventSeen, int]]]:
    """The labels of steps among these, with the steps' numbers; those that one account put on within a second of the first belong together.

    All events are grouped alike whenever they are read, so that none of them is told a second time on its own.
    """
    strokes: list[list[tuple[LabelEventSeen, int]]] = []
    last: dict[str, list[tuple[LabelEventSeen, int]]] = {}
    for event in events:
        step = step_of(event.label)
        if step is None:
            continue
        stroke = last.get(event.account)
        if stroke is None or event.at - stroke[0][0].at > SAME_SECOND:
            stroke = last[event.account] = []
            strokes.append(stroke)
        stroke.append((event, step))
    return strokes


def _person(event: LabelEventSeen | StateEventSeen) -> Actor:
    return Actor(ActorKind.PERSON, event.account, event.name)


def _letters(words: str) -> str:
    """Words without what Markdown or its escapes may add."""
    return re.sub(r"[\W_]+", "", words)


def _asking(issue: IssueSeen) -> frozenset[str]:
    return frozenset(label for label in issue.labels if asks(label))


def _newest(found: Iterable[str]) -> tuple[str, ...]:
    """Each once, in order, and no more than a draft holds."""
    return tuple(dict.fromkeys(text for text in found if text))[-MOST:]


def _plain(words: str) -> str:
    """The words of a box without Markdown's backslashes, in one line."""
    return " ".join(re.sub(r"\\([\W_])", r"\1", words).split())


def _shortened(comment: str) -> str:
    line = " ".join(comment.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"
