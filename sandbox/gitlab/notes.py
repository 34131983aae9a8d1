"""Comments: quick actions in them, internal ones, edits, and what is answered (behaviour.md 2.2).

Rule: a comment of nothing but quick actions is not kept; a comment whose quick actions fail afterwards is kept although the call fails.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.gitlab import issues, payloads, rights
from sandbox.gitlab.acting import Acting, Refused, forbidden
from sandbox.gitlab.commands import Interpreter, Outcome
from sandbox.gitlab.entities import Issue, Note, Project
from sandbox.gitlab.quickactions import extract

NOTES_LIMIT = 5000
BODY_LIMIT = 1_048_576


@dataclass(slots=True)
class Posted:
    """What became of a comment: the note, or None where it held only quick actions."""

    note: Note | None
    changes: dict[str, Any] = field(default_factory=dict)
    summary: list[str] = field(default_factory=list)


def create(acting: Acting, project: Project, issue: Issue, body: str, *, internal: bool = False, at: datetime | None = None) -> Posted:
    """Comment on an issue as the acting account. `at` is honoured for owners only."""
    if internal and not rights.internal_notes(acting.user, project):
        raise forbidden()
    extracted = extract(body, enterprise=acting.store.enterprise)
    outcome = Interpreter(acting, project, issue).run(extracted.commands)
    if not extracted.text and extracted.commands:
        return _only_commands(acting, project, issue, outcome)
    _check(issue, extracted.text)
    note = _save(acting, project, issue, extracted.text, internal=internal, at=at)
    _apply(acting, project, issue, outcome)
    return Posted(note, outcome.updates)


def edit(acting: Acting, project: Project, issue: Issue, note: Note, body: str) -> Posted:
    """Change the text of a comment; its quick actions are carried out, and a comment left empty disappears."""
    extracted = extract(body, enterprise=acting.store.enterprise)
    outcome = Interpreter(acting, project, issue).run(extracted.commands)
    if not extracted.text and extracted.commands:
        issue.notes.remove(note)
        return _only_commands(acting, project, issue, outcome)
    _check(issue, extracted.text)
    if extracted.text != note.body:
        note.body, note.updated_at, note.updated_by_id = extracted.text, acting.store.now(), acting.user.id
        _fire(acting, project, issue, note, "update")
    _apply(acting, project, issue, outcome)
    return Posted(note, outcome.updates)


def _check(issue: Issue, text: str) -> None:
    if not text.strip():
        raise Refused(400, {"message": '400 Bad request - Note {:note=>["can\'t be blank"]}'})
    if len(text) > BODY_LIMIT:
        raise Refused(400, {"message": f'400 Bad request - Note {{:note=>["is too long (maximum is {BODY_LIMIT} characters)"]}}'})
    if len(issue.notes) >= NOTES_LIMIT:
        raise Refused(400, {"message": f'400 Bad request - Note {{:base=>["Maximum number of comments exceeded ({NOTES_LIMIT})"]}}'})


def _save(acting: Acting, project: Project, issue: Issue, text: str, *, internal: bool, at: datetime | None) -> Note:
    store = acting.store
    moment = at if at and rights.own_project(acting.user, project) else store.now()
    number, discussion = store.number("activity"), store.unique().replace("-", "")
    note = Note(number, project.id, issue.id, acting.user.id, text, moment, moment, discussion, internal=internal)
    issue.notes.append(note)
    issue.subscribers.add(acting.user.id)
    issues.touch(acting, issue)
    _fire(acting, project, issue, note, "create")
    return note


def _apply(acting: Acting, project: Project, issue: Issue, outcome: Outcome) -> None:
    if not outcome.updates:
        return
    try:
        issues.update(acting, project, issue, outcome.updates)
    except Refused as refusal:
        raise Refused(400, {"message": f"400 Bad request - Note {{:validation=>[{refusal.body}]}}"}) from refusal


def _only_commands(acting: Acting, project: Project, issue: Issue, outcome: Outcome) -> Posted:
    _apply(acting, project, issue, outcome)
    if not outcome.messages:
        raise Refused(400, {"message": "400 Bad request - Failed to apply commands."})
    return Posted(None, outcome.updates, [" ".join(outcome.messages)])


def _fire(acting: Acting, project: Project, issue: Issue, note: Note, action: str) -> None:
    """Send the event from a worker: it carries no cause, and shows the issue as it is when the worker runs."""
    flag = "confidential_note_events" if note.internal or issue.confidential else "note_events"
    acting.post.fire(project, flag, lambda: payloads.note_event(acting.store, issue, note, action))
