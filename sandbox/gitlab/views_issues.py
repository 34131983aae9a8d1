"""The issue calls: list, create, read, change, delete, their events and links."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.gitlab import issues, representations, rights
from sandbox.gitlab.acting import Refused, bad, forbidden, missing
from sandbox.gitlab.calls import PAGES, Call, Reply, route
from sandbox.gitlab.entities import Issue, IssueLink, Project

FILTERS = (
    "with_labels_details",
    "state",
    "labels",
    "not[labels]",
    "iids",
    "search",
    "in",
    "author_id",
    "author_username",
    "assignee_id",
    "assignee_username",
    "created_after",
    "created_before",
    "updated_after",
    "updated_before",
    "confidential",
    "issue_type",
    "scope",
    "order_by",
    "sort",
    "pagination",
    *PAGES,
)
FIELDS = (
    "title",
    "description",
    "labels",
    "add_labels",
    "remove_labels",
    "assignee_ids",
    "assignee_id",
    "milestone_id",
    "due_date",
    "confidential",
    "discussion_locked",
    "issue_type",
    "created_at",
)
TYPES = ("issue", "incident", "test_case", "requirement", "task", "ticket")
ORDERS: dict[str, Callable[[Issue], Any]] = {
    "created_at": lambda issue: (issue.created_at, issue.id),
    "updated_at": lambda issue: (issue.updated_at, issue.id),
    "due_date": lambda issue: (issue.due_date is None, issue.due_date or datetime.max.replace(tzinfo=UTC).date(), issue.id),
    "title": lambda issue: (issue.title.casefold(), issue.id),
    "relative_position": lambda issue: issue.id,
}
TIMES: dict[str, Callable[[Issue, datetime], bool]] = {
    "created_after": lambda issue, at: issue.created_at >= at,
    "created_before": lambda issue, at: issue.created_at <= at,
    "updated_after": lambda issue, at: issue.updated_at >= at,
    "updated_before": lambda issue, at: issue.updated_at <= at,
}


def _listed(call: Call, rows: list[tuple[Project, Issue]], scope: str) -> Reply:
    _count_search(call)
    mine: dict[str, Callable[[Issue], bool]] = {
        "created_by_me": lambda issue: issue.author_id == call.user.id,
        "assigned_to_me": lambda issue: call.user.id in issue.assignee_ids,
        "all": lambda _issue: True,
    }
    wanted = mine[call.choice("scope", tuple(mine), scope)]
    readable = [(project, issue) for project, issue in rows if wanted(issue) and rights.read_issue(call.user, project, issue)]
    found = [issue for project, issue in readable if _matches(call, project, issue)]
    order = call.choice("order_by", tuple(ORDERS), "created_at")
    descending = call.choice("sort", ("asc", "desc"), "desc") == "desc"
    found.sort(key=ORDERS[order], reverse=descending)
    details = call.flag("with_labels_details") or False
    return call.page(found, lambda issue: representations.issue(call.store, issue, label_details=details))


def _matches(call: Call, project: Project, issue: Issue) -> bool:
    state = call.choice("state", ("opened", "closed", "all"), "all")
    held = {project.labels[number].name for number in issue.label_ids if number in project.labels}
    wanted, unwanted = issues.label_names(call.params.get("labels")), issues.label_names(call.params.get("not[labels]"))
    times = all(holds(issue, at) for name, holds in TIMES.items() if (at := call.moment(name)))
    confidential, kind = call.flag("confidential"), call.params.get("issue_type")
    return (
        state in {"all", issue.state}
        and _labels_match(held, wanted)
        and not held.intersection(unwanted)
        and (not call.numbers("iids") or issue.iid in call.numbers("iids"))
        and (confidential is None or confidential == issue.confidential)
        and (kind is None or kind == issue.issue_type)
        and times
        and _people_match(call, issue)
        and _words_match(call, issue)
    )


def _labels_match(held: set[str], wanted: list[str]) -> bool:
    if wanted in (["None"], ["Any"]):
        return bool(held) == (wanted == ["Any"])
    return held.issuperset(wanted)


def _people_match(call: Call, issue: Issue) -> bool:
    users = call.store.users
    author, assignees = users[issue.author_id], [users[number] for number in issue.assignee_ids]
    author_name, assignee = call.params.get("author_username"), call.params.get("assignee_id")
    name = call.params.get("assignee_username")
    names = [name] if isinstance(name, str) else name or []
    return (
        (call.integer("author_id") in {None, author.id})
        and (author_name is None or author_name == author.username)
        and (assignee in {None, "Any" if assignees else "None"} or assignee in {str(user.id) for user in assignees})
        and all(wanted in [user.username for user in assignees] for wanted in names)
    )


def _words_match(call: Call, issue: Issue) -> bool:
    words = str(call.params.get("search") or "").casefold().split()
    where = str(call.params.get("in", "title,description"))
    text = f"{issue.title if 'title' in where else ''} {issue.description or '' if 'description' in where else ''}".casefold()
    tokens = "".join(character if character.isalnum() else " " for character in text).split()
    return all(any(token.startswith(word) for token in tokens) for word in words)


def _count_search(call: Call) -> None:
    if call.params.get("search") and call.acting.limits.exceeded("search", call.user.id, call.store.now()):
        message = "This endpoint has been requested too many times. Try again later."
        raise Refused(429, {"message": {"error": message}}, {"Retry-After": "60"})


@route("GET", "/issues", FILTERS)
def list_own_issues(call: Call) -> Reply:
    """Issues of every project, by default those the caller wrote."""
    rows = [(project, issue) for project in call.store.projects.values() for issue in project.issues.values()]
    return _listed(call, rows, "created_by_me")


@route("GET", "/projects/<project>/issues", FILTERS)
def list_issues(call: Call, project: str) -> Reply:
    """Issues of one project the caller may read."""
    found = call.project(project)
    return _listed(call, [(found, issue) for issue in found.issues.values()], "all")


@route("POST", "/projects/<project>/issues", (*FIELDS, "iid"))
def create_issue(call: Call, project: str) -> Reply:
    """Create an issue."""
    found = call.project(project, rights.create_issue)
    call.required("title")
    if call.acting.limits.exceeded("issues_create", (found.id, call.user.id), call.store.now()):
        message = "This endpoint has been requested too many times. Try again later."
        raise Refused(429, {"message": {"error": message}})
    issue = issues.create(call.acting, found, _wish(call) | {"iid": call.integer("iid")})
    return Reply(representations.issue(call.store, issue), 201)


@route("GET", "/projects/<project>/issues/<iid>")
def show_issue(call: Call, project: str, iid: str) -> Reply:
    """One issue, by its number in the project."""
    issue = call.issue(call.project(project), iid)
    return Reply(representations.issue(call.store, issue) | {"subscribed": call.user.id in issue.subscribers})


@route("PUT", "/projects/<project>/issues/<iid>", (*FIELDS, "state_event", "updated_at"))
def change_issue(call: Call, project: str, iid: str) -> Reply:
    """Change an issue: whatever is named, the rest stays."""
    found = call.project(project)
    issue = call.issue(found, iid)
    if not rights.update_issue(call.user, found, issue):
        raise forbidden()
    if not call.params:
        raise bad(f"{', '.join((*FIELDS[:-1], 'state_event'))} are missing, at least one parameter must be provided")
    if "state_event" in call.params:
        call.choice("state_event", ("reopen", "close"), "close")
    wish = _wish(call) | ({"state_event": call.params["state_event"]} if "state_event" in call.params else {})
    issues.update(call.acting, found, issue, wish)
    return Reply(representations.issue(call.store, issue) | {"subscribed": call.user.id in issue.subscribers})


@route("POST", "/projects/<project>/issues/<iid>/move", ("to_project_id",))
def move_issue(call: Call, project: str, iid: str) -> Reply:
    """Move an issue to another project; gives the copy there."""
    found = call.project(project)
    issue = call.issue(found, iid)
    target = call.project(str(call.required("to_project_id")))
    return Reply(representations.issue(call.store, issues.move(call.acting, found, issue, target)), 201)


@route("DELETE", "/projects/<project>/issues/<iid>")
def delete_issue(call: Call, project: str, iid: str) -> Reply:
    """Delete an issue. No hook tells of it."""
    found = call.project(project)
    issue = call.issue(found, iid)
    if not rights.destroy_issue(call.user, found):
        raise forbidden()
    del found.issues[issue.iid]
    return Reply(None, 204)


def _wish(call: Call) -> dict[str, Any]:
    """Read the parameters of an issue. A milestone nobody can name here is ignored, as GitLab ignores an unknown one."""
    texts: dict[str, Any] = {name: call.text(name) for name in ("title", "description", "due_date", "issue_type") if name in call.params}
    if texts.get("title", "") is None:
        raise bad("title is empty")
    labels: dict[str, Any] = {name: call.params[name] for name in ("labels", "add_labels", "remove_labels") if name in call.params}
    if "issue_type" in texts:
        call.choice("issue_type", TYPES, "issue")
    flags: dict[str, Any] = {name: call.flag(name) for name in ("confidential", "discussion_locked") if name in call.params}
    wish = texts | labels | flags
    if "assignee_ids" in call.params:
        wish["assignee_ids"] = call.numbers("assignee_ids")
    elif "assignee_id" in call.params:
        wish["assignee_ids"] = [call.integer("assignee_id") or 0]
    if "created_at" in call.params:
        wish["created_at"] = call.moment("created_at")
    return wish


# events and links


@route("GET", "/projects/<project>/issues/<iid>/resource_label_events", PAGES)
def list_label_events(call: Call, project: str, iid: str) -> Reply:
    """Who put or removed which label when."""
    issue = call.issue(call.project(project), iid)
    return call.page(issue.label_events, lambda event: representations.label_event(call.store, issue, event))


@route("GET", "/projects/<project>/issues/<iid>/resource_state_events", PAGES)
def list_state_events(call: Call, project: str, iid: str) -> Reply:
    """Who closed or reopened when."""
    issue = call.issue(call.project(project), iid)
    return call.page(issue.state_events, lambda event: representations.state_event(call.store, issue, event))


@route("GET", "/projects/<project>/issues/<iid>/links")
def list_links(call: Call, project: str, iid: str) -> Reply:
    """The issues related to this one."""
    issue = call.issue(call.project(project), iid)
    rows = []
    for link in call.store.links.values():
        if issue.id in {link.source_id, link.target_id}:
            other = call.store.issue_by_id(link.target_id if link.source_id == issue.id else link.source_id)
            if other and rights.read_issue(call.user, call.store.projects[other.project_id], other):
                rows.append(representations.related(call.store, other, link))
    return Reply(rows)


@route("POST", "/projects/<project>/issues/<iid>/links", ("target_project_id", "target_issue_iid", "link_type"))
def create_link(call: Call, project: str, iid: str) -> Reply:
    """Relate two issues; the Free tier knows no other kind of link."""
    found = call.project(project, rights.admin_issue)
    issue = call.issue(found, iid)
    target_project = call.project(str(call.required("target_project_id")))
    target = call.issue(target_project, str(call.required("target_issue_iid")))
    if call.choice("link_type", ("relates_to", "blocks", "is_blocked_by"), "relates_to") != "relates_to":
        raise Refused(403, {"message": "Blocked issues not available for current license"})
    if any({link.source_id, link.target_id} == {issue.id, target.id} for link in call.store.links.values()):
        raise Refused(409, {"message": "Issue(s) already assigned"})
    link = IssueLink(call.store.number("link"), issue.id, target.id, call.store.now())
    call.store.links[link.id] = link
    return Reply(representations.link(call.store, link), 201)


@route("DELETE", "/projects/<project>/issues/<iid>/links/<link_id>")
def delete_link(call: Call, project: str, iid: str, link_id: str) -> Reply:
    """Take a relation away."""
    issue = call.issue(call.project(project, rights.admin_issue), iid)
    link = call.store.links.get(int(link_id)) if link_id.isdigit() else None
    if link is None or issue.id not in {link.source_id, link.target_id}:
        raise missing("Issue Link")
    return Reply(representations.link(call.store, call.store.links.pop(link.id)))
