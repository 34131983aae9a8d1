"""What operators see while all goes well and while it does not: the figures at `/metrics`, and parked rows from cause to mend."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from integration.store import Delivery
from integration.vitals import Recurring
from sandbox.gitlab import Person
from sync.cli import main
from tests.stories.world import World, variables


def figures(world: World) -> dict[str, float]:
    """What `/metrics` says, by name and labels, without our prefix."""
    text = requests.get(f"{world.campus.portal.service_url}/metrics", timeout=30).text
    lines = (line.removeprefix("alur_").rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def unusual(found: dict[str, float]) -> dict[str, float]:
    """The figures that tell of trouble and are not zero."""
    quiet = ("store_up", 'platform_requests_total{method="', "open_cases", "hook_age_seconds", "recurring_age_seconds")
    return {name: n for name, n in found.items() if n and not name.startswith(quiet)}


def administrator(world: World) -> Person:
    """Somebody who may do anything on the platform."""
    return world.campus.gitlab.act(world.campus.gitlab.user("pengelola", "Pengelola", admin=True))


@pytest.fixture
def alur(world: World, tmp_path: Path) -> Callable[..., str]:
    """Runs a command of the operator's beside the running service; gives what it says."""
    environment = variables(world.campus, tmp_path, world.settings.database_url.get_secret_value()) | {"COLUMNS": "250"}
    runner = CliRunner(env=environment)
    return lambda *command: " ".join(runner.invoke(main, command).output.split())


def test_a_case_that_goes_well_shows_its_requests_and_no_trouble(world: World) -> None:
    ticket = world.submit(attachments={"galat.txt": b"Galat 504"})
    world.walk(ticket, until=6)
    world.service.tick()
    world.service.sweep()
    world.settle()

    found = figures(world)
    assert unusual(found) == {}
    assert found['open_cases{status="berjalan"}'] == 1
    assert {"hook_age_seconds", *(f'recurring_age_seconds{{work="{work}"}}' for work in Recurring)} <= found.keys()
    assert found['platform_requests_total{method="post",of="issues",status="201"}'] == 1
    assert found['platform_requests_total{method="put",of="issue",status="200"}'] >= 2
    assert found['platform_requests_total{method="post",of="uploads",status="201"}'] >= 2
    assert found['platform_requests_total{method="get",of="issues",status="200"}'] >= 2  # the sweep's


def test_what_no_hook_told_is_counted_by_what_it_was(world: World) -> None:
    ticket = world.stands_at(6)
    world.campus.gitlab.hooks_lost = 1.0

    world.play(ticket)
    world.sweep()
    assert world.case(ticket).step == 7
    world.person("kadiv.infrastruktur").label(world.campus.project, world.campus.iid(ticket), remove=["status::berjalan"])
    world.sweep()
    administrator(world).delete(world.campus.project, world.campus.iid(ticket))
    world.sweep()

    found = unusual(figures(world))
    assert found == {
        'lost_hook_finds_total{of="request"}': 1,
        'lost_hook_finds_total{of="drift"}': 1,
        'lost_hook_finds_total{of="deletion"}': 1,
        'drift_repairs_total{what="status"}': 1,
    }


def test_what_a_sweep_finds_while_its_hook_is_on_its_way_is_not_counted_as_lost(world: World) -> None:
    ticket = world.submit()
    world.campus.gitlab.hooks_lost = 1.0
    world.clock.advance(timedelta(minutes=1))
    world.campus.comment("kasi.layanan", ticket, "/pos cek")
    world.clock.advance(timedelta(seconds=5))

    world.service.reconcile()
    world.settle()

    assert "cek" in world.campus.notes(ticket)[-1]
    assert unusual(figures(world)) == {}


def test_retries_refused_fields_and_repairs_are_counted(world: World) -> None:
    people, project = world.campus.people, world.campus.project
    del project.members[people["kasi.layanan"].id]
    ticket = world.submit()
    world.person("kadiv.infrastruktur").rename(project, world.campus.iid(ticket), "judul lain")
    world.settle()
    world.campus.comment("kadiv.layanan", ticket, "/pos cek")
    world.campus.gitlab.fault("POST", r"/notes$", status=503, times=2)
    world.settle()
    assert figures(world)['failing_rows{failure="down",side="outbox",state="waiting"}'] == 1
    world.later(minutes=5)
    administrator(world).rename_label(project, "pos::SI", "pos::Lain")
    world.sweep()

    found = figures(world)
    assert found['platform_requests_total{method="post",of="notes",status="503"}'] == 2
    assert found.pop('platform_fields_refused_total{field="assignee"}') >= 1
    assert unusual(found) == {
        'drift_repairs_total{what="title"}': 1,
        'drift_repairs_total{what="label"}': 1,
        'retries_total{side="outbox"}': 2,
    }


def test_cases_parked_by_a_right_that_was_taken_are_shown_mended_and_replayed_together(world: World, alur: Callable[..., str]) -> None:
    tickets = [world.submit() for _ in range(3)]
    for ticket in tickets:
        world.campus.comment("kasi.layanan", ticket, "/pos cek")
    world.campus.gitlab.fault("POST", r"/notes$", status=403, times=3)
    world.settle()

    found = unusual(figures(world))
    assert found == {'rows{side="outbox",state="parked"}': 3, 'failing_rows{failure="rights",side="outbox",state="parked"}': 3}
    listed = alur("outbox", "list", "--parked")
    assert all(ticket in listed for ticket in tickets)
    assert "Hak akun layanan kurang: POST /projects/pustikom%2Fpengaduan-si/issues/1/notes: 403" in listed
    row = world.service.store.outbox_rows(state="parked")[0].id
    assert "Yang perlu dilakukan: Beri akun layanan peran Maintainer pada proyek di GitLab" in alur("outbox", "show", str(row))

    assert world.service.store.replay("outbox") == 3
    world.settle()
    assert unusual(figures(world)) == {'retries_total{side="outbox"}': 3}
    assert all("cek" in world.campus.notes(ticket)[-1] for ticket in tickets)


def test_what_this_release_cannot_read_and_a_fault_of_the_programme_say_so(world: World, alur: Callable[..., str]) -> None:
    store = world.service.store
    store.keep(Delivery("outcome", "x", "SI-2026-000099", b'{"kind":"DariRilisBaru","data":{}}'))
    store.keep(Delivery("report", "report:x", "laporan", b'{"week":"x"}'))
    world.settle()
    world.later(minutes=5)

    parked = {row.source: row for row in store.inbox_rows(state="parked")}
    unreadable, report = parked["outcome"], parked["report"]
    assert "Pastikan semua proses memakai rilis yang sama dan yang terbaru" in alur("inbox", "show", str(unreadable.id))
    told = alur("inbox", "show", str(report.id))
    assert "Rincian: Traceback (most recent call last):" in told
    assert "Sebab: Kesalahan program" in told
    assert "5 kali dicoba" in told
