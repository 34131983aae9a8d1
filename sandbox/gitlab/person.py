"""What a person does in the browser, done over HTTP with their own token: the same code path, the same rights, the same hooks.

Rule: `drag` and `tick` send what the web page sends, not what would be convenient.
"""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from sandbox.gitlab import markup
from sandbox.gitlab.entities import Project, User

if TYPE_CHECKING:
    from sandbox.gitlab.store import Store

TIMEOUT = 30
ACCEPTED = 202


class Person:
    """Somebody with an account who works on issues. A refused call raises `requests.HTTPError`."""

    def __init__(self, store: "Store", user: User) -> None:
        self.user = user
        self._store = store

    def _call(self, method: str, path: str, **rest: Any) -> requests.Response:  # noqa: ANN401 - passed through to requests
        address = f"{self._store.url}/api/v4{path}"
        with requests.Session() as session:
            session.trust_env = False  # a proxy of the machine has no business here
            answer = session.request(method, address, headers={"PRIVATE-TOKEN": self.user.token}, timeout=TIMEOUT, **rest)
        answer.raise_for_status()
        return answer

    def _issue(self, project: Project, iid: int) -> dict[str, Any]:
        shown: dict[str, Any] = self._call("GET", f"/projects/{project.id}/issues/{iid}").json()
        return shown

    def _put(self, project: Project, iid: int, **fields: object) -> None:
        self._call("PUT", f"/projects/{project.id}/issues/{iid}", json=fields)

    def open(self, project: Project, title: str, description: str = "", **fields: object) -> int:
        """Open an issue; return its number in the project."""
        body = {"title": title, "description": description} | fields
        return int(self._call("POST", f"/projects/{project.id}/issues", json=body).json()["iid"])

    def comment(self, project: Project, iid: int, text: str, *, internal: bool = False) -> int:
        """Comment; return the note's id, or 0 where the text held only quick actions and no note remained."""
        body = {"body": text, "internal": internal}
        answer = self._call("POST", f"/projects/{project.id}/issues/{iid}/notes", json=body)
        return 0 if answer.status_code == ACCEPTED else int(answer.json()["id"])

    def edit_comment(self, project: Project, iid: int, note_id: int, text: str) -> None:
        """Change the text of a comment."""
        self._call("PUT", f"/projects/{project.id}/issues/{iid}/notes/{note_id}", json={"body": text})

    def delete_comment(self, project: Project, iid: int, note_id: int) -> None:
        """Delete a comment."""
        self._call("DELETE", f"/projects/{project.id}/issues/{iid}/notes/{note_id}")

    def label(self, project: Project, iid: int, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> None:
        """Add and remove labels in the sidebar."""
        self._put(project, iid, **({"add_labels": list(add)} if add else {}), **({"remove_labels": list(remove)} if remove else {}))

    def drag(self, project: Project, iid: int, from_label: str, to_label: str) -> None:
        """Drag the card from one column of a board to another: the one label goes, the other comes."""
        self._put(project, iid, add_labels=[to_label], remove_labels=[from_label])

    def archive(self, project: Project, *, archived: bool = True) -> None:
        """Archive the project in its settings, or take it back into use; for owners."""
        self._call("POST", f"/projects/{project.id}/{'archive' if archived else 'unarchive'}")

    def close(self, project: Project, iid: int) -> None:
        """Close the issue."""
        self._put(project, iid, state_event="close")

    def reopen(self, project: Project, iid: int) -> None:
        """Reopen the issue."""
        self._put(project, iid, state_event="reopen")

    def assign(self, project: Project, iid: int, username: str | None) -> None:
        """Give the issue to somebody, or to nobody."""
        found = self._call("GET", f"/users?username={quote(username)}").json() if username else []
        if username and not found:
            raise LookupError(f"no account named {username}")
        self._put(project, iid, assignee_ids=[found[0]["id"]] if found else [0])

    def due(self, project: Project, iid: int, day: date | None) -> None:
        """Set or remove the due date."""
        self._put(project, iid, due_date=day.isoformat() if day else "")

    def describe(self, project: Project, iid: int, description: str) -> None:
        """Rewrite the description."""
        self._put(project, iid, description=description)

    def rename(self, project: Project, iid: int, title: str) -> None:
        """Change the title."""
        self._put(project, iid, title=title)

    def tick(self, project: Project, iid: int, text_fragment: str, done: bool = True) -> None:  # noqa: FBT001, FBT002 - `tick(..., False)` clears
        """Tick (or clear) the checkbox of the description whose words hold the fragment. Raises LookupError where none does."""
        text = self._issue(project, iid)["description"] or ""
        task = next((task for task in markup.tasks(text) if text_fragment in task.text), None)
        if task is None:
            raise LookupError(f"no checkbox with {text_fragment!r} in issue {iid}")
        self.describe(project, iid, markup.ticked(text, task, done=done))

    def publish(self, project: Project, iid: int) -> None:
        """Make a confidential issue readable for everybody who can read the project."""
        self._put(project, iid, confidential=False)

    def set_visibility(self, project: Project, visibility: str) -> None:
        """Let members ("private"), everybody with an account ("internal") or everybody ("public") see the project."""
        self._call("PUT", f"/projects/{project.id}", json={"visibility": visibility})

    def lock(self, project: Project, iid: int, locked: bool = True) -> None:  # noqa: FBT001, FBT002 - `lock(..., False)` unlocks
        """Lock the discussion."""
        self._put(project, iid, discussion_locked=locked)

    def convert(self, project: Project, iid: int, issue_type: str) -> None:
        """Make the issue one of another type: "incident", "task" ..."""
        self._put(project, iid, issue_type=issue_type)

    def move(self, project: Project, iid: int, target: Project) -> int:
        """Move the issue to another project; return the number of its copy there."""
        return int(self._call("POST", f"/projects/{project.id}/issues/{iid}/move", json={"to_project_id": target.id}).json()["iid"])

    def delete(self, project: Project, iid: int) -> None:
        """Delete the issue."""
        self._call("DELETE", f"/projects/{project.id}/issues/{iid}")

    def bulk_edit(self, project: Project, iids: Iterable[int], **fields: object) -> None:
        """Tick issues in the list and change them together: GitLab changes one after the other, with a hook for each."""
        for iid in iids:
            self._put(project, iid, **fields)

    def rename_label(self, project: Project, name: str, new_name: str) -> None:
        """Give a label another name."""
        self._call("PUT", f"/projects/{project.id}/labels/{quote(name, safe='')}", json={"new_name": new_name})

    def delete_label(self, project: Project, name: str) -> None:
        """Delete a label."""
        self._call("DELETE", f"/projects/{project.id}/labels/{quote(name, safe='')}")

    def promote_label(self, project: Project, name: str) -> None:
        """Make a label one of the group; those of the same name in its other projects are merged into it."""
        self._call("PUT", f"/projects/{project.id}/labels/{quote(name, safe='')}/promote")

    def upload(self, project: Project, name: str, content: bytes) -> str:
        """Send a file; return the Markdown that links to it."""
        return str(self._call("POST", f"/projects/{project.id}/uploads", files={"file": (name, content)}).json()["markdown"])
