"""Logs as one JSON object a line, with the ids of the delivery, case and row being worked on.

No personal data and no secret may reach a log: messages name what happened and ids, never content; of an exception only its class and its
frames are written, for its words may quote what somebody wrote. The words are kept in the row that failed. Of a warning of Python's it is
where it was given and of which kind.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TextIO

OUR_PACKAGES = ("integration", "webhooks", "sync", "sandbox")
WARNINGS = "py.warnings"  # as logging.captureWarnings names it
MASK = "***"
ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)
SHORTEST_SECRET = 6  # shorter ones would blot out words that are none

_ids: ContextVar[Mapping[str, object]] = ContextVar("ids", default=MappingProxyType({}))


@contextmanager
def about(**ids: object) -> Iterator[None]:
    """Everything logged inside carries these ids, e.g. `about(case="SI-2026-000001", inbox=17)`; an inner block adds to an outer one.

    `delivery`: the id a message came under, the same at the edge and in the worker; `case`: the case's number, or the lane of what is about
    none; `step`: where the case stood when the row was begun; `inbox`, `outbox`: the row; `effect`: its key; `attempt`: which it is.
    """
    token = _ids.set({**_ids.get(), **ids})
    try:
        yield
    finally:
        _ids.reset(token)


def also(**ids: object) -> None:
    """Everything logged from here to the end of the innermost `about` carries these ids too; what was logged before does not."""
    _ids.set({**_ids.get(), **ids})


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON; whatever secret a library put into its words is masked."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        super().__init__()
        self._secrets: tuple[str, ...] = ()
        self.hide(secrets)

    def hide(self, secrets: Iterable[str]) -> None:
        """Mask these, too, from now on."""
        self._secrets += tuple(json.dumps(secret)[1:-1] for secret in secrets if len(secret) >= SHORTEST_SECRET)

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _kind_of(record.getMessage()) if record.name == WARNINGS else record.getMessage(),
            **_ids.get(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__qualname__
            line["frames"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(record.exc_info[2])]
        written = ENCODER.encode(line)
        for secret in self._secrets:
            written = written.replace(secret, MASK)
        return written


def _kind_of(warning: str) -> str:
    """Where a warning was given and its class: "file:line: Class: its words" without the words."""
    return ": ".join(warning.split(": ", 2)[:2])


def hide(secrets: Iterable[str]) -> None:
    """Mask these in whatever is logged from now on, too."""
    for formatter in (handler.formatter for handler in logging.getLogger().handlers):
        if isinstance(formatter, JsonLines):
            formatter.hide(secrets)


def configure(level: str = "INFO", secrets: Sequence[str] = (), stream: TextIO | None = None) -> None:
    """Send all logs to `stream` (default: standard error): ours from `level` on, those of libraries from WARNING on, Python's warnings.

    ValueError for a level logging does not know.
    """
    written = logging.StreamHandler(stream or sys.stderr)
    written.setFormatter(JsonLines(secrets))
    # Nothing of a record is written that says by whom and where it was made: nothing need look for it (logging HOWTO, "Optimization").
    logging._srcfile = None  # noqa: SLF001 -- documented there
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    root.handlers[:] = [written]
    root.setLevel(logging.WARNING)
    for package in OUR_PACKAGES:
        logging.getLogger(package).setLevel(level)
