"""`alur numbers`: the book of document numbers, listed, made void in, and taken over from the one that was kept by hand."""

from pathlib import Path

import click

from integration.neutral import clean
from integration.yamlfile import FileFaults
from sync import console as shown
from sync.book import series_named, take_over, titles
from sync.opening import opened
from sync.terminal import WORDS, failed, show


@click.group(help=WORDS["help_numbers"])
def numbers() -> None:
    """The book of document numbers."""


@numbers.command("list", help=WORDS["help_numbers_list"])
@click.option("--year", type=int, help=WORDS["help_numbers_year"])
@click.option("--type", "name", help=WORDS["help_numbers_type"])
def numbers_list(year: int | None, name: str | None) -> None:
    """What became of each number."""
    parts = opened().parts
    numbering = parts.organisation.numbering
    known = titles(parts.procedures, numbering)
    series = series_named(name, known, numbering) if name else None
    if name and series is None:
        failed("series_unknown", name=name, known=", ".join(sorted(map(numbering.code, known))))
    rows = parts.store.number_rows(series=series, year=year)
    for table in shown.numbers(rows, known, parts.organisation.calendar.tz):
        show(table)
    if not rows:
        show(WORDS["nothing"])


@numbers.command("void", help=WORDS["help_numbers_void"])
@click.argument("number")
@click.option("--reason", default="", help=WORDS["help_reason"])
def numbers_void(number: str, reason: str) -> None:
    """Make a number void for ever."""
    parts = opened().parts
    why = " ".join(clean(reason).split())
    if not why:
        failed("reason_missing")
    voided, row = parts.store.void_number(number, why), parts.store.number_row(number)
    if row is None:
        failed("number_unknown", number=number)
    if not voided:
        failed("number_void", number=number, at=shown.moment(row.voided_at, parts.organisation.calendar.tz), reason=row.reason)
    click.echo(WORDS["number_voided"].format(number=number))


@numbers.command("import", help=WORDS["help_numbers_import"])
@click.argument("file", type=click.Path(path_type=Path))
def numbers_import(file: Path) -> None:
    """Take over the book that was kept by hand."""
    parts = opened().parts
    organisation = parts.organisation
    known = titles(parts.procedures, organisation.numbering)
    try:
        taken = take_over(parts.store, file, known, organisation.numbering, parts.clock().astimezone(organisation.calendar.tz).date())
    except OSError:
        failed("file_unreadable", file=file)
    except FileFaults as faults:
        click.echo(str(faults))
        failed("numbers_refused", n=len(faults.faults))
    click.echo(WORDS["numbers_taken"].format(n=taken.new))
