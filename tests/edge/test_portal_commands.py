"""`alur portal`: what the portal's developer signs, verifies and sends from the shell."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.settings import Bind
from integration.signatures import HEADERS
from integration.store import Store
from sync.serve import OneProcess, running
from sync.wiring import build
from tests.edge.portal import SECRET, form


@pytest.fixture
def body(tmp_path: Path) -> Path:
    path = tmp_path / "isi.json"
    path.write_bytes(b'{"a": 1}\n')
    return path


@pytest.fixture
def process(settings) -> Iterator[OneProcess]:
    with running(build(settings), Bind("127.0.0.1", 0)) as process:
        yield process


@pytest.fixture
def store(process) -> Store:
    return process.service.store


def test_what_is_signed_is_verified(alur, body, tmp_path):
    signed = alur("portal", "sign", str(body), "--id", "msg_1")
    assert [line.split(": ")[0] for line in signed.stdout.splitlines()] == list(HEADERS)
    assert "webhook-id: msg_1" in signed.stdout
    (tmp_path / "tajuk").write_text(signed.stdout)
    verified = alur("portal", "verify", "tajuk", str(body))
    assert (verified.exit_code, verified.stdout) == (0, "Tanda tangan sah.\n")


def test_only_the_secrets_are_needed_and_they_are_never_shown(alur, body, environment, tmp_path):
    without = {name: "" for name in environment if name.startswith("ALUR_") and name != "ALUR_PORTAL_SECRETS"}
    signed = alur("portal", "sign", str(body), **without)
    assert signed.exit_code == 0
    assert SECRET.removeprefix("whsec_") not in signed.output
    missing = alur("portal", "sign", str(body), **{**without, "ALUR_PORTAL_SECRETS": ""})
    assert missing.exit_code == 2
    assert "ALUR_PORTAL_SECRETS" in missing.stderr
    assert "ALUR_GITLAB_URL" not in missing.stderr


def test_what_does_not_hold_is_told_with_what_to_do(alur, body, tmp_path):
    (tmp_path / "tajuk").write_text(alur("portal", "sign", str(body)).stdout)
    (tmp_path / "lain.json").write_bytes(b'{"a": 1}')
    verified = alur("portal", "verify", "tajuk", "lain.json")
    assert verified.exit_code == 1
    assert "bita yang benar-benar dikirim" in verified.stdout
    (tmp_path / "rusak").write_text("webhook-id: msg_1\nbukan tajuk\n")
    assert "rusak: baris 2 bukan tajuk" in alur("portal", "verify", "rusak", str(body)).stderr
    assert "tiada tidak dapat dibaca" in alur("portal", "verify", "tiada", str(body)).stderr


def test_each_of_the_five_types_is_sent(alur, process, store, tmp_path):
    (tmp_path / "formulir.json").write_text(json.dumps(form()))

    def send(*command: str) -> str:
        sent = alur("portal", "send", *command, "--url", process.url)
        assert sent.exit_code == 0, sent.output
        return sent.stdout

    told = send("formulir.json")
    ticket = store.tickets()[0]
    assert told.splitlines()[:2] == ["Diterima.", f"Tiket: {ticket}"]
    assert f"/layanan/pengaduan/{ticket}?token=" in told
    send("pengaduan.diajukan", "--form", "formulir.json")
    send("formulir.json", "--ticket", ticket)
    send("pengaduan.direvisi", "--ticket", ticket, "--form", "formulir.json")
    send("uji_coba.dinilai", "--ticket", ticket, "--result", "lulus", "--note", "Berfungsi.", "--by", "Dekan")
    send("serah_terima.ditanggapi", "--ticket", ticket, "--result", "terima", "--by", "Dekan")
    send("pengaduan.dibatalkan", "--ticket", ticket, "--reason", "Sudah teratasi.", "--by", "Dekan")
    assert len(store.tickets()) == 2


def test_a_whole_message_is_sent_to_the_byte_and_may_be_repeated(alur, process, store, tmp_path):
    message = {"type": "pengaduan.diajukan", "timestamp": "2026-06-02T09:00:00+07:00", "data": {"formulir": form()}}
    (tmp_path / "pesan.json").write_text(json.dumps(message, indent=3))
    told = [alur("portal", "send", "pesan.json", "--id", "msg_1", "--url", process.url).stdout for _ in range(2)]
    assert told[0] == told[1]
    assert len(store.tickets()) == 1


def test_what_is_not_taken_is_told(alur, process, store, tmp_path):
    (tmp_path / "formulir.json").write_text(json.dumps(form(kode="FRM-1", pelapor={})))
    faulty = alur("portal", "send", "formulir.json", "--url", process.url)
    assert faulty.exit_code == 1
    assert "Ditolak (422)" in faulty.stderr
    assert "formulir.pelapor.email: " in faulty.stderr
    unknown = alur(
        "portal", "send", "pengaduan.dibatalkan", "--ticket", "SI-2026-000009", "--reason", "x", "--by", "x", "--url", process.url
    )
    assert "Ditolak (404): Tidak ada pengaduan" in unknown.stderr
    stranger = alur("portal", "send", "formulir.json", "--url", process.url, ALUR_PORTAL_SECRETS="whsec_b3Jhbmc=")
    assert "Ditolak (401)" in stranger.stderr
    elsewhere = alur("portal", "send", "formulir.json", "--url", f"{process.url}/lain")
    assert "Ditolak (404): Alamat ini tidak ada." in elsewhere.stderr


def test_nobody_there_is_told(alur, tmp_path):
    (tmp_path / "formulir.json").write_text(json.dumps(form()))
    silent = alur("portal", "send", "formulir.json", "--url", "http://127.0.0.1:9/")
    assert (silent.exit_code, silent.stderr.partition(":9 tidak menjawab")[1]) == (1, ":9 tidak menjawab")


@pytest.mark.parametrize("content", ["{}", "[1]", "bukan JSON"])
def test_what_is_no_message_is_not_sent(alur, tmp_path, content):
    (tmp_path / "apa.json").write_text(content)
    refused = alur("portal", "send", "apa.json")
    assert refused.exit_code == 1
    assert "apa.json bukan jenis pesan" in refused.stderr


def test_a_form_that_is_no_json_is_not_sent(alur, tmp_path):
    (tmp_path / "apa.json").write_text("bukan JSON")
    refused = alur("portal", "send", "pengaduan.diajukan", "--form", "apa.json")
    assert (refused.exit_code, refused.stderr) == (1, "apa.json tidak dapat dibaca.\n")
