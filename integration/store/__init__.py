"""The store: the ledger, the inbox and the outbox, in one database; see `reading.Store` for the whole.

Everything a caller needs is imported from here.
"""

from integration.faults import StoreDown
from integration.store.intake import LARGEST_GROUP, Arrival
from integration.store.quotas import ALL, ISSUES, NOTES
from integration.store.reading import Store
from integration.store.rows import (
    NEW,
    Batch,
    CaseRow,
    ChainFault,
    Conflict,
    Delivery,
    Due,
    InboxRow,
    Kept,
    LeaseLost,
    Line,
    NoteMade,
    NumberRow,
    NumberState,
    OutboxRow,
    Outcome,
    Parked,
    TakenOver,
    Turn,
    Waiting,
    Work,
)
from integration.store.subjects import Restrained, Restraint, Right, SubjectRequest
from integration.store.writing import chain_faults, entry_of

__all__ = [
    "ALL",
    "ISSUES",
    "LARGEST_GROUP",
    "NEW",
    "NOTES",
    "Arrival",
    "Batch",
    "CaseRow",
    "ChainFault",
    "Conflict",
    "Delivery",
    "Due",
    "InboxRow",
    "Kept",
    "LeaseLost",
    "Line",
    "NoteMade",
    "NumberRow",
    "NumberState",
    "OutboxRow",
    "Outcome",
    "Parked",
    "Restrained",
    "Restraint",
    "Right",
    "Store",
    "StoreDown",
    "SubjectRequest",
    "TakenOver",
    "Turn",
    "Waiting",
    "Work",
    "chain_faults",
    "entry_of",
]
