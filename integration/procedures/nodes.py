"""The mappings of a procedure file, asked for their entries one by one.

Whatever is asked for and found wrong becomes a fault, and a quiet value (empty text, 0, nothing) takes its place so that reading goes on.
"""

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from integration.yamlfile import Faults, Place, is_null, pairs

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

WHOLE_NUMBER = re.compile("[1-9][0-9]{0,3}")


class Entries:
    """A mapping of the file: each entry is asked for by its key and type, and what nobody asked for is an unknown key.

    A key without a default must be there. Anything but a mapping is a fault, and then there are no entries to ask for.
    """

    def __init__(self, node: Node, place: Place, faults: Faults) -> None:
        self.place = place
        self.faults = faults
        self._readable = isinstance(node, MappingNode)
        self.nodes = pairs(node) if isinstance(node, MappingNode) else {}
        self._asked: list[str] = []
        if not self._readable:
            faults.add(place, "not-entries", line=node.start_mark.line + 1)

    @property
    def name(self) -> str:
        """The key or position this mapping stands under."""
        return str(self.place[-1])

    def text(self, key: str, default: str | None = None) -> str:
        """Text that is not empty; a number or a date is the text it is written with."""
        node = self._take(key, needed=default is None)
        return self._text(node, (*self.place, key)) if node else default or ""

    def number(self, key: str, default: int | None = None) -> int:
        """A whole number from 1 to 9999."""
        node = self._take(key, needed=default is None)
        return self._number(node, (*self.place, key)) if node else default or 0

    def flag(self, key: str) -> bool:
        """`true` or `false`; false where the key is missing."""
        node = self._take(key, needed=False)
        if node and not (isinstance(node, ScalarNode) and node.value in ("true", "false")):
            self.faults.add((*self.place, key), "not-flag")
        return isinstance(node, ScalarNode) and node.value == "true"

    def choice(self, key: str, kind: type[E], *, needed: bool = False) -> E | None:
        """One of the values of `kind`; None where it is missing or none of them."""
        node = self._take(key, needed=needed)
        return self._choice(node, (*self.place, key), kind) if node else None

    def choices(self, key: str, kind: type[E]) -> tuple[E, ...]:
        """A list of values of `kind`; those that are none of them are left out."""
        read = [self._choice(node, place, kind) for place, node in self._items(key, needed=False)]
        return tuple(value for value in read if value)

    def texts(self, key: str, *, needed: bool = False) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(self._text(node, place) for place, node in self._items(key, needed=needed))

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers from 1 to 9999; empty where it is missing."""
        return tuple(self._number(node, place) for place, node in self._items(key, needed=False))

    def each(
        self, key: str, read: Callable[["Entries"], T], *, plain: Callable[[str], T] | None = None, needed: bool = False
    ) -> tuple[T, ...]:
        """A list of mappings, each read by `read`; with `plain`, an item may also be a text alone."""
        found = []
        for place, node in self._items(key, needed=needed):
            if plain and isinstance(node, ScalarNode):
                found.append(plain(self._text(node, place)))
            else:
                found.append(read_entries(node, place, self.faults, read))
        return tuple(found)

    def named(self, key: str, read: Callable[["Entries"], T]) -> dict[str, T]:
        """A mapping of mappings, each read by `read`, which finds its key as `name`; empty where it is missing."""
        node = self._take(key, needed=False)
        if node is None:
            return {}
        outer = Entries(node, (*self.place, key), self.faults)
        return {name: read_entries(inner, (*outer.place, name), self.faults, read) for name, inner in outer.nodes.items()}

    def inside(self, key: str, read: Callable[["Entries"], T], *, needed: bool = False) -> T | None:
        """A mapping read by `read`; None where it is missing."""
        node = self._take(key, needed=needed)
        return read_entries(node, (*self.place, key), self.faults, read) if node else None

    def is_mapping(self, key: str) -> bool:
        """Whether the value of `key` is a mapping, where it may be that or a word."""
        return isinstance(self.nodes.get(key), MappingNode)

    def close(self) -> None:
        """Call after the last question: the other keys are unknown."""
        for name in self.nodes:
            if name not in self._asked:
                self.faults.unknown((*self.place, name), "unknown-key", name, self._asked)

    def _take(self, key: str, *, needed: bool) -> Node | None:
        self._asked.append(key)
        node = self.nodes.get(key)
        if node is None and needed and self._readable:
            self.faults.add(self.place, "missing", key=key)
        return node

    def _items(self, key: str, *, needed: bool) -> Iterator[tuple[Place, Node]]:
        node = self._take(key, needed=needed)
        if isinstance(node, SequenceNode) and node.value:
            for index, item in enumerate(node.value):
                yield (*self.place, key, index), item
        elif node:
            self.faults.add((*self.place, key), "not-list")

    def _text(self, node: Node, place: Place) -> str:
        if not isinstance(node, ScalarNode):
            self.faults.add(place, "not-text")
            return ""
        if is_null(node) or not node.value.strip():
            self.faults.add(place, "empty")
            return ""
        return str(node.value)

    def _number(self, node: Node, place: Place) -> int:
        if isinstance(node, ScalarNode) and WHOLE_NUMBER.fullmatch(node.value):
            return int(node.value)
        self.faults.add(place, "not-number")
        return 0

    def _choice(self, node: Node, place: Place, kind: type[E]) -> E | None:
        value = self._text(node, place)
        if not value:
            return None
        if value in list(kind):
            return kind(value)
        self.faults.unknown(place, "unknown-word", value, kind)
        return None


def read_entries(node: Node, place: Place, faults: Faults, read: Callable[[Entries], T]) -> T:
    """A mapping read by `read`, and then its unknown keys."""
    entries = Entries(node, place, faults)
    value = read(entries)
    entries.close()
    return value
