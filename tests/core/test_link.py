"""The unit's link: asked for again while an answer is waited for, and only then."""

import pytest

from integration.procedure.effects import CallPortal, SendMail
from integration.procedure.facts import LinkAsked, Withdrawn
from tests.core.office import UNIT


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
