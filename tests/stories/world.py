"""The world of a story: a campus of stand-ins, and the real service between them on real HTTP, moved by hand.

Nothing of the service is replaced. Its worker is run to rest after every deed instead of in the background, so that a story is told
in order.
"""

import hashlib
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import requests
import yaml
from sqlalchemy.engine import make_url
from werkzeug.serving import BaseWSGIServer, make_server

from integration import organisation as organisations
from integration import procedures
from integration.procedure.case import Case, fold
from integration.procedure.definition import Procedure
from integration.settings import Settings
from sandbox.campus import Campus
from sandbox.clock import SimulatedClock
from sandbox.demo import START
from sandbox.gitlab import Level, Person
from sandbox.portal import SECRET, attachment
from sync.wiring import Service, build
from webhooks.app import create_app

ROOT = Path(__file__).resolve().parents[2]
ORGANISATION = ROOT / "deploy" / "organisation.example.yaml"
PROCEDURE = procedures.load("pengaduan-masalah-teknis-si")
HOOK_SECRET = "rahasia-hook-uji"
OPENS_AT = PROCEDURE.opens_at
A_MOMENT = timedelta(seconds=10)  # in which people see what happened before they act

T = TypeVar("T")


@dataclass(slots=True)
class World:
    """A campus, the service, and the clock they share."""

    campus: Campus
    clock: SimulatedClock
    settings: Settings
    service: Service
    server: BaseWSGIServer

    @property
    def procedure(self) -> Procedure:
        """The procedure under play."""
        return self.campus.procedure

    # --- the unit ---

    def submit(
        self, *, form: dict[str, Any] | None = None, webhook_id: str | None = None, attachments: dict[str, bytes] | None = None
    ) -> str:
        """Send a complaint and let the service do what follows; gives its ticket."""
        form = dict(form or example_form())
        form["lampiran"] = [attachment(name, "text/plain", content) for name, content in (attachments or {}).items()]
        ticket = self.campus.portal.submit(form, webhook_id=webhook_id)
        self.settle()
        return ticket

    def revise(self, ticket: str, **masalah: str) -> None:
        """The unit sends its form again with some fields of `masalah` changed."""
        form = example_form()
        self.portal("pengaduan.direvisi", tiket=ticket, formulir={**form, "masalah": {**form["masalah"], **masalah}})

    def portal(self, type_: str, **data: Any) -> None:
        """The portal sends one message."""
        self.campus.portal.send(type_, data).raise_for_status()
        self.settle()

    # --- people ---

    def person(self, account: str) -> Person:
        """Somebody at the platform; call `settle` after what they do."""
        return self.campus.person(account)

    def comment(self, account: str, ticket: str, text: str) -> None:
        """Somebody reads a moment, comments, and the service does what follows."""
        self.clock.advance(A_MOMENT)
        self.campus.comment(account, ticket, text)
        self.settle()

    def report(self, ticket: str, percent: int) -> None:
        """The one in charge reports progress."""
        self.clock.advance(A_MOMENT)
        self.campus.report(ticket, percent, account=self.case(ticket).team[0])
        self.settle()

    def tick_all(self, ticket: str, account: str) -> None:
        """Somebody ticks every open box of the step's checklist."""
        self.clock.advance(A_MOMENT)
        self.campus.tick_all(ticket, account)
        self.settle()

    def play(self, ticket: str, word: str = "", *, reason: str = "") -> None:
        """The current step is done by whoever must, and left by `word` (default: forward)."""
        self.clock.advance(timedelta(minutes=3))
        self.campus.play(ticket, word, reason=reason)
        self.settle()

    def stands_at(self, step: int) -> str:
        """Nothing happened here but that the first complaint of the demo was led straight to this step; gives its ticket."""

        def lead() -> str:
            ticket = self.submit() if step <= OPENS_AT else self.stands_at(step - 1)
            self.walk(ticket, until=step)
            return ticket

        return self.once(("stands at", step), lead)

    def once(self, moment: Hashable, lead: Callable[[], T]) -> T:
        """Be where `lead` leads a world in which nothing was submitted yet, as it is called; gives what it gave.

        Led there once in a process, worlds begin from there afterwards.
        """
        assert not self.service.store.tickets()
        if moment in _moments and self.moves:
            there, given = _moments[moment]
            self.end()
            self.campus.recall(there.memory)
            there.lay(self.settings, self.clock)
            self.start()
            self.provision()
            return cast("T", given)
        given = lead()
        if self.moves:
            _moments[moment] = Moment.now(self), given
        return given

    def walk(self, ticket: str, until: int | None = None) -> None:
        """Go forward until the case stands at a step (None: until it has ended)."""
        for _ in range(120):
            case = self.case(ticket)
            if case.ended_at or case.step == until:
                return
            self.play(ticket)
            after = self.case(ticket)
            assert (after.step, after.last_seq) != (case.step, case.last_seq), (
                f"{ticket} is stuck at {case.step}:\n{self.campus.notes(ticket)[-1]}"
            )
        raise AssertionError(f"{ticket} never came to {until}")

    # --- the organisation ---

    def reorganise(self, text: str, *, sound: bool = True) -> None:
        """The organisation file is saved with this text. It has been left alone since, so that it counts at once; each time another one."""
        file = self.settings.organisation
        last = file.stat().st_mtime
        file.write_text(text, encoding="utf-8")
        os.utime(file, (last - 60, last - 60))
        assert (self.service.parts.in_force.faults == ()) is sound, self.service.parts.in_force.faults
        self.campus.organisation = self.service.parts.organisation
        for office in self.campus.organisation.offices:
            if office.account not in self.campus.people:
                self.campus.people[office.account] = self.campus.gitlab.user(office.account, office.name)
                self.campus.gitlab.member(self.campus.project, self.campus.people[office.account], Level.REPORTER)

    # --- time and weather ---

    def settle(self) -> None:
        """Let every hook arrive or be lost and the worker do all that is due, until nothing follows."""
        for _ in range(20):
            self.campus.gitlab.settle()
            if not self.service.drain.until_idle():
                return
        raise AssertionError("the service never comes to rest")

    def later(self, **time_passed: float) -> None:
        """Let time pass in strides, with the service's clock looking at each."""
        stride = min(timedelta(hours=6), timedelta(**time_passed) / 20)
        end = self.clock() + timedelta(**time_passed)
        while self.clock() < end:
            self.clock.to(min(end, self.clock() + stride))
            self.service.tick()
            self.settle()

    def until_weekday(self, weekday: int, *, hour: int, minute: int = 0) -> datetime:
        """Let time pass until the next such weekday (0 Monday) and local hour."""
        zone = self.campus.organisation.calendar.tz
        now = self.clock().astimezone(zone)
        target = datetime.combine(now.date() + timedelta(days=(weekday - now.weekday()) % 7), time(hour, minute), zone)
        target += timedelta(days=7 if target <= now else 0)
        self.later(seconds=(target - now).total_seconds())
        return target

    def sweep(self) -> None:
        """The reconciler looks for what no hook told."""
        self.clock.advance(timedelta(minutes=1))
        self.service.reconcile()
        self.settle()

    def redeliver(self) -> None:
        """Every hook sent so far that concerns the last deed arrives once more, newest first."""
        for delivery in list(self.campus.gitlab.deliveries)[-6:][::-1]:
            requests.post(f"{self.campus.portal.service_url}/webhooks/gitlab", json=delivery.body, headers=delivery.headers, timeout=30)
        self.settle()

    def restart(self) -> None:
        """The service's process dies without a goodbye, and another one starts on the same disk."""
        self.end()
        self.start()

    def start(self) -> None:
        """A process of the service starts where the last one listened."""
        self.service, self.server = started(self.settings, self.clock, self.campus, self.server.server_port)

    def end(self) -> None:
        """The service's process dies without a goodbye."""
        self.server.shutdown()
        self.server.server_close()
        self.service.store.close()

    def provision(self) -> None:
        """The platform's project is made ready, and told where the service listens."""
        self.service.provision(hook_url=f"{self.campus.portal.service_url}/webhooks/gitlab")

    # --- looking ---

    @property
    def moves(self) -> bool:
        """Whether it can be left and entered at any moment: its database is a file."""
        return on_a_file(self.settings.database_url.get_secret_value())

    def case(self, ticket: str) -> Case:
        """The case as the ledger has it."""
        case = fold(self.service.store.entries(ticket))
        assert case is not None
        return case

    def files_intact(self, case: Case) -> bool:
        """Whether every paper of the case is on disk under its hash."""
        return all(hashlib.sha256(self.service.files.get(case.ticket, p.sha256)).hexdigest() == p.sha256 for p in case.documents)

    def uploads(self, ticket: str) -> list[bytes]:
        """The files the case's issue links to."""
        return self.campus.uploads(ticket)

    def label_names(self) -> set[str]:
        """All labels the project has."""
        return self.campus.label_names()

    def page(self, ticket: str) -> str:
        """The issue as a browser gets it."""
        return requests.get(self.campus.issue(ticket)["web_url"], timeout=30).text

    def bot_requests(self) -> list[str]:
        """What the service has asked of the platform since the log was cleared."""
        return [f"{r.method} {r.path}" for r in self.campus.gitlab.requests if r.user == self.campus.bot.username]


@dataclass(frozen=True, slots=True)
class Moment:
    """All that a world on SQLite was at one moment: the stand-ins, the service's disk, the clock."""

    memory: bytes
    disk: dict[str, bytes]  # by path inside the service's data
    database: bytes
    clock: datetime

    @classmethod
    def now(cls, world: World) -> "Moment":
        """This world as it is, all being settled."""
        data = world.settings.data_dir
        disk = {str(path.relative_to(data)): path.read_bytes() for path in data.rglob("*") if path.is_file()}
        with closing(sqlite3.connect(cls.database_of(world.settings))) as database:
            return cls(world.campus.remember(), disk, database.serialize(), world.clock())

    def lay(self, settings: Settings, clock: SimulatedClock) -> None:
        """Make the disk of a service that does not run, and the clock, as they were then."""
        for path, content in self.disk.items():
            (settings.data_dir / path).parent.mkdir(parents=True, exist_ok=True)
            (settings.data_dir / path).write_bytes(content)
        database = self.database_of(settings)
        for path in (database, *database.parent.glob(f"{database.name}-*")):  # some thread may still hold what was, with its log
            path.unlink(missing_ok=True)
        database.write_bytes(self.database)
        clock.to(self.clock)

    @staticmethod
    def database_of(settings: Settings) -> Path:
        """The file of the database."""
        return Path(str(make_url(settings.database_url.get_secret_value()).database))


SQLITE = "sqlite:///"


def on_a_file(database_url: str) -> bool:
    """Whether this database is a file."""
    return database_url.startswith(SQLITE)


PROVISIONED = "provisioned"
_moments: dict[Hashable, tuple[Moment, object]] = {}
"""The moments worlds of this process were led to, and what their leading gave."""


def example_form() -> dict[str, Any]:
    """The first complaint of the demo."""
    rows = yaml.safe_load((ROOT / "sandbox" / "forms.yaml").read_text(encoding="utf-8"))
    form: dict[str, Any] = rows[0]["formulir"]
    return form


def started(settings: Settings, clock: SimulatedClock, campus: Campus, port: int = 0) -> tuple[Service, BaseWSGIServer]:
    """The service on a free port, known to the campus."""
    service = build(settings, clock)
    server = make_server("127.0.0.1", port, create_app(service.parts), threaded=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    campus.portal.service_url = f"http://127.0.0.1:{server.server_port}"
    return service, server


def variables(campus: Campus, folder: Path, database_url: str, public_url: str = "http://127.0.0.1:8080") -> dict[str, str]:
    """The settings of a service between the stand-ins of this campus, as environment variables; its data is in `folder`."""
    return {
        "ALUR_GITLAB_URL": campus.gitlab.url,
        "ALUR_GITLAB_TOKEN": campus.bot.token,
        "ALUR_GITLAB_PROJECT": campus.project.path,
        "ALUR_GITLAB_WEBHOOK_SECRET": HOOK_SECRET,
        "ALUR_GITLAB_PER_MINUTE": "0",  # the clock of a story stands while much is said
        "ALUR_PORTAL_SECRETS": SECRET,
        "ALUR_PORTAL_CALLBACK_URL": campus.portal.callback_url,
        "ALUR_DATABASE_URL": database_url,
        "ALUR_ORGANISATION": str(shutil.copy(ORGANISATION, folder / "organisasi.yaml")),
        "ALUR_PUBLIC_URL": public_url,
        "ALUR_DATA_DIR": str(folder / "var"),
    }


@contextmanager
def world(folder: Path, database_url: str) -> Iterator[World]:
    """A fresh campus with a provisioned project and the service between, on the given database."""
    clock = SimulatedClock(START)
    with Campus(PROCEDURE, organisations.load(ORGANISATION), clock) as campus:
        begun = _moments.get(PROVISIONED) if on_a_file(database_url) else None
        if begun:
            campus.recall(begun[0].memory)  # with the account's token, which is a setting
        settings = Settings.read(variables(campus, folder, database_url), env_file=None)
        if begun:
            begun[0].lay(settings, clock)
        told = World(campus, clock, settings, *started(settings, clock, campus))
        told.provision()
        if told.moves and not begun:
            _moments[PROVISIONED] = Moment.now(told), None
        yield told
        told.end()
        assert campus.gitlab.unknown == []
