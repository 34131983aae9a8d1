"""Faults that can be switched on: slow answers, refusals before or after the deed, answers of somebody else, cut and dropped connections.

Rule: a fault is used up after the given number of matching requests, and an unmatched request never notices it.
"""

import re
import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` requests of this method whose path matches; `by` this account, None: whoever sends them."""

    method: str
    path: re.Pattern[str]
    times: int
    status: int | None = None
    after_commit: bool = False
    latency: float = 0
    drop: bool = False
    cut: bool = False
    says: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    by: int | None = None

    @property
    def instead(self) -> bool:
        """Whether something else comes than the answer."""
        return self.drop or self.status is not None or self.says is not None

    def matches(self, method: str, path: str, by: int | None) -> bool:
        """Say whether this request is meant."""
        meant = self.method in {"*", method} and self.by in {None, by}
        return meant and self.times > 0 and self.path.search(path) is not None


class Faults:
    """The faults still to come, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Disarm all."""
        with self._lock:
            self._faults.clear()

    def take(self, method: str, path: str, by: int | None) -> Fault | None:
        """Use up one occurrence of the first matching fault."""
        with self._lock:
            for fault in self._faults:
                if fault.matches(method, path, by):
                    fault.times -= 1
                    return fault
        return None
