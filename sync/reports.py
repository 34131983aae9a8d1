"""The coordinators' weekly report: what the ledger said at the week's closing moment.

A report is issued once: numbered, and kept by the hash of its bytes. Whoever asks for the same week again gets the same bytes, also when
something from before the closing moment became known only later.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from integration.files import FileStore
from integration.procedure.case import Case, fold
from integration.procedure.contexts import papers_owed
from integration.procedure.deadlines import ONE_DAY, CalendarGap, week_of, working_days, working_days_in_week
from integration.procedure.definition import OutcomeKind, Procedure, Step
from integration.procedure.duty import owed_from_its_start
from integration.procedure.offices import Organisation
from integration.procedure.people import Performer, Vacancy, above, vacancy
from integration.store import Store
from integration.templates import messages
from integration.vacancies import vacant
from sync.display import Display
from sync.paper import Sheet, render
from sync.wording import Wording, long_date

SERIES = "laporan-mingguan"
"""What the reports are filed and numbered as (`organisation.numbering`)."""

CLOSES_AT = time(7, 30)  # Monday: the report is on the coordinators' desk when work begins

Revisions = Mapping[tuple[str, str], Procedure]
"""Every procedure by its slug and revision."""


@dataclass(frozen=True, slots=True)
class Debt:
    """A step skipped under an exception order and still owed, with its papers. `overdue`: the day it was owed by has passed."""

    step: str
    due: date | None
    papers: tuple[str, ...]
    overdue: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One case as the report shows it.

    `age`, `late_by`: working days since it was opened, and since its step was due; None where the calendar is not loaded.
    """

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
    late_by: int | None
    waits: bool  # for the unit
    percent: int | None
    trend: int | None  # percentage points since the report before
    owes_report: bool
    returns: tuple[str, ...]  # "21 Verifikasi 2 → 18 Penanganan lokal", this week
    paused_since: datetime | None
    pause_reason: str
    ordered_since: datetime | None  # the exception order, while something is owed under it
    order_reason: str
    debts: tuple[Debt, ...]
    vacancy: Vacancy | None  # nobody may act: who may meanwhile, who appoints
    target: str  # the procedure it was handed to
    note: str  # why it ended

    @property
    def overdue(self) -> tuple[Debt, ...]:
        """What is owed under the exception order and past its day."""
        return tuple(debt for debt in self.debts if debt.overdue)


@dataclass(frozen=True, slots=True)
class VacantOffice:
    """An office nobody holds, and who appoints an acting holder; nobody of the organisation does for its head."""

    name: str
    appoint: tuple[Performer, ...]


@dataclass(frozen=True, slots=True)
class Weekly:
    """`since`..`until`: Monday 00.00 to the Monday after, 07.30, local time. Lines are sorted: what needs attention first."""

    week: str
    since: datetime
    until: datetime
    new: tuple[Line, ...]
    ended: tuple[Line, ...]
    open: tuple[Line, ...]
    vacant: tuple[VacantOffice, ...]

    @property
    def urgent(self) -> tuple[Line, ...]:
        """Open cases somebody must speak about, what is late first."""
        stuck = (line for line in self.open if not line.late and (line.owes_report or line.overdue or line.vacancy))
        return (*self.late, *stuck)

    @property
    def late(self) -> tuple[Line, ...]:
        """Open cases whose step is past its due time."""
        return tuple(line for line in self.open if line.late)

    @property
    def waiting(self) -> tuple[Line, ...]:
        """Open cases in which the unit must act."""
        return tuple(line for line in self.open if line.waits)

    @property
    def owing(self) -> tuple[Line, ...]:
        """Open cases whose report for this week is missing (procedure.md rule 5)."""
        return tuple(line for line in self.open if line.owes_report)

    @property
    def paused(self) -> tuple[Line, ...]:
        """Open cases whose clock somebody stopped."""
        return tuple(line for line in self.open if line.paused_since)

    @property
    def ordered(self) -> tuple[Line, ...]:
        """Open cases with something still owed under an exception order."""
        return tuple(line for line in self.open if line.debts)

    @property
    def stuck(self) -> tuple[Line, ...]:
        """Open cases that wait for an office nobody holds, or whose holders may not act."""
        return tuple(line for line in self.open if line.vacancy)


class WeekUnknown(ValueError):
    """There is no such ISO week."""


class WeekOpen(ValueError):
    """The week has not reached its closing moment: what it will say is not known yet."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A week's report as it was issued: its bytes by form: "md" (for the platform), "pdf" and "csv"."""

    week: str
    forms: Mapping[str, bytes]

    def name(self, form: str) -> str:
        """The file name of a form: "laporan-mingguan-2026-W23.pdf"."""
        return f"{SERIES}-{self.week}.{form}"

    def save(self, folder: Path) -> list[Path]:
        """Write every form below `folder`; gives the paths. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / self.name(form) for form in self.forms]
        for path, content in zip(paths, self.forms.values(), strict=True):
            path.write_bytes(content)
        return paths


@dataclass(frozen=True, slots=True)
class Listed:
    """A week in the index of reports: where its wiki page is, and its Monday and Sunday."""

    week: str
    slug: str
    first: date
    last: date


def closed_week(now: datetime, organisation: Organisation) -> str:
    """The last week whose closing moment has passed at `now`."""
    zone = organisation.calendar.tz
    week = week_of(now.astimezone(zone) - timedelta(days=7), zone)
    return week if _span(week, organisation)[1] <= now else week_of(now.astimezone(zone) - timedelta(days=14), zone)


def weekly(store: Store, procedures: Sequence[Procedure], organisation: Organisation, week: str) -> Weekly:
    """What stood where at the closing moment of an ISO week such as "2026-W47". WeekUnknown for what is none."""
    since, until = _span(week, organisation)
    revisions = {(p.slug, p.revision): p for p in procedures}
    new: list[Line] = []
    ended: list[Line] = []
    still: list[Line] = []
    for entries in store.ledgers(store.tickets(opened_before=until, ended_after=since)):
        case = fold([entry for entry in entries if entry.at < until])
        if case is None or (case.ended_at and case.ended_at < since):
            continue
        line = _line(case, revisions, organisation, since, until)
        (ended if case.ended_at else still).append(line)
        if case.history and case.history[0].entered_at >= since:
            new.append(line)
    empty = _vacant(procedures, organisation, until.date())
    return Weekly(week, since, until, tuple(new), tuple(ended), tuple(sorted(still, key=_urgency)), empty)


def issue(store: Store, files: FileStore, display: Display, week: str) -> Issued:
    """The report of a closed week as it was issued; the first to ask issues it.

    Raises WeekUnknown for what is no week, WeekOpen before its closing moment, Permanent where it cannot be drawn.
    """
    organisation, issued_as = display.organisation, f"{SERIES}:{week}"
    closed = _span(week, organisation)[1]
    if store.clock() < closed:
        raise WeekOpen(week)
    kept = store.mark(issued_as)
    if kept is not None:
        return Issued(week, {form: files.get(sha256) for form, sha256 in json.loads(kept).items()})
    pattern = organisation.numbering.pattern(SERIES, closed.date())
    number = store.number(issued_as, SERIES, closed.year, lambda seq: pattern.format(seq=seq))
    forms = publish(weekly(store, display.procedures, organisation, week), organisation, display.wording, number)
    store.set_mark(issued_as, json.dumps({form: files.put(content) for form, content in forms.items()}))
    return Issued(week, forms)


def listed(slugs: Iterable[str], folder: str) -> list[Listed]:
    """The weeks that have a page below `folder`, newest first; pages of other kinds are none of ours."""
    weeks = [(slug.removeprefix(f"{folder}/"), slug) for slug in slugs if slug.startswith(f"{folder}/")]
    known = [Listed(week, slug, monday, monday + timedelta(days=6)) for week, slug in weeks if (monday := _monday(week))]
    return sorted(known, key=lambda week: week.first, reverse=True)


def publish(report: Weekly, organisation: Organisation, wording: Wording, number: str) -> dict[str, bytes]:
    """The report by form: Markdown for the platform, a print-ready PDF (A4 landscape), CSV. Raises Permanent where it cannot be drawn."""
    text = wording.render("reports/mingguan.md", report=report, organisation=organisation)
    words = messages("report")
    head = organisation.letterhead
    sheet = Sheet(
        letterhead=tuple(part.upper() for part in (head.university, head.unit) if part),
        address=(),
        title=words["title"].format(week=report.week),
        number=number,
        place_date=long_date(report.until),
        signatures=(),
        reference=words["footer"].format(week=report.week, until=long_date(report.until)),
        landscape=True,
    )
    on_platform = wording.render("wiki/laporan-mingguan.md", report=report, organisation=organisation, number=number)
    return {"md": on_platform.encode(), "pdf": render(text, sheet, report.until), "csv": _csv(report).encode()}


def _monday(week: str) -> date | None:
    try:
        return date.fromisoformat(f"{week}-1")
    except ValueError:
        return None


def _span(week: str, organisation: Organisation) -> tuple[datetime, datetime]:
    monday = _monday(week)
    if monday is None:
        raise WeekUnknown(week)
    zone = organisation.calendar.tz
    return datetime.combine(monday, time.min, zone), datetime.combine(monday + timedelta(days=7), CLOSES_AT, zone)


def _urgency(line: Line) -> tuple[object, ...]:
    """Exception orders, then what is late, then by priority, then by age: the order of the meeting's agenda."""
    ranks = ("kritis", "tinggi", "sedang", "rendah")
    rank = ranks.index(line.priority) if line.priority in ranks else len(ranks)
    return (not line.debts, not line.late, rank, -(line.age or 0), line.ticket)


def _vacant(procedures: Sequence[Procedure], organisation: Organisation, day: date) -> tuple[VacantOffice, ...]:
    newest = {role.slug: procedure for procedure in procedures for role in procedure.roles}
    roles = vacant(procedures, organisation, day)
    return tuple(VacantOffice(role.name, above(newest[role.slug], organisation, role.slug, day)) for role in roles)


def _line(case: Case, revisions: Revisions, organisation: Organisation, since: datetime, until: datetime) -> Line:
    procedure, zone = revisions[case.procedure, case.revision], organisation.calendar.tz
    form = case.submissions[-1]
    step = procedure.step(case.step) if case.step is not None else None
    due = case.due.astimezone(zone) if case.due and not case.paused_since else None
    late = bool(step and due and due < until)
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
        age=_working_days(organisation, case.history[0].entered_at, case.ended_at or until) if case.history else 0,
        due=due,
        late=late,
        late_by=_working_days(organisation, due, until) if late and due else None,
        waits=step is not None and case.waits_for_unit,
        percent=percents[-1] if percents else None,
        trend=percents[-1] - percents[-2] if len(percents) > 1 else None,
        owes_report=_owes_report(case, procedure, organisation, since),
        returns=tuple(_returns(case, revisions, since)),
        paused_since=case.paused_since and case.paused_since.astimezone(zone),
        pause_reason=case.pause_reason,
        ordered_since=case.ordered_at and case.ordered_at.astimezone(zone),
        order_reason=case.emergency.reason if case.emergency and case.debts else "",
        debts=tuple(_debt(procedure, procedure.step(owed), day, until.date()) for owed, day in case.debts),
        vacancy=vacancy(procedure, organisation, case, until.date()),
        target=case.ending_target,
        note=case.ending_reason,
    )


def _working_days(organisation: Organisation, start: datetime, end: datetime) -> int | None:
    """The working days after the day of `start` up to the day of `end`: as a time standard counts them (procedure.md rule 6)."""
    zone = organisation.calendar.tz
    days = working_days(organisation.calendar, start.astimezone(zone).date() + ONE_DAY, end.astimezone(zone).date())
    return None if isinstance(days, CalendarGap) else len(days)


def _debt(procedure: Procedure, step: Step, due: date | None, day: date) -> Debt:
    return Debt(step.label_text, due, tuple(papers_owed(procedure, step)), overdue=due is not None and due < day)


def _owes_report(case: Case, procedure: Procedure, organisation: Organisation, since: datetime) -> bool:
    """Whether the case stood in the duty for the whole week, which had working days, and nothing complete was reported in it."""
    duty, calendar = procedure.duty, organisation.calendar
    week = week_of(since, calendar.tz)
    if duty is None or case.step is None or not owed_from_its_start(case, duty, week, calendar.tz):
        return False
    return working_days_in_week(calendar, week) != () and not any(report.week == week for report in case.reports)


def _returns(case: Case, revisions: Revisions, since: datetime) -> Iterable[str]:
    """Each in the words of the revision the step was left under."""
    for passage in (passage for passage in case.history if passage.outcome):
        procedure = revisions[case.procedure, passage.revision]
        outcome = procedure.step(passage.step).outcome(passage.outcome)
        if outcome and outcome.kind is OutcomeKind.RETURN and outcome.to and passage.left_at and passage.left_at >= since:
            yield f"{procedure.step(passage.step).label_text} → {procedure.step(outcome.to).label_text}"


def _csv(report: Weekly) -> str:
    """A row for each case; `messages/report.yaml` heads the columns, each named by what a line has, in their order."""
    columns = {name.removeprefix("column_"): head for name, head in messages("report").items() if name.startswith("column_")}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns.values())
    for line in (*report.open, *report.ended):
        lists = _lists(line)
        writer.writerow([_cell(lists[name] if name in lists else getattr(line, name)) for name in columns])
    return out.getvalue()


def _lists(line: Line) -> dict[str, str]:
    """The cells of a line that hold several things."""
    cells = {
        "debts": [debt.step for debt in line.debts],
        "debts_due": dict.fromkeys(debt.due.isoformat() for debt in line.debts if debt.due),
        "debts_overdue": [debt.step for debt in line.overdue],
        "papers": dict.fromkeys(title for debt in line.debts for title in debt.papers),
        "may_act": [person.name for person in line.vacancy.may_act] if line.vacancy else [],
        "appoint": [person.name for person in line.vacancy.appoint] if line.vacancy else [],
    }
    return {name: "; ".join(several) for name, several in cells.items()}


def _cell(value: object) -> str:
    """A CSV cell that no spreadsheet takes for a formula."""
    text = "" if value is None else value.isoformat(timespec="minutes") if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) and not isinstance(value, int) else text
