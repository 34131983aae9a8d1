"""The part of an issue's description that is the service's: one region between two comments; all other text is the users'; pure.

Whatever somebody did to the markers, bringing a region in leaves exactly one, and nothing of the users' text is lost.
"""

import re
from collections.abc import Iterable

START, END = "<!-- alur:mulai -->", "<!-- alur:selesai -->"

_REGION = re.compile(rf"{START}(?:(?!{START}|{END}).)*{END}", re.DOTALL)
_STRAY = re.compile(rf"{START}|{END}")
_TICKED = re.compile(r"^\s*[-*+] \[[xX]\] (\d+\\?\.\d+)\b", re.MULTILINE)


def region(words: str) -> str:
    """These words as a region."""
    return f"{START}\n\n{words.strip()}\n\n{END}"


def with_region(description: str, shown: str) -> str:
    """The description with this region in the place of the one it has, or at its end; further ones and lone markers are taken out."""
    first = _REGION.search(description)
    if first is None:
        return "\n\n".join(part for part in (_without_markers(description).strip(), shown) if part)
    before, after = description[: first.start()], description[first.end() :]
    return f"{_without_markers(before)}{shown}{_without_markers(after)}".strip()


def with_form(description: str, earlier: Iterable[str], current: str) -> str:
    """The description with the current form in the place of an earlier version, where nobody has changed that one."""
    for form in earlier:
        if form != current and form in description:
            return description.replace(form, current, 1)
    return description


def ticked(description: str) -> frozenset[str]:
    """The ids of the items whose boxes are set inside the region: "20.5"."""
    shown = _REGION.search(description)
    return frozenset(found.replace("\\", "") for found in _TICKED.findall(shown.group())) if shown else frozenset()


def _without_markers(text: str) -> str:
    return _STRAY.sub("", _REGION.sub("", text))
