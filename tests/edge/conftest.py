"""The edge over a real store."""

import base64
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from integration.parts import Parts
from integration.settings import Settings
from sync.cli import main
from tests.edge.asgi import FrontClient
from tests.edge.portal import HOOK_TOKEN, OLD_SECRET, ROOT, SECRET, Portal, Watch, settings_in
from tests.tables import laid
from webhooks.app import create_app, front


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def settings(tmp_path) -> Settings:
    return settings_in(tmp_path, portal_secrets=f"{SECRET},{OLD_SECRET}", database_url=laid(f"sqlite:///{tmp_path}/alur.db?timeout=0.05"))


@pytest.fixture
def parts(settings, watch) -> Iterator[Parts]:
    parts = Parts.of(settings, watch)
    parts.store.migrate()
    yield parts
    parts.store.close()


@pytest.fixture
def app(parts) -> Flask:
    return create_app(parts)


@pytest.fixture
def client(app) -> FlaskClient:
    return app.test_client()


@pytest.fixture(params=["threads", "front"])
def both(request, app, parts) -> Iterator[FlaskClient | FrontClient]:
    """The edge as `alur serve` serves it, and as `alur web` does."""
    if request.param == "threads":
        yield app.test_client()
    else:
        with closing(FrontClient(front(parts))) as client:
            yield client


@pytest.fixture
def portal(client, watch) -> Portal:
    return Portal(client, watch)


@pytest.fixture
def stranger(portal) -> Portal:
    return replace(portal, secret="whsec_" + base64.b64encode(b"orang lain").decode())


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "ALUR_GITLAB_URL": "http://127.0.0.1:1",
        "ALUR_GITLAB_TOKEN": "glpat-rahasia",
        "ALUR_GITLAB_PROJECT": "pustikom/pengaduan-si",
        "ALUR_GITLAB_WEBHOOK_SECRET": HOOK_TOKEN,
        "ALUR_PORTAL_SECRETS": SECRET,
        "ALUR_DATABASE_URL": f"sqlite:///{tmp_path}/alur.db",
        "ALUR_ORGANISATION": str(ROOT / "deploy" / "organisation.example.yaml"),
        "ALUR_PUBLIC_URL": "http://127.0.0.1:8080",
        "ALUR_DATA_DIR": str(tmp_path / "var"),
        "COLUMNS": "160",
    }


@pytest.fixture
def alur(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    return lambda *command, **changes: CliRunner(env=environment | changes).invoke(main, command)
