"""The weekly report: a recurring duty and a gate (procedure.md rule 5)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from integration.procedure.effects import ShowOnIssue
from integration.procedure.events import ProgressReported, StepLeft
from integration.procedure.facts import SERVICE, Activity, Chase, PauseAsked, ProgressMade, ReportsOwed, ResumeAsked, WeekDue, WeekEnded
from tests.core.office import STRANGER, person
from tests.core.onward import go_on
from tests.core.run import Run, entered, kinds, note, notes, only, refused

NOTHING = Activity()
FRIDAY = {f"2026-W{week}": datetime(2026, 6, 5, 7, tzinfo=UTC) + timedelta(weeks=week - 23) for week in range(23, 30)}  # 14.00 in Jakarta


@pytest.mark.parametrize("step", [16, 17, 18, 20, 24, 28, 31])
def test_a_report_is_kept_and_moves_nothing(at, step) -> None:
    run = at(step)
    decision = run.report(percent=40)
    assert kinds(decision) == ["ProgressReported"]
    assert note(decision, "progres") == {"week": "2026-W23", "percent": 40, "by": "Budi", "step": step}
    assert any(isinstance(effect, ShowOnIssue) for effect in decision.effects)
    assert (run.at, run.open.reports[-1].percent) == (step, 40)


def test_a_report_at_19_opens_20(at) -> None:
    run = at(19)
    decision = run.report(percent=100)
    assert kinds(decision) == ["ProgressReported", "StepLeft", "DocumentIssued", "StepEntered"]
    assert entered(decision) == [20]
    assert notes(decision) == ["langkah"], "one note is enough"
    assert run.open.current_paper("laporan-progres").edition == "2026-W23"
    assert only(decision, StepLeft).sections == only(decision, ProgressReported).sections


def test_a_step_that_asks_for_no_report_is_left_by_its_word_and_makes_no_paper(pos) -> None:
    steps = tuple(replace(step, requirements=()) if step.number == 19 else step for step in pos.steps)
    run = Run(replace(pos, steps=steps))
    run.submit()
    while run.at != 19:
        go_on(run)
    assert run.open.reports == ()
    assert kinds(run.say("budi", "selesai")) == ["StepLeft", "StepEntered"]


def test_the_five_parts_are_complete_and_the_service_fills_in_its_own(at) -> None:
    run = at(19)
    sections = only(run.report(percent=75, **{"Identitas proyek": "apa saja"}), ProgressReported).sections
    assert sections[0] == ("Identitas proyek", "SIAKAD · SI-2026-000001 · Budi")
    assert [title for title, _ in sections] == [
        "Identitas proyek",
        "Tahapan pekerjaan yang telah diselesaikan",
        "Persentase capaian",
        "Kendala dan solusi",
        "Dokumentasi pendukung",
    ]
    assert sections[2] == ("Persentase capaian", "75")


def test_the_percentage_may_stand_below_its_heading(at) -> None:
    assert only(at(19).report(percent=None, **{"persentase capaian": "60 %"}), ProgressReported).percent == 60


@pytest.mark.parametrize(
    ("changed", "percent", "missing"),
    [
        ({"Kendala dan solusi": ""}, 50, ("section", "Kendala dan solusi")),
        ({"Dokumentasi pendukung": " "}, 50, ("section", "Dokumentasi pendukung")),
        ({"Tahapan pekerjaan yang telah diselesaikan": ""}, 50, ("section", "Tahapan pekerjaan yang telah diselesaikan")),
        ({}, None, ("section", "Persentase capaian")),
        ({}, 101, ("percent", "Persentase capaian")),
        ({}, -1, ("percent", "Persentase capaian")),
    ],
)
def test_an_incomplete_report_names_its_parts(at, changed, percent, missing) -> None:
    run = at(19)
    decision = run.report(percent=percent, **changed)
    assert refused(decision).code == "report_incomplete"
    assert [(m.kind, m.item) for m in refused(decision).missing] == [missing]
    said = note(decision, "penolakan")
    assert said["line"] == "/pos progres <persen>"
    assert said["sections"] == ["Tahapan pekerjaan yang telah diselesaikan", "Kendala dan solusi", "Dokumentasi pendukung"]
    assert (run.at, run.open.reports) == (19, ())


@pytest.mark.parametrize("step", [4, 15])
def test_before_the_surat_tugas_is_received_none_is_due(at, step) -> None:
    assert refused(at(step).report("koordinator")).code == "report_not_due"
    assert refused(at(step).report("budi")).code == "report_not_due"


def test_a_stranger_reports_nothing(at) -> None:
    decision = at(19).fact(ProgressMade, STRANGER, "2026-W23", 50, ())
    assert refused(decision).code == "not_yours"
    assert note(decision, "penolakan")["line"] == "/pos progres <persen>"


def test_the_coordinator_may_report_in_place_of_the_team(at) -> None:
    left = only(at(19).report("koordinator"), StepLeft)
    assert (left.role, left.unconfirmed) == ("koordinator-programmer", True)


def test_a_later_report_of_the_week_stands_beside_the_first(at) -> None:
    run = at(18)
    run.report(percent=20)
    run.report(percent=30)
    assert [(report.week, report.percent) for report in run.open.reports] == [("2026-W23", 20), ("2026-W23", 30)]


def test_a_report_before_19_does_not_open_20(at) -> None:
    run = at(18)
    run.report()
    run.tick_all("budi")
    run.say("budi", "selesai")
    decision = run.say("budi", "selesai")
    assert {missing.kind for missing in refused(decision).missing} == {"report"}
    assert note(decision, "penolakan")["line"] == "/pos progres <persen>"


def test_a_report_made_while_paused_opens_20_after_the_pause(at) -> None:
    run = at(19)
    run.fact(PauseAsked, person("kepala"), "Menunggu server")
    assert kinds(run.report()) == ["ProgressReported"]
    assert notes(run.report()) == ["progres"]
    run.fact(ResumeAsked, person("kepala"))
    decision = run.say("budi", "selesai")
    assert entered(decision) == [20]
    assert only(decision, StepLeft).sections == run.open.reports[-1].sections


# --- weeks ---


def asked(run: Run, week: str = "2026-W24", activity: Activity = NOTHING):
    """Friday afternoon of a week that the case has been in its duty for."""
    return run.fact(WeekDue, SERVICE, week, activity, after=FRIDAY[week] - run.now)


@pytest.mark.parametrize("step", [16, 24, 31])
def test_the_week_is_asked_for(at, step) -> None:
    run = at(step)
    decision = asked(run)
    said = note(decision, "rancangan-progres")
    assert (said["week"], said["line"]) == ("2026-W24", "/pos progres <persen>" if step == 16 else "/pos progres")
    assert kinds(decision) == ["ProgressDrafted"]
    assert [effect.slot for effect in decision.effects] == ["progres:2026-W24"], "one note, and the issue is not shown again for it"


def test_a_week_reported_is_asked_for_no_more(at) -> None:
    run = at(18)
    run.report(week="2026-W24")
    assert asked(run).ignored == "it is so already"
    assert asked(run, "2026-W25").ignored == ""


@pytest.mark.parametrize("fact", [(WeekDue, "2026-W24"), (WeekEnded, "2026-W24", 5)])
def test_outside_the_duty_no_week_is_owed(at, fact) -> None:
    kind, *values = fact
    assert at(15).fact(kind, SERVICE, *values).ignored == "no report is owed"


@pytest.mark.parametrize(
    ("entered", "reason"), [(3, ""), (4, "the case came to its duty just now"), (5, "the case came to its duty just now")]
)
def test_a_case_new_to_its_duty_is_given_two_working_days(at, entered, reason) -> None:
    run = at(15)
    run.now = datetime(2026, 6, entered, 2, tzinfo=UTC)
    run.say("kepala", "setuju")
    assert run.at == 16
    assert asked(run, "2026-W23").ignored == reason


def test_a_stay_is_one_however_many_steps_it_has(at) -> None:
    run = at(31)
    run.now = datetime(2026, 6, 12, 1, tzinfo=UTC)
    assert asked(run).ignored == ""


def test_a_whole_week_without_a_report_is_noted_once(at) -> None:
    run = at(18)  # since Tuesday of 2026-W23
    run.now += timedelta(days=14)
    decision = run.fact(WeekEnded, SERVICE, "2026-W24", 5)
    assert kinds(decision) == ["DutyMissed"]
    assert notes(decision) == [], "people are told of all their cases at once"
    assert run.open.missed_weeks == ("2026-W24",)
    assert run.fact(WeekEnded, SERVICE, "2026-W24", 5).ignored == "it is so already"


def test_the_week_the_duty_began_is_not_owed(at) -> None:
    assert at(18).fact(WeekEnded, SERVICE, "2026-W23", 5).ignored == "no report is owed"


def test_a_week_without_a_working_day_says_so(at) -> None:
    run = at(18)
    decision = run.fact(WeekEnded, SERVICE, "2026-W24", 0)
    assert kinds(decision) == ["DutySkipped"]
    assert notes(decision) == []
    assert run.open.skipped_weeks == ("2026-W24",)
    assert asked(run).ignored == "it is so already"


def test_a_week_reported_is_not_missed(at) -> None:
    run = at(18)
    run.report(week="2026-W24")
    assert run.fact(WeekEnded, SERVICE, "2026-W24", 5).ignored == "it is so already"


# --- who is told ---


def test_one_is_told_on_one_issue_for_all(at) -> None:
    run = at(18)
    said = note(run.fact(ReportsOwed, SERVICE, "2026-W24", Chase.REMIND, "budi", (run.open.ticket, "SI-2026-000009")), "progres-ditagih")
    assert (said["account"], said["several"], said["kind"]) == ("budi", True, "ingat")
    said = note(run.fact(ReportsOwed, SERVICE, "2026-W24", Chase.LIST, "koordinator", (run.open.ticket,)), "progres-daftar")
    assert said["tickets"] == [run.open.ticket]


def test_who_reported_meanwhile_is_left_in_peace(at) -> None:
    run = at(18)
    run.report(week="2026-W24")
    assert run.fact(ReportsOwed, SERVICE, "2026-W24", Chase.REMIND, "budi", (run.open.ticket,)).ignored == "it is so already"
