"""The register of cases, to be printed and kept: a line a case, from the ledgers, with the numbers of its papers.

It says what was complained of, so it is handed to whoever asks for it on the command line and shown nowhere else.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime

from integration.procedure.case import fold
from integration.procedure.definition import by_revision
from integration.procedure.events import DocumentFiled, DocumentIssued
from integration.store import NumberState, Store
from integration.templates import messages
from sync.display import Display, place
from sync.paper import render
from sync.reports import listing
from sync.survey import UNREAD
from sync.wording import long_date

NUMBERED = (DocumentIssued, DocumentFiled)
"""What only the register reads of what no report tells of: the numbers of papers."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A case in the register. `step`: where it stands, "" once it has ended or before it is worked on; `numbers`: of its papers."""

    ticket: str
    opened: date
    ended: date | None
    step: str
    status: str
    unit: str = ""
    system: str = ""
    subject: str = ""
    numbers: tuple[str, ...] = ()


def register(store: Store, display: Display, year: int | None, now: datetime) -> bytes:
    """The PDF of all cases there ever were, or of those opened in a year, as they stand `now` (aware).

    Raises Permanent where it cannot be drawn, StoreDown.
    """
    organisation, words = display.organisation, messages("report")
    local = now.astimezone(organisation.calendar.tz)
    title, day = words["title_register"].format(year=year or "").strip(), long_date(local)
    sheet = listing(organisation, title, day, words["footer_register"].format(title=title, until=day, at=f"{local:%H.%M}"))
    void = frozenset(row.number for row in store.number_rows() if row.state is NumberState.VOID)
    text = display.wording.render("reports/register-perkara.md", cases=_cases(store, display, year), void=void)
    return render(text, sheet, now)


def _cases(store: Store, display: Display, year: int | None) -> tuple[Registered, ...]:
    """By ticket. A case whose form is not worked on yet is there with what is known of it."""
    tz, known = display.organisation.calendar.tz, by_revision(display.procedures)
    lines = {
        row.ticket: Registered(
            ticket=row.ticket,
            opened=row.opened_at.astimezone(tz).date(),
            ended=row.ended_at and row.ended_at.astimezone(tz).date(),
            step="" if row.ended_at else place(row, known)[0],
            status=row.status,
        )
        for row in store.case_rows()
        if year in (None, row.opened_at.astimezone(tz).year)
    }
    without = [kind for kind in UNREAD if kind not in NUMBERED]
    for case in filter(None, map(fold, store.ledgers(list(lines), without))):
        form, numbers = case.submission, tuple(dict.fromkeys(paper.number for paper in case.documents if paper.number))
        told = replace(lines[case.ticket], unit=form.unit_name, system=form.system, subject=form.subject, numbers=numbers)
        lines[case.ticket] = told
    return tuple(lines.values())
