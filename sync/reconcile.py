"""Finds what no hook told: compares the platform with what was last looked at or shown, and asks for a look where they differ.

Nothing is decided here, and nothing repaired but the labels themselves, which no case could repair. A sweep over a platform where nothing
changed is three requests and a handful of questions to the store, whatever the number of cases.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from integration.clock import Clock
from integration.codec import Json
from integration.faults import Permanent
from integration.issue import EVERYTHING, IssueSeen, Part, Sighting, differing, fields_of, sighting_of
from integration.labels import Family, named
from integration.payloads import Look, look_bytes
from integration.snapshot import unread
from integration.store import CaseRow, Delivery, Store
from sync.gitlab import PAGE, Platform
from sync.provision import Provision

SWEPT = "sapuan"
"""The mark under which it is remembered until when the last sweep saw all changes."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciler:
    """`sweep` is for every minute, `open_ones` for the night, `full` for the operator. Not shared between threads."""

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
        listed = self._listed()
        if listed is not None and listed < self.store.open_issues():  # deleting an issue leaves no trace
            found += self._look_for_missing({issue.iid for issue in (*issues, *self.platform.opened())})
        return found

    def open_ones(self) -> int:
        """The same over all open issues, whenever they changed, and all open cases; gives for how many.

        An open case whose issue is not among them is looked at too; a closed issue of a case that has ended is left to the sweep.
        """
        return self._restore_labels() + self._all(self.platform.opened())

    def full(self) -> int:
        """The same over all issues there are: a request for each hundred of them; gives for how many."""
        return self._restore_labels() + self._all(self.platform.changed(None))

    def _all(self, issues: Iterator[IssueSeen]) -> int:
        listed: set[int] = set()
        found = self.store.keep_all(self._looks(_noting(issues, listed)))
        return found + self._look_for_missing(listed)

    def _listed(self) -> int | None:
        """How many open issues carry a procedure's label, as each case's does and no member's task; None where GitLab does not count."""
        prefixes = sorted({procedure.prefix for procedure in self.provision.procedures})
        counts = [self.platform.open_issues(named(Family.PROCEDURE, prefix)) for prefix in prefixes]
        return None if None in counts else sum(filter(None, counts))

    def _open_cases(self) -> list[CaseRow]:
        return [row for row in self.store.case_rows(open_only=True) if row.iid is not None]

    def _restore_labels(self) -> int:
        """Put the labels right, and ask for a look at each open case that carried one which issues lost; gives for how many."""
        try:
            with self.provision.restored_labels() as lost:
                return self._look_for_labels(lost) if lost else 0
        except Permanent:
            log.exception("the labels cannot be put right")
            return 0

    def _look_for_labels(self, lost: frozenset[str]) -> int:
        """Ask for a look at each open case that carried one of these; gives for how many."""
        log.warning("labels were renamed, merged or deleted: %s", ", ".join(sorted(lost)))
        cases = ((row, sighting_of(row.iid, self.store.observed(row.ticket))) for row in self._open_cases())
        return self.store.keep_all([self._look(row, "label") for row, seen in cases if seen and lost & seen.issue.labels])

    def _look_for_missing(self, listed: set[int]) -> int:
        """Ask for a look at each open case whose issue is not among these; gives for how many."""
        return self.store.keep_all([self._look(row, "missing") for row in self._open_cases() if row.iid not in listed])

    def _look(self, row: CaseRow, why: str) -> Delivery:
        """One look at a case's issue for this reason; the same, where nothing came of it, once an hour."""
        key = f"{why}:{row.iid}:{row.version}:{self._hour}"
        return Delivery("sweep", key, row.ticket, look_bytes(Look(row.iid or 0, EVERYTHING)))

    def _looks(self, issues: Iterable[IssueSeen]) -> Iterator[Delivery]:
        """One for each case's issue that is not as it was last seen. The same difference is asked about once an hour.

        Compared page by page, for there may be more of them than fit in memory.
        """
        left = iter(issues)
        while page := list(islice(left, PAGE)):
            ours = self.store.sightings([issue.iid for issue in page])
            yield from (look for issue in page if issue.iid in ours and (look := self._look_at(issue, *ours[issue.iid])))

    def _look_at(self, issue: IssueSeen, ticket: str, kept: Json | None) -> Delivery | None:
        last = sighting_of(issue.iid, kept)
        if last is not None and not _differs(issue, last):
            return None
        seen = hashlib.sha256(repr((issue, sorted(issue.labels))).encode()).hexdigest()[:16]
        key = f"{issue.iid}:{issue.updated_at.isoformat()}:{seen}:{self._hour}"
        return Delivery("sweep", key, ticket, look_bytes(Look(issue.iid, _not_looked_at(issue, last))))

    @property
    def _hour(self) -> str:
        return self.clock().strftime("%Y-%m-%dT%H")


def _noting(issues: Iterable[IssueSeen], iids: set[int]) -> Iterator[IssueSeen]:
    """The same issues, their numbers noted as they pass."""
    for issue in issues:
        iids.add(issue.iid)
        yield issue


def _differs(issue: IssueSeen, last: Sighting) -> bool:
    """Whether anything of ours, or what people may have written, is not as it was last seen."""
    return bool(differing(fields_of(last.issue), issue) or _not_looked_at(issue, last))


def _not_looked_at(issue: IssueSeen, last: Sighting | None) -> frozenset[Part]:
    """The parts of the issue's past to be read; its comments whenever it changed: one deleted and another written are as many as before."""
    changed = last is not None and issue.updated_at != last.issue.updated_at  # earlier, too: a clock may be put back
    return unread(issue, last) | ({Part.NOTES} if changed else frozenset())
