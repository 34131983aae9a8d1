"""Cases on real processes: `alur web`, `alur worker` and `alur beat` over Redis and PostgreSQL, by real hooks in real time."""

import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from integration import organisation as organisations
from integration.clock import utc_now
from integration.store import Store
from integration.tables import DONE
from sandbox.campus import Campus
from tests.processes import environment, known, process, ready, run, wait_for, walk
from tests.stories.trouble import KASI, LENGKAP
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


SLOW, AT_ONCE = 5.0, 2.0  # seconds


@pytest.mark.timeout(300)
def test_slow_answers_under_load_lose_no_lease_and_hold_up_no_form(tmp_path: Path, postgres_database: str, redis_database: str) -> None:
    with ExitStack() as running, Campus(PROCEDURE, organisations.load(ORGANISATION), utc_now) as campus:
        environ = environment(campus, tmp_path, postgres_database) | {"ALUR_BROKER_URL": redis_database}
        run(tmp_path, environ, "provision")
        for command in (("web",), ("worker", "--concurrency", "2")):
            running.enter_context(process(tmp_path, environ, *command))
        wait_for(lambda: ready(campus.portal.service_url), tmp_path)
        store = Store(postgres_database, clock=utc_now)
        running.callback(store.close)

        def at_rest() -> bool:
            return not store.busy() and all(side.waiting == side.parked == 0 for side in store.waiting())

        tickets = [campus.portal.submit(example_form()) for _ in range(2)]
        wait_for(at_rest, tmp_path)
        campus.gitlab.fault("*", "", by=campus.bot, times=10**6, latency=SLOW)
        for ticket in tickets:
            campus.comment(KASI, ticket, LENGKAP)
        for _ in range(2):
            began = time.monotonic()
            tickets.append(campus.portal.submit(example_form()))
            assert time.monotonic() - began < AT_ONCE
            time.sleep(SLOW / 2)
        wait_for(at_rest, tmp_path, patience=150)
        campus.gitlab.mend()

        assert [known(store, ticket).step for ticket in tickets] == [5, 5, 4, 4]
        assert [campus.step(ticket).number for ticket in tickets] == [5, 5, 4, 4]
        assert max(row.attempts for row in (*store.inbox_rows(state=DONE), *store.outbox_rows(state=DONE))) == 1
        assert "taken over" not in (tmp_path / "worker.log").read_text(encoding="utf-8")
        notes = Counter((ticket, note) for ticket in tickets for note in campus.notes(ticket))
        assert len(campus.project.issues) == len(tickets)
        assert set(notes.values()) == {1}
