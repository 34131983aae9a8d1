"""The unit's turn: its link is asked for again, and files come with its answer, while that is waited for and only then."""

import pytest

from integration.procedure.effects import CallPortal, SendMail, UploadAttachments
from integration.procedure.events import FilesReceived
from integration.procedure.facts import SERVICE, Attachment, FilesSent, IssueLost, LinkAsked, Withdrawn
from tests.core.office import UNIT
from tests.core.run import only


def sent(decision) -> list[tuple[str, int]]:
    """The calls and mails that take a link along, and of which stay."""
    told = [effect for effect in decision.effects if isinstance(effect, CallPortal | SendMail) and effect.stay]
    return [(effect.type if isinstance(effect, CallPortal) else effect.template, effect.stay) for effect in told]


@pytest.mark.parametrize("step", [11, 24, 31])
def test_it_goes_to_the_addresses_of_the_form_while_it_is_the_units_turn(at, step: int) -> None:
    run = at(step)
    stay = run.open.entered_seq
    decision = run.fact(LinkAsked, UNIT, stay)
    assert sent(decision) == [("giliran.unit_kerja", stay), ("giliran", stay)]
    assert decision.entries == ()


def test_for_a_form_to_be_revised_it_says_so(at) -> None:
    run = at(5)
    run.say("kepala", "revisi", "Kurang jelas")
    stay = run.open.entered_seq
    assert sent(run.fact(LinkAsked, UNIT, stay)) == [("pengaduan.perlu_revisi", stay), ("giliran", stay)]


def test_nobody_is_asked_where_the_case_has_gone_on_or_is_the_offices(at) -> None:
    run = at(18)
    for stay in (1, run.open.entered_seq):
        assert run.fact(LinkAsked, UNIT, stay).ignored
    run.fact(Withdrawn, UNIT, "Tidak jadi")
    assert run.fact(LinkAsked, UNIT, 1).ignored == "the case has ended"


def test_files_that_come_with_an_answer_are_kept_with_the_step_and_go_to_the_issue(at) -> None:
    run = at(24)
    photo = Attachment("layar.png", "image/png", 3, "a" * 64)
    decision = run.fact(FilesSent, UNIT, run.open.entered_seq, (photo,))
    event = only(decision, FilesReceived)
    assert (event.step, event.attachments) == (24, (photo,))
    (sent,) = run.open.sent
    assert [(e.version, e.sent) for e in decision.effects if isinstance(e, UploadAttachments)] == [(0, sent.seq)]
    lost = run.fact(IssueLost, SERVICE, run.open.iid)
    assert [e.sent for e in lost.effects if isinstance(e, UploadAttachments)] == [sent.seq]


def test_no_files_are_taken_where_no_answer_is_awaited(at) -> None:
    run, photo = at(18), Attachment("layar.png", "image/png", 3, "a" * 64)
    assert run.fact(FilesSent, UNIT, run.open.entered_seq, (photo,)).ignored
    turn = at(24)
    assert turn.fact(FilesSent, UNIT, turn.open.entered_seq, ()).ignored
    assert turn.fact(FilesSent, UNIT, 1, (photo,)).ignored
