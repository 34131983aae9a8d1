"""Read-only web pages, so that a person can look: the projects, the issues of a project, an issue, a board, a wiki page, a file.

Rule: nothing is changed from a page, and nothing of a text reaches the reader unsanitised. The pages ask for no account: the server
listens on the loopback address only.
"""

import mimetypes
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from flask import Flask, Response, abort, render_template
from markupsafe import Markup

from sandbox.gitlab import markup, representations
from sandbox.gitlab.acting import Refused
from sandbox.gitlab.entities import Issue, Label, LabelEvent, Note, Project, User
from sandbox.gitlab.store import Store
from sandbox.gitlab.views_files import find_upload

ZONE = ZoneInfo("Asia/Jakarta")
STEP = "langkah::"
AVATAR_COLORS = ("#6b4fbb", "#1f75cb", "#108548", "#ab6100", "#c0341d", "#5c5c66")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an issue's history: a comment, or what somebody did to labels or state. `number` orders what a still clock cannot."""

    at: datetime
    number: int
    user: User
    note: Note | None = None
    added: tuple[Label, ...] = ()
    removed: tuple[Label, ...] = ()
    state: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the board page; `label` is None for the implicit ones."""

    title: str
    label: Label | None
    issues: tuple[Issue, ...]


class Pages:
    """The views of the pages."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def home(self) -> str:
        """Every project."""
        return self._render("projects.html", projects=list(self._store.projects.values()))

    def issues(self, group: str, name: str) -> str:
        """The issues of a project, newest first, open ones before closed ones."""
        project = self._project(group, name)
        rows = sorted(project.issues.values(), key=lambda issue: (not issue.opened, -issue.iid))
        return self._render("issues.html", project=project, issues=rows)

    def issue(self, group: str, name: str, iid: int) -> str:
        """One issue with its history."""
        project = self._project(group, name)
        found = project.issues.get(iid) or abort(404)
        return self._render("issue.html", project=project, issue=found, history=self._history(project, found))

    def board(self, group: str, name: str) -> str:
        """The first board with columns, else one column for each step in use."""
        project = self._project(group, name)
        return self._render("board.html", project=project, columns=self._columns(project))

    def wiki(self, group: str, name: str, slug: str) -> str:
        """One wiki page."""
        project = self._project(group, name)
        page = project.wiki.get(slug) or abort(404)
        return self._render("wiki.html", project=project, page=page)

    def upload(self, number: int, secret: str, filename: str) -> Response:
        """The bytes of a file; like GitLab's, they are for anyone who knows the address."""
        project = self._store.projects.get(number) or abort(404)
        try:
            found = find_upload(project, secret, filename)
        except Refused:
            abort(404)
        kind = mimetypes.guess_type(filename)[0] or "application/octet-stream"
        shown = (kind.startswith("image/") and kind != "image/svg+xml") or kind == "application/pdf"
        disposition = f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{filename}"
        return Response(found.content, mimetype=kind, headers={"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff"})

    def avatar(self, number: int) -> Response:
        """A person's initials in a circle."""
        user = self._store.users.get(number) or abort(404)
        letters = "".join(word[0] for word in user.name.split()[:2]).upper()
        picture = render_template("avatar.svg", letters=letters, color=AVATAR_COLORS[user.id % len(AVATAR_COLORS)])
        return Response(picture, mimetype="image/svg+xml")

    def _project(self, group: str, name: str) -> Project:
        return self._store.find_project(f"{group}/{name}") or abort(404)

    def _render(self, template: str, **values: object) -> str:
        store = self._store
        return render_template(
            template,
            store=store,
            users=store.users,
            labels_of=store.labels_of,
            text_color=representations.text_color,
            moment=_moment,
            day=_day,
            today=store.now().astimezone(ZONE).date(),
            html=_html,
            **values,
        )

    def _history(self, project: Project, issue: Issue) -> list[Entry]:
        users = self._store.users
        entries = [Entry(note.created_at, note.id, users[note.author_id], note) for note in issue.notes]
        entries += [Entry(event.created_at, event.id, users[event.user_id], state=event.state) for event in issue.state_events]
        for (_, at, user_id), events in groupby(enumerate(issue.label_events), key=_same_change):
            group = [event for _, event in events]
            added, removed = (_labels(project, group, added=which) for which in (True, False))
            entries.append(Entry(at, group[0].id, users[user_id], added=added, removed=removed))
        return sorted(entries, key=lambda entry: (entry.at, entry.number))

    def _columns(self, project: Project) -> list[Column]:
        board = next((board for board in project.boards.values() if board.lists), None)
        if board:
            labels = [project.labels[column.label_id] for column in sorted(board.lists, key=lambda column: column.position)]
        else:
            labels = sorted((label for label in project.labels.values() if label.name.startswith(STEP)), key=lambda label: label.name)
        issues = sorted(project.issues.values(), key=lambda issue: issue.iid)
        opened = [issue for issue in issues if issue.opened]
        shown = {label.id for label in labels}
        columns = [Column("Terbuka", None, tuple(issue for issue in opened if not shown.intersection(issue.label_ids)))]
        columns += [Column(label.name, label, tuple(issue for issue in opened if label.id in issue.label_ids)) for label in labels]
        columns.append(Column("Ditutup", None, tuple(issue for issue in issues if not issue.opened)))
        return [column for column in columns if column.issues or column.label is None]


def _same_change(numbered: tuple[int, LabelEvent]) -> tuple[int, datetime, int]:
    """Label events of one change have ids without a gap, so that id less position is the same."""
    position, event = numbered
    return event.id - position, event.created_at, event.user_id


def _labels(project: Project, events: list[LabelEvent], *, added: bool) -> tuple[Label, ...]:
    return tuple(project.labels[event.label_id] for event in events if event.added is added and event.label_id in project.labels)


def _moment(value: datetime) -> str:
    return format_datetime(value, "d MMMM y HH.mm 'WIB'", tzinfo=ZONE, locale="id")


def _day(value: date) -> str:
    return format_date(value, "d MMMM y", locale="id")


def _html(project: Project, text: str | None) -> Markup:
    """Render a text; its links to uploads lead to this project's files."""
    safe = markup.html(text)
    for attribute in ("href", "src"):
        safe = safe.replace(f'{attribute}="/uploads/', f'{attribute}="/-/project/{project.id}/uploads/')
    return Markup(safe)  # noqa: S704 - sanitised just above


def attach(app: Flask, store: Store) -> None:
    """Add the pages to the app."""
    pages = Pages(store)
    at = "/<path:group>/<name>/-"

    def rule(path: str, name: str, view: Callable[..., str | Response]) -> None:
        def looked_at(**path_args: str | int) -> str | Response:
            with store.lock:
                return view(**path_args)

        app.add_url_rule(path, name, looked_at)

    rule("/", "home", pages.home)
    rule("/<path:group>/<name>", "project", pages.issues)
    rule(f"{at}/issues", "issues", pages.issues)
    rule(f"{at}/issues/<int:iid>", "issue", pages.issue)
    rule(f"{at}/work_items/<int:iid>", "work_item", pages.issue)
    rule(f"{at}/boards", "board", pages.board)
    rule(f"{at}/wikis/<path:slug>", "wiki", pages.wiki)
    rule("/-/project/<int:number>/uploads/<secret>/<filename>", "upload", pages.upload)
    rule("/-/avatar/<int:number>.svg", "avatar", pages.avatar)
