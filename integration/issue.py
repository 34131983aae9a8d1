"""One issue as the platform shows it, as plain values: what was seen of it, and what of it is the service's to say; pure.

Fields are compared by what they mean: of the labels only our own families count, and line ends do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from pydantic import TypeAdapter

from integration.codec import Json
from integration.labels import owned

SAME_SECOND = timedelta(seconds=1)  # a comment's two times differ by less than this unless it was edited


class Part(StrEnum):
    """What of an issue's past is read besides the issue itself; each costs one request (a page of 100)."""

    NOTES = "notes"
    LABEL_EVENTS = "label_events"
    STATE_EVENTS = "state_events"


EVERYTHING = frozenset(Part)


@dataclass(frozen=True, slots=True)
class IssueSeen:
    """An issue as GitLab answered it. `assignee` "" for none; `notes_count` counts people's comments and ours, not GitLab's own."""

    iid: int
    url: str
    title: str
    description: str
    labels: frozenset[str]
    assignee: str
    due: date | None
    state: str
    confidential: bool
    notes_count: int
    created_at: datetime
    updated_at: datetime
    locked: bool = False
    type: str = "issue"
    moved_to: int | None = None  # the global id of its copy in another project

    @property
    def open(self) -> bool:
        """Whether the issue is open."""
        return self.state == "opened"

    @property
    def moved(self) -> bool:
        """Whether it was closed by moving it to another project, where a copy was opened; reopened, it is not."""
        return self.moved_to is not None and not self.open


@dataclass(frozen=True, slots=True)
class NoteSeen:
    """A comment, or (`system`) a line GitLab itself wrote about a change, by the one who made it."""

    id: int
    account: str
    name: str
    body: str
    created_at: datetime
    updated_at: datetime
    system: bool

    @property
    def edited(self) -> bool:
        """Whether the text is no longer the one it was created with."""
        return self.updated_at - self.created_at > SAME_SECOND


@dataclass(frozen=True, slots=True)
class LabelEventSeen:
    """Somebody added or removed a label; `label` "" where it was deleted since, `account` "" where the account was."""

    id: int
    account: str
    name: str
    at: datetime
    label: str
    added: bool


@dataclass(frozen=True, slots=True)
class StateEventSeen:
    """Somebody closed or reopened the issue."""

    id: int
    account: str
    name: str
    at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An issue and those `parts` of its past that were read; a part that was not read is empty. Oldest first."""

    issue: IssueSeen
    notes: tuple[NoteSeen, ...] = ()
    label_events: tuple[LabelEventSeen, ...] = ()
    state_events: tuple[StateEventSeen, ...] = ()
    parts: frozenset[Part] = frozenset()


@dataclass(frozen=True, slots=True)
class IssueFields:
    """What of an issue is the service's: these fields, and of the labels only its own families."""

    title: str
    description: str
    labels: frozenset[str]
    assignee: str
    due: date | None
    open: bool
    confidential: bool = True
    locked: bool = False
    type: str = "issue"


@dataclass(frozen=True, slots=True)
class Sighting:
    """An issue as it was last looked at or shown; its `notes_count` is of the comments that were looked at or are ours.

    `turn`: the hold of the lane it was seen in. `notes_until`: comments after this moment were not looked at; None: none were.
    `refused`: fields GitLab dropped without a word, with the value it dropped. `people_at`: when somebody else than we was last seen to do
    something there, or may have been; None: that was not looked for yet.
    """

    issue: IssueSeen
    turn: str = ""
    notes_until: datetime | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
    people_at: datetime | None = None

    @property
    def active_at(self) -> datetime:
        """After this moment nobody but us did anything there, as far as was seen."""
        return self.issue.updated_at if self.people_at is None else self.people_at


_SIGHTING: TypeAdapter[Sighting] = TypeAdapter(Sighting)


def sighting_json(sighting: Sighting) -> Json:
    """A sighting as the store keeps it beside the case."""
    kept: Json = _SIGHTING.dump_python(sighting, mode="json")
    return kept


def read_sighting(kept: Json | None) -> Sighting | None:
    """The sighting again; None for a case whose issue was never seen."""
    return None if kept is None else _SIGHTING.validate_python(kept)


def sighting_of(iid: int | None, kept: Json | None) -> Sighting | None:
    """The sighting of this very issue: one of an issue that was lost since says nothing about the one in its place."""
    sighting = read_sighting(kept)
    return sighting if sighting and sighting.issue.iid == iid else None


def differing(wanted: IssueFields, seen: IssueSeen) -> frozenset[str]:
    """The fields in which the issue is not what is wanted.

    "title", "region", "labels", "assignee", "due", "state", "confidential", "locked", "type". The region stands for the description:
    whoever makes the wanted one takes the rest of it over as it was seen.
    """
    shown = fields_of(seen)
    differs = {
        "title": wanted.title != shown.title,
        "region": wanted.description.rstrip() != shown.description.rstrip(),
        "labels": wanted.labels != shown.labels,
        "assignee": wanted.assignee != shown.assignee,
        "due": wanted.due != shown.due,
        "state": wanted.open != shown.open,
        "confidential": wanted.confidential != shown.confidential,
        "locked": wanted.locked != shown.locked,
        "type": wanted.type != shown.type,
    }
    return frozenset(name for name, different in differs.items() if different)


def fields_of(seen: IssueSeen) -> IssueFields:
    """What an issue showed of ours."""
    labels = frozenset(label for label in seen.labels if owned(label))
    return IssueFields(seen.title, seen.description, labels, seen.assignee, seen.due, seen.open, seen.confidential, seen.locked, seen.type)
