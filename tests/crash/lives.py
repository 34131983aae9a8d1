"""The service's lives, one after another, each in a forked process of its own: told what to do on standard input, telling what it did.

A mortal life ends, without a goodbye, at the first of our statements at which no life has ended before. So every statement between
receiving and effect is a crash point, named by its file, function and line: nothing of the service knows that it is watched.

Order, one JSON object a line: {"messages": [{"path", "headers", "body"}], "visited": [point], "mortal": bool, "sweeps": bool}
Answer, one JSON object a line: {"died": point or "", "answers": [status of each message answered], "error": traceback or ""}
"""

import gc
import json
import os
import sys
import traceback
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TextIO

from flask import Flask

from integration.settings import Settings
from sync.wiring import Service, build
from webhooks.app import create_app

ROOT = Path(__file__).resolve().parents[2]
WATCHED = (
    "integration/files.py",
    "integration/store/",
    "sync/chasing.py",
    "sync/copies.py",
    "sync/documents.py",
    "sync/drain.py",
    "sync/gitlab.py",
    "sync/inbox.py",
    "sync/mail.py",
    "sync/outbox.py",
    "sync/portal.py",
    "sync/reports.py",
    "webhooks/hooks.py",
    "webhooks/intake.py",
)


class Fate:
    """Watches our own statements, and ends the process at the first one that is not among the visited."""

    def __init__(self, visited: frozenset[str], tell: TextIO) -> None:
        self._visited = visited
        self._tell = tell
        self._names: dict[CodeType, str] = {}

    def watch(self, frame: FrameType, event: str, arg: object) -> Any:
        """For `sys.settrace`: watch the lines of our own functions, and of no others."""
        del event, arg
        return self._line if self._name(frame.f_code) else None

    def _line(self, frame: FrameType, event: str, arg: object) -> Any:
        del arg
        if event == "line":
            point = f"{self._name(frame.f_code)}+{frame.f_lineno - frame.f_code.co_firstlineno}"
            if point not in self._visited:
                told(self._tell, died=point)
                os._exit(77)
        return self._line

    def _name(self, code: CodeType) -> str:
        """The function, with its file; "" for one that is not watched."""
        if code not in self._names:
            path = code.co_filename.removeprefix(f"{ROOT}/")
            watched = path.startswith(WATCHED) and path.startswith(tuple(os.environ["CRASH_IN"].split()))
            self._names[code] = f"{path}:{code.co_qualname}" if watched else ""
        return self._names[code]


def told(where: TextIO, **what: object) -> None:
    """Say it before anything else can happen."""
    where.write(json.dumps(what) + "\n")
    where.flush()


def live(service: Service, app: Flask, order: dict[str, Any], tell: TextIO) -> None:
    """What a process does from its start: takes what is sent, looks for what no hook told if it is to, works until nothing is left."""
    if order["mortal"]:
        sys.settrace(Fate(frozenset(order["visited"]), tell).watch)
    service.store.break_leases()
    for message in order["messages"]:
        answer = app.test_client().post(message["path"], data=message["body"].encode(), headers=message["headers"])
        told(tell, answer=answer.status_code)
    if order["sweeps"]:
        service.reconciler.sweep()
    service.drain.until_idle()
    sys.settrace(None)


def lived(service: Service, app: Flask, order: dict[str, Any]) -> dict[str, Any]:
    """One life, and what is known of it afterwards."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as tell:
            try:
                live(service, app, order, tell)
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
    service = build(Settings.read(env_file=None))
    app = create_app(service.parts)
    assert service.drain.until_idle() == 0
    assert not service.display.wording.broken()  # what need not be loaded anew in each life is loaded by now
    service.store.close()  # a connection does not survive a fork
    gc.freeze()  # or each life copies all that is here, only to find it in use
    for line in sys.stdin:
        told(sys.stdout, **lived(service, app, json.loads(line)))


if __name__ == "__main__":
    main()
