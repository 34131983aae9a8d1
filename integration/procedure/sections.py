"""What people write below headings, compared with what a step or a report asks for.

Headings are matched whatever their case and spacing; a text counts only if it can be read as what its section is.
"""

import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from integration.procedure.definition import Priority, Section, SectionKind
from integration.procedure.events import Missing
from integration.procedure.facts import Sections

_MONTHS = (
    "januari",
    "februari",
    "maret",
    "april",
    "mei",
    "juni",
    "juli",
    "agustus",
    "september",
    "oktober",
    "november",
    "desember",
)
_DATE = re.compile(r"(\d{1,2}) ([a-z]+) (\d{4})")
_PERCENT = re.compile(r"(\d{1,3}) ?%?")


def plain(words: str) -> str:
    """Words as they are compared: lower case, single spaces, no colon at the end."""
    return " ".join(words.split()).casefold().rstrip(" :")


def accept(asked: tuple[Section, ...], written: Sections) -> tuple[Sections, tuple[Missing, ...]]:
    """What was written, under the headings asked for and in their order, others after them; and which headings are missing or unreadable.

    Text under a heading written twice is joined. Sections the service fills in are never missing.
    """
    texts: dict[str, str] = {}
    titles = {plain(section.title): section.title for section in asked}
    for title, text in written:
        name = titles.setdefault(plain(title), title)
        texts[name] = "\n\n".join(part for part in (texts.get(name, ""), text.strip()) if part)
    missing = (_fault(section, texts.get(section.title, "")) for section in asked)
    faults = (*(fault for fault in missing if fault), *_disordered(asked, texts))
    return tuple((title, texts[title]) for title in titles.values() if texts.get(title)), faults


def read_date(text: str) -> date | None:
    """The day meant by "2026-12-31" or "31 Desember 2026"; None for anything else."""
    words = plain(text)
    try:
        if spelled := _DATE.fullmatch(words):
            day, month, year = spelled.groups()
            return date(int(year), _MONTHS.index(month) + 1, int(day))
        return date.fromisoformat(words)
    except ValueError:
        return None


def read_priority(text: str) -> Priority | None:
    """The priority meant; None for any other word."""
    return next((priority for priority in Priority if priority == plain(text)), None)


def read_percent(text: str) -> int | None:
    """A whole percentage from 0 to 100, with or without its sign; None for anything else."""
    number = _PERCENT.fullmatch(plain(text))
    return int(number[1]) if number and int(number[1]) <= 100 else None  # noqa: PLR2004 -- the whole


_READERS = {SectionKind.DATE: read_date, SectionKind.PRIORITY: read_priority, SectionKind.PERCENT: read_percent}


def _disordered(asked: tuple[Section, ...], texts: dict[str, str]) -> Iterator[Missing]:
    """Days that are before the one asked for above them (POS step 6: nothing is finished before it begins)."""
    days = [(s.title, read_date(texts.get(s.title, ""))) for s in asked if s.kind is SectionKind.DATE]
    for (_, earlier), (title, later) in pairwise(days):
        if earlier and later and later < earlier:
            yield Missing("date_order", title)


def _fault(section: Section, text: str) -> Missing | None:
    if section.kind is SectionKind.SERVICE:
        return None
    if not text:
        return Missing("section", section.title)
    reader = _READERS.get(section.kind)
    return Missing(section.kind.value, section.title) if reader and reader(text) is None else None
