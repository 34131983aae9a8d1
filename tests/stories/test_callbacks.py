"""What the portal is called back: in order for each case, signed, under one id however often, until it is taken or somebody must look."""

import itertools
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
import requests
from click.testing import CliRunner

from sandbox.portal import Callback, Portal
from sync.cli import main
from tests.stories.world import World, example_form, variables


class Heard(NamedTuple):
    """One call as it came: when, what, and how it was answered."""

    at: datetime
    callback: Callback
    status: int


@pytest.fixture
def heard(world: World) -> list[Heard]:
    """Every call, also those that were refused."""
    calls: list[Heard] = []
    world.campus.portal.heard = lambda callback, status: calls.append(Heard(world.clock(), callback, status))
    return calls


def pauses(calls: list[Heard]) -> list[float]:
    return [(later.at - call.at).total_seconds() for call, later in itertools.pairwise(calls)]


def wait(world: World, seconds: float) -> None:
    """Let so much time pass, the worker looking each second."""
    end = world.clock() + timedelta(seconds=seconds)
    while world.clock() < end:
        world.clock.advance(timedelta(seconds=1))
        world.settle()


def test_what_is_not_taken_is_sent_again_after_growing_pauses_under_the_same_id(world: World, heard: list[Heard]) -> None:
    world.campus.portal.answers = [500, 502, 503, 429]
    ticket = world.submit()
    wait(world, 40)

    assert [call.status for call in heard] == [500, 502, 503, 429, 200]
    assert pauses(heard) == [2, 4, 8, 16]
    assert len({call.callback.id for call in heard}) == 1
    assert all(call.callback.verified for call in heard)
    assert [callback.type for callback in world.campus.portal.received(ticket)] == ["pengaduan.terdaftar"]


def test_the_pause_the_portal_asks_for_is_kept(world: World, heard: list[Heard]) -> None:
    world.campus.portal.answers, world.campus.portal.retry_after = [429, 503], "11"
    world.submit()
    wait(world, 30)

    assert [call.status for call in heard] == [429, 503, 200]
    assert pauses(heard) == [11, 11]


def test_a_portal_that_is_not_there_hears_all_of_it_in_order_when_it_is_back(world: World) -> None:
    portal = world.campus.portal
    address = portal.callback_url
    portal.stop()
    ticket = world.submit()
    world.walk(ticket, until=6)
    assert {row.failure for row in world.service.store.outbox_rows() if row.attempts} == {"portal_down"}

    again = world.campus.portal = Portal(world.clock, port=int(address.rpartition(":")[2].partition("/")[0])).start()
    again.service_url = portal.service_url
    world.later(minutes=40)
    told = [(callback.type, callback.data["langkah"]) for callback in again.received(ticket)]
    assert told[:3] == [("pengaduan.terdaftar", 4), ("status.berubah", 5), ("status.berubah", 6)]
    assert all(callback.verified for callback in again.callbacks)
    assert world.service.store.outbox_rows() == []


@pytest.mark.parametrize("status", [302, 410])
def test_another_refusal_is_parked_for_all_to_see_and_holds_up_no_other_case(
    world: World, heard: list[Heard], status: int, tmp_path, monkeypatch
) -> None:
    def alur(*command: str) -> str:
        environ = variables(world.campus, tmp_path, f"sqlite:///{tmp_path / 'alur.db'}") | {"COLUMNS": "160"}
        ran = CliRunner(env=environ).invoke(main, command)
        assert ran.exit_code == 0, ran.output
        return ran.stdout

    monkeypatch.chdir(tmp_path)
    world.campus.portal.answers = [status]
    ticket, other = world.submit(), world.submit()
    world.play(ticket)
    world.later(minutes=5)

    assert [call.status for call in heard if call.callback.data["tiket"] == ticket] == [status]  # what is younger waits
    assert [callback.type for callback in world.campus.portal.received(other)] == ["pengaduan.terdaftar"]
    assert world.case(ticket).step == 5  # the case itself goes on
    (parked,) = world.service.store.outbox_rows(state="parked")
    assert "Portal menolak" in alur("outbox", "list", "--parked")
    assert f"alur outbox replay {parked.id}" in alur("outbox", "show", str(parked.id))
    metrics = requests.get(f"{world.campus.portal.service_url}/metrics", timeout=10).text
    assert 'alur_rows{side="outbox",state="parked"} 1.0' in metrics

    world.service.store.replay("outbox", parked.id)  # as the command does, but at the time of the story
    world.settle()
    calls = [call.callback for call in heard if call.callback.data["tiket"] == ticket]
    assert [callback.type for callback in calls][:3] == ["pengaduan.terdaftar", "pengaduan.terdaftar", "status.berubah"]
    assert calls[0].id == calls[1].id != calls[2].id
    assert world.service.store.outbox_rows() == []


def test_the_portal_rebuilds_its_view_from_nothing_and_keeps_it_up(world: World) -> None:
    portal = world.campus.portal
    tickets = [world.submit() for _ in range(3)]
    view: dict[str, dict[str, object]] = {}
    cursor = ""

    def follow() -> list[str]:
        nonlocal cursor
        seen, more = [], True
        while more:
            asked = {"kursor": cursor, "jumlah": "2"}
            address = f"{portal.service_url}/layanan/pengaduan"
            page = requests.get(address, params=asked, headers=portal.signed(b""), timeout=10).json()
            seen += [case["tiket"] for case in page["pengaduan"]]
            view.update((case["tiket"], case) for case in page["pengaduan"])
            cursor, more = page["kursor"], page["masih_ada"]
        return seen

    assert sorted(follow()) == tickets
    world.play(tickets[1])
    world.portal("pengaduan.dibatalkan", tiket=tickets[2], alasan="Sudah teratasi.", oleh="Dekan")
    portal.answers = [503] * 9  # whatever becomes of the calls
    kept = portal.submit(example_form())  # and is not worked on yet
    assert sorted(follow()) == [*tickets[1:], kept]
    world.settle()
    world.play(tickets[0])
    follow()
    assert view == {ticket: portal.status(ticket) for ticket in (*tickets, kept)}
    assert follow() == []
