"""A Celery worker as `alur worker` is one, with tasks that do nothing: what a message costs before anybody works.

    python -m tests.bench.bare CONCURRENCY FILE

The settings are those of the service. `bare.nothing` does nothing; `bare.heard` writes into the file when it began, and the word it was
sent with.
"""

import os
import sys
import time
from pathlib import Path

from celery import Celery

from integration.settings import Settings
from sync.worker import make_app, serve

NOTHING, HEARD = "bare.nothing", "bare.heard"


def bare(settings: Settings, file: Path = Path(os.devnull)) -> Celery:
    """The app of the worker, with these tasks besides its own."""
    app = make_app(settings, settings.broker_url.get_secret_value())

    def nothing() -> None:
        pass

    def heard(word: str) -> None:
        began = time.time()
        with file.open("a", encoding="ascii") as told:  # one write, so that processes do not mix their lines
            told.write(f"{word} {began!r}\n")

    app.task(nothing, name=NOTHING)
    app.task(heard, name=HEARD)
    return app


if __name__ == "__main__":
    serve(bare(Settings.read(), Path(sys.argv[2])), int(sys.argv[1]))
