"""The processes as they are started for real: nothing kept is lost by a stop, a kill or a start, on one process or on many."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import redis
import requests

from integration.clock import utc_now
from integration.store import Store
from sandbox.gitlab import GitLab
from sandbox.portal import SECRET, Portal
from sync.beat import LEADS_FOR, TICK_EVERY
from tests.edge.portal import HOOK_TOKEN, ROOT, form
from tests.processes import PATIENCE, children, free_port, ready, wait_for
from tests.servers import libpq, redis_program, redis_server
from webhooks.front import LARGEST

LEASE = timedelta(seconds=1)
UNFINISHED = b"POST /webhooks/layanan HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"
FORMS = 6
MANY = 400
ALLOWED, LATEST = 5, 20  # issues a minute; its second after which none are sent: at its end ours is counted before GitLab's
AWAY = 30  # seconds: beat and worker have asked for the broker again more often than the once or thrice they ask at their start


class World:
    """A stand-in platform and portal, and the settings by which processes find them."""

    def __init__(self, folder: Path, database_url: str, gitlab: GitLab, portal: Portal) -> None:
        self.gitlab, self.portal, self.database_url, self.folder = gitlab, portal, database_url, folder
        project, bot = gitlab.project("pustikom/pengaduan-si"), gitlab.user("alur-pos", "alur-pos")
        gitlab.member(project, bot, 40)
        port = free_port()
        portal.service_url = f"http://127.0.0.1:{port}"
        self.project, self.bot = project, bot
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ALUR_")},
            "PYTHONPATH": str(ROOT),
            "ALUR_GITLAB_URL": gitlab.url,
            "ALUR_GITLAB_TOKEN": bot.token,
            "ALUR_GITLAB_PROJECT": project.path,
            "ALUR_GITLAB_WEBHOOK_SECRET": HOOK_TOKEN,
            "ALUR_PORTAL_SECRETS": SECRET,
            "ALUR_DATABASE_URL": database_url,
            "ALUR_ORGANISATION": str(ROOT / "deploy" / "organisation.example.yaml"),
            "ALUR_PUBLIC_URL": portal.service_url,
            "ALUR_DATA_DIR": str(folder / "var"),
            "ALUR_BIND": f"127.0.0.1:{port}",
        }

    @contextmanager
    def process(self, *command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        """A process of the service, killed at the end with all it has started, if it still runs then."""
        alur = [sys.executable, "-c", "from sync.cli import main; main()", *command]
        with (self.folder / "alur.log").open("ab") as log:
            started = subprocess.Popen(
                alur, cwd=self.folder, env=self.environment | environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield started
        finally:
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()

    def wait_for(self, what: Callable[[], object], patience: float = PATIENCE) -> None:
        """Wait until this is true, or fail with what the processes said."""
        wait_for(what, self.folder, patience)

    def ready(self) -> bool:
        """Whether the edge answers."""
        return ready(self.portal.service_url)

    def submit(self) -> list[str]:
        """Send some forms; gives their tickets."""
        return [self.portal.submit(form()) for _ in range(FORMS)]

    def at_rest(self) -> bool:
        """Whether nothing waits, is parked or is being worked on."""
        store = Store(self.database_url, clock=utc_now)
        sides = store.waiting()
        idle = not store.busy() and all(side.waiting == 0 for side in sides)
        assert [side.parked for side in sides] == [0, 0]
        store.close()
        return idle

    def issues(self) -> list[str]:
        """The tickets in the titles of all issues there are, in order."""
        address = f"{self.gitlab.url}/api/v4/projects/{self.project.id}/issues"
        found = requests.get(address, params={"per_page": 100}, headers={"PRIVATE-TOKEN": self.bot.token}, timeout=30).json()
        return sorted(issue["title"][1:15] for issue in found)


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Callable[[str], World]]:
    gitlab, portal = GitLab(), Portal(utc_now)
    with gitlab:
        portal.start()
        yield lambda url: World(tmp_path, url, gitlab, portal)
        portal.stop()


@pytest.fixture
def world(worlds, tmp_path: Path) -> World:
    return worlds(f"sqlite:///{tmp_path}/alur.db")


def test_a_stop_in_the_middle_of_work_loses_nothing(world):
    world.gitlab.fault("*", "issues", times=40, latency=0.2)
    with world.process("serve") as alur:
        world.wait_for(world.ready)
        tickets = world.submit()
        world.wait_for(world.issues)
        alur.send_signal(signal.SIGTERM)
        assert alur.wait(PATIENCE) == 0
        assert not world.ready()
    left = Store(world.database_url, clock=utc_now)
    assert left.waiting()[0].waiting + left.waiting()[1].waiting > 0
    assert left.claim(lease=LEASE) is not None
    left.close()
    with world.process("serve"):
        world.wait_for(world.ready)
        world.wait_for(world.at_rest)
    assert world.issues() == tickets


def test_a_kill_in_the_middle_of_work_loses_and_doubles_nothing(world):
    world.gitlab.fault("*", "issues", times=40, latency=0.2)
    with world.process("serve") as alur:
        world.wait_for(world.ready)
        tickets = world.submit()
        world.wait_for(world.issues)
        alur.kill()
        assert alur.wait(PATIENCE) == -signal.SIGKILL
    with world.process("serve"):
        world.wait_for(world.ready)
        world.wait_for(world.at_rest)
    assert world.issues() == tickets


def test_requests_in_hand_are_answered_at_a_stop(world):
    with world.process("serve") as alur, ThreadPoolExecutor(4) as pool:
        world.wait_for(world.ready)
        sent = [pool.submit(world.portal.send, "pengaduan.diajukan", {"formulir": form()}) for _ in range(40)]
        time.sleep(0.1)
        alur.send_signal(signal.SIGTERM)
        answers = [one.result().json()["tiket"] for one in sent if one.exception() is None]
        assert alur.wait(PATIENCE) == 0
    store = Store(world.database_url, clock=utc_now)
    assert set(answers) <= set(store.tickets())
    assert len(store.tickets()) == len(answers)
    store.close()


@pytest.mark.parametrize("reached", [False, True], ids=["waiting", "written"])
def test_calls_in_hand_are_answered_by_the_web_at_a_stop(worlds, postgres_database, redis_database, reached):
    """Those that wait to be written, and those that are being written, as long as the database lets them wait."""
    world = worlds(postgres_database)
    with world.process("web", ALUR_BROKER_URL=redis_database) as web, ThreadPoolExecutor(40) as pool:
        world.wait_for(world.ready)
        with psycopg.connect(libpq(postgres_database)) as other:
            other.execute("LOCK TABLE inbox")
            sent = [pool.submit(world.portal.submit, form()) for _ in range(40)]
            waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            with psycopg.connect(libpq(postgres_database), autocommit=True) as watching:
                world.wait_for(lambda: watching.execute(waits).fetchone() != (0,))
            time.sleep(1)  # in which the others come, too, or nearly all of them
            web.send_signal(signal.SIGTERM)
            if not reached:
                time.sleep(1)
        answers = [one.result() for one in sent if not isinstance(one.exception(), requests.ConnectionError)]
        assert web.wait(PATIENCE) == 0
    store = Store(world.database_url, clock=utc_now)
    assert len(answers) > len(sent) // 2
    assert sorted(answers) == store.tickets()
    store.close()


def test_web_workers_and_beat_do_the_same_over_redis_and_postgresql(worlds, postgres_database, redis_database):
    world = worlds(postgres_database)
    broker = {"ALUR_BROKER_URL": redis_database}
    with ExitStack() as processes:
        processes.enter_context(world.process("web", **broker))
        worker = processes.enter_context(world.process("worker", "--concurrency", "2", **broker))
        beat = processes.enter_context(world.process("beat", **broker))
        world.wait_for(world.ready)
        assert requests.get(f"{world.portal.service_url}/ready", timeout=5).json()["broker"]
        tickets = world.submit()
        world.wait_for(world.at_rest)
        assert world.issues() == tickets
        counted = f'alur_platform_requests_total{{method="post",of="issues",status="201"}} {FORMS}.0'  # by the worker, told by the web
        world.wait_for(lambda: counted in requests.get(f"{world.portal.service_url}/metrics", timeout=5).text)
        for process in (worker, beat):
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
    *others, celery = sorted((world.folder / "alur.log").read_text().split("\n"), key=lambda line: line.startswith("worker: "))
    assert celery == "worker: Warm shutdown (MainProcess)"  # which it says on standard output
    said = [json.loads(line) for line in others if line]
    assert {line["logger"].partition(".")[0] for line in said} >= {"_granian", "webhooks", "sync"}
    assert all({"time", "level", "message"} <= line.keys() for line in said)


def test_a_worker_that_is_stopped_in_the_middle_of_work_ends_what_it_has_in_hand(worlds, postgres_database, redis_database):
    world = worlds(postgres_database)
    broker = {"ALUR_BROKER_URL": redis_database}
    with world.process("web", **broker), world.process("beat", **broker):
        with world.process("worker", "--concurrency", "2", **broker) as worker:
            world.wait_for(world.ready)
            world.gitlab.fault("POST", "issues$", times=10**6, latency=1.5)
            tickets = [ticket for _ in range(5) for ticket in world.submit()]
            world.wait_for(world.issues)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE) == 0
        store = Store(world.database_url, clock=utc_now)
        with psycopg.connect(libpq(postgres_database)) as database:
            assert database.execute("SELECT count(*) FROM lanes WHERE token IS NOT NULL").fetchone() == (0,)
        assert store.waiting()[1].waiting > 0, "it was in the middle"
        store.close()
        world.gitlab.mend()
        with world.process("worker", "--concurrency", "2", **broker):
            world.wait_for(world.at_rest)
    assert world.issues() == tickets


def test_all_workers_together_open_no_more_issues_a_minute_than_they_are_told(worlds, postgres_database, redis_database):
    """More than fit into two minutes of GitLab's, which counts them as strictly: without the limit it would refuse some."""
    world = worlds(postgres_database)
    world.gitlab.limits["issues_create"] = ALLOWED
    settings = {"ALUR_BROKER_URL": redis_database, "ALUR_GITLAB_PER_MINUTE": str(ALLOWED)}
    with ExitStack() as processes:
        for command in (("web",), ("worker", "--concurrency", "2"), ("worker", "--concurrency", "2"), ("beat",)):
            processes.enter_context(world.process(*command, **settings))
        world.wait_for(world.ready)
        world.wait_for(lambda: time.time() % 60 < LATEST)
        tickets = [ticket for _ in range(2) for ticket in world.submit()]
        world.wait_for(lambda: len(world.issues()) == len(tickets), 4 * PATIENCE)
        world.wait_for(world.at_rest)
    assert len(tickets) > 2 * ALLOWED
    assert world.issues() == tickets
    answers = Counter(asked.status for asked in world.gitlab.requests if (asked.method, asked.user) == ("POST", world.bot.username))
    assert answers[429] == 0


def rung_by(broker: str) -> list[int]:
    """The processes whose rings nobody has heard, the last one first."""
    with redis.Redis.from_url(broker) as connection:
        origins = [json.loads(ring)["headers"]["origin"] for ring in connection.lrange("alur", 0, -1)]
    return [int(origin.removeprefix("gen").partition("@")[0]) for origin in origins]


def test_of_two_beats_one_rings_and_when_that_is_stopped_or_killed_the_other_one(worlds, postgres_database, redis_database):
    world = worlds(postgres_database)

    def rings_after(beat: subprocess.Popen[bytes], seconds: float) -> None:
        since = time.monotonic()
        world.wait_for(lambda: rung_by(redis_database)[0] == beat.pid)
        assert time.monotonic() - since < seconds + 2 * TICK_EVERY  # it asks so often, and not always on the second

    def several_more_rings() -> None:
        """Wait longer than a beat takes to start."""
        before = len(rung_by(redis_database))
        world.wait_for(lambda: len(rung_by(redis_database)) > before + 3)

    with ExitStack() as beats:
        two = [beats.enter_context(world.process("beat", ALUR_BROKER_URL=redis_database)) for _ in range(2)]
        several_more_rings()
        (leader,) = set(rung_by(redis_database))
        first, second = two if two[0].pid == leader else reversed(two)
        first.send_signal(signal.SIGTERM)
        assert first.wait(PATIENCE) == 0
        rings_after(second, 0)
        third = beats.enter_context(world.process("beat", ALUR_BROKER_URL=redis_database))
        several_more_rings()
        assert third.pid not in rung_by(redis_database)
        second.kill()
        rings_after(third, LEADS_FOR.total_seconds())


def test_who_writes_for_the_edge_ends_with_it_and_begins_with_the_next_one(worlds, postgres_database, redis_database):
    world = worlds(postgres_database)
    with world.process("web", ALUR_BROKER_URL=redis_database) as web:
        world.wait_for(world.ready)
        tickets = world.submit()
        (reader,) = children(web.pid)
        (writer,) = children(reader)
        os.kill(reader, signal.SIGKILL)
        world.wait_for(lambda: not Path(f"/proc/{writer}").exists())
        world.wait_for(world.ready)
        tickets += world.submit()
        web.send_signal(signal.SIGTERM)
        assert web.wait(PATIENCE) == 0
    store = Store(world.database_url, clock=utc_now)
    assert store.tickets() == tickets
    store.close()


def test_when_more_come_than_can_be_written_each_is_answered_and_who_was_refused_is_taken_later(worlds, postgres_database, redis_database):
    world = worlds(postgres_database)
    said = {"type": "pengaduan.diajukan", "timestamp": utc_now().isoformat(), "data": {"formulir": form()}}
    body = json.dumps(said).encode().ljust(LARGEST)
    refused = threading.Event()

    def send(key: str) -> requests.Response:
        address = f"{world.portal.service_url}/webhooks/layanan"
        headers = world.portal.signed(body, key) | {"Connection": "close"}  # one kept by its sender has its place until it has been idle
        answer = requests.post(address, body, headers=headers, timeout=PATIENCE)
        if answer.status_code == 503:
            refused.set()
        return answer

    with world.process("web", ALUR_BROKER_URL=redis_database), ThreadPoolExecutor(MANY) as portals:
        world.wait_for(world.ready)
        with psycopg.connect(libpq(postgres_database)) as other:
            other.execute("LOCK TABLE inbox")
            sent = {key: portals.submit(send, key) for key in (f"msg_{n}" for n in range(MANY))}
            assert refused.wait(PATIENCE)
            assert "messages wait to be written already" in (world.folder / "alur.log").read_text()
        answers = {key: answer.result() for key, answer in sent.items()}
        told = Counter((answer.status_code, answer.headers.get("Retry-After")) for answer in answers.values())
        assert set(told) == {(202, None), (503, "5")}
        store = Store(world.database_url, clock=utc_now)
        assert len(store.tickets()) == told[202, None]
        answers |= {key: send(key) for key, answer in answers.items() if answer.status_code == 503}
        assert sorted(answer.json()["tiket"] for answer in answers.values()) == store.tickets()
        assert len(store.tickets()) == MANY
        store.close()


def test_while_the_broker_is_away_forms_are_taken_and_worked_on_by_the_same_processes_once_it_is_back(worlds, postgres_database):
    world = worlds(postgres_database)
    with redis_server(redis_program()) as broker, ExitStack() as processes:
        commands = (("web",), ("worker", "--concurrency", "2"), ("beat",))
        running = [processes.enter_context(world.process(*command, ALUR_BROKER_URL=broker.url)) for command in commands]
        world.wait_for(world.ready)
        tickets = world.submit()
        world.wait_for(world.at_rest)
        broker.end(signal.SIGKILL)
        tickets += world.submit()
        time.sleep(AWAY)
        tickets += world.submit()
        assert world.issues() == tickets[:FORMS], "nobody rang"
        broker.start()
        world.wait_for(lambda: len(world.issues()) == len(tickets))
        world.wait_for(world.at_rest)
        assert [process.poll() for process in running] == [None, None, None]
    assert world.issues() == tickets


def test_a_form_is_taken_without_the_broker_and_worked_on_when_it_is_back(worlds, postgres_database, redis_database):
    world = worlds(postgres_database)
    with world.process("web", ALUR_BROKER_URL="redis://127.0.0.1:1/0"):
        world.wait_for(world.ready)
        assert not requests.get(f"{world.portal.service_url}/ready", timeout=10).json()["broker"]
        port = int(world.portal.service_url.rpartition(":")[2])
        with ExitStack() as silent:  # who never finish hold up nobody
            for _ in range(100):
                silent.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(UNFINISHED)
            started = time.monotonic()
            tickets = world.submit()
            assert time.monotonic() - started < FORMS
    broker = {"ALUR_BROKER_URL": redis_database}
    with world.process("worker", "--concurrency", "1", **broker), world.process("beat", **broker):
        world.wait_for(world.issues)
        world.wait_for(world.at_rest)
    assert world.issues() == tickets
