"""A case as the independent checker keeps it: as much of it as the rules speak of, added up by hand from the ledger's entries."""

from dataclasses import dataclass, field
from datetime import datetime

from integration.procedure.definition import Outcome, OutcomeKind, Procedure, Step
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
    EmergencyOpened,
    Entry,
    FormRevised,
    IssueLinked,
    IssueLost,
    LetterAnswered,
    Paused,
    PerformersChanged,
    PrioritySet,
    ProgressReported,
    Reminded,
    RequirementCleared,
    RequirementTicked,
    Resumed,
    RevisionAdopted,
    SignedOff,
    SignoffsStaled,
    StepEntered,
    StepLeft,
    StepRanLate,
    TeamAssigned,
    TeamProposed,
)
from integration.procedure.facts import SERVICE


@dataclass
class State:
    """Where a case stands after some entries. `step` is None between two steps, and after the end."""

    procedure: Procedure
    revision: str = ""
    iid: int | None = None
    priority: str = ""
    step: int | None = None
    ended: bool = False
    entered: int = 0
    due: datetime | None = None
    gap: int | None = None
    late: bool = False
    reminded: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    round: int = 1
    left_by: Outcome | None = None  # how the last step was left, until the next one is entered
    left_step: int = 0
    stale_round: int | None = None
    paused: bool = False
    revising: bool = False  # a revised form just came, and no step was entered since
    ordered: bool = False  # an exception order was just given
    team: tuple[str, ...] = ()
    proposed: tuple[str, ...] = ()
    approved: tuple[str, ...] = ()  # the team an amended letter names that was just approved
    workers: set[str] = field(default_factory=set)  # whoever was in the team at some time during a step of the team's
    ticks: set[str] = field(default_factory=set)
    papers: set[tuple[str, str]] = field(default_factory=set)
    issued: dict[str, tuple[str, str]] = field(default_factory=dict)  # document and edition, by the paper's id
    filed: set[str] = field(default_factory=set)
    signed_copies: dict[str, list[str]] = field(default_factory=dict)  # the roles that signed, by the paper's id
    deciders: set[str] = field(default_factory=set)  # whoever left a step, or answered an amended letter
    attached: dict[str, int] = field(default_factory=dict)
    reports: list[int] = field(default_factory=list)
    grants: set[tuple[str, str]] = field(default_factory=set)
    dates: bool = False
    signed: list[tuple[int, int, str, str]] = field(default_factory=list)  # round, step, account, office; accepted ones
    debts: list[int] = field(default_factory=list)
    exception_done_in: int | None = None  # the round in which an order's last step was left forward

    @property
    def here(self) -> Step:
        """The current step. KeyError where there is none."""
        return self.procedure.step(self.step or 0)

    def signers(self) -> set[str]:
        """Who accepted in this round."""
        return {account for round_, _, account, _ in self.signed if round_ == self.round}


def keep(state: State, entry: Entry) -> None:  # noqa: C901, PLR0912 -- one arm per kind of event
    """Add one entry up."""
    match entry.event:
        case CaseOpened(revision=revision, submission=submission):
            state.revision, state.priority = revision, submission.urgency
        case RevisionAdopted(revision=revision, due=due, gap=gap):
            state.revision = revision
            _clock(state, due, gap)
        case FormRevised():
            state.revising = entry.by != SERVICE  # the service corrects a form at any step
        case PrioritySet(priority=priority):
            state.priority = priority
        case IssueLinked(iid=iid):
            state.iid = iid
        case IssueLost():
            state.iid = None
        case StepEntered() as event:
            _entered(state, entry.seq, event)
        case StepLeft() as event:
            state.deciders.add(entry.by.account)
            _left(state, event)
        case SignedOff(step=step, round=round_, accepted=True, office=office):
            state.signed.append((round_, step, entry.by.account, office))
        case SignoffsStaled(round=round_):
            state.stale_round = round_
        case CaseEnded():
            state.ended, state.step, state.paused = True, None, False
        case EmergencyOpened(debts=debts):
            state.debts, state.ordered, state.exception_done_in = [step for step, _ in debts], True, None
        case DebtPaid(step=step):
            state.debts.remove(step)
        case _:
            _keep_clock(state, entry)
            _keep_things(state, entry)


def _keep_clock(state: State, entry: Entry) -> None:
    match entry.event:
        case Paused():
            state.paused = True
        case Resumed(due=due, gap=gap):
            state.paused = False
            state.late = state.late and due is not None and due <= entry.at
            _clock(state, due, gap)
        case StepRanLate():
            state.late = True
        case DueRecomputed(due=due, gap=gap, late=late):
            _clock(state, due, gap)
            state.late = late
        case Reminded(kind=kind):
            state.reminded.add(kind)
        case PerformersChanged(accounts=accounts):
            state.asked = set(accounts)


def _keep_things(state: State, entry: Entry) -> None:  # noqa: C901 -- one arm per kind of event
    match entry.event:
        case TeamAssigned(members=members):
            state.team, state.approved = members, ()
            _work(state)
        case TeamProposed(members=members):
            state.proposed = members
        case LetterAnswered(accepted=accepted):
            state.deciders.add(entry.by.account)
            state.proposed, state.approved = (), state.proposed if accepted else ()
        case RequirementTicked(requirement=requirement):
            state.ticks.add(requirement)
        case RequirementCleared(requirement=requirement):
            state.ticks.discard(requirement)
        case ProgressReported():
            state.reports.append(entry.seq)
        case AccessGranted(account=account, server=server):
            state.grants.add((account, server))
        case AccessRevoked(account=account, server=server):
            state.grants.discard((account, server))
        case DocumentIssued(id=id_, document=document, edition=edition):
            state.papers.add((document, edition))
            state.issued[id_] = document, edition
        case DocumentFiled(id=id_):
            state.filed.add(id_)
        case DocumentSigned(id=id_, role=role):
            state.signed_copies.setdefault(id_, []).append(role)
        case DocumentAttached(document=document):
            state.attached[document] = entry.seq


def _entered(state: State, seq: int, event: StepEntered) -> None:
    state.step, state.round, state.entered = event.step, event.round, seq
    state.due, state.gap, state.late, state.reminded = event.due, event.gap, False, set()
    state.asked = set(event.asked)
    state.left_by, state.stale_round, state.ordered, state.revising = None, None, False, False
    state.ticks.clear()
    _work(state)


def _left(state: State, event: StepLeft) -> None:
    step = state.procedure.step(event.step)
    state.step, state.left_step, state.left_by = None, event.step, step.outcome(event.outcome)
    dated = {section.title for section in step.sections if section.kind == "date"}
    state.dates = state.dates or bool(dated & {title for title, _ in event.sections})
    forward = state.left_by is not None and state.left_by.kind is OutcomeKind.FORWARD
    if state.procedure.emergency and event.step == state.procedure.emergency.last and state.debts and forward:
        state.exception_done_in = state.round


def _clock(state: State, due: datetime | None, gap: int | None) -> None:
    """Another due time: nobody was reminded of it yet."""
    if due != state.due:
        state.reminded = set()
    state.due, state.gap = due, gap


def _work(state: State) -> None:
    """Whoever is in the team while it performs the step did the work."""
    performer = state.here.performer if state.step else None
    if performer and state.procedure.role(performer).team:
        state.workers.update(state.team)
