"""What reached us, typed: the only things `decide` ever looks at besides the case itself.

Every fact carries a key that is the same whenever the same thing is seen again (a note's id, a delivery's id, a week), so that a fact told
twice is decided once.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Via(StrEnum):
    """How a person asked for an outcome; equal in effect, different in what can be said along with it."""

    COMMENT = "comment"
    LABEL = "label"
    CLOSE = "close"
    PORTAL = "portal"


class ActorKind(StrEnum):
    PERSON = "person"  # an account on the platform
    UNIT = "unit"  # the unit, through the portal
    SERVICE = "service"  # the clock, the sweep, the service itself


@dataclass(frozen=True, slots=True)
class Actor:
    kind: ActorKind
    account: str = ""  # username on the platform; "" for the others
    name: str = ""


SERVICE = Actor(ActorKind.SERVICE, name="alur-pos")

Sections = tuple[tuple[str, str], ...]  # (title as written, text)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file kept under ALUR_DATA_DIR by its hash; `url` where it is still only somewhere else."""

    name: str
    media_type: str
    size: int
    sha256: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """One version of the form as the core needs it; the whole form is kept frozen under `sha256`."""

    unit_code: str
    unit_name: str
    head_name: str
    head_nip: str
    head_title: str
    head_email: str
    reporter: str
    reporter_email: str
    system: str
    system_url: str
    subject: str
    category: str
    description: str
    reproduction: str
    since: str  # RFC 3339 as sent
    urgency: str  # rendah, sedang, tinggi, kritis
    impact: str
    attachments: tuple[Attachment, ...]
    filled_from: datetime | None
    filled_until: datetime | None
    sha256: str  # of the frozen form
    basis: str = ""  # on which personal data is processed, and the version of the notice that was agreed to (UU PDP)
    notice: str = ""
    entered_by: str = ""  # who entered it off line, from paper; "": the unit itself, in the portal

    @property
    def about(self) -> str:
        """What it is about, on one line: the system and the subject, of which nothing is left where it was erased."""
        return f"{self.system}: {self.subject}" if self.subject else self.system


@dataclass(frozen=True, slots=True)
class Known:
    """What all facts share: `key` (idempotency), `at` (aware, when it happened), `by`."""

    key: str
    at: datetime
    by: Actor


# --- the portal ---


@dataclass(frozen=True, slots=True)
class FormSubmitted(Known):
    ticket: str
    submission: Submission


@dataclass(frozen=True, slots=True)
class FormRevised(Known):
    submission: Submission


@dataclass(frozen=True, slots=True)
class Withdrawn(Known):
    reason: str


@dataclass(frozen=True, slots=True)
class LinkAsked(Known):
    """Whoever holds an old link of the unit's turn asks for another; `stay`: the entry by which the case came to the step it is for."""

    stay: int


@dataclass(frozen=True, slots=True)
class FilesSent(Known):
    """The unit sent files along with what it answers; `stay`: the entry by which the case came to the step it answers at."""

    stay: int
    attachments: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True)
class OutcomeChosen(Known):
    """Somebody asks to leave the current step by `word`: in a comment, by closing, or the unit through the portal.

    `step`: the step it was meant for, where the asking says so (the portal's types do); None: the current one.
    """

    word: str
    reason: str
    sections: Sections
    via: Via
    step: int | None = None


# --- people on the platform ---


@dataclass(frozen=True, slots=True)
class StepLabelMoved(Known):
    """A step's label was put on; `others`: further ones put on in the same stroke, so that nobody can say which was meant."""

    to: int
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PriorityMoved(Known):
    """A label of the priority family was put on; `priority` is its word, whether or not it is a priority."""

    priority: str


@dataclass(frozen=True, slots=True)
class IssueClosed(Known):
    pass


@dataclass(frozen=True, slots=True)
class IssueReopened(Known):
    pass


@dataclass(frozen=True, slots=True)
class Ticked(Known):
    """Boxes of the step's checklist found set (`done`) or cleared by this actor."""

    requirement: str  # Requirement.id
    done: bool


@dataclass(frozen=True, slots=True)
class TeamNamed(Known):
    """`accounts[0]` is in charge."""

    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProgressMade(Known):
    """A progress report; `week` is the ISO week it counts for, e.g. "2026-W47"."""

    week: str
    percent: int | None
    sections: Sections


@dataclass(frozen=True, slots=True)
class AccessGiven(Known):
    account: str
    server: str
    right: str
    until: date


@dataclass(frozen=True, slots=True)
class AccessTaken(Known):
    account: str
    server: str


@dataclass(frozen=True, slots=True)
class DocumentAttached(Known):
    """`signer`: for whom it was signed, as it was written; "" where nothing is said of that."""

    document: str
    links: tuple[str, ...]
    signer: str = ""


class Finding(StrEnum):
    """What was found of a file that is said to be the signed copy of a paper; all but SOUND are refusals' codes.

    SOUND says no more than what its provider looks for (offices.Provider): never who signed, nor that a certificate is to be trusted.
    """

    UNSEEN = "unseen"  # not looked at yet
    SOUND = "sound"
    ONE_FILE = "one_file"  # none came, or several
    FILE_GONE = "file_gone"  # the platform does not have it
    FILE_TOO_LARGE = "file_too_large"
    NO_SCAN = "no_scan"  # neither PDF nor picture
    NO_PDF = "no_pdf"
    SAME_FILE = "same_file"  # the paper as it was issued, or a copy that was handed in before
    CONTENT_CHANGED = "content_changed"  # does not begin with what was issued and signed before, or shows something else
    UNSIGNED = "unsigned"  # one signature fewer than there must be by now
    SIGNATURE_BROKEN = "signature_broken"
    PAPER_VOID = "paper_void"  # the paper's number was made void


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that is kept under ALUR_DATA_DIR by its hash. `link`: Markdown link of the upload, "" where there is none.

    `certificate`: whom the newest signature's certificate names, as it says itself; "" where there is none.
    """

    sha256: str
    size: int
    media_type: str
    link: str = ""
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class SignedCopyGiven(Known):
    """Somebody handed in what they say is the signed copy of a paper.

    `paper`: its id, "" where no paper of this type asks for one; `signer`: the role of whoever signed, as far as it was said; `copy` None:
    there is no such file; `provider`: an offices.Provider's value, by which it was looked at.
    """

    document: str
    paper: str
    signer: str
    provider: str
    copy: Copy | None = None
    finding: Finding = Finding.UNSEEN


@dataclass(frozen=True, slots=True)
class PauseAsked(Known):
    reason: str


@dataclass(frozen=True, slots=True)
class ResumeAsked(Known):
    pass


@dataclass(frozen=True, slots=True)
class HandOffAsked(Known):
    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class EmergencyAsked(Known):
    reason: str


@dataclass(frozen=True, slots=True)
class CheckAsked(Known):
    pass


@dataclass(frozen=True, slots=True)
class HelpAsked(Known):
    pass


@dataclass(frozen=True, slots=True)
class CommandUnclear(Known):
    """A `/pos` line nobody can act on: an unknown word (with the nearest one) or arguments of the wrong form."""

    word: str
    nearest: str | None
    usage: str  # key of the usage line to show; "" for an unknown word


@dataclass(frozen=True, slots=True)
class SecretWritten(Known):
    """A comment carried a password, key or token; it was not acted on (procedure.md rule 8)."""


# --- the service's own findings ---


@dataclass(frozen=True, slots=True)
class IssueLinked(Known):
    """The issue exists on the platform."""

    iid: int
    url: str


@dataclass(frozen=True, slots=True)
class TaskLinked(Known):
    """A member's own issue exists on the platform."""

    account: str
    iid: int
    url: str


@dataclass(frozen=True, slots=True)
class IssueDrifted(Known):
    """The issue differs from what the ledger says, by nobody's request that could be read.

    `what`: keys of templates/messages/drift.yaml. `accounts`: who changed the issue of late, as far as GitLab says so.
    """

    what: tuple[str, ...]
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IssueLost(Known):
    """The case's issue was deleted on the platform: GitLab has no way to bring it back."""

    iid: int


@dataclass(frozen=True, slots=True)
class DocumentFiled(Known):
    """A document was made: stored under its hash and uploaded."""

    document: str  # id of the issued document
    number: str
    sha256: str
    size: int
    link: str  # Markdown link of the upload


@dataclass(frozen=True, slots=True)
class SignedCopyUploaded(Known):
    """The signed copy of the paper `document` with this hash is on the platform, too."""

    document: str
    sha256: str
    link: str  # Markdown link of the upload


@dataclass(frozen=True, slots=True)
class StepExpired(Known):
    """The due time of the current step has passed; `entry` is the sequence number of the step's entering."""

    entry: int


class Reminder(StrEnum):
    """When the people of a step are reminded of its due time; each kind once for a due time, and in working hours only."""

    DAY_BEFORE = "day_before"  # on the working day before the due date
    ON_THE_DAY = "on_the_day"
    AFTER = "after"  # the due time has passed
    ONE_UP = "one_up"  # it passed a working day ago: the office above is told


@dataclass(frozen=True, slots=True)
class ReminderDue(Known):
    """It is time to remind; `entry` as in StepExpired, `due` the due time spoken of."""

    entry: int
    kind: Reminder
    due: datetime


@dataclass(frozen=True, slots=True)
class OrganisationChanged(Known):
    """Who holds which office, or when there is work, is not what it was: the file was changed, or a day has come it speaks of."""


@dataclass(frozen=True, slots=True)
class ErasureOrdered(Known):
    """What is personal in the case is to be erased. `ground`: why that is lawful, a key of templates/messages/privacy.yaml."""

    ground: str


@dataclass(frozen=True, slots=True)
class FormCorrected(Known):
    """What the form says of persons was wrong, and is put right; nothing else of the case changes."""

    submission: Submission


@dataclass(frozen=True, slots=True)
class RevisionAdopted(Known):
    """The case goes on under another revision of its procedure; decided under that one."""

    revision: str


@dataclass(frozen=True, slots=True)
class Activity:
    """What was done about a case in one week, as its issue tells it: each thing once, oldest first.

    `ticked`: the words of boxes that were set and still are; `merge_requests` and `commits` that mention the issue, as GitLab refers to
    them; `comments` of the team that ask for nothing. `done` of `tasks`: the boxes of people's own list in the description, all of them.
    """

    ticked: tuple[str, ...] = ()
    merge_requests: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    done: int = 0
    tasks: int = 0


@dataclass(frozen=True, slots=True)
class WeekDue(Known):
    """Friday afternoon: this week's report is asked for. The clock knows of no `activity`; it is gathered before this is decided."""

    week: str
    activity: Activity = Activity()


@dataclass(frozen=True, slots=True)
class WeekEnded(Known):
    """The week is over: a missing report is noted. `working_days` of that week: 0 means nothing was owed."""

    week: str
    working_days: int


class Chase(StrEnum):
    """How the reports of a week that are not there are asked for; each once a week."""

    ASK = "tagih"  # with the draft, on the afternoon of the week's last working day
    REMIND = "ingat"  # on the first working day after the week
    LIST = "daftar"  # on the working day after that: whoever leads the team's members is told


@dataclass(frozen=True, slots=True)
class ReportsOwed(Known):
    """One person is to be told, on the issue of this case, of all the `tickets` whose reports of the week are theirs, or their people's."""

    week: str
    kind: Chase
    account: str
    tickets: tuple[str, ...]


Fact = (
    FormSubmitted
    | FormRevised
    | Withdrawn
    | LinkAsked
    | FilesSent
    | OutcomeChosen
    | StepLabelMoved
    | PriorityMoved
    | IssueClosed
    | IssueReopened
    | Ticked
    | TeamNamed
    | ProgressMade
    | AccessGiven
    | AccessTaken
    | DocumentAttached
    | SignedCopyGiven
    | PauseAsked
    | ResumeAsked
    | HandOffAsked
    | EmergencyAsked
    | CheckAsked
    | HelpAsked
    | CommandUnclear
    | SecretWritten
    | IssueLinked
    | TaskLinked
    | IssueDrifted
    | IssueLost
    | DocumentFiled
    | SignedCopyUploaded
    | StepExpired
    | ReminderDue
    | OrganisationChanged
    | ErasureOrdered
    | FormCorrected
    | RevisionAdopted
    | WeekDue
    | WeekEnded
    | ReportsOwed
)
