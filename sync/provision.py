"""Makes the platform's project ready: settings, labels, boards, the hook, first pages. Again and again, with the same end.

What people added to the project is left alone; what is ours is put right.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

from integration.codec import Json
from integration.faults import Failure, Permanent
from integration.figures import MENDED
from integration.labels import all_labels, step_of
from integration.procedure.definition import Procedure
from integration.store import Store
from integration.templates import TEMPLATES, messages
from sync import boards
from sync.answers import Project
from sync.gitlab import Platform
from sync.refusals import Forbidden, Gone
from sync.wiki import Wiki

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

GREETED = "beranda"
"""The mark under which the title of the wiki's page we made is remembered."""

HOME, OUR_PAGE, START_PAGE = "home", "alur-pos", TEMPLATES / "wiki" / "beranda.md"
ISSUE_TEMPLATE, NEW_ISSUE = ".gitlab/issue_templates/Default.md", TEMPLATES / "description" / "isu-baru.md"
FIRST_BRANCH = "main"

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
        labels = list(self.labels())
        renamed = {change.diff[0][1]: change.name for change in labels if change.kind == "label_rename"}
        return [*self.settings(), *labels, *self.boards(renamed), *self.hook(), *self.pages()]

    def apply(self) -> list[Change]:
        """Do it; gives what was done. Stops at what fails, and goes on from there the next time."""
        parts = (self.settings, self.labels, self.boards, self.hook, self.pages)
        return [change for part in parts for change in part(act=True)]

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

        One that somebody renamed is known by its id and gets its name back: so every issue that carries it is right again at once. Likewise
        that of a step which has another name now, and which no revision calls by the one before.
        """
        rows, before, now = self._label_rows(), self._label_ids(), dict[str, int]()
        yield from self._put_right(rows, before, now, act=act)
        self._remember(now, before)

    def _label_rows(self) -> list[Json]:
        return list(self.platform.pages(f"{self.platform.project}/labels"))

    def _put_right(self, rows: list[Json], ids: Mapping[str, int], now: dict[str, int], *, act: bool) -> Iterator[Change]:
        """What makes these labels ours, which had these ids when they were last put right; with `act`, `now` gets those they have then."""
        path, ours = f"{self.platform.project}/labels", all_labels(self.procedures)
        known, names = {row["name"]: row for row in rows}, {label.name for label in ours}
        strays = {row["id"]: row for row in rows if row["is_project_label"] and row["name"] not in names}
        former = {step_of(name): number for name, number in ids.items() if name not in names and step_of(name)}
        for label in ours:
            there, data = known.get(label.name), label.fields
            if there is None and (stray := strays.get(ids.get(label.name) or former.get(step_of(label.name), 0))):
                if act:
                    known[label.name] = self.platform.put(f"{path}/{stray['id']}", {"new_name": label.name, **data})
                yield Change("label_rename", label.name, (("name", stray["name"], label.name),))
            elif there is None:
                if act:
                    known[label.name] = self.platform.post(path, {"name": label.name, **data})
                yield Change("label_create", label.name)
            elif there["is_project_label"] and any(there[name] != value for name, value in data.items()):
                if act:
                    self.platform.put(f"{path}/{there['id']}", data)
                yield Change("label_update", label.name, _differences(there, data))
        if act:
            now |= {label.name: known[label.name]["id"] for label in ours}

    @contextmanager
    def restored_labels(self) -> Iterator[frozenset[str]]:
        """Put right what somebody did to the labels that were made ready; gives those that issues may lack by now: deleted or replaced.

        They are remembered as right once the block has done what follows: whoever dies before that finds them lost once more. One request
        where nothing was done to them, none before they were made ready.
        """
        before, now = self._label_ids(), dict[str, int]()
        for change in self._put_right(self._label_rows(), before, now, act=True) if before else ():
            log.warning("somebody changed our labels, put right: %s %s", change.kind, change.name)
            self.platform.tally.add(MENDED, "label")
        lost = frozenset(name for name, number in before.items() if now.get(name, number) != number)
        if lost:
            list(self.boards(act=True))  # a deleted label took its column along
        yield lost
        self._remember(now, before)

    def _label_ids(self) -> dict[str, int]:
        """The id each of our labels had when they were last put right."""
        ids: dict[str, int] = json.loads(self.store.mark(LABELLED) or "{}")
        return ids

    def _remember(self, now: dict[str, int], before: dict[str, int]) -> None:
        if now and now != before:
            self.store.set_mark(LABELLED, json.dumps(now))

    def boards(self, renamed: Mapping[str, str] = MappingProxyType({}), *, act: bool = False) -> Iterator[Change]:
        """The boards of each procedure and of each division, with their columns in order. `renamed`: what will become of labels by then."""
        for kind, name, before in boards.made_ready(self.platform, self.store, self.procedures, renamed, act=act):
            yield Change(kind, name, (("name", before, name),) if before else ())

    def pages(self, *, act: bool = False) -> Iterator[Change]:
        """What greets whoever comes to the project: the wiki's first page, and the text a new issue begins with. Each is made once.

        Where people have a first page already, ours stands beside it. A project without wiki or repository does without.
        """
        for kind, make in (("wiki", self._start_page), ("template", self._issue_template)):
            try:
                made = make(act=act)
            except (Forbidden, Gone):
                yield Change(f"{kind}_by_hand", "")
            else:
                yield from (Change(f"{kind}_create", name) for name in made)

    def _start_page(self, *, act: bool) -> list[str]:
        """Gives the title of the page that had to be made."""
        wiki = Wiki(self.platform)
        slugs, ours = wiki.slugs(), self.store.mark(GREETED)
        if ours in slugs or OUR_PAGE in slugs:
            return []
        title = OUR_PAGE if HOME in slugs else HOME
        if act:
            wiki.write(title, START_PAGE.read_text(encoding="utf-8"))
            self.store.set_mark(GREETED, title)
        return [title]

    def _issue_template(self, *, act: bool) -> list[str]:
        """Gives the path of the file that had to be made; one that is there is people's own, whatever it says."""
        path = f"{self.platform.project}/repository/files/{quote(ISSUE_TEMPLATE, safe='')}"
        try:
            self.platform.get(path, {"ref": "HEAD"})
        except Gone:
            branch = Project.read(self.platform.get(self.platform.project)).default_branch or FIRST_BRANCH
            if act:
                text = NEW_ISSUE.read_text(encoding="utf-8")
                self.platform.post(path, {"branch": branch, "content": text, "commit_message": messages("provision")["commit"]})
            return [ISSUE_TEMPLATE]
        return []

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
