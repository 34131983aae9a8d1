"""What an organisation file may say: its entries, each read from text into the core's types.

Rules that need one entry alone are here; what several entries must agree on is checked by `integration.organisation`.
"""

import re
from datetime import date, time
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from integration.calendars import Day
from integration.entries import Entry
from integration.procedure.definition import Ending
from integration.procedure.offices import (
    OUR_FONT,
    DayHours,
    Holding,
    HoursPeriod,
    Letterhead,
    Numbering,
    Office,
    Papers,
    Privacy,
    Programmer,
    Provider,
)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PLACEHOLDERS = frozenset({"seq", "unit", "type", "roman_month", "year"})


def _matching(pattern: str, kind: str) -> AfterValidator:
    """Text that matches the whole pattern, or a fault of this kind."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise PydanticCustomError(kind, "text")
        return text

    return AfterValidator(check)


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):  # unknown, no zone's name at all, or the name of a folder of zones
        raise PydanticCustomError("zone", "zone") from None


def _times(text: object) -> tuple[time, time]:
    """Two times of day, the second one later: "07.30-16.00"."""
    found = re.fullmatch(r"([01]\d|2[0-3])[.:]([0-5]\d)\s*-\s*([01]\d|2[0-3])[.:]([0-5]\d)", str(text))
    if not found:
        raise PydanticCustomError("times", "times")
    start_hour, start_minute, end_hour, end_minute = (int(group) for group in found.groups())
    start, end = time(start_hour, start_minute), time(end_hour, end_minute)
    if start >= end:
        raise PydanticCustomError("times_order", "times")
    return start, end


def _provider(text: object) -> Provider:
    try:
        return Provider(str(text))
    except ValueError:
        raise PydanticCustomError("provider", "provider") from None


def _weekdays(text: object) -> tuple[int, ...]:
    """Weekdays from 0, Monday: "friday" or "monday-thursday"."""
    first, _, last = str(text).partition("-")
    if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
        raise PydanticCustomError("weekdays", "weekdays")
    days = tuple(range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1))
    if not days:
        raise PydanticCustomError("weekdays", "weekdays")
    return days


def _number_pattern(text: str) -> str:
    """A pattern of document numbers: the sequence number once, perhaps with a width as in "{seq:03d}", and the year it is counted in.

    What stands right behind the sequence number must not read as the letter of a number between two others ("100b"), nor as a digit.
    """
    words = re.split(r"\{(\w+)(?::0[1-9]d)?\}", text)
    literals, names = words[::2], words[1::2]
    if not text.isprintable() or any(re.search("[{}]", literal) for literal in literals) or not PLACEHOLDERS.issuperset(names):
        raise PydanticCustomError("number_pattern", "pattern")
    if re.findall(r"\{(\w+):", text) not in ([], ["seq"]) or names.count("seq") != 1:
        raise PydanticCustomError("number_pattern", "pattern")
    if re.search(r"\{seq(?::\w+)?\}[\w{]", text):
        raise PydanticCustomError("number_behind", "pattern")
    if "year" not in names:
        raise PydanticCustomError("number_year", "pattern")
    return text


Account = Annotated[str, _matching(r"\w[\w.-]*", "account")]
Nip = Annotated[str, _matching(r"\d{18}", "nip")]
Mail = Annotated[str, _matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", "mail")]
Address = Annotated[str, _matching(r"https?://[^\s@/?#]+(/[^\s@?#]*)?", "address")]
Literal = Annotated[str, _matching(r"[^{}]*", "braces")]
Slug = Annotated[str, _matching(r"[a-z0-9]+(-[a-z0-9]+)*", "slug")]
NumberPattern = Annotated[str, AfterValidator(_number_pattern)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
Times = Annotated[tuple[time, time], BeforeValidator(_times)]
Weekdays = Annotated[tuple[int, ...], BeforeValidator(_weekdays)]


class File(Entry):
    """The keys of the file. What is only an `object` here is read entry by entry, so that a fault in one hides none in another."""

    name: str
    time_zone: Zone
    letterhead: object
    numbering: object
    papers: object = None
    privacy: object = None
    report_recipients: tuple[Mail, ...] = ()
    offices: tuple[object, ...]
    programmers: tuple[object, ...] = ()
    working_hours: object
    special_hours: tuple[object, ...] = ()
    calendars: tuple[str, ...] = Field(min_length=1)
    closures: tuple[object, ...] = ()


class LetterheadEntry(Entry):
    """See `offices.Letterhead`."""

    ministry: str
    university: str
    unit: str
    address: str
    website: str
    city: str
    contact: str = ""
    emblem: str = ""

    def read(self, emblem: str) -> Letterhead:
        """The same for the core; `emblem`: what the file of that name holds."""
        return Letterhead(**{**dict(self), "emblem": emblem})


class SigningEntry(Entry):
    """See `offices.Papers`: `provider`, `signing_address`. Only the client service of the national CA has an address."""

    provider: Annotated[Provider, BeforeValidator(_provider)]
    address: Address = ""

    @model_validator(mode="after")
    def _address_of_a_service(self) -> Self:
        if bool(self.address) is not (self.provider is Provider.BSRE):
            raise PydanticCustomError("signing_address", "signing")
        return self


class PapersEntry(Entry):
    """See `offices.Papers`."""

    font: str = OUR_FONT
    fonts: str = ""
    copies: dict[Slug, tuple[str, ...]] = Field(default_factory=dict)
    witnesses: tuple[Slug, ...] = ()
    signing: SigningEntry | None = None

    def read(self, folder: Path) -> Papers:
        """The same for the core; the folder of the fonts is one beside the file, in `folder`."""
        said = {name: value for name, value in dict(self).items() if name != "signing"}
        signing = {"provider": self.signing.provider, "signing_address": self.signing.address} if self.signing else {}
        return Papers(**{**said, **signing, "fonts": str(folder / self.fonts) if self.fonts else ""})


class PrivacyEntry(Entry):
    """See `offices.Privacy`."""

    officer: str = ""
    email: Mail = ""
    retention: dict[Ending, Annotated[int, Field(ge=1, le=100)]] = Field(default_factory=dict)

    def read(self) -> Privacy:
        """The same for the core."""
        return Privacy(self.officer, self.email, {ending.value: years for ending, years in self.retention.items()})


class NumberingEntry(Entry):
    """See `offices.Numbering`."""

    unit: Literal
    default: NumberPattern
    types: dict[Slug, Literal] = Field(default_factory=dict)
    patterns: dict[Slug, NumberPattern] = Field(default_factory=dict)

    def read(self) -> Numbering:
        """The same for the core."""
        return Numbering(**dict(self))


class Period(Entry):
    """From a day to a day, both inclusive."""

    since: Day
    until: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until and self.until < self.since:
            raise PydanticCustomError("until_before_since", "period")
        return self


class OfficeEntry(Period):
    """See `offices.Office`; one on the platform, so with an account, and by a decree."""

    role: Slug
    account: Account
    name: str
    nip: Nip = ""
    decree: str
    holding: Holding = Holding.FULL
    email: Mail = ""

    def read(self) -> Office:
        """The same for the core."""
        return Office(**dict(self))


class DaysOf(Period):
    """A programmer's days of leave, or on stand-by."""

    until: Day


class ProgrammerEntry(Entry):
    """See `offices.Programmer`."""

    account: Account
    name: str
    nip: Nip = ""
    rank: str = ""
    skills: tuple[str, ...] = Field(min_length=1)
    systems: tuple[str, ...] = ()
    capacity: int = Field(default=3, ge=1, le=20)
    leave: tuple[DaysOf, ...] = ()
    standby: tuple[DaysOf, ...] = ()
    email: Mail = ""

    def read(self) -> Programmer:
        """The same for the core."""
        spans = {name: tuple((days.since, days.until) for days in getattr(self, name)) for name in ("leave", "standby")}
        return Programmer(**{**dict(self), **spans})


class HoursEntry(Entry):
    """One kind of day: when it is open, and its break."""

    open: Times
    pause: Times | None = Field(default=None, alias="break")

    @model_validator(mode="after")
    def _break_while_open(self) -> Self:
        if self.pause and not (self.open[0] < self.pause[0] and self.pause[1] < self.open[1]):
            raise PydanticCustomError("break_outside", "hours")
        return self

    def read(self) -> DayHours:
        """The same for the core; no break is one from closing to closing."""
        opens, closes = self.open
        return DayHours(opens, closes, *(self.pause or (closes, closes)))


class DaysEntry(Entry):
    """Hours by weekday."""

    days: dict[Weekdays, HoursEntry] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_day_once(self) -> Self:
        days = [day for group in self.days for day in group]
        if len(days) != len(set(days)):
            raise PydanticCustomError("weekday_twice", "days")
        return self

    def hours(self) -> dict[int, DayHours]:
        """Weekdays from 0, Monday."""
        return {day: hours.read() for group, hours in self.days.items() for day in group}


class SpecialHoursEntry(DaysEntry, Period):
    """Hours of a limited time, such as Ramadan."""

    name: str
    until: Day

    def read(self) -> HoursPeriod:
        """The same for the core."""
        return HoursPeriod(self.name, self.hours(), self.since, self.until)


class ClosureEntry(Period):
    """The campus closed by a decree of its own; one day where there is no `until`."""

    name: str
    decree: str

    @property
    def last(self) -> date:
        """Its last day."""
        return self.until or self.since
