"""`alur privacy`: what the officer for the protection of personal data does: requests, export, correction, erasure, record, breach."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import click
from rich.table import Table

from integration.forms import CORRIGIBLE, Faults
from integration.neutral import clean
from integration.procedure.case import Case
from integration.store import Restraint, Right
from integration.store.subjects import WITHIN
from integration.templates import messages
from sync import console
from sync.opening import known_case, opened
from sync.privacy import ON_REQUEST, TIME_OVER
from sync.terminal import failed, show
from sync.wiring import Service

WORDS = messages("privacy")
HOUR = 3600


@click.group(help=WORDS["help"])
def privacy() -> None:
    """What is kept of persons."""


@privacy.command("find", help=WORDS["help_find"])
@click.argument("who")
def find(who: str) -> None:
    """The cases that speak of somebody."""
    found = opened().privacy.involving(who)
    table = _table("found", "case", "as_what", "state", "forms")
    for each in found:
        table.add_row(each.case.ticket, ", ".join(WORDS[name] for name in each.as_what), each.case.status, str(len(each.case.submissions)))
    show(table if found else WORDS["nobody"])


@privacy.command("export", help=WORDS["help_export"])
@click.argument("who")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data-pribadi.zip"), show_default=True, help=WORDS["help_out"])
def export(who: str, out: Path) -> None:
    """All that is kept of somebody, as a file to hand out."""
    content = opened().privacy.export(who)
    if content is None:
        _failed("nobody")
    out.write_bytes(content)
    click.echo(WORDS["written"].format(path=out))


@privacy.command("correct", help=WORDS["help_correct"].format(fields=", ".join(CORRIGIBLE)))
@click.argument("ticket")
@click.argument("changes", nargs=-1, required=True, metavar="ISIAN=NILAI...")
def correct(ticket: str, changes: tuple[str, ...]) -> None:
    """Put right what a form says of persons."""
    service = opened()
    known_case(service, ticket)
    said = dict(change.partition("=")[::2] for change in changes)
    unknown = [name for name in said if name not in CORRIGIBLE]
    if unknown:
        _failed("not_corrigible", fields=", ".join(unknown), known=", ".join(CORRIGIBLE))
    faults = service.privacy.correct(ticket, {name: value.strip() for name, value in said.items()})
    if isinstance(faults, Faults):
        for fault in faults.faults:
            click.echo(f"{fault.path}: {fault.pesan}", err=True)
        sys.exit(1)
    service.bell.ring()
    click.echo(WORDS["correcting"].format(ticket=ticket))


@privacy.command("erase", help=WORDS["help_erase"])
@click.argument("tickets", nargs=-1, required=True)
@click.confirmation_option("--yes", prompt=WORDS["sure"])
def erase(tickets: tuple[str, ...]) -> None:
    """Erase what is personal in cases that are over."""
    service = opened()
    for ticket in tickets:
        known_case(service, ticket)
    _erase(service, tickets, ON_REQUEST)


@privacy.command("hold", help=WORDS["help_hold"])
@click.argument("ticket")
@click.option("--reason", default="", help=WORDS["help_reason"])
@click.option("--lift", is_flag=True, help=WORDS["help_lift"])
def hold(ticket: str, reason: str, *, lift: bool) -> None:
    """Keep the data of a case whatever is asked and however old it is."""
    _restrain(ticket, Restraint.HOLD, reason, lift=lift)


@privacy.command("restrict", help=WORDS["help_restrict"])
@click.argument("ticket")
@click.option("--reason", default="", help=WORDS["help_reason"])
@click.option("--lift", is_flag=True, help=WORDS["help_lift"])
def restrict(ticket: str, reason: str, *, lift: bool) -> None:
    """Keep the data of a case and hand it out to nobody."""
    _restrain(ticket, Restraint.RESTRICTION, reason, lift=lift)


@privacy.command("request", help=WORDS["help_request"])
@click.argument("kind", type=click.Choice([right.value for right in Right]))
@click.argument("email")
@click.option("--received", "received", help=WORDS["help_received"])
def request(kind: str, email: str, received: str | None) -> None:
    """Take a request down; its clock runs from when it came."""
    service = opened()
    made = service.store.receive_request(Right(kind), email.strip(), _moment(service, received))
    click.echo(WORDS["received"].format(number=made.id, due=_shown(service, made.due_at)))


@privacy.command("requests", help=WORDS["help_requests"])
@click.option("--all", "everything", is_flag=True, help=WORDS["help_requests_all"])
def requests(*, everything: bool) -> None:
    """The requests whose answer is owed, with the hours that are left; 1 where one is late."""
    service = opened()
    rows, now = service.store.subject_requests(owed_only=not everything), service.parts.clock()
    table = _table("requests", "number", "kind", "subject", "came", "due", "left", "result")
    for row in rows:
        left = "" if row.done_at else WORDS["hours"].format(hours=int((row.due_at - now).total_seconds() // HOUR))
        table.add_row(str(row.id), row.kind, row.subject, _shown(service, row.received_at), _shown(service, row.due_at), left, row.result)
    show(table if rows else WORDS["none_owed"])
    late = service.privacy.late()
    if late:
        _failed("late", numbers=", ".join(str(row.id) for row in late))


@privacy.command("answer", help=WORDS["help_answer"])
@click.argument("number", type=int)
@click.option("--result", required=True, help=WORDS["help_result"])
def answer(number: int, result: str) -> None:
    """Note what whoever asked was answered."""
    if not opened().store.answer_request(number, " ".join(clean(result).split())):
        _failed("not_owed", number=number)
    click.echo(WORDS["answered"].format(number=number))


@privacy.command("retention", help=WORDS["help_retention"])
@click.option("--erase", "now", is_flag=True, help=WORDS["help_retention_erase"])
def retention(*, now: bool) -> None:
    """The cases whose data was kept long enough."""
    service = opened()
    if not service.display.organisation.privacy.retention:
        _failed("no_retention")
    over = service.privacy.over()
    table = _table("over", "case", "state", "ended")
    for case in over:
        table.add_row(case.ticket, case.status, _shown(service, case.ended_at) if case.ended_at else "")
    show(table if over else WORDS["none_over"])
    if now and over:
        _erase(service, tuple(case.ticket for case in over), TIME_OVER)


@privacy.command("record", help=WORDS["help_record"])
@click.option("--out", type=click.Path(path_type=Path), help=WORDS["help_out"])
def record(out: Path | None) -> None:
    """The record of processing."""
    service = opened()
    settings = service.parts.settings
    places = {
        "gitlab": settings.gitlab_url,
        "portal": settings.portal_callback_url or "",
        "mail": urlsplit(settings.smtp_url.get_secret_value()).hostname or "" if settings.smtp_url else "",
        "bsre": service.display.organisation.papers.signing_address,
        "wrapped": "ya" if settings.data_keys else "",
    }
    text = service.privacy.record(places)
    if out is None:
        click.echo(text)
        return
    out.write_text(text)
    click.echo(WORDS["written"].format(path=out))


@privacy.command("breach", help=WORDS["help_breach"])
@click.argument("tickets", nargs=-1)
@click.option("--discovered", required=True, help=WORDS["help_discovered"])
@click.option("--since", help=WORDS["help_since"])
@click.option("--until", help=WORDS["help_until"])
@click.option("--out", type=click.Path(path_type=Path), default=Path("pelanggaran"), show_default=True, help=WORDS["help_breach_out"])
def breach(tickets: tuple[str, ...], discovered: str, since: str | None, until: str | None, out: Path) -> None:
    """Who is affected, how many hours are left, and drafts of what they and the authority are told."""
    service = opened()
    found_at = _moment(service, discovered)
    first, last = (_moment(service, since) if since else None), _moment(service, until)

    def chosen(case: Case) -> bool:
        opened_at = case.history[0].entered_at
        return case.ticket in tickets if tickets else (first is None or opened_at >= first) and opened_at <= last

    people, due = service.privacy.affected(chosen), found_at + WITHIN
    if not people:
        _failed("nobody_affected")
    out.mkdir(parents=True, exist_ok=True)
    for name, text in service.privacy.notices(people, found_at, due).items():
        (out / name).write_text(text)
    left = int((due - service.parts.clock()).total_seconds() // HOUR)
    click.echo(WORDS["affected"].format(n=len(people), due=_shown(service, due), hours=left, folder=out))


@privacy.command("rewrap", help=WORDS["help_rewrap"])
def rewrap() -> None:
    """Wrap the keys of all cases by the first of ALUR_DATA_KEYS."""
    click.echo(WORDS["rewrapped"].format(n=opened().store.rewrap()))


def _erase(service: Service, tickets: tuple[str, ...], ground: str) -> None:
    against = {ticket: service.privacy.erase(ticket, ground) for ticket in tickets}
    service.bell.ring()
    for ticket, reason in against.items():
        click.echo(WORDS[reason or "erasing"].format(ticket=ticket), err=bool(reason))
    if any(against.values()):
        sys.exit(1)


def _restrain(ticket: str, kind: Restraint, reason: str, *, lift: bool) -> None:
    service = opened()
    if not service.store.ticket_exists(ticket):
        failed("unknown_ticket", ticket=ticket)
    why = " ".join(clean(reason).split())
    if not lift and not why:
        _failed("reason_missing")
    changed = service.store.unrestrain(ticket, kind) if lift else service.store.restrain(ticket, kind, why)
    click.echo(WORDS[f"{kind.value}_{'lifted' if lift else 'put'}" if changed else "same"].format(ticket=ticket))


def _moment(service: Service, text: str | None) -> datetime:
    """A moment as it is typed, by the clocks of the office where no zone is said; now, where nothing is."""
    if text is None:
        return service.parts.clock()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        _failed("no_moment", text=text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=service.parts.organisation.calendar.tz)).astimezone(UTC)


def _shown(service: Service, moment: datetime) -> str:
    return console.moment(moment, service.parts.organisation.calendar.tz)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=WORDS[f"title_{title}"])
    for column in columns:
        table.add_column(WORDS[f"column_{column}"])
    return table


def _failed(sentence: str, **values: object) -> NoReturn:
    click.echo(WORDS[sentence].format(**values), err=True)
    sys.exit(1)
