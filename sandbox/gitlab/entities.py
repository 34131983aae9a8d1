"""What a forge holds: people, projects, issues, notes, labels, boards, hooks, files. Plain records without behaviour.

Records refer to each other by id, never by object, so that a record can be copied to compare before with after.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum


class Level(IntEnum):
    """Access levels of a project member, as the REST API numbers them."""

    NONE = 0
    GUEST = 10
    PLANNER = 15
    REPORTER = 20
    DEVELOPER = 30
    MAINTAINER = 40
    OWNER = 50


@dataclass(slots=True)
class User:
    """A person or a bot with an account. `token` is the first personal access token, with scope `api`."""

    id: int
    username: str
    name: str
    token: str
    created_at: datetime
    admin: bool = False
    email: str = ""


@dataclass(slots=True)
class Token:
    """A personal access token. Its value is the key it is stored under."""

    id: int
    user_id: int
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: date | None = None
    revoked: bool = False
    last_used_at: datetime | None = None


@dataclass(slots=True)
class Label:
    """A label of one project, or of all projects of a `group`. Names are case-sensitive and unique in the project."""

    id: int
    project_id: int
    name: str
    color: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    priority: int | None = None
    group: str = ""


@dataclass(slots=True)
class LabelEvent:
    """Who put or removed a label when. The label may be deleted since."""

    id: int
    user_id: int
    created_at: datetime
    label_id: int
    added: bool


@dataclass(slots=True)
class StateEvent:
    """Who closed or reopened an issue when."""

    id: int
    user_id: int
    created_at: datetime
    state: str


@dataclass(slots=True)
class Note:
    """A comment, or (system) the forge's own record of a change."""

    id: int
    project_id: int
    issue_id: int
    author_id: int
    body: str
    created_at: datetime
    updated_at: datetime
    discussion_id: str
    system: bool = False
    internal: bool = False
    updated_by_id: int | None = None


@dataclass(slots=True)
class Issue:
    """An issue. `assignee_ids` holds at most one id: the Free tier keeps the first."""

    id: int
    iid: int
    project_id: int
    author_id: int
    title: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    state: str = "opened"
    confidential: bool = False
    discussion_locked: bool | None = None
    issue_type: str = "issue"
    due_date: date | None = None
    label_ids: list[int] = field(default_factory=list)
    assignee_ids: list[int] = field(default_factory=list)
    closed_at: datetime | None = None
    closed_by_id: int | None = None
    updated_by_id: int | None = None
    last_edited_at: datetime | None = None
    last_edited_by_id: int | None = None
    moved_to_id: int | None = None
    duplicated_to_id: int | None = None
    subscribers: set[int] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)
    label_events: list[LabelEvent] = field(default_factory=list)
    state_events: list[StateEvent] = field(default_factory=list)

    @property
    def opened(self) -> bool:
        """Whether the issue is open."""
        return self.state == "opened"


@dataclass(slots=True)
class BoardList:
    """One column of a board: the issues that carry its label."""

    id: int
    label_id: int
    position: int


@dataclass(slots=True)
class Board:
    """A board; the columns for open and closed issues are implicit."""

    id: int
    name: str
    lists: list[BoardList] = field(default_factory=list)
    hide_backlog_list: bool = False
    hide_closed_list: bool = False


HOOK_FLAGS = (
    "push_events",
    "issues_events",
    "confidential_issues_events",
    "merge_requests_events",
    "tag_push_events",
    "note_events",
    "confidential_note_events",
    "job_events",
    "pipeline_events",
    "wiki_page_events",
    "deployment_events",
    "feature_flag_events",
    "releases_events",
    "milestone_events",
    "emoji_events",
    "resource_access_token_events",
)


@dataclass(slots=True)
class HookLog:
    """One attempted delivery, as the hook's event list shows it."""

    id: int
    url: str
    trigger: str
    request_headers: dict[str, str]
    body: str
    response_status: str
    response_body: str
    duration: float
    created_at: datetime


@dataclass(slots=True)
class Hook:
    """A project hook. Flags not set at creation are false, except `push_events` (true) and `confidential_note_events` (null)."""

    id: int
    project_id: int
    url: str
    created_at: datetime
    token: str | None = None
    name: str | None = None
    description: str | None = None
    enable_ssl_verification: bool = True
    flags: dict[str, bool | None] = field(default_factory=dict)
    custom_headers: dict[str, str] = field(default_factory=dict)
    log: list[HookLog] = field(default_factory=list)


@dataclass(slots=True)
class Upload:
    """A file sent to a project; it is reached by secret and name, and linked from text, never attached."""

    id: int
    secret: str
    filename: str
    content: bytes
    created_at: datetime
    user_id: int


@dataclass(slots=True)
class WikiPage:
    """A page of a project's wiki. The slug follows the title."""

    id: int
    title: str
    slug: str
    content: str
    format: str = "markdown"


@dataclass(slots=True)
class IssueLink:
    """A relation between two issues; the Free tier knows only `relates_to`."""

    id: int
    source_id: int
    target_id: int
    created_at: datetime


@dataclass(slots=True)
class Project:
    """A project with everything in it. `path` is the full path, `group/name`; one that is archived is only read.

    `files`: the texts of its repository by path, on its one branch; "" is the branch of a repository without a commit.
    """

    id: int
    path: str
    name: str
    visibility: str
    created_at: datetime
    creator_id: int
    members: dict[int, int] = field(default_factory=dict)
    member_since: dict[int, datetime] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    last_iid: int = 0
    labels: dict[int, Label] = field(default_factory=dict)
    boards: dict[int, Board] = field(default_factory=dict)
    hooks: dict[int, Hook] = field(default_factory=dict)
    uploads: list[Upload] = field(default_factory=list)
    wiki: dict[str, WikiPage] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    default_branch: str = ""
    templates: dict[str, str] = field(default_factory=dict)
    settings: dict[str, object] = field(default_factory=dict)
    archived: bool = False
