"""What is wrong with a procedure file: every fault with its line, in the words of `templates/messages/procedure.yaml`.

A fault is a value for the person who edits the file; nothing here stops at the first one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from integration.templates import messages

Place = tuple[str | int, ...]
"""Where something stands in the file: keys, and positions in lists counted from 0."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault. `line` counts from 1; `path` reads "steps[4].outcomes.revisi", positions from 1; `kind` is the message's key."""

    line: int
    path: str
    kind: str
    message: str


def path(place: Place) -> str:
    """How a place is written for people: "steps[4].outcomes.revisi"."""
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".")


class Faults:
    """The faults found so far in one file. `lines` gives the line of each place that stands in it."""

    def __init__(self, lines: Mapping[Place, int]) -> None:
        self._lines = lines
        self._found: set[Fault] = set()

    def __bool__(self) -> bool:
        """Whether anything is wrong so far."""
        return bool(self._found)

    def line(self, place: Place) -> int:
        """The line of `place`, or of the nearest thing around it that stands in the file."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def add(self, place: Place, kind: str, *, line: int | None = None, **values: object) -> None:
        """Note a fault of `kind` at `place`; `values` fill its sentence, `line` wins over the place's own."""
        sentence = messages("procedure")[kind].format(**values)
        self._found.add(Fault(line or self.line(place), path(place), kind, sentence))

    def unknown(self, place: Place, kind: str, value: object, known: Iterable[object]) -> None:
        """Note that `value` is none of `known`, with the nearest one or all of them."""
        names = [str(name) for name in known]
        nearest = get_close_matches(str(value), names, n=1)
        said = messages("procedure")
        hint = said["hint-nearest"].format(nearest=nearest[0]) if nearest else said["hint-known"].format(known=", ".join(names) or "-")
        self.add(place, kind, value=value, hint=hint)

    def in_order(self) -> tuple[Fault, ...]:
        """All faults, from the top of the file to its end."""
        return tuple(sorted(self._found))
