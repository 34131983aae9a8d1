"""A running case under a newer revision: what stands against it, what is told, and that nothing is looked up in vain afterwards."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from integration.procedure import contexts
from integration.procedure.case import evolve
from integration.procedure.decide import decide
from integration.procedure.definition import Emergency, Letter, Procedure, Standard, Supply, Unit, Verification
from integration.procedure.events import Entry, PerformersChanged
from integration.procedure.events import RevisionAdopted as Adopted
from integration.procedure.facts import (
    SERVICE,
    DocumentAttached,
    EmergencyAsked,
    PauseAsked,
    ResumeAsked,
    RevisionAdopted,
    StepExpired,
    Ticked,
    Withdrawn,
)
from integration.procedure.forecast import finish
from integration.procedure.people import Situation
from integration.procedure.revisions import Finding, age, changes, obstacles
from integration.procedures import load
from integration.projection import project
from integration.templates import messages
from tests.core.office import STRANGER, UNIT, person
from tests.core.onward import go_on, to_the_end
from tests.core.revised import (
    EDITS,
    REVISION,
    fits,
    revised,
    with_duty,
    with_new_paper,
    with_schedule,
    with_step,
    with_word,
    without_document,
    without_role,
    without_step,
)
from tests.core.run import Run, kinds, note, notes, only
from tests.core.straight import every_step
from tests.core.test_totality import VALUES

POS = load("pengaduan-masalah-teknis-si.2025-05")


@cache
def _steps() -> dict[int, Run]:
    return every_step(POS)


def at(step: int) -> Run:
    run = _steps()[step].copy()
    run.checked = False  # the independent checker reads a ledger by one revision
    return run


def sent_back() -> Run:
    """For its form."""
    run = at(4)
    run.say("kasi", "revisi", "Kurang jelas")
    return run


def in_pause() -> Run:
    run = at(10)
    run.fact(PauseAsked, person("kepala"), "Menunggu", after=timedelta(hours=4))
    return run


def under_order(step: int = 10, *, walked: int = 0) -> Run:
    """An exception order given at a step; `walked`: as many steps later."""
    run = at(step)
    run.fact(EmergencyAsked, person("kepala"), "KRS lumpuh")
    for _ in range(walked):
        go_on(run)
    return run


def in_a_second_round() -> Run:
    run = at(22)
    run.say("layanan", "perlu-perbaikan", "Belum berjalan")
    return run


def with_a_form_owed() -> Run:
    """The order came while the case waited for its form."""
    run = sent_back()
    run.fact(EmergencyAsked, person("kepala"), "KRS lumpuh")
    return run


STATES: dict[str, Callable[[], Run]] = {
    **{str(number): lambda number=number: at(number) for number in range(4, 32)},  # type: ignore[misc]
    "sent back": sent_back,
    "in a pause": in_pause,
    "under an order": under_order,
    "under an order, half way": lambda: under_order(walked=2),
    "paying debts": lambda: under_order(walked=6),
    "past its debts": lambda: under_order(22, walked=7),
    "with a form owed": with_a_form_owed,
    "in a second round": in_a_second_round,
}


def proposed() -> Run:
    """A case whose amended letter waits for its approval."""
    run = at(18)
    run.assign("koordinator", "tono")
    return run


def against(new: Procedure, run: Run) -> list[str]:
    """The kinds of what stands against it."""
    found = obstacles(POS, new, run.open)
    assert all(sentence(finding) for finding in found)
    return [finding.kind for finding in found]


def told(new: Procedure, run: Run) -> list[str]:
    found = changes(POS, new, run.open)
    assert all(sentence(finding) for finding in found)
    return [finding.kind for finding in found]


def sentence(finding: Finding) -> str:
    return messages("revision")[finding.kind].format(**finding.facts)


def adopt(run: Run, new: Procedure):
    """The case goes on under it, as the worker tells it."""
    run.procedure = new
    return run.fact(RevisionAdopted, SERVICE, new.revision)


# --- what stands against it ---


@pytest.mark.parametrize("state", STATES)
def test_nothing_stands_against_the_same_words_under_a_new_name(state) -> None:
    run = STATES[state]()
    assert against(revised(POS), run) == []
    assert told(revised(POS), run) == []


def test_a_case_that_has_ended_stays_where_it_is() -> None:
    run = at(6)
    run.fact(Withdrawn, UNIT, "Tidak jadi")
    new = revised(POS, lambda p: without_step(p, 6))
    assert against(new, run) == []
    assert told(new, run) == []
    assert adopt(run, new).ignored == "the case has ended"


AGAINST: dict[str, tuple[Callable[[], Run], Callable[[Procedure], Procedure], list[str]]] = {
    "its step is gone": (lambda: at(31), lambda p: without_step(p, 8), ["step_other"] * 23 + ["step_gone"]),
    "its step is another": (lambda: at(8), lambda p: with_step(p, 8, name="Lain", text="Lain"), ["step_other"]),
    "its name, where other steps say the same": (lambda: at(21), lambda p: with_step(p, 21, name="Lain"), ["step_other"]),
    "a step it left is another": (lambda: at(12), lambda p: with_step(p, 8, name="Lain", text="Lain"), ["step_other"]),
    "a step it owes is another": (under_order, lambda p: with_step(p, 20, name="Lain", text="Lain"), ["step_other"]),
    "a step to come is another": (lambda: at(8), lambda p: with_step(p, 20, name="Lain", text="Lain"), []),
    "only its name": (lambda: at(8), lambda p: with_step(p, 8, name="Lain"), []),
    "another form": (lambda: at(8), lambda p: replace(p, form="FRM-SI-006"), ["form"]),
    "it waits for a form elsewhere": (sent_back, lambda p: replace(p, revises_at=3), ["frame"]),
    "it owes a form elsewhere": (with_a_form_owed, lambda p: replace(p, revises_at=3), ["frame"]),
    "it has its form": (lambda: at(8), lambda p: replace(p, revises_at=3), []),
    "the unit acts now": (lambda: at(8), lambda p: with_step(p, 8, performer="pimpinan-unit-kerja"), ["channel"]),
    "the unit acts no more": (lambda: at(31), lambda p: with_step(p, 31, performer="kepala-pustikom"), ["channel"]),
    "another performer": (lambda: at(8), lambda p: with_step(p, 8, performer="kepala-pustikom"), []),
    "its way on is called otherwise": (lambda: at(8), lambda p: with_word(p, 8, "selesai", "rampung"), ["way_on"]),
    "another step's way on": (lambda: at(9), lambda p: with_word(p, 8, "selesai", "rampung"), []),
    "a round in another chain": (lambda: at(21), lambda p: replace(p, verification=Verification((20, 21, 22))), ["verification"]),
    "past another chain": (lambda: at(25), lambda p: replace(p, verification=Verification((20, 21, 22))), ["verification"]),
    "another chain, where its first step is now": (lambda: at(20), lambda p: replace(p, verification=None), ["verification"]),
    "a chain to come": (lambda: at(18), lambda p: replace(p, verification=None), []),
    "an order of other steps": (under_order, lambda p: replace(p, emergency=Emergency(24, 28, 5)), ["exception"]),
    "no order any more": (under_order, lambda p: replace(p, emergency=None), ["exception"]),
    "no order, and none was given": (lambda: at(10), lambda p: replace(p, emergency=None), []),
    "an amended letter to be answered by another step": (
        proposed,
        lambda p: replace(p, letter=Letter("surat-tugas", 14, 15, 17)),
        ["letter"],
    ),
    "another letter, and none is to be answered": (lambda: at(18), lambda p: replace(p, letter=None), []),
    "the report begins at once": (lambda: at(14), lambda p: with_duty(p, 14, 31), ["duty_begins"]),
    "the report ends": (lambda: at(16), lambda p: with_duty(p, 17, 31), ["duty_ends"]),
    "no report at all": (lambda: at(16), lambda p: replace(p, duty=None), ["duty_ends"]),
    "the report begins later": (lambda: at(14), lambda p: with_duty(p, 17, 31), []),
    "a paper without a name": (lambda: at(8), lambda p: without_document(p, "lembar-disposisi"), ["document"]),
    "a paper to come": (lambda: at(4), lambda p: without_document(p, "lembar-disposisi"), []),
    "who acted is no more": (lambda: at(8), lambda p: without_role(p, "kasi-layanan-administrasi", "kadiv-layanan"), ["role"]),
    "who never acted is no more": (lambda: at(8), lambda p: without_role(p, "koordinator-infrastruktur", "kadiv-infrastruktur"), []),
    "the team is no more": (lambda: at(14), lambda p: without_role(p, "tim-programmer", "koordinator-programmer"), ["role"]),
    "the team's work is another's": (lambda: at(20), lambda p: with_step(p, 18, performer="koordinator-programmer"), ["team"]),
    "nobody may resume": (in_pause, lambda p: replace(p, authority={w: r for w, r in p.authority.items() if w != "lanjut"}), ["command"]),
    "nobody may take access back": (
        lambda: at(28),
        lambda p: replace(p, authority={w: r for w, r in p.authority.items() if w != "cabut-akses"}),
        ["command"],
    ),
    "a paper nobody makes any more": (lambda: at(12), lambda p: with_new_paper(p, 8, 14), ["demand"]),
    "a paper its own step asks for": (lambda: at(14), lambda p: with_new_paper(p, 8, 14), ["demand"]),
    "a paper that will be made": (lambda: at(12), lambda p: with_new_paper(p, 13, 14), []),
    "a paper that a return leads to": (lambda: at(28), lambda p: with_new_paper(p, 12, 19), ["demand"]),
    "a paper only skipped steps make": (lambda: under_order(walked=2), lambda p: with_new_paper(p, 20, 23), []),
    "a paper the order's first steps make": (lambda: under_order(walked=6), lambda p: with_new_paper(p, 26, 30), ["demand"]),
    "a day nobody writes any more": (lambda: at(9), lambda p: with_schedule(p, 6, 14), ["demand"]),
    "a day that will be written": (lambda: at(5), lambda p: with_schedule(p, 6, 14), []),
    "a day written at the step that asks": (lambda: at(9), lambda p: with_schedule(p, 14, 14), []),
    "a schedule it has": (lambda: at(9), lambda p: with_schedule(p, 13, 12), []),
}


@pytest.mark.parametrize("case", AGAINST)
def test_what_stands_against_it(case) -> None:
    run, edit, kinds = AGAINST[case]
    assert against(revised(POS, edit), run()) == kinds


def test_what_is_owed_leads_on_as_before() -> None:
    step = POS.step(12)
    onward = tuple(replace(outcome, to=14) if outcome.to == 13 else outcome for outcome in step.outcomes)
    new = revised(POS, lambda p: with_step(p, 12, outcomes=onward))
    assert against(new, under_order(13)) == []
    assert against(new, under_order(12)) == ["debt"]


def test_what_was_ticked_still_says_so() -> None:
    run = at(20)
    others = tuple(replace(r, text="Butir lain") if r.id == "20.5" else r for r in POS.step(20).requirements)
    new = revised(POS, lambda p: with_step(p, 20, requirements=others))
    assert (against(new, run), told(new, run)) == ([], ["item_text"])
    run.fact(Ticked, person("koordinator"), "20.5", done=True)
    assert against(new, run) == ["ticked"]


def test_what_people_attached_has_a_name() -> None:
    run = at(24)
    run.fact(DocumentAttached, person("koordinator"), "formulir-uji-coba", ("[a](/uploads/a)",))
    assert against(revised(POS, lambda p: without_document(p, "formulir-uji-coba")), run) == ["document"]


def test_every_kind_has_its_sentence_and_no_other() -> None:
    found = {kind for _, _, kinds in AGAINST.values() for kind in kinds} | {"debt", "ticked"}
    assert found | set(CHANGED) | {"due", "asked", "labels"} == set(messages("revision"))


# --- what is told ---


CHANGED: dict[str, Callable[[Procedure], Procedure]] = {
    "name": lambda p: with_step(p, 10, name="Telaah"),
    "text": lambda p: with_step(p, 10, text="Uraian lain"),
    "standard": lambda p: with_step(p, 10, standard=Standard("5 Hari Kerja", 5, Unit.DAYS)),
    "performer": lambda p: with_step(p, 10, performer="kadiv-pengembangan"),
    "headings": lambda p: with_step(p, 10, sections=()),
    "words": lambda p: with_word(p, 10, "selesai", "rampung"),
    "item_text": lambda p: with_step(p, 10, requirements=_items(p, text="Butir lain")),
    "item_supply": lambda p: with_step(p, 10, requirements=_items(p, supply=Supply.FORM, document=None, edition=None)),
    "item_new": lambda p: with_step(p, 10, requirements=(*_items(p), replace(_items(p)[0], id="10.9"))),
    "item_gone": lambda p: with_step(p, 10, requirements=_items(p)[:-1]),
    "later": lambda p: with_step(p, 20, name="Telaah"),
}


def _items(procedure: Procedure, **changed: object):
    first, *others = procedure.step(10).requirements
    return (replace(first, **changed), *others)


@pytest.mark.parametrize("kind", CHANGED)
def test_what_reads_otherwise_is_told(kind) -> None:
    assert told(revised(POS, CHANGED[kind]), at(10)) == [kind]


def test_what_is_behind_is_not_told() -> None:
    assert told(revised(POS, lambda p: with_step(p, 8, name="Telaah")), at(10)) == []


# --- going on under it ---


def test_the_clock_is_counted_anew_and_what_was_decided_stays() -> None:
    run = at(10)
    before = run.open
    decision = adopt(run, revised(POS, CHANGED["standard"]))
    assert kinds(decision) == ["RevisionAdopted"]
    assert only(decision, Adopted).due - before.due == timedelta(days=4)  # two working days, over a weekend
    assert (run.open.revision, run.open.step, run.open.entered_seq) == (REVISION, 10, before.entered_seq)
    assert run.open.history == before.history
    assert (note(decision, "revisi-prosedur")["before"], note(decision, "revisi-prosedur")["revision"]) == ("2025-05", REVISION)
    assert {passage.revision for passage in run.open.history if passage.left_at} == {"2025-05"}
    go_on(run)
    assert run.open.history[-2].revision == REVISION
    assert [paper.revision for paper in run.open.documents][-2:] == ["2025-05", REVISION]


def test_lateness_is_by_the_new_time() -> None:
    run = at(10)
    run.now += timedelta(days=8)
    run.fact(StepExpired, SERVICE, run.open.entered_seq)
    assert run.open.late
    longer = run.copy()
    adopt(longer, revised(POS, lambda p: with_step(p, 10, standard=Standard("20 Hari Kerja", 20, Unit.DAYS))))
    assert not longer.open.late
    adopt(run, revised(POS))
    assert run.open.late


def test_a_pause_stays_and_the_clock_is_counted_when_it_ends() -> None:
    run = in_pause()
    due = run.open.due
    adopt(run, revised(POS, CHANGED["standard"]))
    assert (run.open.due, run.open.status) == (due, "dijeda")
    run.fact(ResumeAsked, person("kepala"))
    assert run.open.due > due


def test_others_are_asked() -> None:
    run = at(10)
    decision = adopt(run, revised(POS, CHANGED["performer"]))
    assert only(decision, PerformersChanged) == PerformersChanged(("koordinator",), ("pengembangan",))
    assert notes(decision) == ["revisi-prosedur", "pejabat-berganti"]
    assert run.open.asked == ("pengembangan",)
    run.tick_all("pengembangan")
    run.say("pengembangan", "selesai")
    assert run.at == 11


@pytest.mark.parametrize(
    ("revision", "fact"),
    [("2025-05", "2025-05"), ("2025-04", "2025-04"), ("2026-01", "2026-02")],
    ids=["its own", "an older one", "one it is not decided with"],
)
def test_only_a_newer_one_is_taken(revision, fact) -> None:
    run = at(10)
    run.procedure = replace(POS, revision=revision)
    assert run.fact(RevisionAdopted, SERVICE, fact).ignored == "the case goes by this revision or a newer one"


def test_another_procedure_is_none_of_its_revisions() -> None:
    run = at(10)
    assert adopt(run, replace(revised(POS), slug="lain")).ignored


def test_revisions_have_an_order() -> None:
    written = ["2025-9", "2025-10", "2025-10-2", "2025-10-10", "2025-10-b", "2026-01", "b"]
    assert sorted({*written}, key=age) == written


# --- nothing is looked up in vain ---

ACTORS = (UNIT, SERVICE, STRANGER, person("kepala"), person("koordinator"), person("budi"))
edits = st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=3)


def look_at(run: Run) -> None:
    """All that is shown and asked of a case."""
    day = run.now.date()
    project(run.procedure, run.organisation, run.open, day)
    contexts.check(Situation(run.procedure, run.organisation, run.open, STRANGER, run.now))
    finish(run.procedure, run.organisation.calendar, run.open, run.now)
    for kind, values in VALUES.items():
        for by in ACTORS:
            decision = decide(run.procedure, run.organisation, run.open, kind("x", run.now, by, *values), run.now)
            assert decision.entries or decision.effects or decision.ignored


@settings(max_examples=36, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(state=st.sampled_from(sorted(STATES)), made=st.lists(edits, min_size=1, max_size=2), further=st.integers(0, 6))
def test_whatever_is_let_through_finds_all_it_looks_up_and_comes_to_its_end(state, made, further) -> None:
    run = STATES[state]()
    for number, these in enumerate(made, start=1):
        old = run.procedure
        new = revised(old, *(lambda p, e=edit, a=a, b=b: e(p, a, b) for edit, a, b in these))
        new = replace(new, revision=f"2026-{number}")
        assume(fits(new) and not obstacles(old, new, run.open))
        changes(old, new, run.open)
        assert "RevisionAdopted" in kinds(adopt(run, new))
        look_at(run)
        for _ in range(further):
            if not run.open.ending:
                go_on(run)
        assume(not run.open.ending or number == len(made))
    to_the_end(run)
    assert run.open.ending == "selesai"
    look_at(run)


def test_any_further_entry_is_folded_as_before() -> None:
    run = at(10)
    case = evolve(run.open, Entry(run.open.last_seq + 1, run.now, SERVICE, "x", Adopted(REVISION, None)))
    assert (case.revision, case.due, case.late) == (REVISION, None, False)
