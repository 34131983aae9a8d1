"""Fixtures every test may use, and the two rules for all of them: the same examples each time, nothing from outside this machine."""

import io
import json
import logging
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from integration import logs

pytest_plugins = ["tests.servers"]

# `--hypothesis-profile=default` looks for new examples instead.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("ci")


SECRETS = ("hunter2", 'qu"ote')


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Commands say what is logged from where on; the tests after them are not to be told less."""
    loggers = [logging.getLogger(name) for name in ("", *logs.OUR_PACKAGES)]
    handlers, levels = loggers[0].handlers[:], [logger.level for logger in loggers]
    yield
    loggers[0].handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def logged() -> Callable[[], list[dict[str, Any]]]:
    """All that is logged from DEBUG on, as it is written but read, line by line; SECRETS are the secrets of the settings."""
    stream = io.StringIO()
    logs.configure("DEBUG", SECRETS, stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data beside the project; tests that need it are skipped where it is missing."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("no ../shared beside the project: nothing to compare with")
    return folder


@pytest.fixture(scope="module", autouse=True)
def _only_loopback(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test connects to another machine, unless to a real GitLab as asked; those of the pure core connect to nothing at all."""
    connect = socket.socket.connect
    alone = Path(__file__).parent / "core" in request.path.parents

    def guarded(self: socket.socket, address: tuple[str, int] | str) -> None:
        outside = isinstance(address, tuple) and not str(address[0]).startswith(("127.", "::1", "localhost"))
        if alone or outside:
            raise PermissionError(f"a test tried to connect to {address}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        if not os.environ.get("ALUR_TEST_GITLAB_URL"):
            patch.setattr(socket.socket, "connect", guarded)
        yield
