"""The proof that nothing was changed afterwards: the chain of each ledger, and each file against the hash the ledger holds.

It reads everything again; it trusts no figure but the hashes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from integration.files import FileStore
from integration.procedure.case import Case, fold
from integration.store import Store


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that does not hold. `kind`: a key of templates/messages/cli.yaml; `seq`: of a ledger's line; `what`: a file."""

    ticket: str
    kind: str
    seq: int = 0
    what: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was looked at and what of it does not hold."""

    cases: int
    files: int
    faults: tuple[Broken, ...]


def audit(store: Store, files: FileStore, ticket: str | None = None) -> Proof:
    """Prove one case or all. A case whose chain is broken is not read further. Raises StoreDown."""
    tickets = [ticket] if ticket else store.tickets()
    faults = [Broken(fault.ticket, fault.kind, fault.seq) for fault in store.verify(ticket)]
    broken = {fault.ticket for fault in faults}
    looked_at = 0
    for case in (fold(store.entries(each)) for each in tickets if each not in broken):
        for what, sha256 in _hashes(case) if case else ():
            looked_at += 1
            kind = _fault(files, sha256)
            if kind and case:
                faults.append(Broken(case.ticket, kind, what=what))
    return Proof(len(tickets), looked_at, tuple(faults))


def _hashes(case: Case) -> Iterator[tuple[str, str]]:
    """The files the ledger vouches for: forms, attachments kept here, papers."""
    for version, form in enumerate(case.submissions, 1):
        yield f"{case.ticket}/formulir/{version}", form.sha256
        yield from ((file.name, file.sha256) for file in form.attachments if not file.url)
    yield from ((paper.id, paper.sha256) for paper in case.documents if paper.sha256)


def _fault(files: FileStore, sha256: str) -> str:
    try:
        files.get(sha256)
    except FileNotFoundError:
        return "berkas_hilang"
    except ValueError:
        return "berkas_berubah"
    return ""
