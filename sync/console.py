"""What the command line shows: cases, their history, rows, and why a step is due when it is; values in, tables out.

Whatever strangers wrote is cleaned of control characters before a terminal sees it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime, tzinfo
from itertools import groupby

from babel.dates import format_date, format_datetime
from rich.table import Table
from rich.text import Text

from integration.neutral import clean
from integration.procedure.case import Case
from integration.procedure.deadlines import CalendarGap, Span, counted_days, skipped, worked
from integration.procedure.definition import Procedure, Standard, Unit, by_revision
from integration.procedure.events import DueRecomputed, Entry, RequestRefused, RevisionAdopted, StepLeft
from integration.procedure.offices import WorkCalendar
from integration.store import CaseRow, InboxRow, NumberRow, OutboxRow
from integration.templates import messages
from sync.book import gaps
from sync.display import place
from sync.terminal import cause

LOCALE = "id"
LONGEST_CELL = 100
WHOLE = frozenset({"number", "case", "id", "seq", "ticket", "lane", "state", "kind", "source"})  # columns read, copied and typed as a whole


def cases(rows: Iterable[CaseRow], procedures: Sequence[Procedure], tz: tzinfo) -> Table:
    """Where cases stand."""
    table = _table("title_cases", "ticket", "title", "status", "step", "role", "due")
    known = by_revision(procedures)
    for row in rows:
        step, role = place(row, known)
        table.add_row(row.ticket, _text(row.title), row.status, step, role, moment(row.due_at, tz))
    return table


def history(ticket: str, entries: Iterable[Entry], tz: tzinfo) -> Table:
    """The ledger of a case, a sentence an entry."""
    table = _table("title_history", "seq", "at", "by", "event", ticket=ticket)
    for entry in entries:
        table.add_row(str(entry.seq), moment(entry.at, tz), _text(entry.by.name or entry.by.account), _text(sentence(entry)))
    return table


def sentence(entry: Entry) -> str:
    """What an entry says, for people; what it leaves empty is left out."""
    recorded = isinstance(entry.event, StepLeft) and not entry.event.outcome
    said = messages("cli")["event_recorded" if recorded else f"event_{type(entry.event).__name__}"]
    values = {field.name: _plain(getattr(entry.event, field.name)) for field in fields(entry.event)}
    if isinstance(entry.event, RequestRefused):
        values["code"] = messages("refusals").get(entry.event.code, entry.event.code)
    return said.format(**values).rstrip("; ")


def explanation(case: Case, entries: Iterable[Entry], procedure: Procedure, calendar: WorkCalendar, now: datetime) -> list[str]:
    """Why the current step is due when it is, sentence by sentence (procedure.md rule 6); `entries`: the ledger of the case."""
    words, tz = messages("cli"), calendar.tz
    if case.step is None or case.entered_at is None:
        return [words["explain_ended"].format(ticket=case.ticket, status=case.status, ended=moment(case.ended_at, tz))]
    step = procedure.step(case.step)
    told = [words["explain_step"].format(ticket=case.ticket, step=step.label_text, entered=moment(case.entered_at, tz))]
    standard = words["explain_standard"].format(standard=step.standard.text) if step.standard else words["explain_no_standard"]
    told.append(words["explain_unit"] if case.step == procedure.revises_at else standard)
    if case.due and step.standard and not case.paused_since:
        told += _counted(calendar, step.standard, case.entered_at, case.due, case.pauses)
    told += [words["explain_pause"].format(since=moment(since, tz), until=moment(until, tz)) for since, until in case.pauses]
    stay = [entry for entry in entries if entry.seq > case.entered_seq]
    told += [_recounted(entry.at, entry.event, tz) for entry in stay if isinstance(entry.event, DueRecomputed | RevisionAdopted)]
    if case.paused_since:
        told.append(words["explain_paused"].format(since=moment(case.paused_since, tz)))
    elif case.gap:
        told.append(words["explain_gap"].format(year=case.gap))
    elif case.due:
        told.append(words["explain_due"].format(due=moment(case.due, tz)))
        told += [words["explain_late"]] if case.due <= now else []
    return told


def inbox(rows: Iterable[InboxRow], tz: tzinfo) -> Table:
    """Kept messages."""
    table = _table("title_inbox", "id", "lane", "source", "state", "failure")
    for row in rows:
        table.add_row(str(row.id), row.lane, row.source, "\n".join(_state(row, tz)), _why(row))
    return table


def outbox(rows: Iterable[OutboxRow], tz: tzinfo) -> Table:
    """Effects."""
    table = _table("title_outbox", "id", "lane", "kind", "state", "failure")
    for row in rows:
        table.add_row(str(row.id), row.lane, row.kind, "\n".join(_state(row, tz)), _why(row))
    return table


def numbers(rows: Iterable[NumberRow], titles: Mapping[str, str], tz: tzinfo) -> Iterator[Table]:
    """The book of numbers, a table for each series and year; `titles` of the series, by their names."""
    words = messages("cli")
    for (series, year), of_series in groupby(rows, lambda row: (row.series, row.year)):
        table = _table("title_numbers", "number", "about", "case", "day", "became", series=titles.get(series, series), year=str(year))
        for row in gaps(list(of_series)):
            if isinstance(row, tuple):
                first, last = row
                place = str(first) if first == last else words["number_places"].format(first=first, last=last)
                table.add_row(place, "", "", "", words["number_gap"])
                continue
            ticket, _, _ = (row.document or "").rpartition("/")
            period = (row.document or "").partition(":")[2]
            about = row.subject or " ".join([titles.get(series, series), period]).strip()
            day = format_date(row.day, "d MMM y", locale=LOCALE) if row.day else ""
            became = words[f"number_state_{row.state}"].format(at=moment(row.voided_at, tz), reason=row.reason)
            table.add_row(row.number, _text(about), ticket, day, _text(became))
        yield table


def whole_row(row: InboxRow | OutboxRow, tz: tzinfo) -> list[tuple[str, Text]]:
    """One row with all it holds, as pairs of a heading and its text: last, where it failed, why, and what to do about it."""
    told = {"id": str(row.id), "lane": row.lane, "key": row.key}
    if isinstance(row, InboxRow):
        told |= {"source": row.source, "received": moment(row.received_at, tz)}
    else:
        told |= {"kind": row.kind, "channel": row.channel, "received": moment(row.created_at, tz)}
    told |= {"state": ", ".join(_state(row, tz))}
    if isinstance(row, InboxRow):
        told |= {"result": row.result, "headers": _json(row.headers), "body": _body(row.body)}
    else:
        told |= {"data": _json(row.data)}
    if row.failure or row.error:
        side, known = "inbox" if isinstance(row, InboxRow) else "outbox", cause(row.failure)
        then = messages("cli")["then_replay" if row.state == "parked" else "then_waits"]
        told |= {"error": row.error, "failure": known["cause"], "fix": then.format(fix=known["fix"], side=side, row=row.id)}
    return [(messages("cli")[f"column_{name}"], Text(clean(text))) for name, text in told.items() if text]


def moment(at: datetime | None, tz: tzinfo) -> str:
    """A moment as "2 Jun 2026 08.15", local; empty for none."""
    return format_datetime(at, "d MMM y HH.mm", tzinfo=tz, locale=LOCALE) if at else ""


def _counted(calendar: WorkCalendar, standard: Standard, entered: datetime, due: datetime, pauses: tuple[Span, ...]) -> list[str]:
    """What was counted, day by day or stretch by stretch, and the days off that were not."""
    words = messages("cli")
    if standard.unit is Unit.DAYS:
        days = ", ".join(_day(day) for day in counted_days(calendar, entered, due, pauses))
        told = words["explain_days"].format(days=days)
    elif standard.unit is Unit.MINUTES:
        spans = worked(calendar, entered, due, pauses)
        stretches = [] if isinstance(spans, CalendarGap) else [_stretch(since, until) for since, until in spans]
        told = words["explain_minutes"].format(stretches=", ".join(stretches))
    else:
        told = words["explain_week"]
    return [told] + [
        words["explain_off"].format(day=_day(off.day), name=off.name, decree=off.decree) for off in skipped(calendar, entered, due)
    ]


def _stretch(since: datetime, until: datetime) -> str:
    """A stretch of work within a day, to the minute."""
    return messages("cli")["explain_stretch"].format(day=_day(since.date()), since=f"{since:%H.%M}", until=f"{until:%H.%M}")


def _recounted(at: datetime, event: DueRecomputed | RevisionAdopted, tz: tzinfo) -> str:
    """That the due time of this stay was counted anew, why, and what came of it."""
    words, why = messages("cli"), "explain_revision" if isinstance(event, RevisionAdopted) else "explain_calendar"
    due = moment(event.due, tz) or (words["explain_due_gap"].format(year=event.gap) if event.gap else words["explain_due_none"])
    return words["explain_recounted"].format(at=moment(at, tz), why=words[why].format(revision=getattr(event, "revision", "")), due=due)


def _day(day: date) -> str:
    return format_date(day, "EEEE d MMM y", locale=LOCALE)


def _table(title: str, *columns: str, **values: str) -> Table:
    words = messages("cli")
    table = Table(title=words[title].format(**values))
    for column in columns:
        table.add_column(words[f"column_{column}"], overflow="fold", no_wrap=column in WHOLE)
    return table


def _state(row: InboxRow | OutboxRow, tz: tzinfo) -> list[str]:
    """What a row does; how often it was tried, and when it is tried again, where that is so."""
    words = messages("cli")
    told = [words[f"state_{row.state}"]]
    told += [words["tried"].format(n=row.attempts)] if row.attempts else []
    told += [words["again"].format(at=moment(row.due_at, tz))] if row.state == "waiting" and (row.failure or row.error) else []
    return told


def _why(row: InboxRow | OutboxRow) -> Text:
    """Why a row was set aside last: the kind of failure, and the last line of its words, which says most."""
    last_line = row.error.strip().rpartition("\n")[2]
    told = [cause(row.failure)["cause"]] if row.failure or row.error else []
    return _text(": ".join(told + ([last_line[:LONGEST_CELL]] if last_line else [])))


def _text(text: str) -> Text:
    """Strangers' words in a cell: one line, never markup."""
    return Text(" ".join(clean(text).split()))


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return messages("cli")["affirmed" if value else "denied"]
    if isinstance(value, tuple):
        return ", ".join(_plain(part) for part in value)
    return _day(value) if type(value) is date else str(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _body(body: bytes) -> str:
    """A message as text; what is no JSON as it came."""
    try:
        return _json(json.loads(body))
    except ValueError:
        return body.decode(errors="replace")
