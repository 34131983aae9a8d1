"""What a report tells, as data: the cases line by line, and what they add up to.

What may be read by everybody is decided here, not in a template: a discreet survey does not hold what others must not read.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property

from integration.procedure.offices import Programmer
from integration.procedure.people import Performer, Vacancy
from sync.periods import Period
from sync.stays import Figures, Loop

AGENDA = 50  # cases: more no meeting gets through
PRIORITIES = ("kritis", "tinggi", "sedang", "rendah")


class Concern(StrEnum):
    """Why a case is on the meeting's agenda; the first ones are the graver."""

    LATE = "late"
    ORDERED = "ordered"  # something is owed under an exception order
    VACANT = "vacant"  # nobody may act
    NEAR = "near"  # due until the end of the next working day
    SILENT = "silent"  # the week's progress report is missing
    RETURNED = "returned"  # within the period


RANK = {concern: rank for rank, concern in enumerate(Concern)}


@dataclass(frozen=True, slots=True)
class Debt:
    """A step skipped under an exception order and still owed, with its papers. `overdue`: the day it was owed by has passed."""

    step: str
    due: date | None
    papers: tuple[str, ...]
    overdue: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One case as the report shows it.

    `age`, `late_by`: working days since it was opened, and since its step was due; None where the calendar is not loaded.
    """

    ticket: str
    system: str
    subject: str
    unit: str
    opened: date
    ended: date | None
    step: str  # "18 Penanganan lokal"; "" once ended
    turn: str  # name of the role that must act
    status: str
    priority: str
    age: int | None
    due: datetime | None
    late: bool
    late_by: int | None
    waits: bool  # for the unit
    percent: int | None
    trend: int | None  # percentage points since the report before
    owes_report: bool
    near: bool  # due until the end of the next working day
    returns: tuple[str, ...]  # "21 Verifikasi 2 → 18 Penanganan lokal", within the period
    paused_since: datetime | None
    pause_reason: str
    ordered_since: datetime | None  # the exception order, while something is owed under it
    order_reason: str
    debts: tuple[Debt, ...]
    vacancy: Vacancy | None  # nobody may act: who may meanwhile, who appoints
    target: str  # the procedure it was handed to
    note: str  # why it ended

    @property
    def title(self) -> str:
        """The system and, where that may be read, what it is about."""
        return f"{self.system}: {self.subject}" if self.subject else self.system

    @property
    def concerns(self) -> tuple[Concern, ...]:
        """Why it must be spoken about, the gravest first; none for a case that goes its way."""
        found = {
            Concern.LATE: self.late,
            Concern.ORDERED: bool(self.debts),
            Concern.VACANT: self.vacancy is not None,
            Concern.NEAR: self.near,
            Concern.SILENT: self.owes_report,
            Concern.RETURNED: bool(self.returns),
        }
        return tuple(concern for concern, holds in found.items() if holds)

    @property
    def risk(self) -> tuple[object, ...]:
        """The order of the agenda: the gravest concern, the priority, how late, how old."""
        grave = RANK[self.concerns[0]] if self.concerns else len(RANK)
        rank = PRIORITIES.index(self.priority) if self.priority in PRIORITIES else len(PRIORITIES)
        return grave, rank, -(self.late_by or 0), -(self.age or 0), self.ticket

    @property
    def overdue(self) -> tuple[Debt, ...]:
        """What is owed under the exception order and past its day."""
        return tuple(debt for debt in self.debts if debt.overdue)


@dataclass(frozen=True, slots=True)
class VacantOffice:
    """An office nobody holds, and who appoints an acting holder; nobody of the organisation does for its head."""

    name: str
    appoint: tuple[Performer, ...]


@dataclass(frozen=True, slots=True)
class Workload:
    """How much the programmers have to do, of all of them together: whoever reads it learns of nobody how much is theirs.

    `middle`, `most`: open cases of one programmer; `capacity`: how many all can have at a time, `free`: how many more; `away`: on leave.
    """

    programmers: int
    busy: int
    middle: float
    most: int
    capacity: int
    free: int
    over: int
    away: int


@dataclass(frozen=True, slots=True)
class Load:
    """The open cases of one programmer; only for whoever leads them. `away`: on leave on the day of the report."""

    programmer: Programmer
    tickets: tuple[str, ...]
    away: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """Whom open cases wait for: a role, how many do, how many of them are late."""

    turn: str
    cases: int
    late: int


@dataclass(frozen=True, slots=True)
class Flow:
    """How many cases came and went in a part of the period."""

    part: str
    new: int
    ended: int


@dataclass(frozen=True)
class Survey:
    """How things stood at the period's closing moment. Lines of open cases are sorted as the agenda is.

    `complete`: with what cases are about and why things were done. Issues are confidential, so only chosen people read that.
    """

    period: Period
    new: tuple[Line, ...]
    ended: tuple[Line, ...]
    open: tuple[Line, ...]
    vacant: tuple[VacantOffice, ...]
    steps: tuple[Figures, ...]
    roles: tuple[Figures, ...]
    loops: tuple[Loop, ...]
    workload: Workload | None  # None: of so few that it would tell of one of them
    complete: bool = True

    def discreet(self) -> "Survey":
        """The same for whoever may read the wiki: which systems and steps, not what was complained of nor why something was decided."""
        new, ended, still = (tuple(map(_discreet, lines)) for lines in (self.new, self.ended, self.open))
        return replace(self, new=new, ended=ended, open=still, complete=False)

    @property
    def urgent(self) -> tuple[Line, ...]:
        """Open cases somebody must speak about, the gravest first."""
        return tuple(line for line in self.open if line.concerns)

    @property
    def agenda(self) -> tuple[Line, ...]:
        """Those of them that are spoken about in one meeting; the others follow in the same order among the open cases."""
        return self.urgent[:AGENDA]

    @property
    def late(self) -> tuple[Line, ...]:
        """Open cases whose step is past its due time."""
        return tuple(line for line in self.open if line.late)

    @property
    def waiting(self) -> tuple[Line, ...]:
        """Open cases in which the unit must act."""
        return tuple(line for line in self.open if line.waits)

    @property
    def owing(self) -> tuple[Line, ...]:
        """Open cases whose report for this week is missing (procedure.md rule 5)."""
        return tuple(line for line in self.open if line.owes_report)

    @property
    def paused(self) -> tuple[Line, ...]:
        """Open cases whose clock somebody stopped."""
        return tuple(line for line in self.open if line.paused_since)

    @property
    def ordered(self) -> tuple[Line, ...]:
        """Open cases with something still owed under an exception order."""
        return tuple(line for line in self.open if line.debts)

    @property
    def returned(self) -> tuple[Line, ...]:
        """Cases that were sent back within the period, also those that have ended."""
        return tuple(line for line in (*self.open, *self.ended) if line.returns)

    @property
    def stuck(self) -> tuple[Line, ...]:
        """Open cases that wait for an office nobody holds, or whose holders may not act."""
        return tuple(line for line in self.open if line.vacancy)

    @property
    def queues(self) -> tuple[Queue, ...]:
        """Whom the open cases wait for, by the roles' names; the paused ones wait for nobody."""
        turns = Counter(line.turn for line in self.open if not line.paused_since)
        late = Counter(line.turn for line in self.late)
        return tuple(Queue(turn, cases, late[turn]) for turn, cases in sorted(turns.items()))

    @property
    def endings(self) -> tuple[tuple[str, int], ...]:
        """As what cases ended within the period, and how many did."""
        return tuple(sorted(Counter(line.status for line in self.ended).items()))

    @cached_property
    def flow(self) -> tuple[Flow, ...]:
        """What came and went in each part of the period."""
        new = Counter(self.period.part(line.opened) for line in self.new)
        ended = Counter(self.period.part(line.ended) for line in self.ended if line.ended)
        return tuple(Flow(part, new[part], ended[part]) for part in self.period.parts())


def _discreet(line: Line) -> Line:
    return replace(line, subject="", pause_reason="", order_reason="", note="")
