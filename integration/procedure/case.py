"""A case: what its events add up to, and nothing else.

`evolve` only folds. It decides nothing, so a ledger written under yesterday's rules still reads today.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, assert_never

from integration.procedure.definition import Ending
from integration.procedure.events import (
    AccessGranted,
    AccessRevoked,
    CaseEnded,
    CaseOpened,
    DebtPaid,
    DocumentAttached,
    DocumentFiled,
    DocumentIssued,
    DocumentSigned,
    DueRecomputed,
    DutyMissed,
    DutySkipped,
    EmergencyOpened,
    Entry,
    Event,
    FilesReceived,
    FormRevised,
    IssueLinked,
    IssueLost,
    IssueMended,
    LetterAnswered,
    Paused,
    PerformersChanged,
    PersonalDataErased,
    PrioritySet,
    ProgressDrafted,
    ProgressReported,
    Reminded,
    RequestRefused,
    RequirementCleared,
    RequirementTicked,
    Resumed,
    RevisionAdopted,
    SignedCopyLinked,
    SignedOff,
    SignoffsStaled,
    StepEntered,
    StepLeft,
    StepRanLate,
    TaskLinked,
    TeamAssigned,
    TeamProposed,
)
from integration.procedure.facts import Actor, ActorKind, Attachment, Sections, Submission

if TYPE_CHECKING:
    from dataclasses import replace  # the checker knows the fields of this one
else:

    def replace(value: Any, **changes: Any) -> Any:  # noqa: ANN401 -- typed above
        """As `dataclasses.replace`, in a third of the time: a case has many fields, and folding a ledger copies it with each entry.

        The slots are filled one by one, for to call a constructor with so many names is what takes long. KeyError for an unknown field.
        """
        values, slots = _fields(type(value))
        copy = object.__new__(type(value))
        for fill, kept in zip(slots.values(), values(value), strict=True):
            fill(copy, kept)
        for name, changed in changes.items():
            slots[name](copy, changed)
        return copy


@cache
def _fields(kind: type[Any]) -> tuple[Callable[[Any], tuple[Any, ...]], dict[str, Callable[[Any, Any], None]]]:
    """How all fields of a dataclass with slots are read at once, and how each is filled."""
    names = [field.name for field in fields(kind)]
    return attrgetter(*names), {name: getattr(kind, name).__set__ for name in names}


class Status(StrEnum):
    """What the platform calls the state of a case (contract.md, family `status`); the endings are definition.Ending's own words."""

    RUNNING = "berjalan"
    UNIT = "menunggu unit"
    PAUSED = "dijeda"
    LATE = "terlambat"
    EMERGENCY = "darurat"
    DONE = Ending.DONE.value
    REFUSED = Ending.REFUSED.value
    WITHDRAWN = Ending.WITHDRAWN.value
    HANDED_OFF = Ending.HANDED_OFF.value


@dataclass(frozen=True, slots=True)
class SignOff:
    """One signature of the verification chain. It is stale once the case's round is past its own (procedure.md rule 3)."""

    step: int
    round: int
    by: Actor
    role: str
    office: str
    accepted: bool
    at: datetime
    exemption: str = ""

    @property
    def name(self) -> str:
        """Who signed."""
        return self.by.name or self.by.account


@dataclass(frozen=True, slots=True)
class Report:
    """A progress report, as accepted at `step`; `week` is the ISO week it counts for."""

    week: str
    step: int
    percent: int
    sections: Sections
    by: Actor
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Drafted:
    """The last report put together from what people did, which waits to be confirmed; `percent` None: nothing tells it."""

    week: str
    percent: int | None
    sections: Sections


@dataclass(frozen=True, slots=True)
class Grant:
    """Access as a record, never a secret (procedure.md rule 8); open until it is revoked, whatever `until` says."""

    account: str
    server: str
    right: str
    until: date
    given_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignedCopy:
    """A signed copy of a paper, as events.DocumentSigned says; handed in `by` somebody, who need not be who signed."""

    role: str
    capacity: str
    provider: str
    complete: bool
    sha256: str
    size: int
    media_type: str
    link: str
    certificate: str
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Paper:
    """A document the case issued, under a revision of the procedure. `number`, `sha256` and `link` are known once it is filed.

    `copies`: its signed copies, each with one signature more than the one before.
    """

    id: str
    document: str
    edition: str
    version: int
    step: int
    issued_seq: int
    issued_at: datetime
    number: str = ""
    sha256: str = ""
    size: int = 0
    link: str = ""
    revision: str = ""
    copies: tuple[SignedCopy, ...] = ()

    @property
    def of_record(self) -> SignedCopy | None:
        """The copy signed by all who are asked to; it counts in place of the file as it was issued. None until there is one."""
        return next((copy for copy in self.copies if copy.complete), None)


@dataclass(frozen=True, slots=True)
class Attached:
    """A document people attached themselves."""

    document: str
    links: tuple[str, ...]
    by: Actor
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Sent:
    """Files the unit sent along with its answer at a step; `seq`: of the entry that says so."""

    seq: int
    step: int
    attachments: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """One stay in a step. `outcome` is "" while it lasts, and where nobody chose one (recorded, skipped, withdrawn); `by`: who ended it.

    `team`: everybody who was in the case's team at some time during it. `role`: in which it was left, "" where it was not by its performer;
    `office`: "" or "Plt.", "Plh.".
    `revision`: of the procedure, under which it was left.
    """

    step: int
    entered_at: datetime
    entered_seq: int
    round: int
    left_at: datetime | None = None
    outcome: str = ""
    by: Actor | None = None
    team: frozenset[str] = frozenset()
    role: str = ""
    office: str = ""
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved an amended letter, when, and in what capacity; `seq`: of the entry that says so."""

    seq: int
    by: Actor
    at: datetime
    role: str
    office: str


@dataclass(frozen=True, slots=True)
class ExceptionOrder:
    """An exception order and what is still owed under it: (step, the day it is owed by), in the order of the steps."""

    reason: str
    from_step: int
    debts: tuple[tuple[int, date | None], ...]
    seq: int


@dataclass(frozen=True, slots=True)
class Case:
    """Where a case stands. `step` is None once it has ended; what names a step or a clock then speaks of its last one."""

    ticket: str
    procedure: str
    revision: str
    submissions: tuple[Submission, ...]  # the last one counts
    priority: str
    iid: int | None = None
    url: str = ""
    step: int | None = None
    entered_at: datetime | None = None
    sought_at: datetime | None = None  # when the step was sought, by the clock of whoever kept that: not lifted to the ledger's order
    entered_seq: int = 0
    due: datetime | None = None
    gap: int | None = None
    round: int = 1
    waits_for_unit: bool = False
    late: bool = False
    asked: tuple[str, ...] = ()  # the accounts that are to act at the current step
    reminded: frozenset[str] = frozenset()  # of the current due time, facts.Reminder
    paused_since: datetime | None = None
    pause_reason: str = ""
    pauses: tuple[tuple[datetime, datetime], ...] = ()  # of the current step
    ticks: frozenset[str] = frozenset()  # of the current step, Requirement.id
    team: tuple[str, ...] = ()  # the first one is in charge
    team_version: int = 0
    proposed: tuple[str, ...] = ()  # the team an amended letter names that waits for its approval
    proposed_at: datetime | None = None
    approvals: tuple[Approval, ...] = ()  # of amended letters
    tasks: Mapping[str, int] = field(default_factory=dict)  # by account: the number of the member's own issue
    written: Mapping[int, Sections] = field(default_factory=dict)  # by step: what was last accepted
    signoffs: tuple[SignOff, ...] = ()
    reports: tuple[Report, ...] = ()
    drafted: Drafted | None = None
    missed_weeks: tuple[str, ...] = ()
    skipped_weeks: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    documents: tuple[Paper, ...] = ()
    attachments: tuple[Attached, ...] = ()
    sent: tuple[Sent, ...] = ()
    emergency: ExceptionOrder | None = None
    history: tuple[Passage, ...] = ()
    ending: Ending | None = None
    ended_at: datetime | None = None
    ending_reason: str = ""
    ending_target: str = ""
    erased_at: datetime | None = None
    last_seq: int = 0
    last_at: datetime | None = None

    @property
    def submission(self) -> Submission:
        """The form as it stands now."""
        return self.submissions[-1]

    @property
    def status(self) -> Status:
        """The one status shown; what needs attention most comes first."""
        if self.ending:
            return Status(self.ending.value)
        if self.paused_since:
            return Status.PAUSED
        if self.debts:
            return Status.EMERGENCY
        if self.late:
            return Status.LATE
        return Status.UNIT if self.waits_for_unit else Status.RUNNING

    @property
    def debts(self) -> tuple[tuple[int, date | None], ...]:
        """Steps skipped under an exception order and not made up for yet (procedure.md rule 7)."""
        return self.emergency.debts if self.emergency else ()

    @property
    def ordered_at(self) -> datetime | None:
        """When the exception order was given under which something is still owed: its first step was entered with it."""
        order = self.emergency
        return next(p.entered_at for p in self.history if p.entered_seq > order.seq) if order and order.debts else None

    @property
    def open_grants(self) -> tuple[Grant, ...]:
        """Access that was given and not taken back."""
        return tuple(g for g in self.grants if g.revoked_at is None)

    @property
    def standing_signoffs(self) -> tuple[SignOff, ...]:
        """Accepted verifications of the current round; all others are stale or were returns."""
        return tuple(s for s in self.signoffs if s.accepted and s.round == self.round)

    @property
    def left_at(self) -> dict[int, datetime]:
        """When each step was last left."""
        return {p.step: p.left_at for p in self.history if p.left_at}

    def current_paper(self, document: str, edition: str | None = None) -> Paper | None:
        """The newest paper of this type, of this edition where one is given."""
        papers = (p for p in reversed(self.documents) if p.document == document and edition in (None, p.edition))
        return next(papers, None)

    def attached(self, document: str) -> Attached | None:
        """What was last attached as this document."""
        return next((a for a in reversed(self.attachments) if a.document == document), None)


def evolve(case: Case | None, entry: Entry) -> Case:
    """The case after one more entry. ValueError where a ledger does not begin with its opening, or opens twice."""
    return replace(_evolved(case, entry), last_seq=entry.seq, last_at=entry.at)


def fold(entries: Iterable[Entry]) -> Case | None:
    """The case these entries add up to; None for none. ValueError as `evolve`."""
    case, last = None, None
    for last in entries:
        case = _evolved(case, last)
    return replace(case, last_seq=last.seq, last_at=last.at) if case and last else None  # once: to copy a case is what folding costs


def _evolved(case: Case | None, entry: Entry) -> Case:
    """As `evolve`, without the mark of how far it goes."""
    event = entry.event
    if isinstance(event, CaseOpened):
        if case is not None:
            raise ValueError(f"entry {entry.seq}: {case.ticket} is already open")
        return Case(event.ticket, event.procedure, event.revision, (event.submission,), priority=event.submission.urgency)
    if case is None:
        raise ValueError(f"entry {entry.seq}: a ledger begins with CaseOpened, not with {type(event).__name__}")
    return _after(case, event, entry)


def _after(now: Case, event: Event, entry: Entry) -> Case:  # noqa: C901, PLR0912, PLR0915 -- one arm per kind of event, complete by type
    match event:
        case StepEntered():
            return _entered(now, event, entry)
        case StepLeft():
            return _left(now, event, entry)
        case CaseEnded():
            return _ended(now, event, entry)
        case PersonalDataErased():
            return _erased(now, entry)
        case FormRevised():
            return replace(now, submissions=(*now.submissions, event.submission))
        case FilesReceived():
            return replace(now, sent=(*now.sent, Sent(entry.seq, event.step, event.attachments)))
        case IssueLinked():
            return replace(now, iid=event.iid, url=event.url)
        case IssueLost():
            return replace(now, iid=None, url="")
        case SignedOff():
            sign = SignOff(event.step, event.round, entry.by, event.role, event.office, event.accepted, entry.at, event.exemption)
            return replace(now, signoffs=(*now.signoffs, sign))
        case RequirementTicked():
            return replace(now, ticks=now.ticks | {event.requirement})
        case RequirementCleared():
            return replace(now, ticks=now.ticks - {event.requirement})
        case PrioritySet():
            return replace(now, priority=event.priority)
        case TeamAssigned():
            return replace(now, team=event.members, team_version=event.version, history=_joined(now.history, event.members))
        case TeamProposed():
            return replace(now, proposed=event.members, proposed_at=entry.at)
        case LetterAnswered():
            approved = (Approval(entry.seq, entry.by, entry.at, event.role, event.office),) if event.accepted else ()
            return replace(now, proposed=(), proposed_at=None, approvals=now.approvals + approved)
        case TaskLinked():
            return replace(now, tasks={**now.tasks, event.account: event.iid})
        case ProgressReported():
            report = Report(event.week, event.step, event.percent, event.sections, entry.by, entry.at, entry.seq)
            return replace(now, reports=(*now.reports, report))
        case ProgressDrafted():
            return replace(now, drafted=Drafted(event.week, event.percent, event.sections))
        case DutyMissed():
            return replace(now, missed_weeks=(*now.missed_weeks, event.week))
        case DutySkipped():
            return replace(now, skipped_weeks=(*now.skipped_weeks, event.week))
        case AccessGranted():
            return replace(now, grants=(*now.grants, Grant(event.account, event.server, event.right, event.until, entry.at)))
        case AccessRevoked():
            return replace(now, grants=tuple(_revoked(grant, event, entry) for grant in now.grants))
        case DocumentAttached():
            return replace(now, attachments=(*now.attachments, Attached(event.document, event.links, entry.by, entry.at, entry.seq)))
        case DocumentIssued():
            paper = Paper(event.id, event.document, event.edition, event.version, event.step, entry.seq, entry.at, revision=now.revision)
            return replace(now, documents=(*now.documents, paper))
        case DocumentFiled():
            return replace(now, documents=tuple(_filed(paper, event) for paper in now.documents))
        case DocumentSigned():
            return replace(now, documents=tuple(_signed(paper, event, entry) for paper in now.documents))
        case SignedCopyLinked():
            return replace(now, documents=tuple(_linked(paper, event) for paper in now.documents))
        case Paused():
            return replace(now, paused_since=entry.at, pause_reason=event.reason)
        case Resumed():
            pauses = (*now.pauses, (now.paused_since or entry.at, entry.at))
            late = now.late and event.due is not None and event.due <= entry.at  # the calendar may have changed meanwhile
            return _due(replace(now, paused_since=None, pause_reason="", pauses=pauses, late=late), event.due, event.gap)
        case DueRecomputed():
            return replace(_due(now, event.due, event.gap), late=event.late)
        case RevisionAdopted():
            return replace(_due(now, event.due, event.gap), revision=event.revision, late=event.late)
        case StepRanLate():
            return replace(now, late=True)
        case Reminded():
            return replace(now, reminded=now.reminded | {event.kind})
        case PerformersChanged():
            return replace(now, asked=event.accounts)
        case EmergencyOpened():
            return replace(now, emergency=ExceptionOrder(event.reason, event.from_step, event.debts, entry.seq))
        case DebtPaid():
            debts = tuple(debt for debt in now.debts if debt[0] != event.step)
            return replace(now, emergency=now.emergency and replace(now.emergency, debts=debts))
        case CaseOpened() | RequestRefused() | SignoffsStaled() | IssueMended():
            return now  # history to read; stale sign-offs show by their round
        case _:
            assert_never(event)


def _due(now: Case, due: datetime | None, gap: int | None) -> Case:
    """The case with this due time; of another one than before nobody was reminded yet."""
    return replace(now, due=due, gap=gap, reminded=now.reminded if due == now.due else frozenset())


def _entered(now: Case, event: StepEntered, entry: Entry) -> Case:
    at = event.at or entry.at
    passage = Passage(event.step, at, entry.seq, event.round, team=frozenset(now.team))
    return replace(
        now,
        step=event.step,
        entered_at=at,
        sought_at=event.sought_at or at,
        entered_seq=entry.seq,
        due=event.due,
        gap=event.gap,
        round=event.round,
        waits_for_unit=event.waits_for_unit,
        late=False,
        asked=event.asked,
        reminded=frozenset(),
        pauses=(),
        ticks=frozenset(),
        history=(*_closed(now, at, by=entry.by), passage),
    )


def _left(now: Case, event: StepLeft, entry: Entry) -> Case:
    written = {**now.written, event.step: event.sections} if event.sections else now.written
    closed = _closed(now, event.at or entry.at, event.outcome, by=entry.by, role=event.role, office=event.office)
    return replace(now, written=written, history=closed)


def _ended(now: Case, event: CaseEnded, entry: Entry) -> Case:
    return replace(
        now,
        step=None,
        due=None,
        gap=None,
        waits_for_unit=False,
        paused_since=None,
        pause_reason="",
        asked=(),
        ending=Ending(event.ending),
        ended_at=entry.at,
        ending_reason=event.reason,
        ending_target=event.target,
        history=_closed(now, entry.at, by=entry.by),
    )


def _erased(now: Case, entry: Entry) -> Case:
    """The case without what it says of persons outside the office; who asked is a pseudonym, and of papers only their numbers are left."""
    reporter, head = (f"{now.ticket}/{who}" for who in ("pelapor", "pimpinan"))
    forms = (
        replace(
            form,
            head_name=head,
            head_nip="",
            head_title="",
            head_email="",
            reporter=reporter,
            reporter_email="",
            system_url="",
            subject="",
            description="",
            reproduction="",
            attachments=(),
        )
        for form in now.submissions
    )
    return replace(
        now,
        submissions=tuple(forms),
        pause_reason="",
        ending_reason="",
        written={},
        reports=tuple(replace(report, sections=()) for report in now.reports),
        drafted=None,
        documents=tuple(replace(paper, sha256="", size=0, link="", copies=()) for paper in now.documents),
        attachments=(),
        sent=(),
        emergency=now.emergency and replace(now.emergency, reason=""),
        history=tuple(replace(passage, by=_nameless(passage.by)) for passage in now.history),
        erased_at=entry.at,
    )


def _nameless(by: Actor | None) -> Actor | None:
    """Whoever acted, without the name of somebody of the unit."""
    return replace(by, name="") if by and by.kind is ActorKind.UNIT else by


def _closed(now: Case, at: datetime, outcome: str = "", *, by: Actor, role: str = "", office: str = "") -> tuple[Passage, ...]:
    """The history with its last passage left; as it is where that one was left already."""
    if not now.history or now.history[-1].left_at:
        return now.history
    left = replace(now.history[-1], left_at=at, outcome=outcome, by=by, role=role, office=office, revision=now.revision)
    return (*now.history[:-1], left)


def _joined(history: tuple[Passage, ...], members: tuple[str, ...]) -> tuple[Passage, ...]:
    """The history with these in the team of its last passage, beside those who were there before."""
    return (*history[:-1], *(replace(last, team=last.team.union(members)) for last in history[-1:]))


def _revoked(grant: Grant, event: AccessRevoked, entry: Entry) -> Grant:
    meant = (grant.account, grant.server) == (event.account, event.server)
    return replace(grant, revoked_at=entry.at) if meant and not grant.revoked_at else grant


def _filed(paper: Paper, event: DocumentFiled) -> Paper:
    if paper.id != event.id:
        return paper
    return replace(paper, number=event.number, sha256=event.sha256, size=event.size, link=event.link)


def _signed(paper: Paper, event: DocumentSigned, entry: Entry) -> Paper:
    if paper.id != event.id:
        return paper
    copy = SignedCopy(
        event.role,
        event.capacity,
        event.provider,
        event.complete,
        event.sha256,
        event.size,
        event.media_type,
        event.link,
        event.certificate,
        entry.by,
        entry.at,
    )
    return replace(paper, copies=(*paper.copies, copy))


def _linked(paper: Paper, event: SignedCopyLinked) -> Paper:
    if paper.id != event.id:
        return paper
    linked = (replace(copy, link=event.link) if copy.sha256 == event.sha256 else copy for copy in paper.copies)
    return replace(paper, copies=tuple(linked))
