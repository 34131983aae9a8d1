"""The platform's client: every request this service makes to GitLab, and nothing else.

GitLab drops silently what it may not or will not do: no answer is believed before it is compared with what was asked. Nothing is tried
twice here: a repeated POST makes twins, so a failure is raised and the outbox decides (behaviour.md 4 and 5.2).
"""

import logging
import mimetypes
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import mktime_tz, parsedate_tz
from functools import cached_property
from itertools import takewhile
from typing import Any
from urllib.parse import quote

import gitlab

from integration.faults import Failure, Permanent, Transient, asked_pause
from integration.figures import FIELDS_REFUSED, REQUESTS, Tally
from integration.files import within
from integration.issue import IssueFields, IssueSeen, LabelEventSeen, NoteSeen, Part, Snapshot, StateEventSeen, differing
from integration.labels import owned
from integration.region import boxes
from sync.answers import Issue, LabelEvent, Listed, Note, Person, Project, StateEvent, Uploaded, Written
from sync.refusals import LONGEST_AT_WORK, AlreadyThere, Forbidden, Gone, NotUnderstood, ProjectShut, meaning

OVERLAP = timedelta(minutes=5)  # `updated_at` of an issue moves at most once a minute for comments (behaviour.md 4)
APART = timedelta(days=1)  # GitLab's clock may be behind ours, or put back, by so much: a marker is looked for from that long before
CHUNK = 64 * 1024  # bytes
PAGE = 100
DEEPEST = 100 * PAGE  # items of a list after which it is asked for anew: deep pages are slow, and GitLab refuses those past the 50,000th
AGREE = timedelta(seconds=10)  # two clocks that differ by less go alike: a header tells seconds, and an answer takes some
PLANNER = 15  # the access level from which confidential issues of others are read

LONGEST = 2**20  # bytes of a description; of a longer one GitLab takes nothing, nor of what else was asked with it (behaviour.md 2.3)
DROPPED = frozenset({"labels", "assignee", "due"})  # what GitLab leaves out without a word (behaviour.md 4)

UNANSWERED = "none"  # the status of a request that got none
RESOURCES = ("resource_label_events", "resource_state_events")
THINGS = frozenset(
    {"user", "users", "project", "issues", "notes", "labels", "boards", "lists", "hooks", "members", "uploads", "wikis", *RESOURCES}
)

Slot = AbstractContextManager[object]
"""Held by a client while it asks, more than once where one request leads to another: those that share one ask one at a time."""

AT_ONCE: Slot = nullcontext()
"""The slot of clients that wait for nobody."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Home:
    """Who this token is, and where it works."""

    account: str
    account_id: int
    project_id: int
    project_path: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The issue after it was shown, and what of it GitLab dropped: field name -> the value it would not take.

    `disturbed`: somebody else changed it after it was seen and before it was shown. `edits`: GitLab's own notes about what others changed
    since the issue was as it was seen, read where its description was written and its checklist stays: a tick written over leaves no other
    trace.
    """

    issue: IssueSeen
    refused: Mapping[str, str]
    disturbed: bool = False
    edits: tuple[NoteSeen, ...] = ()


class Platform:
    """One project on one GitLab, seen with one token; `project` is where its addresses begin.

    Not shared between threads or forked processes: open one for each; several may have one `slot`.
    `tally` is that of the thread, which tells it to the store: here the requests are counted, and the fields GitLab dropped.
    `skew`: how far GitLab's clock was ahead of ours in its last answer, to the second; None before the first one.
    Every method raises Transient where it may work later and Permanent where somebody must change something first.
    """

    def __init__(self, url: str, token: str, project: str, *, timeout: float = 30.0, slot: Slot = AT_ONCE) -> None:
        self._slot = slot
        self._gitlab = gitlab.Gitlab(url, private_token=token, timeout=timeout, retry_transient_errors=False, keep_base_url=True)
        self._gitlab.session.hooks["response"].append(self._heard)
        # What the environment says of proxies and certificates is asked once: for each request it would take a third of its time.
        said = self._gitlab.session.merge_environment_settings(url, {}, None, None, None)
        self._gitlab.session.trust_env = False
        self._gitlab.session.proxies, self._gitlab.ssl_verify = said["proxies"], said["verify"] or True
        self.project = f"/projects/{quote(project, safe='')}"
        self._accounts: dict[str, int] = {}
        self._members_read = False
        self._headers: Mapping[str, str] = {}
        self._status = UNANSWERED
        self.tally = Tally()
        self.skew: timedelta | None = None

    @property
    def ahead(self) -> timedelta:
        """By how much GitLab's times are to be put back to be ours; nothing where the clocks go alike."""
        return self.skew if self.skew is not None and abs(self.skew) > AGREE else timedelta()

    # --- reading ---

    @cached_property
    def home(self) -> Home:
        """Our own account, whose doings are nobody's request, and our project. Two requests, once."""
        me, project = Person.read(self.get("/user")), Project.read(self.get(self.project))
        return Home(me.username, me.id, project.id, project.path_with_namespace)

    def issue(self, iid: int) -> IssueSeen:
        """The issue as it is now. One request. Permanent where it is gone."""
        return self._issue(self.get(f"{self.project}/issues/{iid}"))

    def history(self, issue: IssueSeen, parts: frozenset[Part], since: datetime | None) -> Snapshot:
        """The issue with these parts of its past; comments since `since` less a day (None: all). One request a part and page."""
        path = f"{self.project}/issues/{issue.iid}"
        return Snapshot(
            issue,
            notes=tuple(reversed(list(self._notes(issue.iid, since)))) if Part.NOTES in parts else (),
            label_events=self._label_events(path) if Part.LABEL_EVENTS in parts else (),
            state_events=self._state_events(path) if Part.STATE_EVENTS in parts else (),
            parts=parts,
        )

    def changed(self, since: datetime | None) -> Iterator[IssueSeen]:
        """The project's issues changed since then less an overlap (None: all), oldest first.

        In order of creation: by time of change, pages would shift under the reader and lose issues.
        """
        return self._issues({} if since is None else {"updated_after": (since - OVERLAP).isoformat()})

    def opened(self) -> Iterator[IssueSeen]:
        """The project's open issues, oldest first."""
        return self._issues({"state": "opened"})

    def _issues(self, query: Mapping[str, str]) -> Iterator[IssueSeen]:
        """In order of creation. A long list is begun anew from where it got to: its last issues come a second time then."""
        asked, first = {"scope": "all", "order_by": "created_at", "sort": "asc", **query}, None
        while True:
            for n, raw in enumerate(self.pages(f"{self.project}/issues", asked), start=1):
                issue = self._issue(raw)
                yield issue
                first = first or issue.created_at
                if n >= DEEPEST and issue.created_at > first:
                    break
            else:
                return
            asked["created_after"], first = issue.created_at.isoformat(), None

    def open_issues(self, label: str) -> int | None:
        """How many open issues with this label are ours; None where GitLab counts no further: over 10,000 (behaviour.md 4). One request."""
        self.get(f"{self.project}/issues", {"scope": "created_by_me", "state": "opened", "labels": label, "per_page": 1})
        total = self._headers.get("x-total", "")
        return int(total) if total else None

    def deleted(self, iid: int) -> bool:
        """Whether an issue we cannot read was deleted. Two requests.

        "Not found" also means "not for you" (behaviour.md 4): Transient where the project, or what is confidential there, is not ours.
        """
        if not self._ours(to_write=False):
            raise ProjectShut("the project's issues are not ours to read")
        return not self.rows(f"{self.project}/issues", {"scope": "all", "iids[]": [iid]})

    def _ours(self, *, to_write: bool) -> bool:
        """Whether the project is there and its issues are open to us. One request."""
        try:
            project = Project.read(self.get(self.project))
        except Gone:
            return False
        return project.level >= PLANNER and project.issues_enabled and not (to_write and project.archived)

    def _label_events(self, path: str) -> tuple[LabelEventSeen, ...]:
        events = [LabelEvent.read(raw).seen() for raw in self.pages(f"{path}/resource_label_events")]
        return tuple(sorted(events, key=lambda event: event.id))

    def _state_events(self, path: str) -> tuple[StateEventSeen, ...]:
        events = [StateEvent.read(raw).seen() for raw in self.pages(f"{path}/resource_state_events")]
        return tuple(sorted(events, key=lambda event: event.id))

    def _notes(self, iid: int, since: datetime | None) -> Iterator[NoteSeen]:
        """Comments, newest first, until one is a day older than asked for: a clock may have been put back."""
        for raw in self.pages(f"{self.project}/issues/{iid}/notes", {"order_by": "created_at", "sort": "desc"}):
            answer = Note.read(raw)
            self._remember([answer.author])
            note = answer.seen()
            if since is not None and note.created_at < since - APART:
                return
            yield note

    def _issue(self, raw: Mapping[str, Any]) -> IssueSeen:
        """An answer read, and its people remembered."""
        answer = Issue.read(raw)
        self._remember([*answer.assignees, answer.author])
        return answer.seen()

    def _remember(self, people: Iterable[Person | None]) -> None:
        """Keep the ids of accounts, which assigning asks for."""
        self._accounts |= {person.username: person.id for person in people if person}

    # --- writing ---

    def open_issue(self, draft: IssueFields, marker: str, *, look_since: datetime | None) -> Shown:
        """Create an issue, or find the one an earlier attempt created: ours, with `marker` in its description, not older than `look_since`.

        `look_since` None: there was no earlier attempt, nothing is looked for.
        """
        found = self._marked_issue(marker, look_since) if look_since is not None else None
        if found is None:
            assignee = self._account_id(draft.assignee)
            data = {
                "title": draft.title,
                "description": draft.description,
                "confidential": draft.confidential,
                "labels": sorted(draft.labels),
                "assignee_ids": [assignee] if assignee else [],
                "due_date": draft.due.isoformat() if draft.due else None,
            }
            found = self._issue(self.post(f"{self.project}/issues", data))
            return self._shown(found, draft, DROPPED)
        return self.show(draft, found, {})

    def show(self, wanted: IssueFields, seen: IssueSeen, refused: Mapping[str, str]) -> Shown:
        """Bring the issue from what was seen to what is wanted: one PUT of what differs, none where nothing does.

        Fields `refused` with the same value before are not worth a request of their own. A second one follows where somebody put one of our
        labels on at the same moment, and where GitLab kept the assignee before instead of one it refused: then nobody is shown.
        """
        if len(wanted.description.encode()) > LONGEST:  # people have filled it: the rest is shown all the same
            self.tally.add(FIELDS_REFUSED, "region")
            log.warning("issue %d: no room in the description is left for where the case stands", seen.iid)
            wanted = replace(wanted, description=seen.description)
        differ, before, disturbed = differing(wanted, seen), seen, False
        if _worth_asking(wanted, seen, refused):
            seen = self._put(wanted, seen)
            disturbed = bool(differing(wanted, seen) - differ) or any(owned(label) for label in seen.labels - before.labels - wanted.labels)
            if any(owned(label) for label in seen.labels - wanted.labels):
                seen = self._put(wanted, seen)
            if "assignee" in differ and seen.assignee not in ("", wanted.assignee):
                seen = self._issue(self.put(f"{self.project}/issues/{seen.iid}", {"assignee_ids": []}))
        edits = self._edits(before) if "region" in differ and boxes(before.description) & boxes(wanted.description) else ()
        return replace(self._shown(seen, wanted, differ), disturbed=disturbed, edits=edits)

    def _edits(self, seen: IssueSeen) -> tuple[NoteSeen, ...]:
        """The notes GitLab wrote about changes others made since the issue was as it was seen. One request."""
        notes = (note for note in self._notes(seen.iid, seen.updated_at) if note.system and note.created_at >= seen.updated_at)
        return tuple(note for note in notes if note.account not in ("", self.home.account))

    def _put(self, wanted: IssueFields, seen: IssueSeen) -> IssueSeen:
        return self._issue(self.put(f"{self.project}/issues/{seen.iid}", self._differences(wanted, seen)))

    def _differences(self, wanted: IssueFields, seen: IssueSeen) -> dict[str, Any]:
        """The parameters that bring one to the other; labels by adding and removing, never as a whole (behaviour.md 5.2)."""
        differ = differing(wanted, seen)
        data: dict[str, Any] = {name: getattr(wanted, name) for name in ("title", "confidential") if name in differ}
        if "locked" in differ:
            data["discussion_locked"] = wanted.locked
        if "type" in differ:
            data["issue_type"] = wanted.type
        if "region" in differ:
            data["description"] = wanted.description
        if "labels" in differ:
            data["add_labels"] = sorted(wanted.labels - seen.labels)
            data["remove_labels"] = sorted(label for label in seen.labels - wanted.labels if owned(label))
        if "assignee" in differ:
            assignee = self._account_id(wanted.assignee)
            data["assignee_ids"] = [assignee] if assignee else []
        if "due" in differ:
            data["due_date"] = wanted.due.isoformat() if wanted.due else ""
        if "state" in differ:
            data["state_event"] = "reopen" if wanted.open else "close"
        return {name: value for name, value in data.items() if value != [] or name == "assignee_ids"}

    def _shown(self, seen: IssueSeen, wanted: IssueFields, put: frozenset[str]) -> Shown:
        """What became of the issue, and which of the fields that were `put` are not as they were to be."""
        refused = {name: asked(wanted, name) for name in differing(wanted, seen) & DROPPED & put}
        for name in refused:  # the value may be somebody's account
            self.tally.add(FIELDS_REFUSED, name)
            log.warning("issue %d: GitLab left %s as it was", seen.iid, name)
        return Shown(seen, refused)

    def post_note(self, iid: int, body: str, marker: str, *, look_since: datetime | None, replaces: int | None) -> int:
        """Comment once, or change the comment `replaces`; gives the comment's id.

        `look_since`: when the first attempt can have been, None where this is the first. A comment that was deleted is written anew.
        """
        path = f"{self.project}/issues/{iid}/notes"
        if replaces is not None:
            try:
                return _note_id(self.put(f"{path}/{replaces}", {"body": body}))
            except Gone:
                log.info("issue %d: the note %d is gone, a new one is written", iid, replaces)
        found = self.find_note(iid, marker, look_since) if look_since is not None else None
        return found if found is not None else _note_id(self.post(path, {"body": body}))

    def close(self, iid: int) -> None:
        """Close an issue; one that is closed, or gone, stays so."""
        try:
            if self.issue(iid).open:
                self.put(f"{self.project}/issues/{iid}", {"state_event": "close"})
        except Gone:
            log.info("issue %d is gone, nothing to close", iid)

    def relate(self, iid: int, to: int) -> None:
        """Link two issues of the project as related: the only kind of link of the Free tier (behaviour.md 4)."""
        try:
            self.post(f"{self.project}/issues/{iid}/links", {"target_project_id": self.home.project_id, "target_issue_iid": to})
        except AlreadyThere:
            log.info("issue %d is linked already", iid)

    def find_note(self, iid: int, marker: str, since: datetime | None) -> int | None:
        """The id of our own comment with this marker, not older than `since`; None where there is none."""
        ours = (note.id for note in self._notes(iid, since) if note.account == self.home.account and marker in note.body)
        return next(ours, None)

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file to the project; gives the address to link it by, relative to the project. Every call makes another upload."""
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        answer = self._send("post", f"{self.project}/uploads", files={"file": (name, content, kind)})
        return Uploaded.read(answer).url

    def download(self, secret: str, name: str, most: int) -> bytes | None:
        """An upload of the project, by the two parts of its address; None where it holds more than `most` bytes. One request.

        Raises Gone where there is none. Maintainers may (behaviour.md 4 "Uploads"); redirects to an object store are followed.
        """
        with self._slot:
            answer = self._answer("get", f"{self.project}/uploads/{secret}/{quote(name, safe='')}", streamed=True)
            try:
                with answer:
                    return within(answer.iter_content(CHUNK), most)
            except OSError as failure:
                raise Transient(f"an upload: {type(failure).__name__}", Failure.DOWN) from failure

    def comments(self, iid: int) -> list[tuple[int, str]]:
        """The comments of an issue, by whomever, with their ids; GitLab's own records are none. Raises Gone where there is no issue."""
        return [(note.id, note.body) for note in self._notes(iid, None) if not note.system]

    def remove_note(self, iid: int, note_id: int) -> None:
        """Delete a comment for good, by whomever; a Maintainer may. One that is gone stays so."""
        self._removed(f"{self.project}/issues/{iid}/notes/{note_id}")

    def remove_upload(self, secret: str, name: str) -> None:
        """Delete an upload for good; a Maintainer may, from GitLab 17.2 on. One that is gone stays so."""
        self._removed(f"{self.project}/uploads/{secret}/{quote(name, safe='')}")

    def remove_uploads(self, prefix: str, since: datetime) -> None:
        """Delete for good what was uploaded since then under names that begin so, whether or not anything leads to it.

        The newest are listed first, a hundred a request, and once more until none is among them that was overlooked: what is deleted
        meanwhile moves others to pages that were read already. What is uploaded meanwhile is not waited for. A Maintainer may; before
        GitLab 17.2 there is no such list. Raises Gone where the project cannot be seen.
        """
        path, known = f"{self.project}/uploads", set[int]()
        listed = self._uploads(path, since)
        newest = max((number for number, _ in listed), default=0)
        while overlooked := {number: name for number, name in listed if number <= newest and number not in known}:
            known.update(overlooked)
            for number, name in overlooked.items():
                if name.startswith(prefix):
                    self._removed(f"{path}/{number}")
            listed = self._uploads(path, since)

    def _uploads(self, path: str, since: datetime) -> list[tuple[int, str]]:
        """The numbers and names of what was uploaded since then, newest first; none where this GitLab has no such list."""
        newer = takewhile(lambda one: one.created_at > since - APART, map(Listed.read, self.pages(path)))
        try:
            return [(one.id, one.filename) for one in newer]
        except Gone:
            self.get(self.project)
            log.warning("this GitLab lists no uploads: those nothing leads to stay")
            return []

    def _removed(self, path: str) -> None:
        try:
            self._answer("delete", path)
        except Gone:
            log.info("%s is gone already", _things(path))

    # --- finding ---

    def _marked_issue(self, marker: str, since: datetime) -> IssueSeen | None:
        """Our own issue with this marker. By listing: `search=` is limited to 30 a minute and fuzzy (behaviour.md 4)."""
        ours = self._issues({"author_id": str(self.home.account_id), "created_after": (since - APART).isoformat()})
        return next((issue for issue in ours if marker in issue.description), None)

    def _account_id(self, account: str) -> int | None:
        """The id of an account; None for "" and for one that does not exist. The members are read once, others when asked for."""
        if account and account not in self._accounts:
            if not self._members_read:
                self._remember(map(Person.read, self.pages(f"{self.project}/members/all")))
                self._members_read = True
            if account not in self._accounts:
                self._remember(map(Person.read, self.rows("/users", {"username": account})))
        return self._accounts.get(account)

    # --- requests ---

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 -- whatever JSON the answer holds
        """One GET; paths without a leading project belong to the instance."""
        return self._send("get", path, query=query)

    def post(self, path: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """One POST; gives what was made."""
        return self._written("post", path, data)

    def put(self, path: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """One PUT; gives what was changed."""
        return self._written("put", path, data)

    def _written(self, verb: str, path: str, data: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._send(verb, path, data=data)
        if not isinstance(answer, dict):
            raise NotUnderstood(f"{verb.upper()} {path}: no object")
        return answer

    def rows(self, path: str, query: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The items of a list, or of one page of it. One GET."""
        answer = self._send("get", path, query=query)
        if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
            raise NotUnderstood(f"GET {path}: no list of objects")
        return answer

    def pages(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """All items of a list. A page may hold fewer items than asked for: only the header says where the list ends (behaviour.md 4)."""
        page = "1"
        while page:
            rows = self.rows(path, {**(query or {}), "per_page": PAGE, "page": page})
            page = self._headers.get("x-next-page", "")
            yield from rows

    def _heard(self, response: Any, *_: object, **__: object) -> None:  # noqa: ANN401 -- a requests.Response; requests is portal.py's
        self._headers, self._status = response.headers, str(response.status_code)
        ahead = _ahead(response.headers.get("Date", ""))
        self.skew = self.skew if ahead is None else ahead

    def _send(self, verb: str, path: str, **sent: Any) -> Any:  # noqa: ANN401
        """The JSON of an answer; `sent` as `_answer` takes it."""
        answer = self._answer(verb, path, **sent)
        try:
            return answer.json()
        except ValueError as failure:
            raise NotUnderstood(f"{verb.upper()} {path}: no JSON") from failure

    def _answer(
        self,
        verb: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        files: dict[str, Any] | None = None,
        streamed: bool = False,
    ) -> Any:  # noqa: ANN401 -- a requests.Response
        with self._slot:
            self._headers, self._status, request = {}, UNANSWERED, f"{verb.upper()} {path}"
            try:
                return self._gitlab.http_request(
                    verb,
                    path,
                    query_data=dict(query or {}),
                    post_data=dict(data) if data is not None else None,
                    files=files,
                    streamed=streamed,
                    obey_rate_limit=False,
                    retry_transient_errors=False,
                )
            except gitlab.GitlabError as failure:
                asked_for = asked_pause(self._headers.get("Retry-After", ""), datetime.now(UTC) + (self.skew or timedelta()))
                meant = meaning(request, failure.response_code or 0, str(failure.error_message), asked_for)
                if isinstance(meant, Forbidden) and path != self.project and not self._ours(to_write=verb != "get"):
                    meant = ProjectShut(str(meant))
                raise meant from failure
            except OSError as failure:  # what requests raises: no connection, a time-out, an answer cut off
                pause = LONGEST_AT_WORK if verb == "post" else None  # looked for any sooner, it is not found and made a second time
                raise Transient(f"{request}: {type(failure).__name__}", Failure.DOWN, retry_after=pause) from failure
            finally:
                self.tally.add(REQUESTS, verb, _things(path), self._status)


def asked(wanted: IssueFields, name: str) -> str:
    """A wanted field as one word, to compare with what was refused before."""
    value = getattr(wanted, name)
    return ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)


def _worth_asking(wanted: IssueFields, seen: IssueSeen, refused: Mapping[str, str]) -> bool:
    """Whether anything differs that was not refused before just so; another assignee in the place of a refused one always does."""
    differ = differing(wanted, seen)
    known = {name for name in differ & DROPPED if refused.get(name) == asked(wanted, name)}
    return bool(differ - known) or ("assignee" in known and seen.assignee != "")


def _note_id(answer: Mapping[str, Any]) -> int:
    """The id of a note just written. GitLab answers 202 without one when it took everything for quick actions (behaviour.md 2.2)."""
    if "commands_changes" in answer and "id" not in answer:
        raise Permanent(f"a note was taken for quick actions: {str(answer)[:200]}", Failure.FOREIGN)
    return Written.read(answer).id


def _things(path: str) -> str:
    """What an address is about, never which one: "issue" for /projects/1/issues/7, "issues" for the list of them."""
    words = path.strip("/").split("/")
    if words[0] == "projects":
        words = words[2:] or ["project"]
    known = next((word for word in reversed(words) if word in THINGS), "other")
    return known.removesuffix("s") if words[-1].isdigit() else known


def _ahead(date: str) -> timedelta | None:
    """How far the clock of a `Date` header is ahead of ours; None for a header that names no moment."""
    read = parsedate_tz(date)
    return None if read is None else datetime.fromtimestamp(mktime_tz(read), UTC) - datetime.now(UTC).replace(microsecond=0)
