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
from tests.edge.portal import HOOK_TOKEN, ROOT, SECRET

BROKER = "redis://127.0.0.1:9/0"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        gitlab_url="http://127.0.0.1:9",
        gitlab_token="glpat-rahasia",
        gitlab_project="pustikom/pengaduan-si",
        gitlab_webhook_secret=HOOK_TOKEN,
        portal_secrets=SECRET,
        database_url=f"sqlite:///{tmp_path}/alur.db",
        broker_url=BROKER,
        organisation=ROOT / "deploy" / "organisation.example.yaml",
        public_url="http://127.0.0.1:8080",
        data_dir=tmp_path / "var",
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
