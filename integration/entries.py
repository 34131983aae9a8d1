"""A YAML file read into typed entries by pydantic: the organisation file and the calendars.

Scalars stay text until an entry's type reads them: a NIP keeps its zeros, "07.30" is a time and no number.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from yaml.nodes import MappingNode, Node, SequenceNode

from integration.yamlfile import Place, is_null, pairs, read


class Entry(BaseModel):
    """What the entries of such a file have in common: no unknown keys, no empty text."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, str_min_length=1)


AnyEntry = TypeVar("AnyEntry", bound=Entry)


class EntryFile:
    """One file: its content as mappings, lists and text, and the faults found in it so far. An empty value counts as absent.

    The kinds of its faults are those of `yamlfile.read`, those its reader adds, and the types of pydantic's errors (else "invalid").
    """

    def __init__(self, path: Path, sentences: Mapping[str, str]) -> None:
        self.path = path
        root, self.faults = read(path, sentences)
        self._content = _plain(root) if root else {}

    def entry(self, kind: type[AnyEntry], *place: str | int) -> AnyEntry | None:
        """What stands at `place` as an entry of this kind; None where nothing does, or with faults, which are then noted."""
        value = self._at(place)
        if value is None:
            return None
        try:
            return kind.model_validate(value)
        except ValidationError as invalid:
            for error in invalid.errors(include_url=False):
                within = tuple(part for part in error["loc"] if part != "[key]")
                self.faults.add((*place, *within), error["type"], otherwise="invalid", given=error["input"], **error.get("ctx", {}))
            return None

    def entries(self, kind: type[AnyEntry], key: str) -> list[tuple[Place, AnyEntry]]:
        """The sound items of the list under this key of the file, each with where it stands; the faults of the others are noted."""
        found = (((key, index), self.entry(kind, key, index)) for index, _ in enumerate(self._items(key)))
        return [(place, entry) for place, entry in found if entry]

    def texts(self, key: str) -> list[tuple[Place, str]]:
        """The texts of the list under this key of the file, each with where it stands; whatever else is in it is left out."""
        return [((key, index), item) for index, item in enumerate(self._items(key)) if isinstance(item, str)]

    def _items(self, key: str) -> list[object]:
        value = self._at((key,))
        return value if isinstance(value, list) else []

    def _at(self, place: Place) -> Any:  # noqa: ANN401 - whatever the file says there
        """The value at `place`; None where there is none."""
        value: Any = self._content
        for part in place:
            value = value.get(part) if isinstance(value, dict) else value[part]
        return value


def _plain(node: Node) -> object:
    """What stands below a node; None for an empty value."""
    if isinstance(node, SequenceNode):
        items = (_plain(item) for item in node.value)
        return ["" if item is None else item for item in items]  # an empty item is no entry, but must not vanish
    if isinstance(node, MappingNode):
        content = ((key, _plain(value)) for key, value in pairs(node).items())
        return {key: value for key, value in content if value is not None}
    return None if is_null(node) else node.value
