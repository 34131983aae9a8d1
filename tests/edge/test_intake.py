"""What the portal hands in is verified, kept and answered as the contract says."""

import base64
import hashlib
import json
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from integration.parts import Parts
from integration.store import NEW
from tests.edge.portal import OLD_SECRET, Portal, form
from webhooks.app import create_app

PICTURE = b"\x89PNG not really"
ATTACHED = {
    "nama": "galat.png",
    "jenis": "image/png",
    "ukuran": len(PICTURE),
    "sha256": hashlib.sha256(PICTURE).hexdigest(),
    "isi": base64.b64encode(PICTURE).decode(),
}
FAULTLESS = {"tiket": "SI-2026-000001", "hasil": "lulus", "catatan": "Sudah dapat menyimpan nilai.", "oleh": "Prof. Dr. Ratna"}


@pytest.fixture
def client(both):
    return both


def test_a_form_is_on_disk_when_it_is_answered(portal, parts):
    heard = parts.bell.rings
    answer = portal.submit()
    assert answer.status_code == 202
    assert answer.json["tiket"] == "SI-2026-000001"
    assert answer.json["status_url"].startswith("https://alur.kampus.example/layanan/pengaduan/SI-2026-000001?token=")
    (row,) = parts.store.inbox_rows()
    assert (row.source, row.key, row.lane) == ("portal", "msg_1", "SI-2026-000001")
    assert json.loads(row.body)["data"]["formulir"]["kode"] == "FRM-SI-005"
    assert sorted(row.headers) == ["webhook-id", "webhook-timestamp"]
    assert parts.store.case_row("SI-2026-000001").status == NEW
    assert parts.bell.rings == heard + 1


def test_a_form_is_on_disk_as_it_came_when_it_is_answered_and_only_with_the_key_of_its_case_can_it_be_read(portal, parts, tmp_path):
    assert portal.submit(lampiran=[ATTACHED]).status_code == 202
    kept = parts.store.inbox_rows()[0].body
    assert json.loads(kept)["data"]["formulir"]["lampiran"][0]["isi"] == ATTACHED["isi"]
    on_disk = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for word in (ATTACHED["isi"], form()["pelapor"]["nama"], form()["pelapor"]["email"]):
        assert word.encode() in kept
        assert word.encode() not in on_disk


def test_a_repeat_gets_the_same_answer_and_rings_no_bell(portal, parts, watch):
    first = portal.send("pengaduan.diajukan", {"formulir": form()}, key="msg_a")
    heard, body = parts.bell.rings, parts.store.inbox_rows()[0].body
    watch.move(hours=1)
    again = portal.post(body, key="msg_a")
    assert (again.status_code, again.data) == (202, first.data)
    assert parts.bell.rings == heard
    assert len(parts.store.case_rows()) == 1


def test_the_same_id_with_another_body_is_a_conflict(portal):
    portal.send("pengaduan.diajukan", {"formulir": form()}, key="msg_a")
    answer = portal.send("pengaduan.diajukan", {"formulir": form(sistem={"nama": "SIMPEG"})}, key="msg_a")
    assert answer.status_code == 409
    assert answer.json["pesan"]


def test_sixteen_repeats_at_once_are_one_case_with_one_answer_on_both_databases(request, settings, watch):
    for url in (settings.database_url.get_secret_value().split("?")[0], request.getfixturevalue("postgres_database")):
        parts = Parts.of(settings.model_copy(update={"database_url": type(settings.database_url)(url)}), watch)
        parts.store.migrate()
        app = create_app(parts)
        body = json.dumps({"type": "pengaduan.diajukan", "timestamp": watch().isoformat(), "data": {"formulir": form()}}).encode()
        start = threading.Barrier(16)

        def send(_: int, app=app, body=body, start=start) -> tuple[int, bytes]:
            portal = Portal(app.test_client(), watch)
            start.wait()
            answer = portal.post(body, key="msg_a")
            return answer.status_code, answer.data

        with ThreadPoolExecutor(16) as pool:
            answers = set(pool.map(send, range(16)))
        assert [(status, json.loads(data)["tiket"]) for status, data in answers] == [(202, "SI-2026-000001")]
        assert len(parts.store.inbox_rows()) == 1
        parts.store.close()


def test_the_old_secret_still_counts(portal):
    assert replace(portal, secret=OLD_SECRET).submit().status_code == 202


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_named(portal, parts, missing):
    answer = portal.send("pengaduan.diajukan", {"formulir": form()}, headers={missing: None})
    assert answer.status_code == 400
    assert missing in answer.json["pesan"]
    assert parts.store.inbox_rows() == []


def test_a_stranger_is_refused_and_nothing_stays(stranger, parts):
    assert stranger.submit(lampiran=[ATTACHED]).status_code == 401
    assert parts.store.inbox_rows() == []
    assert not (parts.settings.data_dir / "berkas").exists()


@pytest.mark.parametrize("off", [-301, 301])
def test_a_message_of_another_time_is_refused(portal, watch, off):
    body = json.dumps({}).encode()
    headers = portal.signed(body)
    watch.move(seconds=off)
    assert portal.post(body, headers=headers).status_code == 401


def test_a_body_changed_on_the_way_is_refused(portal):
    headers = portal.signed(b'{"a": 1}')
    assert portal.post(b'{"a": 2}', headers=headers).status_code == 401


def test_an_id_nobody_could_keep_is_refused(portal):
    assert portal.send("pengaduan.diajukan", {"formulir": form()}, key="x" * 257).status_code == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe"])
def test_what_is_no_json_object_is_refused(portal, body):
    assert portal.post(body).status_code == 400


def test_another_content_type_is_refused(portal):
    assert portal.post(b"{}", content_type="text/plain").status_code == 415
    assert portal.post(b"{}", content_type="application/json; charset=utf-8").status_code == 422


def test_every_fault_is_told_at_once_and_only_counted(portal, parts):
    answer = portal.submit(pelapor={"nama": "", "email": "bukan surel"}, rahasia="x")
    assert answer.status_code == 422
    paths = {fault["path"] for fault in answer.json["kesalahan"]}
    assert {"formulir.pelapor.nama", "formulir.pelapor.email", "formulir.rahasia"} <= paths
    assert all(fault["pesan"] for fault in answer.json["kesalahan"])
    assert parts.store.counts() == {"portal_messages_refused:422": 1}
    assert parts.store.inbox_rows() == []


def test_an_answer_of_the_unit_goes_into_its_cases_lane(portal, parts):
    first = portal.submit()
    answer = portal.send("uji_coba.dinilai", FAULTLESS)
    assert (answer.status_code, answer.json) == (202, first.json)
    assert [row.lane for row in parts.store.inbox_rows()] == ["SI-2026-000001"] * 2


def test_a_revision_keeps_its_ticket_and_its_new_files(portal, parts):
    first = portal.submit()
    answer = portal.send("pengaduan.direvisi", {"tiket": "SI-2026-000001", "formulir": form(lampiran=[ATTACHED])})
    assert answer.json == first.json
    assert ATTACHED["isi"].encode() in parts.store.inbox_rows()[0].body


def test_a_ticket_that_does_not_exist_is_said(portal, parts):
    answer = portal.send("uji_coba.dinilai", FAULTLESS)
    assert answer.status_code == 404
    assert parts.store.inbox_rows() == []


def test_a_database_that_is_locked_is_told_with_when_to_try_again(portal, tmp_path, parts):
    other = sqlite3.connect(tmp_path / "alur.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = portal.send("pengaduan.diajukan", {"formulir": form()}, key="msg_a")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    other.execute("ROLLBACK")
    other.close()
    assert portal.send("pengaduan.diajukan", {"formulir": form()}, key="msg_a").status_code == 202


def test_a_data_folder_that_takes_nothing_is_told_and_nothing_is_kept(portal, parts):
    parts.settings.data_dir.write_text("not a folder")
    answer = portal.submit(lampiran=[ATTACHED])
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert parts.store.inbox_rows() == []
