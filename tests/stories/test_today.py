"""The wiki page "Status hari ini": where all open cases stand, seldom written, and without what only few may read."""

import pytest

from integration.faults import Permanent
from tests.stories.world import World, example_form

PAGE = "Status-hari-ini"
TEN = {"minutes": 11}


def swept(world: World, **passed: float) -> str:
    """What the page says after the next sweep, so much later."""
    if passed:
        world.later(**passed)
    world.service.sweep()
    return str(world.campus.project.wiki[PAGE].content)


def writes(world: World) -> list[str]:
    return [request for request in world.bot_requests() if "/wikis" in request and not request.startswith("GET")]


def test_it_shows_where_each_open_case_stands(world: World) -> None:
    ticket = world.submit()
    page = swept(world)
    assert f"| {ticket} (#{world.campus.iid(ticket)}) | 04 Pemeriksaan | Kepala Seksi Layanan Administrasi |" in page
    assert "**1** perkara terbuka, **0** di antaranya melewati batas waktu." in page
    assert "| 04 Pemeriksaan | 1 | 0 |" in page


def test_it_names_no_complaint_and_no_person(world: World) -> None:
    world.stands_at(17)
    form, page = example_form(), swept(world)
    people = [office.name for office in world.service.display.organisation.offices]
    people += [programmer.name for programmer in world.service.display.organisation.programmers]
    assert [said for said in (form["masalah"]["judul"], form["pelapor"]["nama"], *people) if said in page] == []


def test_it_is_written_when_something_changed_and_at_most_every_ten_minutes(world: World) -> None:
    ticket = world.submit()
    swept(world)
    world.campus.gitlab.requests.clear()
    assert "04 Pemeriksaan" in swept(world, **TEN)
    assert writes(world) == []

    world.play(ticket)
    assert "05 Persetujuan Kepala Pustikom" in swept(world)
    world.play(ticket)
    assert "05 Persetujuan Kepala Pustikom" in swept(world, minutes=2)
    assert "06 Penjadwalan" in swept(world, **TEN)
    assert len(writes(world)) == 2


def test_a_due_time_that_passes_is_a_change(world: World) -> None:
    world.submit()
    assert "lewat waktu |" not in swept(world)
    assert "**1** di antaranya melewati batas waktu." in swept(world, days=30)


def test_a_case_that_has_ended_is_gone_from_it(world: World) -> None:
    ticket = world.submit()
    assert ticket in swept(world)
    world.portal("pengaduan.dibatalkan", tiket=ticket, alasan="sudah pulih", oleh="Dekan")
    world.settle()
    assert "tidak ada perkara yang terbuka" in swept(world, **TEN)


def test_what_people_write_on_it_is_overwritten_with_the_next_change_and_a_refusal_is_tried_again(world: World) -> None:
    ticket = world.submit()
    swept(world)
    world.play(ticket)
    world.later(**TEN)
    world.campus.gitlab.fault("PUT", r"/wikis/", status=403)
    with pytest.raises(Permanent):
        world.service.sweep()
    assert "04 Pemeriksaan" in swept(world, minutes=2)
    assert "05 Persetujuan Kepala Pustikom" in swept(world, **TEN)
