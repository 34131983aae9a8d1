"""A task of `alur worker` outlives every fault, and no log holds a fault's words: they may be anybody's."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.settings import Settings
from integration.store import Store
from sync.beat import SWEEP, TICK
from sync.clock import LAST_WEEK
from sync.wiring import build
from sync.worker import make_app
from tests.edge.portal import settings_in

BROKER = "redis://127.0.0.1:9/0"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(
        tmp_path, gitlab_url="http://127.0.0.1:9", gitlab_token="glpat-rahasia", broker_url=BROKER, public_url="http://127.0.0.1:8080"
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    built = build(settings).store
    yield built
    built.close()


def test_a_fault_of_the_programme_ends_no_task_and_its_words_are_not_logged(settings, store, logged):
    store.set_mark(LAST_WEEK, "Agus Setiawan")  # what cannot be: the week after it cannot be told
    make_app(settings, BROKER).tasks[TICK].apply()
    assert [(line["message"], line["exception"]) for line in logged()] == [("a fault of the programme", "ValueError")]
    assert "Agus" not in json.dumps(logged())


def test_a_platform_that_is_down_is_told_by_the_kind_of_failure_and_counted(settings, store, logged):
    make_app(settings, BROKER).tasks[SWEEP].apply()
    assert [line["message"] for line in logged() if line["logger"] == "sync.worker"] == ["nothing could be done: down"]
    assert store.counts() == {"platform_requests:get:issues:none": 1}
