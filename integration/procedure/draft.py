"""A decision in the making: what one fact adds to the ledger, and what is to be done about it.

Every entry is folded at once, so that each rule sees the case as the rules before it left it. Effects come out in one fixed order.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from integration.procedure import contexts
from integration.procedure.case import Case, evolve
from integration.procedure.definition import Procedure
from integration.procedure.effects import (
    CallPortal,
    CloseTask,
    Effect,
    EraseCopies,
    IssueDocument,
    OpenIssue,
    OpenTask,
    PostNote,
    SendMail,
    ShowOnIssue,
    UploadAttachments,
    UploadSigned,
)
from integration.procedure.events import DocumentIssued, Entry, Event, IssueLost, ProgressDrafted, RequestRefused
from integration.procedure.facts import Fact
from integration.procedure.guards import Refusal
from integration.procedure.offices import Organisation
from integration.procedure.people import Situation

UNSHOWN = (RequestRefused, ProgressDrafted)
"""What is recorded and changes nothing of what the issue shows: it is not read again for it."""


class Ignored(StrEnum):
    """Why a fact changed nothing and needs no answer."""

    NO_CASE = "no case"
    OPEN_ALREADY = "the case is open already"
    ENDED = "the case has ended"
    OPEN = "the case has not ended"
    SAME = "it is so already"
    STALE = "it speaks of another stay in a step"
    NOT_LATE = "no clock runs out"
    NOT_OWED = "no report is owed"
    GRACE = "the case came to its duty just now"
    NOT_OURS = "the case knows nothing of it"
    NOT_NEWER = "the case goes by this revision or a newer one"


class Draft:
    """What the decision on `fact` holds so far; `at` is when it counts as having happened."""

    def __init__(self, procedure: Procedure, organisation: Organisation, case: Case, fact: Fact, at: datetime) -> None:
        self.procedure = procedure
        self.organisation = organisation
        self.case = case
        self.fact = fact
        self.at = at
        self.entries: list[Entry] = []
        self.ignored = ""
        self._shown = False
        self._first: list[Effect] = []
        self._notes: list[PostNote] = []
        self._tasks: list[OpenTask | CloseTask] = []
        self._calls: list[CallPortal | SendMail] = []

    @property
    def situation(self) -> Situation:
        """What guards look at, as it is now."""
        return Situation(self.procedure, self.organisation, self.case, self.fact.by, self.at)

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What is to be done, in order: papers, the issue, notes, members' tasks, the unit. A closing note comes before the closing."""
        changed = any(not isinstance(entry.event, UNSHOWN) for entry in self.entries)
        show = [ShowOnIssue(f"show:{self.case.ticket}:{self._mark}")] if changed or self._shown else []
        if self.case.ending:
            return (*self._first, *self._notes, *show, *self._tasks, *self._calls)
        return (*self._first, *show, *self._notes, *self._tasks, *self._calls)

    def record(self, event: Event) -> None:
        """Add an entry to the ledger; an issued document is to be made."""
        entry = Entry(self.case.last_seq + 1, self.at, self.fact.by, self.fact.key, event)
        self.entries.append(entry)
        self.case = evolve(self.case, entry)
        if isinstance(event, DocumentIssued):
            self._first.append(IssueDocument(f"document:{event.id}", event.id))

    def open_issue(self) -> None:
        """The case gets its issue on the platform; another one where the one it had was lost."""
        self._first.append(OpenIssue(f"open:{self.case.ticket}{self._again}"))

    def upload_attachments(self) -> None:
        """The attachments of the current form go to the issue, where it has any."""
        version = len(self.case.submissions)
        if self.case.submission.attachments:
            self._first.append(UploadAttachments(f"attachments:{self.case.ticket}:{version}{self._again}", version))
        if self._again:
            for sent in self.case.sent:
                self._upload(sent.seq)

    def upload_sent(self) -> None:
        """The files the unit just sent go to the issue."""
        self._upload(self.case.sent[-1].seq)

    def _upload(self, sent: int) -> None:
        self._first.append(UploadAttachments(f"attachments:{self.case.ticket}:sent:{sent}{self._again}", 0, sent))

    def upload_signed(self, document: str, sha256: str) -> None:
        """A signed copy goes to the platform, where people look for it."""
        self._first.append(UploadSigned(f"signed:{document}:{sha256}", document, sha256))

    def erase_copies(self) -> None:
        """What stands on the platform about the case goes, with the files that were uploaded for it."""
        case = self.case
        papers = (link for paper in case.documents for link in (paper.link, *(copy.link for copy in paper.copies)))
        links = [*papers, *(link for attached in case.attachments for link in attached.links)]
        self._first.append(EraseCopies(f"erase:{case.ticket}", tuple(filter(None, links))))

    def open_task(self, account: str) -> None:
        """A member of the team gets an issue of their own."""
        self._tasks.append(OpenTask(f"task:{self.case.ticket}:{account}:{self._mark}", account))

    def close_task(self, account: str) -> None:
        """A member's own issue is closed."""
        self._tasks.append(CloseTask(f"task-done:{self.case.ticket}:{account}:{self._mark}", account))

    def show(self) -> None:
        """The issue is shown as it should be even where nothing changed: somebody moved it."""
        self._shown = True

    def note(self, template: str, context: Mapping[str, object], slot: str = "") -> None:
        """A note on the issue. With a slot, one posted there before is updated."""
        self._notes.append(PostNote(f"note:{self.case.ticket}:{template}:{self._mark}", template, dict(context), slot))

    def call_portal(self, kind: str, **more: object) -> None:
        """The portal is told where the case stands, and what this kind of call says besides."""
        self._call(kind, contexts.portal(self.situation) | more)

    def _call(self, kind: str, data: contexts.Context, stay: int = 0) -> None:
        self._calls.append(CallPortal(f"portal:{self.case.ticket}:{kind}:{self._mark}", kind, data, stay))

    def ask_unit(self, kind: str, **more: object) -> None:
        """It is the unit's turn: the portal is told, and whoever leads the unit by mail; both get the link by which it answers."""
        case, form, revises = self.case, self.case.submission, self.case.step == self.procedure.revises_at
        told = contexts.portal(self.situation) | more
        self._call(kind, told, case.entered_seq)
        to = tuple(dict.fromkeys([form.head_email, form.reporter_email] if revises else [form.head_email]))
        said = {"alasan": "", "pengingat": ""} | told
        said |= {"unit": form.unit_name, "head": form.head_name, "system": form.system, "subject": form.subject}
        said |= {"revises": revises, "answers": case.waits_for_unit}
        self._calls.append(SendMail(f"mail:{case.ticket}:{kind}:{self._mark}", "giliran", to, said, case.entered_seq))

    def refuse(self, asked: str, refusal: Refusal, template: str = "penolakan") -> None:
        """Refuse, with an answer; the same refusal at the same stay in a step updates that answer."""
        self.record(RequestRefused(self.case.step, refusal.code.value, asked, refusal.missing))
        slot = f"{template}:{self.case.entered_seq}:{refusal.code}:{asked}"
        self.note(template, contexts.refusal(self.situation, asked, refusal), slot)

    def ignore(self, reason: Ignored) -> None:
        """Nothing changes and nobody is told."""
        self.ignored = reason.value

    @property
    def _again(self) -> str:
        """What makes keys unique of what was done for the issue that was lost, and is done again for the next one."""
        return f":{self._mark}" if any(isinstance(entry.event, IssueLost) for entry in self.entries) else ""

    @property
    def _mark(self) -> str:
        """What makes keys of effects unique in a case: the ledger's last entry; the fact, where it added none."""
        return str(self.case.last_seq) if self.entries else self.fact.key
