"""How the service is doing, as the store and the files in force tell it: for `/metrics` and the operator's page, alike in every process.

No figure is about a person or a case, and nobody outside is asked.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from integration.parts import Parts
from integration.store import Store, Waiting
from integration.vacancies import Vacancy, vacancies

HOOKS = "gitlab"
"""The source of what the platform's hooks told."""


class Recurring(StrEnum):
    """What is done again and again, whether or not anything happens: where it stops, time stands still for all cases."""

    TICK = "tick"  # the look at the time
    SWEEP = "sweep"  # the look for what no hook told
    NIGHT = "night"  # all that is open is compared, what has ended is archived


EVERY = {Recurring.TICK: timedelta(seconds=5), Recurring.SWEEP: timedelta(minutes=1), Recurring.NIGHT: timedelta(days=1)}
NOTED = timedelta(seconds=30)
"""What is done more often than that is written down only so often: each time is a transaction."""


class Diary:
    """Writes down that recurring work was done; one a process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: dict[Recurring, datetime] = {}

    def done(self, work: Recurring) -> None:
        """It was done just now. Raises StoreDown."""
        now, last = self._store.clock(), self._noted.get(work)
        if last is None or now - last >= NOTED:
            self._store.set_mark(_mark(work), now.isoformat())
            self._noted[work] = now


@dataclass(frozen=True, slots=True)
class Vitals:
    """Ages are seconds. `work_waits`: how long what is due longest has waited for a worker, 0 where nothing does.

    `recurring`: since each was done, None where it never was; `hook_age`: since the last hook, None before the first; `cases`: the open
    ones by status; `faults`: of the organisation file as it is now, which is then not in force.
    """

    sides: tuple[Waiting, Waiting]
    counts: dict[str, int]
    work_waits: float
    recurring: dict[Recurring, float | None]
    hook_age: float | None
    cases: dict[str, int]
    vacancies: tuple[Vacancy, ...]
    faults: int

    @classmethod
    def of(cls, parts: Parts) -> "Vitals":
        """As it is now. Raises StoreDown."""
        store = parts.store
        done = {work: store.mark(_mark(work)) for work in Recurring}
        return cls(
            sides=store.waiting(),
            counts=store.counts(),
            work_waits=age(store, store.waits_since()) or 0.0,
            recurring={work: age(store, datetime.fromisoformat(at)) if at else None for work, at in done.items()},
            hook_age=age(store, store.heard(HOOKS)),
            cases=store.open_by_status(),
            vacancies=vacancies(store, parts.procedures, parts.organisation),
            faults=len(parts.in_force.faults),
        )


def age(store: Store, since: datetime | None) -> float | None:
    """Seconds since a moment; None where there is none."""
    return max(0.0, (store.clock() - since).total_seconds()) if since else None


def _mark(work: Recurring) -> str:
    return f"terakhir:{work}"
