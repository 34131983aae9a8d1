"""Cases on the platform, and what can be told of them: kept messages, one kind at a time, for workers that are told of them later."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import requests

from integration import codec
from integration import organisation as organisations
from integration.clock import utc_now
from integration.procedure.facts import SERVICE, DocumentFiled
from integration.settings import Settings
from integration.store import Delivery
from sandbox.campus import Campus
from sync.wiring import Service, build
from tests.bench.fleet import PROJECT
from tests.processes import environment, known
from tests.servers import libpq
from tests.stories.world import ORGANISATION, PROCEDURE, example_form

LEAVES = "/pos lengkap\n\n### Hasil analisis awal\nGalat.\n\n### Urgensi\nTinggi.\n\n### Dampak\nFakultas."

OWN = "hook: our own doing"
NOTHING_NEW = "hook: nothing new in the issue"
DECIDED = "hook: a comment that leaves the step"
FILED = "outcome: a paper was made"
FORM = "portal: a form"

DONE_AS_WRITTEN = """
CREATE FUNCTION done_as_written() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.state := $$done$$; NEW.done_at := now(); RETURN NEW; END';
CREATE TRIGGER done_as_written BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION done_as_written();
"""


@dataclass
class Backlog:
    """Cases at their first step on the platform, and messages about them, to be kept a kind at a time.

    `quiet`: in the issue of each somebody said something that nothing follows from; in that of all others (`iids`) is a comment that leaves
    the step, and nobody has looked yet. `hooks`: by issue, what GitLab told of the comment; `own`: of what we did there ourselves.
    """

    service: Service
    campus: Campus
    database: psycopg.Connection[tuple[object, ...]]
    iids: dict[str, int] = field(default_factory=dict)
    quiet: dict[str, int] = field(default_factory=dict)
    hooks: dict[int, bytes] = field(default_factory=dict)
    own: dict[int, bytes] = field(default_factory=dict)

    def open(self, cases: int, quiet: int) -> None:
        """Open so many cases, let all be done about them, and have somebody comment."""
        for _ in range(cases + quiet):
            self._submit()
        self.service.drain.until_idle()
        opened = [(row.ticket, row.iid) for row in self.service.store.case_rows() if row.iid]
        assert len(opened) == cases + quiet
        self.iids, self.quiet = dict(opened[quiet:]), dict(opened[:quiet])
        self._comment(self.quiet, "Terima kasih, akan kami pelajari.")
        self.service.store.keep_all(self._message(NOTHING_NEW, ticket) for ticket in self.quiet)
        self.service.store.keep(Delivery("gitlab", "ours", "", next(iter(self.own.values()))))  # by which a worker finds out who we are
        self.service.drain.until_idle()
        self._comment(self.iids, LEAVES)

    def _comment(self, iids: dict[str, int], text: str) -> None:
        person = self.campus.person(self.campus.holder("kasi-layanan-administrasi"))
        for iid in iids.values():
            person.comment(self.campus.project, iid, text)
        self.campus.gitlab.settle(60)
        for told in (delivery.body for delivery in self.campus.gitlab.deliveries):
            iid = (told.get("issue") or told["object_attributes"])["iid"]
            ours = told["user"]["username"] == self.campus.bot.username
            (self.own if ours else self.hooks)[iid] = json.dumps(told).encode()

    def keep(self, kind: str, tickets: list[str]) -> None:
        """Keep a message of this kind about each of these cases (a form: about new ones). Nobody is told."""
        if kind == FORM:
            for _ in tickets:
                self._submit()
        else:
            self.service.store.keep_all([self._message(kind, ticket) for ticket in tickets])

    def _submit(self) -> str:
        body = {"type": "pengaduan.diajukan", "timestamp": utc_now().isoformat(), "data": {"formulir": example_form()}}
        delivery = Delivery("portal", os.urandom(8).hex(), "", json.dumps(body).encode())
        return str(self.service.store.submit(delivery, "SI", utc_now().year).answer["tiket"])

    def _message(self, kind: str, ticket: str) -> Delivery:
        if kind == FILED:
            paper = known(self.service.store, ticket).documents[-1].id
            fact = DocumentFiled(f"filed:{paper}", utc_now(), SERVICE, paper, "", "0" * 64, 1, "[surat.pdf](/uploads/1/surat.pdf)")
            return Delivery("outcome", f"{ticket}:{fact.key}", ticket, codec.fact_bytes(fact))
        return Delivery("gitlab", os.urandom(8).hex(), ticket, self.hooks[(self.iids | self.quiet)[ticket]])

    def without_effects(self) -> None:
        """From now on effects are done as they are written, and take no time."""
        self.database.execute(DONE_AS_WRITTEN)

    def waits(self) -> bool:
        """Whether a message is not worked off yet."""
        return self.database.execute("SELECT 1 FROM inbox WHERE state <> 'done' LIMIT 1").fetchone() is not None

    def settled(self) -> int:
        """How many messages were settled at the edge."""
        found = self.database.execute("SELECT count(*) FROM inbox WHERE source = 'gitlab' AND attempts = 0 AND result <> ''").fetchone()
        return int(str(found[0])) if found else 0

    def answers(self) -> dict[str, object]:
        """What the platform says now to each GET of a look, by its path."""
        paths = ["/api/v4/user", PROJECT]
        paths += [
            f"{PROJECT}/issues/{iid}{part}"
            for iid in (self.iids | self.quiet).values()
            for part in ("", "/notes", "/resource_label_events")
        ]
        with requests.Session() as session:
            session.headers["PRIVATE-TOKEN"] = self.campus.bot.token
            return {path: session.get(self.campus.gitlab.url + path, timeout=30).json() for path in paths}


@contextmanager
def backlog_of(cases: int, folder: Path, database_url: str, broker_url: str, *, quiet: int = 0) -> Iterator[tuple[Backlog, dict[str, str]]]:
    """Cases at their first step, made by a service on this PostgreSQL; and the settings of others that work for the same."""
    connected = psycopg.connect(libpq(database_url), autocommit=True)
    with connected as database, Campus(PROCEDURE, organisations.load(ORGANISATION), utc_now) as campus:
        settings = environment(campus, folder, database_url) | {"ALUR_BROKER_URL": broker_url}
        service = build(Settings.read(settings, env_file=None))
        service.provision()
        campus.gitlab.limits.update(notes_create=0, issues_create=0)  # all of it is made within a minute
        backlog = Backlog(service, campus, database)
        backlog.open(cases, quiet)
        yield backlog, settings
        service.store.close()
