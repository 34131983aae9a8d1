"""What people asked for about the data kept of them, and why the data of a case stays though it might go, or stays unused.

An answer is owed within a span of hours by the clock on the wall, not of working time: that is the law's (UU 27/2022).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from integration.store.database import Database
from integration.tables import restraints, subject_requests

WITHIN = timedelta(hours=3 * 24)
"""In which whoever asked must have their answer: Articles 30, 32 and 41 of UU 27/2022."""


class Right(StrEnum):
    """What somebody the data is about may ask for."""

    ACCESS = "akses"
    CORRECTION = "perbaikan"
    RESTRICTION = "pembatasan"
    ERASURE = "penghapusan"


class Restraint(StrEnum):
    """What stands against a use of a case's data."""

    HOLD = "penahanan"  # nothing of it may be erased: it is evidence somewhere
    RESTRICTION = "pembatasan"  # it is kept and handed out to nobody


@dataclass(frozen=True, slots=True)
class SubjectRequest:
    """A request. `subject`: the mail address of whoever asked, "" once they were erased; `done_at` None: the answer is still owed."""

    id: int
    kind: str
    subject: str
    received_at: datetime
    due_at: datetime
    done_at: datetime | None = None
    result: str = ""


@dataclass(frozen=True, slots=True)
class Restrained:
    """A case, what stands against a use of its data, why, and since when."""

    ticket: str
    kind: str
    reason: str
    since: datetime


class Subjects(Database):
    """The register of requests, and of restraints."""

    def receive_request(self, kind: Right, subject: str, received_at: datetime) -> SubjectRequest:
        """Take a request down, which came at this moment. Raises StoreDown."""
        made = {"kind": kind.value, "subject": subject, "received_at": received_at, "due_at": received_at + WITHIN}
        with self._write() as connection:
            number = connection.execute(sa.insert(subject_requests).values(made).returning(subject_requests.c.id)).scalar_one()
        return SubjectRequest(number, kind.value, subject, received_at, received_at + WITHIN)

    def subject_requests(self, *, owed_only: bool = False) -> list[SubjectRequest]:
        """Requests, the one whose answer is due first in front. Raises StoreDown."""
        chosen = sa.select(*(subject_requests.c[name] for name in SubjectRequest.__dataclass_fields__))
        if owed_only:
            chosen = chosen.where(subject_requests.c.done_at.is_(None))
        with self._read() as connection:
            return [SubjectRequest(*row) for row in connection.execute(chosen.order_by(subject_requests.c.due_at, subject_requests.c.id))]

    def answer_request(self, number: int, result: str) -> bool:
        """The request was answered so; False where none with this number is owed an answer. Whom an erasure was for is forgotten."""
        forgotten = sa.case((subject_requests.c.kind == Right.ERASURE.value, ""), else_=subject_requests.c.subject)
        owed = sa.update(subject_requests).where(subject_requests.c.id == number, subject_requests.c.done_at.is_(None))
        with self._write() as connection:
            return bool(connection.execute(owed.values(done_at=self.clock(), result=result, subject=forgotten)).rowcount)

    def restrain(self, ticket: str, kind: Restraint, reason: str) -> bool:
        """Put a restraint on the data of a case; False where that is there already. Raises StoreDown."""
        made = {"ticket": ticket, "kind": kind.value, "reason": reason, "since": self.clock()}
        with self._write() as connection:
            return bool(connection.execute(self._insert(restraints).values(made).on_conflict_do_nothing()).rowcount)

    def unrestrain(self, ticket: str, kind: Restraint) -> bool:
        """Take it away; False where there is none. Raises StoreDown."""
        gone = sa.delete(restraints).where(restraints.c.ticket == ticket, restraints.c.kind == kind.value)
        with self._write() as connection:
            return bool(connection.execute(gone).rowcount)

    def restrained(self, ticket: str = "") -> list[Restrained]:
        """The restraints on this case, or on all. Raises StoreDown."""
        chosen = sa.select(*(restraints.c[name] for name in Restrained.__dataclass_fields__))
        if ticket:
            chosen = chosen.where(restraints.c.ticket == ticket)
        with self._read() as connection:
            return [Restrained(*row) for row in connection.execute(chosen.order_by(restraints.c.ticket, restraints.c.kind))]
