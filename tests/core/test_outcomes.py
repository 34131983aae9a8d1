"""Every outcome of every step of the real procedure, against expectations typed from procedure.md's table."""

from datetime import UTC, datetime

import pytest

from integration.procedure.case import Status
from integration.procedure.effects import CallPortal, CloseTask, IssueDocument, OpenTask, PostNote, SendMail, ShowOnIssue
from integration.procedure.events import CaseEnded, DocumentIssued, SignedOff, SignoffsStaled, StepEntered, StepLeft
from tests.core.office import TEAM
from tests.core.run import call, calls, entered, kinds, mails, note, notes, only
from tests.core.straight import PATH, prepare

# step, word, where it leads (None: ended), what it makes, whom the unit hears of it by
SELESAI = "berita-acara-serah-terima"
FORWARD = [
    (4, "lengkap", 5, ["lembar-disposisi"]),
    (5, "setuju", 6, ["lembar-persetujuan"]),
    (6, "selesai", 7, ["jadwal"]),
    (7, "selesai", 8, ["jadwal"]),
    (8, "selesai", 9, ["catatan-evaluasi"]),
    (9, "selesai", 10, ["instruksi-teknis"]),
    (10, "selesai", 11, ["analisis-teknis"]),
    (11, "selesai", 12, ["notulen"]),
    (12, "setuju", 13, ["rencana-teknis"]),
    (13, "selesai", 14, ["rencana-teknis"]),
    (14, "selesai", 15, ["surat-tugas"]),
    (15, "setuju", 16, ["surat-tugas"]),
    (16, "terima", 17, []),
    (17, "selesai", 18, ["rencana-teknis"]),
    (18, "selesai", 19, []),
    (19, "progres", 20, ["laporan-progres"]),
    (20, "diterima", 21, ["laporan-verifikasi"]),
    (21, "diterima", 22, ["laporan-verifikasi"]),
    (22, "diterima", 23, ["laporan-verifikasi"]),
    (23, "diterima", 24, ["laporan-verifikasi", "laporan-penanganan"]),
    (24, "lulus", 25, ["berita-acara-uji-coba"]),
    (25, "selesai", 26, ["data-teknis"]),
    (26, "selesai", 27, []),
    (27, "selesai", 28, ["log-akses"]),
    (28, "selesai", 29, ["laporan-perbaikan"]),
    (29, "selesai", 30, ["buku-panduan", "laporan-penyelesaian", "arsip"]),
    (30, "serahkan", 31, [SELESAI]),
    (31, "terima", None, [SELESAI]),
]
BACK = [
    (4, "revisi", 2, []),
    (5, "revisi", 2, []),
    (7, "kembali", 6, []),
    (9, "kembali", 8, []),
    (11, "kembali", 10, []),
    (12, "kembali", 10, []),
    (15, "kembali", 14, []),
    *((step, "dikembalikan", 19, []) for step in (20, 21, 22, 23)),
    *((step, "perlu-perbaikan", 18, []) for step in (20, 21, 22, 23)),
    (24, "gagal", 18, ["berita-acara-uji-coba"]),
    (26, "kembali", 25, []),
    (28, "gagal", 18, []),
    (30, "kembali", 29, []),
    (31, "tolak-fungsi", 28, []),
    (31, "tolak-dokumen", 29, []),
]
NEW_ROUND = {(step, word) for step, word, to, _ in BACK if step >= 20 and to <= 23}
UNIT_ACTS, UNIT_TAKES_PART = {24, 31}, {11}


def choose(run, word, reason=""):
    actor = PATH[run.at][0]
    if word == "progres":
        return run.report(actor)
    return run.say(actor, word, reason) if actor else run.portal(word, reason)


def test_the_table_is_complete(pos) -> None:
    typed = {(step, word) for step, word, *_ in FORWARD + BACK} | {(5, "tolak")}
    typed = typed - {(19, "progres")} | {(19, "selesai")}
    assert typed == {(step.number, outcome.word) for step in pos.steps for outcome in step.outcomes}


@pytest.mark.parametrize(("step", "word", "to", "papers"), FORWARD)
def test_forward(at, step, word, to, papers) -> None:
    run = at(step)
    prepare(run)
    decision = choose(run, word, "Baik")
    left = only(decision, StepLeft)
    assert left.step == step
    assert left.unconfirmed is False
    assert entered(decision) == ([to] if to else [])
    assert [event.document for event in decision.events if isinstance(event, DocumentIssued)] == papers
    assert "SignoffsStaled" not in kinds(decision)
    assert run.open.round == 1
    assert ("SignedOff" in kinds(decision)) is (step in {20, 21, 22, 23})
    assert run.open.history[-1 if to is None else -2].outcome == left.outcome


@pytest.mark.parametrize(("step", "word", "to", "papers"), BACK)
def test_back(at, step, word, to, papers) -> None:
    run = at(step)
    before = run.open
    decision = choose(run, word, "Perlu diperbaiki")
    assert only(decision, StepLeft).reason == "Perlu diperbaiki"
    assert entered(decision) == [to]
    assert [event.document for event in decision.events if isinstance(event, DocumentIssued)] == papers
    assert run.open.round == before.round + ((step, word) in NEW_ROUND)
    assert run.open.ticket == before.ticket
    assert run.open.standing_signoffs == (() if (step, word) in NEW_ROUND else before.standing_signoffs)
    assert note(decision, "langkah")["kind"] == "return"


@pytest.mark.parametrize(("step", "word", "to", "papers"), BACK)
def test_a_return_without_a_reason_is_refused(at, step, word, to, papers) -> None:
    run = at(step)
    decision = choose(run, word, "   ")
    assert kinds(decision) == ["RequestRefused"]
    assert [(m.kind, m.item) for m in decision.events[0].missing] == [("reason", "")]
    assert run.at == step


def test_refused_by_the_head_a_case_ends(at) -> None:
    run = at(5)
    decision = run.say("kepala", "tolak", "Bukan wewenang Pustikom")
    assert kinds(decision) == ["StepLeft", "CaseEnded"]
    assert run.open.status is Status.REFUSED
    assert run.open.step is None
    assert run.open.ending_reason == "Bukan wewenang Pustikom"
    assert notes(decision) == ["berakhir"]
    assert calls(decision) == ["pengaduan.selesai"]
    assert call(decision, "pengaduan.selesai")["alasan"] == "Bukan wewenang Pustikom"
    assert decision.effects[-2].key.startswith("show:"), "the issue is closed after its closing note"


@pytest.mark.parametrize(("step", "word", "to", "papers"), FORWARD)
def test_effects_come_in_one_order_and_the_unit_hears_its_turn(at, step, word, to, papers) -> None:
    run = at(step)
    prepare(run)
    decision = choose(run, word, "Baik")
    tasks = [OpenTask] if step == 16 else [] if to else [CloseTask]
    order = [IssueDocument] * len(papers) + ([ShowOnIssue, PostNote] if to else [PostNote, ShowOnIssue]) + tasks
    assert [type(effect) for effect in decision.effects if not isinstance(effect, CallPortal | SendMail)] == order
    assert all(isinstance(effect, CallPortal | SendMail) for effect in decision.effects[len(order) :])
    if to is None:
        assert calls(decision) == ["pengaduan.selesai"]
        assert notes(decision) == ["selesai"]
        return
    turn = ["giliran.unit_kerja"] if to in UNIT_ACTS | UNIT_TAKES_PART else []
    assert calls(decision) == ["status.berubah", *turn]
    assert [(mail.template, mail.stay, mail.context["answers"]) for mail in mails(decision)] == [
        ("giliran", run.open.entered_seq, to in UNIT_ACTS) for _ in turn
    ]
    told = call(decision, "status.berubah")
    assert told["langkah"] == to
    assert told.get("hasil") == (word if step in {20, 21, 22, 23} else None)
    assert "alasan" not in told, "what the office writes is not for the unit"
    said = note(decision, "langkah")
    assert (said["from_step"], said["step"], said["waits_for_unit"]) == (step, to, to in UNIT_ACTS)
    assert bool(said["line"]) is (to not in UNIT_ACTS)
    assert [person["account"] for person in said["team"]] == (list(TEAM) if step == 16 else [])


def test_an_outcome_of_the_verification_is_signed(at) -> None:
    signed = only(at(21).say("pengembangan", "perlu-perbaikan", "Belum lolos uji"), SignedOff)
    assert (signed.step, signed.round, signed.accepted, signed.exemption) == (21, 1, False, "")


def test_stale_signoffs_stay_visible(at) -> None:
    run = at(22)
    decision = run.say("layanan", "dikembalikan", "Laporan belum lengkap")
    assert only(decision, SignoffsStaled) == SignoffsStaled(1, (20, 21))
    assert note(decision, "langkah")["stale_steps"] == [20, 21]
    assert [(sign.step, sign.round, sign.accepted) for sign in run.open.signoffs] == [(20, 1, True), (21, 1, True), (22, 1, False)]


def test_a_revision_waits_for_the_unit_without_a_clock(at) -> None:
    run = at(4)
    decision = run.say("kasi", "revisi", "Lampirkan tangkapan layar")
    arrived = only(decision, StepEntered)
    assert (arrived.step, arrived.due, arrived.gap, arrived.waits_for_unit) == (2, None, None, True)
    assert run.open.status is Status.UNIT
    assert calls(decision) == ["status.berubah", "pengaduan.perlu_revisi"]
    assert call(decision, "pengaduan.perlu_revisi")["alasan"] == "Lampirkan tangkapan layar"
    (mail,) = mails(decision)
    assert mail.to == (run.open.submission.head_email, run.open.submission.reporter_email)
    assert (mail.stay, mail.context["revises"], mail.context["alasan"]) == (run.open.entered_seq, True, "Lampirkan tangkapan layar")


def test_the_clock_of_a_step_starts_when_the_one_before_was_left(at) -> None:
    run = at(5)
    decision = run.say("kepala", "setuju")
    assert only(decision, StepEntered).due == datetime(2026, 6, 3, 9, 0, tzinfo=UTC), "close of business on the next working day"


def test_the_end_closes_with_papers_and_no_turn(at) -> None:
    run = at(31)
    decision = run.portal("terima")
    assert only(decision, CaseEnded).ending == "selesai"
    papers = note(decision, "selesai")["papers"]
    assert "Berita Acara Serah Terima" in [paper["title"] for paper in papers]
    assert run.open.current_paper(SELESAI).edition == "kedua belah pihak"
    told = call(decision, "pengaduan.selesai")
    assert (told["status"], told["langkah"], told["giliran"], told["batas"]) == ("selesai", None, "", None)
