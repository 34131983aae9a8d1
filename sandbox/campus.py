"""A whole campus on this machine: the stand-in GitLab and portal with the organisation's people, who can play every role of a procedure.

The service under play is only known by its address; people reach it the way they do in life: by comments, cards and portal messages.
"""

import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import requests
import yaml

from integration.procedure.definition import Channel, Outcome, OutcomeKind, Procedure, SectionKind, Step, Supply
from integration.procedure.offices import Organisation
from sandbox.gitlab import GitLab, Person, User
from sandbox.portal import Portal

PROJECT = "pustikom/pengaduan-si"
BOT = "alur-pos"
REPORTER, DEVELOPER, MAINTAINER = 20, 30, 40

_LINES = yaml.safe_load(Path(__file__).with_name("lines.yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Told:
    """What a portal message says for an outcome of the unit's: its type, by the outcome's word."""

    type: str
    words: tuple[str, ...]


PORTAL_ANSWERS = (
    Told("uji_coba.dinilai", ("lulus", "gagal")),
    Told("serah_terima.ditanggapi", ("terima", "tolak-fungsi", "tolak-dokumen")),
)


class Campus:
    """The stand-ins, started, with one account for everybody the organisation file names. Use as a context manager."""

    def __init__(
        self,
        procedure: Procedure,
        organisation: Organisation,
        clock: Callable[[], datetime],
        *,
        seed: int = 0,
        portal: Portal | None = None,
    ) -> None:
        self.procedure = procedure
        self.organisation = organisation
        self.clock = clock
        self.gitlab = GitLab(clock, seed=seed)
        self.portal = portal or Portal(clock)
        self.people: dict[str, User] = {}
        self._eyes = requests.Session()
        self._iids: dict[str, int] = {}  # of the issues seen so far, by ticket

    def __enter__(self) -> Self:
        self.gitlab.start()
        self.portal.start()
        self.project = self.gitlab.project(PROJECT)
        self.bot = self.gitlab.user(BOT, "Layanan alur-pos")
        self.gitlab.member(self.project, self.bot, MAINTAINER)
        self._onlooker = self.gitlab.user("pengamat", "Pengamat", admin=True)
        programmers = {p.account: p.name for p in self.organisation.programmers}
        officers = {o.account: o.name for o in self.organisation.offices if o.account}
        for account, name in {**programmers, **officers}.items():
            self.people[account] = self.gitlab.user(account, name)
            self.gitlab.member(self.project, self.people[account], DEVELOPER if account in programmers else REPORTER)
        return self

    def __exit__(self, *_: object) -> None:
        self._eyes.close()
        self.portal.stop()
        self.gitlab.stop()

    def remember(self) -> bytes:
        """Everything that people, and the service, have done at the stand-ins, for `recall`; once all of it is settled."""
        return pickle.dumps((self.gitlab.memory, self.people, self.project, self.bot, self._onlooker, self.portal.callbacks))

    def recall(self, memory: bytes) -> None:
        """Be as this or another campus was when it remembered; what was done here since is forgotten, the addresses stay."""
        told = pickle.loads(memory)  # noqa: S301 -- our own
        self.gitlab.memory, self.people, self.project, self.bot, self._onlooker, self.portal.callbacks = told
        self._iids.clear()

    # --- who and where ---

    def person(self, account: str) -> Person:
        """This person at the platform. KeyError for somebody the organisation does not name."""
        return self.gitlab.act(self.people[account])

    def holder(self, role: str) -> str:
        """The account that holds a role today. LookupError where nobody does."""
        holders = [o.account for o in self.organisation.holders(role, self.clock().date()) if o.account]
        if not holders:
            raise LookupError(role)
        return holders[0]

    def issue(self, ticket: str) -> Mapping[str, Any]:
        """The case's issue as the platform shows it. LookupError where there is none."""
        found = [issue for issue in self.rows("issues") if issue["title"].startswith(f"[{ticket}]")]
        if len(found) != 1:
            raise LookupError(f"{len(found)} issues for {ticket}")
        return found[0]

    def iid(self, ticket: str) -> int:
        """The number of the case's issue."""
        return int(self._shown(ticket)["iid"])

    def labels(self, ticket: str) -> set[str]:
        """The names of the labels on the case's issue."""
        return set(self._shown(ticket)["labels"])

    def notes(self, ticket: str) -> list[str]:
        """What was said in the case's issue, oldest first, without the platform's own records."""
        return [note["body"] for note in self.rows(f"issues/{self.iid(ticket)}/notes", sort="asc") if not note["system"]]

    def _description(self, ticket: str) -> str:
        return str(self._shown(ticket)["description"])

    def _shown(self, ticket: str) -> Mapping[str, Any]:
        """The case's issue where it was last, without looking whether it is the only one; where it is no more, it is looked for anew."""
        iid = self._iids.get(ticket)
        answer = self._look(f"issues/{iid}") if iid else None
        issue: Mapping[str, Any]
        if answer is None or answer.status_code == HTTPStatus.NOT_FOUND:
            issue = self.issue(ticket)
        else:
            answer.raise_for_status()
            issue = answer.json()
        self._iids[ticket] = int(issue["iid"])
        return issue

    def rows(self, path: str, **query: str) -> list[dict[str, Any]]:
        """All rows of a list of the project, as an onlooker with every right sees them."""
        rows: list[dict[str, Any]] = []
        page = "1"
        while page:
            answer = self._look(path, **query, per_page="100", page=page)
            answer.raise_for_status()
            rows += answer.json()
            page = answer.headers.get("x-next-page", "")
        return rows

    def _look(self, path: str, **query: str) -> requests.Response:
        """Something of the project, as an onlooker with every right gets it."""
        url = f"{self.gitlab.url}/api/v4/projects/{self.project.id}/{path}"
        return self._eyes.get(url, params=query, headers={"PRIVATE-TOKEN": self._onlooker.token}, timeout=30)

    def step(self, ticket: str) -> Step:
        """The step the issue's label shows. LookupError where it shows none or several."""
        numbers = [int(m[1]) for label in self.labels(ticket) if (m := re.match(r"langkah::(\d+) ", label))]
        if len(numbers) != 1:
            raise LookupError(f"{ticket} shows steps {numbers}")
        return self.procedure.step(numbers[0])

    def label_names(self) -> set[str]:
        """All labels the project has."""
        return {str(label["name"]) for label in self.rows("labels")}

    def uploads(self, ticket: str) -> list[bytes]:
        """The contents of the files the case's issue links to."""
        places = re.findall(r"uploads/[0-9a-f]{32}/[\w.-]+", "\n".join([self._description(ticket), *self.notes(ticket)]))
        return [self._look(place).content for place in places]

    # --- acting ---

    def comment(self, account: str, ticket: str, text: str) -> int:
        """Somebody writes a comment; gives the note's id (0 where the platform kept none)."""
        return self.person(account).comment(self.project, self.iid(ticket), text)

    def play(self, ticket: str, word: str = "", *, reason: str = "") -> str:
        """Do what the current step asks, by whoever holds its role, and leave it by `word` (default: forward); gives who acted."""
        self.prepare(ticket, word)
        return self.leave(ticket, word, reason=reason)

    def prepare(self, ticket: str, word: str = "") -> None:
        """Do on the issue what must be done before the current step is left by `word`: name the team, give or take access, tick boxes."""
        step = self.step(ticket)
        if self._unit_acts(step) or self._outcome(step, word).kind is not OutcomeKind.FORWARD:
            return
        account, team, server = self._performer(ticket, step), self.team(ticket), f"srv-{ticket[-3:]}"
        gates = {gate.value for gate in step.gates}
        if "team" in gates:
            self.comment(account, ticket, "/pos tugaskan " + " ".join(f"@{member}" for member in team))
        wanting = {r.id for r in step.requirements if r.supply is Supply.GRANT}
        unsupplied = wanting & {row.replace("\\", "") for row in re.findall(r"^- ([\d.\\]+) ", self._description(ticket), re.MULTILINE)}
        if "grant" in gates or unsupplied:
            until = (self.clock() + timedelta(days=60)).date()
            self.comment(
                self.holder("koordinator-infrastruktur"), ticket, f"/pos akses @{team[0]} {server} ssh-deploy sampai {until.isoformat()}"
            )
        if "revoked" in gates:
            self.comment(self.holder("koordinator-infrastruktur"), ticket, f"/pos cabut-akses @{team[0]} {server}")
        self.tick_all(ticket, account)

    def leave(self, ticket: str, word: str = "", *, reason: str = "") -> str:
        """Leave the current step by `word`: with a message of the portal, a report, the card or a comment; gives who acted."""
        step = self.step(ticket)
        outcome = self._outcome(step, word)
        reason = reason or (_LINES["reasons"].get(outcome.word, _LINES["reasons"]["default"]) if outcome.needs_reason else "")
        if self._unit_acts(step):
            return self._answer_as_unit(ticket, outcome, reason)
        account = self._performer(ticket, step)
        if self.procedure.duty and outcome.word == self.procedure.duty.outcome and step.number == self.procedure.duty.step:
            self.report(ticket, 100, account=account)
        elif outcome.kind is OutcomeKind.FORWARD and self.drags(step):
            self._move_card(ticket, step, outcome, account)
        else:
            self.comment(account, ticket, self._command(step, outcome, reason))
        return account

    @staticmethod
    def drags(step: Step) -> bool:
        """Whether people here go on from this step by dragging the card, not by typing."""
        return not step.sections and step.number % 2 == 1

    def _outcome(self, step: Step, word: str) -> Outcome:
        outcome = step.outcome(word) if word else next(o for o in step.outcomes if o.kind is OutcomeKind.FORWARD)
        if outcome is None:
            raise LookupError(f"step {step.number} has no outcome {word!r}")
        return outcome

    def _unit_acts(self, step: Step) -> bool:
        return bool(step.performer) and self.procedure.role(step.performer or "").channel is Channel.PORTAL

    def report(self, ticket: str, percent: int, *, account: str = "") -> str:
        """The one in charge reports progress with all parts; gives who did."""
        duty = self.procedure.duty
        if duty is None:
            raise LookupError("this procedure has no recurring report")
        account = account or self.team(ticket)[0]
        parts = [
            f"### {p.title}\n{_LINES['sections'].get(p.title, _LINES['sections']['default'])}"
            for p in duty.parts
            if p.kind is SectionKind.TEXT
        ]
        self.comment(account, ticket, "\n\n".join([f"/pos {duty.word} {percent}", *parts]))
        return account

    def team(self, ticket: str) -> list[str]:
        """Two programmers for this case: those who know its system first."""
        title = str(self._shown(ticket)["title"])
        ranked = sorted(self.organisation.programmers, key=lambda p: (not any(s in title for s in p.systems), p.account))
        return [p.account for p in ranked[:2]]

    def _performer(self, ticket: str, step: Step) -> str:
        role = self.procedure.role(step.performer or "")
        return self.team(ticket)[0] if role.team else self.holder(role.slug)

    def tick_all(self, ticket: str, account: str) -> None:
        """Somebody ticks every open box of the step's checklist."""
        person, issue = self.person(account), self._shown(ticket)
        for text in re.findall(r"^- \[ \] (.+)$", issue["description"], re.MULTILINE):
            person.tick(self.project, issue["iid"], text[:40])

    def _move_card(self, ticket: str, step: Step, outcome: Outcome, account: str) -> None:
        """Drag the card to the next column, as people do where nothing has to be written."""
        target = self.procedure.step(outcome.to or step.number)
        self.person(account).drag(self.project, self.iid(ticket), f"langkah::{step.label_text}", f"langkah::{target.label_text}")

    def _command(self, step: Step, outcome: Outcome, reason: str) -> str:
        first = f"/pos {outcome.word}{f' {reason}' if reason else ''}"
        if outcome.kind is not OutcomeKind.FORWARD:
            return first
        return "\n\n".join([first, *(f"### {s.title}\n{self._written(s.title, s.kind)}" for s in step.sections)])

    def _written(self, title: str, kind: SectionKind) -> str:
        if kind is SectionKind.DATE:
            return (self.clock() + timedelta(days=1 if title == "Mulai" else 45)).date().isoformat()
        if kind is SectionKind.PRIORITY:
            return "tinggi"
        return str(_LINES["sections"].get(title, _LINES["sections"]["default"]))

    def _answer_as_unit(self, ticket: str, outcome: Outcome, reason: str) -> str:
        told = next(t for t in PORTAL_ANSWERS if outcome.word in t.words)
        note = reason or _LINES["sections"]["Hasil uji coba"]
        answer = self.portal.send(told.type, {"tiket": ticket, "hasil": outcome.word, "catatan": note, "oleh": "Dekan"})
        answer.raise_for_status()
        return "unit kerja"
