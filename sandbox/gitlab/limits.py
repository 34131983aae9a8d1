"""Application limits: so many calls of a kind per minute and caller, counted by the injected clock (behaviour.md 5.1), and labels.

GitLab after 18 counts the labels of a work item behind the flag `limit_labels_per_work_item`, at first off: no more than 100 are put on;
what carries more already may lose some (gitlab-org/gitlab!253768).
"""

from collections import Counter
from datetime import datetime

PERIOD = 60


class Limits:
    """Counters per kind, caller and minute. `per_minute`, and how many `labels` an issue may carry: 0 means without limit."""

    def __init__(self) -> None:
        self.per_minute = {"notes_create": 300, "issues_create": 300, "search": 30}
        self.labels = 0
        self._seen: Counter[tuple[str, object, int]] = Counter()

    def exceeded(self, kind: str, caller: object, now: datetime) -> bool:
        """Count one call and say whether it is one too many."""
        key = (kind, caller, int(now.timestamp()) // PERIOD)
        self._seen[key] += 1
        return 0 < self.per_minute[kind] < self._seen[key]
