"""Who holds which role on which day: the organisation as the pure core sees it.

The core only looks up; reading and checking the organisation file is `integration.organisation`'s work.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, tzinfo
from enum import StrEnum
from types import MappingProxyType

OUR_FONT = "Libertinus Serif"  # comes with the renderer

ROMAN_MONTHS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


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
    email: str = ""  # where they are written to, and what only this office may read is sent; "": on the platform

    @property
    def stand_in(self) -> str:
        """How it is held, where that is printed: "Plt." or "Plh."; "" for its own holder."""
        return "" if self.holding is Holding.FULL else self.holding.value

    def covers(self, day: date) -> bool:
        """Whether it is held on `day`."""
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Programmer:
    """Somebody a case's team can be made of."""

    account: str
    name: str
    nip: str = ""
    rank: str = ""
    skills: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    capacity: int = 3  # cases at a time
    leave: tuple[tuple[date, date], ...] = ()  # first and last day, both inclusive
    standby: tuple[tuple[date, date], ...] = ()  # likewise: the days on which they are on call
    email: str = ""  # as in Office

    def away(self, day: date) -> bool:
        """Whether they are on leave on `day`."""
        return any(since <= day <= until for since, until in self.leave)


@dataclass(frozen=True, slots=True)
class DayHours:
    """Opening, closing and the break of one kind of day, local time; a break from closing to closing is none."""

    opens: time
    closes: time
    break_from: time
    break_to: time


@dataclass(frozen=True, slots=True)
class HoursPeriod:
    """Working hours by weekday (0 Monday .. 6 Sunday) between two dates inclusive; None: always. A weekday without hours is free."""

    name: str
    days: Mapping[int, DayHours]
    since: date | None = None
    until: date | None = None

    def covers(self, day: date) -> bool:
        """Whether these hours are in force on `day`."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class DayOff:
    """A day without work although its weekday has hours, and the decree that says so."""

    day: date
    name: str
    decree: str


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Working time of the organisation. `years` are the years whose decree is loaded; outside them nothing is computed."""

    tz: tzinfo
    periods: tuple[HoursPeriod, ...]  # the first one that covers a day counts
    days_off: Mapping[date, DayOff]
    years: frozenset[int]


@dataclass(frozen=True, slots=True)
class Letterhead:
    """The lines at the head of every document, as the issued procedure prints them; `city`: where documents are signed.

    `emblem`: what stands left of them, as SVG; without it its place stays empty.
    """

    ministry: str = ""
    university: str = ""
    unit: str = ""
    address: str = ""
    website: str = ""
    city: str = ""
    contact: str = ""  # telephone and mail, as they are printed
    emblem: str = ""


class Provider(StrEnum):
    """By what papers are signed."""

    WET = "basah"  # printed, signed by hand, and scanned
    UPLOAD = "unggah"  # signed elsewhere as a PDF
    BSRE = "bsre"  # by the client service of the national CA, while the signer waits; else as UPLOAD


@dataclass(frozen=True, slots=True)
class Papers:
    """How documents are set, and who stands below them. `font`: a family that comes with the service, or lies in the folder `fonts`.

    `copies`: who gets a copy of a document (*tembusan*), by its type. `witnesses`: the roles whose holders witness a handover.
    `provider`: by what they are signed; None: no signed copies are asked for. `signing_address`: where its service is, for BSRE.
    """

    font: str = OUR_FONT
    fonts: str = ""
    copies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    witnesses: tuple[str, ...] = ()
    provider: Provider | None = None
    signing_address: str = ""


@dataclass(frozen=True, slots=True)
class Privacy:
    """Who answers for personal data, and for how many years it is kept after a case has ended, by how it ended ("selesai": 5)."""

    officer: str = ""
    email: str = ""
    retention: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def keeps(self, ending: str) -> int | None:
        """For how many years the data of a case that ended so is kept; None: nobody has decided that."""
        return self.retention.get(ending)


@dataclass(frozen=True, slots=True)
class Numbering:
    """How documents are numbered: "{seq}/{unit}/{type}/{roman_month}/{year}" makes "100/UN39.17/ST/V/2025".

    A number between two others, as a book kept by hand may have it, has a letter behind its place in the series: "100b/UN39.17/ST/V/2025".
    """

    unit: str = ""  # code of the unit in the university's filing: "UN39.17"
    default: str = "{seq}/{unit}/{type}/{roman_month}/{year}"
    types: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # document slug -> its {type}; else the slug in capitals
    patterns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # document slug -> a pattern of its own

    def pattern(self, document: str, day: date) -> str:
        """The number of such a document dated `day`, with only its sequence number left to be filled in: "{seq}/UN39.17/ST/V/2025"."""
        return self._filled(document, ROMAN_MONTHS[day.month - 1], day.year)

    def code(self, document: str) -> str:
        """What stands for this type of document in its numbers: "ST"."""
        return self.types.get(document, document.upper())

    def place(self, document: str, number: str, year: int) -> tuple[int, str] | None:
        """Where such a number, as it is written, stands in the series of its year: (100, "b") of "100b/UN39.17/ST/V/2025"; None: nowhere.

        Its month may be any, and its zeros in front are not looked at: people who keep a book by hand do not keep to them.
        """
        for month in ROMAN_MONTHS:
            before, after = re.split(r"\{seq[^}]*\}", self._filled(document, month, year))
            found = re.fullmatch(f"{re.escape(before)}0*([1-9][0-9]{{0,5}})([a-zA-Z]?){re.escape(after)}", number)
            if found:
                return int(found[1]), found[2].lower()
        return None

    def _filled(self, document: str, month: str, year: int) -> str:
        pattern = self.patterns.get(document, self.default)
        for name, value in (("unit", self.unit), ("type", self.code(document)), ("roman_month", month), ("year", str(year))):
            pattern = pattern.replace(f"{{{name}}}", value)
        return pattern


@dataclass(frozen=True, slots=True)
class Organisation:
    """The office that runs the procedure: its people, its working time, and what its documents are headed and numbered with."""

    name: str
    offices: tuple[Office, ...]
    programmers: tuple[Programmer, ...]
    calendar: WorkCalendar
    letterhead: Letterhead = Letterhead()
    numbering: Numbering = Numbering()
    papers: Papers = Papers()
    privacy: Privacy = Privacy()
    report_recipients: tuple[str, ...] = ()  # mail addresses of the weekly report

    def holders(self, role: str, day: date) -> tuple[Office, ...]:
        """The offices that hold `role` on `day`; stand-ins (Plt., Plh.) first, for they act."""
        held = [o for o in self.offices if o.role == role and o.covers(day)]
        return tuple(sorted(held, key=lambda o: o.holding is Holding.FULL))

    def offices_of(self, account: str, day: date) -> tuple[Office, ...]:
        """What this account holds on `day`."""
        return tuple(o for o in self.offices if o.account == account and account and o.covers(day))

    def programmer(self, account: str) -> Programmer | None:
        """The programmer with this account."""
        return next((p for p in self.programmers if p.account == account), None)

    def address(self, account: str, day: date) -> str:
        """The mail address of whoever has this account on `day`; "" where none is known."""
        programmer = self.programmer(account)
        known = [office.email for office in self.offices_of(account, day)] + ([programmer.email] if programmer else [])
        return next(filter(None, known), "")
