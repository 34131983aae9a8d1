"""The commands about organisation files: what is wrong with one, and what another would change.

Whatever they say to a person comes from templates/messages/cli.yaml.
"""

import sys
from pathlib import Path

import click

from integration import organisation as organisations
from integration import procedures
from integration.settings import Settings
from integration.vacancies import office_roles
from sync import changes
from sync.opening import opened
from sync.terminal import WORDS


@click.group(help=WORDS["help_organisation"])
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
