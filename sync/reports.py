"""The reports of a week, a month and a year: drawn in every form they are read in, issued once, and kept.

An issued report is numbered, and kept by the hash of its bytes. Whoever asks for the same period again gets the same bytes, also when
something from before the closing moment became known only later.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from integration.files import OURS, FileStore
from integration.procedure.offices import Organisation
from integration.procedure.people import above
from integration.store import Store
from integration.templates import messages
from sync import charts
from sync.charts import Bar, Panel
from sync.display import Display
from sync.paper import Sheet, page, render
from sync.periods import Period, PeriodOpen, PeriodUnknown, Span, period
from sync.standing import Line, Survey
from sync.survey import loads, survey
from sync.wording import Wording, long_date, number_text

WORKLOAD = "beban-kerja"
"""The mail that names people (`workload`): for nobody but those who lead them."""

SHOWN = 0.05  # working days: less reads as none, and a bar of none is not drawn


@dataclass(frozen=True, slots=True)
class Issued:
    """A report as it was issued: its bytes by form.

    For whoever may read the wiki "md" (for the platform), "pdf" and "csv"; for those it is mailed to "html" and "txt".
    """

    period: Period
    forms: Mapping[str, bytes]

    def name(self, form: str) -> str:
        """The file name of a form: "laporan-mingguan-2026-W23.pdf"."""
        return f"{self.period.span}-{self.period.name}.{form}"

    def save(self, folder: Path) -> list[Path]:
        """Write every form below `folder`; gives the paths. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / self.name(form) for form in self.forms]
        for path, content in zip(paths, self.forms.values(), strict=True):
            path.write_bytes(content)
        return paths


@dataclass(frozen=True, slots=True)
class Listed:
    """A period in the index of reports: where its wiki page is."""

    period: Period
    slug: str


def issue(store: Store, files: FileStore, display: Display, name: str) -> Issued:
    """The report of a closed period, "2026-W23", "2026-06" or "2026", as it was issued; the first to ask issues it.

    Raises PeriodUnknown for what is none, PeriodOpen before its closing moment, Permanent where it cannot be drawn.
    """
    organisation = display.organisation
    asked = period(name, organisation.calendar.tz)
    issued_as = f"{asked.span}:{name}"
    if store.clock() < asked.until:
        raise PeriodOpen(name)
    kept = store.mark(issued_as)
    if kept is not None:
        return Issued(asked, {form: files.get(OURS, sha256) for form, sha256 in json.loads(kept).items()})
    day = asked.until.date()
    pattern = organisation.numbering.pattern(asked.span, day)
    number = store.number(issued_as, asked.span, day, lambda seq: pattern.format(seq=seq))
    forms = publish(survey(store, display.procedures, organisation, asked), organisation, display.wording, number)
    kept_as = json.dumps({form: files.put(OURS, content) for form, content in forms.items()})
    store.issue_number(number)
    store.set_mark(issued_as, kept_as)
    return Issued(asked, forms)


def workload(store: Store, display: Display, name: str) -> str:
    """The mail that tells whoever leads the programmers what each had to do at a week's closing moment; its first line is the subject."""
    asked = period(name, display.organisation.calendar.tz)
    told = loads(store, display.organisation, asked)
    return display.wording.render(f"mail/{WORKLOAD}.md", period=asked, loads=told)


def leaders(display: Display, moment: datetime) -> tuple[str, ...]:
    """The mail addresses of those who hold the office above the programmers at a moment; () where the organisation names none."""
    organisation = display.organisation
    day = moment.astimezone(organisation.calendar.tz).date()
    teams = [(procedure, role.slug) for procedure in display.procedures for role in procedure.roles if role.team]
    leading = [person.account for procedure, role in teams for person in above(procedure, organisation, role, day)]
    offices = [office for account in leading for office in organisation.offices_of(account, day)]
    return tuple(dict.fromkeys(office.email for office in offices if office.email))


def listed(slugs: Iterable[str], folder: str, organisation: Organisation) -> list[Listed]:
    """The periods that have a page below `folder`, newest first; pages of other kinds are none of ours."""
    found: list[Listed] = []
    for slug in slugs:
        try:
            known = period(slug.removeprefix(f"{folder}/"), organisation.calendar.tz) if slug.startswith(f"{folder}/") else None
        except PeriodUnknown:
            known = None
        if known:
            found.append(Listed(known, slug))
    return sorted(found, key=lambda one: one.period.first, reverse=True)


def listing(organisation: Organisation, title: str, day: str, reference: str) -> Sheet:
    """What stands around a list over many cases: A4 landscape, unnumbered and unsigned, of this `day`."""
    head = organisation.letterhead
    return Sheet(
        letterhead=tuple(part.upper() for part in (head.university, head.unit) if part),
        address=(),
        title=title,
        number="",
        place_date=day,
        signatures=(),
        reference=reference,
        landscape=True,
        emblem=head.emblem,
        font=organisation.papers.font,
        fonts=organisation.papers.fonts,
    )


def publish(report: Survey, organisation: Organisation, wording: Wording, number: str) -> dict[str, bytes]:
    """The report by form (see `Issued`); the PDF is A4 landscape, print-ready. Raises Permanent where it cannot be drawn.

    What all may read is drawn from the discreet survey.
    """
    words, span, discreet = messages("report"), report.period.span, report.discreet()
    title = words[f"title_{span}"].format(name=report.period.name)
    until = long_date(report.period.until)
    reference = words[f"footer_{span}"].format(name=report.period.name, until=until)
    sheet = replace(listing(organisation, title, until, reference), number=number, charts=_charts(discreet))
    body, context = f"reports/{span}.md", {"organisation": organisation, "number": number}
    text = wording.render(body, report=discreet, charts=tuple(sheet.charts), **context)
    mailed = wording.render("reports/surel.md", report=report, charts=(), **context)
    return {
        "md": wording.render("wiki/laporan.md", report=discreet, charts=(), **context).encode(),
        "pdf": render(text, sheet, report.period.until),
        "csv": _csv(discreet).encode(),
        "html": page(mailed, title).encode(),
        "txt": wording.render("mail/laporan.md", report=report, **context).encode(),
    }


def _charts(report: Survey) -> dict[str, str]:
    """The charts by name, as SVG: how long steps take where it shows, and, of a month or a year, what came and went."""
    words = messages("report")
    drawn: dict[str, str] = {}
    steps = [figures for figures in report.steps if max(figures.most, figures.worked + figures.waited) >= SHOWN]
    if steps:
        took = tuple(Bar((f.middle,), f"{number_text(f.middle)} / {number_text(f.most)}", f.most) for f in steps)
        shared = tuple(Bar((f.worked, f.waited), f"{number_text(f.worked)} + {number_text(f.waited)}") for f in steps)
        panels = [
            Panel(words["chart_took"], took, (words["chart_middle"],), words["chart_most"]),
            Panel(words["chart_shared"], shared, (words["chart_worked"], words["chart_waited"])),
        ]
        drawn["langkah"] = charts.draw([figures.name for figures in steps], panels)
    if report.period.span is not Span.WEEK:
        flow = report.flow
        panels = [
            Panel(words["chart_new"], tuple(Bar((float(part.new),), str(part.new)) for part in flow)),
            Panel(words["chart_ended"], tuple(Bar((0.0, float(part.ended)), str(part.ended)) for part in flow)),
        ]
        drawn["arus"] = charts.draw([part.part for part in flow], panels)
    return drawn


def _csv(report: Survey) -> str:
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
        "concerns": [messages("report")[f"concern_{concern}"] for concern in line.concerns],
        "returns": line.returns,
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
