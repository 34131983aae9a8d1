"""The coordinators' weekly report: what the ledger said at the week's closing moment, so the same week asked again gives the same bytes."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from integration.procedure.case import Case, fold
from integration.procedure.deadlines import CalendarGap, week_of, working_days
from integration.procedure.definition import OutcomeKind, Procedure
from integration.procedure.offices import Organisation
from integration.store import Store
from integration.templates import messages
from sync.paper import Sheet, render
from sync.wording import Wording, long_date

CLOSES_AT = time(7, 30)  # Monday: the report is on the coordinators' desk when work begins


@dataclass(frozen=True, slots=True)
class Line:
    """One case as the report shows it. `age`: working days since it was opened, None where the calendar is not loaded."""

    ticket: str
    system: str
    subject: str
    unit: str
    step: str  # "18 Penanganan lokal"; "" once ended
    turn: str  # name of the role that must act
    status: str
    priority: str
    age: int | None
    due: datetime | None
    late: bool
    percent: int | None
    trend: int | None  # percentage points since the report before
    owes_report: bool
    returns: tuple[str, ...]  # "21 Verifikasi 2 → 18 Penanganan lokal", this week
    debts: tuple[str, ...]  # skipped steps still owed under an exception order
    note: str  # reason of an ending or a pause


@dataclass(frozen=True, slots=True)
class Weekly:
    """`since`..`until`: Monday 00.00 to the Monday after, 07.30, local time. Lines are sorted: what needs attention first."""

    week: str
    since: datetime
    until: datetime
    new: tuple[Line, ...]
    ended: tuple[Line, ...]
    open: tuple[Line, ...]

    @property
    def late(self) -> tuple[Line, ...]:
        """Open cases whose step is past its due time."""
        return tuple(line for line in self.open if line.late)

    @property
    def owing(self) -> tuple[Line, ...]:
        """Open cases whose report for this week is missing (procedure.md rule 5)."""
        return tuple(line for line in self.open if line.owes_report)

    def with_status(self, *statuses: str) -> tuple[Line, ...]:
        """Open cases in one of these statuses."""
        return tuple(line for line in self.open if line.status in statuses)


@dataclass(frozen=True, slots=True)
class Published:
    """The report in its three forms; `stem` is the file name without ending."""

    stem: str
    markdown: str
    pdf: bytes
    csv: str

    def save(self, folder: Path) -> list[Path]:
        """Write the three files below `folder`; gives their paths. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        files: dict[str, bytes] = {"md": self.markdown.encode(), "pdf": self.pdf, "csv": self.csv.encode()}
        paths = [folder / f"{self.stem}.{ending}" for ending in files]
        for path, content in zip(paths, files.values(), strict=True):
            path.write_bytes(content)
        return paths


def closed_week(now: datetime, organisation: Organisation) -> str:
    """The last week whose closing moment has passed at `now`."""
    zone = organisation.calendar.tz
    week = week_of(now.astimezone(zone) - timedelta(days=7), zone)
    return week if _span(week, organisation)[1] <= now else week_of(now.astimezone(zone) - timedelta(days=14), zone)


def weekly(store: Store, procedures: Sequence[Procedure], organisation: Organisation, week: str) -> Weekly:
    """What stood where at the closing moment of an ISO week such as "2026-W47". ValueError for what is no week."""
    since, until = _span(week, organisation)
    revisions = {(p.slug, p.revision): p for p in procedures}
    new: list[Line] = []
    ended: list[Line] = []
    still: list[Line] = []
    for ticket in store.tickets(opened_before=until):
        case = fold([entry for entry in store.entries(ticket) if entry.at < until])
        if case is None or (case.ended_at and case.ended_at < since):
            continue
        line = _line(case, revisions[case.procedure, case.revision], organisation, since, until)
        (ended if case.ended_at else still).append(line)
        if case.history and case.history[0].entered_at >= since:
            new.append(line)
    return Weekly(week, since, until, tuple(new), tuple(ended), tuple(sorted(still, key=_urgency)))


def publish(report: Weekly, organisation: Organisation, wording: Wording) -> Published:
    """The report as Markdown, as a print-ready PDF (A4 landscape) and as CSV. Raises Permanent where it cannot be drawn."""
    text = wording.render("reports/mingguan.md", report=report, organisation=organisation)
    words = messages("report")
    head = organisation.letterhead
    sheet = Sheet(
        letterhead=tuple(part.upper() for part in (head.university, head.unit) if part),
        address=(),
        title=words["title"].format(week=report.week),
        number="",
        place_date=long_date(report.until),
        signatures=(),
        reference=words["footer"].format(week=report.week, until=long_date(report.until)),
        landscape=True,
    )
    return Published(f"laporan-mingguan-{report.week}", text, render(text, sheet, report.until), _csv(report))


def _span(week: str, organisation: Organisation) -> tuple[datetime, datetime]:
    monday = date.fromisoformat(f"{week}-1")
    zone = organisation.calendar.tz
    return datetime.combine(monday, time.min, zone), datetime.combine(monday + timedelta(days=7), CLOSES_AT, zone)


def _urgency(line: Line) -> tuple[object, ...]:
    """Exception orders, then what is late, then by priority, then by age: the order of the meeting's agenda."""
    ranks = ("kritis", "tinggi", "sedang", "rendah")
    rank = ranks.index(line.priority) if line.priority in ranks else len(ranks)
    return (not line.debts, not line.late, rank, -(line.age or 0), line.ticket)


def _line(case: Case, procedure: Procedure, organisation: Organisation, since: datetime, until: datetime) -> Line:
    form = case.submissions[-1]
    step = procedure.step(case.step) if case.step is not None else None
    percents = [report.percent for report in case.reports]
    return Line(
        ticket=case.ticket,
        system=form.system,
        subject=form.subject,
        unit=form.unit_name,
        step=step.label_text if step else "",
        turn=procedure.role(step.performer).name if step and step.performer else "",
        status=case.status,
        priority=case.priority,
        age=_age(case, organisation, until),
        due=case.due.astimezone(organisation.calendar.tz) if case.due else None,
        late=bool(step and case.due and case.due < until and case.paused_since is None),
        percent=percents[-1] if percents else None,
        trend=percents[-1] - percents[-2] if len(percents) > 1 else None,
        owes_report=_owes_report(case, procedure, organisation, since),
        returns=tuple(_returns(case, procedure, since)),
        debts=tuple(procedure.step(number).label_text for number, _ in case.emergency.debts) if case.emergency else (),
        note=case.ending_reason,
    )


def _age(case: Case, organisation: Organisation, until: datetime) -> int | None:
    zone = organisation.calendar.tz
    opened = case.history[0].entered_at if case.history else until
    days = working_days(organisation.calendar, opened.astimezone(zone).date(), (case.ended_at or until).astimezone(zone).date())
    return None if isinstance(days, CalendarGap) else max(len(days) - 1, 0)


def _owes_report(case: Case, procedure: Procedure, organisation: Organisation, since: datetime) -> bool:
    """Whether the case stood in the duty for the whole week and nothing complete was reported in it."""
    duty = procedure.duty
    if duty is None or case.step is None or not duty.first <= case.step <= duty.last:
        return False
    began = next((p.entered_at for p in case.history if p.step >= duty.first), None)
    week = week_of(since, organisation.calendar.tz)
    return began is not None and began < since and not any(report.week == week for report in case.reports)


def _returns(case: Case, procedure: Procedure, since: datetime) -> Iterable[str]:
    for passage in case.history:
        outcome = procedure.step(passage.step).outcome(passage.outcome) if passage.outcome else None
        if outcome and outcome.kind is OutcomeKind.RETURN and outcome.to and passage.left_at and passage.left_at >= since:
            yield f"{procedure.step(passage.step).label_text} → {procedure.step(outcome.to).label_text}"


_COLUMNS = ("ticket", "unit", "system", "subject", "step", "turn", "status", "priority", "age", "due", "percent", "trend")


def _csv(report: Weekly) -> str:
    words = messages("report")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([words[f"column_{name}"] for name in _COLUMNS])
    for line in (*report.open, *report.ended):
        writer.writerow([_cell(getattr(line, name)) for name in _COLUMNS])
    return out.getvalue()


def _cell(value: object) -> str:
    """A CSV cell that no spreadsheet takes for a formula."""
    text = "" if value is None else value.isoformat(timespec="minutes") if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) and not isinstance(value, int) else text
