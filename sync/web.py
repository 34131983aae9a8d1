"""`alur web`: the edge alone, under a production server."""

import click
from granian import Granian
from granian.constants import Interfaces

from sync.terminal import WORDS, configured

MOST_CONNECTIONS = 512
"""More wait to be accepted: each takes a descriptor, of which a process may have 1,024 unless somebody raised that, and up to 256 KiB."""

LAST_ANSWERS = 30  # seconds requests in hand have to be answered at a stop; whoever sends slower than that is left


@click.command(help=WORDS["help_web"])
def web() -> None:
    """Serve until told to stop; what answers is loaded by the process that does."""
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
        backpressure=MOST_CONNECTIONS,
        workers_kill_timeout=LAST_ANSWERS,
        log_dictconfig={"loggers": {"_granian": {"propagate": True}}},  # through our root, in our form
    ).serve()
