"""A procedure as data: roles, steps, outcomes, requirements, sections, documents, and the rules beside the table.

Nothing here knows a particular procedure. Whatever differs between two procedures is a value of these types, never a line of Python.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Channel(StrEnum):
    """Where a role acts."""

    PORTAL = "portal"
    PLATFORM = "platform"


class Source(StrEnum):
    """Why a step has the performer it has (procedure.md, "Steps")."""

    MARK = "mark"  # the flowchart of the issued document marks it
    TEXT = "text"  # the step's own words name the performer
    INFERRED = "inferred"  # decided here, until the office has signed the role map
    NONE = "none"  # the step is recorded by the service; nobody performs it


class Supply(StrEnum):
    """What satisfies a requirement (`kelengkapan`) of a step."""

    FORM = "form"  # the submitted form
    ACCOUNT = "account"  # the actor reached us through their own platform account
    DOCUMENT = "document"  # a document of the case, see Requirement.document
    SCHEDULE = "schedule"  # the sections of kind DATE are written, at this step or at one before it
    SECTION = "section"  # the sections of this very step, which are checked anyway
    TEAM = "team"  # a team is assigned
    REPORT = "report"  # a complete progress report exists
    GRANT = "grant"  # an access grant is open
    TICK = "tick"  # a tick in the checklist by a holder of the step's role


class Unit(StrEnum):
    """Unit of a time standard. A working day is not so many working minutes: the two are counted differently."""

    MINUTES = "minutes"
    DAYS = "days"
    WEEKLY = "weekly"


class SectionKind(StrEnum):
    """How the text below a heading is checked."""

    TEXT = "text"
    DATE = "date"  # 2026-12-31 or 31 Desember 2026
    PRIORITY = "priority"  # one of Priority
    PERCENT = "percent"  # 0 to 100; a duty's percentage
    SERVICE = "service"  # filled in by the service, never asked of a person


class Trace(StrEnum):
    """What people leave on the platform while they work; a part of a report is drafted from it."""

    TICKS = "ticks"  # boxes set in the description
    MERGE_REQUESTS = "merge-requests"  # that mention the issue
    COMMITS = "commits"  # likewise
    COMMENTS = "comments"  # of the team


class Priority(StrEnum):
    LOW = "rendah"
    MEDIUM = "sedang"
    HIGH = "tinggi"
    CRITICAL = "kritis"


class OutcomeKind(StrEnum):
    FORWARD = "forward"  # needs requirements, sections and gates
    RETURN = "return"  # needs a reason
    END = "end"  # ends the case without handover; needs a reason


class Gate(StrEnum):
    """What must hold besides requirements and sections before a step is left forward."""

    TEAM = "team"  # a team is set (step 13)
    GRANT = "grant"  # at least one grant was recorded (step 27)
    REVOKED = "revoked"  # every grant was revoked (step 30)


COMMANDS = frozenset({"akses", "alihkan", "batal", "cabut-akses", "darurat", "jeda", "lampir", "lanjut", "tanda-tangan", "tugaskan"})
"""What a role can be given authority for beside the outcomes of its steps and the duty's own word (contract.md, "On the platform").

"tanda-tangan" is no command: it is to hand in, for whoever signed it, the signed copy of a paper.
"""

QUESTIONS = frozenset({"bantuan", "cek"})
"""Commands that change nothing and need no authority."""

DRAFT = "draft"
"""The edition of a document that carries no number yet and is not shown to the unit."""


class Ending(StrEnum):
    """How a case can end; values are the status labels' own words (contract.md)."""

    DONE = "selesai"
    REFUSED = "ditolak"
    WITHDRAWN = "dibatalkan"
    HANDED_OFF = "dialihkan"


@dataclass(frozen=True, slots=True)
class Role:
    """Who performs steps. `team` marks the role that means "the members this case's assignment letter names".

    `superior`: the role one office up, told when a step of this role stays late; None for the head.
    """

    slug: str
    name: str
    channel: Channel
    team: bool = False
    superior: str | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """One item of a step's `kelengkapan`, word for word, and what satisfies it. `id` is "20.5": step, dot, position."""

    id: str
    text: str
    supply: Supply
    document: str | None = None  # slug of a DocumentType, for Supply.DOCUMENT
    edition: str | None = None  # the edition it must have, e.g. "final"; None: any


@dataclass(frozen=True, slots=True)
class Standard:
    """The time standard of a step: `text` word for word, `amount` in `unit` (0 for WEEKLY)."""

    text: str
    amount: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Section:
    """A heading the performer writes below in the comment; a step is not left without it.

    `draft_from`: for a part of the duty's report, what it is drafted from before the performer writes it.
    """

    title: str
    kind: SectionKind = SectionKind.TEXT
    draft_from: tuple[Trace, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A word that leaves a step. Exactly one of `to` (a step number) and `ending` is set."""

    word: str
    kind: OutcomeKind
    to: int | None = None
    ending: Ending | None = None

    @property
    def needs_reason(self) -> bool:
        """Returns and endings give a reason (the `*` of procedure.md's table)."""
        return self.kind is not OutcomeKind.FORWARD


@dataclass(frozen=True, slots=True)
class Product:
    """A document a step makes when it is left by one of the outcomes `on`."""

    document: str
    edition: str
    on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Also:
    """A second role that may perform a step: of an inferred one until the role map is signed, of one whose words name two for good.

    `attachment`: the document it must have attached first (`/pos lampir`).
    """

    role: str
    attachment: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    number: int
    name: str  # short name, as in the label "langkah::04 Pemeriksaan"
    text: str  # uraian, word for word
    requirements: tuple[Requirement, ...] = ()
    standard: Standard | None = None
    outputs: tuple[str, ...] = ()  # keluaran, item by item, word for word
    remark: str = ""  # keterangan
    performer: str | None = None
    also: tuple[Also, ...] = ()
    source: Source = Source.NONE
    note: str = ""  # what this step's file entry decides beyond the issued words
    outcomes: tuple[Outcome, ...] = ()
    sections: tuple[Section, ...] = ()
    products: tuple[Product, ...] = ()
    gates: tuple[Gate, ...] = ()
    unit_takes_part: bool = False  # the unit is told when this step is entered though another role performs it (procedure.md rule 10)

    @property
    def label_text(self) -> str:
        """How the step is called on the platform: "04 Pemeriksaan"."""
        return f"{self.number:02d} {self.name}"

    def outcome(self, word: str) -> Outcome | None:
        """The outcome called `word`, None where the step has none."""
        return next((o for o in self.outcomes if o.word == word), None)


@dataclass(frozen=True, slots=True)
class DocumentType:
    """A paper of this procedure. `template` names a file of templates/documents without its ending.

    Without a template people attach it (`/pos lampir`) and the service never makes it. `numbered` and `for_unit` hold for every edition
    but `DRAFT`; the number belongs to the document, its editions share it. `signatures`: of which editions signed copies are asked for, and
    from how many of those who sign them, in the order they are printed in.
    """

    slug: str
    title: str
    template: str = ""
    numbered: bool = False
    for_unit: bool = False
    signatures: tuple[tuple[str, int], ...] = ()

    def signatures_on(self, edition: str) -> int:
        """How many signed copies are asked for of this edition, one of each signer; 0: none is."""
        return dict(self.signatures).get(edition, 0)

    def reaches_unit(self, edition: str) -> bool:
        """Whether the unit gets this edition."""
        return self.for_unit and edition != DRAFT


@dataclass(frozen=True, slots=True)
class Duty:
    """A recurring report: owed every ISO week while the case stands in first..last; a complete one leaves `step` by `outcome`."""

    word: str  # the command, "progres"
    first: int
    last: int
    step: int
    outcome: str
    parts: tuple[Section, ...]
    document: str | None = None

    def covers(self, step: int | None) -> bool:
        """Whether reports are owed at this step; None: the case stands at none."""
        return step is not None and self.first <= step <= self.last


@dataclass(frozen=True, slots=True)
class Verification:
    """The chain of sign-offs; a return that lands at or before its last step opens a new round and makes old sign-offs stale."""

    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Emergency:
    """An exception order: the case goes to `first` at once, walks to `last`, then pays the skipped steps and joins again after `last`."""

    first: int
    last: int
    debt_days: int  # working days within which each skipped step is owed


@dataclass(frozen=True, slots=True)
class Letter:
    """The paper that names the team: drafted at one step, approved at another by which it is signed, received by the team at a third.

    A team that is changed after the approval needs an amended one, which whoever performs `approval` answers by that step's own words.
    """

    document: str
    draft: int
    approval: int
    receipt: int


@dataclass(frozen=True, slots=True)
class Law:
    """A law documents may cite; reviewed, see procedure.md rule 11."""

    slug: str
    title: str


@dataclass(frozen=True, slots=True)
class Head:
    """The head of the issued document, word for word."""

    number: str
    name: str
    created: str
    revised: str
    revision: str
    effective: str
    approved_by: tuple[str, ...]
    legal_basis: tuple[str, ...]
    qualifications: tuple[str, ...]
    related: tuple[str, ...]
    equipment: tuple[str, ...]
    warning: str
    recording: str


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure in one revision. `authority` says which roles may give which beside-the-table command, `authority_notes` why."""

    slug: str
    revision: str
    prefix: str  # of tickets: "SI" in SI-2026-000123; also of the label "pos::SI"
    form: str  # "FRM-SI-005"
    head: Head
    roles: tuple[Role, ...]
    steps: tuple[Step, ...]
    opens_at: int  # the step an accepted form is put at; the ones before are recorded
    revises_at: int  # the step a `revisi` goes back to: the unit's turn, clock stopped
    authority: dict[str, tuple[str, ...]]  # "jeda" -> role slugs
    documents: tuple[DocumentType, ...] = ()
    duty: Duty | None = None
    verification: Verification | None = None
    emergency: Emergency | None = None
    letter: Letter | None = None
    handoffs: tuple[str, ...] = ()  # names of related procedures a case can be handed to
    laws: tuple[Law, ...] = ()
    authority_notes: dict[str, str] = field(default_factory=dict)

    def step(self, number: int) -> Step:
        """The step with this number. KeyError for a number the procedure lacks."""
        for step in self.steps:
            if step.number == number:
                return step
        raise KeyError(number)

    def role(self, slug: str) -> Role:
        """The role with this slug. KeyError for one the procedure lacks."""
        for role in self.roles:
            if role.slug == slug:
                return role
        raise KeyError(slug)

    def document(self, slug: str) -> DocumentType:
        """The document type with this slug. KeyError for one the procedure lacks."""
        for document in self.documents:
            if document.slug == slug:
                return document
        raise KeyError(slug)


Revisions = Mapping[tuple[str, str], Procedure]
"""Procedures by slug and revision."""


def by_revision(procedures: Iterable[Procedure]) -> Revisions:
    """Each of these by its slug and revision, as a case names the one it is pinned to."""
    return {(procedure.slug, procedure.revision): procedure for procedure in procedures}
