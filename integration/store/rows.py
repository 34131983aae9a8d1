"""What goes into the store and comes out of it, as plain frozen values; nothing of SQL leaves this package."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from integration import codec
from integration.codec import Json
from integration.procedure.case import Case
from integration.procedure.effects import Effect
from integration.procedure.events import Entry

NEW = "baru"
"""The status of a case whose form is kept but not yet worked on; the only status the store itself writes."""


class LeaseLost(Exception):
    """Somebody else holds the lane now; whatever was worked out under the old lease must be dropped."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it came. `key` is unique per `source`; `lane`: the case it concerns; `answer`: what every repeat is answered.

    `settled`: why there is nothing to be done about it; it is kept, and nobody is woken for it.
    """

    source: str  # "portal", "gitlab", "clock", "outcome", "sweep", "report", "chase", "digest", "meja"
    key: str
    lane: str
    body: bytes
    headers: Json = field(default_factory=dict)
    answer: Json = field(default_factory=dict)
    settled: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """The message is on disk. `fresh` False: it already was, and this is the answer given then."""

    answer: Json
    fresh: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """The same key was kept before with another body."""


Outcome = Kept | Conflict
"""What became of a delivery."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a ledger says: its entries, the case they add up to (None: there are none), the hash of the last.

    With it the key of the case, and its issue as it was last seen.
    """

    entries: tuple[Entry, ...]
    case: Case | None
    hash: str
    key: bytes | None = field(default=None, repr=False)
    observed: Json | None = None


@dataclass(slots=True)
class Turn:
    """The proof of holding a lane; every write of a worker demands it. `lease`: how long the hold lasts from its last sign of life.

    `onward`: its holder goes on with another lane when nothing in this one is due. `known`: the ledger of the lane's case, once it was
    read; while the turn lasts nobody else adds to it.
    """

    lane: str
    token: str
    lease: timedelta
    onward: bool = False
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A kept message. `attempts` counts this one too: above 1, an earlier attempt may have gone part of the way.

    `error`, `failure`: why it was set aside last, in words and as one of integration.faults.Failure; "" where it was not, and no words
    where all rows wait for the platform together.
    """

    id: int
    source: str
    key: str
    lane: str
    body: bytes
    headers: Json
    answer: Json
    received_at: datetime
    state: str
    attempts: int
    due_at: datetime
    error: str
    result: str
    failure: str = ""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An effect to be performed. `attempts` counts this one too: above 1, look for the effect's marker before writing.

    `error`, `failure`: see InboxRow. `trace`: the span in which it was decided, as integration.tracing carries it.
    """

    id: int
    lane: str
    channel: str
    key: str
    kind: str
    data: Json
    created_at: datetime
    state: str
    attempts: int
    due_at: datetime
    error: str
    failure: str = ""
    trace: str = ""

    @property
    def effect(self) -> Effect:
        """The effect. Permanent where this release cannot read it."""
        return codec.EFFECTS.load(self.kind, self.data)


@dataclass(frozen=True, slots=True)
class Parked:
    """A row that waits for an operator, without what it is about. `side`: "inbox" or "outbox"; `since`: when it came."""

    side: str
    id: int
    since: datetime
    attempts: int
    failure: str


Due = InboxRow | OutboxRow
"""A row to be worked on now; its attempt is counted."""

Work = tuple[Turn, Due]
"""A row to be worked on now, in a lane that is held."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """Where a case stands, for lists and the clock; the ledger stays the truth. `due_at` None while no clock runs."""

    ticket: str
    procedure: str
    revision: str
    status: str
    step: int | None
    role: str | None
    due_at: datetime | None
    entered_seq: int | None
    iid: int | None
    title: str
    opened_at: datetime
    ended_at: datetime | None
    team: tuple[str, ...] = ()  # accounts, who is in charge first
    version: int = 0  # sequence number of the last event; set by the store


@dataclass(frozen=True, slots=True)
class Batch:
    """All that one inbox row leads to, committed together with "this row is done".

    `ticket` is the lane, or empty where there is nothing to record; `result`: a word for the operator. `erases`: what is personal in the
    case is gone with this.
    """

    ticket: str = ""
    entries: tuple[Entry, ...] = ()
    effects: tuple[Effect, ...] = ()
    causes: tuple[str, ...] = ()
    observed: Json | None = None
    case_row: CaseRow | None = None
    result: str = ""
    erases: bool = False


@dataclass(frozen=True, slots=True)
class NoteMade:
    """A note on the platform: the effect's key, its slot ("" for none) and GitLab's id."""

    key: str
    slot: str
    note_id: int


class NumberState(StrEnum):
    """What became of a document number."""

    RESERVED = "reserved"  # for a paper that is not filed yet
    ISSUED = "issued"
    IMPORTED = "imported"  # out of the book that was kept by hand
    VOID = "void"


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A line of the book of numbers. `document`: what the number is for, "<ticket>/<slug>" or "<slug of a report>:<period>".

    `document` is None, and `subject` said, for a number taken over from the book kept by hand; `day` is None where an older release
    reserved the number. `issued_at`: when the first paper under it was filed.
    """

    series: str  # slug of the document type
    year: int
    seq: int
    suffix: str  # "b" of "100b"; "": none
    number: str
    document: str | None = None
    day: date | None = None
    subject: str = ""
    issued_at: datetime | None = None
    voided_at: datetime | None = None
    reason: str = ""

    @property
    def place(self) -> tuple[str, int, int, str]:
        """Where it stands: no two numbers stand in the same place."""
        return self.series, self.year, self.seq, self.suffix

    @property
    def state(self) -> NumberState:
        """What became of it."""
        if self.voided_at is not None:
            return NumberState.VOID
        if self.document is None:
            return NumberState.IMPORTED
        return NumberState.RESERVED if self.issued_at is None else NumberState.ISSUED


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What became of the lines of a hand-kept book: how many are new; or, none being taken, those that clash, each with what is there."""

    new: int
    clashes: tuple[tuple[NumberRow, NumberRow], ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a ledger as it is stored: `actor` and `data` as plain data, `at` aware, `hash` by writing.link."""

    seq: int
    at: datetime
    actor: Json
    cause: str
    kind: str
    data: Json
    prev: str
    hash: str


@dataclass(frozen=True, slots=True)
class ChainFault:
    """Where the ledger of a case does not hold. `kind`: a key of templates/messages/cli.yaml ("rantai_..."); `seq` 0: the whole case."""

    ticket: str
    seq: int
    kind: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits on one side ("inbox", "outbox"): rows, parked rows, and since when the oldest is overdue (None: nothing is).

    `failing`: how many rows of a state failed in a way, by state and integration.faults.Failure.
    """

    side: str
    waiting: int
    parked: int
    oldest: datetime | None
    failing: Mapping[tuple[str, str], int]
