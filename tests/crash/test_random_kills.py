"""Real processes over Redis and PostgreSQL, killed at random while forms and comments come in: nothing is lost, nothing happens twice.

Each seed is a burst: something is sent, and a moment later something is killed (`kill -9`) and started again. Redis loses all its data with
each kill. `ALUR_KILL_SEEDS` says how many bursts there are.
"""

import json
import os
import random
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from integration import organisation as organisations
from integration.clock import utc_now
from integration.store import Store
from sandbox.campus import Campus
from tests.processes import ALUR, children, environment, free_port, known, ready, run
from tests.servers import Server, postgres, postgres_programs, redis_program, redis_server
from tests.stories.world import ORGANISATION, PROCEDURE, example_form

SEEDS = int(os.environ.get("ALUR_KILL_SEEDS", "500"))
FORMS, COMMENTS = 120, 120  # sent in all, in bursts chosen at random
REST = 400.0  # seconds: a lane held by a process that was killed is free again after its lease
MARKER = re.compile(r"<!-- alur:(\S+) -->")
COMMANDS = {"web": ("web",), "worker": ("worker", "--concurrency", "2"), "beat": ("beat",)}
EACH = 2  # processes of each
VICTIMS = {"hand": 34, "redis": 20, "postgres": 12, "web": 10, "writer": 8, "worker": 10, "beat": 6}  # and how often each is chosen


@dataclass
class Fleet:
    """The processes of the service, by kind and number, and the servers they need; each can be killed and comes back."""

    folder: Path
    environ: dict[str, str]
    servers: dict[str, Server]
    binds: list[str]  # of each `alur web`
    running: dict[tuple[str, int], subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, kind: str, number: int) -> None:
        """Start one of our processes."""
        environ = self.environ | {"ALUR_BIND": self.binds[number]}
        with (self.folder / f"{kind}{number}.log").open("ab") as log:
            self.running[kind, number] = subprocess.Popen([*ALUR, *COMMANDS[kind]], cwd=self.folder, env=environ, stdout=log, stderr=log)

    def kill(self, kind: str, number: int) -> None:
        """Send SIGKILL, and start again: a process with all its children, a server, a hand of the worker, or who writes for the edge."""
        if kind in self.servers:
            self.servers[kind].end(signal.SIGQUIT if kind == "postgres" else signal.SIGKILL)  # what PostgreSQL calls immediate
            self.servers[kind].start()
        elif kind == "hand":
            for child in children(self.running["worker", number].pid)[:1]:
                gone(child)
        elif kind == "writer":
            for reader in children(self.running["web", number].pid):
                for writer in children(reader):
                    gone(writer)
        else:
            self.end(kind, number)
            self.start(kind, number)

    def end(self, kind: str, number: int) -> None:
        """Kill one of our processes and its children."""
        process = self.running.pop((kind, number))
        for pid in (*children(process.pid), process.pid):
            gone(pid)
        process.wait()

    def supervise(self) -> None:
        """Start what has ended by itself, as a supervisor does: Celery gives up over some ways in which a broker can vanish."""
        for kind, number in [which for which, process in self.running.items() if process.poll() is not None]:
            self.start(kind, number)


def gone(pid: int) -> None:
    """Kill this process, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def fleet(folder: Path, campus: Campus) -> Iterator[tuple[Fleet, Store]]:
    """All of it, running; and the store as this test looks at it."""
    with ExitStack() as stack:
        servers = {
            "postgres": stack.enter_context(postgres(postgres_programs())),
            "redis": stack.enter_context(redis_server(redis_program())),
        }
        environ = environment(campus, folder, servers["postgres"].url) | {"ALUR_BROKER_URL": servers["redis"].url}
        run(folder, environ, "provision")
        binds = [environ["ALUR_BIND"], f"127.0.0.1:{free_port()}"]
        service = Fleet(folder, environ, servers, binds)
        store = Store(servers["postgres"].url, clock=utc_now)
        stack.callback(store.close)
        for which in product(COMMANDS, range(EACH)):
            service.start(*which)
            stack.callback(service.end, *which)
        until(lambda: all(ready(f"http://{bind}") for bind in binds), folder)
        yield service, store


class Unit:
    """The portal of a unit that sends each form until it is taken, however long that takes, now to this `alur web` and now to that."""

    def __init__(self, campus: Campus, binds: list[str]) -> None:
        self._campus = campus
        self._binds = binds
        self._threads: list[threading.Thread] = []
        self.tickets: dict[str, str] = {}  # by webhook-id

    def submit(self) -> None:
        """Send a new form, in the background."""
        self._threads.append(threading.Thread(target=self._send, args=(uuid4().hex,), daemon=True))
        self._threads[-1].start()

    def _send(self, webhook_id: str) -> None:
        portal = self._campus.portal
        said = {"type": "pengaduan.diajukan", "timestamp": utc_now().isoformat(), "data": {"formulir": example_form()}}
        body = json.dumps(said).encode()
        while webhook_id not in self.tickets:
            try:
                url = f"http://{random.choice(self._binds)}/webhooks/layanan"
                answer = requests.post(url, data=body, headers=portal.signed(body, webhook_id), timeout=30)
            except requests.RequestException:
                time.sleep(0.2)
                continue
            assert answer.status_code in (202, 503), answer.text
            if answer.status_code == 202:
                self.tickets[webhook_id] = answer.json()["tiket"]

    def waits(self) -> bool:
        """Whether a form is not taken yet."""
        return any(thread.is_alive() for thread in self._threads)


def until(what: Callable[[], object], folder: Path, seconds: float = REST) -> None:
    """Wait until this is true; the database may be away meanwhile."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            pytest.fail("\n".join(log.read_text(errors="replace")[-3000:] for log in sorted(folder.glob("*.log"))), pytrace=False)
        time.sleep(0.2)


def at_rest(service: Fleet, unit: Unit, store: Store) -> bool:
    """Whether everything sent is taken, and nothing is left to be done."""
    service.supervise()
    return not (unit.waits() or store.busy() or any(side.waiting for side in store.waiting()))


@pytest.mark.timeout(2400)
def test_nothing_is_lost_or_doubled_whatever_is_killed(tmp_path: Path) -> None:
    chance = random.Random(20260601)
    forms, comments = (Counter(chance.choices(range(SEEDS), k=n * SEEDS // 500 or 1)) for n in (FORMS, COMMENTS))
    with Campus(PROCEDURE, organisations.load(ORGANISATION), utc_now) as campus, fleet(tmp_path, campus) as (service, store):
        unit, said = Unit(campus, service.binds), Counter[str]()
        for seed in range(SEEDS):
            for _ in range(forms[seed]):
                unit.submit()
            for _ in range(comments[seed]):
                said.update(comment(campus, chance, list(unit.tickets.values())))
            time.sleep(chance.uniform(0, 0.1))
            service.kill(chance.choices(list(VICTIMS), list(VICTIMS.values()))[0], chance.randrange(EACH))
            service.supervise()
        until(lambda: at_rest(service, unit, store) and all(len(answers(campus, ticket)) >= n for ticket, n in said.items()), tmp_path)

        assert [row.error for row in (*store.inbox_rows(state="parked"), *store.outbox_rows(state="parked"))] == []
        assert store.verify() == []
        assert sorted(unit.tickets.values()) == store.tickets()
        assert len(store.tickets()) == sum(forms.values())
        for ticket in store.tickets():
            check(campus, store, ticket, said[ticket])


def comment(campus: Campus, chance: random.Random, tickets: list[str]) -> list[str]:
    """Somebody asks where a case stands; gives its ticket."""
    titles = [issue["title"] for issue in campus.rows("issues")]
    shown = [ticket for ticket in tickets if any(title.startswith(f"[{ticket}]") for title in titles)]
    if not shown:
        return []
    ticket = chance.choice(shown)
    campus.comment("koord.programmer", ticket, "/pos cek")
    return [ticket]


def answers(campus: Campus, ticket: str) -> set[str]:
    """The answers to comments that stand in the case's issue. A comment whose hook was lost is found by the next sweep."""
    return {mark for note in campus.notes(ticket) for mark in MARKER.findall(note) if ":cek:" in mark}


def check(campus: Campus, store: Store, ticket: str, comments: int) -> None:
    """One case, one issue, one answer to each comment, one call of each kind, all of it shown."""
    case, notes = known(store, ticket), campus.notes(ticket)
    marks = Counter(mark for note in notes for mark in MARKER.findall(note))
    assert [mark for mark, n in marks.items() if n > 1] == []
    assert len(answers(campus, ticket)) == comments
    assert case.status in ("berjalan", "terlambat")  # once this has taken long
    assert campus.labels(ticket) >= {"pos::SI", "langkah::04 Pemeriksaan", f"status::{case.status}"}
    calls: dict[str, set[Any]] = {}
    for call in campus.portal.received(ticket):
        calls.setdefault(call.id, set()).add(json.dumps([call.type, call.data], sort_keys=True))
    assert [len(told) for told in calls.values()] == [1] * len(calls)
    assert len(calls) == 1
    assert case.iid == campus.issue(ticket)["iid"]  # the only one
