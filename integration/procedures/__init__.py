"""The procedures as data: one YAML file per procedure and revision, read into the types of `integration.procedure.definition`.

No procedure with a fault is ever given out: what `load` returns has passed every rule of `check`.
"""

from pathlib import Path

import yaml

from integration.procedure.definition import Procedure
from integration.procedures.faults import Fault, Faults
from integration.procedures.nodes import AliasFound, compose, is_null, lines
from integration.procedures.reading import procedure as read
from integration.procedures.rules import broken_rules
from integration.procedures.ways import broken_ways

__all__ = ["Fault", "InvalidProcedure", "UnknownProcedure", "check", "load", "shipped"]

FOLDER = Path(__file__).parent


class InvalidProcedure(ValueError):
    """The file at `path` has `faults`; str() lists them all with their lines."""

    def __init__(self, path: Path, faults: tuple[Fault, ...]) -> None:
        super().__init__(path, faults)
        self.path = path
        self.faults = faults

    def __str__(self) -> str:
        """One line per fault, as compilers write them."""
        return "\n".join(f"{self.path}:{fault.line}: {fault.path}: {fault.message}" for fault in self.faults)


class UnknownProcedure(LookupError):
    """No shipped procedure has this name."""


def shipped() -> dict[str, Path]:
    """The files that come with the service, by "<slug>.<revision>", a procedure's revisions from old to new."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def load(wanted: Path | str) -> Procedure:
    """The procedure of a file, or the shipped one called "<slug>.<revision>"; a slug alone means its newest revision.

    Raises InvalidProcedure, UnknownProcedure, or OSError where the file cannot be read.
    """
    path = wanted if isinstance(wanted, Path) else _shipped_as(wanted)
    procedure, faults = _examine(path.read_bytes())
    if procedure is None or faults:
        raise InvalidProcedure(path, faults)
    return procedure


def check(path: Path) -> list[Fault]:
    """Every fault of a procedure file, from its top to its end; empty for a valid one. OSError where the file cannot be read."""
    return list(_examine(path.read_bytes())[1])


def _shipped_as(name: str) -> Path:
    files = shipped()
    fitting = [path for stem, path in files.items() if name in (stem, stem.rpartition(".")[0])]
    if not fitting:
        raise UnknownProcedure(f"{name}: shipped are {', '.join(files)}")
    return fitting[-1]


def _examine(content: bytes) -> tuple[Procedure | None, tuple[Fault, ...]]:
    """Read and judge. Ways through the steps are judged only where all else is right: beside a wrong step number they mean nothing."""
    try:
        root = compose(content)
    except yaml.YAMLError as fault:
        return None, _unreadable(fault)
    if root is None or is_null(root):
        nothing = Faults({})
        nothing.add((), "nothing")
        return None, nothing.in_order()
    faults = Faults(lines(root))
    procedure = read(root, faults)
    broken_rules(procedure, faults)
    if not faults:
        broken_ways(procedure, faults)
    return procedure, faults.in_order()


def _unreadable(fault: yaml.YAMLError) -> tuple[Fault, ...]:
    mark = getattr(fault, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    faults = Faults({})
    faults.add((), "alias" if isinstance(fault, AliasFound) else "syntax", line=line, column=column)
    return faults.in_order()
