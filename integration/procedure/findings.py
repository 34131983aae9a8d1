"""What the service found out itself: the issue exists, differs or is gone, a document was made."""

from integration.procedure import contexts
from integration.procedure.definition import Step
from integration.procedure.draft import Draft, Ignored
from integration.procedure.events import DocumentFiled as Filed
from integration.procedure.events import IssueLinked as Linked
from integration.procedure.events import IssueLost as Lost
from integration.procedure.events import IssueMended, PersonalDataErased, SignedCopyLinked
from integration.procedure.events import TaskLinked as TaskNumbered
from integration.procedure.facts import (
    DocumentFiled,
    ErasureOrdered,
    IssueDrifted,
    IssueLinked,
    IssueLost,
    SignedCopyUploaded,
    TaskLinked,
)


def issue_linked(draft: Draft, fact: IssueLinked) -> None:
    """The case has its issue."""
    if (draft.case.iid, draft.case.url) == (fact.iid, fact.url):
        draft.ignore(Ignored.SAME)
    else:
        draft.record(Linked(fact.iid, fact.url))


def task_linked(draft: Draft, fact: TaskLinked) -> None:
    """A member of the team has their own issue."""
    if draft.case.tasks.get(fact.account) == fact.iid:
        draft.ignore(Ignored.SAME)
    else:
        draft.record(TaskNumbered(fact.account, fact.iid, fact.url))


def issue_drifted(draft: Draft, fact: IssueDrifted) -> None:
    """The issue showed something else than the ledger; it is put right, and said once for each stay in a step."""
    if not fact.what:
        draft.ignore(Ignored.SAME)
        return
    draft.record(IssueMended(fact.what))
    draft.note("dipulihkan", {"what": list(fact.what), "accounts": list(fact.accounts)}, slot=f"dipulihkan:{draft.case.entered_seq}")


def document_filed(draft: Draft, fact: DocumentFiled) -> None:
    """A document is made, stored and uploaded; the unit is told of what is meant for it (procedure.md rule 10)."""
    paper = next((p for p in draft.case.documents if p.id == fact.document), None)
    if paper is None:
        draft.ignore(Ignored.NOT_OURS)
        return
    if paper.sha256:
        draft.ignore(Ignored.SAME)
        return
    draft.record(Filed(fact.document, fact.number, fact.sha256, fact.size, fact.link))
    kind = draft.procedure.document(paper.document)
    if kind.reaches_unit(paper.edition):
        draft.call_portal("dokumen.terbit", dokumen={"jenis": kind.slug, "judul": kind.title, "nomor": fact.number})


def signed_copy_uploaded(draft: Draft, fact: SignedCopyUploaded) -> None:
    """A signed copy that came by our own page is on the platform, too."""
    copies = [copy for paper in draft.case.documents if paper.id == fact.document for copy in paper.copies]
    known = next((copy for copy in copies if copy.sha256 == fact.sha256), None)
    if known is None:
        draft.ignore(Ignored.NOT_OURS)
    elif known.link:
        draft.ignore(Ignored.SAME)
    else:
        draft.record(SignedCopyLinked(fact.document, fact.sha256, fact.link))


def erasure_ordered(draft: Draft, fact: ErasureOrdered) -> None:
    """What is personal in a case that is over is erased, here and on the platform; one that goes on needs it."""
    if draft.case.erased_at:
        draft.ignore(Ignored.SAME)
    elif not draft.case.ending:
        draft.ignore(Ignored.OPEN)
    else:
        draft.erase_copies()
        draft.record(PersonalDataErased(fact.ground))


def issue_lost(draft: Draft, step: Step, fact: IssueLost) -> None:
    """The issue was deleted: the case gets another one, which says so, with the form's files; all else of the case is in the ledger."""
    if draft.case.iid != fact.iid:
        draft.ignore(Ignored.SAME)
        return
    draft.record(Lost(fact.iid))
    draft.open_issue()
    draft.upload_attachments()
    draft.note("tiket-pengganti", contexts.position(draft.situation, step) | {"lost": fact.iid})
