"""GitLab's answers, read: only the fields that are used, in the types they must have.

An answer that does not fit is never guessed at: something else than GitLab gave it, or another GitLab than the ones we know.
"""

from datetime import date
from typing import Self

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from integration.issue import IssueSeen, LabelEventSeen, NoteSeen, StateEventSeen
from sync.refusals import NotUnderstood


class Answer(BaseModel):
    """What every answer has in common: fields we do not know are left alone."""

    @classmethod
    def read(cls, raw: object) -> Self:
        """The answer of this type. Raises NotUnderstood where it is none."""
        try:
            return cls.model_validate(raw)
        except ValidationError as fault:
            said = fault.errors(include_input=False, include_url=False)
            raise NotUnderstood(f"GitLab's {cls.__name__} is not understood: {said}") from fault


class Person(Answer):
    """An account, as it stands beside what it did."""

    id: int
    username: str
    name: str = ""


NOBODY = Person(id=0, username="")


class Issue(Answer):
    """One issue, from the issue itself or from a list."""

    iid: int
    web_url: str
    title: str
    description: str | None = None
    labels: list[str]
    state: str
    confidential: bool
    discussion_locked: bool | None = None
    issue_type: str = "issue"
    moved_to_id: int | None = None
    author: Person | None = None
    assignees: list[Person] = Field(default_factory=list)
    due_date: date | None = None
    user_notes_count: int
    created_at: AwareDatetime
    updated_at: AwareDatetime

    def seen(self) -> IssueSeen:
        """The issue as the service speaks of it."""
        return IssueSeen(
            iid=self.iid,
            url=self.web_url,
            title=self.title,
            description=(self.description or "").replace("\r\n", "\n"),
            labels=frozenset(self.labels),
            assignee=self.assignees[0].username if self.assignees else "",
            due=self.due_date,
            state=self.state,
            confidential=self.confidential,
            notes_count=self.user_notes_count,
            created_at=self.created_at,
            updated_at=self.updated_at,
            locked=bool(self.discussion_locked),
            type=self.issue_type,
            moved_to=self.moved_to_id,
        )


class Note(Answer):
    """One comment or system note."""

    id: int
    body: str
    author: Person | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    system: bool

    def seen(self) -> NoteSeen:
        """The note as the service speaks of it."""
        by = self.author or NOBODY
        return NoteSeen(self.id, by.username, by.name, self.body, self.created_at, self.updated_at, self.system)


class Written(Answer):
    """A note just written or changed."""

    id: int


class Uploaded(Answer):
    """A file just uploaded; `url` is relative to the project."""

    url: str


class Listed(Answer):
    """One upload in the list of all of a project's, which names no address."""

    id: int
    filename: str
    created_at: AwareDatetime


class Page(Answer):
    """A page of the wiki; its text is left out of lists."""

    slug: str
    content: str = ""


class Access(Answer):
    """A membership, of the project or of a group above it."""

    access_level: int


class Project(Answer):
    """The project, as its own page shows it to us."""

    id: int
    path_with_namespace: str
    archived: bool = False
    issues_enabled: bool = True
    visibility: str = "private"
    autoclose_referenced_issues: bool = False
    enforce_auth_checks_on_uploads: bool = True
    default_branch: str | None = None
    permissions: dict[str, Access | None] | None = None

    @property
    def level(self) -> int:
        """Our access level there; 0 for none."""
        return max((held.access_level for held in (self.permissions or {}).values() if held), default=0)


class Token(Answer):
    """The token of the call."""

    scopes: list[str]
    expires_at: date | None = None


class Renewed(Token):
    """A token made in the place of another; its value is shown this once."""

    token: str


class Release(Answer):
    """What GitLab is installed there."""

    version: str

    @property
    def major(self) -> int:
        """The 17 of "17.11.4"; 0 where it cannot be told."""
        first = self.version.partition(".")[0]
        return int(first) if first.isdigit() else 0


class Hook(Answer):
    """A hook of the project, as far as its health is told by it; its token is never shown."""

    id: int
    url: str
    alert_status: str = ""


class Attempt(Answer):
    """One delivery GitLab attempted. `response_status`: HTTP's, or "internal error" where nothing answered."""

    response_status: str
    created_at: AwareDatetime


class Named(Answer):
    """A label inside an event."""

    name: str


class LabelEvent(Answer):
    """One of `resource_label_events`; `label` is null where it was deleted since."""

    id: int
    user: Person | None = None
    created_at: AwareDatetime
    label: Named | None = None
    action: str

    def seen(self) -> LabelEventSeen:
        """The event as the service speaks of it."""
        by = self.user or NOBODY
        label = self.label.name if self.label else ""
        return LabelEventSeen(self.id, by.username, by.name, self.created_at, label, self.action == "add")


class StateEvent(Answer):
    """One of `resource_state_events`."""

    id: int
    user: Person | None = None
    created_at: AwareDatetime
    state: str

    def seen(self) -> StateEventSeen:
        """The event as the service speaks of it."""
        by = self.user or NOBODY
        return StateEventSeen(self.id, by.username, by.name, self.created_at, self.state)
