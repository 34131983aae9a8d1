"""The service's lives, one after another, each in a forked process of its own: told what to do on standard input, telling what it did.

A mortal life ends, without a goodbye, at the first of our statements at which no life has ended before. So every statement between
receiving and effect is a crash point, named by its file, function and line. What is watched is our source as it stands, compiled with a
look at its fate before each statement of its functions; nothing else of the service knows of it, and the rest runs at its own speed.

Order, one JSON object a line: {"now": moment, "messages": [{"path", "headers", "body", "by"}], "does": a key of DEEDS or "",
"visited": [point], "mortal": bool}; `by`: a key of Edges
Answer, one JSON object a line: {"died": point or "", "answers": [status of each message answered], "error": traceback or ""}
"""

import ast
import builtins
import gc
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, TextIO

from sandbox.clock import SimulatedClock
from sandbox.demo import START

if TYPE_CHECKING:
    from sync.wiring import Service

ROOT = Path(__file__).resolve().parents[2]
WATCHED = (
    "integration/attachments.py",
    "integration/files.py",
    "integration/store/",
    "integration/vitals.py",
    "sync/archive.py",
    "sync/attachments.py",
    "sync/boards.py",
    "sync/chasing.py",
    "sync/clock.py",
    "sync/copies.py",
    "sync/digest.py",
    "sync/drain.py",
    "sync/gitlab.py",
    "sync/inbox.py",
    "sync/mail.py",
    "sync/outbox.py",
    "sync/portal.py",
    "sync/privacy.py",
    "sync/provision.py",
    "sync/reconcile.py",
    "sync/reports.py",
    "sync/roster.py",
    "sync/today.py",
    "sync/wiki.py",
    "sync/wiring.py",
    "webhooks/calls.py",
    "webhooks/desk.py",
    "webhooks/edge.py",
    "webhooks/entry.py",
    "webhooks/front.py",
    "webhooks/hooks.py",
    "webhooks/intake.py",
    "webhooks/signing.py",
    "webhooks/turn.py",
    "webhooks/writing.py",
)
"""What writes, sends or keeps between receiving and effect, and what calls it.

Left out is what only reads or computes (the core, papers, texts, pages, `sync.fetch`): to die in it is to die at the statement that asks
it; the loops around a tick, a sweep and the drain (serve, worker, beat), which test_random_kills.py kills; and the commands of an operator,
who sees them end. Of what is watched, a life does not come to what starts a process, serves an operator, shows a page or says no to whoever
sent a message, nor to what is done about most kinds of broken files and answers.
"""

Edges = dict[str, Callable[[], Any]]
"""What makes a client of an edge, by whose edge it is: the "front" of `alur web`, the "threads" of `alur serve`."""

LOOK = "_fate_at"
"""The name watched code looks at its fate by, among the built-in ones."""


class Points(ast.NodeTransformer):
    """Puts a look at its fate before each statement of a module's functions, one for a whole statement."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._names: list[str] = []
        self._function: ast.FunctionDef | ast.AsyncFunctionDef | None = None  # the innermost one

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """See the class."""
        outer = self._function
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self._names.append(node.name)
            self._function = None if isinstance(node, ast.ClassDef) else node
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if self._function and isinstance(statements, list):
                setattr(node, field, [each for statement in statements for each in self._looked(statement)])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self._names.pop()
            self._function = outer
        return node

    def _looked(self, statement: ast.stmt) -> tuple[ast.stmt, ...]:
        """The statement after its look; words that do nothing need none."""
        assert self._function is not None
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            return (statement,)
        point = f"{self._path}:{'.'.join(self._names)}+{statement.lineno - self._function.lineno}"
        look = ast.Expr(ast.Call(ast.Name(LOOK, ast.Load()), [ast.Constant(point)], []))
        return ast.fix_missing_locations(ast.copy_location(look, statement)), statement


class WatchedSource(SourceFileLoader):
    """Loads a module with its points in it, from its source each time."""

    def get_code(self, fullname: str) -> CodeType:
        """The module, to be run."""
        path = self.get_filename(fullname)
        tree = Points(path.removeprefix(f"{ROOT}/")).visit(ast.parse(self.get_data(path), path))
        code: CodeType = compile(tree, path, "exec", dont_inherit=True)
        return code


class Watching(MetaPathFinder):
    """Finds what is watched before anybody else does."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module, if it is watched."""
        found = PathFinder.find_spec(fullname, path, target)
        file = str(found.origin).removeprefix(f"{ROOT}/") if found else ""
        if found and file.startswith(WATCHED) and file.startswith(tuple(os.environ["CRASH_IN"].split())):
            found.loader = WatchedSource(fullname, str(found.origin))
            return found
        return None


class Fate:
    """Ends the process at the first point that is not among the visited; harmless until `visited` is said."""

    def __init__(self) -> None:
        self.visited: frozenset[str] | None = None
        self.tell: TextIO = sys.stdout

    def at(self, point: str) -> None:
        """Here the process may end."""
        if self.visited is not None and point not in self.visited:
            told(self.tell, died=point)
            os._exit(77)


FATE = Fate()
CLOCK = SimulatedClock(START)


def told(where: TextIO, **what: object) -> None:
    """Say it before anything else can happen."""
    where.write(json.dumps(what) + "\n")
    where.flush()


def erase(service: "Service") -> None:
    """Have the data of every case that has ended erased."""
    from sync.privacy import ON_REQUEST  # noqa: PLC0415 -- found by Watching

    for ticket in service.store.tickets():
        service.privacy.erase(ticket, ON_REQUEST)


DEEDS: dict[str, Callable[["Service"], object]] = {
    "": lambda _: None,
    "tick": lambda service: service.tick(),
    "replay": lambda service: [service.store.replay("inbox"), service.store.replay("outbox")],
    "sweep": lambda service: service.sweep(),
    "erase": erase,
}
"""What a process does besides working: look at the time, look for what no hook told, do what the officer for data protection asks."""


def live(service: "Service", edges: Edges, order: dict[str, Any], tell: TextIO) -> None:
    """What a process does from its start: takes what is sent, does what it is to, works until nothing is left."""
    CLOCK.to(datetime.fromisoformat(order["now"]))
    if order["mortal"]:
        FATE.visited, FATE.tell = frozenset(order["visited"]), tell
    service.store.break_leases()
    by = {name: client() for name, client in edges.items()} if order["messages"] else {}
    for message in order["messages"]:
        answer = by[message["by"]].post(message["path"], data=message["body"].encode(), headers=message["headers"])
        told(tell, answer=answer.status_code)
    DEEDS[order["does"]](service)
    service.drain.until_idle()
    FATE.visited = None


def lived(service: "Service", edges: Edges, order: dict[str, Any]) -> dict[str, Any]:
    """One life, and what is known of it afterwards."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as tell:
            try:
                live(service, edges, order, tell)
            except BaseException:  # noqa: BLE001 -- whatever it is, it is told: this process has nobody else to tell it to
                told(tell, error=traceback.format_exc())
            tell.flush()
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as heard:
        said = [json.loads(line) for line in heard]
    os.waitpid(child, 0)
    known = {"died": "", "error": "", "answers": [one["answer"] for one in said if "answer" in one]}
    return known | {name: one[name] for one in said for name in ("died", "error") if name in one}


def main() -> None:
    """Live as often as told to."""
    setattr(builtins, LOOK, FATE.at)
    sys.meta_path.insert(0, Watching())
    from integration.settings import Settings  # noqa: PLC0415 -- found by Watching
    from sync.wiring import build  # noqa: PLC0415
    from tests.edge.asgi import FrontClient  # noqa: PLC0415
    from webhooks.app import create_app, front  # noqa: PLC0415

    service = build(Settings.read(env_file=None), CLOCK)
    threads = partial(create_app(service.parts).test_client, use_cookies=False)  # who signed in says so in a header
    edges = {"front": partial(FrontClient, front(service.parts)), "threads": threads}
    assert service.drain.until_idle() == 0
    assert not service.display.wording.broken()  # what need not be loaded anew in each life is loaded by now
    service.store.close()  # a connection does not survive a fork
    gc.freeze()  # or each life copies all that is here, only to find it in use
    for line in sys.stdin:
        told(sys.stdout, **lived(service, edges, json.loads(line)))


if __name__ == "__main__":
    main()
