"""Bodies of hook deliveries, as lib/gitlab/data_builder and lib/gitlab/hook_data build them (behaviour.md 1.4).

The name of a label is under `title`; `assignees` is left out when there are none; an e-mail address is never given.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.gitlab.entities import Issue, Label, Note, Project, User, WikiPage
    from sandbox.gitlab.store import Store

VISIBILITY = {"private": 0, "internal": 10, "public": 20}
STATE_ID = {"opened": 1, "closed": 2}
GROUP = 2  # the id every group goes by here


def moment(value: datetime | date | None) -> str | None:
    """Write a time as hooks do: `2026-02-13 05:04:03 UTC`, in whole seconds."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S UTC")
    return value.isoformat() if value else None


def person(store: Store, user: User) -> dict[str, Any]:
    """A user inside a hook: no bot flag, no address."""
    avatar = f"{store.url}/avatar/{user.id}.png"
    return {"id": user.id, "name": user.name, "username": user.username, "avatar_url": avatar, "email": "[REDACTED]"}


def project(store: Store, of: Project) -> dict[str, Any]:
    """The project block of every hook."""
    web = f"{store.url}/{of.path}"
    ssh = f"git@localhost:{of.path}.git"
    return {
        "id": of.id,
        "name": of.name,
        "description": None,
        "web_url": web,
        "avatar_url": None,
        "git_ssh_url": ssh,
        "git_http_url": f"{web}.git",
        "namespace": of.path.rsplit("/", 1)[0],
        "visibility_level": VISIBILITY[of.visibility],
        "path_with_namespace": of.path,
        "default_branch": "main",
        "ci_config_path": None,
        "homepage": web,
        "url": ssh,
        "ssh_url": ssh,
        "http_url": f"{web}.git",
    }


def repository(store: Store, of: Project) -> dict[str, Any]:
    """The repository block, kept by GitLab for old receivers."""
    return {"name": of.name, "url": f"git@localhost:{of.path}.git", "description": None, "homepage": f"{store.url}/{of.path}"}


def label(of: Label) -> dict[str, Any]:
    """A label inside a hook."""
    return {
        "id": of.id,
        "title": of.name,
        "color": of.color,
        "project_id": None if of.group else of.project_id,
        "created_at": moment(of.created_at),
        "updated_at": moment(of.updated_at),
        "template": False,
        "description": of.description,
        "type": "GroupLabel" if of.group else "ProjectLabel",
        "group_id": GROUP if of.group else None,
    }


def attributes(store: Store, issue: Issue) -> dict[str, Any]:
    """The fields of an issue; those of them that can change are compared to build `changes`."""
    fields = {
        "assignee_id": issue.assignee_ids[0] if issue.assignee_ids else None,
        "author_id": issue.author_id,
        "closed_at": moment(issue.closed_at),
        "confidential": issue.confidential,
        "created_at": moment(issue.created_at),
        "description": issue.description,
        "discussion_locked": issue.discussion_locked,
        "due_date": moment(issue.due_date),
        "id": issue.id,
        "iid": issue.iid,
        "last_edited_at": moment(issue.last_edited_at),
        "last_edited_by_id": issue.last_edited_by_id,
        "milestone_id": None,
        "moved_to_id": issue.moved_to_id,
        "duplicated_to_id": issue.duplicated_to_id,
        "project_id": issue.project_id,
        "relative_position": None,
        "state_id": STATE_ID[issue.state],
        "time_estimate": 0,
        "title": issue.title,
        "updated_at": moment(issue.updated_at),
        "updated_by_id": issue.updated_by_id,
        "type": issue.issue_type.capitalize(),
        "url": f"{store.url}/{store.projects[issue.project_id].path}/-/issues/{issue.iid}",
        "total_time_spent": 0,
        "time_change": 0,
        "human_total_time_spent": None,
        "human_time_change": None,
        "human_time_estimate": None,
        "assignee_ids": list(issue.assignee_ids),
        "labels": [label(one) for one in store.labels_of(issue)],
        "state": issue.state,
        "severity": "unknown",
        "customer_relations_contacts": [],
    }
    return fields | {"weight": None, "health_status": None} if store.enterprise else fields


UNCHANGING = {"assignee_id", "assignee_ids", "state", "url", "labels"}


def snapshot(store: Store, issue: Issue) -> dict[str, Any]:
    """What a later `changes` is computed against: the fields, the labels, the assignees."""
    held = {key: value for key, value in attributes(store, issue).items() if key not in UNCHANGING}
    assignees = [person(store, store.users[number]) for number in issue.assignee_ids]
    return held | {"labels": [label(one) for one in store.labels_of(issue)], "assignees": assignees}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{key: {previous, current}}` for what differs."""
    return {key: {"previous": before.get(key), "current": value} for key, value in after.items() if before.get(key) != value}


def issue_event(store: Store, issue: Issue, actor: User, action: str, changed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of an Issue Hook."""
    of = store.projects[issue.project_id]
    body: dict[str, Any] = {
        "object_kind": "issue" if issue.issue_type == "issue" else "work_item",
        "event_type": "confidential_issue" if issue.confidential else "issue",
        "user": person(store, actor),
        "project": project(store, of),
        "object_attributes": attributes(store, issue) | {"action": action},
        "labels": [label(one) for one in store.labels_of(issue)],
        "changes": dict(changed),
        "repository": repository(store, of),
    }
    if issue.assignee_ids:
        body["assignees"] = [person(store, store.users[number]) for number in issue.assignee_ids]
    return body


def note_event(store: Store, issue: Issue, note: Note, action: str) -> dict[str, Any]:
    """Return the body of a Note Hook: `user` is always the note's author, and `issue` is as it is now, not as it was then."""
    of = store.projects[issue.project_id]
    hidden = note.internal or issue.confidential
    return {
        "object_kind": "note",
        "event_type": "confidential_note" if hidden else "note",
        "user": person(store, store.users[note.author_id]),
        "project_id": of.id,
        "project": project(store, of),
        "object_attributes": {
            "attachment": None,
            "author_id": note.author_id,
            "change_position": None,
            "commit_id": None,
            "created_at": moment(note.created_at),
            "discussion_id": note.discussion_id,
            "id": note.id,
            "internal": note.internal,
            "line_code": None,
            "note": note.body,
            "noteable_id": issue.id,
            "noteable_type": "Issue",
            "original_position": None,
            "position": None,
            "project_id": of.id,
            "resolved_at": None,
            "resolved_by_id": None,
            "resolved_by_push": None,
            "st_diff": None,
            "system": note.system,
            "type": None,
            "updated_at": moment(note.updated_at),
            "updated_by_id": note.updated_by_id,
            "description": note.body,
            "url": f"{store.url}/{of.path}/-/issues/{issue.iid}#note_{note.id}",
            "action": action,
        },
        "repository": repository(store, of),
        "issue": attributes(store, issue),
    }


def wiki_event(store: Store, of: Project, page: WikiPage, actor: User, action: str) -> dict[str, Any]:
    """Return the body of a Wiki Page Hook."""
    web = f"{store.url}/{of.path}/-/wikis"
    return {
        "object_kind": "wiki_page",
        "user": person(store, actor),
        "project": project(store, of),
        "wiki": {
            "web_url": f"{web}/home",
            "git_ssh_url": f"git@localhost:{of.path}.wiki.git",
            "git_http_url": f"{store.url}/{of.path}.wiki.git",
            "path_with_namespace": f"{of.path}.wiki",
            "default_branch": "main",
        },
        "object_attributes": {
            "title": page.title,
            "content": page.content,
            "format": page.format,
            "message": f"{action} page: {page.title}",
            "slug": page.slug,
            "url": f"{web}/{page.slug}",
            "action": action,
            "diff_url": f"{web}/{page.slug}/diff",
            "version_id": None,
        },
    }
