"""The worker on a stand-in GitLab: real rows, real requests, real hooks; only time is moved by hand."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from integration.files import FileStore
from integration.issue import Sighting, read_sighting, sighting_json
from integration.links import Links
from integration.payloads import Look, look_bytes
from integration.procedure.case import Case, fold
from integration.procedures import load
from integration.signatures import Secret
from integration.store import Batch, Delivery, InboxRow, OutboxRow, Store
from sandbox.clock import SimulatedClock
from sandbox.gitlab import GitLab, Level, Person, Project, User
from sync.attachments import Attachments
from sync.display import Display
from sync.drain import Drain
from sync.gitlab import Platform
from sync.inbox import Inbox
from sync.outbox import Outbox
from sync.provision import Provision
from sync.reconcile import Reconciler
from sync.wording import Wording
from tests.core.office import ROLES, TEAM, organisation
from tests.edge.portal import form
from tests.tables import laid

POS = load("pengaduan-masalah-teknis-si.2025-05")
OFFICE = organisation()
DISPLAY = Display((POS,), OFFICE, Wording(OFFICE))
SECRET = "rahasia hook"


class Post(ThreadingHTTPServer):
    """Takes hooks as the edge does, without judging who sent them."""

    def __init__(self, store: Store):
        super().__init__(("127.0.0.1", 0), _Hook)
        self.store = store
        self.url = f"http://127.0.0.1:{self.server_port}/webhooks/gitlab"


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        said = json.loads(body)
        iid = (said.get("issue") or said["object_attributes"])["iid"]
        store = self.server.store
        store.keep(Delivery("gitlab", self.headers["Idempotency-Key"], store.ticket_of(iid) or f"issue:{iid}", body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@dataclass
class Bench:
    """One case on one platform, and the hands that work on it."""

    store: Store
    clock: SimulatedClock
    gitlab: GitLab
    project: Project
    bot: User
    users: dict[str, User]
    platform: Platform
    setup: Platform  # with the rights that setting up takes
    inbox: Inbox
    outbox: Outbox
    ticket: str = ""
    sent: int = 0
    calls: list[str] = field(default_factory=list)

    def work(self) -> list[str]:
        """Let all hooks arrive and all rows be worked; gives what our account asked of GitLab meanwhile."""
        self.gitlab.requests.clear()
        drain = Drain(self.store, self.inbox, self.outbox, tally=self.platform.tally)
        for _ in range(10):
            self.gitlab.settle()
            if not drain.until_idle():
                break
        self.calls = [
            f"{r.method} {r.path.partition('/issues')[2] or r.path.rsplit('/', 1)[-1]}"
            for r in self.gitlab.requests
            if r.user == "alur-pos"
        ]
        return self.calls

    def submit(self, **changes: Any) -> str:
        """The unit sends a form, and it is worked on."""
        body = self.message("pengaduan.diajukan", formulir=form(**changes))
        kept = self.store.submit(Delivery("portal", self.key(), "", body), "SI", 2026)
        self.ticket = kept.answer["tiket"]
        self.work()
        return self.ticket

    def portal(self, kind: str, **data: Any) -> None:
        """The unit answers about its case."""
        self.store.keep(Delivery("portal", self.key(), self.ticket, self.message(kind, tiket=self.ticket, **data)))
        self.work()

    def message(self, kind: str, **data: Any) -> bytes:
        return json.dumps({"type": kind, "timestamp": "2026-06-02T09:00:00+07:00", "data": data}).encode()

    def key(self) -> str:
        self.sent += 1
        return f"msg_{self.sent}"

    def as_(self, account: str) -> Person:
        """Somebody at the platform, who has looked at it for a moment before doing anything."""
        self.clock.advance(timedelta(seconds=2))
        return self.gitlab.act(self.users[account])

    def say(self, account: str, text: str) -> int:
        """Somebody comments, and it is worked on; gives the comment's id."""
        self.clock.advance(timedelta(seconds=90))
        note = self.as_(account).comment(self.project, self.iid, text)
        self.work()
        return note

    def edit(self, account: str, **changes: object) -> None:
        """Somebody edits the issue in the browser."""
        self.ask(self.users[account], "PUT", f"issues/{self.iid}", changes)

    def delete(self, path: str) -> None:
        """An administrator deletes something of the project."""
        self.ask(self.gitlab.user("pengelola", "Pengelola", admin=True), "DELETE", path, {})

    def ask(self, user: User, method: str, path: str, data: dict[str, object]) -> None:
        url = f"{self.gitlab.url}/api/v4/projects/{self.project.id}/{path}"
        requests.request(method, url, json=data, headers={"PRIVATE-TOKEN": user.token}, timeout=10).raise_for_status()

    def see(self, sighting: Sighting) -> None:
        """Have the issue seen like this, whatever it is like."""
        self.commit(Batch(observed=sighting_json(sighting)))

    def commit(self, batch: Batch) -> None:
        """Write something into the case as if a row had led to it."""
        self.store.keep(Delivery("sweep", self.key(), self.ticket, b""))
        claimed = self.store.claim(lease=timedelta(minutes=1))
        assert claimed is not None
        turn, row = claimed
        assert isinstance(row, InboxRow)
        following = self.store.commit(turn, row, batch)
        if following is not None:
            self.store.release(*following)

    def look(self, look: Look | None = None) -> list[str]:
        """Have the issue looked at, as the sweep would; gives the requests."""
        self.store.keep(Delivery("sweep", self.key(), self.ticket, look_bytes(look or Look(self.iid))))
        return self.work()

    @property
    def case(self) -> Case:
        case = fold(self.store.entries(self.ticket))
        assert case is not None
        return case

    @property
    def iid(self) -> int:
        assert self.case.iid is not None
        return self.case.iid

    @property
    def issue(self) -> dict[str, Any]:
        return self.platform.get(f"{self.platform.project}/issues/{self.iid}")

    @property
    def notes(self) -> list[str]:
        """What we said, oldest first."""
        notes = self.platform.get(f"{self.platform.project}/issues/{self.iid}/notes", {"sort": "asc", "per_page": 100})
        return [note["body"] for note in notes if note["author"]["username"] == "alur-pos" and not note["system"]]

    @property
    def sighting(self) -> Sighting:
        sighting = read_sighting(self.store.observed(self.ticket))
        assert sighting is not None
        return sighting

    @property
    def undone(self) -> list[InboxRow | OutboxRow]:
        return [*self.store.inbox_rows(), *self.store.outbox_rows()]

    @property
    def results(self) -> list[str]:
        """What became of the inbox rows, oldest first."""
        return [row.result for row in reversed(self.store.inbox_rows(state="done"))]

    def reconciler(self) -> Reconciler:
        return Reconciler(self.store, self.platform, self.clock, replace(self.provision(), platform=self.platform))

    def provision(self) -> Provision:
        return Provision(self.setup, self.store, (POS,), "https://alur.example/webhooks/gitlab", SECRET)

    def walk(self, until: int) -> None:
        """Take the case to this step by the usual words."""
        while self.case.step != until:
            step = POS.step(self.case.step or 0)
            role = POS.role(step.performer or "")
            outcome = step.outcomes[0]
            sections = "\n\n".join(f"### {s.title}\n{WRITTEN.get(s.kind, 'Baik.')}" for s in step.sections)
            account = TEAM[0] if role.team else ROLES[role.slug]
            for requirement in step.requirements:
                if requirement.supply == "tick":
                    self.as_(account).tick(self.project, self.iid, requirement.id)
            if step.gates and "team" in step.gates:
                self.say(account, "/pos tugaskan @budi @sari")
            if POS.duty and step.number == POS.duty.step:
                parts = "\n\n".join(f"### {part.title}\nBaik." for part in POS.duty.parts if part.kind == "text")
                self.say(account, f"/pos progres 60\n\n{parts}")
            else:
                self.say(account, f"/pos {outcome.word}\n\n{sections}")


WRITTEN = {"date": "31 Desember 2026", "priority": "tinggi"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = SimulatedClock(datetime(2026, 6, 2, 2, tzinfo=UTC))
    store = Store(laid(f"sqlite:///{tmp_path}/alur.db"), clock=clock)
    with GitLab(clock) as gitlab, Post(store) as post:
        threading.Thread(target=post.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        project, bot = gitlab.project("pustikom/pengaduan-si"), gitlab.user("alur-pos", "Layanan alur-pos")
        gitlab.member(project, bot, Level.DEVELOPER)  # what every day takes
        users = {account: gitlab.user(account, account.capitalize()) for account in (*ROLES.values(), *TEAM, "tono")}
        for user in users.values():
            gitlab.member(project, user, Level.REPORTER)
        platform = Platform(gitlab.url, bot.token, project.path, timeout=5)
        owner = gitlab.user("pemilik", "Pemilik")
        gitlab.member(project, owner, Level.OWNER)
        setup = Platform(gitlab.url, owner.token, project.path, timeout=5)
        events = ("issues_events", "confidential_issues_events", "note_events", "confidential_note_events")
        setup.post(f"{setup.project}/hooks", {"url": post.url, "push_events": False, **dict.fromkeys(events, True)})
        files, links = FileStore(tmp_path, store.key), Links("https://alur.kampus.example", Secret(b"rahasia"))
        yield Bench(
            store=store,
            clock=clock,
            gitlab=gitlab,
            project=project,
            bot=bot,
            users=users,
            platform=platform,
            setup=setup,
            inbox=Inbox(store, platform, files, DISPLAY, clock),
            outbox=Outbox(store, platform, files, DISPLAY, clock, links, Attachments(store, files), platform),
        )
        assert gitlab.unknown == []
        post.shutdown()
    store.close()
