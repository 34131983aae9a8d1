"""What is kept of persons: corrected at any step, erased once the case is over, and then nowhere in the case."""

from dataclasses import asdict, replace

import pytest

from integration.procedure.effects import EraseCopies, PostNote, ShowOnIssue
from integration.procedure.events import FormRevised, PersonalDataErased
from integration.procedure.facts import SERVICE, DocumentFiled, ErasureOrdered, FormCorrected, Withdrawn
from integration.procedure.offices import Privacy
from tests.core.office import UNIT, submission
from tests.core.run import Run, kinds, only
from tests.core.straight import step_on

GROUND = "permintaan"


@pytest.fixture
def ended(at) -> Run:
    """A case that ended with its handover, its papers made."""
    run = at(31)
    step_on(run)
    for paper in run.open.documents:
        run.fact(DocumentFiled, SERVICE, paper.id, f"{paper.version}/UN39.17/2026", paper.id[-1] * 64, 1000, "[x](/uploads/x)")
    return run


def test_nothing_of_a_person_outside_the_office_is_left_and_the_way_of_the_case_is(ended: Run) -> None:
    before = ended.open
    decision = ended.fact(ErasureOrdered, SERVICE, GROUND)
    assert only(decision, PersonalDataErased) == PersonalDataErased(GROUND)
    after = ended.open
    form = before.submission
    personal = (form.reporter, form.reporter_email, form.head_name, form.head_nip, form.head_email, form.subject, form.description)
    said = str(asdict(after))
    assert [text for text in personal if text and text in said] == []
    assert after.submission.reporter == f"{after.ticket}/pelapor"
    assert after.submission.head_name == f"{after.ticket}/pimpinan"
    assert [(p.step, p.outcome, p.left_at) for p in after.history] == [(p.step, p.outcome, p.left_at) for p in before.history]
    assert [paper.number for paper in after.documents] == [paper.number for paper in before.documents]
    assert (after.ending, after.erased_at) == (before.ending, ended.now)
    assert not any(paper.sha256 or paper.link for paper in after.documents)


def test_what_was_uploaded_is_removed_before_the_issue_is_shown_without_it(ended: Run) -> None:
    decision = ended.fact(ErasureOrdered, SERVICE, GROUND)
    erase, show = decision.effects
    assert isinstance(erase, EraseCopies)
    assert isinstance(show, ShowOnIssue)
    assert "[x](/uploads/x)" in erase.links


def test_a_case_is_erased_once(ended: Run) -> None:
    ended.fact(ErasureOrdered, SERVICE, GROUND)
    assert ended.fact(ErasureOrdered, SERVICE, GROUND).ignored == "it is so already"
    assert ended.fact(FormCorrected, SERVICE, submission(reporter="Budi")).ignored == "it is so already"


def test_a_case_that_goes_on_needs_its_data(at) -> None:
    assert at(18).fact(ErasureOrdered, SERVICE, GROUND).ignored == "the case has not ended"


@pytest.mark.parametrize("step", [5, 18, 24])
def test_a_form_is_corrected_at_any_step_and_nothing_else_changes(at, step: int) -> None:
    run = at(step)
    before = run.open
    right = replace(before.submission, reporter="Budi Santosa", sha256="d" * 64)
    decision = run.fact(FormCorrected, SERVICE, right)
    assert kinds(decision) == ["FormRevised"]
    assert only(decision, FormRevised).version == len(before.submissions) + 1
    assert replace(run.open, submissions=before.submissions, last_seq=before.last_seq, last_at=before.last_at) == before
    note = next(effect for effect in decision.effects if isinstance(effect, PostNote))
    assert (note.template, note.context["fields"]) == ("koreksi", ["reporter"])


def test_a_case_that_is_over_is_corrected_too(at) -> None:
    run = at(5)
    run.fact(Withdrawn, UNIT, "Tidak jadi")
    right = replace(run.open.submission, reporter_email="budi@unit.example.ac.id")
    assert kinds(run.fact(FormCorrected, SERVICE, right)) == ["FormRevised"]
    assert run.fact(FormCorrected, SERVICE, right).ignored == "it is so already"


def test_how_long_data_is_kept_is_said_for_each_end_or_by_nobody() -> None:
    keeps = Privacy(retention={"selesai": 5}).keeps
    assert (keeps("selesai"), keeps("ditolak")) == (5, None)
