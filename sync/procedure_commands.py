"""`alur procedure`: procedure files checked, shown and tried out, and running cases taken over to a newer revision.

Trying out changes nothing: not even the tables of the store are made ready for it.
"""

import sys
from pathlib import Path

import click

from integration import logs, procedures
from integration.parts import Parts
from integration.procedures import UnknownProcedure
from integration.procedures.show import as_table, mermaid
from integration.settings import Settings
from integration.templates import messages
from sync import migration
from sync.opening import known_case, opened
from sync.simulation import Asked, simulate
from sync.simulation_shown import as_json, told
from sync.terminal import WORDS, failed, show

PAST, SYNTHETIC, BOTH = "past", "synthetic", "both"


@click.group(help=WORDS["help_procedure"])
def procedure() -> None:
    """Procedure files."""


@procedure.command("check", help=WORDS["help_procedure_check"])
@click.argument("file", type=click.Path(path_type=Path))
def procedure_check(file: Path) -> None:
    """Name every fault of a file."""
    try:
        faults = procedures.check(file)
    except OSError:
        failed("file_unreadable", file=file)
    for fault in faults:
        click.echo(f"{file}:{fault.line}: {fault.path}: {fault.message}")
    if faults:
        sys.exit(1)
    click.echo(WORDS["procedure_valid"].format(file=file))


@procedure.command("show", help=WORDS["help_procedure_show"])
@click.argument("name", required=False)
@click.option("--diagram", is_flag=True, help=WORDS["help_diagram"])
def procedure_show(name: str | None, *, diagram: bool) -> None:
    """Print a procedure."""
    known = procedures.shipped()
    try:
        wanted = procedures.load(Path(name) if name and Path(name).is_file() else name or next(reversed(known)))
    except UnknownProcedure:
        failed("procedure_unknown", name=name, known=", ".join(known))
    click.echo(mermaid(wanted) if diagram else f"{as_table(wanted)}\n\n{mermaid(wanted)}")


@procedure.command("simulate", help=WORDS["help_procedure_simulate"])
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--cases", type=click.IntRange(1, 1000), default=100, show_default=True, help=WORDS["help_simulate_cases"])
@click.option("--source", type=click.Choice([PAST, SYNTHETIC, BOTH]), default=BOTH, show_default=True, help=WORDS["help_simulate_source"])
@click.option("--seed", type=int, default=1, show_default=True, help=WORDS["help_simulate_seed"])
@click.option("--json", "as_data", is_flag=True, help=WORDS["help_json"])
def procedure_simulate(file: Path, cases: int, source: str, seed: int, *, as_data: bool) -> None:
    """Try an edited procedure beside the one in force, on past and on invented cases."""
    settings = Settings.read()
    logs.configure("WARNING", settings.every_secret)
    try:
        edited = procedures.load(file)
    except OSError:
        failed("file_unreadable", file=file)
    parts = Parts.of(settings)
    asked = Asked(cases if source != PAST else 0, cases if source != SYNTHETIC else 0, seed)
    tried = simulate(parts.store if parts.store.migrated() else None, parts.procedures, parts.organisation, edited, asked)
    if tried.past is None and tried.invented is None:
        click.echo(messages("simulate")["nothing"], err=True)
        sys.exit(1)
    if as_data:
        click.echo(as_json(tried))
        return
    for part in told(tried, file, wanted_past=source != SYNTHETIC):
        show(part)


@procedure.command("migrate", help=WORDS["help_procedure_migrate"])
@click.argument("tickets", nargs=-1, metavar="[TICKET]...")
@click.option("--to", metavar="REVISION", help=WORDS["help_to"])
@click.option("--dry-run", is_flag=True, help=WORDS["help_migrate_dry_run"])
def procedure_migrate(tickets: tuple[str, ...], to: str | None, *, dry_run: bool) -> None:
    """Have open cases go on under a newer revision, where their position survives; 1 where one's does not."""
    service = opened()
    parts, display, now = service.parts, service.display, service.parts.clock()
    if to and to not in {known.revision for known in parts.procedures}:
        failed("revision_unknown", revision=to, known=", ".join(known.revision for known in parts.procedures))
    wanted = dict.fromkeys(tickets) or [row.ticket for row in parts.store.case_rows(open_only=True) if row.version]
    planned = [migration.planned(display, known_case(service, ticket), to, now) for ticket in wanted]
    plans = [plan for plan in planned if plan]
    if not plans:
        click.echo(WORDS["migrate_nothing"])
        return
    for plan in plans:
        click.echo("\n".join(migration.told(plan)))
    show(migration.summary(plans))
    if not dry_run:
        click.echo(WORDS["migrate_asked"].format(n=migration.ask(parts.store, plans, now)))
        parts.bell.ring()
    sys.exit(any(plan.obstacles for plan in plans))
