"""Finds what no hook told: compares the platform with what was last looked at or shown, and asks for a look where they differ.

Nothing is decided here, and nothing repaired but the labels themselves, which no case could repair. A sweep over a platform where nothing
changed is three requests, whatever the number of cases.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from integration.clock import Clock
from integration.faults import Permanent
from integration.issue import EVERYTHING, IssueSeen, Part, Sighting, differing, fields_of, sighting_of
from integration.payloads import Look, look_bytes
from integration.snapshot import unread
from integration.store import CaseRow, Delivery, Store
from sync.gitlab import Platform
from sync.provision import Provision

SWEPT = "sapuan"
"""The mark under which it is remembered until when the last sweep saw all changes."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciler:
    """`sweep` is for every minute, `full` for the night and the operator. Not shared between threads."""

    store: Store
    platform: Platform
    clock: Clock
    provision: Provision

    def sweep(self) -> int:
        """Ask for a look at each case whose issue changed since the last sweep, or lost a label, or is gone; gives how many.

        Raises Transient, Permanent, StoreDown.
        """
        began, last = self.clock(), self.store.mark(SWEPT)
        found = self._restore_labels()  # first: an issue looked at meanwhile would get a new label of the old name
        issues = list(self.platform.changed(datetime.fromisoformat(last) if last else None))
        found += self.store.keep_all(self._looks(issues))  # nothing is kept before the last page is read
        if issues:  # GitLab's clock may be behind ours: of the time after its newest change nothing is known
            self.store.set_mark(SWEPT, min(began, max(issue.updated_at for issue in issues)).isoformat())
        listed, cases = self.platform.open_issues(), self._open_cases()
        if listed is not None and listed < len(cases):  # deleting an issue leaves no trace
            found += self._look_for_missing(cases, {issue.iid for issue in (*issues, *self.platform.opened())})
        return found

    def full(self) -> int:
        """The same over all issues, whenever they changed; gives for how many."""
        found = self._restore_labels()
        issues = {issue.iid: issue for issue in self.platform.changed(None)}
        return found + self.store.keep_all(self._looks(issues.values())) + self._look_for_missing(self._open_cases(), set(issues))

    def _open_cases(self) -> list[CaseRow]:
        return [row for row in self.store.case_rows(open_only=True) if row.iid is not None]

    def _restore_labels(self) -> int:
        """Put the labels right, and ask for a look at each open case that carried one which issues lost; gives for how many."""
        try:
            lost = self.provision.restore_labels()
        except Permanent:
            log.exception("the labels cannot be put right")
            return 0
        if not lost:
            return 0
        log.warning("labels were renamed, merged or deleted: %s", ", ".join(sorted(lost)))
        carried = (row for row in self._open_cases() if (seen := self._seen(row.ticket, row.iid)) and lost & seen.issue.labels)
        return self.store.keep_all([self._look(row, "label") for row in carried])

    def _look_for_missing(self, cases: Iterable[CaseRow], listed: set[int]) -> int:
        """Ask for a look at each open case whose issue is not among these; gives for how many."""
        return self.store.keep_all([self._look(row, "missing") for row in cases if row.iid not in listed])

    def _look(self, row: CaseRow, why: str) -> Delivery:
        """One look at a case's issue for this reason; the same, where nothing came of it, once an hour."""
        key = f"{why}:{row.iid}:{row.version}:{self._hour}"
        return Delivery("sweep", key, row.ticket, look_bytes(Look(row.iid or 0, EVERYTHING)))

    def _looks(self, issues: Iterable[IssueSeen]) -> Iterator[Delivery]:
        """One for each case's issue that is not as it was last seen. The same difference is asked about once an hour."""
        for issue in issues:
            ticket = self.store.ticket_of(issue.iid)
            if ticket is None:
                continue
            last = self._seen(ticket, issue.iid)
            if last is None or _differs(issue, last):
                seen = hashlib.sha256(repr((issue, sorted(issue.labels))).encode()).hexdigest()[:16]
                key = f"{issue.iid}:{issue.updated_at.isoformat()}:{seen}:{self._hour}"
                yield Delivery("sweep", key, ticket, look_bytes(Look(issue.iid, _not_looked_at(issue, last))))

    @property
    def _hour(self) -> str:
        return self.clock().strftime("%Y-%m-%dT%H")

    def _seen(self, ticket: str, iid: int | None) -> Sighting | None:
        return sighting_of(iid, self.store.observed(ticket))


def _differs(issue: IssueSeen, last: Sighting) -> bool:
    """Whether anything of ours, or what people may have written, is not as it was last seen."""
    return bool(differing(fields_of(last.issue), issue) or _not_looked_at(issue, last))


def _not_looked_at(issue: IssueSeen, last: Sighting | None) -> frozenset[Part]:
    """The parts of the issue's past to be read; its comments whenever it changed: one deleted and another written are as many as before."""
    changed = last is not None and issue.updated_at != last.issue.updated_at  # earlier, too: a clock may be put back
    return unread(issue, last) | ({Part.NOTES} if changed else frozenset())
