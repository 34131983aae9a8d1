"""`alur sandbox portal`: the real service for the portal's developer to try against, before there is a GitLab or an office to do the work.

GitLab and the people in it are played, in real time; the unit is not: what it does, the developer sends.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from integration import organisation as organisations
from integration import procedures
from integration.clock import utc_now
from integration.procedure.case import Case, fold
from integration.procedure.definition import Channel, OutcomeKind, Procedure, Step
from integration.procedure.guards import AT_ONCE
from integration.settings import PREFIX, Settings
from integration.templates import messages
from sandbox.campus import PORTAL_ANSWERS, Campus
from sandbox.demo import plays
from sandbox.portal import Callback, Portal
from sync.demo import HOST, ORGANISATION, PROCEDURE, Between, settings_between
from sync.serve import running
from sync.wiring import build

WORDS = messages("portal")


@dataclass(slots=True)
class Sandbox:
    """A service with people who act when they are let; what happens is said on the console. `folder`: where its settings and data are."""

    between: Between
    console: Console
    folder: Path
    said: set[object] = field(default_factory=set)

    def round(self) -> None:
        """Let everybody whose turn it is act once; say whose turn is the unit's, and what was parked, each once."""
        self.between.settle()
        store = self.between.process.service.store
        for row in store.case_rows(open_only=True):
            case = fold(store.entries(row.ticket))
            if case is not None and case.step is not None and case.iid is not None:
                self._act(case, self.between.campus.procedure.step(case.step))
        for parked in store.outbox_rows(state="parked"):
            self._once((parked.id, parked.attempts), "sandbox_parked", row=parked.id, ticket=parked.lane, folder=self.folder)
        self.between.settle()

    def _act(self, case: Case, step: Step) -> None:
        procedure = self.between.campus.procedure
        if case.waits_for_unit or (step.performer and procedure.role(step.performer).channel is Channel.PORTAL):
            self._wait_for_unit(case, step)
            return
        word = _wish(case, step, procedure)
        if case.entered_at and case.history[-2].outcome == word and utc_now() - case.entered_at <= AT_ONCE:
            return  # people read where the case stands now: the same word at once would count for the step before
        who = self.between.campus.play(case.ticket, word)
        self.console.print(WORDS["sandbox_acted"].format(ticket=case.ticket, step=step.label_text, who=who), soft_wrap=True)

    def _wait_for_unit(self, case: Case, step: Step) -> None:
        turn = (case.ticket, case.entered_seq)
        told = next(((answer.type, o.word) for o in step.outcomes for answer in PORTAL_ANSWERS if o.word in answer.words), None)
        if told:
            self._once(turn, "sandbox_answer", ticket=case.ticket, step=step.label_text, kind=told[0], word=told[1])
        else:
            self._once(turn, "sandbox_revise", ticket=case.ticket)

    def _once(self, what: object, sentence: str, **values: object) -> None:
        if what not in self.said:
            self.said.add(what)
            self.console.print(WORDS[sentence].format(**values), soft_wrap=True)


def _wish(case: Case, step: Step, procedure: Procedure) -> str:
    """The outcome people choose: forward; but a first form without attachments is sent back once, so that this is seen, too."""
    if step.number == procedure.opens_at and len(case.submissions) == 1 and not case.submission.attachments:
        return next(outcome.word for outcome in step.outcomes if outcome.to == procedure.revises_at)
    return next(outcome.word for outcome in step.outcomes if outcome.kind is OutcomeKind.FORWARD)


@contextmanager
def opened(console: Console, folder: Path, *, port: int, portal_port: int, callback_url: str = "") -> Iterator[Sandbox]:
    """The sandbox, running while the block does, with its settings in `folder`/.env and a form beside it, for the other commands.

    It calls back `callback_url`, or a portal of its own at `portal_port`, which says what it hears.
    """

    def heard(callback: Callback, status: int) -> None:
        told = {"type": callback.type, "ticket": callback.data["tiket"], "standing": callback.data["nama_langkah"], "status": status}
        console.print(WORDS["sandbox_heard" if callback.verified else "sandbox_unverified"].format(**told), soft_wrap=True)

    portal = Portal(utc_now, port=portal_port, heard=heard)
    with Campus(procedures.load(PROCEDURE), organisations.load(ORGANISATION), utc_now, portal=portal) as campus:
        settings = settings_between(campus, folder, port, callback_url or portal.callback_url)
        (folder / ".env").write_text(_variables(settings), encoding="utf-8")
        (folder / "formulir.json").write_text(json.dumps(plays()[0].form, ensure_ascii=False, indent=2), encoding="utf-8")
        service = build(settings)
        service.provision()
        with running(service, settings.bind) as process:
            portal.service_url = process.url
            yield Sandbox(Between(campus, process, process.url), console, folder)


def _variables(settings: Settings) -> str:
    """The settings as a file of variables; the secrets in it are those of stand-ins on loopback."""
    values = {
        "GITLAB_URL": settings.gitlab_url,
        "GITLAB_TOKEN": settings.gitlab_token.get_secret_value(),
        "GITLAB_PROJECT": settings.gitlab_project,
        "GITLAB_WEBHOOK_SECRET": settings.gitlab_webhook_secret.get_secret_value(),
        "PORTAL_SECRETS": ",".join(secret.get_secret_value() for secret in settings.portal_secrets),
        "PORTAL_CALLBACK_URL": settings.portal_callback_url,
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "ORGANISATION": settings.organisation,
        "PUBLIC_URL": settings.public_url,
        "DATA_DIR": settings.data_dir,
    }
    return "".join(f"{PREFIX}{name}={value}\n" for name, value in values.items())


def run(console: Console, folder: Path, *, port: int, portal_port: int, callback_url: str, pace: float) -> None:
    """Run until interrupted; people act every `pace` seconds."""
    with opened(console, folder, port=port, portal_port=portal_port, callback_url=callback_url) as sandbox:
        control = f"http://{HOST}:{portal_port}/jawaban"
        told = {"url": sandbox.between.url, "folder": folder, "control": control, "callback": callback_url}
        console.print(WORDS["sandbox_begun"].format(**told), soft_wrap=True)
        console.print(WORDS["sandbox_elsewhere" if callback_url else "sandbox_own_portal"].format(**told), soft_wrap=True)
        stop = threading.Event()
        try:
            while not stop.wait(pace):
                sandbox.round()
        except KeyboardInterrupt:
            console.print(WORDS["sandbox_ended"])
