"""`alur demo`, as the command line knows it also where the stand-ins are not: only playing it loads them."""

from pathlib import Path

import click
from rich.console import Console

from integration import logs
from integration.clock import utc_now
from sync.terminal import WORDS


@click.command(help=WORDS["help_demo"])
@click.option("--keep", is_flag=True, help=WORDS["help_keep"])
def demo(*, keep: bool) -> None:
    """A whole campus on this machine."""
    from sync.demo import demonstrate  # noqa: PLC0415 -- production code never loads the stand-ins

    folder = Path("var") / "demo" / utc_now().strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    logs.configure("WARNING", stream=(folder / "log.jsonl").open("w"))
    demonstrate(Console(), folder.absolute(), keep=keep)
