"""The organisation file: people, offices, working time, letterhead and numbering, read into the core's types.

Either a whole organisation is handed out or every fault of its files, never an organisation with a fault in it.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path

from integration.calendars import SHIPPED, YearOff, read_year, shipped_years
from integration.entries import EntryFile
from integration.organisation_file import (
    ClosureEntry,
    DaysEntry,
    File,
    LetterheadEntry,
    NumberingEntry,
    OfficeEntry,
    ProgrammerEntry,
    SpecialHoursEntry,
)
from integration.procedure.offices import DayOff, Holding, HoursPeriod, Organisation, WorkCalendar
from integration.templates import messages
from integration.yamlfile import Fault, FileFaults, Place

Offices = Sequence[tuple[Place, OfficeEntry]]
Programmers = Sequence[tuple[Place, ProgrammerEntry]]


class OrganisationFaults(FileFaults):
    """The organisation file, or a calendar it names, cannot be used."""


def load(path: Path, roles: Collection[str] | None = None) -> Organisation:
    """The organisation this file describes. `roles`: the platform roles offices may name (of all procedures); None: any.

    Raises OrganisationFaults.
    """
    organisation, faults = _read(path, roles)
    if organisation is None:
        raise OrganisationFaults(faults)
    return organisation


def check(path: Path, roles: Collection[str] | None = None) -> list[Fault]:
    """Everything that is wrong with this file and the calendars it names; empty where `load` would succeed."""
    return _read(path, roles)[1]


def _read(path: Path, roles: Collection[str] | None) -> tuple[Organisation | None, list[Fault]]:
    file = EntryFile(path, messages("organisation"))
    if file.faults:
        return None, list(file.faults)
    top = file.entry(File)
    letterhead = file.entry(LetterheadEntry, "letterhead")
    numbering = file.entry(NumberingEntry, "numbering")
    offices = file.entries(OfficeEntry, "offices")
    programmers = file.entries(ProgrammerEntry, "programmers")
    regular = file.entry(DaysEntry, "working_hours")
    special = file.entries(SpecialHoursEntry, "special_hours")
    closures = file.entries(ClosureEntry, "closures")
    years, faults = _years(file)

    _check_roles(file, offices, roles)
    _check_one_at_a_time(file, offices)
    _check_people(file, offices, programmers)
    _check_special_hours(file, special)
    if not faults:
        _check_closures(file, closures, {year.year for year in years})

    faults = sorted(file.faults) + faults
    if faults or not (top and letterhead and numbering and regular):
        return None, faults
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
        letterhead=letterhead.read(),
        numbering=numbering.read(),
        report_recipients=top.report_recipients,
    )
    return organisation, []


def _years(file: EntryFile) -> tuple[list[YearOff], list[Fault]]:
    """The calendars the file names: a year that ships with the service, or a file beside this one; and the faults of those files."""
    years: list[YearOff] = []
    faults: list[Fault] = []
    for place, name in file.texts("calendars"):
        if name.isdecimal() and int(name) not in shipped_years():
            file.faults.add(place, "calendar_unknown", given=name, known=", ".join(str(year) for year in shipped_years()))
            continue
        calendar = EntryFile(SHIPPED / f"{name}.yaml" if name.isdecimal() else file.path.parent / name, messages("organisation"))
        year = read_year(calendar)
        faults += calendar.faults
        if year and any(year.year == other.year for other in years):
            file.faults.add(place, "calendar_twice", year=year.year)
        elif year:
            years.append(year)
    return years, faults


def _closed_days(closures: Sequence[tuple[Place, ClosureEntry]]) -> Iterator[DayOff]:
    for _, closure in closures:
        for number in range((closure.last - closure.since).days + 1):
            yield DayOff(closure.since + timedelta(days=number), closure.name, closure.decree)


def _check_roles(file: EntryFile, offices: Offices, roles: Collection[str] | None) -> None:
    for place, office in offices:
        if roles is not None and office.role not in roles:
            file.faults.add((*place, "role"), "role_unknown", given=office.role, known=", ".join(sorted(roles)))


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


def _overlap(one: OfficeEntry | SpecialHoursEntry, other: OfficeEntry | SpecialHoursEntry) -> bool:
    return one.since <= (other.until or date.max) and other.since <= (one.until or date.max)
