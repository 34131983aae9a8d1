"""What reached us, decided: one kept row becomes facts, facts become events and effects, in one transaction.

No transaction is open while the platform is read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from integration.files import FileStore
from integration.procedure.definition import Procedure
from integration.procedure.offices import Organisation
from integration.store import InboxRow, Store, Turn
from sync.gitlab import Platform


@dataclass(frozen=True, slots=True)
class Inbox:
    """Performs inbox rows. `procedures`: every revision loaded; a new case opens under the last one with its form's code."""

    store: Store
    platform: Platform
    files: FileStore
    procedures: tuple[Procedure, ...]
    organisation: Organisation
    clock: Callable[[], datetime]

    def process(self, turn: Turn, row: InboxRow) -> None:
        """Decide this row and commit it. Raises Transient, Permanent, LeaseLost."""
        raise NotImplementedError
