"""The organisation file: people, offices, working time, letterhead and numbering, read into the core's types.

Either a whole organisation is handed out or every fault of its files, never an organisation with a fault in it.
"""

import logging
import re
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path

from integration.calendars import SHIPPED, YearOff, read_year, shipped_years
from integration.entries import EntryFile
from integration.files import Pace, settled, version
from integration.organisation_file import (
    ClosureEntry,
    DaysEntry,
    File,
    LetterheadEntry,
    NumberingEntry,
    OfficeEntry,
    PapersEntry,
    PrivacyEntry,
    ProgrammerEntry,
    SpecialHoursEntry,
)
from integration.procedure.offices import DayOff, Holding, HoursPeriod, Organisation, Papers, Privacy, WorkCalendar
from integration.templates import messages
from integration.yamlfile import Fault, FileFaults, Place

Offices = Sequence[tuple[Place, OfficeEntry]]
Programmers = Sequence[tuple[Place, ProgrammerEntry]]

LARGEST_EMBLEM = 256 * 1024  # bytes; it goes into every document

log = logging.getLogger(__name__)


class OrganisationFaults(FileFaults):
    """The organisation file, or a calendar it names, cannot be used."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a look into `files` found: the organisation, or else every fault."""

    organisation: Organisation | None
    faults: tuple[Fault, ...]
    files: tuple[Path, ...]


class InForce:
    """The organisation as its files say it now, for as long as a process lives: a change counts as soon as it is saved.

    A change with a fault in it does not count: what was in force stays so until the files are mended. Safe to share between threads.
    """

    def __init__(self, path: Path, roles: Collection[str] | None = None) -> None:
        self._path = path
        self._roles = roles
        self._lock = threading.Lock()
        self._pace = Pace()
        self._seen: tuple[object, ...] = ()  # the versions of the files when they were last read
        self._last = Reading(None, (), (path,))
        self._good: Organisation | None = None

    @property
    def now(self) -> Organisation:
        """The organisation in force: the same object until another one is. Raises OrganisationFaults where there never was a good one."""
        if self._good is not None and not self._pace.due():
            return self._good
        with self._lock:
            self._look()
            if self._good is None:
                raise OrganisationFaults(self._last.faults)
            return self._good

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with the files as they are, whether or not an older organisation is still in force."""
        with self._lock:
            self._look()
            return self._last.faults

    def _look(self) -> None:
        """Read the files again if one of them is another than last time; which calendars there are is known only afterwards."""
        while (versions := tuple(version(path) for path in self._last.files)) != self._seen:
            if self._good and not all(map(settled, versions)):
                return
            files = self._last.files
            self._last = _read(self._path, self._roles)
            self._seen = versions if files == self._last.files else ()
            if self._seen:
                self._adopt(self._last)

    def _adopt(self, reading: Reading) -> None:
        if reading.organisation is None:
            if self._good:  # at the start whoever asked is told
                places = ", ".join(f"{fault.file.name}:{fault.line} {fault.path} {fault.kind}".strip() for fault in reading.faults)
                log.error("the organisation file cannot be used, the last good one stays in force: %s", places)
        elif reading.organisation != self._good:
            if self._good:
                log.info("another organisation is in force")
            self._good = reading.organisation


def load(path: Path, roles: Collection[str] | None = None) -> Organisation:
    """The organisation this file describes. `roles`: the platform roles offices may name (of all procedures); None: any.

    Raises OrganisationFaults.
    """
    reading = _read(path, roles)
    if reading.organisation is None:
        raise OrganisationFaults(reading.faults)
    return reading.organisation


def check(path: Path, roles: Collection[str] | None = None) -> tuple[Fault, ...]:
    """Everything that is wrong with this file and the calendars it names; empty where `load` would succeed."""
    return _read(path, roles).faults


def _read(path: Path, roles: Collection[str] | None) -> Reading:
    file = EntryFile(path, messages("organisation"))
    if file.faults:
        return Reading(None, tuple(file.faults), (path,))
    top = file.entry(File)
    letterhead = file.entry(LetterheadEntry, "letterhead")
    numbering = file.entry(NumberingEntry, "numbering")
    papers = file.entry(PapersEntry, "papers")
    privacy = file.entry(PrivacyEntry, "privacy")
    offices = file.entries(OfficeEntry, "offices")
    programmers = file.entries(ProgrammerEntry, "programmers")
    regular = file.entry(DaysEntry, "working_hours")
    special = file.entries(SpecialHoursEntry, "special_hours")
    closures = file.entries(ClosureEntry, "closures")
    years, faults, files = _years(file)

    emblem, beside = _emblem(file, letterhead)
    files += beside
    named = [((*place, "role"), office.role) for place, office in offices]
    named += [(("papers", "witnesses", index), role) for index, role in enumerate(papers.witnesses if papers else ())]
    _check_roles(file, named, roles)
    _check_one_at_a_time(file, offices)
    _check_people(file, offices, programmers)
    _check_special_hours(file, special)
    _check_numbers(file, numbering)
    if not faults:
        _check_closures(file, closures, {year.year for year in years})

    faults = sorted(file.faults) + faults
    if faults or not (top and letterhead and numbering and regular):
        return Reading(None, tuple(faults), (path, *files))
    regular_hours = HoursPeriod("", regular.hours())
    calendar = WorkCalendar(
        tz=top.time_zone,
        periods=(*(hours.read() for _, hours in special), regular_hours),
        days_off={off.day: off for off in (*_closed_days(closures), *(off for year in years for off in year.days))},
        years=frozenset(year.year for year in years),
    )
    organisation = Organisation(
        name=top.name,
        offices=tuple(office.read() for _, office in offices),
        programmers=tuple(programmer.read() for _, programmer in programmers),
        calendar=calendar,
        letterhead=letterhead.read(emblem),
        numbering=numbering.read(),
        papers=papers.read(path.parent) if papers else Papers(),
        privacy=privacy.read() if privacy else Privacy(),
        report_recipients=top.report_recipients,
    )
    return Reading(organisation, (), (path, *files))


def _years(file: EntryFile) -> tuple[list[YearOff], list[Fault], list[Path]]:
    """The calendars the file names: a year that ships with the service, or a file beside this one; their faults, and which they are."""
    years: list[YearOff] = []
    faults: list[Fault] = []
    files: list[Path] = []
    for place, name in file.texts("calendars"):
        if name.isdecimal() and int(name) not in shipped_years():
            file.faults.add(place, "calendar_unknown", given=name, known=", ".join(str(year) for year in shipped_years()))
            continue
        calendar = EntryFile(SHIPPED / f"{name}.yaml" if name.isdecimal() else file.path.parent / name, messages("organisation"))
        files.append(calendar.path)
        year = read_year(calendar)
        faults += calendar.faults
        if year and any(year.year == other.year for other in years):
            file.faults.add(place, "calendar_twice", year=year.year)
        elif year:
            years.append(year)
    return years, faults, files


def _closed_days(closures: Sequence[tuple[Place, ClosureEntry]]) -> Iterator[DayOff]:
    for _, closure in closures:
        for number in range((closure.last - closure.since).days + 1):
            yield DayOff(closure.since + timedelta(days=number), closure.name, closure.decree)


def _emblem(file: EntryFile, letterhead: LetterheadEntry | None) -> tuple[str, list[Path]]:
    """What the file of the emblem, beside this one, holds, and which it is; "" where there is none, or none that can be drawn."""
    if letterhead is None or not letterhead.emblem:
        return "", []
    path = file.path.parent / letterhead.emblem
    try:
        content = path.read_text(encoding="utf-8") if path.stat().st_size <= LARGEST_EMBLEM else ""
    except (OSError, ValueError):
        content = ""
    if "<svg" not in content:
        file.faults.add(("letterhead", "emblem"), "emblem", given=letterhead.emblem, largest=LARGEST_EMBLEM // 1024)
    return content, [path]


def _check_roles(file: EntryFile, named: Iterable[tuple[Place, str]], roles: Collection[str] | None) -> None:
    for place, role in named:
        if roles is not None and role not in roles:
            file.faults.add(place, "role_unknown", given=role, known=", ".join(sorted(roles)))


def _check_one_at_a_time(file: EntryFile, offices: Offices) -> None:
    """An office has one holder or acting holder at a time, and one deputy: a Plt. fills a vacancy, a Plh. stands in for somebody."""
    for (_, earlier), (place, later) in combinations(offices, 2):
        same = earlier.role == later.role and (earlier.holding is Holding.DEPUTY) == (later.holding is Holding.DEPUTY)
        if same and _overlap(earlier, later):
            file.faults.add(place, "office_twice", role=later.role, name=later.name, other=earlier.name)


def _check_people(file: EntryFile, offices: Offices, programmers: Programmers) -> None:
    """An account is one person, and one programmer."""
    names: dict[str, str] = {}
    people: list[tuple[Place, OfficeEntry | ProgrammerEntry]] = [*offices, *programmers]
    for place, person in people:
        name = names.setdefault(person.account, person.name)
        if name != person.name:
            file.faults.add((*place, "account"), "account_of_two", account=person.account, name=person.name, other=name)
    for (_, earlier), (place, later) in combinations(programmers, 2):
        if earlier.account == later.account:
            file.faults.add((*place, "account"), "programmer_twice", account=later.account)


def _check_special_hours(file: EntryFile, special: Sequence[tuple[Place, SpecialHoursEntry]]) -> None:
    for (_, earlier), (place, later) in combinations(special, 2):
        if _overlap(earlier, later):
            file.faults.add(place, "hours_overlap", name=later.name, other=earlier.name)


def _check_closures(file: EntryFile, closures: Sequence[tuple[Place, ClosureEntry]], years: set[int]) -> None:
    for place, closure in closures:
        missing = {closure.since.year, closure.last.year} - years
        if missing:
            file.faults.add(place, "closure_year", year=min(missing))


def _check_numbers(file: EntryFile, numbering: NumberingEntry | None) -> None:
    """Each type of document counts for itself, so what else is in its numbers must tell them from those of every other type."""
    if numbering is None:
        return
    if "{type}" not in numbering.default:
        file.faults.add(("numbering", "default"), "number_type")
        return
    known = numbering.read()
    first: dict[str, str] = {}
    for document in (*numbering.types, *(document for document in numbering.patterns if document not in numbering.types)):
        other = first.setdefault(re.sub(":0[0-9]d", "", known.pattern(document, date.min)), document)
        if other != document:
            part = "patterns" if document in numbering.patterns else "types"
            file.faults.add(("numbering", part, document), "numbers_alike", document=document, other=other)


def _overlap(one: OfficeEntry | SpecialHoursEntry, other: OfficeEntry | SpecialHoursEntry) -> bool:
    return one.since <= (other.until or date.max) and other.since <= (one.until or date.max)
