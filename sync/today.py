"""The wiki page that shows where all open cases stand now, and how many at each step.

Everybody who may read the wiki reads it: it names cases, steps and offices, no complaint and no person. It is written seldom, however often
it is asked for, and only where something on it changed.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from integration.clock import Clock
from integration.procedure.definition import Procedure, by_revision
from integration.store import CaseRow, Store
from integration.templates import messages
from sync.display import Display, place
from sync.gitlab import Platform
from sync.wiki import Wiki

SHOWN = "status-hari-ini"
"""The mark under which it is remembered when the page was looked after last, and what it said then."""

SELDOM = timedelta(minutes=10)
LONGEST = 1000  # cases listed; GitLab takes pages of 5 MB


@dataclass(frozen=True, slots=True)
class Line:
    """One open case. `office`: the role whose turn it is; `late`: its due time has passed."""

    ticket: str
    iid: int
    status: str
    due: datetime | None
    step: str
    office: str
    late: bool


@dataclass(frozen=True, slots=True)
class Today:
    """Keeps the page. Not shared between threads."""

    store: Store
    platform: Platform
    clock: Clock

    def show(self, display: Display) -> bool:
        """Write the page where its time has come and it would say something else; gives whether it did.

        What the platform refuses is tried again when the time comes next. Raises Transient, Permanent, StoreDown.
        """
        now, last = self.clock(), json.loads(self.store.mark(SHOWN) or "{}")
        if last and now < datetime.fromisoformat(last["at"]) + SELDOM:
            return False
        lines = open_lines(self.store.case_rows(open_only=True), display.procedures, now)
        said = hashlib.sha256(repr(lines).encode()).hexdigest()
        if said == last.get("said"):
            return False
        self.store.set_mark(SHOWN, json.dumps({"at": now.isoformat(), "said": ""}))
        Wiki(self.platform).write(messages("report")["today"], display.wording.render("wiki/status-hari-ini.md", now=now, **_shown(lines)))
        self.store.set_mark(SHOWN, json.dumps({"at": now.isoformat(), "said": said}))
        return True


def open_lines(rows: Iterable[CaseRow], procedures: Sequence[Procedure], now: datetime) -> list[Line]:
    """The cases that have an issue, by number. One whose procedure is not loaded here is named without its step."""
    known = by_revision(procedures)
    lines = []
    for row in sorted(rows, key=lambda row: row.ticket):
        if row.iid is None:
            continue
        step, office = place(row, known)
        late = row.due_at is not None and row.due_at < now
        lines.append(Line(row.ticket, row.iid, row.status, row.due_at, step, office, late))
    return lines


def _shown(lines: Sequence[Line]) -> dict[str, object]:
    steps = Counter(line.step for line in lines)
    late = Counter(line.step for line in lines if line.late)
    groups = [(step, count, late[step]) for step, count in sorted(steps.items())]
    return {"groups": groups, "lines": lines[:LONGEST], "count": len(lines), "late": late.total()}
