"""What was asked for the step before: of two who do the same at once one wins, the other is told, and no step is left by chance."""

from dataclasses import replace
from datetime import timedelta

import pytest

from integration.procedure.effects import ShowOnIssue
from integration.procedure.facts import (
    SERVICE,
    EmergencyAsked,
    FormRevised,
    OutcomeChosen,
    StepExpired,
    StepLabelMoved,
    Ticked,
    Via,
    Withdrawn,
)
from tests.core.office import UNIT, office, organisation, person, submission
from tests.core.run import Run, entered, kinds, note, refused
from tests.core.straight import PATH, prepare, walk

SECOND = timedelta(seconds=1)


def say(run: Run, account: str, word: str, at, via: Via = Via.COMMENT, sections=()):
    """A word typed at a moment of its own, read now."""
    run.told += 1
    return run.tell(OutcomeChosen(f"fact:{run.told}", at, person(account), word, "", sections, via))


def test_of_two_who_type_the_same_within_a_second_one_wins_and_the_other_is_told(at) -> None:
    """Whoever leads the division may leave both 6 and 7: typed for 6, the second word does not leave 7 as well."""
    run = at(6)
    run.say("kasi", "selesai")
    assert run.at == 7
    decision = say(run, "layanan", "selesai", run.now + SECOND)
    assert refused(decision).code == "overtaken"
    said = note(decision, "penolakan")
    assert (said["by"], said["by_other"], said["done"], said["done_step"], said["done_step_name"]) == (
        "layanan",
        "Kasi",
        "selesai",
        6,
        "Penjadwalan",
    )
    assert (said["may_act"][0]["account"], said["line"]) == ("layanan", "/pos selesai"), "who may act now, and how"
    assert run.at == 7
    assert entered(run.say("layanan", "selesai")) == [8]


@pytest.mark.parametrize(("seconds", "code"), [(-2, "overtaken"), (0, "overtaken"), (1, "overtaken"), (5, "overtaken"), (6, "")])
def test_the_same_word_leaves_the_next_step_only_after_a_while(at, seconds, code) -> None:
    run = at(6)
    run.say("kasi", "selesai")
    run.now += timedelta(minutes=1)
    decision = say(run, "layanan", "selesai", run.open.entered_at + seconds * SECOND)
    assert (refused(decision).code if code else "") == code
    assert run.at == (7 if code else 8)


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_another_word_is_for_the_step_in_which_it_was_typed(at, seconds) -> None:
    run = at(7)
    run.say("layanan", "selesai")
    decision = say(run, "kasi", "kembali", run.open.entered_at + seconds * SECOND)
    assert refused(decision).code == ("no_such_outcome" if seconds > 0 else "overtaken")


def test_what_counts_is_the_askings_own_time_not_the_ledgers(at) -> None:
    """The ledger's own time is never before its last entry; a comment told late was written before all the same."""
    run = at(5)
    written = run.now + SECOND
    run.say("kepala", "setuju")
    run.now += timedelta(hours=3)
    assert refused(say(run, "kepala", "setuju", written)).code == "overtaken"
    assert run.at == 6


@pytest.mark.parametrize("via", [Via.LABEL, Via.CLOSE, Via.PORTAL])
def test_only_words_that_are_typed_are_overtaken(at, via) -> None:
    run = at(6)
    run.say("kasi", "selesai")
    assert entered(say(run, "layanan", "selesai", run.now, via)) == [8]


@pytest.mark.parametrize("step", [step for step in PATH if PATH[step][0] and PATH[step + 1][0]])
def test_no_word_leaves_two_steps(at, step) -> None:
    """Everybody holds every office; the same comment, twice at the same moment, leaves one step."""
    everybody = organisation(*(office(role, "kepala") for role in organisation_roles()))
    run = at(step, everybody)
    prepare(run)
    if step == 19:
        run.report("budi")
    else:
        run.say(*PATH[step])
    assert run.at == step + 1
    word = run.open.history[-2].outcome
    assert refused(say(run, "kepala", word, run.now)).code == "overtaken"
    assert run.at == step + 1


def organisation_roles() -> list[str]:
    return [held.role for held in organisation().offices]


def test_a_word_typed_while_an_exception_order_was_given_is_told_who_gave_it(at) -> None:
    run = at(10)
    run.fact(EmergencyAsked, person("kepala"), "KRS lumpuh")
    said = note(say(run, "koordinator", "selesai", run.now - SECOND), "penolakan")
    assert (said["code"], said["by_other"], said["done"], said["done_step"]) == ("overtaken", "Kepala", "", 10)


def test_a_word_typed_while_the_form_came_back_is_told_that_it_did(at) -> None:
    run = at(4)
    run.say("kasi", "revisi", "Kurang jelas")
    run.fact(FormRevised, UNIT, submission(subject="Nilai semester lalu hilang"))
    said = note(say(run, "kasi", "lengkap", run.now - SECOND), "penolakan")
    assert (said["code"], said["by_other"], said["done"], said["done_step"]) == ("overtaken", "Dekan FT", "", 3)


def test_at_the_first_step_of_all_nothing_came_before(pos) -> None:
    """No procedure opens so today; the rule must not stumble over one."""
    run = Run(pos)
    run.submit()
    run.checked = False
    run.case = replace(run.open, history=run.open.history[-1:])
    assert refused(say(run, "kasi", "lengkap", run.now - SECOND)).code == "incomplete"
    run.case = replace(run.open, entered_at=None)
    assert refused(say(run, "kasi", "lengkap", run.now - SECOND)).code == "incomplete"


# --- reports ---


def test_two_reports_within_a_second_are_two_reports_and_one_step(at) -> None:
    run = at(19)
    run.report("budi", percent=80)
    run.now -= timedelta(seconds=59)
    assert kinds(run.report("sari", percent=90)) == ["ProgressReported"]
    assert run.at == 20


def test_a_report_written_before_the_case_waited_for_one_moves_nothing(at) -> None:
    run = at(18)
    prepare(run)
    run.say("budi", "selesai")
    run.now -= timedelta(minutes=2)  # a minute passes before each fact
    assert kinds(run.report("sari")) == ["ProgressReported"]
    assert run.at == 19
    run.now += timedelta(minutes=1)
    assert entered(run.report("sari")) == [20]


# --- cards and boxes ---


def test_a_card_moved_before_the_step_was_entered_is_put_back_and_explained(at) -> None:
    run = at(5)
    moved = run.now + SECOND
    run.say("kepala", "setuju")
    run.told += 1
    decision = run.tell(StepLabelMoved(f"fact:{run.told}", moved, person("kasi"), 7))
    assert (refused(decision).code, refused(decision).asked) == ("overtaken", "label:7")
    assert any(isinstance(effect, ShowOnIssue) for effect in decision.effects)
    assert note(decision, "penolakan")["by_other"] == "Kepala"
    same = run.tell(StepLabelMoved("again", moved, person("kasi"), 6))
    assert same.ignored == "it is so already", "a card moved to where the case stands"


def test_several_step_labels_at_once_are_put_back(at) -> None:
    run = at(5)
    decision = run.fact(StepLabelMoved, person("kepala"), 6, (9,))
    assert (refused(decision).code, refused(decision).asked) == ("two_labels", "label:6")
    assert any(isinstance(effect, ShowOnIssue) for effect in decision.effects)
    assert refused(run.fact(StepLabelMoved, person("kepala"), 5, (6,))).code == "two_labels", "one of them is where the case stands"
    assert run.at == 5


def test_a_box_of_an_earlier_stay_does_not_count_for_this_one(at) -> None:
    """The tick was found only now; the clocks of the platform and of the service may differ by seconds."""
    run = at(20)
    ticked = run.now + SECOND
    run.say("koordinator", "dikembalikan", "Belum sesuai")
    run.report()
    assert run.at == 20
    run.told += 1
    old = run.tell(Ticked(f"fact:{run.told}", ticked, person("koordinator"), "20.5", done=True))
    assert old.ignored == "it speaks of another stay in a step"
    skewed = run.open.entered_at - 3 * SECOND
    assert kinds(run.tell(Ticked("skewed", skewed, person("koordinator"), "20.5", done=True))) == ["RequirementTicked"]


def test_a_box_ticked_under_a_clock_that_is_behind_counts(at) -> None:
    run = at(18)
    assert kinds(run.tell(Ticked("early", run.open.entered_at - 3 * SECOND, person("budi"), "18.1", done=True))) == ["RequirementTicked"]


def test_after_the_end_no_box_is_shown(at) -> None:
    run = walk(at(30), 31)
    run.portal("terima")
    assert run.fact(Ticked, person("kepala"), "30.1", done=True).ignored == "the case has ended"


def test_whoever_ended_a_stay_is_known(at) -> None:
    """Also where nobody chose an outcome."""
    run = at(8)
    run.fact(EmergencyAsked, person("kepala"), "KRS lumpuh")
    assert [(p.outcome, p.by and p.by.account) for p in run.open.history[-3:]] == [("selesai", "layanan"), ("", "kepala"), ("", None)]
    run.fact(Withdrawn, UNIT, "Sudah pulih")
    assert run.open.history[-1].by == UNIT


def test_what_was_asked_in_its_order_counts_in_it_though_all_of_it_is_read_late(at) -> None:
    """The service was down: the clock's finding comes first, and lifts the ledger's own time above that of every comment."""
    run = at(15)
    began = run.now
    run.now += timedelta(days=3)
    run.tell(StepExpired("lewat", run.now, SERVICE, run.open.entered_seq))
    assert entered(say(run, "kepala", "setuju", began + 30 * SECOND)) == [16]
    assert entered(say(run, "koordinator", "terima", began + 90 * SECOND, sections=(("Instruksi tindak lanjut", "Mulai."),))) == [17]
    assert refused(say(run, "koordinator", "selesai", began + 80 * SECOND)).code == "overtaken"
