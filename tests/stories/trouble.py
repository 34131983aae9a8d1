"""What stories of outages share: faults that strike the service, time that passes meanwhile, and what must hold when they are over."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from integration.faults import Permanent, Transient
from integration.tables import PARKED
from sync.doctor import check
from tests.stories.people import People
from tests.stories.soundness import come_to_rest, unsound
from tests.stories.world import A_MOMENT, World

KASI, KEPALA, KADIV = "kasi.layanan", "kepala.pustikom", "kadiv.layanan"
LENGKAP = "/pos lengkap\n\n### Hasil analisis awal\nGalat.\n\n### Urgensi\nTinggi.\n\n### Dampak\nUnit."
GALAT = {"galat.txt": b"galat"}


@contextmanager
def fair(world: World) -> Iterator[World]:
    """The world in fair weather for one story of many, whose cases are withdrawn at its end: no later story meets them."""
    yield world
    world.campus.gitlab.mend()
    for row in world.service.store.case_rows(open_only=True):
        world.portal("pengaduan.dibatalkan", tiket=row.ticket, alasan="Sudah teratasi.", oleh="Dekan")


def strike(world: World, method: str, path: str, **fault: Any) -> None:
    """The next such requests of the service meet this fault."""
    world.campus.gitlab.fault(method, path, by=world.campus.bot, **fault)


def says(world: World, account: str, ticket: str, text: str) -> None:
    """Somebody comments a moment later, and nobody has heard of it yet."""
    world.clock.advance(A_MOMENT)
    world.campus.comment(account, ticket, text)


def hours(world: World, number: int) -> None:
    """Hours pass; every two of them the service looks at the time and for what no hook told."""
    for _ in range(0, number, 2):
        world.clock.advance(timedelta(hours=2))
        with suppress(Transient, Permanent):
            world.service.tick()
            world.service.sweep()
        world.settle()


def sound(world: World, *tickets: str, called: int = 1) -> None:
    """The fault is over: all comes to rest by itself, nothing is parked, and of these cases all is there, and once.

    `called`: how often the portal may have heard the same, under the same id.
    """
    world.campus.gitlab.mend()
    come_to_rest(world)
    people = People(world)
    people.organisation = world.campus.organisation
    assert unsound(world, people, tickets) == []
    assert [*world.service.store.inbox_rows(), *world.service.store.outbox_rows()] == []
    taken = world.service.store.tickets()
    assert len(world.campus.project.issues) == sum(1 + len(world.case(ticket).tasks) for ticket in taken)  # each has led to one
    for ticket in tickets:
        case, issue = world.case(ticket), world.campus.issue(ticket)
        heard = Counter(callback.id for callback in world.campus.portal.received(ticket))
        numbers = Counter(paper.number for paper in case.documents if paper.number)
        assert set(heard.values()) <= set(range(1, called + 1))
        assert set(numbers.values()) <= {1}
        in_force = {paper.document: paper for paper in case.documents}.values()  # an edition that was replaced is linked no more
        assert all(issue["description"].count(paper.link) == 1 for paper in in_force)


def alarms(caplog: pytest.LogCaptureFixture) -> set[str]:
    """What an operator was told in the logs."""
    return {record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR}


def parked(world: World) -> list[str]:
    """Why rows wait for an operator."""
    return [row.error for row in (*world.service.store.inbox_rows(state=PARKED), *world.service.store.outbox_rows(state=PARKED))]


def finding(world: World, code: str) -> str:
    """What the doctor says of this, with what to do; "" where it is well."""
    service = world.service
    (found,) = [one for one in check(service.parts, service.platform(), service.provisioning()) if one.code == code]
    return "" if found.ok else f"{found.detail} {found.fix}"
