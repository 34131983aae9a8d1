"""The comment calls of an issue."""

from sandbox.gitlab import notes, representations, rights
from sandbox.gitlab.acting import Refused, forbidden
from sandbox.gitlab.calls import PAGES, Call, Reply, route

AT = "/projects/<project>/issues/<iid>/notes"


@route("GET", AT, ("order_by", "sort", "activity_filter", *PAGES))
def list_notes(call: Call, project: str, iid: str) -> Reply:
    """Comments and the forge's own records, newest first unless asked otherwise."""
    found = call.project(project)
    issue = call.issue(found, iid)
    only = call.choice("activity_filter", ("all_notes", "only_comments", "only_activity"), "all_notes")
    by_update = call.choice("order_by", ("created_at", "updated_at"), "created_at") == "updated_at"
    rows = [note for note in issue.notes if rights.read_note(call.user, found, note)]
    rows = [note for note in rows if only == "all_notes" or note.system == (only == "only_activity")]
    descending = call.choice("sort", ("asc", "desc"), "desc") == "desc"
    rows.sort(key=lambda note: (note.updated_at if by_update else note.created_at, note.id), reverse=descending)
    return call.page(rows, lambda note: representations.note(call.store, note, issue.iid))


@route("POST", AT, ("body", "internal", "confidential", "created_at"))
def create_note(call: Call, project: str, iid: str) -> Reply:
    """Comment on an issue: 201 with the note, or 202 where it held only quick actions."""
    found = call.project(project)
    issue = call.issue(found, iid)
    if not rights.create_note(call.user, found):
        raise forbidden()
    body = str(call.required("body"))
    if call.acting.limits.exceeded("notes_create", call.user.id, call.store.now()):
        message = "This endpoint has been requested too many times. Try again later."
        raise Refused(429, {"message": {"error": message}}, {"Retry-After": "60"})
    internal = bool(call.flag("internal") or call.flag("confidential"))
    return _answer(call, issue.iid, notes.create(call.acting, found, issue, body, internal=internal, at=call.moment("created_at")), 201)


@route("GET", f"{AT}/<number>")
def show_note(call: Call, project: str, iid: str, number: str) -> Reply:
    """One comment."""
    found = call.project(project)
    issue = call.issue(found, iid)
    return Reply(representations.note(call.store, call.note(found, issue, number), issue.iid))


@route("PUT", f"{AT}/<number>", ("body",))
def change_note(call: Call, project: str, iid: str, number: str) -> Reply:
    """Edit a comment: one's own, or as Maintainer anybody's."""
    found = call.project(project)
    issue = call.issue(found, iid)
    note = call.note(found, issue, number)
    if not rights.admin_note(call.user, found, note):
        raise forbidden()
    return _answer(call, issue.iid, notes.edit(call.acting, found, issue, note, str(call.required("body"))), 200)


@route("DELETE", f"{AT}/<number>")
def delete_note(call: Call, project: str, iid: str, number: str) -> Reply:
    """Delete a comment. No hook tells of it."""
    found = call.project(project)
    issue = call.issue(found, iid)
    note = call.note(found, issue, number)
    if not rights.admin_note(call.user, found, note):
        raise forbidden()
    issue.notes.remove(note)
    return Reply(None, 204)


def _answer(call: Call, iid: int, posted: notes.Posted, status: int) -> Reply:
    if posted.note is None:
        return Reply({"commands_changes": posted.changes, "summary": posted.summary}, 202)
    return Reply(representations.note(call.store, posted.note, iid, posted.changes), status)
