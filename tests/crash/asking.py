"""A process that has one form kept by another one, however often that dies, and says which case it became; test_writing.py kills both."""

import asyncio
import pickle
import sys
from contextlib import closing

from integration.links import Links
from integration.settings import Settings
from integration.store import Arrival, Delivery, Kept, StoreDown
from webhooks.writing import Writer


async def sent(writer: Writer, key: str, settings: Settings) -> Kept:
    """Send a form until it is taken."""
    form = Arrival(Delivery("portal", key, "", b"a form"), ("SI", 2026, Links.of(settings).accepted))
    while True:
        try:
            (kept,) = await writer.keep_together([form])
        except StoreDown:
            continue
        assert isinstance(kept, Kept)
        return kept


async def main() -> None:
    """Send the form under the key that was given."""
    settings = pickle.load(sys.stdin.buffer)  # noqa: S301 -- the test says it
    with closing(Writer(settings)) as writer:
        sys.stdout.write((await sent(writer, sys.argv[1], settings)).answer["tiket"])


if __name__ == "__main__":
    asyncio.run(main())
