"""The draft of a week's report: made of what was done, confirmed by a bare line, edited part by part (procedure.md rule 5)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from integration.procedure.chasing import Digest, owed, to_the_office_above, to_those_in_charge
from integration.procedure.definition import SectionKind, Trace
from integration.procedure.events import ProgressDrafted, ProgressReported
from integration.procedure.facts import SERVICE, Activity, Chase, EmergencyAsked, ProgressMade, WeekDue, WeekEnded
from integration.procedure.offices import Programmer
from tests.core.office import TEAM, organisation, person
from tests.core.run import Run, kinds, note, only, refused

WEEK, FRIDAY = "2026-W24", datetime(2026, 6, 12, 7, tzinfo=UTC)
DONE, TROUBLE, PAPERS = "Tahapan pekerjaan yang telah diselesaikan", "Kendala dan solusi", "Dokumentasi pendukung"
FULL = Activity(
    ticked=("Perbaiki rekap nilai",),
    merge_requests=("pustikom/siakad!7",),
    commits=("pustikom/siakad@" + "1a2b3c4d" * 5,),
    comments=("Server uji penuh; sudah ditambah.",),
    done=3,
    tasks=4,
)


def ask(run: Run, activity: Activity = FULL):
    return run.fact(WeekDue, SERVICE, WEEK, activity, after=FRIDAY - run.now)


def say(run: Run, percent: int | None = None, week: str = WEEK, **sections: str):
    return run.fact(ProgressMade, person("budi"), week, percent, tuple((title.replace("_", " "), text) for title, text in sections.items()))


def test_each_part_is_made_of_what_the_procedure_says(at) -> None:
    drafted = only(ask(at(18)), ProgressDrafted)
    assert (drafted.week, drafted.percent) == (WEEK, 75)
    assert dict(drafted.sections) == {
        DONE: "- Perbaiki rekap nilai\n- merge request pustikom/siakad!7",
        TROUBLE: "- Server uji penuh; sudah ditambah.",
        PAPERS: "- merge request pustikom/siakad!7\n- commit pustikom/siakad@1a2b3c4d",
    }


@pytest.mark.parametrize("left", [*product([True, False], repeat=4)])
@pytest.mark.parametrize("counted", [True, False])
def test_what_nothing_tells_is_named_and_is_all_that_is_to_be_written(at, pos, left, counted) -> None:
    """Every combination of what people left behind."""
    names = ("ticked", "merge_requests", "commits", "comments")
    activity = replace(
        FULL if counted else replace(FULL, done=0, tasks=0), **{name: () for name, there in zip(names, left, strict=True) if not there}
    )
    run = at(16)
    said = note(ask(run, activity), "rancangan-progres")
    traces = dict(zip((Trace.TICKS, Trace.MERGE_REQUESTS, Trace.COMMITS, Trace.COMMENTS), left, strict=True))
    texts = [part for part in pos.duty.parts if part.kind is SectionKind.TEXT]
    lacking = [part.title for part in texts if not any(traces[trace] for trace in part.draft_from)]
    percent = [] if counted else ["Persentase capaian"]

    assert {missing["item"] for missing in said["missing"]} == {*lacking, *percent}
    assert said["line"] == ("/pos progres" if counted else "/pos progres <persen>")
    assert said["sections"] == lacking
    assert {part["title"] for part in said["parts"]} == {part.title for part in pos.duty.parts} - {*lacking, *percent}

    decision = say(run, None if counted else 40, **dict.fromkeys(lacking, "Ditulis sendiri."))
    assert only(decision, ProgressReported).percent == (75 if counted else 40), "what is named is enough"


@pytest.mark.parametrize(
    ("done", "tasks", "reported", "percent"),
    [(0, 4, None, 0), (1, 3, None, 33), (199, 200, None, 99), (4, 4, None, 100), (1, 4, 60, 25), (0, 0, 60, 60), (0, 0, None, None)],
)
def test_the_percentage_is_that_of_the_tasks_else_the_last_one_reported(at, done, tasks, reported, percent) -> None:
    run = at(18)
    if reported is not None:
        run.report(percent=reported)
    assert only(ask(run, Activity(done=done, tasks=tasks)), ProgressDrafted).percent == percent


def test_a_bare_line_confirms_the_draft(at) -> None:
    run = at(18)
    ask(run)
    report = only(say(run), ProgressReported)
    assert (report.week, report.percent) == (WEEK, 75)
    assert dict(report.sections)[TROUBLE] == "- Server uji penuh; sudah ditambah."
    assert [title for title, _ in report.sections][:1] == ["Identitas proyek"]


def test_what_is_written_wins_part_by_part(at) -> None:
    run = at(18)
    ask(run)
    sections = dict(only(say(run, **{TROUBLE.upper(): "Tidak ada.", DONE: "  "}), ProgressReported).sections)
    assert (sections[TROUBLE], sections[DONE]) == ("Tidak ada.", "- Perbaiki rekap nilai\n- merge request pustikom/siakad!7")


def test_a_percentage_alone_takes_the_rest_from_the_draft(at) -> None:
    run = at(18)
    ask(run)
    report = only(say(run, 60), ProgressReported)
    assert (report.percent, dict(report.sections)["Persentase capaian"]) == (60, "60")
    assert dict(report.sections)[PAPERS].startswith("- merge request")


def test_what_is_still_missing_is_named_alone_with_the_line_to_type(at) -> None:
    run = at(18)
    ask(run, replace(FULL, comments=()))
    decision = say(run)
    assert [(missing.kind, missing.item) for missing in refused(decision).missing] == [("section", TROUBLE)]
    said = note(decision, "penolakan")
    assert (said["line"], said["sections"]) == ("/pos progres", [TROUBLE])


def test_without_a_draft_all_is_to_be_written(at) -> None:
    decision = say(at(18))
    assert len(refused(decision).missing) == 4
    assert note(decision, "penolakan")["line"] == "/pos progres <persen>"


def test_at_19_the_confirmed_draft_moves_the_case_on(at) -> None:
    run = at(19)
    ask(run)
    assert "StepLeft" in kinds(say(run))
    assert run.at == 20


@pytest.mark.parametrize(
    ("day", "written", "week"),
    [
        (14, {}, "2026-W24"),
        (15, {DONE: "Semua."}, "2026-W24"),  # the first working day, on which it is asked for again
        (16, {}, "2026-W24"),  # a bare line confirms what it confirms
        (16, {DONE: "Semua."}, "2026-W25"),
    ],
)
def test_a_report_of_the_week_that_ended_is_taken_late(at, day, written, week) -> None:
    run = at(18)
    ask(run)
    run.now = datetime(2026, 6, day, 2, tzinfo=UTC)
    full = {**dict.fromkeys((DONE, TROUBLE, PAPERS), "x"), **written} if written else {}
    assert only(say(run, 80 if written else None, "2026-W25" if day > 14 else WEEK, **full), ProgressReported).week == week


@pytest.mark.parametrize(("day", "week"), [(15, "2026-W24"), (16, "2026-W25")])
def test_without_a_draft_too_what_is_reported_on_the_first_working_day_is_of_the_week_that_ended(at, day, week) -> None:
    run = at(18)
    run.now = datetime(2026, 6, day, 2, tzinfo=UTC)
    assert only(say(run, 80, "2026-W25", **dict.fromkeys((DONE, TROUBLE, PAPERS), "x")), ProgressReported).week == week


def test_once_it_is_reported_the_next_week_is_its_own(at) -> None:
    run = at(18)
    ask(run)
    say(run)
    run.now = datetime(2026, 6, 15, 2, tzinfo=UTC)
    assert refused(say(run, week="2026-W25")).code == "report_incomplete"


def test_a_week_without_work_lies_between_and_is_none(at) -> None:
    run = at(18)
    ask(run)
    run.now = datetime(2026, 6, 22, 0, tzinfo=UTC)
    run.fact(WeekEnded, SERVICE, "2026-W25", 0)
    assert only(say(run, week="2026-W26"), ProgressReported).week == WEEK


# --- who is told ---


def away(*accounts: str):
    leave = ((FRIDAY.date() - timedelta(days=3), FRIDAY.date()),)
    office = organisation()
    programmers = tuple(Programmer(a, a.capitalize(), leave=leave if a in accounts else ()) for a in (*TEAM, "tono"))
    return replace(office, programmers=programmers)


@pytest.mark.parametrize(
    ("absent", "account", "named"), [((), "budi", ()), (("budi",), "sari", ("Budi",)), (("budi", "sari"), "", ("Budi", "Sari"))]
)
def test_the_first_of_the_team_who_is_there_is_asked(at, pos, absent, account, named) -> None:
    found = owed(Chase.ASK, pos, away(*absent), at(18).open, WEEK, FRIDAY)
    assert found is not None
    assert (found.account, found.away) == (account, named)
    assert bool(to_those_in_charge([found])) is bool(account)


def test_one_message_a_person_and_one_list_for_whoever_leads_them(at, pos) -> None:
    cases = [replace(at(step).open, ticket=f"SI-2026-00000{step - 17}") for step in (18, 19, 20)]
    cases[1] = replace(cases[1], team=("sari", "budi"))
    found = [owed(Chase.ASK, pos, away(), case, WEEK, FRIDAY) for case in cases]
    tickets = [(d.account, [one.case.ticket[-1] for one in d.owed]) for d in to_those_in_charge(found)]
    assert tickets == [("budi", ["1", "3"]), ("sari", ["2"])]
    (above,) = to_the_office_above({case.ticket: pos for case in cases}, away(), found, FRIDAY.date())
    assert isinstance(above, Digest)
    assert (above.account, len(above.owed)) == ("koordinator", 3)


def test_only_a_report_owed_for_the_whole_week_and_not_made_is_chased(at, pos) -> None:
    run = at(18)
    monday = FRIDAY + timedelta(days=3)
    assert owed(Chase.REMIND, pos, away(), run.open, "2026-W23", monday) is None, "the duty began in that week"
    assert owed(Chase.REMIND, pos, away(), run.open, WEEK, monday) is not None
    run.report(week=WEEK)
    assert owed(Chase.LIST, pos, away(), run.open, WEEK, monday) is None


@pytest.mark.parametrize("step", [4, 15])
def test_outside_the_duty_nobody_is_chased(at, pos, step) -> None:
    assert {owed(kind, pos, away(), at(step).open, WEEK, FRIDAY) for kind in Chase} == {None}


def test_without_a_team_whoever_else_may_report_is_asked(at, pos) -> None:
    run = at(8)
    run.fact(EmergencyAsked, person("kepala"), "KRS lumpuh")
    found = owed(Chase.ASK, pos, away(), run.open, WEEK, FRIDAY)
    assert found is not None
    assert (found.account, found.away) == ("koordinator", ())
    nobody = owed(Chase.ASK, pos, organisation(without="koordinator-programmer"), run.open, WEEK, FRIDAY)
    assert nobody is not None
    assert to_those_in_charge([nobody]) == ()


def test_where_nobody_leads_the_team_nobody_gets_the_list(at, pos) -> None:
    found = owed(Chase.ASK, pos, away(), at(18).open, WEEK, FRIDAY)
    assert to_the_office_above({"SI-2026-000001": pos}, replace(away(), offices=()), [found], FRIDAY.date()) == ()


def test_a_procedure_without_the_duty_owes_nothing(at, pos) -> None:
    without = replace(pos, duty=None)
    assert {owed(kind, without, away(), at(18).open, WEEK, FRIDAY) for kind in Chase} == {None}
