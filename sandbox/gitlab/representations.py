"""Records as the REST API answers them, complete enough for GitLab's own JSON schemas.

Every function takes the store (for addresses and names) and a record, and returns plain JSON values.
"""

from datetime import datetime
from html import escape
from typing import Any

from sandbox.gitlab import markup
from sandbox.gitlab.entities import (
    HOOK_FLAGS,
    Board,
    BoardList,
    Hook,
    HookLog,
    Issue,
    IssueLink,
    Label,
    LabelEvent,
    Note,
    Project,
    StateEvent,
    Token,
    Upload,
    User,
    WikiPage,
)
from sandbox.gitlab.payloads import GROUP
from sandbox.gitlab.store import VERSION, Store

Json = dict[str, Any]
DARK = 140  # colours lighter than this (0 to 255) carry dark words


def moment(value: datetime | None) -> str | None:
    """Write a time as the API does: `2026-02-13T05:04:03.123Z`."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z") if value else None


def text_color(color: str) -> str:
    """Choose the colour of a label's words by the lightness of its ground."""
    digits = color.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits  # noqa: PLR2004 - the short form #abc
    red, green, blue = (int(digits[at : at + 2], 16) for at in (0, 2, 4))
    return "#1F1E24" if 0.299 * red + 0.587 * green + 0.114 * blue > DARK else "#FFFFFF"


def user_basic(store: Store, user: User | None) -> Json | None:
    """A person as others see them."""
    if user is None:
        return None
    return {
        "id": user.id,
        "username": user.username,
        "public_email": "",
        "name": user.name,
        "state": "active",
        "locked": False,
        "avatar_url": f"{store.url}/-/avatar/{user.id}.svg",
        "web_url": f"{store.url}/{user.username}",
    }


def user_public(store: Store, user: User) -> Json:
    """A person as they see themselves."""
    blank = dict.fromkeys(("bio", "location", "linkedin", "twitter", "discord", "website_url", "organization", "job_title", "github"), "")
    own: Json = {
        "created_at": moment(user.created_at),
        "bot": False,
        "email": user.email,
        "commit_email": user.email,
        "last_sign_in_at": None,
        "confirmed_at": moment(user.created_at),
        "current_sign_in_at": None,
        "last_activity_on": None,
        "theme_id": 3,
        "color_scheme_id": 1,
        "projects_limit": 100000,
        "identities": [],
        "can_create_group": True,
        "can_create_project": True,
        "two_factor_enabled": False,
        "external": False,
        "private_profile": False,
        "is_admin": user.admin,
    }
    return (user_basic(store, user) or {}) | blank | own


def token(value: Token) -> Json:
    """A personal access token without its value."""
    return {
        "id": value.id,
        "name": value.name,
        "revoked": value.revoked,
        "created_at": moment(value.created_at),
        "description": None,
        "scopes": list(value.scopes),
        "user_id": value.user_id,
        "last_used_at": moment(value.last_used_at),
        "active": not value.revoked,
        "expires_at": value.expires_at.isoformat() if value.expires_at else None,
    }


def member(store: Store, project: Project, user: User) -> Json:
    """A member of a project with their level."""
    return (user_basic(store, user) or {}) | {
        "access_level": project.members[user.id],
        "created_at": moment(project.member_since[user.id]),
        "expires_at": None,
        "membership_state": "active",
    }


def project_basic(store: Store, project: Project) -> Json:
    """A project as lists and boards show it."""
    group, _, path = project.path.rpartition("/")
    web = f"{store.url}/{project.path}"
    return {
        "id": project.id,
        "description": None,
        "name": project.name,
        "name_with_namespace": f"{group} / {project.name}",
        "path": path,
        "path_with_namespace": project.path,
        "created_at": moment(project.created_at),
        "default_branch": project.default_branch or None,
        "tag_list": [],
        "topics": [],
        "ssh_url_to_repo": f"git@localhost:{project.path}.git",
        "http_url_to_repo": f"{web}.git",
        "web_url": web,
        "readme_url": None,
        "avatar_url": None,
        "star_count": 0,
        "forks_count": 0,
        "last_activity_at": moment(project.created_at),
        "visibility": project.visibility,
        "namespace": {"id": GROUP, "name": group, "path": group, "kind": "group", "full_path": group, "parent_id": None},
    }


def project_full(store: Store, project: Project, level: int) -> Json:
    """A project as its own page shows it, with what the caller may do there."""
    opened = sum(issue.opened for issue in project.issues.values())
    access = {"access_level": level, "notification_level": 3} if level else None
    features: Json = {"issues_enabled": True, "wiki_enabled": True, "issues_access_level": "enabled"}
    features |= {"autoclose_referenced_issues": True, "enforce_auth_checks_on_uploads": True}
    rest: Json = {
        "open_issues_count": opened,
        "archived": project.archived,
        "permissions": {"project_access": access, "group_access": None},
    }
    return project_basic(store, project) | features | rest | project.settings


def label_basic(label: Label) -> Json:
    """A label inside an event, a list or a detailed issue."""
    return {
        "id": label.id,
        "name": label.name,
        "description": label.description,
        "description_html": escape(label.description or ""),
        "text_color": text_color(label.color),
        "color": label.color,
        "archived": False,
    }


def label(project: Project, label_: Label, *, counts: bool = False) -> Json:
    """A label a project has, of its own or of its group."""
    body = label_basic(label_) | {"subscribed": False, "priority": label_.priority, "is_project_label": not label_.group}
    if counts:
        carrying = [issue for issue in project.issues.values() if label_.id in issue.label_ids]
        opened = sum(issue.opened for issue in carrying)
        body |= {"open_issues_count": opened, "closed_issues_count": len(carrying) - opened, "open_merge_requests_count": 0}
    return body


def group_label(label_: Label) -> Json:
    """A label of a group."""
    return label_basic(label_) | {"subscribed": False}


def issue(store: Store, issue_: Issue, *, label_details: bool = False) -> Json:
    """An issue with everything the Free tier shows."""
    project = store.projects[issue_.project_id]
    labels = store.labels_of(issue_)
    assignees = [user_basic(store, store.users.get(number)) for number in issue_.assignee_ids]
    boxes = markup.tasks(issue_.description or "")
    done = sum(task.done for task in boxes)
    here = f"{store.url}/api/v4/projects/{project.id}"
    return {
        "id": issue_.id,
        "iid": issue_.iid,
        "project_id": project.id,
        "title": issue_.title,
        "description": issue_.description,
        "state": issue_.state,
        "created_at": moment(issue_.created_at),
        "updated_at": moment(issue_.updated_at),
        "closed_at": moment(issue_.closed_at),
        "closed_by": user_basic(store, store.users.get(issue_.closed_by_id or 0)),
        "labels": [label_basic(one) for one in labels] if label_details else [one.name for one in labels],
        "milestone": None,
        "assignees": assignees,
        "author": user_basic(store, store.users.get(issue_.author_id)),
        "type": issue_.issue_type.upper(),
        "assignee": assignees[0] if assignees else None,
        "user_notes_count": sum(not note.system for note in issue_.notes),
        "merge_requests_count": 0,
        "upvotes": 0,
        "downvotes": 0,
        "start_date": None,
        "due_date": issue_.due_date.isoformat() if issue_.due_date else None,
        "confidential": issue_.confidential,
        "discussion_locked": issue_.discussion_locked,
        "issue_type": issue_.issue_type,
        "web_url": f"{store.url}/{project.path}/-/issues/{issue_.iid}",
        "time_stats": {"time_estimate": 0, "total_time_spent": 0, "human_time_estimate": None, "human_total_time_spent": None},
        "task_completion_status": {"count": len(boxes), "completed_count": done},
        "blocking_issues_count": 0,
        "has_tasks": bool(boxes),
        "task_status": f"{done} of {len(boxes)} checklist items completed",
        "_links": {"self": f"{here}/issues/{issue_.iid}", "notes": f"{here}/issues/{issue_.iid}/notes", "project": here},
        "references": {"short": f"#{issue_.iid}", "relative": f"#{issue_.iid}", "full": f"{project.path}#{issue_.iid}"},
        "severity": "UNKNOWN",
        "moved_to_id": issue_.moved_to_id,
        "imported": False,
        "imported_from": "none",
        "service_desk_reply_to": None,
    }


def note(store: Store, note_: Note, iid: int, changes: Json | None = None) -> Json:
    """A comment. It does not say who edited it."""
    return {
        "id": note_.id,
        "type": None,
        "body": note_.body,
        "author": user_basic(store, store.users.get(note_.author_id)),
        "created_at": moment(note_.created_at),
        "updated_at": moment(note_.updated_at),
        "system": note_.system,
        "noteable_id": note_.issue_id,
        "noteable_type": "Issue",
        "project_id": note_.project_id,
        "resolvable": False,
        "confidential": note_.internal,
        "internal": note_.internal,
        "imported": False,
        "imported_from": "none",
        "noteable_iid": iid,
        "commands_changes": changes or {},
    }


def label_event(store: Store, issue_: Issue, event: LabelEvent) -> Json:
    """Who put or removed a label; the label is null once it is deleted."""
    held = store.projects[issue_.project_id].labels.get(event.label_id)
    return _event(store, issue_, event) | {"label": label_basic(held) if held else None, "action": "add" if event.added else "remove"}


def state_event(store: Store, issue_: Issue, event: StateEvent) -> Json:
    """Who closed or reopened."""
    return _event(store, issue_, event) | {"source_commit": None, "source_merge_request_id": None, "state": event.state}


def _event(store: Store, issue_: Issue, event: LabelEvent | StateEvent) -> Json:
    return {
        "id": event.id,
        "user": user_basic(store, store.users.get(event.user_id)),
        "created_at": moment(event.created_at),
        "resource_type": "Issue",
        "resource_id": issue_.id,
    }


def board_list(project: Project, column: BoardList) -> Json:
    """One column of a board."""
    return {"id": column.id, "label": label_basic(project.labels[column.label_id]), "position": column.position}


def board(store: Store, project: Project, board_: Board) -> Json:
    """A board with its columns; those of deleted labels are gone."""
    columns = sorted((column for column in board_.lists if column.label_id in project.labels), key=lambda column: column.position)
    return {
        "id": board_.id,
        "name": board_.name,
        "hide_backlog_list": board_.hide_backlog_list,
        "hide_closed_list": board_.hide_closed_list,
        "project": project_basic(store, project),
        "lists": [board_list(project, column) for column in columns],
    }


def hook(hook_: Hook) -> Json:
    """A project hook; its token is never shown."""
    return {
        "id": hook_.id,
        "url": hook_.url,
        "name": hook_.name,
        "description": hook_.description,
        "created_at": moment(hook_.created_at),
        "enable_ssl_verification": hook_.enable_ssl_verification,
        "repository_update_events": False,
        "alert_status": "executable",
        "disabled_until": None,
        "url_variables": [],
        "push_events_branch_filter": None,
        "branch_filter_strategy": "wildcard",
        "custom_webhook_template": None,
        "custom_headers": [{"key": key} for key in hook_.custom_headers],
        "project_id": hook_.project_id,
    } | {flag: hook_.flags.get(flag, False) for flag in HOOK_FLAGS}


def hook_log(log: HookLog) -> Json:
    """One attempted delivery."""
    return {
        "id": log.id,
        "url": log.url,
        "trigger": log.trigger.replace("_events", "_hooks").replace("issues", "issue").replace("notes", "note"),
        "request_headers": log.request_headers,
        "request_data": log.body,
        "response_headers": {},
        "response_body": log.response_body,
        "execution_duration": log.duration,
        "response_status": log.response_status,
        "created_at": moment(log.created_at),
    }


def upload(project: Project, upload_: Upload) -> Json:
    """A file just sent, with the Markdown that links to it."""
    url = f"/uploads/{upload_.secret}/{upload_.filename}"
    image = upload_.filename.lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".bmp"))
    alt = upload_.filename.rsplit(".", 1)[0] if image else upload_.filename
    return {
        "id": upload_.id,
        "alt": alt,
        "url": url,
        "full_path": f"/-/project/{project.id}{url}",
        "markdown": f"{'!' if image else ''}[{alt}]({url})",
    }


def wiki(page: WikiPage, *, content: bool = True) -> Json:
    """A wiki page, in lists without its text."""
    body: Json = {"format": page.format, "slug": page.slug, "title": page.title, "wiki_page_meta_id": page.id}
    return body | ({"content": page.content, "encoding": "UTF-8", "front_matter": {}} if content else {})


def link(store: Store, link_: IssueLink) -> Json:
    """A relation between two issues."""
    ends = (store.issue_by_id(link_.source_id), store.issue_by_id(link_.target_id))
    source, target = (issue(store, end) if end else None for end in ends)
    times = {"link_created_at": moment(link_.created_at), "link_updated_at": moment(link_.created_at)}
    return {"id": link_.id, "source_issue": source, "target_issue": target, "link_type": "relates_to"} | times


def related(store: Store, issue_: Issue, link_: IssueLink) -> Json:
    """An issue seen from the other end of a relation."""
    times = {"link_created_at": moment(link_.created_at), "link_updated_at": moment(link_.created_at)}
    return issue(store, issue_) | {"issue_link_id": link_.id, "link_type": "relates_to"} | times


def metadata(store: Store) -> Json:
    """What is installed here."""
    kas = {"enabled": False, "externalUrl": None, "externalK8sProxyUrl": None, "version": None}
    return {"version": VERSION, "revision": "6714c913625", "kas": kas, "enterprise": store.enterprise}
