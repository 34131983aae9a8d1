"""`alur demo`: the real service in one process between the stand-ins of a campus, while its weeks pass in seconds.

Only the people, GitLab and the portal are played; whatever is seen was done by the service.
"""

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console

from integration import organisation as organisations
from integration import procedures
from integration.procedure.case import Case, fold
from integration.procedure.deadlines import ONE_WEEK
from integration.settings import Bind, Settings
from integration.templates import messages
from sandbox.campus import Campus
from sandbox.clock import SimulatedClock
from sandbox.demo import START, Demo, plays, summary
from sandbox.portal import SECRET
from sync.periods import Span, closed
from sync.reports import issue
from sync.serve import OneProcess, running
from sync.wiring import Service, build

PROCEDURE = "pengaduan-masalah-teknis-si"
ORGANISATION = Path(__file__).resolve().parents[1] / "deploy" / "organisation.example.yaml"
HOST = "127.0.0.1"
HOOK_SECRET = "rahasia peragaan"  # noqa: S105 -- of stand-ins on loopback


@dataclass(slots=True)
class Between:
    """The service as the people of the demo know it; `url`: where it listens."""

    campus: Campus
    process: OneProcess
    url: str

    def settle(self) -> None:
        """Wait until every hook has arrived or was lost, and all that follows is done."""
        self.process.settle()
        self.campus.gitlab.settle()
        while self.process.service.store.busy():
            self.process.settle()
            self.campus.gitlab.settle()

    def tick(self) -> None:
        """Have the service look at the time."""
        self.process.service.tick()

    def case(self, ticket: str) -> Case:
        """The case as the ledger has it. LookupError where it has none."""
        case = fold(self.process.service.store.entries(ticket))
        if case is None:
            raise LookupError(ticket)
        return case


def demonstrate(console: Console, folder: Path, *, keep: bool) -> None:
    """Play all complaints to their ends and show what came of it; reports and papers are left below `folder`.

    `keep`: leave the pages up until interrupted.
    """
    clock = SimulatedClock(START)
    with Campus(procedures.load(PROCEDURE), organisations.load(ORGANISATION), clock) as campus:
        settings = settings_between(campus, folder, free_port(), campus.portal.callback_url)
        service = build(settings, clock)
        service.provision()
        with running(service, settings.bind) as process:
            campus.portal.service_url = process.url
            demo = Demo(campus, Between(campus, process, process.url), clock, plays())
            demo.run(console)
            console.print(summary(demo, _reports(service, folder), _papers(service, folder)), soft_wrap=True)  # addresses stay whole
            console.print(messages("demo")["keep" if keep else "closed"])
            if keep:
                _wait_for_interrupt()


def free_port() -> int:
    """A port nobody listens at."""
    with socket.create_server((HOST, 0)) as free:
        port: int = free.getsockname()[1]
    return port


def settings_between(campus: Campus, folder: Path, port: int, callback_url: str) -> Settings:
    """The settings of the service at this port, between the stand-ins of a campus; its data is in `folder`, it calls the portal there."""
    home = f"http://{HOST}:{port}"
    application = campus.gitlab.application(f"{home}/masuk/kembali")
    return Settings(
        gitlab_url=campus.gitlab.url,
        gitlab_token=SecretStr(campus.bot.token),
        gitlab_project=campus.project.path,
        gitlab_webhook_secret=SecretStr(HOOK_SECRET),
        gitlab_per_minute=0,  # weeks pass in seconds here
        gitlab_oauth_id=application.id,
        gitlab_oauth_secret=SecretStr(application.secret),
        portal_secrets=(SecretStr(SECRET),),
        portal_callback_url=callback_url,
        database_url=SecretStr(f"sqlite:///{folder / 'alur.db'}"),
        organisation=ORGANISATION,
        public_url=home,
        data_dir=folder,
        bind=Bind(HOST, port),
    )


def _reports(service: Service, folder: Path) -> tuple[Path, int]:
    """The weekly report of every week that was played, in every form; gives the folder and how many weeks are in it."""
    tz, now = service.parts.organisation.calendar.tz, service.parts.clock()
    moments = [START + n * ONE_WEEK for n in range(1, (now - START) // ONE_WEEK + 1)]
    weeks = dict.fromkeys(closed(Span.WEEK, moment, tz) for moment in (*moments, now))
    for week in weeks:
        issue(service.store, service.files, service.display, week).save(folder / "laporan")
    return folder / "laporan", len(weeks)


def _papers(service: Service, folder: Path) -> Path:
    """Every paper under its case and its own name; gives the folder they are in."""
    papers = folder / "dokumen"
    for case in filter(None, (fold(service.store.entries(ticket)) for ticket in service.store.tickets())):
        for paper in (paper for paper in case.documents if paper.sha256):
            path = papers / case.ticket / f"{paper.document}-v{paper.version}.pdf"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(service.files.get(case.ticket, paper.sha256))
    return papers


def _wait_for_interrupt() -> None:
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
