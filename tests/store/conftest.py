"""A store on each of the two databases, with a clock that stands until it is moved."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from integration.store import Store

MONDAY = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)


class Watch:
    """A clock in the hand: it shows `now` until `move` is called."""

    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def wall() -> Watch:
    return Watch()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    return request.getfixturevalue("postgres_database") if request.param == "postgresql" else f"sqlite:///{tmp_path}/alur.db"


@pytest.fixture
def open_store(url, watch, wall) -> Iterator[Callable[[], Store]]:
    """Opens the same database as often as wanted, as so many processes would."""
    opened: list[Store] = []

    def another() -> Store:
        store = Store(url, clock=watch, wall=wall)
        store.migrate()
        opened.append(store)
        return store

    yield another
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store) -> Store:
    return open_store()
