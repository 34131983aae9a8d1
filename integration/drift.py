"""What somebody changed on an issue without asking for anything: in which words it is told, who it was, and how often it is put back; pure.

Nobody is named for a change GitLab does not say was theirs, and no robot is fought for ever.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from integration.issue import SAME_SECOND, IssueFields, IssueSeen, NoteSeen, Part, Snapshot, fields_of
from integration.labels import Family, family_of
from integration.procedure.events import Entry, IssueMended, RequestRefused

REPAIRS, WITHIN = 10, timedelta(minutes=10)
"""So many times an issue is put right within this time: one a minute, or all at once (behaviour.md 7)."""

MOVED = "moved"
FAMILIES = frozenset(family.name.lower() for family in Family)

ASKING = frozenset({"step", "priority", "state", "region"})
"""What people change to ask for something: where a request is decided on, it is the request that is answered."""

_BY_HAND = ("label:", "state:", "tick:")  # causes of requests made by moving or ticking something on the issue: a refusal puts it back
_TICKED, _REWRITTEN = "marked the checklist item", "changed the description"  # how GitLab's own notes begin


def told(differ: frozenset[str], wanted: IssueFields, seen: IssueSeen) -> frozenset[str]:
    """These fields in the words IssueDrifted has for them: labels by their families, a state that moving changed as "moved"."""
    words = set(differ)
    if "labels" in differ:
        families = (family_of(label) for label in wanted.labels ^ fields_of(seen).labels)
        words = words - {"labels"} | {family.name.lower() for family in families if family}
    if "state" in differ and seen.moved:
        words = words - {"state"} | {MOVED}
    return frozenset(words)


def parts_about(what: Iterable[str]) -> frozenset[Part]:
    """Where it stands who made these changes: labels and the state have events, all else GitLab writes notes about (behaviour.md 3)."""
    kinds = {"state": Part.STATE_EVENTS, **dict.fromkeys(FAMILIES, Part.LABEL_EVENTS)}
    return frozenset(kinds.get(word, Part.NOTES) for word in what)


def changed_by(snapshot: Snapshot, what: frozenset[str], since: datetime, own: str) -> tuple[str, ...]:
    """The accounts that made these changes after `since`, in order, as far as GitLab says so; not ours, nor whose was deleted.

    A change of the same second as `since` may be the one that was seen then: it is nobody's.
    """
    parts = parts_about(what)
    changes: list[tuple[datetime, str]] = []
    if Part.NOTES in parts:
        changes += [(note.created_at, note.account) for note in snapshot.notes if note.system and not note.body.startswith(_TICKED)]
    if Part.LABEL_EVENTS in parts:
        changes += [(event.at, event.account) for event in snapshot.label_events if family_of(event.label)]
    if Part.STATE_EVENTS in parts:
        changes += [(event.at, event.account) for event in snapshot.state_events]
    accounts = [account for at, account in sorted(changes) if at > since + SAME_SECOND and account not in ("", own)]
    return tuple(dict.fromkeys(accounts))


def rewritten(note: NoteSeen) -> bool:
    """Whether this is GitLab's note that somebody changed the description otherwise than by setting or clearing a box."""
    return note.system and note.body.startswith(_REWRITTEN)


def left_until(entries: Sequence[Entry], now: datetime) -> datetime | None:
    """Until when an issue is left as it is, because it was put right so often of late; None: it is put right."""
    repairs = [entry.at for entry in entries if _repair(entry) and entry.at > now - WITHIN]
    return repairs[-REPAIRS] + WITHIN if len(repairs) >= REPAIRS else None


def _repair(entry: Entry) -> bool:
    """Whether this entry had the issue put back: a drift, or a card, a closing or a box that was refused."""
    return isinstance(entry.event, IssueMended) or (isinstance(entry.event, RequestRefused) and entry.cause.startswith(_BY_HAND))
