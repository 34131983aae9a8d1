"""Who may do what (behaviour.md 3 and 4, doc/user/permissions). A rule of the role, never of a single label.

An administrator may do everything an owner may. In an archived project nobody writes issues, comments, labels, boards or wiki pages
(app/policies/project_policy.rb, READONLY_FEATURES_WHEN_ARCHIVED); its hooks, members and settings are still looked after.
"""

from sandbox.gitlab.entities import Issue, Level, Note, Project, User


def level(user: User, project: Project) -> int:
    """Return the access level somebody has in a project."""
    return Level.OWNER if user.admin else project.members.get(user.id, Level.NONE)


def read_project(user: User, project: Project) -> bool:
    """Members read a private project; everybody signed in reads the others."""
    return level(user, project) >= Level.GUEST or project.visibility != "private"


def concerned(user: User, issue: Issue) -> bool:
    """Say whether somebody is the author or the assignee."""
    return user.id == issue.author_id or user.id in issue.assignee_ids


def read_issue(user: User, project: Project, issue: Issue) -> bool:
    """A confidential issue is read by Planner and up, its author and its assignee."""
    if not read_project(user, project):
        return False
    return not issue.confidential or level(user, project) >= Level.PLANNER or concerned(user, issue)


def writes(user: User, project: Project, least: Level) -> bool:
    """Say whether somebody of at least this level writes here; in an archived project nobody does."""
    return not project.archived and level(user, project) >= least


def create_issue(user: User, project: Project) -> bool:
    """Whoever reads a project opens issues in it."""
    return not project.archived and read_project(user, project)


def create_note(user: User, project: Project) -> bool:
    """Whoever reads an issue comments on it."""
    return not project.archived and read_project(user, project)


def set_metadata_at_creation(user: User, project: Project) -> bool:
    """Every member, also a Guest, may set labels, assignee and due date when creating an issue."""
    return level(user, project) >= Level.GUEST


def admin_issue(user: User, project: Project) -> bool:
    """Planner and up change labels, assignee and due date of any issue."""
    return writes(user, project, Level.PLANNER)


def update_issue(user: User, project: Project, issue: Issue) -> bool:
    """The author and the assignee may edit the text and close or reopen, also as Guests."""
    return admin_issue(user, project) or (not project.archived and read_issue(user, project, issue) and concerned(user, issue))


def destroy_issue(user: User, project: Project) -> bool:
    """Only the owner deletes, and the Planner role."""
    return not project.archived and level(user, project) in {Level.OWNER, Level.PLANNER}


def admin_label(user: User, project: Project) -> bool:
    """Planner and up create labels, also by naming a missing one on an issue."""
    return writes(user, project, Level.PLANNER)


def admin_board(user: User, project: Project) -> bool:
    """Planner and up change boards."""
    return writes(user, project, Level.PLANNER)


def internal_notes(user: User, project: Project) -> bool:
    """Planner and up write and read internal notes."""
    return level(user, project) >= Level.PLANNER


def read_note(user: User, project: Project, note: Note) -> bool:
    """An internal note is hidden from Guests."""
    return not note.internal or internal_notes(user, project) or note.author_id == user.id


def admin_note(user: User, project: Project, note: Note) -> bool:
    """Everybody edits their own comment, a Maintainer anybody's; nobody a system note."""
    return not (note.system or project.archived) and (note.author_id == user.id or level(user, project) >= Level.MAINTAINER)


def admin_project(user: User, project: Project) -> bool:
    """Maintainers look after hooks, members and uploads."""
    return level(user, project) >= Level.MAINTAINER


def own_project(user: User, project: Project) -> bool:
    """Owners choose iids and creation times, and delete the project."""
    return level(user, project) >= Level.OWNER


def write_wiki(user: User, project: Project) -> bool:
    """Developer and up write the wiki, and the Planner role; a Reporter does not."""
    held = level(user, project)
    return not project.archived and (held == Level.PLANNER or held >= Level.DEVELOPER)


def delete_wiki(user: User, project: Project) -> bool:
    """Maintainer and up delete wiki pages, and the Planner role."""
    held = level(user, project)
    return not project.archived and (held == Level.PLANNER or held >= Level.MAINTAINER)
