"""Who holds which role on which day: the organisation as the pure core sees it.

The core only looks up; reading and checking the organisation file is `integration.organisation`'s work.
"""

from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum


class Holding(StrEnum):
    """How an office is held; printed where its holder signs."""

    FULL = "definitif"
    ACTING = "Plt."  # the office is vacant
    DEPUTY = "Plh."  # its holder is away


@dataclass(frozen=True, slots=True)
class Office:
    """One person holding one role from `since` to `until` (both inclusive; None: open) by a decree."""

    role: str
    account: str  # username on the platform; "" for a role of the portal channel
    name: str
    nip: str = ""
    decree: str = ""
    since: date = date.min
    until: date | None = None
    holding: Holding = Holding.FULL

    def covers(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Programmer:
    account: str
    name: str
    nip: str = ""
    rank: str = ""
    skills: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    capacity: int = 3  # cases at a time
    leave: tuple[tuple[date, date], ...] = ()


@dataclass(frozen=True, slots=True)
class DayHours:
    """Opening, closing and the break of one kind of day, local time."""

    opens: time
    closes: time
    break_from: time
    break_to: time


@dataclass(frozen=True, slots=True)
class HoursPeriod:
    """Working hours by weekday (0 Monday .. 4 Friday) between two dates inclusive; None: always."""

    name: str
    days: dict[int, DayHours]
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class DayOff:
    day: date
    name: str
    decree: str


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Working time of the organisation. `years` are the years whose decree is loaded; outside them nothing is computed."""

    zone: str
    periods: tuple[HoursPeriod, ...]  # the first one that covers a day counts
    days_off: dict[date, DayOff]
    years: frozenset[int]


@dataclass(frozen=True, slots=True)
class Organisation:
    name: str
    offices: tuple[Office, ...]
    programmers: tuple[Programmer, ...]
    calendar: WorkCalendar
    details: dict[str, object] = field(default_factory=dict)  # letterhead, numbering, recipients: not the core's business

    def holders(self, role: str, day: date) -> tuple[Office, ...]:
        """The offices that hold `role` on `day`; stand-ins (Plt., Plh.) first, for they act."""
        held = [o for o in self.offices if o.role == role and o.covers(day)]
        return tuple(sorted(held, key=lambda o: o.holding is Holding.FULL))

    def offices_of(self, account: str, day: date) -> tuple[Office, ...]:
        """What this account holds on `day`."""
        return tuple(o for o in self.offices if o.account == account and account and o.covers(day))

    def programmer(self, account: str) -> Programmer | None:
        return next((p for p in self.programmers if p.account == account), None)
