"""The page of a paper in a real browser: a file is compared where it lies, and nothing of it goes anywhere."""

import hashlib
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from werkzeug.serving import make_server

from integration.procedure.events import CaseOpened, DocumentFiled, DocumentIssued, DocumentSigned, Entry
from integration.procedure.facts import SERVICE
from integration.store import Batch
from tests.edge.browser import PROGRAM, Browser, browser
from tests.edge.portal import submission

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")

SCAN, ROLES = b"pindaian ", ("Kepala", "Dekan")
PAPER = b"%PDF-1.7 surat tugas"
DOCUMENT = "SI-2026-000001/surat-tugas/1"


@pytest.fixture
def path(portal, parts, watch) -> str:
    """The path printed on a paper of these bytes."""
    portal.submit()
    procedure = parts.procedures[-1]
    happened = (
        CaseOpened("SI-2026-000001", procedure.slug, procedure.revision, submission()),
        DocumentIssued(DOCUMENT, "surat-tugas", "final", 1, 15),
        DocumentFiled(DOCUMENT, "7/UN39.17/ST/VI/2026", hashlib.sha256(PAPER).hexdigest(), len(PAPER), "x"),
        *(
            DocumentSigned(
                DOCUMENT, role, role, "basah", role == ROLES[-1], hashlib.sha256(SCAN + role.encode()).hexdigest(), 1, "image/png", "x"
            )
            for role in ROLES
        ),
    )
    turn, row = parts.store.claim(lease=timedelta(minutes=1))
    parts.store.commit(
        turn, row, Batch(turn.lane, tuple(Entry(seq, watch(), SERVICE, "x", event) for seq, event in enumerate(happened, 1)))
    )
    return f"/dokumen/{parts.store.public_id('SI-2026-000001', DOCUMENT)}"


@pytest.fixture
def served(app) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def tab(tmp_path) -> Iterator[Browser]:
    with browser(tmp_path / "profil") as opened:
        yield opened


def seen(tab: Browser) -> list[str]:
    """Which of the results stand on the page."""
    return [
        name
        for name in ("sama", "bertanda-tangan", "berbeda", "gagal")
        if tab.value(f"document.getElementById('{name}').checkVisibility()")
    ]


def test_a_file_chosen_or_dropped_is_compared_where_it_lies(tab, served, path, tmp_path):
    genuine, altered = tmp_path / "surat <b>tugas.pdf", tmp_path / "lain.pdf"
    genuine.write_bytes(PAPER)
    altered.write_bytes(PAPER + b" ")
    tab.open(served + path)
    assert "Berlaku." in tab.text()
    assert seen(tab) == []

    tab.choose("#berkas", genuine)
    tab.wait_for("!document.getElementById('sama').hidden")
    assert seen(tab) == ["sama"]
    assert "surat <b>tugas.pdf persis sama" in tab.text()

    for role in ROLES:
        signed = tmp_path / f"{role}.png"
        signed.write_bytes(SCAN + role.encode())
        tab.choose("#berkas", signed)
        tab.wait_for(f"!document.getElementById('bertanda-tangan').hidden && document.body.innerText.includes('{role}.png')")
        assert seen(tab) == ["bertanda-tangan"]
        assert f"{role}.png persis sama dengan naskah bertanda tangan" in tab.text()

    tab.drop("#kotak", altered)
    tab.wait_for("!document.getElementById('berbeda').hidden")
    assert seen(tab) == ["berbeda"]

    tab.drop("h1", genuine)  # beside the box
    tab.wait_for("!document.getElementById('sama').hidden")
    assert seen(tab) == ["sama"]
    assert {url for url in tab.asked if not url.endswith("/favicon.ico")} == {served + path}
    assert tab.faults == []


def test_a_file_that_cannot_be_read_is_told_and_how_to_go_on(tab, served, path, tmp_path):
    lost = tmp_path / "hilang.pdf"
    lost.write_bytes(PAPER)
    tab.open(served + path)
    tab.value("const ada = File.prototype.arrayBuffer; File.prototype.arrayBuffer = () => Promise.reject(new Error())")
    tab.choose("#berkas", lost)
    tab.wait_for("!document.getElementById('gagal').hidden")
    assert seen(tab) == ["gagal"]
    assert "certutil -hashfile" in tab.text()


def test_without_a_secure_connection_the_page_says_so_and_how_to_compare_by_hand(tmp_path, served, path):
    port = served.rpartition(":")[2]
    with browser(tmp_path / "profil", "--host-resolver-rules=MAP alur.kampus.example 127.0.0.1") as tab:
        tab.open(f"http://alur.kampus.example:{port}{path}")
        shown = tab.text()
        assert "tanpa sambungan aman" in shown
        assert "sha256sum berkas.pdf" in shown
        assert not tab.value("document.getElementById('kotak').checkVisibility()")
