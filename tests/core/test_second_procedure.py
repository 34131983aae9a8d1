"""Another procedure, with other roles and words, through the same engine: nothing of the first one is in the code."""

import pytest

from integration.procedure.case import Status
from integration.procedure.definition import Procedure, by_revision
from integration.procedure.events import CaseEnded
from integration.procedure.facts import (
    SERVICE,
    EmergencyAsked,
    FormRevised,
    HandOffAsked,
    IssueClosed,
    PauseAsked,
    ProgressMade,
    ResumeAsked,
    Ticked,
    WeekDue,
    WeekEnded,
)
from integration.procedure.offices import Organisation
from tests.core.office import CALENDAR, UNIT, office, person, submission
from tests.core.run import Run, call, entered, kinds, only, refused


def office_of_data() -> Organisation:
    return Organisation("Arsip", (office("petugas-data", "dian"), office("kepala-arsip", "rudi")), (), CALENDAR)


def at_handover(procedure: Procedure) -> Run:
    run = Run(procedure, office_of_data())
    run.submit()
    run.fact(Ticked, person("dian"), "2.2", done=True)
    run.say("dian", "layak")
    run.say("rudi", "izinkan")
    return run


@pytest.fixture
def handover(tiny) -> Run:
    return at_handover(tiny)


def test_a_case_finds_it_by_its_slug_and_revision(pos, tiny) -> None:
    assert by_revision((pos, tiny))[tiny.slug, tiny.revision] is tiny


def test_it_walks_to_its_end(handover) -> None:
    assert handover.at == 4
    handover.tick_all("dian")
    decision = handover.say("dian", "serahkan")
    assert kinds(decision) == ["StepLeft", "DocumentIssued", "CaseEnded"]
    assert handover.open.status is Status.DONE
    assert call(decision, "pengaduan.selesai")["status"] == "selesai"


def test_its_form_is_filled_in_at_its_first_step(tiny) -> None:
    run = Run(tiny, office_of_data())
    run.submit()
    assert [(passage.step, passage.left_at) for passage in run.open.history] == [(1, submission().filled_until), (2, None)]
    run.say("dian", "revisi", "Kurang jelas")
    assert entered(run.fact(FormRevised, UNIT, submission(subject="Data 2025"))) == [2]


def test_its_returns_and_its_refusal(tiny) -> None:
    run = at_handover(tiny)
    assert [type(entry.event).__name__ for entry in run.entries].count("SignedOff") == 0
    again = Run(tiny, office_of_data())
    again.submit()
    again.fact(Ticked, person("dian"), "2.2", done=True)
    again.say("dian", "layak")
    assert entered(again.say("rudi", "ulang", "Data salah")) == [2]
    again.fact(Ticked, person("dian"), "2.2", done=True)
    again.say("dian", "layak")
    again.say("rudi", "larang", "Data rahasia")
    assert again.open.status is Status.REFUSED


def test_what_it_does_not_know_is_refused_or_ignored(handover) -> None:
    assert handover.fact(WeekDue, SERVICE, "2026-W23").ignored == "no report is owed"
    assert handover.fact(WeekEnded, SERVICE, "2026-W23", 5).ignored == "no report is owed"
    assert handover.fact(ProgressMade, person("dian"), "2026-W23", 5, ()).ignored == "no report is owed"
    assert refused(handover.fact(EmergencyAsked, person("rudi"), "Segera")).code == "no_emergency"
    assert refused(handover.fact(HandOffAsked, person("rudi"), "POS lain", "Bukan di sini")).code == "not_yours"


def test_it_pauses(handover) -> None:
    handover.fact(PauseAsked, person("rudi"), "Libur")
    assert handover.open.status is Status.PAUSED
    handover.fact(ResumeAsked, person("rudi"))
    assert handover.open.status is Status.RUNNING


def test_closing_its_issue_is_the_acceptance(handover) -> None:
    handover.tick_all("dian")
    decision = handover.fact(IssueClosed, person("dian"))
    assert only(decision, CaseEnded).ending == "selesai"
