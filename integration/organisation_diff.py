"""What differs between two organisations: offices, programmers, working time, papers and recipients; pure.

Things are the same by what names them (an office by role, account and first day), whatever else of them changed. No sentence is made here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from integration.procedure.offices import Organisation

NEW, GONE, OTHERWISE = "new", "gone", "field"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is NEW, GONE or OTHERWISE. `kind`: "office", "programmer", "hours", "day", "year", "recipient" or "name".

    `thing`: itself, of offices.py, as it will be, or was; for a "name" nothing. `field`: what of it is otherwise, `before` and `after`.
    """

    kind: str
    form: str
    thing: Any = None
    field: str = ""
    before: object = None
    after: object = None


def differences(before: Organisation, after: Organisation) -> tuple[Change, ...]:
    """All that `after` says otherwise than `before`, kind by kind. Of a year that comes or goes the days off are not listed."""
    both = before.calendar.years & after.calendar.years
    old_days, new_days = ([off for _, off in sorted(o.calendar.days_off.items()) if off.day.year in both] for o in (before, after))
    return (
        *_compared("office", before.offices, after.offices, lambda office: (office.role, office.account, office.since)),
        *_compared("programmer", before.programmers, after.programmers, lambda programmer: programmer.account),
        *_compared("hours", before.calendar.periods, after.calendar.periods, lambda period: (period.name, period.since)),
        *_compared("year", sorted(before.calendar.years), sorted(after.calendar.years), _itself),
        *_compared("day", old_days, new_days, lambda off: off.day),
        *_compared("recipient", before.report_recipients, after.report_recipients, _itself),
        *_renamed("", {"name": before.name, "tz": str(before.calendar.tz)}, {"name": after.name, "tz": str(after.calendar.tz)}),
        *_renamed("letterhead", _plain(before.letterhead), _plain(after.letterhead)),
        *_renamed("numbering", _plain(before.numbering), _plain(after.numbering)),
        *_renamed("papers", _plain(before.papers), _plain(after.papers)),
    )


def _compared(kind: str, before: Iterable[Any], after: Iterable[Any], key: Callable[[Any], object]) -> Iterator[Change]:
    old, new = ({key(thing): thing for thing in things} for things in (before, after))
    for name, thing in old.items():
        if name not in new:
            yield Change(kind, GONE, thing)
        elif thing != new[name]:
            pairs = ((field.name, getattr(thing, field.name), getattr(new[name], field.name)) for field in fields(thing))
            yield from (Change(kind, OTHERWISE, new[name], *pair) for pair in pairs if pair[1] != pair[2])
    yield from (Change(kind, NEW, thing) for name, thing in new.items() if name not in old)


def _renamed(group: str, before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[Change]:
    """What stands once in the file, and its mappings entry by entry."""
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name, ""), after.get(name, "")
        place = f"{group}.{name}".strip(".")
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _renamed(place, old, new)
        elif old != new:
            yield Change("name", OTHERWISE, None, place, old, new)


def _plain(thing: Any) -> dict[str, object]:  # noqa: ANN401 -- any dataclass
    return {field.name: getattr(thing, field.name) for field in fields(thing)}


def _itself(thing: object) -> object:
    return thing
