"""Databases on SQLite whose tables are there already: made once in a test process, as making them takes as long as many a test."""

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy.engine import make_url

from integration.clock import utc_now
from integration.store import Store


def laid(url: str) -> str:
    """This URL of a database that is not there yet; now it is, and empty. What starts with it finds its tables of this release."""
    Path(str(make_url(url).database)).write_bytes(_empty())
    return url


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "alur.db")
        store = Store(f"sqlite:///{file}", clock=utc_now)
        store.migrate()
        store.close()
        return file.read_bytes()
