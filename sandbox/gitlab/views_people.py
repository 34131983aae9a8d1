"""The calls about the instance, accounts, tokens, projects and their members."""

from collections.abc import Sequence
from datetime import date, timedelta

from sandbox.gitlab import representations, rights
from sandbox.gitlab.acting import Refused, bad, forbidden, invalid, missing
from sandbox.gitlab.calls import PAGES, Call, Reply, route
from sandbox.gitlab.entities import Level, Project, User

MEMBERS = "/projects/<project>/members"
SWITCHES = ("autoclose_referenced_issues", "enforce_auth_checks_on_uploads")
SETTINGS = (*SWITCHES, "issues_template", "description")
VISIBILITIES = ("private", "internal", "public")
LONGEST_LIFE = timedelta(days=365)


def _administrator(call: Call) -> None:
    if not call.user.admin:
        raise forbidden()


def _user(call: Call, number: str) -> User:
    user = call.store.users.get(int(number)) if number.isdigit() else None
    if user is None:
        raise missing("User")
    return user


@route("GET", "/version")
def show_version(call: Call) -> Reply:
    """The old form of the metadata."""
    return Reply(representations.metadata(call.store))


@route("GET", "/metadata")
def show_metadata(call: Call) -> Reply:
    """Version, revision, edition."""
    return Reply(representations.metadata(call.store))


@route("GET", "/user")
def show_self(call: Call) -> Reply:
    """The account behind the token."""
    return Reply(representations.user_public(call.store, call.user))


@route("GET", "/personal_access_tokens/self")
def show_token(call: Call) -> Reply:
    """The token of this call."""
    return Reply(representations.token(call.store.tokens[call.token]))


@route("POST", "/personal_access_tokens/self/rotate", ("expires_at",))
def rotate_token(call: Call) -> Reply:
    """Another token of the same kind in the place of this one, which is refused from now on. It lives a week unless more is asked."""
    token = call.store.tokens[call.token]
    today = call.store.now().date()
    expires_at = _day(call) or today + timedelta(days=7)
    if not today < expires_at <= today + LONGEST_LIFE:
        raise bad("400 Bad request - Expiration date must be in the future and at most 365 days ahead")
    token.revoked = True
    value, renewed = call.store.add_token(call.user, token.name, token.scopes, expires_at)
    if call.user.token == call.token:
        call.user.token = value
    return Reply(representations.token(renewed) | {"token": value})


def _day(call: Call) -> date | None:
    asked = call.text("expires_at")
    try:
        return date.fromisoformat(asked) if asked else None
    except ValueError as fault:
        raise bad("expires_at is invalid") from fault


@route("GET", "/users", ("username", "search", "active", *PAGES))
def list_users(call: Call) -> Reply:
    """Accounts, by user name or by words."""
    name, words = call.params.get("username"), str(call.params.get("search", "")).casefold()
    rows = [user for user in call.store.users.values() if name is None or user.username.casefold() == str(name).casefold()]
    rows = [user for user in rows if words in f"{user.username} {user.name}".casefold()]
    return call.page(rows[::-1], lambda user: representations.user_basic(call.store, user))


@route("POST", "/users", ("username", "name", "email", "password", "force_random_password", "reset_password", "skip_confirmation", "admin"))
def create_user(call: Call) -> Reply:
    """Create an account, for administrators."""
    _administrator(call)
    username = str(call.required("username"))
    if call.store.user_named(username):
        raise Refused(409, {"message": "Username has already been taken"})
    if not any(call.params.get(key) for key in ("password", "force_random_password", "reset_password")):
        raise bad("password, reset_password, force_random_password are missing, at least one parameter must be provided")
    admin, email = call.flag("admin") or False, str(call.required("email"))
    user = call.store.add_user(username, str(call.required("name")), admin=admin, email=email)
    return Reply(representations.user_public(call.store, user), 201)


@route("GET", "/users/<number>")
def show_user(call: Call, number: str) -> Reply:
    """One account."""
    user = _user(call, number)
    whole = representations.user_public(call.store, user)
    return Reply(whole if call.user.admin else representations.user_basic(call.store, user))


@route("DELETE", "/users/<number>", ("hard_delete",))
def delete_user(call: Call, number: str) -> Reply:
    """Take an account's tokens and memberships away; its writings stay under its name."""
    _administrator(call)
    user = _user(call, number)
    for value in [value for value, token in call.store.tokens.items() if token.user_id == user.id]:
        del call.store.tokens[value]
    for project in call.store.projects.values():
        project.members.pop(user.id, None)
    return Reply(None, 204)


@route("POST", "/users/<number>/personal_access_tokens", ("name", "scopes", "expires_at", "description"))
def create_token(call: Call, number: str) -> Reply:
    """Create a token for somebody, for administrators. Its value is shown this once."""
    _administrator(call)
    scopes = call.required("scopes")
    value, token = call.store.add_token(_user(call, number), str(call.required("name")), tuple(scopes), _day(call))
    return Reply(representations.token(token) | {"token": value}, 201)


# projects


@route("GET", "/projects", ("search", "membership", "simple", "owned", "order_by", "sort", *PAGES))
def list_projects(call: Call) -> Reply:
    """The projects the caller may read."""
    words, mine = str(call.params.get("search", "")).casefold(), call.flag("membership")
    readable = [project for project in call.store.projects.values() if rights.read_project(call.user, project)]
    rows = [project for project in readable if words in project.path.casefold() and (not mine or call.user.id in project.members)]
    return call.page(rows[::-1], lambda project: representations.project_basic(call.store, project))


@route("POST", "/projects", ("name", "path", "visibility", "description", "initialize_with_readme"))
def create_project(call: Call) -> Reply:
    """Create a project under the caller's own name."""
    name = str(call.params.get("name") or call.required("path"))
    path = f"{call.user.username}/{call.params.get('path') or name.lower().replace(' ', '-')}"
    if call.store.find_project(path):
        raise invalid("path", "has already been taken")
    project = call.store.add_project(path, call.user, call.choice("visibility", VISIBILITIES, "private"), name)
    return Reply(representations.project_full(call.store, project, Level.OWNER), 201)


@route("GET", "/projects/<project>")
def show_project(call: Call, project: str) -> Reply:
    """One project by id or path."""
    found = call.project(project)
    return Reply(representations.project_full(call.store, found, rights.level(call.user, found)))


@route("PUT", "/projects/<project>", (*SETTINGS, "visibility"))
def change_project(call: Call, project: str) -> Reply:
    """Change settings. The default issue template (a setting of paid tiers, a file in the Free tier) is kept where issues find it."""
    found = call.project(project, rights.admin_project)
    if "issues_template" in call.params:
        found.templates["Default"] = str(call.params["issues_template"])
    if "visibility" in call.params:
        call.project(project, rights.own_project).visibility = call.choice("visibility", VISIBILITIES, found.visibility)
    switches = {name: call.flag(name) for name in SWITCHES if name in call.params}
    found.settings |= {name: call.params[name] for name in SETTINGS if name in call.params} | switches
    return Reply(representations.project_full(call.store, found, rights.level(call.user, found)))


@route("POST", "/projects/<project>/archive")
def archive_project(call: Call, project: str) -> Reply:
    """From now on the project is only read."""
    return _archived(call, project, archived=True)


@route("POST", "/projects/<project>/unarchive")
def unarchive_project(call: Call, project: str) -> Reply:
    """The project is written in again."""
    return _archived(call, project, archived=False)


def _archived(call: Call, project: str, *, archived: bool) -> Reply:
    found = call.project(project, rights.own_project)
    found.archived = archived
    return Reply(representations.project_full(call.store, found, rights.level(call.user, found)), 201)


@route("DELETE", "/projects/<project>", ("permanently_remove", "full_path"))
def delete_project(call: Call, project: str) -> Reply:
    """Delete a project with everything in it."""
    found = call.project(project, rights.own_project)
    del call.store.projects[found.id]
    return Reply({"message": "202 Accepted"}, 202)


# members


def _shown(call: Call, project: Project, query: str = "") -> Sequence[User]:
    users = (call.store.users[number] for number in project.members)
    return [user for user in users if query.casefold() in f"{user.username} {user.name}".casefold()]


@route("GET", MEMBERS, ("query", "user_ids", *PAGES))
@route("GET", f"{MEMBERS}/all", ("query", "user_ids", *PAGES))
def list_members(call: Call, project: str) -> Reply:
    """The members of a project; there are no groups to inherit from here."""
    found = call.project(project)
    wanted = call.numbers("user_ids")
    rows = [user for user in _shown(call, found, str(call.params.get("query", ""))) if not wanted or user.id in wanted]
    return call.page(rows, lambda user: representations.member(call.store, found, user))


@route("POST", MEMBERS, ("user_id", "username", "access_level", "expires_at"))
def add_member(call: Call, project: str) -> Reply:
    """Make somebody a member, for Maintainers; 409 where they are one."""
    found = call.project(project, rights.admin_project)
    user = _user(call, str(call.required("user_id"))) if "username" not in call.params else call.store.user_named(call.params["username"])
    if user is None:
        raise missing("User")
    if user.id in found.members:
        raise Refused(409, {"message": "Member already exists"})
    call.store.join(found, user, _level(call))
    return Reply(representations.member(call.store, found, user), 201)


def _level(call: Call) -> int:
    level = call.integer("access_level")
    if level not in {int(one) for one in Level if one}:
        raise bad("access_level does not have a valid value")
    return level


def _member(call: Call, project: Project, number: str) -> User:
    user = _user(call, number)
    if user.id not in project.members:
        raise missing("Member")
    return user


@route("GET", f"{MEMBERS}/<number>")
@route("GET", f"{MEMBERS}/all/<number>")
def show_member(call: Call, project: str, number: str) -> Reply:
    """One member."""
    found = call.project(project)
    return Reply(representations.member(call.store, found, _member(call, found, number)))


@route("PUT", f"{MEMBERS}/<number>", ("access_level", "expires_at"))
def change_member(call: Call, project: str, number: str) -> Reply:
    """Change a member's level."""
    found = call.project(project, rights.admin_project)
    user = _member(call, found, number)
    call.store.join(found, user, _level(call))
    return Reply(representations.member(call.store, found, user))


@route("DELETE", f"{MEMBERS}/<number>")
def remove_member(call: Call, project: str, number: str) -> Reply:
    """Take a membership away. No project hook tells of it."""
    found = call.project(project, rights.admin_project)
    del found.members[_member(call, found, number).id]
    return Reply(None, 204)
