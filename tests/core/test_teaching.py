"""Every refusal teaches: it names who may act and the line to type, wherever there is one."""

from datetime import date, timedelta

import pytest

from integration.procedure.decide import Decision
from integration.procedure.effects import PostNote
from integration.procedure.facts import (
    SERVICE,
    AccessGiven,
    AccessTaken,
    Actor,
    Copy,
    DocumentAttached,
    DocumentFiled,
    EmergencyAsked,
    Finding,
    FormRevised,
    HandOffAsked,
    IssueClosed,
    PauseAsked,
    PriorityMoved,
    ResumeAsked,
    SignedCopyGiven,
    StepLabelMoved,
    Ticked,
)
from integration.procedure.guards import Code
from tests.core.office import STRANGER, UNIT, office, organisation, person, submission
from tests.core.run import Run
from tests.core.straight import step_on, walk

KRS, WHY, LINK = "KRS lumpuh", "Alasan", ("[a](/uploads/a)",)


def paused(run: Run) -> Run:
    run.fact(PauseAsked, person("kepala"), WHY)
    return run


def revising(run: Run) -> Run:
    run.say("kasi", "revisi", WHY)
    return run


def under_an_order(run: Run) -> Run:
    run.fact(EmergencyAsked, person("kepala"), KRS)
    return walk(run, 28)


def owing(run: Run) -> Run:
    step_on(under_an_order(run))
    return run


def held(role: str, account: str):
    return organisation(office(role, account))


def filed(run: Run) -> Run:
    for paper in run.open.documents:
        run.fact(DocumentFiled, SERVICE, paper.id, "", "a" * 64, 1, "")
    return run


def signed(run: Run, by: Actor, signer: str = "", *, paper: str = "surat-tugas/2", finding: Finding = Finding.SOUND) -> Decision:
    document = paper.partition("/")[0]
    copy = Copy("b" * 64, 1, "application/pdf")
    return filed(run).fact(SignedCopyGiven, by, document, f"{run.open.ticket}/{paper}", signer, "basah", copy, finding)


def amended(run: Run) -> Run:
    run.assign("koordinator", "tono")
    run.say("kepala", "setuju")
    return run


def handed_over(run: Run, by: str, signer: str = "", *, again: bool = False) -> Decision:
    step_on(run)
    if again:
        signed(run, person(by), signer, paper=BOTH)
    return signed(run, person(by), signer, paper=BOTH)


BOTH = "berita-acara-serah-terima/2"
FIRST, SECOND = (f"/pos lampir berita-acara-serah-terima oleh {role}" for role in ("kepala-pustikom", "pimpinan-unit-kerja"))
TAUGHT = {
    Code.PAUSED: (8, lambda run: paused(run).say("layanan", "selesai"), "/pos lanjut"),
    Code.OTHER_STEP: (25, lambda run: run.portal("lulus", "Baik", step=24), "/pos selesai"),
    Code.NO_SUCH_OUTCOME: (8, lambda run: run.say("layanan", "setuju"), "/pos selesai"),
    Code.NOT_YOURS: (8, lambda run: run.say("kasi", "selesai"), "/pos selesai"),
    Code.NO_TEAM: (8, lambda run: under_an_order(run).say("budi", "selesai"), "/pos tugaskan @pj @anggota"),
    Code.INCOMPLETE: (13, lambda run: run.say("koordinator", "selesai"), "/pos tugaskan @pj @anggota"),
    Code.OWN_WORK: (20, lambda run: run.copy(held("koordinator-programmer", "budi")).say("budi", "diterima"), "/pos diterima"),
    Code.SIGNED_TWICE: (
        21,
        lambda run: run.copy(held("kadiv-pengembangan", "koordinator")).say("koordinator", "diterima"),
        "/pos diterima",
    ),
    Code.OVERTAKEN: (7, lambda run: run.say("layanan", "selesai", after=timedelta(seconds=1)), "/pos selesai"),
    Code.TWO_LABELS: (5, lambda run: run.fact(StepLabelMoved, person("kepala"), 6, (9,)), "/pos setuju"),
    Code.LABEL_NO_WAY: (5, lambda run: run.fact(StepLabelMoved, person("kepala"), 9), "/pos setuju"),
    Code.LABEL_NEEDS_WORDS: (5, lambda run: run.fact(StepLabelMoved, person("kepala"), 2), "/pos revisi <alasan>"),
    Code.CLOSE_NOT_ALLOWED: (8, lambda run: run.fact(IssueClosed, STRANGER), "/pos selesai"),
    Code.NOT_TICKABLE: (20, lambda run: run.fact(Ticked, person("koordinator"), "20.1", done=False), "/pos diterima"),
    Code.LETTER_DRAFTED: (15, lambda run: run.assign("koordinator", "sari"), "/pos setuju"),
    Code.UNFIT_TEAM: (13, lambda run: run.assign("koordinator", "siapa"), "/pos tugaskan @pj @anggota"),
    Code.REPORT_NOT_DUE: (8, lambda run: run.report("koordinator"), "/pos selesai"),
    Code.REPORT_INCOMPLETE: (19, lambda run: run.report(percent=None), "/pos progres <persen>"),
    Code.GRANT_PAST: (27, lambda run: run.fact(AccessGiven, person("jaringan"), "budi", "srv", "ssh", date(2026, 6, 1)), "/pos akses"),
    Code.GRANT_TOO_LATE: (31, lambda run: run.fact(AccessGiven, person("jaringan"), "budi", "srv", "ssh", date(2026, 12, 31)), ""),
    Code.NO_SUCH_GRANT: (28, lambda run: run.fact(AccessTaken, person("jaringan"), "budi", "srv"), "/pos cabut-akses @orang <server>"),
    Code.UNKNOWN_DOCUMENT: (8, lambda run: run.fact(DocumentAttached, person("kasi"), "apa", LINK), "/pos lampir <dokumen>"),
    Code.NO_UPLOAD: (8, lambda run: run.fact(DocumentAttached, person("kasi"), "formulir-uji-coba", ()), "/pos lampir formulir-uji-coba"),
    Code.ALREADY_PAUSED: (8, lambda run: paused(run).fact(PauseAsked, person("kepala"), WHY), "/pos lanjut"),
    Code.NOT_PAUSED: (8, lambda run: run.fact(ResumeAsked, person("kepala")), "/pos selesai"),
    Code.NO_CLOCK: (4, lambda run: revising(run).fact(PauseAsked, person("kepala"), WHY), ""),
    Code.UNKNOWN_TARGET: (8, lambda run: run.fact(HandOffAsked, person("kepala"), "POS Lain", WHY), "/pos alihkan <pos> <alasan>"),
    Code.NO_SUCH_PRIORITY: (8, lambda run: run.fact(PriorityMoved, person("kasi"), "gawat"), ""),
    Code.NO_EMERGENCY: (25, lambda run: run.fact(EmergencyAsked, person("kepala"), KRS), "/pos selesai"),
    Code.EMERGENCY_RUNS: (22, lambda run: owing(run).fact(EmergencyAsked, person("kepala"), KRS), "/pos diterima"),
    Code.NOT_SIGNER: (18, lambda run: signed(run, STRANGER), "/pos lampir surat-tugas"),
    Code.WHOSE_SIGNATURE: (18, lambda run: signed(run, person("kasi"), "entah"), "/pos lampir surat-tugas"),
    Code.OUT_OF_TURN: (31, lambda run: handed_over(run, "kasi", "pimpinan-unit-kerja"), FIRST),
    Code.ALREADY_SIGNED: (31, lambda run: handed_over(run, "kepala", again=True), SECOND),
    Code.NOT_CURRENT: (18, lambda run: signed(amended(run), person("kepala")), "/pos lampir surat-tugas"),
    **{
        Code(finding.value): (18, lambda run, finding=finding: signed(run, person("kepala"), finding=finding), "/pos lampir surat-tugas")
        for finding in Finding
        if finding not in (Finding.UNSEEN, Finding.SOUND, Finding.PAPER_VOID)
    },
    Code.NOT_AWAITED: (8, lambda run: run.fact(FormRevised, UNIT, submission()), "/pos selesai"),
}
"""By code: at which step it comes, what leads to it, and the line it gives; none where only the portal answers or a label is put on."""

TEACH_NOTHING = {
    Code.ENDED,  # nothing can be done any more
    Code.REOPEN_NOT_ALLOWED,
    Code.NOTHING_TO_SIGN,
    Code.PAPER_VOID,
    Code.SECRET,  # answered by a note of its own
}


def test_every_reason_to_refuse_is_taught() -> None:
    assert TAUGHT.keys() | TEACH_NOTHING == set(Code)


@pytest.mark.parametrize("code", TAUGHT)
def test_a_refusal_names_who_may_act_and_the_line_to_type(at, code) -> None:
    step, lead, line = TAUGHT[code]
    run = at(step)
    decision = lead(run)
    assert decision.events[-1].code == code
    said = next(effect.context for effect in decision.effects if isinstance(effect, PostNote))
    assert said["code"] == code
    assert said["may_act"]
    assert said["line"].startswith(line)
    assert bool(said["line"]) is bool(line)
    assert said["appoint"] == []
