"""An edited procedure tried on past and invented cases: what was done is done again where it still may be, and told where it may not."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from integration import procedures
from integration.procedure.case import Case
from integration.procedure.definition import (
    Outcome,
    OutcomeKind,
    Procedure,
    Requirement,
    Section,
    Standard,
    Step,
    Supply,
    Unit,
    by_revision,
)
from integration.procedure.facts import (
    AccessTaken,
    EmergencyAsked,
    FormRevised,
    FormSubmitted,
    HandOffAsked,
    PauseAsked,
    PriorityMoved,
    ResumeAsked,
    Withdrawn,
)
from integration.procedure.offices import Organisation, WorkCalendar
from sync.rehearsal import Rehearsal, Rehearsed
from sync.scripts import INVENTED, AsRecorded, Drawn, cast, counterparts
from sync.simulation import Asked, Comparison, simulate
from sync.stays import Meter
from tests.core.office import CALENDAR, START, UNIT, organisation, person, submission
from tests.core.revised import EDITS, fits
from tests.core.run import TICKET, Run
from tests.core.straight import step_on, walk

POS = procedures.load("pengaduan-masalah-teknis-si")
OFFICE = organisation()
METER = Meter(CALENDAR)
POS_FILES = Path(__file__).parent / "procedures"


def stepped(change: Callable[[Step], Step], *numbers: int) -> Procedure:
    """The procedure with these steps changed."""
    steps = tuple(change(step) if step.number in numbers else step for step in POS.steps)
    return replace(POS, revision="2099-01", steps=steps)


# --- stories of past cases ---


def straight(run: Run) -> None:
    pass


def sent_back(run: Run) -> None:
    run.say("kasi", "revisi", "Lampiran kurang")
    run.fact(FormRevised, UNIT, submission(subject="Nilai hilang di KHS"))
    walk(run, 22)
    run.say("layanan", "perlu-perbaikan", "Masih galat")
    walk(run, 24)
    run.portal("gagal", "Belum dapat masuk")


def paused(run: Run) -> None:
    walk(run, 8)
    run.fact(PauseAsked, person("kepala"), "Menunggu pengadaan")
    run.fact(ResumeAsked, person("kepala"), after=timedelta(days=5))
    run.fact(PriorityMoved, person("layanan"), "kritis")


def ordered(run: Run) -> None:
    walk(run, 14)
    run.fact(EmergencyAsked, person("kepala"), "SIAKAD mati")


def another_team(run: Run) -> None:
    walk(run, 18)
    run.assign("koordinator", "budi", "tono")
    run.say("kepala", "setuju")


def withdrawn(run: Run) -> None:
    walk(run, 9)
    run.fact(Withdrawn, UNIT, "Sudah teratasi")


def handed_off(run: Run) -> None:
    walk(run, 8)
    run.fact(HandOffAsked, person("layanan"), run.procedure.handoffs[0], "Bukan galat")


def refused(run: Run) -> None:
    walk(run, 5)
    run.say("kepala", "tolak", "Bukan wewenang Pustikom")


def access_back(run: Run) -> None:
    walk(run, 29)
    run.fact(AccessTaken, person("jaringan"), "budi", "srv-siakad")


STORIES = [straight, sent_back, paused, ordered, another_team, withdrawn, handed_off, refused, access_back]


def past(story: Callable[[Run], None]) -> Run:
    """A case that went so, and to its end, each step taking some hours."""
    run = Run(POS, checked=False)
    run.submit()
    story(run)
    while not run.open.ending:
        run.now += timedelta(hours=5)
        step_on(run)
    return run


def again(run: Run, procedure: Procedure, meter: Meter = METER) -> Rehearsed:
    """The same answers under another procedure."""
    entries, case = run.entries, run.open
    otherwise = Drawn("1", procedure, POS, {})
    script = AsRecorded(case, entries, by_revision([POS]), procedure, meter, otherwise)
    form = FormSubmitted("portal:1", entries[0].at, UNIT, TICKET, case.submissions[0])
    return Rehearsal(procedure, cast(OFFICE, [procedure, POS], entries), meter, script).run(form)


def way(case: Case) -> list[tuple[int, str]]:
    return [(passage.step, passage.outcome) for passage in case.history]


@pytest.mark.parametrize("story", STORIES)
def test_a_past_case_goes_the_same_way_under_the_procedure_it_went_under(story) -> None:
    run = past(story)
    went = again(run, POS)
    assert (way(went.case), went.objections, went.stopped) == (way(run.open), (), "")
    assert (went.case.ending, went.case.team, went.case.priority) == (run.open.ending, run.open.team, run.open.priority)
    assert [(paper.document, paper.edition) for paper in went.case.documents] == [(p.document, p.edition) for p in run.open.documents]
    took, takes = (METER.days(entries[0].at, entries[-1].at) for entries in (run.entries, went.entries))
    assert takes == pytest.approx(took, abs=0.1)


def test_everybody_who_acted_acts_again() -> None:
    run = past(sent_back)
    assert [p.by.account for p in again(run, POS).case.history if p.by and p.outcome] == [
        p.by.account for p in run.open.history if p.by and p.outcome
    ]


# --- what is no longer lawful ---


def objected(went: Rehearsed) -> list[tuple[str, str, str, list[str]]]:
    return [(o.step, o.asked, o.code, [missing.item for missing in o.missing]) for o in went.objections]


def test_a_box_nobody_ticked_in_the_past_is_named_and_the_case_goes_on() -> None:
    box = Requirement("9.9", "Surat pengantar Kepala Divisi", Supply.TICK)
    run = past(straight)
    went = again(run, stepped(lambda step: replace(step, requirements=(*step.requirements, box)), 9))
    assert objected(went) == [(POS.step(9).label_text, "selesai", "incomplete", [box.text])]
    assert (way(went.case), went.case.ending) == (way(run.open), run.open.ending)


def test_a_heading_nobody_wrote_below_is_named() -> None:
    went = again(past(straight), stepped(lambda step: replace(step, sections=(*step.sections, Section("Biaya"))), 8))
    assert objected(went) == [(POS.step(8).label_text, "selesai", "incomplete", ["Biaya"])]
    assert dict(went.case.written[8])["Biaya"]


def test_a_word_that_is_gone_is_named_and_the_step_left_by_its_way_forward() -> None:
    other = Outcome("teruskan", OutcomeKind.FORWARD, to=10)
    went = again(past(straight), stepped(lambda step: replace(step, outcomes=(other,)), 9))
    assert objected(went) == [(POS.step(9).label_text, "selesai", "no_such_outcome", [])]
    assert (9, "teruskan") in way(went.case)


def test_whoever_may_act_no_longer_is_named_and_whoever_may_does() -> None:
    went = again(past(straight), stepped(lambda step: replace(step, performer="kadiv-infrastruktur"), 9))
    assert [(step, code) for step, _, code, _ in objected(went)] == [(POS.step(9).label_text, "not_yours")]
    assert next(p.by.account for p in went.case.history if p.step == 9 and p.by) == "infrastruktur"  # who did step 26


def test_where_nobody_is_known_for_a_part_somebody_is_invented() -> None:
    office = cast(OFFICE, [POS], past(refused).entries)
    assert office.offices_of("kasi", START.date())
    assert [o.account for o in office.holders("kadiv-infrastruktur", START.date())] == [f"{INVENTED}kadiv-infrastruktur"]


def test_steps_are_known_by_name_then_by_words_whatever_their_number() -> None:
    moved = tuple(replace(step, number=step.number + 1) for step in POS.steps)
    renamed = replace(POS, steps=(replace(moved[0], name="Awal"), *moved[1:]))
    assert counterparts(POS, renamed) == {step.number: step.number + 1 for step in POS.steps}
    assert 8 not in counterparts(POS, stepped(lambda step: replace(step, name="Lain", text="Lain"), 8))


@pytest.mark.parametrize("seed", range(6))
def test_under_whatever_revision_would_be_let_in_a_past_case_ends_or_it_is_told_where_it_stops(seed: int) -> None:
    draw, edited = Random(seed), POS
    while edited is POS or not fits(edited):
        edited = POS
        for edit in draw.sample(EDITS, 3):
            edited = edit(edited, draw.randrange(31), draw.randrange(31))
    for story in (sent_back, ordered, another_team):
        went = again(past(story), replace(edited, revision="2099-01"))
        assert went.case.ending or (went.stopped == "stuck" and went.objections)


# --- figures ---


def tried(edited: Procedure, cases: int = 6, seed: int = 1, office: Organisation = OFFICE) -> Comparison:
    found = simulate(None, [POS], office, edited, Asked(cases, cases, seed))
    assert found.past is None
    assert found.invented
    return found.invented


def test_what_is_not_changed_makes_no_difference() -> None:
    compared = tried(replace(POS, revision="2099-01"))
    assert compared.before
    assert compared.before.days == compared.after.days
    assert compared.before.papers == compared.after.papers
    assert (compared.objections, len(compared.after.days)) == ({}, 6)


def test_the_same_seed_gives_the_same_figures_and_another_one_others() -> None:
    assert tried(POS, 3).after.days == tried(POS, 3).after.days
    assert tried(POS, 3).after.days != tried(POS, 3, seed=2).after.days


def test_a_longer_time_standard_makes_cases_longer_and_another_role_the_slowest() -> None:
    compared = tried(stepped(lambda step: replace(step, standard=Standard("30 Hari Kerja", 30, Unit.DAYS)), 27))
    assert compared.before
    assert compared.after.middle > compared.before.middle + 3
    assert next(iter(compared.after.shares())) == "Koordinator Infrastruktur Jaringan"
    assert next(iter(compared.before.shares())) != "Koordinator Infrastruktur Jaringan"
    assert compared.before.figures(26) == compared.after.figures(26)


def test_a_paper_that_is_made_no_more_is_missed() -> None:
    kept = tuple(product for product in POS.step(29).products if product.document != "laporan-penyelesaian")
    compared = tried(stepped(lambda step: replace(step, products=kept), 29), cases=2)
    assert compared.before
    gone = compared.before.papers - compared.after.papers
    assert list(gone) == [POS.document("laporan-penyelesaian").title]
    assert gone.total() >= 2


def test_a_paper_a_later_step_asks_for_and_nobody_makes_stops_the_case_there() -> None:
    compared = tried(stepped(lambda step: replace(step, products=()), 8), cases=1)
    assert compared.after.stopped == {"stuck": 1}
    (missed,) = {(o.step, o.code, o.missing[0].kind) for o in compared.objections}
    assert missed == (POS.step(9).label_text, "incomplete", "document")


def test_a_step_that_is_new_and_one_that_is_gone_are_told_apart() -> None:
    compared = tried(stepped(lambda step: replace(step, name="Telaah", text="Telaah"), 8), cases=1)
    assert (None, 8) in list(compared.steps())
    assert (8, None) in list(compared.steps())


def test_a_case_that_gets_no_further_is_counted_apart() -> None:
    nobody = stepped(lambda step: replace(step, outcomes=(Outcome("kembali", OutcomeKind.RETURN, to=8),)), 9)
    compared = tried(nobody, cases=2)
    assert compared.after.stopped.total() == 2
    assert compared.after.days == []
    assert compared.before
    assert compared.before.days == []


def test_a_calendar_that_ends_is_told_and_never_guessed() -> None:
    short = replace(OFFICE, calendar=WorkCalendar(CALENDAR.tz, CALENDAR.periods, {}, frozenset({2026})))
    long = stepped(lambda step: replace(step, standard=Standard("300 Hari Kerja", 300, Unit.DAYS)), 8)
    compared = tried(long, cases=2, office=short)
    assert compared.after.stopped == {"calendar": 2}


def test_a_procedure_nobody_knew_is_tried_alone(tiny_procedure) -> None:
    found = simulate(None, [POS], OFFICE, tiny_procedure, Asked(5, 5, 1))
    assert found.current is None
    assert found.invented
    assert found.invented.before is None
    assert len(found.invented.after.days) == 5


@pytest.fixture
def tiny_procedure() -> Procedure:
    return procedures.load(POS_FILES / "permintaan-data.2026-01.yaml")


# --- the working day that many later ---


def test_the_moment_so_many_working_days_later_is_as_many_away() -> None:
    moments: Iterable = (START + timedelta(hours=17) * n for n in range(60))
    for start in moments:
        for days in (0.01, 0.5, 1, 3.25, 20):
            after = METER.after(start, days)
            assert after is not None
            assert METER.days(start, after) == pytest.approx(days, abs=1e-6)


def test_there_is_no_such_moment_where_the_calendar_ends() -> None:
    assert METER.after(START, 600) is None
    assert METER.after(START, 0) == START
