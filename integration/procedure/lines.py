"""What to type next: the lines of `/pos` commands that refusals and notes give people to copy (contract.md, "On the platform").

The only place of the core that knows the words of commands; whatever else they say is a template's business.
"""

from integration.procedure.definition import Duty, Outcome, OutcomeKind, Procedure, SectionKind, Step

ASSIGN, GRANT, REVOKE, ATTACH = "tugaskan", "akses", "cabut-akses", "lampir"
PAUSE, RESUME, HAND_OFF, EMERGENCY, WITHDRAW = "jeda", "lanjut", "alihkan", "darurat", "batal"
CHECK, HELP = "cek", "bantuan"
FOR_OTHERS, SIGNED_BY = "tanda-tangan", "oleh"
"""The authority to hand in what others signed, and the word that says who did: `/pos lampir surat-tugas oleh kepala-pustikom`."""

_REASON = "<alasan>"
_ARGUMENTS = {
    ASSIGN: "@pj @anggota",
    GRANT: "@orang <server> <hak> sampai 2026-12-31",
    REVOKE: "@orang <server>",
    ATTACH: "<dokumen>",
    PAUSE: _REASON,
    HAND_OFF: f"<pos> {_REASON}",
    EMERGENCY: _REASON,
}


def command_line(word: str, *arguments: str) -> str:
    """The line of a command: with these arguments, or with the places where they go."""
    return " ".join(filter(None, ("/pos", word, *(arguments or [_ARGUMENTS.get(word, "")]))))


def report_line(procedure: Procedure) -> str:
    """The line of a progress report, "" where the procedure has none."""
    return f"/pos {procedure.duty.word} <persen>" if procedure.duty else ""


def draft_line(procedure: Procedure, *, with_percent: bool) -> str:
    """The line that confirms a drafted report: bare, or with the percentage the draft lacks; "" where the procedure has none."""
    if not procedure.duty or with_percent:
        return report_line(procedure)
    return command_line(procedure.duty.word)


def sign_line(document: str, role: str = "") -> str:
    """The line that hands in a signed copy of a paper; of whose hand, where that must be said."""
    return command_line(ATTACH, document, *([SIGNED_BY, role] if role else []))


def way_forward(step: Step) -> Outcome | None:
    """The usual way on from a step; None where it has none of its own (recorded steps)."""
    return next((outcome for outcome in step.outcomes if outcome.kind is OutcomeKind.FORWARD), None)


def outcome_line(procedure: Procedure, step: Step, outcome: Outcome) -> str:
    """The line that leaves a step by this outcome; for the duty's own outcome that is the report's."""
    if by_report(procedure, step, outcome.word):
        return report_line(procedure)
    return command_line(outcome.word, _REASON if outcome.needs_reason else "")


def headings(procedure: Procedure, step: Step, outcome: Outcome) -> tuple[str, ...]:
    """The headings to write below that line: none for a return, whose reason says it all."""
    if procedure.duty and by_report(procedure, step, outcome.word):
        return report_headings(procedure.duty)
    return () if outcome.needs_reason else tuple(section.title for section in step.sections)


def report_headings(duty: Duty) -> tuple[str, ...]:
    """What people write in a report: the service fills in its own part, the line carries the percentage (POS step 19)."""
    return tuple(part.title for part in duty.parts if part.kind not in (SectionKind.SERVICE, SectionKind.PERCENT))


def by_report(procedure: Procedure, step: Step, word: str) -> bool:
    """Whether this word leaves the step that a progress report leaves (procedure.md rule 5)."""
    return procedure.duty is not None and (step.number, word) == (procedure.duty.step, procedure.duty.outcome)
