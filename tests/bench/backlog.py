"""Cases on the platform, and what can be told of them: kept messages, one kind at a time, for workers that are told of them later."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psycopg
import requests

from integration import codec
from integration import organisation as organisations
from integration.clock import utc_now
from integration.procedure.facts import SERVICE, DocumentFiled
from integration.settings import Settings
from integration.store import ISSUES, Delivery
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

PARKED = """INSERT INTO outbox (lane, channel, key, kind, data, created_at, state, attempts, due_at, error)
VALUES (%s, %s, %s, 'PostNote', '{}', now(), 'parked', 1, now(), 'an operator must look')"""


@dataclass
class Backlog:
    """Cases at their first step on the platform, a comment in the issue of each; and messages about them, to be kept a kind at a time.

    `hooks`: by issue, what GitLab told of the comment; `own`: of what we did there ourselves.
    """

    service: Service
    campus: Campus
    database: psycopg.Connection[tuple[object, ...]]
    iids: dict[str, int] = field(default_factory=dict)
    hooks: dict[int, bytes] = field(default_factory=dict)
    own: dict[int, bytes] = field(default_factory=dict)

    def open(self, cases: int) -> None:
        """Open so many cases, let all be done about them, and have somebody comment."""
        for _ in range(cases):
            self._submit()
        self.service.drain.until_idle()
        self.iids = {row.ticket: row.iid for row in self.service.store.case_rows() if row.iid}
        assert len(self.iids) == cases
        person = self.campus.person(self.campus.holder("kasi-layanan-administrasi"))
        for iid in self.iids.values():
            person.comment(self.campus.project, iid, LEAVES)
        self.campus.gitlab.settle(60)
        for told in (delivery.body for delivery in self.campus.gitlab.deliveries):
            iid = (told.get("issue") or told["object_attributes"])["iid"]
            ours = told["user"]["username"] == self.campus.bot.username
            (self.own if ours else self.hooks)[iid] = json.dumps(told).encode()

    def keep(self, kind: str, tickets: list[str]) -> None:
        """Keep a message of this kind about each of these cases (a form: about new ones). Nobody is told."""
        if kind == FORM:
            self.block([self._submit() for _ in tickets])
        else:
            self.service.store.keep_all([self._message(kind, ticket) for ticket in tickets])

    def _submit(self) -> str:
        body = {"type": "pengaduan.diajukan", "timestamp": utc_now().isoformat(), "data": {"formulir": example_form()}}
        delivery = Delivery("portal", os.urandom(8).hex(), "", json.dumps(body).encode())
        return str(self.service.store.submit(delivery, "SI", utc_now().year).answer["tiket"])

    def _message(self, kind: str, ticket: str) -> Delivery:
        iid = self.iids[ticket]
        if kind == FILED:
            paper = known(self.service.store, ticket).documents[-1].id
            fact = DocumentFiled(f"filed:{paper}", utc_now(), SERVICE, paper, "", "0" * 64, 1, "[surat.pdf](/uploads/1/surat.pdf)")
            return Delivery("outcome", f"{ticket}:{fact.key}", ticket, codec.fact_bytes(fact))
        return Delivery("gitlab", f"{kind}:{ticket}", ticket, self.own[iid] if kind == OWN else self.hooks[iid])

    def block(self, tickets: list[str]) -> None:
        """Have all further effects of these cases wait; opening an issue comes first of all, but of these the platform has had enough."""
        self.service.store.close_quota(ISSUES, timedelta(hours=1))
        rows = [(ticket, channel, f"parked:{channel}:{ticket}") for ticket in tickets for channel in ("platform", "portal")]
        with self.database.cursor() as cursor:
            cursor.executemany(PARKED, rows)

    def forget_effects(self) -> None:
        """Throw away what waits."""
        self.database.execute("DELETE FROM outbox WHERE state <> 'done'")

    def waits(self) -> bool:
        """Whether a message is not worked off yet."""
        return self.database.execute("SELECT 1 FROM inbox WHERE state <> 'done' LIMIT 1").fetchone() is not None

    def answers(self) -> dict[str, object]:
        """What the platform says now to each GET of a look, by its path."""
        paths = ["/api/v4/user", PROJECT]
        paths += [f"{PROJECT}/issues/{iid}{part}" for iid in self.iids.values() for part in ("", "/notes", "/resource_label_events")]
        with requests.Session() as session:
            session.headers["PRIVATE-TOKEN"] = self.campus.bot.token
            return {path: session.get(self.campus.gitlab.url + path, timeout=30).json() for path in paths}


@contextmanager
def backlog_of(cases: int, folder: Path, database_url: str, broker_url: str) -> Iterator[tuple[Backlog, dict[str, str]]]:
    """So many cases at their first step, made by a service on this PostgreSQL; and the settings of others that work for the same."""
    connected = psycopg.connect(libpq(database_url), autocommit=True)
    with connected as database, Campus(PROCEDURE, organisations.load(ORGANISATION), utc_now) as campus:
        settings = environment(campus, folder, database_url) | {"ALUR_BROKER_URL": broker_url}
        service = build(Settings.read(settings, env_file=None))
        service.provision()
        campus.gitlab.limits.update(notes_create=0, issues_create=0)  # all of it is made within a minute
        backlog = Backlog(service, campus, database)
        backlog.open(cases)
        yield backlog, settings
        service.store.close()
