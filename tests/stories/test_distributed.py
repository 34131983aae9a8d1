"""One whole case on real processes: `alur web`, `alur worker` and `alur beat` over Redis and PostgreSQL, by real hooks in real time."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from integration import organisation as organisations
from integration.clock import utc_now
from integration.store import Store
from sandbox.campus import Campus
from tests.processes import environment, known, process, ready, run, wait_for, walk
from tests.stories.world import ORGANISATION, PROCEDURE, example_form


@pytest.mark.timeout(900)
def test_a_case_travels_through_every_step_on_web_worker_and_beat(tmp_path: Path, postgres_database: str, redis_database: str) -> None:
    with ExitStack() as running, Campus(PROCEDURE, organisations.load(ORGANISATION), utc_now) as campus:
        environ = environment(campus, tmp_path, postgres_database) | {"ALUR_BROKER_URL": redis_database}
        run(tmp_path, environ, "provision")
        for command in (("web",), ("worker", "--concurrency", "2"), ("beat",), ("beat",)):  # two beats: one rings
            running.enter_context(process(tmp_path, environ, *command))
        wait_for(lambda: ready(campus.portal.service_url), tmp_path)
        store = Store(postgres_database, clock=utc_now)
        running.callback(store.close)

        ticket = campus.portal.submit(example_form())

        ended = walk(campus, store, ticket, tmp_path)

        wait_for(lambda: campus.issue(ticket)["state"] == "closed", tmp_path)
        assert ended.status == "selesai"
        assert [passage.step for passage in ended.history] == [step.number for step in PROCEDURE.steps]
        wait_for(lambda: all(paper.link for paper in known(store, ticket).documents), tmp_path)
        wait_for(lambda: "pengaduan.selesai" in [callback.type for callback in campus.portal.received(ticket)], tmp_path)
        assert store.verify(ticket) == []
