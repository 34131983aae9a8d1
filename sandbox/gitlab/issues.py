"""Creating and changing issues: rights, labels, assignee, state, the forge's own notes, and the events that go out.

Rules (behaviour.md 1.3, 3, 4): what the caller may not set is dropped without a word; an update fires its event even when nothing
changed; closing fires `close` and then `update`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sandbox.gitlab import markup, payloads, rights
from sandbox.gitlab.acting import Acting, Refused, invalid
from sandbox.gitlab.commands import Interpreter, parsed_date
from sandbox.gitlab.entities import Issue, LabelEvent, Note, Project, StateEvent
from sandbox.gitlab.quickactions import extract

TITLE_LIMIT = 255
DESCRIPTION_LIMIT = 1_048_576
METADATA = ("labels", "add_labels", "remove_labels", "label_ids", "add_label_ids", "remove_label_ids", "assignee_ids", "due_date")
EMPTY: dict[str, Any] = {"labels": [], "assignees": []}


def create(acting: Acting, project: Project, wish: Mapping[str, Any]) -> Issue:
    """Create an issue from API parameters; quick actions of its description are carried out."""
    store, user, now = acting.store, acting.user, acting.store.now()
    wish = dict(wish)
    _check_texts(wish)
    owner = rights.own_project(user, project)
    iid = wish.get("iid") if owner else None
    if iid in project.issues:
        raise Refused(409, {"message": "Duplicated issue"})
    created = wish.get("created_at") if owner else None
    number = store.next_iid(project, iid)
    issue = Issue(store.number("issue"), number, project.id, user.id, wish["title"].strip(), created or now, now)
    issue.issue_type = wish.get("issue_type") or "issue"
    issue.confidential = bool(wish.get("confidential"))
    issue.subscribers.add(user.id)
    text = wish.pop("description", None) or project.templates.get("Default")
    if text is not None:
        extracted = extract(text, enterprise=store.enterprise)
        issue.description = extracted.text
        wish |= Interpreter(acting, project, issue, saved=False).run(extracted.commands).updates
        issue.confidential = issue.confidential or bool(wish.get("confidential"))
    if not rights.set_metadata_at_creation(user, project):
        _drop_metadata(wish)
    _check_labels(acting, project, issue, wish)
    project.issues[issue.iid] = issue
    _set_fields(acting, project, issue, wish)
    _record_differences(acting, issue, Issue(0, 0, project.id, 0, issue.title, now, now, issue.description), tell_texts=False)
    _fire(acting, issue, "open", EMPTY)
    if wish.get("state_event") == "close":
        before = payloads.snapshot(store, issue)
        if _change_state(acting, project, issue, "close"):
            _fire(acting, issue, "close", before)
    return issue


def update(acting: Acting, project: Project, issue: Issue, wish: Mapping[str, Any]) -> Issue:
    """Change an issue. The `update` event goes out even when nothing differs afterwards."""
    store = acting.store
    wish = dict(wish)
    _check_texts(wish)
    if "description" in wish:
        wish |= _description_actions(acting, project, issue, wish)
    if not rights.admin_issue(acting.user, project):
        _drop_metadata(wish)
        wish.pop("confidential", None)
        wish.pop("discussion_locked", None)
        wish.pop("issue_type", None)
    _check_labels(acting, project, issue, wish)
    before, old = payloads.snapshot(store, issue), _copy(issue)
    if _change_state(acting, project, issue, wish.get("state_event")):
        _fire(acting, issue, {"closed": "close", "opened": "reopen"}[issue.state], before)
    _set_fields(acting, project, issue, wish)
    issue.updated_by_id = acting.user.id
    if payloads.changes(before, payloads.snapshot(store, issue)):
        issue.updated_at = store.now()
    _record_differences(acting, issue, old, tell_texts=True)
    _fire(acting, issue, "update", before)
    return issue


def move(acting: Acting, project: Project, issue: Issue, target: Project) -> Issue:
    """Move an issue to another project: a copy is opened there, with its comments and those of its labels that exist there.

    The original stays, closed and pointing to the copy; reopened, it forgets it.
    """
    if issue.moved_to_id or not (rights.admin_issue(acting.user, project) and rights.admin_issue(acting.user, target)):
        raise Refused(400, {"message": "Cannot move issue due to insufficient permissions!"})
    if target is project:
        raise Refused(400, {"message": "Cannot move issue to project it originates from!"})
    store, now = acting.store, acting.store.now()
    copy = Issue(store.number("issue"), store.next_iid(target), target.id, issue.author_id, issue.title, now, now)
    copy.description, copy.confidential, copy.due_date = issue.description, issue.confidential, issue.due_date
    names = {label.name for label in store.labels_of(issue)}
    copy.label_ids = [label.id for label in target.labels.values() if label.name in names]
    copy.assignee_ids = [number for number in issue.assignee_ids if rights.read_project(store.users[number], target)]
    copy.notes = [replace(note, id=store.number("activity"), project_id=target.id, issue_id=copy.id) for note in issue.notes]
    target.issues[copy.iid] = copy
    system_note(acting, copy, f"moved from {project.path}#{issue.iid}")
    _fire(acting, copy, "open", EMPTY)
    before = payloads.snapshot(store, issue)
    issue.moved_to_id = copy.id
    system_note(acting, issue, f"moved to {target.path}#{copy.iid}")
    if _change_state(acting, project, issue, "close"):
        _fire(acting, issue, "close", before)
    return copy


def touch(acting: Acting, issue: Issue) -> None:
    """Move `updated_at` for a comment, at most once a minute (app/models/concerns/throttled_touch.rb)."""
    now = acting.store.now()
    if (now - issue.updated_at).total_seconds() >= 60:  # noqa: PLR2004 - the minute of the rule above
        issue.updated_at = now


def system_note(acting: Acting, issue: Issue, body: str) -> None:
    """Write the forge's own record of a change, by the one who made it. It fires no hook."""
    store, now = acting.store, acting.store.now()
    number = store.number("activity")
    issue.notes.append(
        Note(number, issue.project_id, issue.id, acting.user.id, body, now, now, store.unique().replace("-", ""), system=True)
    )


def label_names(value: object) -> list[str]:
    """Read label names from a comma string or an array; each item of an array is split on commas too."""
    items: Iterable[object] = value if isinstance(value, list) else [value or ""]
    return [name.strip() for item in items for name in str(item).split(",") if name.strip()]


def _check_texts(wish: Mapping[str, Any]) -> None:
    title = wish.get("title")
    if title is not None and not title.strip():
        raise invalid("title", "can't be blank")
    if title is not None and len(title) > TITLE_LIMIT:
        raise invalid("title", f"is too long (maximum is {TITLE_LIMIT} characters)")
    size = len((wish.get("description") or "").encode())
    if size > DESCRIPTION_LIMIT:
        raise invalid("description", f"is too long ({size / DESCRIPTION_LIMIT:.2f} MiB). The maximum size is 1 MiB.")


def _description_actions(acting: Acting, project: Project, issue: Issue, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Take the quick actions out of a new description; those the old description held already are not carried out again."""
    new = extract(wish["description"] or "", enterprise=acting.store.enterprise)
    old = extract(issue.description or "", enterprise=acting.store.enterprise)
    commands = [command for command in new.commands if command not in old.commands]
    updates = Interpreter(acting, project, issue).run(commands).updates
    return updates | {"description": new.text}


def _drop_metadata(wish: dict[str, Any]) -> None:
    for key in METADATA:
        wish.pop(key, None)


def _copy(issue: Issue) -> Issue:
    """Keep what differences are told against."""
    return Issue(
        issue.id,
        issue.iid,
        issue.project_id,
        issue.author_id,
        issue.title,
        issue.created_at,
        issue.updated_at,
        issue.description,
        confidential=issue.confidential,
        discussion_locked=issue.discussion_locked,
        issue_type=issue.issue_type,
        due_date=issue.due_date,
        label_ids=list(issue.label_ids),
        assignee_ids=list(issue.assignee_ids),
    )


def _change_state(acting: Acting, project: Project, issue: Issue, wished: str | None) -> bool:
    """Close or reopen; say whether anything changed."""
    wanted = {"close": "closed", "reopen": "opened"}.get(wished or "")
    if wanted is None or wanted == issue.state or not rights.update_issue(acting.user, project, issue):
        return False
    now = acting.store.now()
    issue.state, issue.updated_at, issue.updated_by_id = wanted, now, acting.user.id
    closed = wanted == "closed"
    issue.closed_at, issue.closed_by_id = (now, acting.user.id) if closed else (None, None)
    if not closed:
        issue.moved_to_id = issue.duplicated_to_id = None
    event = StateEvent(acting.store.number("activity"), acting.user.id, now, "closed" if closed else "reopened")
    issue.state_events.append(event)
    return True


def _set_fields(acting: Acting, project: Project, issue: Issue, wish: Mapping[str, Any]) -> None:
    if "title" in wish:
        issue.title = wish["title"].strip()
    if "description" in wish and wish["description"] != issue.description:
        issue.description = wish["description"]
        issue.last_edited_at, issue.last_edited_by_id = acting.store.now(), acting.user.id
    for key in ("confidential", "discussion_locked", "issue_type"):
        if wish.get(key) is not None:
            setattr(issue, key, wish[key])
    if "due_date" in wish:
        issue.due_date = _due_date(wish["due_date"])
    if "assignee_ids" in wish:
        _assign(acting, project, issue, wish["assignee_ids"])
    issue.label_ids = _labels(acting, project, issue, wish)
    subscription = wish.get("subscription_event")
    if subscription == "subscribe":
        issue.subscribers.add(acting.user.id)
    elif subscription == "unsubscribe":
        issue.subscribers.discard(acting.user.id)


def _due_date(value: object) -> date | None:
    return parsed_date(value) if isinstance(value, str) else None


def _assign(acting: Acting, project: Project, issue: Issue, wished: list[int]) -> None:
    """Keep the first id; drop it where that account cannot read the issue; 0 or an empty list clears."""
    first = wished[:1]
    if first in ([], [0]):
        issue.assignee_ids = []
        return
    user = acting.store.users.get(first[0])
    if user and rights.read_project(user, project):
        issue.assignee_ids = first


def _check_labels(acting: Acting, project: Project, issue: Issue, wish: Mapping[str, Any]) -> None:
    """No more labels are put on than an issue may carry; one that carries more already may lose some."""
    most, carried = acting.limits.labels, sum(number in project.labels for number in issue.label_ids)
    if most and carried < len(_labels(acting, project, issue, wish)) > most:
        raise Refused(400, {"message": f"Cannot add more than {most} labels to a work item."})


def _labels(acting: Acting, project: Project, issue: Issue, wish: Mapping[str, Any]) -> list[int]:
    """The labels an issue carries once the wish is granted."""
    current = [number for number in issue.label_ids if number in project.labels]
    if "labels" in wish:
        current = _find_or_create(acting, project, label_names(wish["labels"]))
    current = list(wish.get("label_ids", current))
    added = _find_or_create(acting, project, label_names(wish.get("add_labels"))) + list(wish.get("add_label_ids", []))
    current += [number for number in added if number not in current]
    names = set(label_names(wish.get("remove_labels")))
    removed = {label.id for label in project.labels.values() if label.name in names} | set(wish.get("remove_label_ids", []))
    return [number for number in dict.fromkeys(current) if number not in removed]


def _find_or_create(acting: Acting, project: Project, names: list[str]) -> list[int]:
    """A label that does not exist is created where the caller may, else left out without a word."""
    found: list[int] = []
    for name in names:
        label = acting.store.label_named(project, name)
        if label is None and rights.admin_label(acting.user, project):
            label = acting.store.add_label(project, name)
        if label:
            found.append(label.id)
    return found


def _record_differences(acting: Acting, issue: Issue, old: Issue, *, tell_texts: bool) -> None:
    """Write label events and system notes for what differs from before."""
    now: datetime = acting.store.now()
    for number, added in [(number, True) for number in issue.label_ids if number not in old.label_ids] + [
        (number, False) for number in old.label_ids if number not in issue.label_ids
    ]:
        issue.label_events.append(LabelEvent(acting.store.number("activity"), acting.user.id, now, number, added))
    if tell_texts:
        _note_texts(acting, issue, old)
    if issue.due_date != old.due_date:
        day = issue.due_date
        system_note(acting, issue, f"changed due date to {day.strftime('%B')} {day.day}, {day.year}" if day else "removed due date")
    if issue.assignee_ids != old.assignee_ids:
        parts = [f"assigned to {_names(acting, issue.assignee_ids)}"] if issue.assignee_ids else []
        parts += [f"unassigned {_names(acting, old.assignee_ids)}"] if old.assignee_ids else []
        system_note(acting, issue, " and ".join(parts))


def _note_texts(acting: Acting, issue: Issue, old: Issue) -> None:
    if issue.title != old.title:
        system_note(acting, issue, f"changed title from **{old.title}** to **{issue.title}**")
    if issue.description != old.description:
        for body in _ticks(old.description or "", issue.description or "") or ["changed the description"]:
            system_note(acting, issue, body)
    if issue.confidential != old.confidential:
        system_note(acting, issue, "made the issue confidential" if issue.confidential else "made the issue visible to everyone")
    if issue.issue_type != old.issue_type:
        system_note(acting, issue, f"changed type from {old.issue_type.replace('_', ' ')} to {issue.issue_type.replace('_', ' ')}")
    if bool(issue.discussion_locked) != bool(old.discussion_locked):
        system_note(
            acting, issue, "locked the discussion in this issue" if issue.discussion_locked else "unlocked the discussion in this issue"
        )


def _ticks(old: str, new: str) -> list[str]:
    """Tell the checkboxes, compared place by place, whose words are the same and whose tick is not."""
    pairs = zip(markup.tasks(old), markup.tasks(new), strict=False)
    flipped = [after for before, after in pairs if before.text == after.text and before.done != after.done]
    return [f"marked the checklist item **{task.text}** as {'completed' if task.done else 'incomplete'}" for task in flipped]


def _names(acting: Acting, user_ids: list[int]) -> str:
    return " and ".join(f"@{acting.store.users[number].username}" for number in user_ids)


def _fire(acting: Acting, issue: Issue, action: str, before: Mapping[str, Any]) -> None:
    store = acting.store
    body = payloads.issue_event(store, issue, acting.user, action, payloads.changes(before, payloads.snapshot(store, issue)))
    flag = "confidential_issues_events" if issue.confidential else "issues_events"
    acting.post.fire(store.projects[issue.project_id], flag, lambda: body, cause=acting.cause)
