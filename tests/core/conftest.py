"""What the core's tests share: the two procedures, and a case at every step of the real one."""

from pathlib import Path

import pytest

from integration.procedure.definition import Procedure
from integration.procedures import load
from tests.core.run import Run
from tests.core.straight import every_step


@pytest.fixture(scope="session")
def pos() -> Procedure:
    return load("pengaduan-masalah-teknis-si.2025-05")


@pytest.fixture(scope="session")
def tiny() -> Procedure:
    return load(Path(__file__).parents[1] / "procedures" / "permintaan-data.2026-01.yaml")


@pytest.fixture(scope="session")
def _steps(pos: Procedure) -> dict[int, Run]:
    return every_step(pos)


@pytest.fixture
def at(_steps: dict[int, Run]):
    """`at(20)`: a case of its own at step 20."""
    return lambda step, office=None: _steps[step].copy(office)
