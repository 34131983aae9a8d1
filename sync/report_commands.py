"""The commands that write reports and the register to files.

Whatever they say to a person comes from templates/messages/cli.yaml.
"""

from pathlib import Path

import click

from sync import register as registers
from sync.opening import opened
from sync.periods import PeriodOpen, PeriodUnknown, Span, closed, period
from sync.reports import issue
from sync.terminal import WORDS, failed


@click.group(help=WORDS["help_report"])
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


@click.command(help=WORDS["help_register"])
@click.option("--year", type=int, help=WORDS["help_register_year"])
@click.option("--out", "file", type=click.Path(path_type=Path), required=True, help=WORDS["help_register_out"])
def register(year: int | None, file: Path) -> None:
    """Draw the register of cases."""
    service = opened()
    file.write_bytes(registers.register(service.store, service.display, year, service.parts.clock()))
    click.echo(WORDS["written"].format(path=file))
