"""The team after its letter is approved: changed by an amended letter alone; and what its members find assigned to them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from integration.procedure.definition import Procedure, Product
from integration.procedure.effects import CloseTask, IssueDocument, OpenTask
from integration.procedure.events import DocumentIssued, LetterAnswered, TaskLinked, TeamAssigned, TeamProposed
from integration.procedure.facts import SERVICE, EmergencyAsked, IssueLost, OutcomeChosen, PauseAsked, Via, Withdrawn
from integration.procedure.facts import TaskLinked as Linked
from integration.procedure.letter import amendable, waits_for_signature
from tests.core.office import UNIT, organisation, person
from tests.core.run import Run, kinds, note, notes, only, refused, written_for
from tests.core.straight import prepare, walk


def tasks(decision) -> list[tuple[str, str]]:
    return [(type(e).__name__, e.account) for e in decision.effects if isinstance(e, OpenTask | CloseTask)]


# --- the letter ---


def test_after_the_approval_another_team_is_proposed_and_the_one_that_is_goes_on(at) -> None:
    run = at(18)
    decision = run.assign("koordinator", "tono", "budi")
    assert kinds(decision) == ["TeamProposed", "DocumentIssued"]
    assert only(decision, TeamProposed).members == ("tono", "budi")
    draft = only(decision, DocumentIssued)
    assert (draft.document, draft.edition, draft.step, draft.version) == ("surat-tugas", "draft", 14, 3)
    assert isinstance(decision.effects[0], IssueDocument)
    said = note(decision, "tim-usulan")
    assert [person["account"] for person in said["may_act"]] == ["kepala"]
    assert said["lines"] == ["/pos setuju", "/pos kembali <alasan>"]
    assert (run.open.team, run.open.proposed) == (("budi", "sari"), ("tono", "budi"))
    assert tasks(decision) == []


def test_the_approval_makes_the_team_and_its_letter(at) -> None:
    run = at(18)
    run.assign("koordinator", "tono", "budi")
    decision = run.say("kepala", "setuju")
    assert kinds(decision) == ["LetterAnswered", "TeamAssigned", "DocumentIssued"]
    answer = only(decision, LetterAnswered)
    assert (answer.accepted, answer.role, answer.office) == (True, "kepala-pustikom", "")
    assert only(decision, TeamAssigned) == TeamAssigned(2, ("tono", "budi"))
    letter = only(decision, DocumentIssued)
    assert (letter.edition, letter.step) == ("final", 15)
    assert (run.at, run.open.team, run.open.proposed) == (18, ("tono", "budi"), ())
    assert notes(decision) == ["tim"]
    assert tasks(decision) == [("OpenTask", "budi"), ("CloseTask", "sari")]


def test_a_letter_sent_back_changes_nothing_and_says_why(at) -> None:
    run = at(18)
    run.assign("koordinator", "tono")
    decision = run.say("kepala", "kembali", "Tono dibutuhkan di tempat lain")
    assert kinds(decision) == ["LetterAnswered"]
    assert note(decision, "tim-ditolak")["reason"] == "Tono dibutuhkan di tempat lain"
    assert (run.open.team, run.open.proposed) == (("budi", "sari"), ())


def test_only_whoever_approves_letters_answers_and_a_return_says_why(at) -> None:
    run = at(18)
    run.assign("koordinator", "tono")
    refusal = refused(run.say("koordinator", "setuju"))
    assert (refusal.code, refusal.asked) == ("not_yours", "setuju")
    assert [m.kind for m in refused(run.say("kepala", "kembali")).missing] == ["reason"]
    assert run.open.proposed == ("tono",)


def test_the_same_proposal_again_is_no_other_and_a_second_one_takes_its_place(at) -> None:
    run = at(18)
    run.assign("koordinator", "tono")
    assert run.assign("koordinator", "tono").ignored == "it is so already"
    assert only(run.assign("koordinator", "sari", "tono"), TeamProposed).members == ("sari", "tono")
    run.say("kepala", "setuju")
    assert run.open.team == ("sari", "tono")


def test_a_word_the_step_has_itself_is_the_steps_where_its_sayer_may(at) -> None:
    """Step 26 has `kembali` too: the head of infrastructure's sends the case back, the head's the letter."""
    run = at(26)
    run.assign("koordinator", "tono", "budi")
    assert kinds(run.say("kepala", "kembali", "Tidak perlu")) == ["LetterAnswered"]
    run.assign("koordinator", "tono", "budi")
    run.say("infrastruktur", "kembali", "Data kurang")
    assert (run.at, run.open.proposed) == (25, ("tono", "budi"))


def test_a_word_from_before_the_proposal_or_by_another_way_is_no_answer(at) -> None:
    run = at(18)
    run.assign("koordinator", "tono")
    early = run.now - timedelta(seconds=1)
    for fact in (
        OutcomeChosen("a", early, person("kepala"), "setuju", "", (), Via.COMMENT),
        OutcomeChosen("b", run.now + timedelta(minutes=1), person("kepala"), "setuju", "", (), Via.LABEL),
    ):
        assert refused(run.tell(fact)).code == "no_such_outcome"
    assert run.open.proposed == ("tono",)


def test_who_verified_meanwhile_joins_no_team(at) -> None:
    office = organisation()
    office = replace(office, programmers=(*office.programmers, replace(office.programmers[0], account="koordinator", name="Koordinator")))
    run = at(20, office)
    run.assign("pengembangan", "koordinator", "budi")
    run.tick_all("koordinator")
    run.say("koordinator", "diterima")
    assert refused(run.say("kepala", "setuju")).code == "unfit_team"
    assert run.open.team == ("budi", "sari")


def test_a_paused_case_may_get_another_team(at) -> None:
    run = at(18)
    run.fact(PauseAsked, person("kepala"), "Menunggu")
    run.assign("koordinator", "tono")
    run.say("kepala", "setuju")
    assert run.open.team == ("tono",)


def test_a_procedure_without_a_letter_knows_no_amendment(at) -> None:
    run = at(18)
    bare: Procedure = replace(run.procedure, letter=None)
    assert amendable(bare, run.open) is None
    assert not waits_for_signature(bare, run.open, bare.step(15))
    run.procedure = bare
    assert kinds(run.assign("koordinator", "tono")) == ["TeamAssigned"]


def test_the_approval_of_an_amended_letter_makes_the_letter_and_no_other_paper_of_its_step(at) -> None:
    run = at(18)
    approval = run.procedure.step(15)
    more = replace(approval, products=(Product("notulen", "final", ("setuju",)), *approval.products))
    run.procedure = replace(run.procedure, steps=tuple(more if step is approval else step for step in run.procedure.steps))
    run.assign("koordinator", "tono", "budi")
    assert only(run.say("kepala", "setuju"), DocumentIssued).document == "surat-tugas"


# --- the tasks ---


def test_the_members_get_their_tasks_when_the_letter_is_received(at) -> None:
    run = at(16)
    decision = run.say("koordinator", "terima")
    assert tasks(decision) == [("OpenTask", "sari")]
    linked = run.fact(Linked, SERVICE, "sari", 7, "https://git.example/7")
    assert only(linked, TaskLinked).iid == 7
    assert run.open.tasks == {"sari": 7}
    assert run.fact(Linked, SERVICE, "sari", 7, "https://git.example/7").ignored == "it is so already"


def test_before_the_team_knows_nobody_has_a_task(at) -> None:
    run = at(13)
    assert tasks(run.assign()) == []
    assert tasks(at(15).say("kepala", "setuju")) == []


def test_under_an_exception_order_the_team_knows_when_it_is_to_act(at) -> None:
    run = at(8)
    run.fact(EmergencyAsked, person("kepala"), "KRS lumpuh")
    walk(run, 27)
    prepare(run)
    run.say("jaringan", "selesai")
    assert tasks(run.assign()) == [("OpenTask", "sari")]


def test_tasks_end_with_the_case(at) -> None:
    assert tasks(at(31).portal("terima", "Baik")) == [("CloseTask", "sari")]
    assert tasks(at(18).fact(Withdrawn, UNIT, "Tidak jadi")) == [("CloseTask", "sari")]
    assert tasks(at(8).fact(Withdrawn, UNIT, "Tidak jadi")) == []


def test_an_issue_in_the_place_of_a_lost_one_is_linked_again(at) -> None:
    run = at(18)
    run.case = replace(run.open, iid=3)
    run.checked = False
    assert tasks(run.fact(IssueLost, SERVICE, 3)) == [("OpenTask", "sari")]


@pytest.mark.parametrize("team", [("budi",), ("sari", "budi")])
def test_a_step_moves_no_task(at, team) -> None:
    run: Run = at(18)
    run.assign("koordinator", *team)
    run.say("kepala", "setuju")
    run.tick_all("budi")
    assert tasks(run.say(team[0], "selesai", sections=dict(written_for(run, "selesai")))) == []
