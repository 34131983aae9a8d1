"""What we recorded: the ledger's entries, past tense. A case is nothing but its events, folded by `case.evolve`.

Events hold plain values only, so that they can be stored as JSON, hashed into a chain and read for ever. Never change the meaning of a
field; add an event or a field with a default instead.
"""

from dataclasses import dataclass
from datetime import date, datetime

from integration.procedure.facts import Actor, Attachment, Sections, Submission


@dataclass(frozen=True, slots=True)
class CaseOpened:
    ticket: str
    procedure: str
    revision: str
    submission: Submission


@dataclass(frozen=True, slots=True)
class FormRevised:
    version: int
    submission: Submission


@dataclass(frozen=True, slots=True)
class FilesReceived:
    """The unit sent files along with its answer at this step."""

    step: int
    attachments: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True)
class IssueLinked:
    iid: int
    url: str


@dataclass(frozen=True, slots=True)
class IssueLost:
    """The case's issue was deleted on the platform; another one takes its place."""

    iid: int


@dataclass(frozen=True, slots=True)
class StepEntered:
    """`due` None: no clock runs (recorded steps, the unit's revision, a calendar year not loaded: `gap` names it).

    `waits_for_unit`: the unit performs it. `at`: when it was entered, where that is not when it was recorded (the portal's times).
    `asked`: the accounts that were to act then. `sought_at`: when what led here was asked for, where that is before it was recorded.
    """

    step: int
    due: datetime | None
    round: int
    gap: int | None = None
    waits_for_unit: bool = False
    at: datetime | None = None
    asked: tuple[str, ...] = ()
    sought_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StepLeft:
    """`role` and `office` ("" or "Plt.", "Plh."): in what capacity; `unconfirmed`: by a second role of an inferred step.

    `outcome` is "" for a step that was only recorded; `at` as in StepEntered.
    """

    step: int
    outcome: str
    reason: str
    sections: Sections
    role: str
    office: str
    unconfirmed: bool
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignedOff:
    """A verification was signed in a round.

    `exemption`: the acting office ("Plt. Koordinator Programmer") that allowed what nobody else may: to sign twice in a round, or as a
    member of the team (procedure.md rule 4); "" otherwise.
    """

    step: int
    round: int
    accepted: bool
    role: str
    office: str
    exemption: str = ""


@dataclass(frozen=True, slots=True)
class SignoffsStaled:
    round: int  # the round that ended
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing; `suppliers`: names of the roles that can supply it.

    By `kind`, `item` is: requirement, document, report: the words of the requirement; section: a heading not written; date, priority,
    percent: a heading whose text cannot be read as one; date_order: a heading whose day is before the one above it; gate: "team" or "grant"
    (definition.Gate); grant: an access not yet revoked, as "account server"; attachment: title of a document to attach; reason: ""; member:
    an account that cannot be in the team; target: a procedure a case can be handed to; signer: in what capacity somebody signs.
    """

    kind: str
    item: str
    suppliers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """A request was refused. `code`: see guards.Refusal; `asked`: the word or act that was refused."""

    step: int | None
    code: str
    asked: str
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True)
class RequirementTicked:
    requirement: str


@dataclass(frozen=True, slots=True)
class RequirementCleared:
    requirement: str


@dataclass(frozen=True, slots=True)
class PrioritySet:
    priority: str


@dataclass(frozen=True, slots=True)
class TeamAssigned:
    """`members[0]` is in charge. `version` counts from 1."""

    version: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TeamProposed:
    """Another team is to take the place of the one the approved letter names; the amended letter waits for its approval."""

    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LetterAnswered:
    """The amended letter was approved, or sent back for a `reason`; `role` and `office` as in StepLeft."""

    accepted: bool
    reason: str
    role: str
    office: str


@dataclass(frozen=True, slots=True)
class TaskLinked:
    """A member of the team beside the one in charge has an issue of their own: what they are to do, assigned to them."""

    account: str
    iid: int
    url: str


@dataclass(frozen=True, slots=True)
class ProgressReported:
    week: str
    step: int
    percent: int
    sections: Sections


@dataclass(frozen=True, slots=True)
class ProgressDrafted:
    """A week's report was put together from what people did, to be confirmed; parts with nothing to say are left out.

    `percent` None: nothing tells it.
    """

    week: str
    percent: int | None
    sections: Sections


@dataclass(frozen=True, slots=True)
class DutyMissed:
    week: str


@dataclass(frozen=True, slots=True)
class DutySkipped:
    """No working day in that week: nothing was owed."""

    week: str


@dataclass(frozen=True, slots=True)
class AccessGranted:
    account: str
    server: str
    right: str
    until: date


@dataclass(frozen=True, slots=True)
class AccessRevoked:
    account: str
    server: str


@dataclass(frozen=True, slots=True)
class DocumentAttached:
    document: str
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentIssued:
    """A paper is due from what the ledger says up to this entry. `id` is "<ticket>/<slug>/<version>"."""

    id: str
    document: str
    edition: str
    version: int
    step: int


@dataclass(frozen=True, slots=True)
class DocumentFiled:
    id: str
    number: str
    sha256: str
    size: int
    link: str


@dataclass(frozen=True, slots=True)
class DocumentSigned:
    """A signed copy of the paper `id` was handed in: of whoever signs in this `role`, printed as `capacity`.

    `complete`: with it the last one signed whose signature is asked for. `provider`: how it was signed and looked at; the rest: facts.Copy.
    """

    id: str
    role: str
    capacity: str
    provider: str
    complete: bool
    sha256: str
    size: int
    media_type: str
    link: str
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class SignedCopyLinked:
    """The signed copy of the paper `id` with this hash, which came by our own page, is on the platform."""

    id: str
    sha256: str
    link: str


@dataclass(frozen=True, slots=True)
class Paused:
    reason: str


@dataclass(frozen=True, slots=True)
class Resumed:
    due: datetime | None
    gap: int | None = None


@dataclass(frozen=True, slots=True)
class StepRanLate:
    step: int


@dataclass(frozen=True, slots=True)
class Reminded:
    """People were reminded of the current due time. `kind`: a facts.Reminder's value; `accounts`: whom."""

    step: int
    kind: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PerformersChanged:
    """Others are to act at the current step than before; () on either side: nobody held the office."""

    before: tuple[str, ...]
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DueRecomputed:
    """Working time is not what it was when the step was entered; `late`: whether the step is late by the new due time."""

    due: datetime | None
    gap: int | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class RevisionAdopted:
    """The case goes on under this revision of its procedure, at the step where it stands; `late`: as in DueRecomputed."""

    revision: str
    due: datetime | None
    gap: int | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class EmergencyOpened:
    """`debts`: the skipped steps with the day each is owed by (None where the calendar ends before)."""

    reason: str
    from_step: int
    debts: tuple[tuple[int, date | None], ...]


@dataclass(frozen=True, slots=True)
class DebtPaid:
    step: int


@dataclass(frozen=True, slots=True)
class IssueMended:
    """The platform showed something else than the ledger; it is put right."""

    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonalDataErased:
    """What was personal in the case is gone for good; `ground`: see facts.ErasureOrdered."""

    ground: str


@dataclass(frozen=True, slots=True)
class CaseEnded:
    """`ending`: a definition.Ending's value; `target`: the procedure a case was handed to."""

    ending: str
    reason: str
    target: str = ""


Event = (
    CaseOpened
    | FormRevised
    | FilesReceived
    | IssueLinked
    | IssueLost
    | StepEntered
    | StepLeft
    | SignedOff
    | SignoffsStaled
    | RequestRefused
    | RequirementTicked
    | RequirementCleared
    | PrioritySet
    | TeamAssigned
    | TeamProposed
    | LetterAnswered
    | TaskLinked
    | ProgressReported
    | ProgressDrafted
    | DutyMissed
    | DutySkipped
    | AccessGranted
    | AccessRevoked
    | DocumentAttached
    | DocumentIssued
    | DocumentFiled
    | DocumentSigned
    | SignedCopyLinked
    | Paused
    | Resumed
    | StepRanLate
    | Reminded
    | PerformersChanged
    | DueRecomputed
    | RevisionAdopted
    | EmergencyOpened
    | DebtPaid
    | IssueMended
    | PersonalDataErased
    | CaseEnded
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: an event, its place in the case (from 1), when it happened (aware UTC), who caused it, the fact's key."""

    seq: int
    at: datetime
    by: Actor
    cause: str
    event: Event
