"""What comes with a form is looked over before anybody is shown it: fetched, scanned, its type told by its content, pictures made anew."""

import hashlib
import io
import socketserver
import struct
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from integration import attachments
from integration.attachments import Scan
from integration.faults import Transient
from integration.files import FileStore
from integration.procedure.facts import Attachment
from integration.store import Store
from sync.attachments import Attachments

CASE = "SI-2026-000001"


@pytest.fixture
def files(tmp_path) -> FileStore:
    return FileStore(tmp_path / "berkas")


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/a.db", clock=lambda: None)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def look(store, files):
    """Look at these bytes, of this name, as somebody with these settings does."""

    def look(content: bytes, name: str = "galat.png", *, patient: bool = True, **settings):
        files.put(CASE, content)
        return Attachments(store, files, **settings).examined(CASE, attached(content, name), patient=patient)

    return look


def attached(content: bytes, name: str = "galat.png", url: str = "") -> Attachment:
    return Attachment(name, "image/png", len(content), hashlib.sha256(content).hexdigest(), url)


def picture(kind: str, mode: str = "RGB", **saved) -> bytes:
    made = io.BytesIO()
    Image.new(mode, (12, 8), 1).save(made, kind, **saved)
    return made.getvalue()


def zipped(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return made.getvalue()


def with_place() -> bytes:
    """A photo that says where and by which camera it was taken, lying on its side."""
    exif = Image.Exif()
    exif[0x0110], exif[0x0112] = "Kamera Budi", 6
    exif.get_ifd(0x8825)[1] = "S"
    return picture("JPEG", exif=exif, comment=b"rahasia Budi")


@pytest.mark.parametrize(
    ("content", "media_type", "refused"),
    [
        (b"%PDF-1.7 x", "application/pdf", ""),
        ("Galat 504 • lihat log\n".encode(), "text/plain", ""),
        (b"<html><script>alert(1)</script>", "text/plain", ""),
        (b"#!/bin/sh\nrm -rf /", "text/plain", ""),
        (b"MZ\x90\x00\x03", "application/octet-stream", "program"),
        (b"\x7fELF\x02\x01", "application/octet-stream", "program"),
        (b"7z\xbc\xaf\x27\x1c", "application/octet-stream", "archive"),
        (b"\x1f\x8b\x08\x00", "application/octet-stream", "archive"),
        (bytes(257) + b"ustar\x0000", "application/octet-stream", "archive"),
        (b"PK\x03\x04 not one", "application/octet-stream", "archive"),
        (zipped("a.txt"), "application/octet-stream", "archive"),
        (zipped("[Content_Types].xml", "word/vbaProject.bin"), "application/octet-stream", "program"),
        (zipped("mimetype", "setup.exe"), "application/octet-stream", "archive"),
        (b"\xd0\xcf\x11\xe0 doc " + "_VBA_PROJECT".encode("utf-16-le"), "application/octet-stream", "program"),
        (b"\x89PNG\r\n\x1a\n broken", "application/octet-stream", "picture_broken"),
        (b"\x00\x01\x02 nobody knows", "application/octet-stream", ""),
        (b"", "text/plain", ""),
    ],
)
def test_its_type_is_that_of_its_content_whatever_it_is_called(look, content, media_type, refused):
    found = look(content)
    assert (found.media_type, found.refused, bool(found.shown)) == (media_type, refused, not refused)


def test_a_document_of_an_office_suite_is_none_of_the_archives(look):
    found = look(zipped("[Content_Types].xml", "word/document.xml"), "surat.docx")
    assert (found.refused, bool(found.shown)) == ("", True)


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("PNG", "I;16"), ("JPEG", "CMYK"), ("WEBP", "RGB"), ("GIF", "P")]
)
def test_pictures_of_all_kinds_are_made_anew(look, files, kind, mode):
    content = picture(kind, mode)
    found = look(content)
    assert found.media_type == f"image/{kind.lower()}"
    with Image.open(io.BytesIO(files.get(CASE, found.shown))) as shown:
        assert (shown.format, shown.size) == (kind, (12, 8))


def test_what_a_camera_wrote_into_a_picture_is_not_shown_and_it_stands_upright(look, files):
    content = with_place()
    assert b"Kamera Budi" in content
    shown = files.get(CASE, look(content, "foto.jpg").shown)
    assert b"Budi" not in shown
    with Image.open(io.BytesIO(shown)) as seen:
        assert seen.size == (8, 12)
        assert not seen.getexif()


def test_a_picture_that_would_fill_the_memory_is_not_opened(look):
    made = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(made, "PNG")
    assert look(made.getvalue()).refused in ("picture_large", "picture_broken")


def test_no_picture_that_was_cut_or_changed_breaks_anything(look):
    made = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green")]
    frames[0].save(made, "GIF", save_all=True, append_images=frames[1:], comment=b"GPS rahasia")
    whole = made.getvalue()
    for end in range(6, len(whole)):
        look(whole[:end])
    photo = with_place()
    for at in range(2, 90):
        look(photo[:at] + bytes([photo[at] ^ 0xFF]) + photo[at + 1 :])


def test_an_animation_goes_on_moving(look, files):
    made = io.BytesIO()
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "green", "blue")]
    frames[0].save(made, "GIF", save_all=True, append_images=frames[1:], comment=b"GPS rahasia", duration=[40, 80, 120])
    assert b"rahasia" not in files.get(CASE, look(made.getvalue()).shown)
    with Image.open(io.BytesIO(files.get(CASE, look(made.getvalue()).shown))) as shown:
        assert shown.n_frames == len(frames)


# --- fetched ---


MAX_BODY = 1 << 20


class _Berkas(BaseHTTPRequestHandler):
    def do_GET(self):
        place = self.path.strip("/")
        status, headers, body = self.server.answers.get(place, (404, {}, b""))
        self.server.asked.append(place)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for at in range(0, len(body), 1 if place == "drip" else MAX_BODY):
            self.wfile.write(body[at : at + (1 if place == "drip" else MAX_BODY)])
            time.sleep(0.1 if place == "drip" else 0)

    def log_message(self, *_):
        pass


@pytest.fixture
def berkas() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Berkas) as server:
        server.answers, server.asked = {}, []
        server.host = f"127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def fetched(store, files, berkas):
    def fetched(content: bytes, place: str = "a", *, patient: bool = True, host: str = "", **settings):
        file = attached(content, url=f"http://{host or berkas.host}/{place}")
        return Attachments(store, files, (berkas.host,), **settings).examined(CASE, file, patient=patient)

    return fetched


def test_a_file_that_is_elsewhere_is_fetched_once_and_kept(fetched, files, berkas):
    berkas.answers["a"] = (200, {}, b"Galat 504")
    for _ in range(2):
        found = fetched(b"Galat 504")
    assert files.get(CASE, found.shown) == b"Galat 504"
    assert berkas.asked == ["a"]


def test_only_what_was_announced_is_taken(fetched, berkas):
    berkas.answers["a"] = (200, {}, b"lain")
    assert fetched(b"Galat 504").refused == "other_content"


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "berkas.jahat.example", "127.0.0.1"])
def test_nothing_is_asked_of_a_host_that_is_not_allowed(fetched, berkas, host):
    assert fetched(b"x", host=host).refused == "host"
    assert berkas.asked == []


def test_what_was_wrong_with_an_address_says_nothing_of_the_same_bytes_sent_along(fetched, look, berkas):
    assert fetched(b"isi", host="jahat.example").refused == "host"
    assert look(b"isi").shown


def test_a_host_that_drips_is_left(fetched, berkas, monkeypatch):
    monkeypatch.setattr("sync.fetch.LONGEST", 0.5)
    berkas.answers["drip"] = (200, {}, b"x" * 100)
    began = time.monotonic()
    with pytest.raises(Transient):
        fetched(b"x" * 100, "drip")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("location", ["http://[x", "http://[::1", ""])
def test_a_redirect_to_no_address_is_none(fetched, berkas, location):
    berkas.answers["a"] = (302, {"Location": location}, b"")
    assert fetched(b"x").refused == "host"


def test_a_redirect_is_followed_on_the_same_host_and_to_no_other(fetched, berkas):
    berkas.answers |= {
        "a": (302, {"Location": "/b"}, b""),
        "b": (200, {}, b"isi"),
        "c": (302, {"Location": "http://169.254.169.254/x"}, b""),
    }
    assert fetched(b"isi").shown
    assert fetched(b"lain", "c").refused == "host"
    berkas.answers["d"] = (302, {"Location": "/d"}, b"")
    assert fetched(b"putar", "d").refused == "host"


def test_a_file_that_is_not_there_is_said_to_be_missing(fetched):
    assert fetched(b"x", "tidak-ada").refused == "missing"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_work_later_is_tried_again_and_then_said(fetched, berkas, status):
    berkas.answers["a"] = (status, {}, b"")
    with pytest.raises(Transient):
        fetched(b"x")
    assert fetched(b"x", patient=False).refused == "unreachable"
    berkas.answers["a"] = (200, {}, b"x")
    assert fetched(b"x").shown, "what was not to be had once says nothing of the bytes"


def test_a_host_that_is_down_is_tried_again(fetched, berkas):
    berkas.shutdown()
    berkas.server_close()
    with pytest.raises(Transient):
        fetched(b"x")


def test_more_than_the_limit_is_not_read(fetched, berkas, monkeypatch):
    monkeypatch.setattr("sync.fetch.MAX_FILE", 1000)
    berkas.answers["a"] = (200, {}, bytes(2000))
    assert fetched(bytes(2000)).refused == "too_large"


def test_a_host_that_dawdles_is_left(fetched, berkas, monkeypatch):
    monkeypatch.setattr("sync.fetch.LONGEST", -1.0)
    berkas.answers["a"] = (200, {}, b"isi")
    with pytest.raises(Transient):
        fetched(b"isi")


# --- scanned ---

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class _Clamd(socketserver.StreamRequestHandler):
    """As clamd(8) answers zINSTREAM; `server.says` instead of that, where it is set."""

    def handle(self):
        assert self.rfile.read(10) == b"zINSTREAM\0"
        content = b""
        while size := struct.unpack("!L", self.rfile.read(4))[0]:
            content += self.rfile.read(size)
        verdict = b"stream: Eicar-Signature FOUND\0" if b"EICAR" in content else b"stream: OK\0"
        self.wfile.write(verdict if self.server.says is None else self.server.says)


@pytest.fixture(params=["tcp", "unix"])
def clamd(request, tmp_path):
    kind, address = (socketserver.ThreadingTCPServer, ("127.0.0.1", 0))
    if request.param == "unix":
        kind, address = socketserver.ThreadingUnixStreamServer, str(tmp_path / "clamd.ctl")
    with kind(address, _Clamd) as server:
        server.says = None
        server.url = f"unix://{address}" if request.param == "unix" else f"tcp://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def test_what_the_scanner_finds_is_never_shown(look, clamd):
    assert look(b"Galat 504" * 30_000, scanner=clamd.url).scan is Scan.CLEAN
    found = look(EICAR, scanner=clamd.url)
    assert (found.scan, found.refused, found.shown) == (Scan.INFECTED, "infected", "")


@pytest.mark.parametrize("says", [b"INSTREAM size limit exceeded. ERROR\0", b""])
def test_a_scanner_that_does_not_judge_is_asked_again_and_then_it_is_said(look, clamd, says):
    clamd.says = says
    with pytest.raises(Transient):
        look(b"Galat", scanner=clamd.url)
    found = look(b"Galat", patient=False, scanner=clamd.url)
    assert (found.scan, bool(found.shown)) == (Scan.NONE, True)
    clamd.says = None
    assert look(b"Galat", scanner=clamd.url).scan is Scan.CLEAN, "it is scanned as soon as that can be done"


def test_a_scanner_that_is_not_there(look, store):
    with pytest.raises(Transient):
        look(b"Galat", scanner="tcp://127.0.0.1:1")
    assert attachments.kept(store, CASE, hashlib.sha256(b"Galat").hexdigest()) is None
    assert look(b"Galat").scan is Scan.NONE
