"""The calls about project hooks: settings, what was delivered, sending again, testing."""

import json
from urllib.parse import urlsplit

from sandbox.gitlab import payloads, representations, rights
from sandbox.gitlab.acting import Refused, bad, invalid, missing
from sandbox.gitlab.calls import PAGES, Call, Reply, route
from sandbox.gitlab.entities import HOOK_FLAGS, Hook, HookLog, Issue, Project

AT = "/projects/<project>/hooks"
FIELDS = ("url", "token", "name", "description", "enable_ssl_verification", "custom_headers", *HOOK_FLAGS)
MOST_EVENTS = 20
MOST_HOOKS = 100


def _find(project: Project, number: str) -> Hook:
    hook = project.hooks.get(int(number)) if number.isdigit() else None
    if hook is None:
        raise missing("Hook")
    return hook


def _set(call: Call, hook: Hook) -> None:
    """Set what is named. A new address without its token wipes the old token and the custom headers."""
    url = str(call.params.get("url", hook.url))
    if urlsplit(url).scheme not in {"http", "https"} or call.acting.post.blocked(url):
        raise Refused(422, {"error": "Invalid url given"})
    if url != hook.url:
        hook.url, hook.token, hook.custom_headers = url, None, {}
    if "token" in call.params:
        token = call.params["token"]
        if token and "\n" in token:
            raise invalid("token", "is invalid")
        hook.token = token or None
    for name in ("name", "description"):
        if name in call.params:
            setattr(hook, name, call.params[name])
    for header in call.params.get("custom_headers") or []:
        hook.custom_headers[header["key"]] = header["value"]
    verification = call.flag("enable_ssl_verification")
    hook.enable_ssl_verification = hook.enable_ssl_verification if verification is None else verification
    for name in HOOK_FLAGS:
        if (value := call.flag(name)) is not None:
            hook.flags[name] = value


@route("GET", AT, PAGES)
def list_hooks(call: Call, project: str) -> Reply:
    """The hooks of a project, for Maintainers."""
    return call.page(list(call.project(project, rights.admin_project).hooks.values()), representations.hook)


@route("POST", AT, FIELDS)
def create_hook(call: Call, project: str) -> Reply:
    """Create a hook: pushes are on, everything else is off unless named."""
    found = call.project(project, rights.admin_project)
    if len(found.hooks) >= MOST_HOOKS:
        raise invalid("base", f"Maximum number of project hooks ({MOST_HOOKS}) exceeded")
    flags: dict[str, bool | None] = dict.fromkeys(HOOK_FLAGS, False)
    flags |= {"push_events": True, "confidential_note_events": None}
    hook = Hook(call.store.number("hook"), found.id, str(call.required("url")), call.store.now(), flags=flags)
    _set(call, hook)
    found.hooks[hook.id] = hook
    return Reply(representations.hook(hook), 201)


@route("GET", f"{AT}/<number>")
def show_hook(call: Call, project: str, number: str) -> Reply:
    """One hook; its token is never shown."""
    return Reply(representations.hook(_find(call.project(project, rights.admin_project), number)))


@route("PUT", f"{AT}/<number>", FIELDS)
def change_hook(call: Call, project: str, number: str) -> Reply:
    """Change a hook: whatever is named, the rest stays, but see `_set` for a new address."""
    hook = _find(call.project(project, rights.admin_project), number)
    _set(call, hook)
    return Reply(representations.hook(hook))


@route("DELETE", f"{AT}/<number>")
def delete_hook(call: Call, project: str, number: str) -> Reply:
    """Delete a hook."""
    found = call.project(project, rights.admin_project)
    del found.hooks[_find(found, number).id]
    return Reply(None, 204)


def _has_status(log: HookLog, wanted: str) -> bool:
    """`successful`, `client_failure`, `server_failure` (with time-outs), or a number."""
    code = int(log.response_status) if log.response_status.isdigit() else None
    kinds = {
        "successful": code is not None and code < 400,  # noqa: PLR2004 - HTTP
        "client_failure": code is not None and 400 <= code < 500,  # noqa: PLR2004 - HTTP
        "server_failure": code is None or code >= 500,  # noqa: PLR2004 - HTTP
    }
    return kinds.get(wanted, log.response_status == wanted)


@route("GET", f"{AT}/<number>/events", ("status", *PAGES))
def list_events(call: Call, project: str, number: str) -> Reply:
    """What was attempted, newest first. Lost deliveries are not in it."""
    hook = _find(call.project(project, rights.admin_project), number)
    wanted = call.params.get("status") or []
    kinds = [str(kind) for kind in (wanted if isinstance(wanted, list) else [wanted])]
    rows = [log for log in reversed(hook.log) if not kinds or any(_has_status(log, kind) for kind in kinds)]
    if (call.integer("per_page") or MOST_EVENTS) > MOST_EVENTS:
        raise bad("per_page does not have a valid value")
    return call.page(rows, representations.hook_log, MOST_EVENTS)


@route("POST", f"{AT}/<number>/events/<log>/resend")
def resend_event(call: Call, project: str, number: str, log: str) -> Reply:
    """Send an attempted delivery again, with the same Idempotency-Key."""
    hook = _find(call.project(project, rights.admin_project), number)
    found = next((one for one in hook.log if str(one.id) == log), None)
    if found is None:
        raise missing("Hook log")
    call.acting.post.send(hook, found.trigger, json.loads(found.body), key=found.request_headers["Idempotency-Key"])
    return Reply({"response_status": 200}, 201)


@route("POST", f"{AT}/<number>/test/<trigger>")
def test_hook(call: Call, project: str, number: str, trigger: str) -> Reply:
    """Send an event of a recent real object; 422 where there is none."""
    found = call.project(project, rights.admin_project)
    hook = _find(found, number)
    newest = max(found.issues.values(), key=lambda issue: issue.id, default=None)
    body = _sample(call, newest, trigger) if newest else None
    if body is None:
        raise Refused(422, {"message": "Ensure the project has issues." if "issue" in trigger else "Ensure the project has notes."})
    call.acting.post.send(hook, trigger, body)
    return Reply({"message": "201 Created"}, 201)


def _sample(call: Call, issue: Issue, trigger: str) -> dict[str, object] | None:
    if trigger in {"issues_events", "confidential_issues_events"}:
        return payloads.issue_event(call.store, issue, call.user, "open", {})
    if trigger in {"note_events", "confidential_note_events"}:
        note = next((note for note in reversed(issue.notes) if not note.system), None)
        return payloads.note_event(call.store, issue, note, "create") if note else None
    raise bad("trigger does not have a valid value")
