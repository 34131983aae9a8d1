"""Makes the platform's project ready: labels, the board whose columns are the steps, the hook. Again and again, with the same end.

What people added to the project is left alone; what is ours is put right.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from integration.faults import Failure, Permanent
from integration.figures import MENDED
from integration.labels import all_labels, step_label
from integration.procedure.definition import Procedure
from integration.store import Store
from integration.templates import messages
from sync.answers import Project
from sync.gitlab import Platform

HOOKED = "webhook"
"""The mark under which a fingerprint of the hook's address and secret is remembered: GitLab never shows the secret again."""

LABELLED = "label"
"""The mark under which the ids of our labels are remembered, by name."""

# Every flag by name: `push_events` is on unless it is turned off, and `confidential_note_events` is neither (behaviour.md 1.2).
EVENTS = {
    "issues_events": True,
    "confidential_issues_events": True,
    "note_events": True,
    "confidential_note_events": True,
    "resource_access_token_events": True,
    "push_events": False,
    "tag_push_events": False,
    "merge_requests_events": False,
    "job_events": False,
    "pipeline_events": False,
    "wiki_page_events": False,
    "deployment_events": False,
    "feature_flag_events": False,
    "releases_events": False,
    "milestone_events": False,
    "emoji_events": False,
}

# What a project's page says of itself, and has to say (behaviour.md 3 and 4).
SETTINGS = {"enforce_auth_checks_on_uploads": True, "autoclose_referenced_issues": False}
PRIVATE, OWNER = "private", 50

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to be done. `kind`: a key of templates/messages/provision.yaml, e.g. "label_create".

    `diff`: of something that is there already, each field that differs with its value before and after.
    """

    kind: str
    name: str
    diff: tuple[tuple[str, str, str], ...] = ()

    def __str__(self) -> str:
        """The change in a sentence for the operator."""
        return messages("provision")[self.kind].format(name=self.name)


@dataclass(frozen=True, slots=True)
class Provision:
    """`hook_url`: where GitLab is to call; `hook_secret`: what it shows there."""

    platform: Platform
    store: Store
    procedures: Sequence[Procedure]
    hook_url: str
    hook_secret: str

    def plan(self) -> list[Change]:
        """What `apply` would do; empty where all is ready. Raises Transient, Permanent, StoreDown."""
        return [*self.settings(), *self.labels(), *self.boards(), *self.hook()]

    def apply(self) -> list[Change]:
        """Do it; gives what was done. Stops at what fails, and goes on from there the next time."""
        return [*self.settings(act=True), *self.labels(act=True), *self.boards(act=True), *self.hook(act=True)]

    def settings(self, *, act: bool = False) -> Iterator[Change]:
        """The settings that would harm a case: files shown to whoever has their address, commits that close issues, strangers who read.

        Only an owner may make a project private: of anybody else this change is asked for and not made.
        """
        project = Project.read(self.platform.get(self.platform.project))
        for name, wanted in SETTINGS.items():
            if getattr(project, name) is not wanted:
                if act:
                    self.platform.put(self.platform.project, {name: wanted})
                yield Change(name, "", ((name, _word(not wanted), _word(wanted)),))
        if project.visibility != PRIVATE:
            own = project.level >= OWNER
            if own and act:
                self.platform.put(self.platform.project, {"visibility": PRIVATE})
            yield Change("visibility" if own else "visibility_by_owner", "", (("visibility", project.visibility, PRIVATE),))

    def labels(self, *, act: bool = False) -> Iterator[Change]:
        """The labels that are missing or say something else. One of a group above the project is left to the group.

        One that somebody renamed is known by its id and gets its name back: so every issue that carries it is right again at once.
        """
        path, ours = f"{self.platform.project}/labels", all_labels(self.procedures)
        rows = list(self.platform.pages(path))
        known, ids = {row["name"]: row for row in rows}, self._label_ids()
        strays = {row["id"]: row for row in rows if row["is_project_label"] and row["name"] not in {label.name for label in ours}}
        for label in ours:
            there, data = known.get(label.name), {"color": label.color, "description": label.description}
            if there is None and (stray := strays.get(ids.get(label.name, 0))):
                if act:
                    known[label.name] = self.platform.put(f"{path}/{stray['id']}", {"new_name": label.name, **data})
                yield Change("label_rename", label.name)
            elif there is None:
                if act:
                    known[label.name] = self.platform.post(path, {"name": label.name, **data})
                yield Change("label_create", label.name)
            elif there["is_project_label"] and any(there[name] != value for name, value in data.items()):
                if act:
                    self.platform.put(f"{path}/{there['id']}", data)
                yield Change("label_update", label.name, _differences(there, data))
        if act:
            self._remember({label.name: known[label.name]["id"] for label in ours}, before=ids)

    def restore_labels(self) -> frozenset[str]:
        """Put right what somebody did to the labels that were made ready; gives those that issues may lack by now: deleted or replaced.

        One request where nothing was done to them, none before they were made ready.
        """
        before = self._label_ids()
        for change in self.labels(act=True) if before else ():
            log.warning("somebody changed our labels, put right: %s %s", change.kind, change.name)
            self.platform.tally.add(MENDED, "label")
        after = self._label_ids()
        lost = frozenset(name for name, number in before.items() if after.get(name, number) != number)
        if lost:
            list(self.boards(act=True))  # a deleted label took its column along
        return lost

    def _label_ids(self) -> dict[str, int]:
        """The id each of our labels had when they were last put right."""
        ids: dict[str, int] = json.loads(self.store.mark(LABELLED) or "{}")
        return ids

    def _remember(self, ids: dict[str, int], *, before: dict[str, int]) -> None:
        if ids != before:
            self.store.set_mark(LABELLED, json.dumps(ids))

    def boards(self, *, act: bool = False) -> Iterator[Change]:
        """A board for each procedure, with a column for each step a case can stand at, in their order: under any revision."""
        path = f"{self.platform.project}/boards"
        boards = {board["name"]: board for board in self.platform.pages(path)}
        for procedure in {procedure.prefix: procedure for procedure in self.procedures}.values():  # the newest revision names it
            name = f"{procedure.prefix} {procedure.head.name}"
            board = boards.get(name) or {"lists": []}
            if name not in boards:
                if act:
                    board = self.platform.post(path, {"name": name})
                yield Change("board_create", name)
            present = {column["label"]["name"] for column in board["lists"] if column.get("label")}
            revisions = [one for one in self.procedures if one.slug == procedure.slug]
            steps = sorted((s for one in revisions for s in one.steps if s.number >= one.opens_at), key=lambda step: step.number)
            missing = [label for label in dict.fromkeys(map(step_label, steps)) if label not in present]
            if missing and act:
                ids = {label["name"]: label["id"] for label in self.platform.pages(f"{self.platform.project}/labels")}
                for label in missing:
                    self.platform.post(f"{path}/{board['id']}/lists", {"label_id": ids[label]})
            yield from (Change("column_create", label) for label in missing)

    def hook(self, *, act: bool = False) -> Iterator[Change]:
        """One hook at our address. The secret goes along with every change: a new address without it would wipe it (behaviour.md 1.2)."""
        path = f"{self.platform.project}/hooks"
        data = {"url": self.hook_url, "token": self.hook_secret, **EVENTS, "enable_ssl_verification": self.hook_url.startswith("https:")}
        fingerprint = hashlib.sha256(f"{self.hook_url}\n{self.hook_secret}".encode()).hexdigest()
        there = next((hook for hook in self.platform.pages(path) if hook["url"] == self.hook_url), None)
        if there is None:
            if act:
                self._hooked(path, data)
            yield Change("hook_create", self.hook_url)
        elif any(bool(there.get(flag)) != on for flag, on in EVENTS.items()) or self.store.mark(HOOKED) != fingerprint:
            if act:
                self.platform.put(f"{path}/{there['id']}", data)
            yield Change("hook_update", self.hook_url, _differences({name: bool(there.get(name)) for name in EVENTS}, EVENTS))
        else:
            return
        if act:
            self.store.set_mark(HOOKED, fingerprint)

    def _hooked(self, path: str, data: Mapping[str, object]) -> None:
        """Make the hook. An address GitLab may not call it refuses as if it were none (behaviour.md 1.2)."""
        try:
            self.platform.post(path, data)
        except Permanent as fault:
            if fault.failure is Failure.REFUSED:
                raise Permanent(str(fault), Failure.HOOK) from fault
            raise


def _differences(there: Mapping[str, object], wanted: Mapping[str, object]) -> tuple[tuple[str, str, str], ...]:
    return tuple((name, _word(there[name]), _word(value)) for name, value in wanted.items() if there[name] != value)


def _word(value: object) -> str:
    """A value as GitLab's API writes it."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool) or value is None else str(value)
