"""Steps 20 to 23: rounds, stale sign-offs, and nobody who verifies their own work (procedure.md rules 3 and 4)."""

from dataclasses import replace

import pytest

from integration.procedure.events import SignedOff, StepEntered
from integration.procedure.facts import CheckAsked, TeamNamed
from integration.procedure.offices import Holding, Organisation, Programmer
from integration.procedure.people import assignee
from tests.core.office import STRANGER, office, organisation, person
from tests.core.run import Run, entered, note, only, refused
from tests.core.straight import PATH, prepare, step_on, walk


def again(run: Run, until: int) -> Run:
    return walk(run, until)


@pytest.mark.parametrize(("step", "word"), [(s, w) for s in (20, 21, 22, 23) for w in ("dikembalikan", "perlu-perbaikan")])
def test_after_a_return_the_chain_starts_again_at_20(at, step, word) -> None:
    run = at(step)
    run.say(PATH[step][0], word, "Belum sesuai")
    assert run.open.standing_signoffs == ()
    again(run, 24)
    assert [(sign.step, sign.round) for sign in run.open.standing_signoffs] == [(20, 2), (21, 2), (22, 2), (23, 2)]
    assert [passage.step for passage in run.open.history][-5:] == [20, 21, 22, 23, 24]


def test_a_failed_trial_starts_the_chain_again_too(at) -> None:
    run = at(24)
    run.portal("gagal", "Masih galat")
    assert (run.at, run.open.round) == (18, 2)
    again(run, 24)
    assert len(run.open.standing_signoffs) == 4
    assert len(run.open.signoffs) == 8


def test_returned_to_the_report_the_case_waits_for_a_new_one(at) -> None:
    run = at(21)
    run.say("pengembangan", "dikembalikan", "Laporan belum lengkap")
    refusal = refused(run.say("budi", "selesai"))
    assert [missing.kind for missing in refusal.missing] == ["report"] * 5
    assert entered(run.report()) == [20]


def test_a_failure_on_the_server_goes_through_the_chain_again(at) -> None:
    run = at(28)
    run.say("budi", "gagal", "Server menolak")
    assert (run.at, run.open.round) == (18, 2)


def test_a_handover_refused_for_its_function_keeps_the_sign_offs(at) -> None:
    run = at(31)
    run.portal("tolak-fungsi", "Laporan nilai kosong")
    assert (run.at, run.open.round, len(run.open.standing_signoffs)) == (28, 1, 4)


def two_hats(holding: Holding):
    """The coordinator also heads the development division."""
    return organisation(office("kadiv-pengembangan", "koordinator", holding), without="kadiv-pengembangan")


def test_nobody_signs_twice_in_a_round(at) -> None:
    run = at(20, two_hats(Holding.FULL))
    step_on(run)
    run.tick_all("koordinator")
    decision = run.say("koordinator", "diterima")
    assert refused(decision).code == "signed_twice"
    assert note(decision, "penolakan")["may_act"] == [], "the only holder has signed already"
    assert run.at == 21


def test_nobody_is_asked_to_verify_who_may_not(at) -> None:
    """Who signed in this round is not named for another step of it; that nobody else can is told, with who appoints a stand-in."""
    run = at(20, two_hats(Holding.FULL))
    run.tick_all("koordinator")
    decision = run.say("koordinator", "diterima")
    assert only(decision, StepEntered).asked == ()
    said = note(decision, "langkah")
    assert (said["performers"], said["vacant"], said["may_act"]) == ([], True, [])
    assert [(p["account"], p["role"]) for p in said["appoint"]] == [("kepala", "Kepala Pustikom")]
    assert assignee(run.procedure, run.organisation, run.open, run.now.date()) is None
    refusal = note(run.say("koordinator", "diterima"), "penolakan")
    assert (refusal["code"], refusal["may_act"]) == ("signed_twice", [])
    assert [p["account"] for p in refusal["appoint"]] == ["kepala"]
    assert note(run.say("layanan", "diterima"), "penolakan")["appoint"] == refusal["appoint"], "whoever asks is told"
    run.reorganise(organisation(office("kadiv-pengembangan", "wakil", Holding.ACTING), without="kadiv-pengembangan"))
    assert run.open.asked == ("wakil",)
    run.tick_all("wakil")
    assert entered(run.say("wakil", "diterima")) == [22]


def test_among_several_holders_only_those_who_may_are_asked(at) -> None:
    run = team_of_one_who_verifies(Holding.FULL, at)
    said = note(run.fact(CheckAsked, STRANGER), "cek")
    assert [p["account"] for p in said["may_act"]] == [p["account"] for p in said["performers"]] == ["koordinator"]
    assert (said["vacant"], said["appoint"]) == (False, [])
    acting = team_of_one_who_verifies(Holding.ACTING, at)
    assert assignee(acting.procedure, acting.organisation, acting.open, acting.now.date()) == "budi", "an acting office exempts"


def test_in_the_next_round_they_may_sign_the_other_step(at) -> None:
    office_of_two = organisation(office("koordinator-programmer", "wakil"), office("kadiv-pengembangan", "koordinator"))
    run = at(20, office_of_two)
    step_on(run)
    run.say("pengembangan", "dikembalikan", "Belum sesuai")
    run.report()
    run.tick_all("wakil")
    run.say("wakil", "diterima")
    run.tick_all("koordinator")
    assert entered(run.say("koordinator", "diterima")) == [22]


@pytest.mark.parametrize("holding", [Holding.ACTING, Holding.DEPUTY])
def test_an_acting_officer_may_and_the_ledger_says_why(at, holding) -> None:
    run = at(20, two_hats(holding))
    step_on(run)
    run.tick_all("koordinator")
    decision = run.say("koordinator", "diterima")
    signed = only(decision, SignedOff)
    assert signed.exemption == f"{holding} Kepala Divisi Pengembangan Sistem Informasi dan Pemrograman"
    assert (run.open.signoffs[-1].name, run.open.signoffs[-1].exemption) == ("Koordinator", signed.exemption)


def test_the_acting_office_may_have_been_the_earlier_one(at) -> None:
    run = at(20, organisation(office("koordinator-programmer", "pengembangan", Holding.ACTING), without="koordinator-programmer"))
    run.tick_all("pengembangan")
    assert only(run.say("pengembangan", "diterima"), SignedOff).exemption == ""
    run.tick_all("pengembangan")
    assert only(run.say("pengembangan", "diterima"), SignedOff).exemption == "Plt. Koordinator Programmer"


def team_of_one_who_verifies(holding: Holding, at) -> Run:
    """Budi of the team also holds the office of step 20."""
    run = at(20, organisation(office("koordinator-programmer", "budi", holding)))
    run.tick_all("budi")
    return run


def test_no_member_of_the_team_verifies(at) -> None:
    run = team_of_one_who_verifies(Holding.FULL, at)
    decision = run.say("budi", "diterima")
    assert refused(decision).code == "own_work"
    assert [person["account"] for person in note(decision, "penolakan")["may_act"]] == ["koordinator"]


def test_no_member_of_the_team_returns_either(at) -> None:
    run = team_of_one_who_verifies(Holding.FULL, at)
    assert refused(run.say("budi", "dikembalikan", "Belum sesuai")).code == "own_work"


def test_unless_in_an_acting_office(at) -> None:
    run = team_of_one_who_verifies(Holding.ACTING, at)
    assert only(run.say("budi", "diterima"), SignedOff).exemption == "Plt. Koordinator Programmer"


def a_coordinator_who_programs() -> Organisation:
    own = organisation()
    return replace(own, programmers=(*own.programmers, Programmer("koordinator", "K")))


def another_team(run: Run, *members: str) -> None:
    """An amended letter is drafted, and approved."""
    run.assign("koordinator", *members)
    run.say("kepala", "setuju")


@pytest.mark.parametrize("leaves_at", [18, 20])
def test_leaving_the_team_makes_nobody_a_verifier_of_the_work_done(at, leaves_at) -> None:
    run = at(17, a_coordinator_who_programs())
    another_team(run, "koordinator", "budi")
    walk(run, leaves_at)
    another_team(run, "sari", "budi")
    walk(run, 20)
    run.tick_all("koordinator")
    assert refused(run.say("koordinator", "diterima")).code == "own_work"
    assert refused(run.say("koordinator", "perlu-perbaikan", "Belum sesuai")).code == "own_work"


def test_who_left_the_team_before_its_work_began_did_none(at) -> None:
    run = at(15, a_coordinator_who_programs())
    run.assign("koordinator", "koordinator", "budi")
    run.assign("koordinator", "sari", "budi")
    walk(run, 20)
    step_on(run)
    assert run.at == 21


def test_who_verified_this_round_joins_no_team(at) -> None:
    run = at(20, a_coordinator_who_programs())
    step_on(run)
    decision = run.fact(TeamNamed, person("koordinator"), ("budi", "koordinator"))
    assert refused(decision).code == "unfit_team"
    assert [missing.item for missing in refused(decision).missing] == ["koordinator"]
    run.say("pengembangan", "dikembalikan", "Belum sesuai")
    another_team(run, "budi", "koordinator")
    assert run.open.team == ("budi", "koordinator"), "in a new round nothing is signed yet"
    prepare(run)
