"""Real processes over Redis and PostgreSQL, killed at random while cases come in and are led on: nothing is lost, nothing happens twice.

Each seed is a burst: something is sent, and a moment later something is killed (`kill -9`) and started again. Redis loses all its data with
each kill. `ALUR_KILL_SEEDS` says how many bursts there are, `ALUR_KILL_FIRST` the first one's seed; the next one's is one more.
"""

import json
import math
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, product
from pathlib import Path
from typing import Self
from uuid import uuid4

import pytest
import requests

from integration import organisation as organisations
from integration.clock import utc_now
from integration.files import FileStore
from integration.procedure.events import RequestRefused
from integration.procedure.guards import AT_ONCE
from integration.store import Delivery, Store, StoreDown
from sandbox.campus import Campus
from sandbox.portal import attachment
from sync.clock import REPORTS
from tests.crash.once import marks_of, nothing_twice, told_once
from tests.postoffice import PostOffice, post_office
from tests.processes import ALUR, children, environment, free_port, known, ready, run, tells_of, wait_for
from tests.servers import Server, postgres, postgres_programs, redis_program, redis_server
from tests.stories.world import OPENS_AT, ORGANISATION, PROCEDURE, example_form

FIRST = int(os.environ.get("ALUR_KILL_FIRST", "20260601"))
SEEDS = int(os.environ.get("ALUR_KILL_SEEDS", "500"))
LED, STAGES, UNTIL = 14, 7, 18  # cases that are led on; at how many steps they stand when the killing begins; the step none is led beyond
SENT = {"form": 16, "question": 12, "step": 30, "report": 1, "nothing": 41}  # and how often each is chosen
until = partial(wait_for, patience=400.0)  # seconds: a lane held by a process that was killed is free again after its lease
COMMANDS = {"web": ("web",), "worker": ("worker", "--concurrency", "2"), "beat": ("beat",)}
EACH = 2  # processes of each
VICTIMS = {"hand": 34, "redis": 20, "postgres": 12, "web": 10, "writer": 8, "worker": 10, "beat": 6}  # and how often each is chosen


@dataclass(frozen=True)
class Burst:
    """What a seed draws: what is sent, `about` which of several (0 to 1), seconds until the kill, who is killed and which of them."""

    sends: str
    about: float
    pause: float
    victim: str
    number: int

    @classmethod
    def of(cls, seed: int) -> Self:
        """What this seed draws."""
        chance = random.Random(seed)
        sends, victim = (chance.choices(list(chosen), list(chosen.values()))[0] for chosen in (SENT, VICTIMS))
        return cls(sends, chance.random(), chance.uniform(0, 0.1), victim, chance.randrange(EACH))


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
def fleet(folder: Path, campus: Campus, post: PostOffice) -> Iterator[tuple[Fleet, Store]]:
    """All of it, running; and the store as this test looks at it."""
    with ExitStack() as stack:
        servers = {
            "postgres": stack.enter_context(postgres(postgres_programs())),
            "redis": stack.enter_context(redis_server(redis_program())),
        }
        environ = environment(campus, folder, servers["postgres"].url)
        environ |= {"ALUR_BROKER_URL": servers["redis"].url, "ALUR_SMTP_URL": post.url}
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
    """The portal of a unit that sends each form until it is taken, however long that takes, now to this `alur web` and now to that.

    A form brings a file, in which the id stands that the form is sent under.
    """

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
        form = example_form() | {"lampiran": [attachment("galat.txt", "text/plain", webhook_id.encode())]}
        body = json.dumps({"type": "pengaduan.diajukan", "timestamp": utc_now().isoformat(), "data": {"formulir": form}}).encode()
        for bind in cycle(self._binds):
            try:
                url = f"http://{bind}/webhooks/layanan"
                answer = requests.post(url, data=body, headers=portal.signed(body, webhook_id), timeout=30)
            except requests.RequestException:
                time.sleep(0.2)
                continue
            assert answer.status_code in (202, 503), answer.text
            if answer.status_code == 202:
                self.tickets[webhook_id] = answer.json()["tiket"]
                return

    def waits(self) -> bool:
        """Whether a form is not taken yet."""
        return any(thread.is_alive() for thread in self._threads)


class Office:
    """The people at the platform, who ask where cases stand, and lead some on."""

    def __init__(self, campus: Campus) -> None:
        self._campus = campus
        self._led_at: dict[str, float] = {}
        self.asked = Counter[str]()
        self.led = Counter[str]()  # how many steps each case was led on

    def ask(self, ticket: str) -> None:
        """Somebody asks where a case stands, if it has an issue."""
        if ticket in self._issues():
            self._campus.comment("koord.programmer", ticket, "/pos cek")
            self.asked[ticket] += 1

    def lead(self, tickets: Sequence[str], about: float) -> None:
        """A step is done of one of the cases that are ready for it; where none is, somebody asks about one."""
        if ready := self.ready(tickets):
            self.play(one_of(ready, about))
        else:
            self.ask(one_of(tickets, about))

    def play(self, ticket: str) -> None:
        """Whoever's turn it is does the next step."""
        self._campus.play(ticket)
        self._led_at[ticket] = time.monotonic()
        self.led[ticket] += 1

    def ready(self, tickets: Iterable[str]) -> list[str]:
        """Those of these cases whose issue tells of the step they were led to; not at once, when a word typed again counts for the last."""
        issues, before = self._issues(), time.monotonic() - AT_ONCE.total_seconds()
        seen = [ticket for ticket in tickets if self._led_at.get(ticket, -math.inf) < before]
        return [ticket for ticket in seen if self.step(ticket) < UNTIL and tells_of(self.step(ticket), issues.get(ticket, ""))]

    def step(self, ticket: str) -> int:
        """Where the case stands after all that was done."""
        return OPENS_AT + self.led[ticket]

    def told(self, tickets: Iterable[str]) -> bool:
        """Whether the issues of these cases tell so."""
        issues = self._issues()
        return all(tells_of(self.step(ticket), issues.get(ticket, "")) for ticket in tickets)

    def answered(self) -> bool:
        """Whether every question has its answer. A comment whose hook was lost is found by the next sweep."""
        return all(len(self.answers(ticket)) >= n for ticket, n in self.asked.items())

    def answers(self, ticket: str) -> set[str]:
        """The answers to questions that stand in the case's issue."""
        return {mark for mark in marks_of(self._campus, ticket) if ":cek:" in mark}

    def _issues(self) -> dict[str, str]:
        """What the cases' issues tell, by ticket."""
        return {issue["title"][1:].partition("]")[0]: issue["description"] for issue in self._campus.rows("issues")}


def at_rest(service: Fleet, unit: Unit, store: Store) -> bool:
    """Whether everything sent is taken, and nothing is left to be done."""
    service.supervise()
    return not (unit.waits() or store.busy() or any(side.waiting for side in store.waiting()))


def report(store: Store, about: float) -> None:
    """A week has ended, or is said to once more; where the database is away just now, nobody says so."""
    week = f"2026-W{2 + int(about * 39):02d}"
    with suppress(StoreDown):
        store.keep(Delivery("report", f"report:{week}", REPORTS, json.dumps({"week": week}).encode()))


def stand(unit: Unit, office: Office, folder: Path) -> list[str]:
    """The cases that are led on, before anything is killed: some at each step from the first, so that all kinds of them are done later."""
    for _ in range(LED):
        unit.submit()
    until(lambda: len(unit.tickets) == LED, folder)
    goals = {ticket: OPENS_AT + number % STAGES for number, ticket in enumerate(sorted(unit.tickets.values()))}

    def there() -> bool:
        for ticket in office.ready(ticket for ticket, goal in goals.items() if office.step(ticket) < goal):
            office.play(ticket)
        return all(office.step(ticket) == goal for ticket, goal in goals.items()) and office.told(goals)

    until(there, folder)
    return list(goals)


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("seeds", [pytest.param(range(FIRST, FIRST + SEEDS), id=f"ALUR_KILL_FIRST={FIRST} ALUR_KILL_SEEDS={SEEDS}")])
def test_nothing_is_lost_or_doubled_whatever_is_killed(seeds: range, tmp_path: Path) -> None:
    with (
        Campus(PROCEDURE, organisations.load(ORGANISATION), utc_now) as campus,
        post_office() as post,
        fleet(tmp_path, campus, post) as (service, store),
    ):
        unit, office = Unit(campus, service.binds), Office(campus)
        led = stand(unit, office, tmp_path)
        before = office.led.total()
        for burst in map(Burst.of, seeds):
            match burst.sends:
                case "form":
                    unit.submit()
                case "question":
                    office.ask(one_of(sorted(unit.tickets.values()), burst.about))
                case "step":
                    office.lead(led, burst.about)
                case "report":
                    report(store, burst.about)
            time.sleep(burst.pause)
            service.kill(burst.victim, burst.number)
            service.supervise()
        until(lambda: at_rest(service, unit, store) and office.told(led) and office.answered(), tmp_path)

        assert [row.error for row in (*store.inbox_rows(state="parked"), *store.outbox_rows(state="parked"))] == []
        assert store.verify() == []
        assert sorted(unit.tickets.values()) == store.tickets()
        linked = {webhook_id: campus.uploads(ticket).count(webhook_id.encode()) for webhook_id, ticket in unit.tickets.items()}
        assert set(linked.values()) == {1}
        for ticket in store.tickets():
            check(campus, store, office, ticket)
            nothing_twice(campus, store, ticket)
        papers = [paper for ticket in led for paper in known(store, ticket).documents]
        files = FileStore(tmp_path / "var", store.key)
        assert all(files.get(paper.id.partition("/")[0], paper.sha256) for paper in papers)
        numbers = [paper.number for paper in papers if paper.number]
        assert len(numbers) == len(set(numbers))
        told_once(campus, store, post)
        assert office.led.total() - before >= len(seeds) // 100, "hardly anything was led on while processes were killed"


def one_of(tickets: Sequence[str], about: float) -> str:
    return tickets[int(about * len(tickets))]


def check(campus: Campus, store: Store, office: Office, ticket: str) -> None:
    """It stands where it was led to, by one passage and the papers of each step, nobody was refused, all were answered, the unit knows."""
    case, step = known(store, ticket), PROCEDURE.step(office.step(ticket))
    assert [passage.step for passage in case.history] == list(range(1, step.number + 1))
    assert [entry for entry in store.entries(ticket) if isinstance(entry.event, RequestRefused)] == []
    done = [PROCEDURE.step(number) for number in range(OPENS_AT, step.number)]
    assert [paper.document for paper in case.documents] == [product.document for each in done for product in each.products]
    assert len(office.answers(ticket)) == office.asked[ticket]
    assert case.status in ("berjalan", "terlambat")  # once this has taken long
    assert campus.labels(ticket) >= {"pos::SI", f"langkah::{step.label_text}", f"status::{case.status}"}
    assert {call.data["langkah"] for call in campus.portal.received(ticket)} == set(range(OPENS_AT, step.number + 1))
