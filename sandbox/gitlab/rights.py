"""Who may do what (behaviour.md 3 and 4, doc/user/permissions). A rule of the role, never of a single label.

An administrator may do everything an owner may.
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


def set_metadata_at_creation(user: User, project: Project) -> bool:
    """Every member, also a Guest, may set labels, assignee and due date when creating an issue."""
    return level(user, project) >= Level.GUEST


def admin_issue(user: User, project: Project) -> bool:
    """Planner and up change labels, assignee and due date of any issue."""
    return level(user, project) >= Level.PLANNER


def update_issue(user: User, project: Project, issue: Issue) -> bool:
    """The author and the assignee may edit the text and close or reopen, also as Guests."""
    return admin_issue(user, project) or (read_issue(user, project, issue) and concerned(user, issue))


def destroy_issue(user: User, project: Project) -> bool:
    """Only the owner deletes, and the Planner role."""
    return level(user, project) in {Level.OWNER, Level.PLANNER}


def admin_label(user: User, project: Project) -> bool:
    """Planner and up create labels, also by naming a missing one on an issue."""
    return level(user, project) >= Level.PLANNER


def admin_board(user: User, project: Project) -> bool:
    """Planner and up change boards."""
    return level(user, project) >= Level.PLANNER


def internal_notes(user: User, project: Project) -> bool:
    """Planner and up write and read internal notes."""
    return level(user, project) >= Level.PLANNER


def read_note(user: User, project: Project, note: Note) -> bool:
    """An internal note is hidden from Guests."""
    return not note.internal or internal_notes(user, project) or note.author_id == user.id


def admin_note(user: User, project: Project, note: Note) -> bool:
    """Everybody edits their own comment, a Maintainer anybody's; nobody a system note."""
    return not note.system and (note.author_id == user.id or level(user, project) >= Level.MAINTAINER)


def admin_project(user: User, project: Project) -> bool:
    """Maintainers look after hooks, members and uploads."""
    return level(user, project) >= Level.MAINTAINER


def own_project(user: User, project: Project) -> bool:
    """Owners choose iids and creation times, and delete the project."""
    return level(user, project) >= Level.OWNER


def write_wiki(user: User, project: Project) -> bool:
    """Developer and up write the wiki, and the Planner role; a Reporter does not."""
    held = level(user, project)
    return held == Level.PLANNER or held >= Level.DEVELOPER


def delete_wiki(user: User, project: Project) -> bool:
    """Maintainer and up delete wiki pages, and the Planner role."""
    held = level(user, project)
    return held == Level.PLANNER or held >= Level.MAINTAINER
