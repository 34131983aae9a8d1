"""What no page may do, whatever is asked of it: lead elsewhere, run what is not its own, stand in a frame, break, read beside its place."""

import json
import re

import pytest

from integration.links import Links

TICKET = "SI-2026-000001"


@pytest.fixture
def held(portal, parts) -> str:
    """The query that opens a unit's pages."""
    portal.submit()
    return Links.of(parts.settings).status(TICKET).partition("?")[2]


def pages(held: str) -> list[str]:
    """Every page for people, as far as it shows itself here."""
    status = f"/layanan/pengaduan/{TICKET}"
    return [
        f"{status}?{held}",
        status,
        f"/layanan/giliran/{TICKET}?token=x",
        "/",
        "/dokumen/abc",
        "/meja",
        "/meja/formulir",
        "/masuk",
        "/masuk/kembali",
    ]


def test_every_page_runs_nothing_but_its_own_and_stands_in_no_frame(client, held):
    for path in pages(held):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.mimetype == "text/html", path
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        assert "unsafe" not in policy
        nonces = set(re.findall(r"'nonce-([^']+)'", policy))
        assert len(nonces) == 1
        assert set(re.findall(r"<(?:style|script)[^>]*>", answer.text)) <= {
            f'<{tag} nonce="{n}">' for n in nonces for tag in ("style", "script")
        }
        assert not re.search(r"""\son\w+=|javascript:|style=""", answer.text)
        assert not re.search(r"""(?:src|href|action)=["']?(?:https?:)?//(?!alur\.kampus\.example)""", answer.text)


@pytest.mark.parametrize("host", ["jahat.example", "jahat.example:80", "alur.kampus.example.jahat.example"])
def test_no_answer_leads_to_the_host_that_was_asked_for(client, portal, held, host):
    submitted = portal.submit(webhook_id="lain")
    assert "jahat" not in submitted.text
    for path in pages(held):
        answer = client.get(path, headers={"Accept": "text/html", "Host": host, "X-Forwarded-Host": host})
        assert "jahat" not in answer.text
        assert "jahat" not in answer.headers.get("Location", "")


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", "%2e%2e", "..%5c..%5cwin.ini", "a%00b", "%f0%28%8c%28", "x" * 5000])
def test_no_name_in_an_address_reaches_beside_its_place(client, held, name):
    status = f"/layanan/pengaduan/{TICKET}"
    for path in (
        f"/layanan/pengaduan/{name}?{held}",
        f"{status}/dokumen/{name}?{held}",
        f"{status}/lampiran/{name}?{held}",
        f"/dokumen/{name}",
    ):
        answer = client.get(path)
        assert answer.status_code in (400, 401, 404, 405, 414), path
        assert "root:" not in answer.text


def test_json_as_deep_as_it_likes_is_refused_and_breaks_nothing(client, portal):
    for body in (b"[" * 200_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, json.dumps({"type": "x", "data": "y" * 1_000_000}).encode()):
        answer = client.post("/webhooks/layanan", data=body, headers=portal.signed(body), content_type="application/json")
        assert answer.status_code in (400, 422)


def test_a_header_of_any_bytes_is_refused_and_breaks_nothing(client):
    for value in ("é" * 100, "\x7f" * 50, "v1," + "A" * 60_000, ",".join(["v1,AAAA"] * 5_000)):
        answer = client.get(
            f"/layanan/pengaduan/{TICKET}", headers={"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": value}
        )
        assert answer.status_code == 401
