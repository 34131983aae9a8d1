"""Killed at every statement between receiving and effect, the service loses nothing and does nothing twice, as once.py says it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from integration import organisation as organisations
from integration.drift import REPAIRS
from integration.parts import Parts
from integration.procedure.case import Case, fold
from integration.settings import Settings
from integration.store import Store
from sandbox.campus import Campus
from sandbox.clock import SimulatedClock
from sandbox.demo import START
from sandbox.gitlab import Level
from sandbox.portal import attachment
from sync.archive import KEPT, prove
from tests.crash.lives import WATCHED as MORTAL
from tests.crash.once import UPLOAD, marks_of, nothing_twice, told_once, uploads
from tests.postoffice import PostOffice, post_office
from tests.processes import environment, known, run
from tests.stories.test_entry import flat
from tests.stories.world import A_MOMENT, ORGANISATION, PROCEDURE, example_form
from webhooks.app import create_app

FIRST, NUMBERED, TEAM_TOLD, AT_WORK, TRIED, HANDED_OVER = 4, 9, 16, 18, 24, 31
"""Steps: where a case opens, whose paper is numbered, that tells the team, that lasts, and the two at which the unit answers."""

SCAN, ON_PAPER, LETTER_SIGNED = b"%PDF-1.7\nhasil pindai", b"%PDF-1.7\nformulir kertas", b"%PDF-1.7\nsurat bertanda tangan"
LETTER = "surat-tugas"
CLOSED = "closures:\n  - {since: 2026-12-28, name: Cuti bersama, decree: Surat Edaran Rektor Nomor 2/UN39/SE/2026}"
OWNER, CLERK, HEAD = "kadiv.infrastruktur", "kasi.layanan", "kepala.pustikom"
A_SECOND, A_MINUTE, UNHURRIED = timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=3)
PAUSES = 10  # at most, until what was postponed is done
MANY = 10**6  # times
AT_ONCE = 2  # uploads of one effect, at most: the files of a report
WATCHED = {
    "sqlite": "integration/ sync/ webhooks/",
    "postgresql": "integration/store/",
}
"""Where the service is killed on which database: everywhere, and once more where databases differ."""

ENOUGH = {"sqlite": 1900, "postgresql": 390}
"""Statements at least; far fewer would mean that nothing is watched any more."""


@dataclass
class Lives:
    """The service between the stand-ins, as many lives as it takes.

    `parts`: of an edge that does not die, at which people sign in and read their pages; `forms`: that came; `visited`: where it was killed
    so far; `linked`: the uploads something has led to; `loose`: those nothing ever did, each left by a death; `again`: the messages handed
    over once more, each after a death.
    """

    campus: Campus
    clock: SimulatedClock
    parts: Parts
    post: PostOffice
    zygote: subprocess.Popen[str]
    forms: int = 0
    visited: set[str] = field(default_factory=set)
    linked: set[str] = field(default_factory=set)
    loose: set[str] = field(default_factory=set)
    again: int = 0
    lives: int = 0
    died: str = ""  # where the last life ended

    @property
    def store(self) -> Store:
        """The store, as somebody else sees it."""
        return self.parts.store

    def live(self, *messages: dict[str, Any], mortal: bool = False, does: str = "") -> dict[str, Any]:
        """One life, as tests/crash/lives.py tells of it."""
        visited = sorted(self.visited) if mortal else []
        order = {"now": self.clock().isoformat(), "messages": messages, "does": does, "visited": visited, "mortal": mortal}
        assert self.zygote.stdin is not None
        assert self.zygote.stdout is not None
        self.zygote.stdin.write(json.dumps(order) + "\n")
        self.zygote.stdin.flush()
        answer: dict[str, Any] = json.loads(self.zygote.stdout.readline())
        assert not answer["error"], answer["error"]
        assert all(status < 400 for status in answer["answers"]), answer["answers"]
        self.lives += 1
        self._look_at_uploads(answer["died"])
        self._look_at_messages()
        self.died = answer["died"]
        return answer

    def die_everywhere(self, *messages: dict[str, Any], does: str = "", postpones: bool = False, parks: bool = False) -> int:
        """Die at each statement that leads from here to rest; whoever sends a message sends it until it is answered.

        `postpones`: something may be tried again later, and then whoever refused it does it; `parks`: it ends with something parked. Gives
        how often all waited for that.
        """
        waiting, pauses = list(messages), 0
        while True:
            self.clock.advance(A_SECOND)
            told = self.live(*waiting, mortal=True, does=does)
            del waiting[: len(told["answers"])]
            left = [*self.store.inbox_rows(), *self.store.outbox_rows()]
            if told["died"]:
                self.visited.add(told["died"])
            elif not left or (parks and "parked" in {row.state for row in left}):
                return pauses
            else:
                assert postpones, [row.error for row in left]
                assert {row.state for row in left} == {"waiting"}, [row.error for row in left]
                assert pauses < PAUSES, [row.error for row in left]
                self.mend()
                self.clock.advance(A_MINUTE * 2**pauses)  # each death was a try, and the pauses between them grow
                pauses += 1

    def mend(self) -> None:
        """GitLab, the portal and the mail server refuse nothing any more."""
        self.campus.gitlab.mend()
        self.campus.portal.answers.clear()
        self.post.answers.clear()

    def tick(self, moment: str, *, postpones: bool = False) -> int:
        """It is that time in Jakarta, and the service dies everywhere while it looks at it."""
        self.clock.to(datetime.fromisoformat(f"{moment}:00+07:00"))
        return self.die_everywhere(does="tick", postpones=postpones)

    def walk(self, ticket: str, until: int) -> None:
        """People lead the case there, and nobody dies."""
        while self.case(ticket).step != until:
            before = self.case(ticket).last_seq
            self.live(*self.play(ticket))
            assert self.case(ticket).last_seq > before, self.campus.notes(ticket)[-1]

    def play(self, ticket: str) -> list[dict[str, Any]]:
        """Whoever must leaves the case's step; what GitLab tells of it."""
        self.clock.advance(UNHURRIED)
        self.campus.play(ticket)
        return self.hooks()

    def comment(self, account: str, ticket: str, text: str) -> list[dict[str, Any]]:
        """Somebody comments; what GitLab tells of it."""
        self.clock.advance(A_MOMENT)
        self.campus.comment(account, ticket, text)
        return self.hooks()

    def form(self, file: bytes = b"galat 500", **changed: str) -> dict[str, Any]:
        """The first complaint of the demo, with a file."""
        form = example_form() | {"lampiran": [attachment("galat.txt", "text/plain", file)]}
        return form | {"masalah": form["masalah"] | changed}

    def portal(self, kind: str, by: str = "front", **data: Any) -> dict[str, Any]:
        """A request of the portal."""
        body = json.dumps({"type": kind, "timestamp": self.clock().isoformat(), "data": data})
        return {"path": "/webhooks/layanan", "headers": self.campus.portal.signed(body.encode()), "body": body, "by": by}

    def answer(self, ticket: str, to: str = "", file: tuple[str, bytes] | None = None, **said: str) -> dict[str, Any]:
        """The unit answers on the page its newest link leads to, or asks for another link there."""
        told = [call.data["tautan"] for call in self.campus.portal.received(ticket) if call.data.get("tautan")]
        address = urlsplit(told[-1])
        return _sent(f"{address.path}{to}?{address.query}", said, file)

    def page(self, account: str, page: str, to: str = "", file: tuple[str, bytes] | None = None, **said: str) -> dict[str, Any]:
        """Somebody signs in with their account, opens the page and fills in its form: the one that is sent `to` some place, or to it."""
        browser = create_app(self.parts).test_client()
        asked = browser.get("/masuk", base_url=self.campus.portal.service_url)
        chosen = requests.post(asked.headers["Location"], data={"username": account}, allow_redirects=False, timeout=10)
        came = browser.get(chosen.headers["Location"])
        shown = browser.get(page, base_url=self.campus.portal.service_url).text
        (form,) = (form for form in shown.split("<form ") if 'name="sekali"' in form and (not to or f'action="{to}"' in form))
        unseen = dict(re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', form))
        sent = _sent(to or page, unseen | said, file)
        return sent | {"headers": sent["headers"] | {"Cookie": came.headers["Set-Cookie"].partition(";")[0]}}

    def hooks(self) -> list[dict[str, Any]]:
        """What GitLab has tried to tell of since it was asked last."""
        self.campus.gitlab.settle()
        deliveries, place = self.campus.gitlab.deliveries, {"path": "/webhooks/gitlab", "by": "front"}
        sent = [place | {"headers": delivery.headers, "body": json.dumps(delivery.body)} for delivery in deliveries]
        self.campus.gitlab.deliveries.clear()
        return sent

    def case(self, ticket: str) -> Case:
        """The case as the ledger has it."""
        return known(self.store, ticket)

    def delete_issue(self, ticket: str) -> int:
        """An owner deletes the case's issue; its number."""
        iid = self.campus.iid(ticket)
        self.campus.person(OWNER).delete(self.campus.project, iid)
        self.hooks()
        return iid

    def tasks(self, ticket: str) -> dict[str, str]:
        """The state of each member's own issue, by whom it is assigned to; each has one."""
        found = [issue for issue in self.campus.rows("issues") if issue["title"].startswith(f"Tugas tim {ticket}:")]
        tasks = {issue["assignees"][0]["username"]: str(issue["state"]) for issue in found}
        assert len(tasks) == len(found)
        return tasks

    def columns(self) -> list[set[str]]:
        """The labels of each board's columns."""
        return [{column["label"]["name"] for column in board["lists"] if column["label"]} for board in self.campus.rows("boards")]

    def reached(self) -> set[str]:
        """The uploads that something leads to now: an issue, a page of the wiki, the ledger."""
        project = self.campus.project
        texts = [text for issue in project.issues.values() for text in (issue.description, *(note.body for note in issue.notes))]
        papers = [paper for ticket in self.store.tickets() if (case := fold(self.store.entries(ticket))) for paper in case.documents]
        links = [one.link for paper in papers for one in (paper, *paper.copies)]
        return set(UPLOAD.findall("\n".join([*texts, *links, *(page.content for page in project.wiki.values())])))

    def _look_at_uploads(self, died: str) -> None:
        """A life that comes to rest leaves no upload unlinked; one that dies between upload and commit, those of the effect in hand."""
        before, self.linked = self.loose, self.linked | self.reached()
        self.loose = uploads(self.campus).keys() - self.linked
        assert len(self.loose - before) <= (AT_ONCE if died else 0), (died, self.loose - before)

    def _look_at_messages(self) -> None:
        """Only a life that follows a death hands a message over once more: the one that was in hand."""
        mails, calls = self.post.got, [callback.id for callback in self.campus.portal.callbacks]
        again = len(mails) - len(set(mails)) + len(calls) - len(set(calls))
        assert again - self.again <= (1 if self.died else 0), self.died
        self.again = again


def _sent(to: str, said: dict[str, str], file: tuple[str, bytes] | None) -> dict[str, Any]:
    """What a browser sends of a form; `file`: the field and what is in it."""
    files = {file[0]: ("pindai.pdf", file[1], "application/pdf")} if file else None
    sent = requests.Request("POST", f"http://localhost{to}", data=said, files=files).prepare()
    body = sent.body.decode() if isinstance(sent.body, bytes) else sent.body
    return {"path": to, "headers": dict(sent.headers), "body": body or "", "by": "threads"}


@contextmanager
def born(folder: Path, database: str, watched: str) -> Iterator[Lives]:
    """A campus, and what makes one life of the service after another; killed only in files whose path begins with one of `watched`."""
    clock = SimulatedClock(START)
    with Campus(PROCEDURE, organisations.load(ORGANISATION), clock) as campus, post_office() as post:
        campus.gitlab.member(campus.project, campus.people[OWNER], Level.OWNER)
        environ = environment(campus, folder, database) | {"ALUR_SMTP_URL": post.url, "CRASH_IN": watched}
        known_as = campus.gitlab.application(f"{campus.portal.service_url}/masuk/kembali")
        environ |= {"ALUR_GITLAB_OAUTH_ID": known_as.id, "ALUR_GITLAB_OAUTH_SECRET": known_as.secret}
        run(folder, environ, "provision")
        program = [sys.executable, "-c", "from tests.crash.lives import main; main()"]
        with subprocess.Popen(program, cwd=folder, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as zygote:
            parts = Parts.of(Settings.read(environ, env_file=None), clock)
            yield Lives(campus, clock, parts, post, zygote)
            parts.store.close()
            zygote.kill()


def at_rest(lives: Lives) -> None:
    """Nothing waits, nothing is parked, the chain holds, each form is one case, and nothing was done twice."""
    assert not lives.store.busy()
    assert lives.store.verify() == []
    assert len(lives.store.tickets()) == lives.forms
    for ticket in lives.store.tickets():
        nothing_twice(lives.campus, lives.store, ticket)
    told_once(lives.campus, lives.store, lives.post)


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_wherever_the_service_dies_everything_happens_once(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = f"sqlite:///{tmp_path / 'alur.db'}" if database == "sqlite" else request.getfixturevalue("postgres_database")
    with born(tmp_path, url, watched=WATCHED[database]) as lives:
        files = lives.parts.files
        lives.die_everywhere(does="tick")
        lives.die_everywhere(does="sweep")
        ticket = opened(lives)
        turned_down(lives)
        refused_by_gitlab(lives, ticket)
        signed(lives, ticket)
        assert [files.get(ticket, copy.sha256) for paper in lives.case(ticket).documents for copy in paper.copies] == [SCAN]
        led_to_work(lives, ticket)
        weeks(lives, ticket)
        handed_over(lives, ticket)

        lives.clock.advance(timedelta(days=1))
        lives.die_everywhere(does="sweep")  # the night's archive
        archive = tmp_path / "arsip.zip"
        archive.write_bytes(files.get(ticket, lives.store.mark(f"{KEPT}{ticket}:2") or ""))  # that with both signed copies
        assert prove(archive).faults == ()

        lives.die_everywhere(does="erase")
        erased(lives, ticket)
        assert not (tmp_path / "var" / ticket).exists()
        assert len(lives.visited) > ENOUGH[database], len(lives.visited)
        died_in = {"webhooks/writing.py", *(point.partition(":")[0] for point in lives.visited)}  # that one does in test_writing.py
        mortal = [path for path in MORTAL if path.startswith(tuple(WATCHED[database].split()))]
        assert [path for path in mortal if not any(file.startswith(path) for file in died_in)] == []


def opened(lives: Lives) -> str:
    """A form comes and is revised, words are refused, a card is moved; gives the ticket."""
    lives.die_everywhere(lives.portal("pengaduan.diajukan", formulir=lives.form()))
    (ticket,), lives.forms = lives.store.tickets(), 1
    at_rest(lives)

    for _ in range(2):  # refused: another step's word; then refused again: the same note, updated
        lives.die_everywhere(*lives.comment("kadiv.layanan", ticket, "/pos setuju"))
    at_rest(lives)

    lives.live(*lives.comment(CLERK, ticket, "/pos revisi Mohon dilengkapi"))
    lives.die_everywhere(lives.portal("pengaduan.direvisi", "threads", tiket=ticket, formulir=lives.form(b"galat 504", judul="KRS macet")))
    lives.live(*lives.comment(CLERK, ticket, "/pos revisi Mohon dilengkapi sekali lagi"))
    problem = flat(example_form()) | {"masalah.judul": "KRS macet lagi"}
    lives.die_everywhere(lives.answer(ticket, file=("lampiran", b"%PDF-1.7\nlayar"), **problem))
    assert [sent.subject for sent in lives.case(ticket).submissions][1:] == ["KRS macet", "KRS macet lagi"]
    at_rest(lives)

    lives.campus.portal.answers += [503] * MANY
    assert lives.die_everywhere(*lives.play(ticket), postpones=True)  # a paper, a note, the portal, which takes its time
    assert lives.case(ticket).step == FIRST + 1
    lives.play(ticket)  # the card is moved, and no hook comes: the sweep finds it
    lives.die_everywhere(does="sweep")
    assert lives.case(ticket).step == FIRST + 2
    at_rest(lives)
    return ticket


def turned_down(lives: Lives) -> None:
    """A form that came on paper is entered, found complete, and turned down: all of it on the pages of the officers' desk."""
    form = flat(example_form()) | {"masalah.sejak": "2026-06-01T09:00", "disetujui": "ya"}
    lives.die_everywhere(lives.page(CLERK, "/meja/formulir", file=("pindaian", ON_PAPER), **form))
    (ticket,), lives.forms = lives.store.tickets()[1:], 2
    at_rest(lives)
    assert lives.case(ticket).submission.entered_by
    written = {"bagian-0": "Galat terjadi di peladen", "bagian-1": "tinggi", "bagian-2": "KRS terhenti"}
    for account, said in ((CLERK, written | {"hasil": "lengkap"}), (HEAD, {"hasil": "tolak", "alasan": "Bukan sistem kami"})):
        lives.clock.advance(UNHURRIED)
        lives.die_everywhere(lives.page(account, "/meja", f"/meja/{ticket}", **said))
        at_rest(lives)
    assert lives.case(ticket).status == "ditolak"
    assert lives.campus.issue(ticket)["state"] == "closed"


def refused_by_gitlab(lives: Lives, ticket: str) -> None:
    """A note is refused: for a while, by a pause for all, after it was written, and for good, until somebody has it tried again."""
    again = {"status": 429, "headers": {"Retry-After": "20"}}
    for fault in ({"status": 503}, again, {"status": 500, "after_commit": True}, {"status": 403}):
        for method in ("POST", "PUT"):
            lives.campus.gitlab.fault(method, r"/notes(/\d+)?$", times=MANY, by=lives.campus.bot, **fault)
        for_good = fault["status"] == 403
        waited = lives.die_everywhere(*lives.comment("kadiv.layanan", ticket, "/pos selesai"), postpones=not for_good, parks=for_good)
        assert bool(waited) is not for_good
        if for_good:
            assert len(lives.store.outbox_rows(state="parked")) == 1
            lives.campus.gitlab.mend()
            lives.die_everywhere(does="replay")
        at_rest(lives)


def signed(lives: Lives, ticket: str) -> None:
    """A signed copy: on disk, then recorded."""
    sheet = lives.campus.person(HEAD).upload(lives.campus.project, "naskah.pdf", SCAN)
    lives.die_everywhere(*lives.comment(HEAD, ticket, f"/pos lampir lembar-persetujuan\n\n{sheet}"))
    at_rest(lives)


def led_to_work(lives: Lives, ticket: str) -> None:
    """A numbered paper, the team's tasks, their letter signed on its page, another day off; a label and the issue are lost, and found."""
    for step in (NUMBERED, TEAM_TOLD):
        lives.walk(ticket, until=step)
        lives.die_everywhere(*lives.play(ticket))
        at_rest(lives)
    assert set(lives.tasks(ticket).values()) == {"opened"}
    lives.walk(ticket, until=AT_WORK)

    letter = lives.case(ticket).current_paper(LETTER)
    assert letter
    address = f"/dokumen/{lives.store.public_id(ticket, letter.id)}/tanda-tangan"
    lives.die_everywhere(lives.page(HEAD, address, file=("naskah", LETTER_SIGNED)))
    at_rest(lives)

    organisation = lives.parts.settings.organisation
    text = organisation.read_text(encoding="utf-8")
    organisation.write_text(text.replace("closures: []", CLOSED), encoding="utf-8")
    os.utime(organisation, (0, 0))  # not just now: what may be half written is not read
    lives.die_everywhere(does="tick")
    at_rest(lives)

    undone(lives, ticket)
    (label,), columns = (label for label in lives.campus.labels(ticket) if label.startswith("langkah::")), lives.columns()
    lives.campus.person(OWNER).delete_label(lives.campus.project, label)
    lives.hooks()
    lives.die_everywhere(does="sweep")
    assert label in lives.campus.labels(ticket)
    assert lives.columns() == columns

    iid = lives.delete_issue(ticket)
    lives.die_everywhere(does="sweep")
    assert lives.campus.iid(ticket) != iid
    at_rest(lives)


def undone(lives: Lives, ticket: str) -> None:
    """Somebody undoes it each time the issue is put right, until it is left to them for a while."""
    (label,) = (label for label in lives.campus.labels(ticket) if label.startswith("status::"))
    for again in range(REPAIRS + 1):
        lives.clock.advance(A_SECOND)
        lives.campus.person(OWNER).label(lives.campus.project, lives.campus.iid(ticket), remove=(label,))
        if again < REPAIRS:
            lives.live(*lives.hooks())
            assert label in lives.campus.labels(ticket)
    assert lives.die_everywhere(*lives.hooks(), postpones=True)
    assert label in lives.campus.labels(ticket)
    at_rest(lives)


def weeks(lives: Lives, ticket: str) -> None:
    """Reminders, a late step, what waits for whom each morning, the reports of the weeks, and that on progress, which is asked for."""
    lives.tick("2026-06-08T07:30")  # the day before it is due; the first week is reported on
    lives.delete_issue(ticket)
    lives.tick("2026-06-10T07:30", postpones=True)  # late, and no issue to say it on: it is made first
    for moment in ("2026-06-12T14:00", "2026-06-15T07:30", "2026-06-17T07:30"):  # progress is asked for, reminded of, listed
        by_mail = moment.endswith("07:30")
        if by_mail:
            lives.post.answers["DATA"] = b"451 nanti\r\n"
        assert bool(lives.tick(moment, postpones=by_mail)) is by_mail
        lives.die_everywhere(does="sweep")  # the page of today
        at_rest(lives)
    assert sum(":progres-ditagih:" in mark for mark in marks_of(lives.campus, ticket)) == 2
    lives.clock.advance(A_MOMENT)
    lives.campus.report(ticket, 60)
    lives.die_everywhere(*lives.hooks())
    assert lives.case(ticket).reports[-1].percent == 60
    at_rest(lives)


def handed_over(lives: Lives, ticket: str) -> None:
    """The unit asks for another link, answers with a file, and at last takes what was done for it: the issue and the tasks are closed."""
    lives.walk(ticket, until=TRIED)
    lives.die_everywhere(lives.answer(ticket, to="/tautan"))
    file = ("berkas", b"%PDF-1.7\nsudah dicoba")
    lives.die_everywhere(lives.answer(ticket, file=file, jenis="jawab", hasil="lulus", catatan="Sudah dicoba", oleh="Dekan"))
    assert [file.name for sent in lives.case(ticket).sent for file in sent.attachments] == ["pindai.pdf"]
    at_rest(lives)
    lives.walk(ticket, until=HANDED_OVER)
    lives.die_everywhere(lives.portal("serah_terima.ditanggapi", tiket=ticket, hasil="terima", catatan="", oleh="Dekan"))
    assert lives.case(ticket).status == "selesai"
    assert lives.campus.issue(ticket)["state"] == "closed"
    assert set(lives.tasks(ticket).values()) == {"closed"}
    at_rest(lives)


def erased(lives: Lives, ticket: str) -> None:
    """Nothing of what people wrote is left on the platform, nor a file of ours, whether or not anything led to it."""
    assert lives.case(ticket).erased_at
    assert lives.campus.notes(ticket) == []
    assert lives.store.verify() == []
    assert [at for at in uploads(lives.campus) if "/laporan-mingguan-" not in at] == []
