"""How fast a form is taken and is on disk, beside the same edge without a database and beside what others do; and what each keeps.

`make bench` runs it. All edges run at the same time, one of them is driven at a time, in rounds: what is compared was taken side by side.
Only ratios are demanded, and the longest a form may wait.
"""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import pytest
import redis
from rich.console import Console
from rich.table import Table

from integration.clock import utc_now
from integration.store import Store
from sandbox.portal import SECRET
from tests.processes import ALUR, free_port, listens, wait_for
from tests.servers import Server, emptied, redis_program, redis_server, restarted
from tests.stories.world import HOOK_SECRET, ORGANISATION, ROOT, example_form
from webhooks.front import PAGES

GUNICORN = (sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--workers", "1")
BODY = 3 * 1024  # bytes of a form
FORMS = 1500  # a round
WARM_UP = 500
ROUNDS = 7
LOST = 1000  # forms acknowledged before the broker is killed

OURS, ON_POSTGRES, ONE_PROCESS = "alur web, SQLite", "alur web, PostgreSQL", "alur serve (waitress), SQLite"
LIMIT, ITS_LIMIT = "alur web without a database", "alur serve (waitress) without a database"
USUAL, PACKIT = "Flask and task.delay(), gunicorn", "packit-service's calls, gunicorn"
USUAL_OURS, PACKIT_OURS = "Flask and task.delay(), our server", "packit-service's calls, our server"
"""As such programs are run: gunicorn with threads. And by the server of `alur web`, which tells the server's share from the pattern's."""

AT_LEAST = {(OURS, LIMIT): 0.75, (ON_POSTGRES, LIMIT): 0.55, (OURS, USUAL): 2.0, (OURS, PACKIT): 3.0}
LONGEST = 50.0
"""Milliseconds in which 99 of 100 forms are on disk and answered."""


@dataclass(slots=True)
class Edge:
    """One way to take forms, running: where it listens, and what was measured, a round each."""

    name: str
    port: int
    rates: list[float] = field(default_factory=list)
    milliseconds: list[list[float]] = field(default_factory=list)

    def drive(self, body: Path, forms: int) -> None:
        """Have this many forms sent; each of them must be answered 202."""
        asked = [sys.executable, "-m", "tests.bench.load", str(self.port), "/webhooks/layanan", str(forms), str(body), SECRET]
        told = json.loads(subprocess.run(asked, check=True, capture_output=True, cwd=ROOT).stdout)
        assert told["statuses"] == {"202": forms}, (self.name, told["statuses"])
        self.rates.append(forms / told["seconds"])
        self.milliseconds.append(told["milliseconds"])

    def forget(self) -> None:
        """What was measured was the warm-up."""
        self.rates.clear()
        self.milliseconds.clear()

    def percentile(self, n: int) -> float:
        """The median over the rounds of the n-th percentile of a round, in milliseconds."""
        return median(quantiles(took, n=100)[n - 1] for took in self.milliseconds)

    def ratio(self, other: "Edge") -> float:
        """The median over the rounds of how many times as many forms as the other are taken."""
        return median(ours / theirs for ours, theirs in zip(self.rates, other.rates, strict=True))


@pytest.fixture
def stock_redis() -> Iterator[Server]:
    """A Redis that saves itself as one does that nobody configured."""
    with redis_server(redis_program()) as server:
        restarted(server, "--save", "3600 1 300 100 60 10000")
        yield server


@pytest.fixture
def body(tmp_path: Path) -> Path:
    """A file with a complaint of exactly BODY bytes."""
    form = example_form()
    message = {"type": "pengaduan.diajukan", "timestamp": utc_now().isoformat(), "data": {"formulir": form}}
    form["masalah"]["uraian"] += " " + "x" * (BODY - len(json.dumps(message)) - 1)
    file = tmp_path / "form.json"
    file.write_text(json.dumps(message), encoding="ascii")
    assert file.stat().st_size == BODY
    return file


@contextmanager
def edge(name: str, folder: Path, database_url: str, broker_url: str) -> Iterator[Edge]:
    """One of them, started in a folder of its own."""
    commands = {OURS: (*ALUR, "web"), ON_POSTGRES: (*ALUR, "web")}
    kinds = {LIMIT: "limit", USUAL_OURS: "usual", PACKIT_OURS: "packit", ONE_PROCESS: "waitress", ITS_LIMIT: "waitress-limit"}
    by_gunicorn = {USUAL: "usual", PACKIT: "packit"}
    port = free_port()
    settings = {
        "ALUR_GITLAB_URL": "http://127.0.0.1:9",
        "ALUR_GITLAB_TOKEN": "nobody is asked",
        "ALUR_GITLAB_PROJECT": "pustikom/pengaduan-si",
        "ALUR_GITLAB_WEBHOOK_SECRET": HOOK_SECRET,
        "ALUR_PORTAL_SECRETS": SECRET,
        "ALUR_DATABASE_URL": database_url,
        "ALUR_BROKER_URL": "" if name in (ONE_PROCESS, ITS_LIMIT) else broker_url,
        "ALUR_ORGANISATION": str(ORGANISATION),
        "ALUR_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "ALUR_DATA_DIR": str(folder),
        "ALUR_BIND": f"127.0.0.1:{port}",
    }
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ALUR_")} | {"PYTHONPATH": str(ROOT)} | settings
    environ["BACKEND"] = broker_url.removesuffix("/0") + "/1"
    if name in by_gunicorn:
        app = f"tests.bench.edges:{by_gunicorn[name]}()"
        commands[name] = (*GUNICORN, "--threads", str(PAGES), "--bind", f"127.0.0.1:{port}", "--chdir", str(folder), app)
    command = commands.get(name) or (sys.executable, "-m", "tests.bench.edges", kinds[name])
    folder.mkdir()
    with (folder / "edge.log").open("wb") as log, subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log) as running:
        try:
            wait_for(lambda: listens(port), folder)
            yield Edge(name, port)
        finally:
            running.terminate()


@pytest.mark.timeout(900)
def test_a_form_is_on_disk_nearly_as_fast_as_the_edge_can_answer(tmp_path: Path, durable_postgres: str, redis_url: str, body: Path) -> None:
    databases = {
        name: f"sqlite:///{tmp_path / str(n)}/alur.db"
        for n, name in enumerate((OURS, ONE_PROCESS, LIMIT, ITS_LIMIT, USUAL, PACKIT, USUAL_OURS, PACKIT_OURS))
    }
    databases[ON_POSTGRES] = durable_postgres
    names = (OURS, ON_POSTGRES, ONE_PROCESS, LIMIT, ITS_LIMIT, USUAL, PACKIT, USUAL_OURS, PACKIT_OURS)
    with ExitStack() as running:
        edges = {name: running.enter_context(edge(name, tmp_path / f"edge{n}", databases[name], redis_url)) for n, name in enumerate(names)}
        for one in edges.values():
            one.drive(body, WARM_UP)
            one.forget()
        for number in range(ROUNDS):
            for one in rotated(list(edges.values()), number):
                emptied(redis_url)
                one.drive(body, FORMS)
    show(edges)
    for name in (OURS, ON_POSTGRES, ONE_PROCESS):
        assert taken(databases[name]) == WARM_UP + ROUNDS * FORMS
    reached = {pair: edges[pair[0]].ratio(edges[pair[1]]) for pair in AT_LEAST}
    assert {pair: ratio for pair, ratio in reached.items() if ratio < AT_LEAST[pair]} == {}
    assert {name: p99 for name in (OURS, ON_POSTGRES) if (p99 := edges[name].percentile(99)) > LONGEST} == {}


@pytest.mark.timeout(300)
def test_what_was_acknowledged_outlives_the_broker(tmp_path: Path, stock_redis: Server, body: Path) -> None:
    database = f"sqlite:///{tmp_path}/alur.db"
    table = Table(title=f"Redis killed right after {LOST} forms were acknowledged")
    table.add_column("edge")
    table.add_column("still there", justify="right")
    kept: Counter[str] = Counter()
    for name, queue in ((OURS, ""), (USUAL, "celery"), (PACKIT, "short-running")):
        emptied(stock_redis.url)
        with edge(name, tmp_path / (queue or "alur"), database, stock_redis.url) as one:
            one.drive(body, LOST)
            if queue:
                assert queued(stock_redis, queue) == LOST
            stock_redis.end(signal.SIGKILL)
        stock_redis.start()
        kept[name] = queued(stock_redis, queue) if queue else taken(database)
        table.add_row(name, str(kept[name]))
    Console().print("\n", table)
    assert kept[OURS] == LOST


def rotated(edges: list[Edge], by: int) -> list[Edge]:
    """The same in another order each time: nobody always comes after the same one."""
    return edges[by % len(edges) :] + edges[: by % len(edges)]


def taken(database_url: str) -> int:
    """How many cases this database knows."""
    store = Store(database_url, clock=utc_now)
    cases = len(store.case_rows())
    store.close()
    return cases


def queued(server: Server, queue: str) -> int:
    """How many messages wait in a queue."""
    with redis.Redis.from_url(server.url) as connection:
        return int(connection.llen(queue))


def show(edges: dict[str, Edge]) -> None:
    """Print the table; ratios are medians of the rounds' own."""
    table = Table(title=f"Forms of {BODY // 1024} KB over 16 connections, medians of {ROUNDS} rounds of {FORMS}")
    table.add_column("edge")
    for column in ("forms/s", "p50 ms", "p99 ms", "x its limit", "x usual", "x packit"):
        table.add_column(column, justify="right")
    for one in edges.values():
        limit = ITS_LIMIT if one.name in (ONE_PROCESS, ITS_LIMIT) else LIMIT
        ratios = [f"{one.ratio(edges[other]):.2f}" for other in (limit, USUAL, PACKIT)]
        table.add_row(one.name, f"{median(one.rates):.0f}", f"{one.percentile(50):.1f}", f"{one.percentile(99):.1f}", *ratios)
    Console(width=120).print("\n", table)
