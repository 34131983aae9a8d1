"""Finds what no hook told: compares the platform with what was last shown there, and asks for a look where they differ."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from integration.store import Store
from sync.gitlab import Platform


@dataclass(frozen=True, slots=True)
class Reconciler:
    """`sweep` is cheap and often; `full` reads every open case and is for the night and the operator."""

    store: Store
    platform: Platform
    clock: Callable[[], datetime]

    def sweep(self) -> int:
        """Ask for a look at each issue changed since the last sweep; gives how many."""
        raise NotImplementedError

    def full(self) -> int:
        """Ask for a look at each case whose issue differs from what was last shown, changed lately or not; gives how many."""
        raise NotImplementedError
