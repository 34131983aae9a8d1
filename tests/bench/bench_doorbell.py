"""How soon a worker has what was kept: from the commit of a message to the commit of its claim, beside a bare Celery task.

`make bench` runs it. Hooks come to `alur web` at random moments, 50 a second; each is about another issue and so in a lane of its own. They
are about issues that are no cases: what is measured is the way to the worker and not its work. When they were committed PostgreSQL itself
says. The bare task is sent at moments as random, and taken by a worker of the same settings; it counts from before it is sent until it
begins.
"""

import json
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

import psycopg
import pytest
import requests
from celery import Celery
from rich.console import Console
from rich.table import Table

from integration import organisation as organisations
from integration.clock import utc_now
from sandbox.campus import Campus
from sync.worker import CONCURRENCY
from tests.bench.bare import HEARD
from tests.bench.fleet import PROJECT, awake, bare_worker, canned_platform
from tests.processes import environment, process, ready, run, wait_for
from tests.servers import Server, libpq, restarted
from tests.stories.world import HOOK_SECRET, ORGANISATION, PROCEDURE

A_SECOND = 50
MESSAGES = 250  # a round
ROUNDS = 3
SOON, LATEST = 10.0, 50.0
"""Milliseconds in which half of the messages, and 99 of 100, are claimed."""

WATCH = """
CREATE TABLE kept (lane text);
CREATE TABLE claimed (lane text);
CREATE FUNCTION note_kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO kept VALUES (NEW.lane); RETURN NULL; END';
CREATE FUNCTION note_claimed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO claimed VALUES (NEW.lane); RETURN NULL; END';
CREATE TRIGGER note_kept AFTER INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION note_kept();
CREATE TRIGGER note_claimed AFTER UPDATE ON lanes FOR EACH ROW WHEN (NEW.token IS NOT NULL AND NEW.token IS DISTINCT FROM OLD.token)
    EXECUTE FUNCTION note_claimed();
"""
WAITED = """
SELECT 1000 * extract(epoch FROM pg_xact_commit_timestamp(claimed.xmin) - pg_xact_commit_timestamp(kept.xmin))::float
FROM kept JOIN claimed USING (lane)
"""
"""A row each is written in the transaction that keeps or claims; when that was committed PostgreSQL knows by the row."""


@pytest.mark.timeout(300)
def test_a_worker_has_what_was_kept_in_a_moment(tmp_path: Path, durable_server: Server, redis_url: str) -> None:
    restarted(durable_server, "-c", "track_commit_timestamp=on")
    elsewhere = redis_url.removesuffix("/0") + "/1"
    with Campus(PROCEDURE, organisations.load(ORGANISATION), utc_now) as campus:
        settings = environment(campus, tmp_path, durable_server.url) | {"ALUR_BROKER_URL": redis_url}
        run(tmp_path, settings, "provision")
        known = {"/api/v4/user": {"id": campus.bot.id, "username": campus.bot.username}}
        known[PROJECT] = {"id": campus.project.id, "path_with_namespace": campus.project.path}
    with (
        psycopg.connect(libpq(durable_server.url), autocommit=True) as database,
        canned_platform(tmp_path, known) as url,
        process(tmp_path, settings | {"ALUR_GITLAB_URL": url}, "web"),
        process(tmp_path, settings | {"ALUR_GITLAB_URL": url}, "worker"),
        bare_worker(tmp_path, settings | {"ALUR_BROKER_URL": elsewhere}, CONCURRENCY) as celery,
    ):
        wait_for(lambda: ready(campus.portal.service_url), tmp_path)
        awake(redis_url, CONCURRENCY)
        database.execute(WATCH)
        ours, theirs = rounds(Hooks(campus.portal.service_url, campus.project.id), celery, database, tmp_path)
    show({"a message of alur-pos": ours, "a bare Celery task": theirs})
    assert percentile(ours, 50) <= SOON
    assert percentile(ours, 99) <= LATEST


class Hooks:
    """GitLab tells of one issue after another that somebody commented on; none of them is a case."""

    def __init__(self, url: str, project_id: int) -> None:
        self._session, self._url, self._project_id, self._iid = requests.Session(), f"{url}/webhooks/gitlab", project_id, 0

    def send(self) -> None:
        """The next one."""
        self._iid += 1
        hook = {
            "object_kind": "note",
            "user": {"username": "somebody"},
            "project": {"id": self._project_id},
            "object_attributes": {"noteable_type": "Issue", "action": "create"},
            "issue": {"iid": self._iid},
        }
        headers = {"X-Gitlab-Token": HOOK_SECRET, "X-Gitlab-Event": "Note Hook", "Idempotency-Key": f"hook-{self._iid}"}
        self._session.post(self._url, data=json.dumps(hook), headers=headers, timeout=30).raise_for_status()


def rounds(hooks: Hooks, celery: Celery, database: psycopg.Connection, folder: Path) -> tuple[list[list[float]], list[list[float]]]:
    """Milliseconds each message waited, ours and Celery's, a round each; the first one, for warming up, is not among them."""
    ours, theirs, heard = [], [], folder / "heard"
    with ThreadPoolExecutor(4) as senders:
        for _ in range(ROUNDS + 1):
            database.execute("TRUNCATE kept, claimed")
            sent(senders, hooks.send)
            wait_for(lambda: idle(database), folder)
            ours.append([waited for (waited,) in database.execute(WAITED)])
            sent(senders, lambda: celery.send_task(HEARD, [repr(time.time())], ignore_result=True))
            wait_for(lambda: heard.exists() and len(heard.read_bytes().splitlines()) == MESSAGES, folder)
            theirs.append([1000 * (float(began) - float(sent)) for sent, began in map(str.split, heard.read_text().splitlines())])
            heard.unlink()
    assert [len(waited) for waited in ours] == [MESSAGES] * (ROUNDS + 1)
    return ours[1:], theirs[1:]


def sent(senders: ThreadPoolExecutor, send: Callable[[], object]) -> None:
    """Send so many messages at random moments, whatever becomes of those before."""
    moments, chance = [0.0], random.Random(MESSAGES)
    for _ in range(MESSAGES - 1):
        moments.append(moments[-1] + chance.expovariate(A_SECOND))
    began, under_way = time.monotonic(), []
    for moment in moments:
        time.sleep(max(0.0, began + moment - time.monotonic()))
        under_way.append(senders.submit(send))
    for each in under_way:
        each.result()


def idle(database: psycopg.Connection) -> bool:
    """Whether all that was kept is worked off."""
    return database.execute("SELECT 1 FROM inbox WHERE state <> 'done' LIMIT 1").fetchone() is None


def percentile(waited: list[list[float]], n: int) -> float:
    """The median over the rounds of the n-th percentile of a round."""
    return median(quantiles(milliseconds, n=100)[n - 1] for milliseconds in waited)


def show(measured: dict[str, list[list[float]]]) -> None:
    """Print the table."""
    table = Table(title=f"From the commit to the claim, {A_SECOND} a second, medians of {ROUNDS} rounds of {MESSAGES}")
    table.add_column("what")
    for column in ("p50 ms", "p99 ms"):
        table.add_column(column, justify="right")
    for name, waited in measured.items():
        table.add_row(name, f"{percentile(waited, 50):.1f}", f"{percentile(waited, 99):.1f}")
    Console(width=120).print("\n", table)
