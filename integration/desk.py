"""What waits for whom: the open cases whose step somebody is to act at on a day, from the store.

Only cases that can wait for one of those asked about are read; who may act is the core's word (procedure.people).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from integration.procedure.case import Case, fold
from integration.procedure.definition import Channel, Procedure, Revisions, Step
from integration.procedure.events import Entry, StepLeft
from integration.procedure.offices import Organisation
from integration.procedure.people import asked
from integration.store import CaseRow, Store


@dataclass(frozen=True, slots=True)
class Waits:
    """A case that waits for somebody, with its procedure and its ledger."""

    case: Case
    procedure: Procedure
    entries: tuple[Entry, ...]

    @property
    def step(self) -> Step:
        """The step it stands at."""
        return self.procedure.step(self.case.step or 0)


def reason_of(entries: Iterable[Entry], stay: int) -> str:
    """The reason with which the step before was left, of a stay in a step that began with this entry; "" where there is none."""
    left = [entry.event for entry in entries if entry.seq < stay and isinstance(entry.event, StepLeft)]
    return left[-1].reason if left else ""


@dataclass(frozen=True, slots=True)
class Desk:
    """The cases by whom they wait for. `revisions`: those that are loaded; cases of others are left out."""

    store: Store
    revisions: Revisions
    organisation: Organisation
    day: date

    def waiting(self, account: str) -> list[Waits]:
        """What waits for one person, what is due first first."""
        rows, organisation = self._open(), self.organisation
        roles = {office.role for office in organisation.offices_of(account, self.day)}
        units = {role.slug for procedure in self.revisions.values() for role in procedure.roles if role.channel is Channel.PORTAL}
        roles |= {role for role in {row.role or "" for row in rows} - units if not organisation.holders(role, self.day)}  # others stand in
        mine = [row for row in rows if (row.role or "") in roles or account in row.team]
        return [one for one in self._read(mine) if account in self._asked(one)]

    def by_account(self, accounts: Iterable[str]) -> dict[str, list[Waits]]:
        """The same for several persons at once; those for whom nothing waits are left out."""
        found: dict[str, list[Waits]] = {}
        wanted = frozenset(accounts)
        for one in self._read(self._open()):
            for account in wanted.intersection(self._asked(one)):
                found.setdefault(account, []).append(one)
        return found

    def one(self, ticket: str) -> Waits | None:
        """A case that is open, by its ticket."""
        row = self.store.case_row(ticket)
        known = row is not None and row.ended_at is None and (row.procedure, row.revision) in self.revisions
        return next(iter(self._read([row])), None) if row and known else None

    def changed(self, account: str) -> list[CaseRow]:
        """The cases that went on since this person last said to have seen them, the newest first; new ones among them."""
        seen = self._seen(account)
        rows = {row.ticket: row for row in self._open()}
        ended = [row for ticket in seen.keys() - rows.keys() if (row := self.store.case_row(ticket))]
        return sorted(
            (row for row in [*rows.values(), *ended] if stands(row) != seen.get(row.ticket)), key=lambda row: row.ticket, reverse=True
        )

    def see(self, account: str, shown: Mapping[str, str]) -> None:
        """This person has seen these cases as they stood (`stands`) when they were shown; what came since is new to them still."""
        seen = {**self._seen(account), **shown}
        kept = {row.ticket for row in self._open()} | (seen.keys() - shown.keys())  # what has ended is forgotten once it was shown
        self.store.set_mark(_mark(account), json.dumps({ticket: stood for ticket, stood in seen.items() if ticket in kept}))

    def _seen(self, account: str) -> Mapping[str, str]:
        seen: Mapping[str, str] = json.loads(self.store.mark(_mark(account)) or "{}")
        return seen

    def _open(self) -> list[CaseRow]:
        return [row for row in self.store.case_rows(open_only=True) if (row.procedure, row.revision) in self.revisions and row.version]

    def _read(self, rows: Iterable[CaseRow]) -> list[Waits]:
        found = []
        for entries in self.store.ledgers([row.ticket for row in rows]):
            case = fold(entries)
            if case is not None and case.step is not None:
                found.append(Waits(case, self.revisions[case.procedure, case.revision], tuple(entries)))
        return sorted(found, key=lambda one: (one.case.due is None, one.case.due, one.case.ticket))

    def _asked(self, one: Waits) -> tuple[str, ...]:
        return asked(one.procedure, self.organisation, one.case, self.day) if not one.case.paused_since else ()


def stands(row: CaseRow) -> str:
    """What makes an officer look again: that a case came to another step, or has another status; not that somebody was reminded."""
    return f"{row.entered_seq}:{row.status}"


def _mark(account: str) -> str:
    return f"dilihat:{account}"
