"""What must be done outside, done: one outbox row at a time, at least once, leaving one trace.

Nothing else in the service talks to the outside on a case's behalf.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from integration.files import FileStore
from integration.procedure.definition import Procedure
from integration.procedure.offices import Organisation
from integration.store import OutboxRow, Store, Turn
from sync.gitlab import Platform
from sync.mail import Mail
from sync.portal import Portal


@dataclass(frozen=True, slots=True)
class Outbox:
    """Performs outbox rows. `portal` None: no callbacks are sent; `mail` None: no mail is sent; such rows are done at once."""

    store: Store
    platform: Platform
    files: FileStore
    procedures: tuple[Procedure, ...]
    organisation: Organisation
    clock: Callable[[], datetime]
    portal: Portal | None = None
    mail: Mail | None = None

    def perform(self, turn: Turn, row: OutboxRow) -> None:
        """Perform this row's effect and mark it done. Raises Transient, Permanent, LeaseLost."""
        raise NotImplementedError
