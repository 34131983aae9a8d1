"""What all commands of `alur` share: how they begin, what they say, and how they end.

Whatever they say to a person comes from templates/messages/cli.yaml.
"""

import sys
from collections.abc import Mapping
from typing import NoReturn

import click
from rich.console import Console

from integration import logs
from integration.parts import secrets
from integration.procedure.case import Case, fold
from integration.settings import Settings
from integration.templates import messages
from sync.wiring import Service, build

WORDS = messages("cli")


def failed(sentence: str, words: Mapping[str, str] = WORDS, **values: object) -> NoReturn:
    """End with a sentence about what can be put right."""
    click.echo(words[sentence].format(**values), err=True)
    sys.exit(1)


def configured() -> Settings:
    """The settings, with logs as they say. Raises SettingsFaults."""
    settings = Settings.read()
    logs.configure(settings.log_level, secrets(settings))
    return settings


def opened() -> Service:
    """The service, for a command that asks it something and ends."""
    settings = Settings.read()
    logs.configure("WARNING", secrets(settings))
    return build(settings)


def known_case(service: Service, ticket: str) -> Case:
    """The case of this ticket as it stands; ends with a sentence where there is none, or none yet."""
    known = fold(service.store.entries(ticket))
    if known is None:
        failed("not_worked_on" if service.store.ticket_exists(ticket) else "unknown_ticket", ticket=ticket)
    return known


def show(what: object) -> None:
    """Print a table or a sentence."""
    Console(highlight=False).print(what)
