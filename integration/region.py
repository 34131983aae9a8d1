"""The part of an issue's description that is the service's: one region between two comments; all other text is the users'; pure.

Whatever somebody did to the markers, bringing a region in leaves exactly one, and nothing of the users' text is lost; of a region half
deleted, what is left of our own lines goes.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

START, END = "<!-- alur:mulai -->", "<!-- alur:selesai -->"

_REGION = re.compile(rf"{START}(?:(?!{START}|{END}).)*{END}", re.DOTALL)
_STRAY = re.compile(rf"({START}|{END})")
_BOX = re.compile(r"^\s*[-*+] \[(?P<mark>[ xX])\] (?P<item>\d+\\?\.\d+)\b", re.MULTILINE)
_TASK = re.compile(r"^\s*(?:[-*+]|\d+[.)]) \[(?P<mark>[ xX])\] \S", re.MULTILINE)
_FENCED = re.compile(r"^ {0,3}(```+|~~~+).*?(?:^ {0,3}\1|\Z)", re.MULTILINE | re.DOTALL)


def region(words: str) -> str:
    """These words as a region."""
    return f"{START}\n\n{words.strip()}\n\n{END}"


def with_region(description: str, shown: str) -> str:
    """The description with this region in the place of the one it has, or at its end; further ones and lone markers are taken out."""
    first = _REGION.search(description)
    if first is None:
        return "\n\n".join(part for part in (_users(description, shown).strip(), shown) if part)
    before, after = description[: first.start()], description[first.end() :]
    return f"{_users(before, shown)}{shown}{_users(after, shown)}".strip()


def with_form(description: str, earlier: Iterable[str], current: str) -> str:
    """The description with the current form in the place of an earlier version, where nobody has changed that one."""
    for form in earlier:
        if form != current and form in description:
            return description.replace(form, current, 1)
    return description


def ticked(description: str) -> frozenset[str]:
    """The ids of the items whose boxes are set inside the region: "20.5"."""
    return frozenset(item for item, mark in _boxes(description) if mark != " ")


def boxes(description: str) -> frozenset[str]:
    """The ids of all items with a box inside the region."""
    return frozenset(item for item, _ in _boxes(description))


def tasks(description: str) -> tuple[int, int]:
    """How many boxes of the users' own lists are set, and how many there are: all outside the region, but for those shown as code."""
    marks = [found["mark"] for found in _TASK.finditer(_FENCED.sub("", _REGION.sub("", description)))]
    return sum(mark != " " for mark in marks), len(marks)


def _boxes(description: str) -> Iterator[tuple[str, str]]:
    shown = _REGION.search(description)
    for found in _BOX.finditer(shown.group() if shown else ""):
        yield found["item"].replace("\\", ""), found["mark"]


def _users(text: str, shown: str) -> str:
    """What of this text is the users': no region, no lone marker, and no line of ours on the inner side of one."""
    parts = _STRAY.split(_REGION.sub("", text))
    texts, markers = parts[::2], ["", *parts[1::2], ""]
    ours = frozenset(line.strip() for line in shown.splitlines()) - {""}
    inner = (start == START or end == END for start, end in pairwise(markers))
    return "".join(_without(ours, part) if inside else part for part, inside in zip(texts, inner, strict=True))


def _without(ours: frozenset[str], text: str) -> str:
    return "\n".join(line for line in text.split("\n") if line.strip() not in ours)
