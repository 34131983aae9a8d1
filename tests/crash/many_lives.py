"""The service between the stand-ins, life after life: each ends where none did before, and the next one goes on from there."""

import json
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

import requests

from integration import organisation as organisations
from integration.parts import Parts
from integration.procedure.case import Case, fold
from integration.settings import Settings
from integration.store import Store
from sandbox.campus import Campus
from sandbox.clock import SimulatedClock
from sandbox.demo import START
from sandbox.gitlab import Level
from sandbox.portal import attachment
from tests.crash.once import UPLOAD, uploads
from tests.postoffice import PostOffice, post_office
from tests.processes import environment, known, run
from tests.stories.world import A_MOMENT, ORGANISATION, PROCEDURE, example_form
from webhooks.app import create_app

OWNER = "kadiv.infrastruktur"
A_SECOND, A_MINUTE, UNHURRIED = timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=3)
PAUSES = 10  # at most, until what was postponed is done
AT_ONCE = 2  # uploads of one effect, at most: the files of a report


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
