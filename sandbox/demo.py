"""The demo: complaints of different kinds travel through the whole procedure while simulated weeks pass, watched on the terminal.

It plays only the people. The service is reached as in life: by portal messages, comments, cards and the clock.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Protocol

import yaml
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from integration.procedure.case import Case
from integration.procedure.deadlines import is_working_day, working_minutes
from integration.procedure.definition import Standard, Unit
from integration.templates import messages
from sandbox.campus import Campus
from sandbox.clock import SimulatedClock
from sandbox.portal import attachment

START = datetime.fromisoformat("2026-06-02T08:00:00+07:00")  # a Tuesday: a working day of a loaded year
STRIDE = timedelta(hours=4)  # how far time jumps before the service's clock is asked what has become due
LONGEST_PLAY = timedelta(days=180)
MINUTES_A_DAY = 450
FRIDAY = 4

# A grey square: a picture small enough to read here, real enough to be uploaded and shown.
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000080000000808020000004b6d29dc0000000f4944415478da63d88203300c2d"
    "0900bfd4870190e83e8b0000000049454e44ae426082"
)


class Service(Protocol):
    """The service as the demo needs it."""

    url: str

    def settle(self) -> None:
        """Work until nothing is due, on either side."""

    def tick(self) -> None:
        """Tell the service that time has passed."""

    def case(self, ticket: str) -> Case:
        """The case as the ledger has it."""


@dataclass(slots=True)
class Play:
    """One complaint: its form, what is chosen differently at which step, and how far it has come."""

    story: str
    form: dict[str, Any]
    at: dict[int, list[str]]
    ticket: str = ""
    step: int = 0
    last: str = ""
    ended: str = ""
    acts: int = 0
    waiting_revision: bool = False


@dataclass(slots=True)
class Demo:
    """Plays all complaints to their ends. `next` holds when which play acts again."""

    campus: Campus
    service: Service
    clock: SimulatedClock
    plays: Sequence[Play]
    next: list[tuple[datetime, int]] = field(default_factory=list)
    reported: set[date] = field(default_factory=set)

    def run(self, console: Console) -> None:
        """Play until every case has ended. Raises TimeoutError when they do not."""
        for number in range(len(self.plays)):
            heapq.heappush(self.next, (START + timedelta(minutes=25 * number), number))
        with Live(self.picture(), console=console, refresh_per_second=4, transient=True) as live:
            while self.next:
                moment, number = heapq.heappop(self.next)
                if moment > START + LONGEST_PLAY:
                    raise TimeoutError(self.plays[number].ticket)
                self._pass_until(moment)
                self._act(self.plays[number])
                if not self.plays[number].ended:
                    heapq.heappush(self.next, (self._later(self.plays[number]), number))
                live.update(self.picture())
            self._pass_until(self.clock() + timedelta(days=4))

    def picture(self) -> Group:
        """Where every complaint stands, to be drawn on the terminal."""
        words = messages("demo")
        table = Table(title=words["title"], expand=False)
        for column in ("ticket", "story", "progress", "step", "last"):
            table.add_column(words[f"column_{column}"], no_wrap=True, max_width=44)
        total = self.campus.procedure.steps[-1].number
        for play in self.plays:
            done = total if play.ended == "selesai" else play.step
            name = play.ended or (self.campus.procedure.step(play.step).label_text if play.step else words["not_yet"])
            table.add_row(play.ticket or "-", play.story, ProgressBar(total=total, completed=done, width=16), name, play.last)
        now = self.clock().astimezone(self.campus.organisation.calendar.tz)
        return Group(table, Text(words["now"].format(now=f"{now:%d-%m-%Y %H.%M}", url=self.campus.gitlab.url)))

    # --- time ---

    def _pass_until(self, moment: datetime) -> None:
        while self.clock() < moment:
            self.clock.to(min(self.clock() + STRIDE, moment))
            self.service.tick()
            self._weekly_reports()
        self.service.settle()

    def _weekly_reports(self) -> None:
        """On Friday afternoon those in charge report; one of them forgets, so that a reminder is seen."""
        now = self.clock().astimezone(self.campus.organisation.calendar.tz)
        if now.weekday() != FRIDAY or now.time() < time(14, 30) or now.date() in self.reported:
            return
        self.reported.add(now.date())
        duty = self.campus.procedure.duty
        for play in self.plays[:-1]:
            if duty and not play.ended and duty.first < play.step <= duty.last and play.step != duty.step:
                self.campus.report(play.ticket, min(95, 3 * play.step), account=self.service.case(play.ticket).team[0])

    def _later(self, play: Play) -> datetime:
        """When the people get to this case's step: within its time standard, in working hours."""
        standard = self.campus.procedure.step(play.step).standard if play.step else None
        moment = self.clock() + _effort(standard, play.acts)
        zone = self.campus.organisation.calendar.tz
        local = moment.astimezone(zone)
        while is_working_day(self.campus.organisation.calendar, local.date()) is not True or local.time() > time(15, 0):
            local = datetime.combine(local.date() + timedelta(days=1), time(8, 30), zone) + timedelta(minutes=7 * (play.acts % 9))
        return max(local, datetime.combine(local.date(), time(8, 0), zone))

    # --- people ---

    def _act(self, play: Play) -> None:
        play.acts += 1
        if not play.ticket:
            play.ticket = self.campus.portal.submit(self._filled(play.form))
            play.last = messages("demo")["submitted"]
        elif play.waiting_revision:
            self._revise(play)
        else:
            self._play_step(play)
        self.service.settle()
        case = self.service.case(play.ticket)
        play.ended = case.status if case.ended_at else ""
        play.step = max(case.step or play.step, self.campus.procedure.opens_at)

    def _play_step(self, play: Play) -> None:
        words = play.at.get(play.step, [])
        word = words.pop(0) if words else ""
        step = self.campus.procedure.step(play.step)
        outcome = step.outcome(word) if word else None
        play.waiting_revision = bool(outcome and outcome.to == self.campus.procedure.revises_at)
        who = self.campus.play(play.ticket, word)
        play.last = f"{who}: {word or step.outcomes[0].word}"

    def _revise(self, play: Play) -> None:
        play.waiting_revision = False
        form = self._filled(play.form)
        form["masalah"] = {
            **form["masalah"],
            "uraian": form["masalah"]["uraian"] + "\nTangkapan layar dan waktu kejadian telah kami lampirkan.",
        }
        self.campus.portal.send("pengaduan.direvisi", {"tiket": play.ticket, "formulir": form}).raise_for_status()
        play.last = messages("demo")["revised"]

    def _filled(self, form: dict[str, Any]) -> dict[str, Any]:
        now = self.clock()
        filled = {"mulai": (now - timedelta(minutes=12)).isoformat(), "selesai": (now - timedelta(minutes=1)).isoformat()}
        return {**form, "lampiran": [attachment("tangkapan-layar.png", "image/png", PICTURE)], "pengisian": filled}


def plays() -> list[Play]:
    """The six complaints of `forms.yaml`."""
    rows = yaml.safe_load(Path(__file__).with_name("forms.yaml").read_text(encoding="utf-8"))
    return [Play(row["story"], row["formulir"], {int(k): list(v) for k, v in row["at"].items()}) for row in rows]


def summary(demo: Demo, reports: tuple[Path, int], papers: Path) -> Group:
    """What came of it: every case with its duration in working time and its papers; then where to look.

    `reports`: the folder of the weekly reports, and of how many weeks. Narrow enough for 80 columns but for the addresses, a line each.
    """
    words = messages("demo")
    table = Table(title=words["summary"])
    table.add_column(words["column_ticket"], no_wrap=True)
    for column in ("story", "ending"):
        table.add_column(words[f"column_{column}"])
    for column in ("duration", "passages", "papers"):
        table.add_column(words[f"column_{column}"], justify="right")
    pages: list[str] = []
    for play in demo.plays:
        case = demo.service.case(play.ticket)
        minutes = working_minutes(demo.campus.organisation.calendar, case.history[0].entered_at, case.ended_at or demo.clock())
        duration = f"{minutes / MINUTES_A_DAY:.1f}".replace(".", ",") if isinstance(minutes, int) else "-"
        table.add_row(play.ticket, play.story, play.ended, duration, str(len(case.history)), str(len(case.documents)))
        pages.append(f"  {play.ticket}  {case.url}")
    folder, weeks = reports
    where = [
        words["pages"],
        *pages,
        words["papers"].format(folder=papers),
        words["reports"].format(folder=folder, weeks=weeks),
        words["desk"].format(url=f"{demo.service.url}/meja"),
        words["report_pages"].format(url=f"{demo.campus.gitlab.url}/{demo.campus.project.path}/-/wikis/{words['report_page']}"),
    ]
    return Group(table, Text("\n".join(where)))


def _effort(standard: Standard | None, acts: int) -> timedelta:
    """How long the people take: most of a step's standard, a little different each time."""
    if standard is None or standard.unit is Unit.MINUTES:
        return timedelta(minutes=9 + acts % 5)
    if standard.unit is Unit.WEEKLY:
        return timedelta(days=2, hours=3)
    return timedelta(days=standard.amount) - timedelta(hours=3 + acts % 4)
