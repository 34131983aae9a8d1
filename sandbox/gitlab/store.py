"""The forge's memory: every record, its lock, its numbers and its clock.

Rule: whoever reads or writes records holds `lock`; ids only grow and are never used again.
"""

from __future__ import annotations

import random
import secrets
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from sandbox.gitlab.entities import Board, Issue, IssueLink, Label, Level, Project, Token, User

VERSION = "18.9.0"
DEFAULT_COLOR = "#6699cc"

# Numbers start apart, so that an id taken for an iid or for another kind's id is found out.
FIRST_ID = {"user": 1, "project": 40, "issue": 900, "activity": 5000, "label": 200, "hook": 30, "board": 10, "list": 60}


class Store:
    """All state of one instance, in memory."""

    def __init__(self, clock: Callable[[], datetime] | None, seed: int) -> None:
        self.lock = threading.RLock()
        self.clock = clock or (lambda: datetime.now(UTC))
        self.skew = timedelta()  # how far this machine's clock is ahead of the others
        self.random = random.Random(seed)  # noqa: S311 - a repeatable run is wanted, not a secret
        self.url = ""
        self.enterprise = True  # the ee package without a licence, the usual install of the Free tier
        self.users: dict[int, User] = {}
        self.tokens: dict[str, Token] = {}
        self.projects: dict[int, Project] = {}
        self.links: dict[int, IssueLink] = {}
        self._numbers: Counter[str] = Counter(FIRST_ID)

    @property
    def records(self) -> dict[str, object]:
        """Everything that is remembered, by name; not a copy."""
        return {name: getattr(self, name) for name in ("random", "users", "tokens", "projects", "links", "_numbers")}

    @records.setter
    def records(self, records: dict[str, object]) -> None:
        for name, value in records.items():
            setattr(self, name, value)

    def number(self, kind: str) -> int:
        """Return the next id of this kind."""
        number = max(self._numbers[kind], 1)
        self._numbers[kind] = number + 1
        return number

    def now(self) -> datetime:
        """Return the time of the injected clock, in UTC, as this machine has it."""
        return self.clock().astimezone(UTC) + self.skew

    def unique(self) -> str:
        """Return a UUID from the seeded source."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    # people

    def add_user(self, username: str, name: str, *, admin: bool = False, email: str = "") -> User:
        """Create an account with one personal access token of scope `api`."""
        user = User(self.number("user"), username, name, "", self.now(), admin, email or f"{username}@example.org")
        self.users[user.id] = user
        user.token = self.add_token(user, "awal", ("api",))[0]
        return user

    def add_token(self, user: User, name: str, scopes: tuple[str, ...], expires_at: date | None = None) -> tuple[str, Token]:
        """Create a personal access token; return its value and its record."""
        value = f"glpat-{secrets.token_hex(10)}"
        self.tokens[value] = Token(self.number("token"), user.id, name, scopes, self.now(), expires_at)
        return value, self.tokens[value]

    def user_named(self, username: str) -> User | None:
        """Find an account by user name, which is not case-sensitive."""
        wanted = username.casefold()
        return next((user for user in self.users.values() if user.username.casefold() == wanted), None)

    # projects and what is in them

    def next_iid(self, project: Project, wished: int | None = None) -> int:
        """Return the wished number of an issue, or the next one of the project: none is used again, also not that of a deleted one."""
        iid = wished or project.last_iid + 1
        project.last_iid = max(project.last_iid, iid)
        return iid

    def add_project(self, path: str, creator: User | None, visibility: str = "private", name: str = "") -> Project:
        """Create a project with its one default board."""
        creator_id = creator.id if creator else 0
        project = Project(self.number("project"), path, name or path.rsplit("/", 1)[-1], visibility, self.now(), creator_id)
        board = Board(self.number("board"), "Development")
        project.boards[board.id] = board
        group, known = path.rpartition("/")[0], (label for other in self.projects.values() for label in other.labels.values())
        project.labels = {label.id: label for label in known if label.group and label.group == group}
        self.projects[project.id] = project
        if creator:
            self.join(project, creator, Level.OWNER)
        return project

    def join(self, project: Project, user: User, level: int) -> None:
        """Make somebody a member with this access level, or change the level."""
        project.members[user.id] = level
        project.member_since.setdefault(user.id, self.now())

    def find_project(self, reference: str) -> Project | None:
        """Find a project by id or by full path."""
        if reference.isdigit():
            return self.projects.get(int(reference))
        wanted = reference.casefold()
        return next((project for project in self.projects.values() if project.path.casefold() == wanted), None)

    def issue_by_id(self, issue_id: int) -> Issue | None:
        """Find an issue of any project by its global id."""
        issues = (issue for project in self.projects.values() for issue in project.issues.values())
        return next((issue for issue in issues if issue.id == issue_id), None)

    def label_named(self, project: Project, name: str) -> Label | None:
        """Find a label by its exact name."""
        return next((label for label in project.labels.values() if label.name == name), None)

    def add_label(self, project: Project, name: str, color: str = DEFAULT_COLOR, description: str | None = None) -> Label:
        """Create a label; its name must be free."""
        now = self.now()
        label = Label(self.number("label"), project.id, name, color, now, now, description)
        project.labels[label.id] = label
        return label

    def labels_of(self, issue: Issue) -> list[Label]:
        """Return the labels of an issue, by name, as the API lists them."""
        labels = self.projects[issue.project_id].labels
        return sorted((labels[number] for number in issue.label_ids if number in labels), key=lambda label: label.name.casefold())
