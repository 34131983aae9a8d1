"""What all commands of `alur` share: how processes begin, what is said, and how a command ends; nothing that takes long to load.

Whatever is said to a person comes from templates/messages/cli.yaml.
"""

import sys
from collections.abc import Mapping
from typing import NoReturn

import click
from rich.console import Console

from integration import logs
from integration.faults import Failure
from integration.settings import Settings
from integration.templates import messages

WORDS = messages("cli")


def failed(sentence: str, words: Mapping[str, str] = WORDS, **values: object) -> NoReturn:
    """End with a sentence about what can be put right."""
    click.echo(words[sentence].format(**values), err=True)
    sys.exit(1)


def configured() -> Settings:
    """The settings, with logs as they say. Raises SettingsFaults."""
    settings = Settings.read()
    logs.configure(settings.log_level, settings.every_secret)
    return settings


def configured_for_many() -> tuple[Settings, str]:
    """The same for one process of many, and where their broker is; ends with a sentence where none is said. Raises SettingsFaults."""
    settings = configured()
    if settings.broker_url is None:
        failed("broker_missing")
    return settings, settings.broker_url.get_secret_value()


def cause(failure: str) -> dict[str, str]:
    """Why something failed ("cause") and what to do about it ("fix"); `failure`: a word of integration.faults, perhaps a newer one."""
    words = messages("faults")
    known = failure if failure in words else Failure.OTHER
    return {"cause": words[known], "fix": words[f"{known}_fix"]}


def show(what: object) -> None:
    """Print a table or a sentence."""
    Console(highlight=False).print(what)
