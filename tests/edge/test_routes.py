"""Every route is guarded or declared public; what is too large, unknown or broken is told in our words."""

import io
from dataclasses import dataclass, replace

import pytest

from integration.procedure.offices import Organisation
from integration.yamlfile import Fault
from webhooks.app import create_app
from webhooks.edge import LARGEST_BODY

PUBLIC = {"/", "/live", "/ready", "/metrics", "/openapi.json", "/dokumen/abc"}

FOR_PEOPLE = {"login", "turn", "desk", "entry", "signing", "overview"}
"""Pages that nothing but a browser asks for: the description is for programs."""


def every_call(app) -> list[tuple[str, str]]:
    ways = [(rule, method) for rule in app.url_map.iter_rules() for method in rule.methods - {"OPTIONS", "HEAD"}]
    return [
        (method, rule.rule.replace("<ticket>", "SI-2026-000001").replace("<public_id>", "abc").replace("<sha256>", "0" * 64))
        for rule, method in ways
    ]


def test_without_credentials_only_what_is_declared_public_answers(app, client, portal):
    portal.submit()
    open_routes = set()
    for method, path in every_call(app):
        answer = client.open(path, method=method, data=b"{}", content_type="application/json")
        if answer.status_code not in (400, 401):
            open_routes.add(path)
    assert open_routes == PUBLIC


def test_with_wrong_credentials_too(app, client, stranger):
    for method, path in every_call(app):
        if path not in PUBLIC:
            body = b"" if method == "GET" else b"{}"
            headers = stranger.signed(body) | {"X-Gitlab-Token": "x"}
            for address in (path, f"{path}?token=x"):
                answer = client.open(address, method=method, data=body, headers=headers, content_type="application/json")
                assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/webhooks/layanan", "/webhooks/gitlab"])
def test_a_body_over_the_limit_is_refused_announced_or_not(client, path):
    headers = {"X-Gitlab-Token": "rahasia hook"}
    announced = client.post(path, data=b" " * (LARGEST_BODY + 1), content_type="application/json", headers=headers)
    assert announced.status_code == 413
    assert announced.json["pesan"]
    streamed = client.post(
        path,
        input_stream=io.BytesIO(b" " * (LARGEST_BODY + 1)),
        content_type="application/json",
        headers={**headers, "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert streamed.status_code == 413


def test_an_unknown_address_and_an_unknown_method_are_told_in_our_words(client):
    assert client.get("/rahasia").json == {"pesan": "Alamat ini tidak ada."}
    answer = client.get("/webhooks/layanan")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "OPTIONS, POST")


def test_no_answer_is_for_caches_or_other_sites(client):
    for path in ("/live", "/rahasia", "/layanan/pengaduan/x?token=y"):
        headers = client.get(path).headers
        assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_health_without_load(client, parts, watch):
    assert client.get("/live").json == {"live": True}
    ready = client.get("/ready")
    assert ready.status_code == 200
    assert ready.json == {
        "ready": True,
        "database": True,
        "migrations": True,
        "broker": True,
        "inbox_oldest_seconds": 0,
        "outbox_oldest_seconds": 0,
    }


def test_health_with_rows_waiting(client, portal, watch, parts):
    portal.submit()
    watch.move(seconds=90)
    assert client.get("/ready").json["inbox_oldest_seconds"] == 90
    figures = client.get("/metrics").text
    assert 'alur_rows{side="inbox",state="waiting"} 1.0' in figures
    assert 'alur_oldest_seconds{side="inbox"} 90.0' in figures
    assert "alur_store_up 1.0" in figures


@dataclass
class Deserted:
    """An organisation nobody holds an office of, in force although its file is broken now."""

    now: Organisation
    faults: tuple[Fault, ...]


def test_vacant_offices_and_a_broken_organisation_file_are_metrics(client, parts, portal):
    figures = client.get("/metrics").text
    for well in ("alur_offices_vacant 0.0", "alur_organisation_faults 0.0"):
        assert well in figures
    assert "alur_vacant_office_cases{" not in figures

    portal.submit()
    fault = Fault(parts.settings.organisation, 1, "name", "missing", "isian ini wajib ada.")
    ill = replace(parts, in_force=Deserted(replace(parts.organisation, offices=()), (fault,)))
    figures = create_app(ill).test_client().get("/metrics").text
    for ailing in (
        "alur_offices_vacant 7.0",
        'alur_vacant_office_cases{role="kasi-layanan-administrasi"} 0.0',
        "alur_organisation_faults 1.0",
    ):
        assert ailing in figures


def test_health_without_a_database(client, tmp_path, parts):
    parts.store.close()
    for file in tmp_path.glob("alur.db*"):
        file.unlink()
    (tmp_path / "alur.db").mkdir()
    assert client.get("/live").status_code == 200
    ready = client.get("/ready")
    assert (ready.status_code, ready.json) == (503, {"ready": False, "database": False})
    assert "alur_store_up 0.0" in client.get("/metrics").text
    (tmp_path / "alur.db").rmdir()
