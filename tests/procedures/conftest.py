"""What the tests of procedure files share."""

from pathlib import Path

import pytest

from integration.procedure.definition import Procedure
from integration.procedures import load

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def pos() -> Procedure:
    """The shipped procedure."""
    return load("pengaduan-masalah-teknis-si.2025-05")


@pytest.fixture(scope="session")
def tiny_path() -> Path:
    """A second procedure of four steps and other roles."""
    return HERE / "permintaan-data.2026-01.yaml"


@pytest.fixture(scope="session")
def every_rule() -> str:
    """A valid file in which every rule has something to say."""
    return (HERE / "every-rule.yaml").read_text(encoding="utf-8")
