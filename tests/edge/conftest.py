"""The edge over a real store."""

import base64
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from integration.parts import Parts
from integration.settings import Settings
from tests.edge.portal import HOOK_TOKEN, OLD_SECRET, ROOT, SECRET, Portal, Watch
from webhooks.app import create_app


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(
        gitlab_url="https://gitlab.kampus.example",
        gitlab_token="token",
        gitlab_project="pustikom/pengaduan-si",
        gitlab_webhook_secret=HOOK_TOKEN,
        portal_secrets=f"{SECRET},{OLD_SECRET}",
        database_url=f"sqlite:///{tmp_path}/alur.db?timeout=0.05",
        organisation=ROOT / "deploy" / "organisation.example.yaml",
        public_url="https://alur.kampus.example",
        data_dir=tmp_path / "data",
    )


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


@pytest.fixture
def portal(client, watch) -> Portal:
    return Portal(client, watch)


@pytest.fixture
def stranger(portal) -> Portal:
    return replace(portal, secret="whsec_" + base64.b64encode(b"orang lain").decode())
