"""What must be done outside, done: one outbox row at a time, at least once, leaving one trace.

Nothing else in the service talks to the outside on a case's behalf. A second attempt looks for what the first left before it writes.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from integration import logs
from integration.clock import Clock
from integration.drift import rewritten
from integration.faults import Failure, Permanent, Transient
from integration.files import FileStore
from integration.issue import EVERYTHING, SAME_SECOND, IssueSeen, Sighting, Snapshot, sighting_json, sighting_of
from integration.links import Links
from integration.payloads import Look, look_bytes
from integration.procedure.case import Case
from integration.procedure.definition import DRAFT
from integration.procedure.effects import (
    CallPortal,
    CloseTask,
    EraseCopies,
    IssueDocument,
    OpenIssue,
    OpenTask,
    PostNote,
    PublishReport,
    SendMail,
    ShowOnIssue,
    UploadAttachments,
    UploadSigned,
)
from integration.procedure.events import Entry
from integration.procedure.facts import SERVICE, Attachment, DocumentFiled, IssueDrifted, IssueLinked, SignedCopyUploaded, TaskLinked
from integration.snapshot import Reader, unread
from integration.store import Delivery, NoteMade, OutboxRow, Store, Turn, Work
from integration.templates import messages
from sync import documents, reports
from sync.attachments import Attachments
from sync.copies import UPLOADED
from sync.display import Display, issue_marker, task_marker, weighs
from sync.documents import Reserved
from sync.gitlab import Platform, Shown
from sync.inbox import REPORT
from sync.mail import Attached, Letter, Mail
from sync.periods import period
from sync.portal import Portal
from sync.refusals import Gone, ProjectShut
from sync.wiki import Wiki, page_slug
from sync.wording import marker

PATIENCE = timedelta(minutes=10)  # with an attachment's host, or the scanner, that does not answer: the case's other effects wait behind it
ATTACHED = {"pdf": "application/pdf", "csv": "text/csv"}  # the forms of a report that are handed out as files


@dataclass(frozen=True, slots=True)
class Outbox:
    """Performs outbox rows; the drain calls `perform` with the lane held. Without a portal or mail, what would go there is done at once."""

    store: Store
    platform: Platform
    files: FileStore
    display: Display
    clock: Clock
    links: Links
    attachments: Attachments
    clearing: Platform  # with the rights to remove what others wrote where the setting up has a token of its own, else `platform`
    signs_in: bool = False  # whether people can sign in on our pages
    portal: Portal | None = None
    mail: Mail | None = None

    def perform(self, turn: Turn, row: OutboxRow) -> Work | None:
        """Perform this row's effect and mark it done; gives what is to be worked on next.

        Raises Transient, Permanent, LeaseLost, StoreDown.
        """
        try:
            return self._perform(turn, row)
        except Gone as gone:
            if not isinstance(row.effect, ShowOnIssue | PostNote | UploadAttachments):  # it is about the project, not about an issue
                raise ProjectShut(str(gone)) from gone
            case, _ = self._case(turn)
            if case.ending and self.platform.deleted(_iid(case)):  # a case that is over gets no other issue: nobody is left to be told
                return self.store.done(turn, row)
            # Somebody deleted the issue, or took our rights: the look finds out, and what waits goes on after it.
            self.store.keep(Delivery("sweep", f"gone:{row.key}:{row.attempts}", row.lane, look_bytes(Look(_iid(case)))))
            raise Transient(str(gone), gone.failure) from gone

    def _perform(self, turn: Turn, row: OutboxRow) -> Work | None:  # noqa: C901, PLR0912 -- one arm per kind of effect
        match row.effect:
            case OpenIssue():
                return self._open_issue(turn, row)
            case ShowOnIssue():
                return self._show(turn, row)
            case PostNote() as note:
                return self._post(turn, row, note)
            case OpenTask(account=account):
                return self._open_task(turn, row, account)
            case CloseTask(account=account):
                return self._close_task(turn, row, account)
            case UploadAttachments(version=version, sent=sent):
                return self._upload(turn, row, version, sent)
            case IssueDocument(document=document):
                return self._issue_document(turn, row, document)
            case UploadSigned(document=document, sha256=sha256):
                return self._upload_signed(turn, row, document, sha256)
            case EraseCopies(links=links):
                return self._erase_copies(turn, row, links)
            case CallPortal(type=kind, data=data, stay=stay):
                if self.portal is not None:
                    self.portal.call(row.key, kind, data | self._link(row, stay), row.created_at)
                return self.store.done(turn, row)
            case PublishReport() as report:
                self._publish(report)
                return self.store.done(turn, row)
            case SendMail() as mail:
                self._send(replace(mail, context=mail.context | {"meja": self.links.desk} | self._link(row, mail.stay)), row.created_at)
                return self.store.done(turn, row)

    def _open_issue(self, turn: Turn, row: OutboxRow) -> Work | None:
        case, _ = self._case(turn)
        draft = self.display.issue(case, self.clock())
        shown = self.platform.open_issue(draft, issue_marker(case.ticket), look_since=_first_try(row))
        linked = IssueLinked(f"linked:{shown.issue.iid}", self.clock(), SERVICE, shown.issue.iid, shown.issue.url)
        # An issue an earlier attempt left may have been written in since: it counts as not looked at yet.
        seen = Sighting(shown.issue, turn.token, None, shown.refused) if row.attempts == 1 else None
        return self.store.done(turn, row, outcome=linked, observed=sighting_json(seen) if seen else None)

    def _show(self, turn: Turn, row: OutboxRow) -> Work | None:
        """Bring the issue to what the ledger says now. What was seen in this very turn is not read a second time."""
        case, _ = self._case(turn)
        last = sighting_of(_iid(case), self.store.known(turn).observed)
        issue = last.issue if last and last.turn == turn.token and row.attempts == 1 else self.platform.issue(_iid(case))
        parts = unread(issue, last)
        if parts:  # somebody asked for something that no hook has told yet: it is looked for in the past, which showing does not change
            look = look_bytes(Look(issue.iid, parts))
            self.store.keep(Delivery("sweep", f"show:{row.key}:{issue.updated_at.isoformat()}:{issue.notes_count}", row.lane, look))
        shown = self.platform.show(self.display.issue(case, self.clock(), issue.description), issue, last.refused if last else {})
        if shown.disturbed or self._asked_meanwhile(case, shown):  # what somebody did between our look and our change is a request too
            look = look_bytes(Look(issue.iid, EVERYTHING, closely=True))
            self.store.keep(Delivery("sweep", f"disturbed:{row.key}:{shown.issue.updated_at.isoformat()}", row.lane, look))
        counted, since = last.issue.notes_count if last else 0, issue.updated_at if shown.disturbed else shown.issue.updated_at
        kept = replace(shown.issue, notes_count=counted, updated_at=since)  # disturbed: who it was, did it since the issue was read
        alone = last is not None and not shown.disturbed and issue.updated_at == last.issue.updated_at  # all that changed is ours
        people_at = last.people_at if last and alone else issue.updated_at
        seen = Sighting(kept, turn.token, last.notes_until if last else None, shown.refused, people_at)
        return self.store.done(turn, row, outcome=self._written_over(row, issue, shown), observed=sighting_json(seen))

    def _asked_meanwhile(self, case: Case, shown: Shown) -> bool:
        """Whether among what others changed is a request not decided on: a box, which our text was made without."""
        reader = Reader(self.display.procedure(case), self.platform.home.account, self.display.organisation.calendar.tz)
        keys = {fact.key for fact in reader.requests(Snapshot(shown.issue, notes=shown.edits))}
        return bool(keys - self.store.known_causes(case.ticket, keys)) if keys else False

    def _written_over(self, row: OutboxRow, issue: IssueSeen, shown: Shown) -> IssueDrifted | None:
        """Somebody rewrote the description after we read it and before we wrote it: their text is gone, and they are told."""
        since = issue.updated_at + SAME_SECOND
        accounts = tuple(dict.fromkeys(note.account for note in shown.edits if rewritten(note) and note.created_at > since))
        return IssueDrifted(f"written-over:{row.key}", self.clock(), SERVICE, ("region",), accounts) if accounts else None

    def _post(self, turn: Turn, row: OutboxRow, note: PostNote) -> Work | None:
        case, _ = self._case(turn)
        body = self.display.note(self._weighed(note, case), case)
        replaces = self.store.note_id(case.ticket, note.slot) if note.slot else None
        made = self.platform.post_note(_iid(case), body, marker(note.key), look_since=_first_try(row), replaces=replaces)
        observed = self._counted(turn, case, row) if made != replaces else None
        return self.store.done(turn, row, note=NoteMade(note.key, note.slot, made), observed=observed)

    def _weighed(self, note: PostNote, case: Case) -> PostNote:
        """The note with what only the other cases tell, where it asks for that."""
        return self.display.weighed(note, case, self.store.workload(without=case.ticket), self.clock()) if weighs(note) else note

    def _open_task(self, turn: Turn, row: OutboxRow, account: str) -> Work | None:
        """A member's own issue, as it must be now: the one they had before opened again, one an earlier attempt left, or a new one."""
        case, _ = self._case(turn)
        seen = self._seen_task(case.tasks.get(account))
        if seen is not None:
            shown = self.platform.show(self.display.task(case, account, seen.description), seen, {})
        else:
            shown = self.platform.open_issue(
                self.display.task(case, account), task_marker(case.ticket, account), look_since=_first_try(row)
            )
        self.platform.relate(shown.issue.iid, _iid(case))
        linked = TaskLinked(f"task:{account}:{shown.issue.iid}", self.clock(), SERVICE, account, shown.issue.iid, shown.issue.url)
        return self.store.done(turn, row, outcome=linked)

    def _close_task(self, turn: Turn, row: OutboxRow, account: str) -> Work | None:
        case, _ = self._case(turn)
        if account in case.tasks:
            self.platform.close(case.tasks[account])
        return self.store.done(turn, row)

    def _seen_task(self, iid: int | None) -> IssueSeen | None:
        try:
            return None if iid is None else self.platform.issue(iid)
        except Gone:
            return None  # somebody deleted it: it is made anew

    def _upload(self, turn: Turn, row: OutboxRow, version: int, sent: int) -> Work | None:
        """The files of a form, or those the unit sent with an answer, looked over, linked in one note."""
        case, _ = self._case(turn)
        posted = None if row.attempts == 1 else self.platform.find_note(_iid(case), marker(row.key), _first_try(row))
        if posted is None:
            came = next((each for each in case.sent if each.seq == sent), None)
            attachments = came.attachments if came else case.submissions[version - 1].attachments
            files = [self._linked(turn, row, file) for file in attachments]
            note = PostNote(row.key, "lampiran-formulir", {"version": version, "step": came.step if came else 0, "files": files})
            body = self.display.note(note, case)
            posted = self.platform.post_note(_iid(case), body, marker(row.key), look_since=None, replaces=None)
        return self.store.done(turn, row, note=NoteMade(row.key, "", posted), observed=self._counted(turn, case, row))

    def _linked(self, turn: Turn, row: OutboxRow, file: Attachment) -> dict[str, object]:
        """What the note says of one file, looked over first.

        Where people can sign in, a page of ours hands it out, for GitLab lets whoever has the address see an uploaded picture (behaviour.md
        4). Elsewhere what may be shown of it is uploaded.
        """
        self.store.hold(turn)  # many slow ones together may take longer than a lease: another worker would do the same once more
        found = self.attachments.examined(row.lane, file, patient=self.clock() - row.created_at < PATIENCE)
        said: dict[str, object] = {"name": file.name, "size": file.size, "media_type": found.media_type or file.media_type, "link": ""}
        said |= {
            "url": file.url,
            "refused": messages("attachment").get(found.refused, ""),
            "scan": found.scan.value if self.attachments.scanner else "",
        }
        if not found.shown:
            return said
        name = file_name(file.name)
        place = (
            self.links.attachment(row.lane, file.sha256)
            if self.signs_in
            else self._uploaded(row.lane, name, self.files.get(row.lane, found.shown))
        )
        return said | {"link": f"[{name}]({place})"}

    def _uploaded(self, ticket: str, name: str, content: bytes) -> str:
        """Upload a file of a case. By its name it is found where nothing leads to it: we died before that, or the issue was deleted."""
        return self.platform.upload(f"{ticket}-{name}", content)

    def _issue_document(self, turn: Turn, row: OutboxRow, document: str) -> Work | None:
        """Make the paper from the ledger as it stood when it was issued, keep it by hash, upload it."""
        case, entries = self._case(turn)
        organisation = self.display.organisation
        paper = next((paper for paper in case.documents if paper.id == document), None)
        if paper is None:
            raise Permanent(f"{document} was never issued", Failure.STRAY)
        procedure = self.display.revision(case.procedure, paper.revision)  # the one it was issued under, whatever the case goes by since
        number, day = "", paper.issued_at.astimezone(organisation.calendar.tz).date()
        if procedure.document(paper.document).numbered and paper.edition != DRAFT:
            pattern = organisation.numbering.pattern(paper.document, day)
            number = self.store.number(f"{case.ticket}/{paper.document}", paper.document, day, lambda seq: pattern.format(seq=seq))
        address = self.links.paper(self.store.public_id(case.ticket, document))
        made = documents.make(document, entries, procedure, organisation, Reserved(number, address), self.display.wording)
        sha256 = self.files.put(case.ticket, made.content)
        link = f"[{made.filename}]({self._uploaded(case.ticket, made.filename, made.content)})"
        if number:
            self.store.issue_number(number)
        filed = DocumentFiled(f"filed:{document}", self.clock(), SERVICE, document, number, sha256, len(made.content), link)
        return self.store.done(turn, row, outcome=filed)

    def _upload_signed(self, turn: Turn, row: OutboxRow, document: str, sha256: str) -> Work | None:
        """Put a signed copy where people look for it."""
        case, _ = self._case(turn)
        known = ((paper, copy) for paper in case.documents for copy in paper.copies if (paper.id, copy.sha256) == (document, sha256))
        found = next(known, None)
        if found is None:
            raise Permanent(f"{document} has no such signed copy", Failure.STRAY)
        name = documents.filename(*found)
        link = f"[{name}]({self._uploaded(case.ticket, name, self.files.get(case.ticket, sha256))})"
        uploaded = SignedCopyUploaded(f"uploaded:{document}:{sha256}", self.clock(), SERVICE, document, sha256, link)
        return self.store.done(turn, row, outcome=uploaded)

    def _erase_copies(self, turn: Turn, row: OutboxRow, links: Sequence[str]) -> Work | None:
        """What people and we wrote on the case's issues goes, and what was uploaded for it; our own files first."""
        case, entries = self._case(turn)
        self.files.remove(case.ticket)
        for iid in (case.iid, *case.tasks.values()):
            if iid is not None:
                self._empty(turn, iid, links)
        self.store.hold(turn)
        self.clearing.remove_uploads(f"{case.ticket}-", entries[0].at)
        for account, iid in case.tasks.items():
            seen = self._seen_task(iid)
            if seen is not None:
                self.platform.show(self.display.task(case, account), seen, {})
        self.store.empty_messages(case.ticket)
        return self.store.done(turn, row)

    def _empty(self, turn: Turn, iid: int, links: Sequence[str]) -> None:
        """Remove the comments of an issue, and the uploads they, the description and `links` speak of; one that is gone has none."""
        try:
            seen = self.platform.issue(iid)
        except Gone:
            return
        comments = self.platform.comments(iid)
        for secret, name in uploads_in([seen.description, *(body for _, body in comments), *links]):
            self.store.hold(turn)
            self.clearing.remove_upload(secret, name)
        for note, _ in comments:
            self.store.hold(turn)
            self.clearing.remove_note(iid, note)

    def _link(self, row: OutboxRow, stay: int) -> dict[str, object]:
        """The link by which the unit answers, where there is a turn it answers at; the same at every try."""
        return {"tautan": self.links.turn(row.lane, stay, row.created_at)} if stay else {}

    def _publish(self, effect: PublishReport) -> None:
        """One wiki page a period with links to the files, and the index of all that have one; what is there already stays."""
        display, wiki = self.display, Wiki(self.platform)
        span = period(effect.week, display.organisation.calendar.tz).span
        title = messages("report")[f"page_{span}"]
        page, mark = f"{title}/{effect.week}", marker(effect.key)
        if mark not in (wiki.page(page) or ""):
            issued = reports.issue(self.store, self.files, display, effect.week)
            links = [f"[{issued.name(form)}]({self.platform.upload(issued.name(form), issued.forms[form])})" for form in ATTACHED]
            files = display.wording.render("wiki/berkas.md", links=links)
            wiki.write(page, f"{issued.forms['md'].decode()}\n{files}\n{mark}\n")
        listed = reports.listed(wiki.slugs(), page_slug(title), display.organisation)
        wiki.write(title, display.wording.render("wiki/daftar-laporan.md", reports=listed, span=span))

    def _send(self, mail: SendMail, at: datetime) -> None:
        """A mail by its template: a report as it was issued, what each programmer had to do then, both from the ledger; or what it says."""
        if self.mail is None:
            return
        if mail.template != REPORT:
            text = (
                reports.workload(self.store, self.display, str(mail.context["week"]))
                if mail.template == reports.WORKLOAD
                else self.display.wording.render(f"mail/{mail.template}.md", **mail.context)
            )
            subject, _, text = text.partition("\n\n")
            self.mail.send(mail.key, mail.to, Letter(subject, text), at)
            return
        issued = reports.issue(self.store, self.files, self.display, str(mail.context["week"]))
        files = tuple(Attached(issued.name(form), mimetype, issued.forms[form]) for form, mimetype in ATTACHED.items())
        subject, _, text = issued.forms["txt"].decode().partition("\n\n")
        self.mail.send(mail.key, mail.to, Letter(subject, text, issued.forms["html"].decode(), files), at)

    def _case(self, turn: Turn) -> tuple[Case, tuple[Entry, ...]]:
        known = self.store.known(turn)
        if known.case is None:
            raise Permanent(f"{turn.lane} is no case", Failure.STRAY)
        logs.also(step=known.case.step)
        return known.case, known.entries

    def _counted(self, turn: Turn, case: Case, row: OutboxRow) -> dict[str, object] | None:
        """The issue as it was last seen, with one more note of ours; not after a second try, when it may have been counted already."""
        last = sighting_of(case.iid, self.store.known(turn).observed)
        if last is None or row.attempts > 1:
            return None
        return sighting_json(replace(last, issue=replace(last.issue, notes_count=last.issue.notes_count + 1)))


def file_name(name: str) -> str:
    """A file's name as it is uploaded: letters, digits, dot and hyphen, at most 80 characters."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[-80:] or "lampiran"


def uploads_in(texts: Iterable[str]) -> list[tuple[str, str]]:
    """The uploads these texts link to, each once, by the two parts of their addresses."""
    return sorted({(found["secret"], found["name"]) for text in texts for found in UPLOADED.finditer(text)})


def _iid(case: Case) -> int:
    if case.iid is None:
        raise Transient(f"{case.ticket} has no issue yet", Failure.WAITS)
    return case.iid


def _first_try(row: OutboxRow) -> datetime | None:
    """Since when an earlier attempt can have left its mark; None at the first."""
    return row.created_at if row.attempts > 1 else None
