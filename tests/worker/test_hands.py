"""What a process of `alur worker` has in hand: two cases where two are due, and one request to the platform."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from integration import organisation as organisations
from integration.clock import utc_now
from integration.procedure.effects import SendMail
from integration.settings import Settings
from integration.store import Batch, Delivery, Store, StoreDown
from sandbox.campus import Campus
from sync.drain import LEASE
from sync.worker import Hands
from tests.postoffice import post_office
from tests.processes import environment
from tests.stories.world import ORGANISATION, PROCEDURE, example_form
from tests.tables import laid

LATENCY = 0.05  # seconds


class Office:
    """Forms that wait for a process's hands, and a platform that takes its time."""

    def __init__(self, campus: Campus, store: Store, hands: Hands) -> None:
        self.campus, self.store, self.hands = campus, store, hands
        self.cases = self.requests = 0  # in hand at once, at most
        self.connections = 0  # to the database, held while one request was in hand, at most
        self.meanwhile: dict[str, int] = {}  # and while one of the others outside was, by who that is
        campus.portal.heard = lambda *_: self.note("portal")

    def note(self, who: str) -> None:
        """Somebody outside has been asked, and has not answered yet."""
        held = self.store._engine.pool.checkedout()  # type: ignore[attr-defined]  # noqa: SLF001 -- nobody else counts
        self.meanwhile[who] = max(held, self.meanwhile.get(who, 0))

    def submit(self, forms: int) -> None:
        """So many units send a form."""
        for n in range(forms):
            said = {"type": "pengaduan.diajukan", "timestamp": utc_now().isoformat(), "data": {"formulir": example_form()}}
            self.store.submit(Delivery("portal", f"msg_{n}", "", json.dumps(said).encode()), "SI", utc_now().year)

    def work(self, forms: int) -> None:
        """So many units send a form, and all that is due is worked off."""
        self.submit(forms)
        over = threading.Event()
        looking = threading.Thread(target=self._look, args=(over,))
        looking.start()
        try:
            while self.store.busy():
                self.hands.work()
        finally:
            over.set()
            looking.join()
        assert len(self.campus.rows("issues")) == forms

    def _look(self, over: threading.Event) -> None:
        with closing(sqlite3.connect(str(self.store.file))) as database:
            while not over.is_set():
                (cases,) = database.execute("SELECT count(*) FROM lanes WHERE token IS NOT NULL").fetchone()
                self.cases = max(self.cases, cases)
                asked = self._asked()
                held = self.store._engine.pool.checkedout()  # type: ignore[attr-defined]  # noqa: SLF001 -- nobody else counts
                if asked & self._asked():
                    self.connections = max(self.connections, held)
                self.requests = max(self.requests, len(asked))
                time.sleep(0.002)

    def _asked(self) -> set[object]:
        """The requests the platform has in hand."""
        return set(self.campus.gitlab._desk._in_hand)  # noqa: SLF001 -- no request says it


class Letters(list[bytes]):
    """What a mail server has taken; each time it does, `taking` is called before it says so."""

    taking: Callable[[], None]

    def append(self, letter: bytes) -> None:
        self.taking()
        super().append(letter)


@pytest.fixture
def letters() -> Letters:
    return Letters()


@pytest.fixture
def office(tmp_path: Path, redis_database: str, letters: Letters) -> Iterator[Office]:
    with post_office() as post, Campus(PROCEDURE, organisations.load(ORGANISATION), utc_now) as campus:
        post.got = letters
        environ = environment(campus, tmp_path, laid(f"sqlite:///{tmp_path}/alur.db?timeout=0.05")) | {"ALUR_BROKER_URL": redis_database}
        environ["ALUR_SMTP_URL"] = post.url
        settings = Settings.read(environ, env_file=None)
        hands = Hands(settings)
        hands.service.provision()
        campus.gitlab.fault("*", "", times=10**6, latency=LATENCY)
        office = Office(campus, hands.service.store, hands)
        letters.taking = lambda: office.note("mail")
        yield office
        hands.service.store.close()


def test_while_one_case_waits_for_the_platform_another_one_is_worked_on(office):
    office.work(forms=6)
    assert (office.cases, office.requests) == (2, 1)


def test_where_one_case_is_due_there_is_nothing_for_the_second_pair(office):
    office.work(forms=1)
    assert (office.cases, office.requests) == (1, 1)
    assert "_beside" not in vars(office.hands)
    assert office.connections == 0, "none is held while the platform is waited for"


def test_no_connection_is_held_while_the_portal_or_a_mail_server_is_waited_for(office, letters):
    office.store.keep(Delivery("gitlab", "week", "laporan", b""))
    report = SendMail("mail:report", "laporan", ("kepala@kampus.example",), {"week": "2026-W23"})
    turn, row = office.store.claim(lease=LEASE)
    office.store.release(*office.store.commit(turn, row, Batch(effects=(report,))))
    office.hands.work()  # before the form is there, with which the second pair would be at work
    office.work(forms=1)
    assert letters
    assert office.meanwhile == {"portal": 0, "mail": 0}
    assert {request.method for request in office.campus.gitlab.requests} >= {"GET", "POST", "PUT"}
    assert office.connections == 0, "none is held while the platform is read, or written to"


def test_where_the_store_closes_both_pairs_end_and_what_they_had_in_hand_is_done_once(office):
    office.submit(forms=4)
    with closing(sqlite3.connect(str(office.store.file), isolation_level=None, check_same_thread=False)) as other:
        closes = threading.Timer(LATENCY / 2, other.execute, ("BEGIN IMMEDIATE",))
        closes.start()
        with pytest.raises(StoreDown):
            office.hands.work()
        closes.join()
    office.store.break_leases()  # as they end by themselves
    while office.store.busy():
        office.hands.work()
    assert len(office.campus.rows("issues")) == 4
