"""The command `alur`: starts the processes, and shows and repairs what operators ask about.

Each command is loaded when it is asked for: a process holds no more than it works with. What can be put right ends a command with 1, bad
settings with 2; whatever is said to a person comes from templates/messages/cli.yaml.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module

import click

from integration.faults import Permanent, StoreDown, Transient
from integration.settings import SettingsFaults
from integration.yamlfile import FileFaults
from sync.terminal import WORDS, cause, failed

BAD_SETTINGS = 2
COMMANDS = {
    "archive": "case_commands",
    "audit": "case_commands",
    "backup": "upkeep_commands",
    "beat": "beat",
    "case": "case_commands",
    "database": "upkeep_commands",
    "demo": "demo_command",
    "doctor": "upkeep_commands",
    "inbox": "case_commands",
    "numbers": "book_commands",
    "organisation": "organisation_commands",
    "outbox": "case_commands",
    "paper": "case_commands",
    "portal": "portal_commands",
    "privacy": "privacy_commands",
    "procedure": "procedure_commands",
    "provision": "upkeep_commands",
    "reconcile": "case_commands",
    "register": "report_commands",
    "report": "report_commands",
    "restore": "upkeep_commands",
    "sandbox": "portal_commands",
    "serve": "serve",
    "token": "upkeep_commands",
    "web": "web",
    "worker": "worker",
}
"""The commands, and the module of this package that has each under its name."""


class Loaded(Mapping[str, click.Command]):
    """The commands by name, each loaded when it is asked for."""

    def __getitem__(self, name: str) -> click.Command:
        """The command of this name. KeyError where there is none."""
        command: click.Command = getattr(import_module(f"sync.{COMMANDS[name]}"), name)
        return command

    def __iter__(self) -> Iterator[str]:
        """Their names."""
        return iter(COMMANDS)

    def __len__(self) -> int:
        """How many there are."""
        return len(COMMANDS)


class Commands(click.Group):
    """A group whose foreseeable faults are sentences, not tracebacks."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command asked for."""
        try:
            return super().invoke(ctx)
        except (SettingsFaults, FileFaults) as faults:
            click.echo(str(faults), err=True)
            ctx.exit(BAD_SETTINGS)
        except StoreDown as fault:
            failed("store_down", reason=fault)
        except BrokenPipeError:
            raise  # whoever read our words has gone: click ends quietly
        except OSError as fault:
            failed("system_no", reason=fault)
        except (Transient, Permanent) as fault:
            known = cause(fault.failure)
            failed("failed", reason=fault, cause=known["cause"], fix=known["fix"])


@click.group(cls=Commands, commands=Loaded(), help=WORDS["help"], context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The command line."""
