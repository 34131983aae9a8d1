"""What must be done outside, as data. Each effect has a key: performing it twice leaves one trace.

Effects carry names of templates and plain values, never a sentence; the words are chosen where they are written (templates/).
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class OpenIssue:
    """Create the case's confidential issue, exactly once; its outcome is the fact IssueLinked."""

    key: str


@dataclass(frozen=True, slots=True)
class ShowOnIssue:
    """Bring the issue to what the ledger says when this is performed: title, labels, assignee, due date, region, open or closed."""

    key: str


@dataclass(frozen=True, slots=True)
class PostNote:
    """Post a note from templates/notes/<template>.md. With a `slot`, a note posted before in the same slot is updated instead."""

    key: str
    template: str
    context: dict[str, object] = field(default_factory=dict)
    slot: str = ""


@dataclass(frozen=True, slots=True)
class OpenTask:
    """Give a member of the team an issue of their own, linked to the case's; one they had before is opened again. Outcome: TaskLinked."""

    key: str
    account: str


@dataclass(frozen=True, slots=True)
class CloseTask:
    """Close a member's own issue: the case has ended, or they left the team."""

    key: str
    account: str


@dataclass(frozen=True, slots=True)
class UploadAttachments:
    """Upload the attachments of form version `version`, or what the unit `sent` by that entry, to the issue and link them in one note."""

    key: str
    version: int
    sent: int = 0


@dataclass(frozen=True, slots=True)
class IssueDocument:
    """Make, store and upload the document with this id, from the ledger up to its DocumentIssued entry; outcome: DocumentFiled."""

    key: str
    document: str


@dataclass(frozen=True, slots=True)
class UploadSigned:
    """Upload the signed copy of the paper `document` that has this hash and came by our own page; outcome: SignedCopyUploaded."""

    key: str
    document: str
    sha256: str


@dataclass(frozen=True, slots=True)
class EraseCopies:
    """Remove what the platform and our own files still hold of an erased case: comments, uploads, the team's own issues.

    `links`: Markdown links of files that were uploaded for it.
    """

    key: str
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallPortal:
    """Call the portal back: `type` of contract.md "Service -> portal". `stay`: of the turn, whose link goes along; 0: none does."""

    key: str
    type: str
    data: dict[str, object] = field(default_factory=dict)
    stay: int = 0


@dataclass(frozen=True, slots=True)
class PublishReport:
    """Publish a report on the platform: its files, its wiki page, the index. `week`: an ISO week ("2026-W23"), also a month or a year."""

    key: str
    week: str


@dataclass(frozen=True, slots=True)
class SendMail:
    """Send templates/mail/<template>.md to these addresses; the report of `context["week"]` and the workload then are made anew.

    `stay`: see CallPortal.
    """

    key: str
    template: str
    to: tuple[str, ...]
    context: dict[str, object] = field(default_factory=dict)
    stay: int = 0


Effect = (
    OpenIssue
    | ShowOnIssue
    | PostNote
    | OpenTask
    | CloseTask
    | UploadAttachments
    | IssueDocument
    | UploadSigned
    | EraseCopies
    | CallPortal
    | PublishReport
    | SendMail
)
