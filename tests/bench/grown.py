"""The service on a filled store, and what is measured on it: each kind of work as often as takes a few milliseconds at least.

What is measured leaves the store as it was, but for rows that are done: the next round finds the same work.
"""

import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
import yaml
from flask.testing import FlaskClient

from integration import codec
from integration.codec import Json
from integration.parts import Parts
from integration.procedure.case import Status
from integration.procedure.facts import Actor, ActorKind, PauseAsked, ResumeAsked
from integration.settings import Settings
from integration.signatures import Secret, headers, status_token
from integration.store import Delivery, OutboxRow, Store, Turn
from integration.tables import DONE, UNFINISHED, cases, inbox, lanes
from sandbox.clock import SimulatedClock
from sandbox.portal import SECRET
from sync import console
from sync.clock import ASKED_WEEK, LAST_WEEK
from sync.drain import Drain
from sync.periods import period
from sync.provision import LABELLED
from sync.reconcile import SWEPT
from sync.standing import Survey
from sync.survey import survey
from sync.wiring import Service
from tests.bench.crowd import ENDED_LATELY, Copy, Kind
from tests.bench.listing import PROJECT, Listing, listing
from tests.stories.world import HOOK_SECRET, ORGANISATION, PROCEDURE
from webhooks.app import create_app

NOW = datetime.fromisoformat("2026-06-08T09:00:00+07:00")  # the Monday after the week the templates lived in
WEEK = "2026-W23"
VACANT = "kasi-layanan-administrasi"  # an office nobody holds: cases that wait for it are counted
COORDINATOR = Actor(ActorKind.PERSON, "koord.programmer", "Fajar Nugroho, S.Kom.")
BODY = b"x" * 3 * 1024  # of a form
SENDERS = 16
LISTED = 25  # cases on a page
CHANGED = 10  # issues that a sweep finds changed
SECONDS = itertools.count(1)  # after NOW at which they change: at another one each time


@dataclass(slots=True)
class Stand:
    """The service on one store. `ended`: how many cases ended, which have the first numbers; `at_ten`: open cases that stand at step 10."""

    service: Service
    drain: Drain
    edge: FlaskClient
    forge: Listing
    database: sa.Engine
    ended: int
    at_ten: list[Copy]
    cursor: str = ""  # up to which the list was read

    @property
    def store(self) -> Store:
        """The store."""
        return self.service.store

    def forget(self) -> None:
        """What was kept and is not to be worked off: its rows are done, and cases it opened never were."""
        new = (cases.c.prefix == "SI") & (cases.c.year == 2026) & (cases.c.number > self.ended + self.forge.opened)
        with self.database.begin() as connection:
            connection.execute(sa.update(inbox).where(UNFINISHED).values(state=DONE))
            connection.execute(sa.update(lanes).where(lanes.c.next_due <= self.store.clock() + timedelta(days=1)).values(next_due=None))
            connection.execute(sa.delete(lanes).where(lanes.c.lane.in_(sa.select(cases.c.ticket).where(new))))
            connection.execute(sa.delete(cases).where(new))


@dataclass(frozen=True, slots=True)
class NothingOutside:
    """Performs effects by calling them done: how long the outside takes is no matter of the store's size."""

    store: Store

    def perform(self, turn: Turn, row: OutboxRow) -> object:
        """It is done."""
        return self.store.done(turn, row)


@contextmanager
def stand(folder: Path, url: str, ended: int, opened: int, standing: Kind) -> Iterator[Stand]:
    """The service on a store with so many cases that have ended and, after them, so many open ones; `standing`: their kind at step 10.

    Its clock stands at NOW, what recurs was done before, one office is vacant.
    """
    clock = SimulatedClock(NOW)
    folder.mkdir()
    with listing(PROCEDURE) as forge:
        parts = Parts.of(Settings.read(variables(folder, url, forge.url), env_file=None), clock)
        service = Service(parts)
        labels = {label["name"]: label["id"] for label in forge.labels}
        for mark, value in {SWEPT: NOW.isoformat(), LABELLED: json.dumps(labels), ASKED_WEEK: "2026-W24", LAST_WEEK: WEEK}.items():
            parts.store.set_mark(mark, value)
        drain = replace(service.drain, outbox=NothingOutside(parts.store))
        at_ten = [Copy(standing, row.iid) for row in parts.store.case_rows(open_only=True, step=10)]
        forge.opened = opened
        database = sa.create_engine(url)
        try:
            yield Stand(service, drain, create_app(parts).test_client(), forge, database, ended, at_ten)
        finally:
            database.dispose()
            parts.store.close()


def variables(folder: Path, url: str, forge: str) -> dict[str, str]:
    """The settings of a service that nobody but this platform is near."""
    entries = yaml.safe_load(ORGANISATION.read_text(encoding="utf-8"))
    next(office for office in entries["offices"] if office["role"] == VACANT)["until"] = NOW.date() - timedelta(days=1)
    (folder / "organisasi.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    return {
        "ALUR_GITLAB_URL": forge,
        "ALUR_GITLAB_TOKEN": "anybody",
        "ALUR_GITLAB_PROJECT": PROJECT,
        "ALUR_GITLAB_WEBHOOK_SECRET": HOOK_SECRET,
        "ALUR_GITLAB_PER_MINUTE": "0",
        "ALUR_PORTAL_SECRETS": SECRET,
        "ALUR_DATABASE_URL": url,
        "ALUR_ORGANISATION": str(folder / "organisasi.yaml"),
        "ALUR_PUBLIC_URL": "http://127.0.0.1:8080",
        "ALUR_DATA_DIR": str(folder / "var"),
    }


# --- what is measured: each gives the seconds one of it took ---


def forms_kept(on: Stand) -> float:
    """A form on disk, of many that come at once."""
    forms = [Delivery("portal", f"msg_{uuid.uuid4().hex}", "", BODY) for _ in range(320)]
    with ThreadPoolExecutor(SENDERS) as senders:
        took = timed(lambda: list(senders.map(lambda form: on.store.submit(form, "SI", 2026), forms)))
    on.forget()
    return took / len(forms)


def hooks_taken(on: Stand) -> float:
    """A hook about an open case, from the edge to the disk, one after the other."""
    said = uuid.uuid4().hex
    bodies = [json.dumps({"object_kind": "issue", "object_attributes": {"iid": case.number, "said": said}}) for case in on.at_ten[:40]]

    def sent() -> None:
        for body in bodies:
            assert on.edge.post("/webhooks/gitlab", data=body, headers={"X-Gitlab-Token": HOOK_SECRET}).status_code == 200

    took = timed(sent)
    on.forget()
    return took / len(bodies)


def facts_decided(on: Stand) -> float:
    """One fact about an open case: claimed, read, decided, committed, its effects marked as done. The clock is stopped, or runs again."""
    tickets = [case.ticket for case in on.at_ten[:40]]
    before = [on.store.case_row(ticket) for ticket in tickets]
    key, at = f"note:{uuid.uuid4().hex}", on.store.clock()
    stops = before[0].status != Status.PAUSED
    fact = codec.fact_bytes(PauseAsked(key, at, COORDINATOR, "menunggu data") if stops else ResumeAsked(key, at, COORDINATOR))
    on.store.keep_all(Delivery("clock", f"{ticket}:{key}", ticket, fact) for ticket in tickets)
    took = timed(on.drain.until_idle)
    after = [on.store.case_row(ticket) for ticket in tickets]
    assert all((row.status == Status.PAUSED) is stops for row in after)
    assert [row.version for row in after] == [row.version + 1 for row in before]
    return took / len(tickets)


def ticks(on: Stand) -> float:
    """A look of the clock and of the roster that finds nothing new."""
    on.service.tick()
    on.forget()
    took = timed(on.service.tick, times=10)
    return took / 10


def sweeps(on: Stand) -> float:
    """A sweep over a platform where nothing changed."""
    on.forge.changed = ()
    on.forge.asked.clear()
    took = timed(on.service.reconciler.sweep, times=10)
    assert on.forge.asked == {"labels": 10, "issues": 20}, on.forge.asked
    return took / 10


def sweeps_of_changed(on: Stand) -> float:
    """A sweep that finds CHANGED issues changed."""
    changed = (NOW + timedelta(seconds=next(SECONDS))).isoformat()
    on.forge.changed = [{**case.issue, "updated_at": changed} for case in on.at_ten[:CHANGED]]
    on.forge.asked.clear()
    found: list[int] = []
    took = timed(lambda: found.append(on.service.reconciler.sweep()))
    assert (found, on.forge.asked) == ([CHANGED], {"labels": 1, "issues": 2})
    on.forget()
    return took


def reports_made(on: Stand) -> float:
    """The weekly report, from the ledgers to its lines."""
    display = on.service.display
    made: list[Survey] = []
    week = period(WEEK, display.organisation.calendar.tz)
    took = timed(lambda: made.append(survey(on.store, display.procedures, display.organisation, week)))
    assert (len(made[0].open), len(made[0].ended)) == (on.forge.opened, ENDED_LATELY)
    return took


def statuses_shown(on: Stand) -> float:
    """A unit looks where its open case stands."""
    secret = Secret.parse(SECRET)
    pages = [f"/layanan/pengaduan/{ticket}?token={status_token(secret, ticket)}" for ticket in (case.ticket for case in on.at_ten[:20])]
    return timed(lambda: [asked(on, page) for page in pages]) / len(pages)


def pages_listed(on: Stand) -> float:
    """The portal reads the list on by a page, of cases that were never listed."""
    signed = headers(Secret.parse(SECRET), "msg", on.store.clock(), b"")
    address = f"/layanan/pengaduan?kursor={on.cursor}&jumlah={LISTED}"
    pages: list[Json] = []
    took = timed(lambda: pages.append(on.edge.get(address, headers=signed).json))
    on.cursor = pages[0]["kursor"]
    assert len(pages[0]["pengaduan"]) == LISTED
    return took


def readiness(on: Stand) -> float:
    """GET /ready."""
    return timed(lambda: asked(on, "/ready"), times=20) / 20


def metrics(on: Stand) -> float:
    """GET /metrics."""
    return timed(lambda: asked(on, "/metrics"), times=20) / 20


def cases_listed(on: Stand) -> float:
    """`alur case list`: of open cases."""
    parts, listed = on.service.parts, list[int]()
    zone = parts.organisation.calendar.tz
    took = timed(lambda: listed.append(console.cases(on.store.case_rows(open_only=True), parts.procedures, zone).row_count))
    assert listed == [on.forge.opened]
    return took


def rows_listed(on: Stand) -> float:
    """`alur inbox list`, `alur outbox list`, each also of what is parked; nothing is."""
    lists = [(of, state) for of in (on.store.inbox_rows, on.store.outbox_rows) for state in (None, "parked")]
    return timed(lambda: [of(state=state) for of, state in lists], times=20) / 20


def asked(on: Stand, address: str) -> None:
    """A page that must be there."""
    assert on.edge.get(address).status_code == 200, address


def timed(do: Callable[[], object], times: int = 1) -> float:
    """The seconds this took."""
    began = time.perf_counter()
    for _ in range(times):
        do()
    return time.perf_counter() - began
