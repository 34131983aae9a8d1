"""A YAML file read into typed entries; whatever is wrong with it is told at once, each fault with its path and line.

Scalars stay text until an entry's type reads them: a NIP keeps its zeros, "07.30" is a time and no number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

Place = tuple[str | int, ...]
"""Where a value stands in its file: keys, and positions in lists counted from 0."""

NULL = "tag:yaml.org,2002:null"


class Entry(BaseModel):
    """What the entries of such a file have in common: no unknown keys, no empty text."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, str_min_length=1)


AnyEntry = TypeVar("AnyEntry", bound=Entry)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a file, in a sentence for the person who keeps it. `line` counts from 1; `path` reads "offices[3].nip", from 1 too."""

    file: Path
    line: int
    path: str
    sentence: str

    def __str__(self) -> str:
        """The fault on one line, as compilers print theirs."""
        return ": ".join(part for part in (f"{self.file}:{self.line}", self.path, self.sentence) if part)


class YamlFile:
    """One file: its content as mappings, lists and text, and the faults found in it so far.

    `sentences` words the faults, by the type of pydantic's error or by the kind given to `fault`. An empty value counts as absent; a file
    that cannot be read at all is one fault and has no content.
    """

    def __init__(self, path: Path, sentences: Mapping[str, str]) -> None:
        self.path = path
        self.faults: list[Fault] = []
        self._sentences = sentences
        self._lines: dict[Place, int] = {}
        root = self._compose()
        self.content = self._plain(root, ()) if root else {}

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
                self.fault((*place, *within), error["type"], given=error["input"], **error.get("ctx", {}))
            return None

    def entries(self, kind: type[AnyEntry], key: str) -> list[tuple[Place, AnyEntry]]:
        """The sound items of the list under this key of the file, each with where it stands; the faults of the others are noted."""
        read = (((key, index), self.entry(kind, key, index)) for index, _ in enumerate(self._items(key)))
        return [(place, entry) for place, entry in read if entry]

    def texts(self, key: str) -> list[tuple[Place, str]]:
        """The texts of the list under this key of the file, each with where it stands; whatever else is in it is left out."""
        return [((key, index), item) for index, item in enumerate(self._items(key)) if isinstance(item, str)]

    def fault(self, place: Place, kind: str, **values: object) -> None:
        """Note what is wrong at `place`, in the sentence called `kind` ("invalid" where none is called so), filled with `values`."""
        sentence = self._sentences.get(kind, self._sentences["invalid"]).format(**values)
        path = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")
        while place and place not in self._lines:
            place = place[:-1]
        self.faults.append(Fault(self.path, self._lines.get(place, 1), path, sentence))

    def _compose(self) -> yaml.Node | None:
        """The file's nodes; None where it is no mapping in YAML, which is then noted. Aliases are refused: a line stands for itself."""
        try:
            text = self.path.read_text(encoding="utf-8")
            aliases = [event for event in yaml.parse(text, Loader=yaml.SafeLoader) if isinstance(event, yaml.AliasEvent)]
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except OSError:
            self._broken("unreadable")
        except UnicodeDecodeError:
            self._broken("not_utf8")
        except yaml.YAMLError as error:
            self._broken("not_yaml", getattr(error, "problem_mark", None))
        else:
            if aliases:
                self._broken("alias", aliases[0].start_mark)
            elif isinstance(root, yaml.MappingNode):
                return root
            else:
                self._broken("not_entries")
        return None

    def _broken(self, kind: str, mark: object = None) -> None:
        self.faults.append(Fault(self.path, getattr(mark, "line", 0) + 1, "", self._sentences[kind]))

    def _items(self, key: str) -> list[object]:
        value = self._at((key,))
        return value if isinstance(value, list) else []

    def _plain(self, node: yaml.Node, place: Place) -> object:
        """What stands below a node; remembers the line of every place, and notes a key given twice."""
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._lines[*place, index] = item.start_mark.line + 1
            items = (self._plain(item, (*place, index)) for index, item in enumerate(node.value))
            return ["" if item is None else item for item in items]  # an empty item is no entry, but must not vanish
        if not isinstance(node, yaml.MappingNode):
            return None if node.tag == NULL else node.value
        content: dict[str, object] = {}
        for key, value in node.value:
            inner = (*place, str(key.value))
            twice = inner in self._lines
            self._lines[inner] = key.start_mark.line + 1
            if twice:
                self.fault(inner, "twice", given=key.value)
            content[str(key.value)] = self._plain(value, inner)
        return {key: value for key, value in content.items() if value is not None}

    def _at(self, place: Place) -> Any:  # noqa: ANN401 - whatever the file says there
        """The value at `place`; None where there is none."""
        value: Any = self.content
        for part in place:
            value = value.get(part) if isinstance(value, dict) else value[part]
        return value
