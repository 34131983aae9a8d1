"""Every return of the procedure's table, walked: where it leads, what becomes stale, and that the case still reaches its end."""

import pytest

from integration.procedure.definition import OutcomeKind
from tests.stories.world import PROCEDURE, World

RETURNS = [
    (step.number, outcome.word, outcome.to)
    for step in PROCEDURE.steps
    for outcome in step.outcomes
    if outcome.kind is OutcomeKind.RETURN and outcome.to != PROCEDURE.revises_at
]


def test_every_return_leads_where_the_table_says_and_the_case_still_ends(world: World) -> None:
    ticket = world.submit()
    left = list(RETURNS)

    while not world.case(ticket).ended_at:
        step = world.case(ticket).step
        chosen = next((entry for entry in left if entry[0] == step), None)
        if chosen is None:
            world.play(ticket)
            continue
        left.remove(chosen)
        world.play(ticket, chosen[1])
        assert world.case(ticket).step == chosen[2], chosen
        assert world.campus.step(ticket).number == chosen[2], chosen

    assert left == []
    assert world.case(ticket).status == "selesai"


@pytest.mark.parametrize("step", [4, 5])
def test_a_revision_waits_for_the_unit_without_a_clock_and_keeps_the_ticket(world: World, step: int) -> None:
    ticket = world.stands_at(step)

    world.play(ticket, "revisi", reason="Mohon sebutkan waktu kejadiannya.")

    assert world.case(ticket).due is None
    assert {"status::menunggu unit", "peran::Pimpinan Unit Kerja"} <= world.campus.labels(ticket)
    assert world.campus.issue(ticket)["due_date"] is None
    assert "pengaduan.perlu_revisi" in [callback.type for callback in world.campus.portal.received(ticket)]

    world.revise(ticket, uraian="Galat terjadi setiap pukul 11.00.")

    assert world.case(ticket).step == 4
    assert len(world.case(ticket).submissions) == 2
    assert "Galat terjadi setiap pukul 11" in world.campus.issue(ticket)["description"]
    world.walk(ticket, until=6)


def test_after_a_return_from_verification_old_signoffs_stay_visible_but_count_no_more(world: World) -> None:
    ticket = world.stands_at(22)

    world.play(ticket, "perlu-perbaikan")
    case = world.case(ticket)

    assert case.step == 18
    assert [sign.step for sign in case.signoffs if sign.accepted] == [20, 21]
    assert all(sign.round < case.round for sign in case.signoffs)
    world.walk(ticket, until=23)
    current = [sign.step for sign in world.case(ticket).signoffs if sign.accepted and sign.round == world.case(ticket).round]
    assert current == [20, 21, 22]


def test_a_refused_complaint_ends_with_its_reason_and_a_closed_issue(world: World) -> None:
    ticket = world.stands_at(5)

    world.play(ticket, "tolak", reason="Permintaan ini berupa fitur baru.")

    assert world.case(ticket).status == "ditolak"
    assert world.campus.issue(ticket)["state"] == "closed"
    assert "status::ditolak" in world.campus.labels(ticket)
    assert world.campus.portal.received(ticket)[-1].type == "pengaduan.selesai"
    assert any("fitur baru" in note for note in world.campus.notes(ticket))


def test_the_unit_may_withdraw_at_any_time(world: World) -> None:
    ticket = world.stands_at(8)

    world.portal("pengaduan.dibatalkan", tiket=ticket, alasan="Masalah sudah tidak muncul.", oleh="Dekan")

    assert world.case(ticket).status == "dibatalkan"
    assert world.campus.issue(ticket)["state"] == "closed"
