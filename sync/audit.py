"""The proof that nothing was changed afterwards, and no step skipped: each ledger's chain and way, each file against the ledger's hash.

It reads everything again; it trusts no figure but the hashes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from integration.files import FileStore
from integration.procedure.case import Case, Paper, SignedCopy, evolve, fold
from integration.procedure.definition import Ending, Procedure, Revisions
from integration.procedure.events import CaseEnded, Entry, Event, StepEntered, StepLeft
from integration.procedure.route import destination
from integration.store import Store
from sync.documents import filename


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


def audit(store: Store, files: FileStore, known: Revisions, ticket: str | None = None) -> Proof:
    """Prove one case or all, by the procedures that are `known`. A case whose chain is broken is not read further. Raises StoreDown."""
    tickets = [ticket] if ticket else store.tickets()
    faults = [Broken(fault.ticket, fault.kind, fault.seq) for fault in store.verify(ticket)]
    broken = {fault.ticket for fault in faults}
    looked_at = 0
    for entries in (store.entries(each) for each in tickets if each not in broken):
        case = fold(entries)
        for file in vouched(case) if case else ():
            looked_at += 1
            kind = _fault(files, case.ticket, file.sha256) if case else ""
            if kind and case:
                faults.append(Broken(case.ticket, kind, what=file.what))
        faults += out_of_order(entries, known)
    return Proof(len(tickets), looked_at, tuple(faults))


@dataclass(frozen=True, slots=True)
class Vouched:
    """A file whose hash the ledger holds: a `paper` or a signed `copy` of it, the `form` of this version, or an attachment kept here.

    `what`: as a fault names it; `path`: where it lies in an archive.
    """

    what: str
    sha256: str
    path: str
    paper: Paper | None = None
    form: int = 0
    copy: SignedCopy | None = None


def vouched(case: Case) -> Iterator[Vouched]:
    """The files the ledger vouches for: forms with their attachments, papers with their signed copies; none of an erased case."""
    if case.erased_at:
        return
    for version, form in enumerate(case.submissions, 1):
        yield Vouched(f"{case.ticket}/formulir/{version}", form.sha256, f"formulir/{version}.json", form=version)
        for number, file in enumerate((file for file in form.attachments if not file.url), 1):
            yield Vouched(file.name, file.sha256, f"lampiran/{version}-{number}-{_safe(file.name)}")
    for sent in case.sent:
        for number, file in enumerate(sent.attachments, 1):
            yield Vouched(file.name, file.sha256, f"lampiran/unit-{sent.seq}-{number}-{_safe(file.name)}")
    for paper in case.documents:
        if paper.sha256:
            yield Vouched(paper.id, paper.sha256, f"dokumen/{filename(paper)}", paper)
        for number, copy in enumerate(paper.copies, 1):
            yield Vouched(f"{paper.id}/{number}", copy.sha256, f"dokumen/{filename(paper, copy)}", paper, copy=copy)


def _safe(name: str) -> str:
    """A file's name as it stands in an archive."""
    return re.sub(r"[^\w.-]+", "-", name)[-80:].strip(".-") or "lampiran"


def _fault(files: FileStore, ticket: str, sha256: str) -> str:
    try:
        files.get(ticket, sha256)
    except FileNotFoundError:
        return "berkas_hilang"
    except ValueError:
        return "berkas_berubah"
    return ""


def out_of_order(entries: Sequence[Entry], known: Revisions) -> Iterator[Broken]:
    """Where a case did not go the way its procedure leads: a step skipped, or left or ended by what is no outcome of it.

    `known`: the procedures; a case of another one is not followed, which is said. What comes after the first fault proves nothing.
    """
    case: Case | None = None
    left: StepLeft | None = None  # the step last left, until another is entered
    for entry in entries:
        event = entry.event
        if case is not None and not _follows(event, case, left, known[case.procedure, case.revision]):
            yield Broken(case.ticket, "langkah_menyimpang", entry.seq)
            return
        left = event if isinstance(event, StepLeft) else None if isinstance(event, StepEntered) else left
        case = evolve(case, entry)
        if (case.procedure, case.revision) not in known:
            yield Broken(case.ticket, "prosedur_hilang", entry.seq, f"{case.procedure} {case.revision}")
            return


def _follows(event: Event, case: Case, left: StepLeft | None, procedure: Procedure) -> bool:
    """Whether the case can go on so, where it stands now."""
    match event:
        case StepLeft():
            recorded = event.outcome == "" and event.step < procedure.opens_at
            return event.step == case.step and (recorded or procedure.step(event.step).outcome(event.outcome) is not None)
        case StepEntered() if left is not None:
            step = procedure.step(left.step)
            outcome = step.outcome(left.outcome)
            return event.step == (left.step + 1 if outcome is None else destination(procedure, case, step, outcome))
        case StepEntered():
            order, emergency = case.emergency, procedure.emergency
            by_order = order is not None and emergency is not None and order.seq == case.last_seq and event.step == emergency.first
            return by_order or (not case.history and event.step == procedure.steps[0].number)
        case CaseEnded() if event.ending == Ending.DONE:
            outcome = procedure.step(left.step).outcome(left.outcome) if left else None
            return outcome is not None and outcome.ending is Ending.DONE
        case _:
            return True
