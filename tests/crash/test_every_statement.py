"""Killed at every statement between receiving and effect, the service loses nothing and does nothing twice."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from integration import organisation as organisations
from integration.clock import utc_now
from integration.files import FileStore
from integration.procedure.case import Case, fold
from integration.store import Delivery, NumberState, Store
from sandbox.campus import Campus
from sandbox.portal import attachment
from tests.postoffice import PostOffice, post_office
from tests.processes import environment, run, see
from tests.stories.world import ORGANISATION, PROCEDURE, example_form

MARKER = re.compile(r"<!-- alur:(\S+) -->")
FIRST, NUMBERED = 4, 9  # the step a case opens at, and one whose paper is numbered
SCAN = b"%PDF-1.7\nhasil pindai"
LAST_WEEK = "2026-W40"
WATCHED = {"sqlite": "integration/files.py sync/ webhooks/", "postgresql": "integration/store/"}
"""Where the service is killed on which database: together, at every statement there is."""

ENOUGH = {"sqlite": 350, "postgresql": 140}
"""Statements at least; far fewer would mean that nothing is watched any more."""


@dataclass
class Lives:
    """The service between the stand-ins, as many lives as it takes; `visited`: where it was killed so far."""

    campus: Campus
    store: Store
    post: PostOffice
    zygote: subprocess.Popen[str]
    visited: set[str] = field(default_factory=set)
    lives: int = 0

    def live(self, *messages: dict[str, Any], mortal: bool, sweeps: bool = False) -> dict[str, Any]:
        """One life, as tests/crash/lives.py tells of it."""
        order = {"messages": messages, "visited": sorted(self.visited) if mortal else [], "mortal": mortal, "sweeps": sweeps}
        assert self.zygote.stdin is not None
        assert self.zygote.stdout is not None
        self.zygote.stdin.write(json.dumps(order) + "\n")
        self.zygote.stdin.flush()
        answer: dict[str, Any] = json.loads(self.zygote.stdout.readline())
        assert not answer["error"], answer["error"]
        self.lives += 1
        return answer

    def die_everywhere(self, *messages: dict[str, Any], sweeps: bool = False) -> None:
        """Die at each statement that leads from here to rest; whoever sends a message sends it until it is answered."""
        waiting = list(messages)
        while True:
            told = self.live(*waiting, mortal=True, sweeps=sweeps)
            del waiting[: len(told["answers"])]
            if not told["died"]:
                assert [row.error for row in (*self.store.inbox_rows(), *self.store.outbox_rows())] == []
                return
            self.visited.add(told["died"])

    def form(self) -> dict[str, Any]:
        """The portal's request for a new case, with a file."""
        form = example_form() | {"lampiran": [attachment("galat.txt", "text/plain", b"galat 500")]}
        return self._portal("pengaduan.diajukan", formulir=form)

    def withdrawal(self, ticket: str) -> dict[str, Any]:
        """The unit takes its complaint back."""
        return self._portal("pengaduan.dibatalkan", tiket=ticket, alasan="sudah pulih", oleh="Dekan")

    def hooks(self) -> list[dict[str, Any]]:
        """What GitLab has tried to tell of since it was asked last."""
        self.campus.gitlab.settle()
        sent = [{"path": "/webhooks/gitlab", "headers": d.headers, "body": json.dumps(d.body)} for d in self.campus.gitlab.deliveries]
        self.campus.gitlab.deliveries.clear()
        return sent

    def case(self, ticket: str) -> Case:
        """The case as the ledger has it."""
        case = fold(self.store.entries(ticket))
        assert case is not None
        return case

    def _portal(self, kind: str, **data: Any) -> dict[str, Any]:
        body = json.dumps({"type": kind, "timestamp": utc_now().isoformat(), "data": data})
        return {"path": "/webhooks/layanan", "headers": self.campus.portal.signed(body.encode()), "body": body}


@contextmanager
def born(folder: Path, database: str, watched: str) -> Iterator[Lives]:
    """A campus, and what makes one life of the service after another; killed only in files whose path begins with one of `watched`."""
    with Campus(PROCEDURE, organisations.load(ORGANISATION), utc_now) as campus, post_office() as post:
        environ = environment(campus, folder, database) | {"ALUR_SMTP_URL": post.url, "CRASH_IN": watched}
        run(folder, environ, "provision")
        program = [sys.executable, "-c", "from tests.crash.lives import main; main()"]
        with subprocess.Popen(program, cwd=folder, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as zygote:
            store = Store(database, clock=utc_now)
            yield Lives(campus, store, post, zygote)
            store.close()
            zygote.kill()


def at_rest(lives: Lives, ticket: str) -> None:
    """Nothing waits, nothing is parked, the chain holds, and nothing was done twice."""
    assert not lives.store.busy()
    assert lives.store.verify() == []
    assert lives.store.tickets() == [ticket]
    nothing_twice(lives, ticket)


def nothing_twice(lives: Lives, ticket: str) -> None:
    """One issue; every note, paper, number, callback and mail once."""
    campus, case = lives.campus, lives.case(ticket)
    campus.issue(ticket)  # exactly one
    notes = [mark for note in campus.notes(ticket) for mark in MARKER.findall(note)]
    assert [mark for mark, n in Counter(notes).items() if n > 1] == []
    papers = [paper for paper in case.documents if not paper.sha256]
    assert papers == []
    links = campus.issue(ticket)["description"]
    assert [p.id for p in case.documents if p == case.current_paper(p.document) and p.link not in links] == []
    numbers = [paper.number for paper in case.documents if paper.number]
    assert len(numbers) == len(set(numbers))
    assert [row for row in lives.store.number_rows() if row.state is not NumberState.ISSUED] == []
    called: dict[str, set[str]] = {}
    for callback in campus.portal.received(ticket):
        assert callback.verified
        called.setdefault(callback.id, set()).add(json.dumps([callback.type, callback.data], sort_keys=True))
    assert all(len(told) == 1 for told in called.values())


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_wherever_the_service_dies_everything_happens_once(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = f"sqlite:///{tmp_path / 'alur.db'}" if database == "sqlite" else request.getfixturevalue("postgres_database")
    with born(tmp_path, url, watched=WATCHED[database]) as lives:
        lives.die_everywhere(lives.form())
        (ticket,) = lives.store.tickets()
        at_rest(lives, ticket)

        comment(lives, ticket, "kadiv.layanan", "/pos setuju")  # refused: another step's word
        lives.die_everywhere(*lives.hooks())
        comment(lives, ticket, "kadiv.layanan", "/pos setuju")  # refused again: the same note, updated
        lives.die_everywhere(*lives.hooks())
        at_rest(lives, ticket)

        lives.campus.play(ticket)  # a paper, a note, the portal
        lives.die_everywhere(*lives.hooks())
        assert lives.case(ticket).step == FIRST + 1
        lives.campus.play(ticket)  # the card is moved, and no hook comes: the sweep finds it
        lives.hooks()
        lives.die_everywhere(sweeps=True)
        at_rest(lives, ticket)

        sheet = lives.campus.person("kepala.pustikom").upload(lives.campus.project, "naskah.pdf", SCAN)
        comment(lives, ticket, "kepala.pustikom", f"/pos lampir lembar-persetujuan\n\n{sheet}")  # a signed copy: on disk, then recorded
        lives.die_everywhere(*lives.hooks())
        at_rest(lives, ticket)
        signed = [copy for paper in lives.case(ticket).documents for copy in paper.copies]
        assert [FileStore(tmp_path / "var", lives.store.key).get(ticket, copy.sha256) for copy in signed] == [SCAN]

        while lives.case(ticket).step != NUMBERED:
            see(lives.campus, lives.case(ticket))
            lives.campus.play(ticket)
            lives.live(*lives.hooks(), mortal=False)
        see(lives.campus, lives.case(ticket))
        lives.campus.play(ticket)  # a paper with a number
        lives.die_everywhere(*lives.hooks())
        at_rest(lives, ticket)

        lives.store.keep(Delivery("report", f"report:{LAST_WEEK}", "laporan", json.dumps({"week": LAST_WEEK}).encode()))
        lives.die_everywhere()  # mails, wiki pages
        mails = {(message["Message-ID"], message["Subject"]) for message in map(message_from_bytes, lives.post.got)}
        assert len(mails) == len({subject for _, subject in mails}) > 0
        lives.die_everywhere(lives.withdrawal(ticket))
        at_rest(lives, ticket)
        assert lives.case(ticket).status == "dibatalkan"
        assert lives.campus.issue(ticket)["state"] == "closed"
        assert len(lives.visited) > ENOUGH[database]


def comment(lives: Lives, ticket: str, account: str, text: str) -> None:
    lives.campus.comment(account, ticket, text)
