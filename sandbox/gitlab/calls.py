"""One call of the REST API: its parameters, strictly checked, the records it names, its answer and its pages.

Rule: a parameter a route does not declare is refused with 501 and put on the list of unknown calls. GitLab would ignore it; here a
mistake shall be seen.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from sandbox.gitlab import rights
from sandbox.gitlab.acting import Acting, Refused, bad, missing
from sandbox.gitlab.entities import Issue, Note, Project, User
from sandbox.gitlab.store import Store

Row = TypeVar("Row")
PAGES = ("page", "per_page")
PER_PAGE, MOST_PER_PAGE = 20, 100
UNCOUNTED = 10_000  # above this many rows the totals are left out


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: JSON body (or bytes), status, extra headers."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Call:
    """A request that has an account. `params` holds query and body together, array brackets removed."""

    acting: Acting
    path: str
    params: dict[str, Any]
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    token: str = ""

    @property
    def store(self) -> Store:
        """The records."""
        return self.acting.store

    @property
    def user(self) -> User:
        """The account behind the token."""
        return self.acting.user

    # records named in the path

    def project(self, reference: str, allowed: Callable[[User, Project], bool] = rights.read_project) -> Project:
        """Find a project the caller may read; 403 where they may not do what is asked there."""
        project = self.store.find_project(reference)
        if project is None or not rights.read_project(self.user, project):
            raise missing("Project")
        if not allowed(self.user, project):
            raise Refused(403, {"message": "403 Forbidden"})
        return project

    def issue(self, project: Project, iid: str) -> Issue:
        """Find an issue the caller may read."""
        issue = project.issues.get(int(iid)) if iid.isdigit() else None
        if issue is None or not rights.read_issue(self.user, project, issue):
            raise missing("Issue")
        return issue

    def note(self, project: Project, issue: Issue, number: str) -> Note:
        """Find a comment the caller may read."""
        note = next((note for note in issue.notes if str(note.id) == number), None)
        if note is None or not rights.read_note(self.user, project, note):
            raise missing("Note")
        return note

    # parameters

    def required(self, name: str) -> Any:  # noqa: ANN401 - a parameter may be any JSON value
        """Return a parameter that must be there."""
        if self.params.get(name) is None:
            raise bad(f"{name} is missing")
        return self.params[name]

    def text(self, name: str) -> str | None:
        """Read words; a number is taken for its digits, as GitLab does."""
        value = self.params.get(name)
        if isinstance(value, (dict, list)):
            raise bad(f"{name} is invalid")
        return None if value is None else str(value)

    def flag(self, name: str) -> bool | None:
        """Read a boolean; None where it is not given."""
        value = self.params.get(name)
        if value is None or isinstance(value, bool):
            return value
        if str(value).lower() not in {"true", "false", "1", "0"}:
            raise bad(f"{name} is invalid")
        return str(value).lower() in {"true", "1"}

    def integer(self, name: str) -> int | None:
        """Read a whole number; None where it is not given."""
        value = self.params.get(name)
        if value is None or value == "":
            return None
        try:
            return int(value)
        except (TypeError, ValueError):
            raise bad(f"{name} is invalid") from None

    def numbers(self, name: str) -> list[int]:
        """Read an array of whole numbers, also as a comma string."""
        value = self.params.get(name)
        items = value if isinstance(value, list) else str(value or "").split(",")
        try:
            return [int(item) for item in items if str(item).strip()]
        except (TypeError, ValueError):
            raise bad(f"{name} is invalid") from None

    def moment(self, name: str) -> datetime | None:
        """Read a time; None where it is not given."""
        value = self.params.get(name)
        if value is None:
            return None
        try:
            read = datetime.fromisoformat(str(value))
        except ValueError:
            raise bad(f"{name} is invalid") from None
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)

    def choice(self, name: str, among: Sequence[str], default: str) -> str:
        """Read one word of a fixed set."""
        value = str(self.params.get(name, default))
        if value not in among:
            raise bad(f"{name} does not have a valid value")
        return value

    # pages

    def page(self, rows: Sequence[Row], shown: Callable[[Row], Any], most: int = MOST_PER_PAGE) -> Reply:
        """Answer one page of rows with the headers GitLab sends: totals, next page, Link."""
        number, size = self._positive("page", 1), min(self._positive("per_page", PER_PAGE), most)
        pages = max(1, math.ceil(len(rows) / size))
        part = rows[(number - 1) * size : number * size]
        following = str(number + 1) if number < pages else ""
        headers = {"x-page": str(number), "x-per-page": str(size), "x-next-page": following, "x-prev-page": ""}
        headers["x-prev-page"] = str(number - 1) if number > 1 else ""
        links = {"first": 1} | ({"next": number + 1} if following else {}) | ({"prev": number - 1} if number > 1 else {})
        if len(rows) <= UNCOUNTED:
            headers |= {"x-total": str(len(rows)), "x-total-pages": str(pages)}
            links["last"] = pages
        headers["link"] = ", ".join(f'<{self._address(at, size)}>; rel="{name}"' for name, at in links.items())
        return Reply([shown(row) for row in part], headers=headers)

    def _positive(self, name: str, default: int) -> int:
        value = self.integer(name)
        if value is not None and value < 1:
            raise bad(f"{name} does not have a valid value")
        return value or default

    def _address(self, page: int, size: int) -> str:
        query = self.params | {"page": page, "per_page": size}
        pairs = [(f"{key}[]" if isinstance(value, list) else key, item) for key, value in query.items() for item in _listed(value)]
        return f"{self.store.url}{quote(self.path, safe='/%:')}?{urlencode(pairs)}"


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


View = Callable[..., Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """One call the stand-in knows, with every parameter it knows."""

    method: str
    rule: str
    view: View
    params: frozenset[str]


ROUTES: list[Route] = []


def route(method: str, rule: str, params: Sequence[str] = ()) -> Callable[[View], View]:
    """Register a view for a call."""

    def register(view: View) -> View:
        ROUTES.append(Route(method, rule, view, frozenset(params)))
        return view

    return register
