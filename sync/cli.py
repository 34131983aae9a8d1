"""The command `alur`: starts the processes, and shows and repairs what operators ask about.

Whatever it says to a person comes from templates/messages/cli.yaml; what can be put right ends it with 1, bad settings with 2.
"""

import signal
import sys
import threading
from pathlib import Path

import click
from granian import Granian
from granian.constants import Interfaces
from rich.console import Console

from integration import logs, procedures
from integration import organisation as organisations
from integration.clock import utc_now
from integration.faults import Permanent, Transient
from integration.organisation import OrganisationFaults
from integration.procedure.definition import Ending, by_revision
from integration.procedures import InvalidProcedure
from integration.settings import Settings, SettingsFaults
from integration.store import StoreDown
from integration.vacancies import office_roles
from sync import archive as archives
from sync import changes, documents
from sync import console as shown
from sync.audit import audit
from sync.book_commands import numbers
from sync.periods import PeriodOpen, PeriodUnknown, Span, closed, period
from sync.portal_commands import portal, sandbox
from sync.privacy_commands import privacy
from sync.procedure_commands import procedure
from sync.register import register
from sync.reports import issue
from sync.serve import OneProcess, log_end_of_thread
from sync.terminal import WORDS, configured, failed, known_case, opened, show
from sync.upkeep_commands import upkeep
from sync.wiring import build
from sync.worker import CONCURRENCY, run_beat, run_worker

BAD_SETTINGS = 2
LAST_ANSWERS = 30  # seconds requests in hand have to be answered at a stop; whoever sends slower than that is left


class Commands(click.Group):
    """A group whose foreseeable faults are sentences, not tracebacks."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command asked for."""
        try:
            return super().invoke(ctx)
        except (SettingsFaults, OrganisationFaults, InvalidProcedure) as faults:
            click.echo(str(faults), err=True)
            ctx.exit(BAD_SETTINGS)
        except StoreDown as fault:
            failed("store_down", reason=fault)
        except BrokenPipeError:
            raise  # whoever read our words has gone: click ends quietly
        except OSError as fault:
            failed("system_no", reason=fault)
        except (Transient, Permanent) as fault:
            known = shown.cause(fault.failure)
            failed("failed", reason=fault, cause=known["cause"], fix=known["fix"])


@click.group(cls=Commands, help=WORDS["help"], context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The command line."""


# --- processes ---


@main.command(help=WORDS["help_serve"])
def serve() -> None:
    """Web, workers and clock in one process."""
    settings = configured().model_copy(update={"broker_url": None})
    process = OneProcess(build(settings), settings.bind)
    threading.excepthook = log_end_of_thread
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: process.stop.set())
    process.start()
    click.echo(WORDS["listening"].format(url=process.url))
    process.stop.wait()
    process.close()
    sys.exit(process.failed)


@main.command(help=WORDS["help_web"])
def web() -> None:
    """The edge alone, under a production server."""
    bind = configured().bind
    Granian(
        "webhooks.app:application",
        address=bind.host,
        port=bind.port,
        interface=Interfaces.ASGI,
        factory=True,
        workers=1,
        respawn_failed_workers=True,
        websockets=False,
        workers_kill_timeout=LAST_ANSWERS,
        log_dictconfig={"loggers": {"_granian": {"propagate": True}}},  # through our root, in our form
    ).serve()


@main.command(help=WORDS["help_worker"])
@click.option("--concurrency", default=CONCURRENCY, show_default=True, help=WORDS["help_concurrency"])
def worker(concurrency: int) -> None:
    """A Celery worker."""
    settings = configured()
    if settings.broker_url is None:
        failed("broker_missing")
    run_worker(settings, concurrency)


@main.command(help=WORDS["help_beat"])
def beat() -> None:
    """The Celery scheduler."""
    settings = configured()
    if settings.broker_url is None:
        failed("broker_missing")
    run_beat(settings)


@main.command(help=WORDS["help_demo"])
@click.option("--keep", is_flag=True, help=WORDS["help_keep"])
def demo(*, keep: bool) -> None:
    """A whole campus on this machine."""
    from sync.demo import demonstrate  # noqa: PLC0415 -- production code never loads the stand-ins

    folder = Path("var") / "demo" / utc_now().strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    logs.configure("WARNING", stream=(folder / "log.jsonl").open("w"))
    demonstrate(Console(), folder.absolute(), keep=keep)


main.add_command(procedure)


# --- the organisation ---


@main.group(help=WORDS["help_organisation"])
def organisation() -> None:
    """Organisation files."""


@organisation.command("check", help=WORDS["help_organisation_check"])
@click.argument("file", required=False, type=click.Path(path_type=Path))
def organisation_check(file: Path | None) -> None:
    """Name every fault of a file and of the calendars it names."""
    file = file or Settings.read().organisation
    known = [procedures.load(path) for path in procedures.shipped().values()]
    faults = organisations.check(file, office_roles(known))
    for fault in faults:
        click.echo(str(fault))
    if faults:
        sys.exit(1)
    click.echo(WORDS["organisation_valid"].format(file=file))


@organisation.command("diff", help=WORDS["help_organisation_diff"])
@click.argument("file", type=click.Path(path_type=Path))
def organisation_diff(file: Path) -> None:
    """What another file would change."""
    parts = opened().parts
    before, after = parts.organisation, organisations.load(file, office_roles(parts.procedures))
    for sentence in changes.report(parts.store, parts.procedures, before, after):
        click.echo(sentence)


# --- cases ---


@main.group(help=WORDS["help_case"])
def case() -> None:
    """Cases."""


@case.command("list", help=WORDS["help_case_list"])
@click.option("--all", "everything", is_flag=True, help=WORDS["help_all"])
@click.option("--status", help=WORDS["help_status"])
def case_list(status: str | None, *, everything: bool) -> None:
    """What stands where."""
    parts = opened().parts
    rows = parts.store.case_rows(open_only=not everything and status not in set(Ending), status=status)
    table = shown.cases(rows, parts.procedures, parts.organisation.calendar.tz)
    show(table if table.row_count else WORDS["nothing"])


@case.command("show", help=WORDS["help_case_show"])
@click.argument("ticket")
def case_show(ticket: str) -> None:
    """The whole history of a case."""
    service = opened()
    known_case(service, ticket)
    show(shown.history(ticket, service.store.entries(ticket), service.parts.organisation.calendar.tz))


@case.command("explain", help=WORDS["help_case_explain"])
@click.argument("ticket")
def case_explain(ticket: str) -> None:
    """Why the current step is due when it is."""
    service = opened()
    known = known_case(service, ticket)
    entries, procedure = service.store.entries(ticket), service.display.procedure(known)
    for sentence in shown.explanation(known, entries, procedure, service.parts.organisation.calendar, service.parts.clock()):
        click.echo(sentence)


# --- rows ---


def rows(side: str) -> click.Group:
    """The three commands about the rows of the inbox or the outbox."""

    @click.group(side, help=WORDS[f"help_{side}"])
    def group() -> None:
        """Rows."""

    @group.command("list", help=WORDS["help_rows_list"])
    @click.option("--parked", is_flag=True, help=WORDS["help_parked"])
    def rows_list(*, parked: bool) -> None:
        parts = opened().parts
        state, tz = "parked" if parked else None, parts.organisation.calendar.tz
        table = (
            shown.inbox(parts.store.inbox_rows(state=state), tz)
            if side == "inbox"
            else shown.outbox(parts.store.outbox_rows(state=state), tz)
        )
        show(table if table.row_count else WORDS["nothing"])
        waiting = next(waiting for waiting in parts.store.waiting() if waiting.side == side)
        total = waiting.parked + (0 if parked else waiting.waiting)
        if total > table.row_count:
            click.echo(WORDS["rows_more"].format(shown=table.row_count, n=total))

    @group.command("show", help=WORDS["help_rows_show"])
    @click.argument("row", type=int)
    def rows_show(row: int) -> None:
        parts = opened().parts
        found = parts.store.inbox_rows(row_id=row) if side == "inbox" else parts.store.outbox_rows(row_id=row)
        if not found:
            failed("unknown_row", row=row)
        for heading, text in shown.whole_row(found[0], parts.organisation.calendar.tz):
            click.echo(f"{heading}: {text.plain}")

    @group.command("replay", help=WORDS["help_rows_replay"])
    @click.argument("row", type=int, required=False)
    @click.option("--all", "everything", is_flag=True, help=WORDS["help_rows_all"])
    def rows_replay(row: int | None, *, everything: bool) -> None:
        if (row is None) is not everything:
            failed("replay_which")
        parts = opened().parts
        replayed = parts.store.replay("inbox" if side == "inbox" else "outbox", row)
        if not replayed:
            failed("none_parked" if everything else "not_parked", row=row)
        parts.bell.ring()
        click.echo(WORDS["replayed_all" if everything else "replayed"].format(row=row, n=replayed))

    return group


main.add_command(rows("inbox"))
main.add_command(rows("outbox"))


main.add_command(numbers)
main.add_command(privacy)
main.add_command(portal)
main.add_command(sandbox)
for command in upkeep:
    main.add_command(command)


# --- reports, repair, proof ---


@main.group(help=WORDS["help_report"])
def report() -> None:
    """Reports."""


def report_of(span: Span, command: str, option: str) -> None:
    """The command that writes the reports of weeks, of months or of years."""

    @report.command(command, help=WORDS[f"help_report_{command}"])
    @click.option(f"--{option}", "name", help=WORDS[f"help_{option}"])
    @click.option("--out", "folder", type=click.Path(path_type=Path), help=WORDS["help_out"])
    def written(name: str | None, folder: Path | None) -> None:
        service = opened()
        parts = service.parts
        chosen = name or closed(span, parts.clock(), parts.organisation.calendar.tz)
        try:
            asked = period(chosen, parts.organisation.calendar.tz, span)
            issued = issue(service.store, service.files, service.display, asked.name)
        except PeriodUnknown:
            failed(f"{option}_unknown", name=chosen)
        except PeriodOpen:
            failed(f"{option}_open", name=chosen)
        for path in issued.save(folder or parts.settings.data_dir / "laporan"):
            click.echo(WORDS["written"].format(path=path))


report_of(Span.WEEK, "weekly", "week")
report_of(Span.MONTH, "monthly", "month")
report_of(Span.YEAR, "yearly", "year")


@main.command("register", help=WORDS["help_register"])
@click.option("--year", type=int, help=WORDS["help_register_year"])
@click.option("--out", "file", type=click.Path(path_type=Path), required=True, help=WORDS["help_register_out"])
def register_drawn(year: int | None, file: Path) -> None:
    """Draw the register of cases."""
    service = opened()
    file.write_bytes(register(service.store, service.display, year, service.parts.clock()))
    click.echo(WORDS["written"].format(path=file))


@main.command(help=WORDS["help_reconcile"])
@click.option("--full", is_flag=True, help=WORDS["help_full"])
def reconcile(*, full: bool) -> None:
    """Compare the platform with the store."""
    click.echo(WORDS["reconciled"].format(n=opened().reconcile(full=full)))


@main.group("audit", help=WORDS["help_audit"])
def audits() -> None:
    """Proofs."""


@audits.command("verify", help=WORDS["help_audit_verify"])
@click.argument("what", required=False)
def audit_verify(what: str | None) -> None:
    """Prove the event chain, the hashes of files and the way of cases; of an archive without any setting."""
    archive = Path(what or "")
    if archive.is_file():
        proof = archives.prove(archive)
    else:
        service = opened()
        if what and not service.store.ticket_exists(what):
            failed("unknown_ticket", ticket=what)
        proof = audit(service.store, service.files, by_revision(service.parts.procedures), what)
    for fault in proof.faults:
        click.echo(WORDS[fault.kind].format(ticket=fault.ticket, seq=fault.seq, what=fault.what))
    if proof.faults:
        failed("audit_faults", faults=len(proof.faults))
    click.echo(WORDS["audit_ok"].format(cases=proof.cases, files=proof.files))


@main.command(help=WORDS["help_paper"])
@click.argument("document")
@click.option("--docx", is_flag=True, help=WORDS["help_paper_docx"])
@click.option("--issued", is_flag=True, help=WORDS["help_paper_issued"])
@click.option("--out", type=click.Path(path_type=Path), help=WORDS["help_paper_out"])
def paper(document: str, *, docx: bool, issued: bool, out: Path | None) -> None:
    """Write one document of a case to a file: its version of record, the one that was issued, or as DOCX."""
    service = opened()
    case = known_case(service, document.partition("/")[0])
    made = next((known for known in case.documents if known.id == document and known.sha256), None)
    if made is None:
        failed("paper_unknown", document=document, known=", ".join(known.id for known in case.documents if known.sha256) or "-")
    if docx:
        from sync import word  # noqa: PLC0415 -- 8 MiB that no process needs

        display, entries = service.display, service.store.entries(case.ticket)
        procedure = display.revision(case.procedure, made.revision)
        reserved = documents.Reserved(made.number, "")
        composed = documents.compose(document, entries, procedure, display.organisation, reserved, display.wording)
        content, name = word.render(composed.text, composed.sheet), Path(documents.filename(made)).with_suffix(".docx")
    else:
        signed = None if issued else made.of_record
        content, name = service.files.get(case.ticket, signed.sha256 if signed else made.sha256), Path(documents.filename(made, signed))
    out = out or name
    out.write_bytes(content)
    click.echo(WORDS["written"].format(path=out))


@main.command(help=WORDS["help_archive"])
@click.argument("ticket")
@click.option("--out", type=click.Path(path_type=Path), help=WORDS["help_archive_out"])
def archive(ticket: str, out: Path | None) -> None:
    """Write a case's archive to a file: the one that was kept when it had ended, or of how it stands now."""
    service = opened()
    case = known_case(service, ticket)
    hands = service.archives
    content = hands.keep(ticket, service.display) if case.ended_at else hands.pack(ticket, service.display)
    out = out or Path(f"{ticket}.zip")
    out.write_bytes(content)
    click.echo(WORDS["archived" if case.ended_at else "archived_so_far"].format(ticket=ticket, file=out))
