"""How a case opens, is revised and withdrawn: the unit's side, through the portal (POS steps 1 to 4)."""

from datetime import timedelta

import pytest

from integration.procedure.case import Status
from integration.procedure.effects import CallPortal, OpenIssue, ShowOnIssue, UploadAttachments
from integration.procedure.events import FormRevised as NewVersion
from integration.procedure.events import StepEntered, StepLeft
from integration.procedure.facts import EmergencyAsked, FormRevised, FormSubmitted, OutcomeChosen, Via, Withdrawn
from integration.procedure.offices import Holding
from tests.core.office import MINUTE, START, UNIT, attachment, office, organisation, person, submission
from tests.core.run import Run, call, calls, entered, kinds, note, notes, only, refused
from tests.core.straight import step_on, walk


@pytest.fixture
def opened(pos) -> Run:
    run = Run(pos)
    run.submit()
    return run


def test_the_first_steps_are_recorded_with_the_portals_times(opened) -> None:
    at = START + MINUTE
    passages = [(p.step, p.entered_at, p.left_at) for p in opened.open.history]
    assert passages == [
        (1, START - 20 * MINUTE, START - 20 * MINUTE),
        (2, START - 20 * MINUTE, START - 5 * MINUTE),
        (3, START - 5 * MINUTE, at),
        (4, at, None),
    ]
    assert opened.open.due == at + 15 * MINUTE
    recorded = [entry.event for entry in opened.entries if isinstance(entry.event, StepEntered) and entry.event.step < 4]
    assert {event.due for event in recorded} == {None}


@pytest.mark.parametrize(
    "times",
    [
        {"filled_from": None, "filled_until": None},
        {"filled_from": START + timedelta(days=1), "filled_until": START + timedelta(days=2)},
        {"filled_from": START, "filled_until": START - timedelta(days=2)},
        {"filled_from": None, "filled_until": START - timedelta(days=2)},
    ],
)
def test_times_the_portal_cannot_mean_are_kept_in_order(pos, times) -> None:
    run = Run(pos)
    run.submit(submission(**times))
    moments = [moment for passage in run.open.history for moment in (passage.entered_at, passage.left_at) if moment]
    assert moments == sorted(moments)
    assert moments[-1] == START + MINUTE


def test_the_unit_hears_that_its_case_is_registered(pos) -> None:
    run = Run(pos)
    decision = run.submit(submission(attachments=(attachment("galat.png"),)))
    assert [type(effect) for effect in decision.effects] == [OpenIssue, UploadAttachments, ShowOnIssue, CallPortal]
    assert calls(decision) == ["pengaduan.terdaftar"]
    assert call(decision, "pengaduan.terdaftar") == {
        "tiket": "SI-2026-000001",
        "status": "berjalan",
        "langkah": 4,
        "nama_langkah": "Pemeriksaan",
        "giliran": "Kepala Seksi Layanan Administrasi",
        "batas": "2026-06-02T08:16:00+07:00",
    }
    assert notes(decision) == [], "the description says it all"


def test_a_case_opens_with_the_urgency_of_its_form(opened) -> None:
    assert opened.open.priority == "sedang"
    assert opened.open.status is Status.RUNNING


def test_a_form_told_twice_opens_nothing(opened) -> None:
    decision = opened.submit()
    assert decision.ignored == "the case is open already"


def test_before_the_form_there_is_no_case(pos) -> None:
    assert Run(pos).fact(OutcomeChosen, UNIT, "lulus", "", (), Via.PORTAL).ignored == "no case"


def test_a_revised_form_goes_on_with_the_same_number(opened) -> None:
    step_on(opened)
    opened.say("kepala", "revisi", "Uraian belum jelas")
    form = submission(description="Nilai semester lalu tidak tampil.", urgency="kritis", attachments=(attachment("galat.png"),))
    decision = opened.fact(FormRevised, UNIT, form)
    assert kinds(decision) == ["FormRevised", "PrioritySet", "StepLeft", "StepEntered", "StepLeft", "StepEntered"]
    assert only(decision, NewVersion).version == 2
    assert entered(decision) == [3, 4]
    assert (opened.open.ticket, len(opened.open.submissions), opened.open.priority) == ("SI-2026-000001", 2, "kritis")
    assert [type(effect) for effect in decision.effects][:1] == [UploadAttachments]
    assert calls(decision) == ["status.berubah"]
    said = note(decision, "revisi-diterima")
    assert said["changes"] == [
        {"field": "description", "before": "Nilai tidak tampil.", "after": "Nilai semester lalu tidak tampil."},
        {"field": "urgency", "before": "sedang", "after": "kritis"},
        {"field": "attachments", "before": "", "after": "galat.png"},
    ]
    assert said["performers"][0]["account"] == "kasi"
    assert opened.open.due is not None, "the clock runs again"


def test_a_revision_of_the_same_urgency_leaves_the_priority(opened) -> None:
    opened.say("kasi", "revisi", "Uraian belum jelas")
    assert "PrioritySet" not in kinds(opened.fact(FormRevised, UNIT, submission(subject="Nilai semester lalu hilang")))


def test_a_revision_nobody_asked_for_is_refused_and_the_portal_told_the_state(opened) -> None:
    decision = opened.fact(FormRevised, UNIT, submission())
    assert refused(decision).code == "not_awaited"
    assert calls(decision) == ["status.berubah"]
    assert len(opened.open.submissions) == 1


def test_only_the_unit_revises_its_form(opened) -> None:
    opened.say("kasi", "revisi", "Uraian belum jelas")
    assert refused(opened.fact(FormRevised, person("kasi"), submission())).code == "not_awaited"


def test_no_word_leaves_the_step_that_waits_for_the_form(opened) -> None:
    opened.say("kasi", "revisi", "Uraian belum jelas")
    decision = opened.say("kasi", "lengkap")
    assert refused(decision).code == "no_such_outcome"
    assert note(decision, "penolakan")["line"] == ""


@pytest.mark.parametrize("step", range(4, 32))
def test_the_unit_may_withdraw_at_any_time(at, step) -> None:
    run = at(step)
    decision = run.fact(Withdrawn, UNIT, " Sudah pulih sendiri ")
    assert kinds(decision) == ["CaseEnded"]
    assert (run.open.status, run.open.ending_reason) == (Status.WITHDRAWN, "Sudah pulih sendiri")
    assert run.open.history[-1].left_at == run.now
    assert note(decision, "berakhir")["grants"] == ([{"account": "budi", "server": "srv-siakad"}] if step in {28, 29, 30} else [])
    assert calls(decision) == ["pengaduan.selesai"]


def test_a_withdrawal_gives_its_reason(opened) -> None:
    decision = opened.fact(Withdrawn, UNIT, " ")
    assert refused(decision).code == "incomplete"
    assert opened.open.step == 4


def test_nobody_withdraws_for_the_unit(opened) -> None:
    decision = opened.fact(Withdrawn, person("kepala"), "Sudah pulih")
    assert refused(decision).code == "not_yours"
    assert [person["role"] for person in note(decision, "penolakan")["may_act"]] == ["Pimpinan Unit Kerja"]
    assert note(decision, "penolakan")["line"] == "", "the unit types nothing on the platform"


def test_a_second_role_of_an_inferred_step_is_noted_as_unconfirmed(opened) -> None:
    decision = opened.say("layanan", "lengkap")
    left = only(decision, StepLeft)
    assert (left.role, left.unconfirmed) == ("kadiv-layanan", True)
    assert note(decision, "langkah")["unconfirmed"] is True


def test_a_second_role_the_words_name_is_confirmed(at) -> None:
    run = at(29)
    run.tick_all("budi")
    left = only(run.say("budi", "selesai"), StepLeft)
    assert (left.role, left.unconfirmed) == ("tim-programmer", False)


def test_a_stand_in_acts_and_signs_as_such(at) -> None:
    run = at(5, organisation(office("kepala-pustikom", "wakil", Holding.DEPUTY)))
    decision = run.say("wakil", "setuju")
    assert only(decision, StepLeft).office == "Plh."
    assert note(decision, "langkah")["office"] == "Plh."


def test_facts_from_the_future_happened_now_and_late_ones_not_before_the_ledger(pos) -> None:
    run = Run(pos)
    run.tell(FormSubmitted("form", START + timedelta(days=9), UNIT, "SI-2026-000001", submission()))
    assert run.open.entered_at == START
    run.tell(OutcomeChosen("note:1", START - timedelta(days=9), person("kasi"), "revisi", "Kurang jelas", (), Via.COMMENT))
    assert run.open.entered_at == START


def test_an_exception_order_waits_for_no_form_but_the_form_is_still_owed(opened) -> None:
    opened.say("kasi", "revisi", "Uraian belum jelas")
    decision = opened.fact(EmergencyAsked, person("kepala"), "Layanan KRS lumpuh")
    assert [step for step, _ in opened.open.debts] == list(range(2, 25))
    assert entered(decision) == [25]
    opened.assign()
    walk(opened, 28)
    opened.tick_all("budi")
    decision = opened.say("budi", "selesai")
    assert entered(decision) == [2]
    assert calls(decision) == ["status.berubah", "giliran.unit_kerja"]
    assert entered(opened.fact(FormRevised, UNIT, submission())) == [3, 4]
    assert [step for step, _ in opened.open.debts] == list(range(4, 25))
