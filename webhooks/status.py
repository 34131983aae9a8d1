"""What the unit may know of its case: where it stands, whose turn it is, when it may end, which papers are meant for it.

Nothing anybody wrote on the platform is shown: no comment, no reason, no section.
"""

from collections.abc import Sequence
from datetime import datetime

from integration.codec import Json
from integration.procedure.case import Case, Paper
from integration.procedure.contexts import papers_owed
from integration.procedure.definition import OutcomeKind, Procedure, Revisions, by_revision
from integration.procedure.forecast import finish
from integration.procedure.offices import WorkCalendar
from integration.procedure.papers import standing
from integration.store import NEW

WITHOUT_CASE = ("langkah", "nama_langkah", "giliran", "batas", "dijeda_sejak", "pengecualian", "tujuan", "perkiraan_selesai")
"""What nobody can say of a form that is kept and not yet worked on."""


def told_of(ticket: str, case: Case | None, procedures: Sequence[Procedure], calendar: WorkCalendar, now: datetime) -> Json:
    """What the unit may know of a ticket; `case` None: its form is kept and not yet worked on."""
    if case is None:
        return {"tiket": ticket, "status": NEW, **dict.fromkeys(WITHOUT_CASE), "dokumen": []}
    return public_status(by_revision(procedures)[case.procedure, case.revision], calendar, case, now)


def public_status(procedure: Procedure, calendar: WorkCalendar, case: Case, now: datetime) -> Json:
    """The case as contract.md tells it to the portal; moments and days as ISO 8601 in the calendar's zone."""
    step = procedure.step(case.step) if case.step is not None else None
    performer = procedure.role(step.performer).name if step and step.performer else None
    running = None if case.paused_since else case.due
    expected = finish(procedure, calendar, case, now)
    return {
        "tiket": case.ticket,
        "status": case.status.value,
        "langkah": case.step,
        "nama_langkah": step.name if step else None,
        "giliran": performer,
        "batas": _local(calendar, running),
        "dijeda_sejak": _local(calendar, case.paused_since),
        "pengecualian": _order(procedure, calendar, case),
        "tujuan": case.ending_target or None,
        "perkiraan_selesai": {"paling_cepat": expected[0].isoformat(), "paling_lambat": expected[1].isoformat()} if expected else None,
        "dokumen": [
            {
                "jenis": paper.document,
                "judul": procedure.document(paper.document).title,
                "nomor": paper.number or None,
                "terbit": paper.issued_at.astimezone(calendar.tz).date().isoformat(),
                "sha256": paper.sha256,
                "bertanda_tangan": _signed(paper),
                "keadaan": standing(procedure, case, paper).value,
            }
            for paper in case.documents
            if paper.sha256 and procedure.document(paper.document).reaches_unit(paper.edition)
        ],
    }


def timeline(procedures: Revisions, calendar: WorkCalendar, case: Case) -> list[Json]:
    """The way a case went so far, step by step in the words of each one's revision: when it came there and when it left; no persons.

    `returned`: it was sent back from there.
    """
    told = []
    for passage in case.history:
        procedure = procedures[case.procedure, passage.revision or case.revision]
        step = procedure.step(passage.step)
        outcome = step.outcome(passage.outcome) if passage.outcome else None
        told.append(
            {
                "step": step.name,
                "since": passage.entered_at.astimezone(calendar.tz).date().isoformat(),
                "until": passage.left_at.astimezone(calendar.tz).date().isoformat() if passage.left_at else None,
                "returned": outcome is not None and outcome.kind is OutcomeKind.RETURN,
            }
        )
    return told


def _order(procedure: Procedure, calendar: WorkCalendar, case: Case) -> Json | None:
    """Since when an exception order holds, and what follows by when, with the papers meant for the unit; None once all is made up for."""
    if case.ordered_at is None:
        return None
    owed = [(procedure.step(number), day) for number, day in case.debts]
    return {
        "sejak": _local(calendar, case.ordered_at),
        "menyusul": [
            {
                "langkah": step.number,
                "nama_langkah": step.name,
                "paling_lambat": day.isoformat() if day else None,
                "dokumen": papers_owed(procedure, step, for_unit=True),
            }
            for step, day in owed
        ],
    }


def _signed(paper: Paper) -> Json | None:
    """The version of record, where all have signed: which file it is, and how it was signed."""
    record = paper.of_record
    return {"sha256": record.sha256, "jenis_berkas": record.media_type, "cara": record.provider} if record else None


def _local(calendar: WorkCalendar, moment: datetime | None) -> str | None:
    return moment.astimezone(calendar.tz).isoformat(timespec="seconds") if moment else None
