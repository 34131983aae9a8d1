"""Signed copies of papers: fetched, looked at, and kept by hash before anything is decided on them.

What is looked for depends on how papers are signed (offices.Provider): of a scan nothing but what kind of file it is. The bytes are on disk
before the ledger speaks of them.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from integration.files import LARGEST_SIGNED, FileStore
from integration.procedure.case import Case, Paper
from integration.procedure.definition import Procedure
from integration.procedure.facts import Copy, DocumentAttached, Finding, SignedCopyGiven
from integration.procedure.offices import Organisation, Provider
from integration.procedure.papers import signed_paper
from integration.store import NumberState, Store
from sync.gitlab import Platform
from sync.refusals import Gone

UPLOADED = re.compile(r"/uploads/(?P<secret>[0-9a-f]{32})/(?P<name>[\w.+-]+)")  # the address of an upload, in its two parts
UPLOAD = re.compile(rf"\]\({UPLOADED.pattern}\)$")
PDF = "application/pdf"
BEGINNINGS = {b"%PDF-": PDF, b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


@dataclass(frozen=True, slots=True)
class Copies:
    """Looks at what was handed in."""

    store: Store
    platform: Platform
    files: FileStore

    def attached(self, asked: DocumentAttached, procedure: Procedure, organisation: Organisation, case: Case) -> SignedCopyGiven:
        """What somebody attached in a comment, as the signed copy it is said to be. Raises Transient where it cannot be fetched now."""
        provider = Provider.WET if organisation.papers.provider is Provider.WET else Provider.UPLOAD
        paper = signed_paper(procedure, case, asked.document)
        given = SignedCopyGiven(
            asked.key, asked.at, asked.by, asked.document, paper.id if paper else "", asked.signer, provider.value, finding=Finding.ONE_FILE
        )
        upload = UPLOAD.search(asked.links[0]) if len(asked.links) == 1 else None
        if upload is None or paper is None:
            return given
        try:
            content = self.platform.download(upload["secret"], upload["name"], LARGEST_SIGNED)
        except Gone:
            return replace(given, finding=Finding.FILE_GONE)
        if content is None:
            return replace(given, finding=Finding.FILE_TOO_LARGE)
        return self.looked_at(given, content, case, asked.links[0])

    def looked_at(self, given: SignedCopyGiven, content: bytes, case: Case, link: str = "") -> SignedCopyGiven:
        """What was found of the bytes; they are kept where nothing stands against them."""
        issued = next(paper for paper in case.documents if paper.id == given.paper)
        paper = next(_issued_in(content, case, issued), issued)
        if self.store.number_state(issued.number) is NumberState.VOID:
            return replace(given, finding=Finding.PAPER_VOID)
        media_type = next((kind for beginning, kind in BEGINNINGS.items() if content.startswith(beginning)), "")
        finding, certificate = _finding(content, media_type, paper, Provider(given.provider))
        if finding is not Finding.SOUND:
            return replace(given, paper=paper.id, finding=finding)
        copy = Copy(self.files.put(case.ticket, content), len(content), media_type, link, certificate)
        return replace(given, paper=paper.id, copy=copy, finding=finding)


def _issued_in(content: bytes, case: Case, meant: Paper) -> Iterator[Paper]:
    """The papers of this type whose file this one begins with, the one that is `meant` first: somebody may have signed an older one."""
    same = [paper for paper in case.documents if paper.document == meant.document and paper.sha256]
    return (paper for paper in sorted(same, key=lambda paper: paper != meant) if _begins_with(content, paper.sha256, paper.size))


def _begins_with(content: bytes, sha256: str, size: int) -> bool:
    return hashlib.sha256(content[:size]).hexdigest() == sha256


def _finding(content: bytes, media_type: str, paper: Paper, provider: Provider) -> tuple[Finding, str]:
    """What was found, and whom the newest signature's certificate names."""
    if hashlib.sha256(content).hexdigest() in {paper.sha256, *(copy.sha256 for copy in paper.copies)}:
        return Finding.SAME_FILE, ""
    if provider is Provider.WET:
        return (Finding.SOUND if media_type else Finding.NO_SCAN), ""
    if media_type != PDF:
        return Finding.NO_PDF, ""
    signed_before = [copy for copy in paper.copies if copy.provider != Provider.WET]
    parts = [(paper.sha256, paper.size), *((copy.sha256, copy.size) for copy in signed_before)]
    if not all(_begins_with(content, sha256, size) for sha256, size in parts):
        return Finding.CONTENT_CHANGED, ""
    from sync import pdf_signatures  # noqa: PLC0415 -- 40 MiB and most of a second, which most processes never need

    return pdf_signatures.look(content, len(signed_before) + 1)
