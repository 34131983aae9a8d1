"""One YAML file of people who configure the service, read as nodes: where everything stands in it, and what is wrong with it.

Nothing is ever constructed from a file; its readers take text out of the nodes. Nothing stops at the first fault: each is a sentence for
the person who keeps the file, with its place and line.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Place = tuple[str | int, ...]
"""Where something stands in a file: keys, and positions in lists counted from 0."""

NULL = "tag:yaml.org,2002:null"
LOADER = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # ten times as fast, with the same marks; missing only where PyYAML was built without it


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault. `line` counts from 1; `path` reads "steps[4].outcomes.revisi", positions from 1; `kind` is the key of its sentence."""

    file: Path
    line: int
    path: str
    kind: str
    message: str

    def __str__(self) -> str:
        """The fault on one line, as compilers print theirs."""
        return ": ".join(part for part in (f"{self.file}:{self.line}", self.path, self.message) if part)


class FileFaults(Exception):
    """Files that cannot be used. `faults` holds every reason; str() lists them, one a line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class Faults:
    """The faults of one file in the order they were found; sorted, they go from its top to its end.

    `sentences` words them by their kind; `lines` gives the line of each place that stands in the file.
    """

    def __init__(self, file: Path, sentences: Mapping[str, str], lines: Mapping[Place, int]) -> None:
        self._file = file
        self._sentences = sentences
        self._lines = lines
        self._found: dict[Fault, None] = {}  # a set that keeps the order

    def __bool__(self) -> bool:
        """Whether anything is wrong so far."""
        return bool(self._found)

    def __iter__(self) -> Iterator[Fault]:
        """Each fault once, as they were found."""
        return iter(self._found)

    def add(self, place: Place, kind: str, *, otherwise: str = "", line: int | None = None, **values: object) -> None:
        """Note a fault of `kind` (where no sentence is called so, of the kind `otherwise`) at `place`, its sentence filled with `values`.

        Its line is `line`, or else that of the place, or of the nearest thing around it that stands in the file.
        """
        kind = kind if kind in self._sentences else otherwise
        path = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")
        while place and place not in self._lines:
            place = place[:-1]
        line = line or self._lines.get(place, 1)
        self._found[Fault(self._file, line, path, kind, self._sentences[kind].format(**values))] = None

    def unknown(self, place: Place, kind: str, given: object, known: Iterable[object]) -> None:
        """Note that `given` is none of `known`, with the nearest one ("hint-nearest") or all of them ("hint-known")."""
        names = [str(name) for name in known]
        nearest = get_close_matches(str(given), names, n=1)
        hint = self._sentences["hint-nearest" if nearest else "hint-known"]
        self.add(place, kind, given=given, hint=hint.format(nearest="".join(nearest), known=", ".join(names) or "-"))


def read(path: Path, sentences: Mapping[str, str]) -> tuple[MappingNode | None, Faults]:
    """The mapping a file holds, and its faults so far: keys given twice. None where it is no such file, which is then its only fault.

    The faults of any file are "syntax", "encoding" (else "syntax"), "alias", "not-entries", "nothing" (else "not-entries") and "twice".
    One that cannot be opened is "unreadable", or raises OSError where no sentence is called so.
    """
    lines: dict[Place, int] = {}
    faults = Faults(path, sentences, lines)
    try:
        content = path.read_bytes()
    except OSError:
        if "unreadable" not in sentences:
            raise
        faults.add((), "unreadable")
        return None, faults
    root = _compose(content, faults)
    if root:
        lines[()] = root.start_mark.line + 1
        _note_lines(root, (), lines, faults)
    return root, faults


def pairs(node: MappingNode) -> dict[str, Node]:
    """What stands in a mapping by key; of a key given twice the first counts."""
    found: dict[str, Node] = {}
    for key, value in node.value:
        found.setdefault(str(key.value), value)
    return found


def is_null(node: Node) -> bool:
    """Whether nothing stands there, as behind a bare key."""
    return isinstance(node, ScalarNode) and node.tag == NULL


def _compose(content: bytes, faults: Faults) -> MappingNode | None:
    """The mapping in these bytes, or None and the fault. Aliases are refused: a line stands for itself, no file grows beyond its size."""
    try:
        text = content.decode("utf-8")
        aliases = [event.start_mark for event in yaml.parse(text, LOADER) if isinstance(event, yaml.AliasEvent)]
        root = None if aliases else yaml.compose(text, LOADER)
    except UnicodeDecodeError:
        _broken(faults, "encoding", otherwise="syntax")
    except yaml.YAMLError as error:
        _broken(faults, "syntax", getattr(error, "problem_mark", None))
    else:
        if isinstance(root, MappingNode):
            return root
        if aliases:
            _broken(faults, "alias", aliases[0])
        elif root is None or is_null(root):
            _broken(faults, "nothing", otherwise="not-entries")
        else:
            _broken(faults, "not-entries", root.start_mark)
    return None


def _broken(faults: Faults, kind: str, mark: object = None, *, otherwise: str = "") -> None:
    """Note what is wrong with the file as a whole, at a mark of YAML's or else at its beginning."""
    faults.add((), kind, otherwise=otherwise, line=getattr(mark, "line", 0) + 1, column=getattr(mark, "column", 0) + 1)


def _note_lines(node: Node, place: Place, lines: dict[Place, int], faults: Faults) -> None:
    """The line of every place below: of an entry's key, of a list item's beginning; of a key given twice the first."""
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            lines[*place, index] = item.start_mark.line + 1
            _note_lines(item, (*place, index), lines, faults)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            inner, line = (*place, str(key.value)), key.start_mark.line + 1
            if inner in lines:
                faults.add(inner, "twice", line=line, given=key.value)
            else:
                lines[inner] = line
                _note_lines(value, inner, lines, faults)
