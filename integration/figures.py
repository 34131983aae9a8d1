"""What is counted, each family of figures once: its name, what it counts, its labels. Kept in the store, shown at `/metrics`.

A label takes few values, all of them ours: never an id, never a word somebody wrote. Each is a series for as long as the store lives.
"""

from collections import Counter
from dataclasses import dataclass

from integration.store import Store

ENOUGH = 50
"""Figures that are told together."""


@dataclass(frozen=True, slots=True)
class Family:
    """One counter of Prometheus, without its prefix and `_total`. `known`: label values shown from the start, at 0."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    known: tuple[tuple[str, ...], ...] = ()

    def key(self, *values: str) -> str:
        """Under which name the store keeps the figure with these label values, in the order of `labels`."""
        return ":".join((self.name, *values))

    def read(self, counts: dict[str, int]) -> dict[tuple[str, ...], int]:
        """This family's figures among all the store has, by their label values."""
        split = {tuple(key.split(":")): n for key, n in counts.items()}
        ours = {key[1:]: n for key, n in split.items() if key[0] == self.name and len(key) == len(self.labels) + 1}
        return dict.fromkeys(self.known, 0) | ours


class Tally:
    """What one thread counted and has not told the store yet: told one by one, counting would cost more than the work that is counted.

    A process that dies takes along what it has not told: less than ENOUGH and what one lane's work adds to it, for it is told whenever
    there are so many and whenever nothing is left to do. Nothing is decided by these figures.

    `counted`: by the names under which the store keeps the figures.
    """

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    def add(self, family: Family, *values: str) -> None:
        """Count one, with these label values in the order of the family's labels."""
        self.counted[family.key(*values)] += 1

    def tell(self, store: Store, *, at_least: int = 1) -> None:
        """Tell the store, where there is so much to tell; what it could not be told is kept for the next time. Raises StoreDown."""
        if self.counted.total() >= at_least:
            store.count(self.counted)
            self.counted.clear()


RETRIES = Family("retries", "Attempts at a row beyond its first", ("side",), (("inbox",), ("outbox",)))
REQUESTS = Family(
    "platform_requests",
    "Requests to GitLab by workers and sweeps: what was asked for, and the status answered (none: no answer)",
    ("method", "of", "status"),
)
FIELDS_REFUSED = Family(
    "platform_fields_refused", "Times GitLab left a field of an issue as it was though it was asked for another value", ("field",)
)
MENDED = Family("drift_repairs", "Times something that somebody changed without asking was put back, by what it was", ("what",))
LEFT = Family("drift_left", "Times an issue was left as it was for a while, having been put right too often", (), ((),))
FINDS = Family(
    "lost_hook_finds",
    "What was found on an issue by looking, 10 s or more after it happened, without any hook having told",
    ("of",),
    (("request",), ("drift",), ("deletion",)),
)
MESSAGES_REFUSED = Family("portal_messages_refused", "Messages of the portal that were refused for what they say", ("status",), (("422",),))

FAMILIES = (RETRIES, REQUESTS, FIELDS_REFUSED, MENDED, LEFT, FINDS, MESSAGES_REFUSED)
