"""A worker that reserves numbers, one document after the other, and tells each: a process of its own, which may die at one of them.

`python reserving.py URL WORKER DOCUMENTS [inside|after AT]`: it dies without a goodbye while it reserves for its document AT, inside the
transaction, or right after, before it has told anybody.
"""

import os
import signal
import sys
from datetime import date

from integration.clock import utc_now
from integration.store import Store, StoreDown

DAY = date(2026, 6, 2)


def die() -> None:
    """As a process does whose machine lost its power."""
    os.kill(os.getpid(), signal.SIGKILL)


def reserve(store: Store, document: str, *, dies: str) -> str:
    """A number for the document; a store that is too busy is asked again, as the outbox does."""

    def written(seq: int) -> str:
        if dies == "inside":
            die()
        return f"{seq}/UN39.17/ST/VI/2026"

    while True:
        try:
            return store.number(document, "surat-tugas", DAY, written)
        except StoreDown:
            continue


def tell(line: str) -> None:
    """A line to whoever listens, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def document_of(worker: int, n: int) -> str:
    """The documents of a worker; the first is the same for all."""
    return f"SI-2026-{worker}{n:05d}/surat-tugas" if n else "SI-2026-000000/surat-tugas"


def main(url: str, worker: int, documents: int, dies: str = "", at: int = 0) -> None:
    """Say that it is ready, wait for a line, then reserve, and tell "document number" a line."""
    store = Store(url, clock=utc_now)
    store.tickets()  # connected
    tell("ready")
    sys.stdin.readline()
    for n in range(documents):
        document = document_of(worker, n)
        number = reserve(store, document, dies=dies if n == at else "")
        if (dies, n) == ("after", at):
            die()
        tell(f"{document} {number}")


if __name__ == "__main__":
    url, worker, documents, *death = sys.argv[1:]
    main(url, int(worker), int(documents), *death[:1], *map(int, death[1:]))
