"""Finds what no hook told: compares the platform with what was last looked at or shown, and asks for a look where they differ.

Nothing is repaired or decided here. A sweep over a platform where nothing changed is one request, whatever the number of cases.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from integration.clock import Clock
from integration.issue import IssueSeen, Sighting, differing, fields_of, read_sighting
from integration.payloads import Look, look_bytes
from integration.snapshot import unread
from integration.store import Delivery, Store
from sync.gitlab import Platform

SWEPT = "sapuan"
"""The mark under which it is remembered until when the last sweep saw all changes."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciler:
    """`sweep` is for every few minutes, `full` for the night and the operator. Not shared between threads."""

    store: Store
    platform: Platform
    clock: Clock

    def sweep(self) -> int:
        """Ask for a look at each case whose issue changed since the last sweep; gives how many. Raises Transient, Permanent, StoreDown."""
        began, last = self.clock(), self.store.mark(SWEPT)
        issues = list(self.platform.changed(datetime.fromisoformat(last) if last else None))
        found = self.store.keep_all(self._looks(issues))  # nothing is kept before the last page is read
        if issues:  # GitLab's clock may be behind ours: of the time after its newest change nothing is known
            self.store.set_mark(SWEPT, min(began, max(issue.updated_at for issue in issues)).isoformat())
        return found

    def full(self) -> int:
        """The same over all issues, whenever they changed, for a deleted label leaves no trace; gives for how many.

        An open case whose issue is not listed any more is named in the log: somebody deleted or moved it.
        """
        issues = {issue.iid: issue for issue in self.platform.changed(None)}
        looks = list(self._looks(issues.values()))
        for row in self.store.case_rows(open_only=True):
            if row.iid is not None and row.iid not in issues:
                log.warning("%s: its issue %d is not in the project any more", row.ticket, row.iid)
        return self.store.keep_all(looks)

    def _looks(self, issues: Iterable[IssueSeen]) -> Iterator[Delivery]:
        """One for each case's issue that is not as it was last seen. The same difference is asked about once an hour."""
        hour = self.clock().strftime("%Y-%m-%dT%H")
        for issue in issues:
            ticket = self.store.ticket_of(issue.iid)
            if ticket is None:
                continue
            last = read_sighting(self.store.observed(ticket))
            if last is None or _differs(issue, last):
                seen = hashlib.sha256(repr((issue, sorted(issue.labels))).encode()).hexdigest()[:16]
                key = f"{issue.iid}:{issue.updated_at.isoformat()}:{seen}:{hour}"
                yield Delivery("sweep", key, ticket, look_bytes(Look(issue.iid, unread(issue, last))))


def _differs(issue: IssueSeen, last: Sighting) -> bool:
    """Whether anything of ours, or the number of comments, is not as it was last seen."""
    return bool(differing(fields_of(last.issue), issue) or unread(issue, last))
