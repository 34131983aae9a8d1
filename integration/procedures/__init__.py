"""The procedures as data: one YAML file per procedure and revision, read into the types of `integration.procedure.definition`.

No procedure with a fault is ever given out: what `load` returns has passed every rule of `check`.
"""

from pathlib import Path

from integration.procedure.definition import Procedure
from integration.procedure.revisions import age
from integration.procedures.reading import procedure as read_procedure
from integration.procedures.rules import broken_rules
from integration.procedures.ways import broken_ways
from integration.templates import messages
from integration.yamlfile import Fault, FileFaults
from integration.yamlfile import read as read_file

__all__ = ["Fault", "InvalidProcedure", "UnknownProcedure", "check", "load", "shipped"]

FOLDER = Path(__file__).parent


class InvalidProcedure(FileFaults):
    """A procedure file has faults."""


class UnknownProcedure(LookupError):
    """No shipped procedure has this name."""


def shipped() -> dict[str, Path]:
    """The files that come with the service, by "<slug>.<revision>", a procedure's revisions from old to new."""
    found = (path.stem.rpartition(".") for path in FOLDER.glob("*.yaml"))
    names = sorted(found, key=lambda name: (name[0], age(name[2])))
    return {"".join(name): FOLDER / f"{''.join(name)}.yaml" for name in names}


def load(wanted: Path | str) -> Procedure:
    """The procedure of a file, or the shipped one called "<slug>.<revision>"; a slug alone means its newest revision.

    Raises InvalidProcedure, UnknownProcedure, or OSError where the file cannot be read.
    """
    path = wanted if isinstance(wanted, Path) else _shipped_as(wanted)
    procedure, faults = _examine(path)
    if procedure is None or faults:
        raise InvalidProcedure(faults)
    return procedure


def check(path: Path) -> list[Fault]:
    """Every fault of a procedure file, from its top to its end; empty for a valid one. OSError where the file cannot be read."""
    return _examine(path)[1]


def _shipped_as(name: str) -> Path:
    files = shipped()
    fitting = [path for stem, path in files.items() if name in (stem, stem.rpartition(".")[0])]
    if not fitting:
        raise UnknownProcedure(f"{name}: shipped are {', '.join(files)}")
    return fitting[-1]


def _examine(path: Path) -> tuple[Procedure | None, list[Fault]]:
    """Read and judge. Ways through the steps are judged only where all else is right: beside a wrong step number they mean nothing."""
    root, faults = read_file(path, messages("procedure"))
    if root is None:
        return None, sorted(faults)
    procedure = read_procedure(root, faults)
    broken_rules(procedure, faults)
    if not faults:
        broken_ways(procedure, faults)
    return procedure, sorted(faults)
