"""Stories run on SQLite; those marked `both_databases` run on PostgreSQL as well."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.world import World
from tests.stories.world import world as told
from tests.tables import laid


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with told(tmp_path, laid(f"sqlite:///{tmp_path / 'alur.db'}")) as world:
        yield world
