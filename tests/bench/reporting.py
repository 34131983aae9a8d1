"""A process that issues a weekly report and says what that took: `python -m tests.bench.reporting DATABASE FOLDER`.

It loads nothing but what issuing takes. WEEK is the one after that in which the cases were led: all are open, and none is new.
"""

import json
import sys
import time
from pathlib import Path

from integration import organisation as organisations
from integration import procedures
from integration.clock import utc_now
from integration.files import FileStore
from integration.store import Store
from sync import reports
from sync.display import Display
from sync.periods import period
from sync.survey import survey
from sync.wording import Wording

ORGANISATION = Path(__file__).resolve().parents[2] / "deploy" / "organisation.example.yaml"
WEEK = "2026-W24"


def peak() -> float:
    """The most memory this process has had, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(url: str, folder: Path) -> dict[str, float]:
    """Issue the report, then read the ledgers once more."""
    organisation = organisations.load(ORGANISATION)
    display = Display([procedures.load(path) for path in procedures.shipped().values()], organisation, Wording(organisation))
    store, before, began = Store(url, clock=utc_now), peak(), time.process_time()
    issued = reports.issue(store, FileStore(folder), display, WEEK)
    done, memory = time.process_time(), peak()
    survey(store, display.procedures, organisation, period(WEEK, organisation.calendar.tz))
    figures = {"issued": done - began, "read": time.process_time() - done, "before": before, "memory": memory}
    return figures | {"pdf": len(issued.forms["pdf"])}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))))
