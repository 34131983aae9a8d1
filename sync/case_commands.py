"""The commands about cases, their rows and their papers: they show, repair and prove.

Whatever they say to a person comes from templates/messages/cli.yaml.
"""

from pathlib import Path

import click

from integration.procedure.definition import Ending, by_revision
from sync import archive as archives
from sync import console as shown
from sync import documents
from sync.audit import audit as proved
from sync.opening import known_case, opened
from sync.terminal import WORDS, failed, show


@click.group(help=WORDS["help_case"])
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


inbox, outbox = rows("inbox"), rows("outbox")


@click.command(help=WORDS["help_reconcile"])
@click.option("--full", is_flag=True, help=WORDS["help_full"])
def reconcile(*, full: bool) -> None:
    """Compare the platform with the store."""
    click.echo(WORDS["reconciled"].format(n=opened().reconcile(full=full)))


@click.group("audit", help=WORDS["help_audit"])
def audit() -> None:
    """Proofs."""


@audit.command("verify", help=WORDS["help_audit_verify"])
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
        proof = proved(service.store, service.files, by_revision(service.parts.procedures), what)
    for fault in proof.faults:
        click.echo(WORDS[fault.kind].format(ticket=fault.ticket, seq=fault.seq, what=fault.what))
    if proof.faults:
        failed("audit_faults", faults=len(proof.faults))
    click.echo(WORDS["audit_ok"].format(cases=proof.cases, files=proof.files))


@click.command(help=WORDS["help_paper"])
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


@click.command(help=WORDS["help_archive"])
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
