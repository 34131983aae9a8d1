"""What leaves for the portal and by mail: signed or addressed once, and every failure told apart."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integration.faults import Permanent, Transient
from sync.mail import Attached, Letter, Mail
from sync.portal import Portal
from tests.postoffice import PostOffice, post_office

NOW = datetime(2026, 6, 2, 3, 4, 5, tzinfo=UTC)
KEY = b"kunci rahasia untuk uji"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


def at_noon() -> datetime:
    return NOW


class Receiver(ThreadingHTTPServer):
    """Answers as told and keeps what came."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Received)
        self.answer: tuple[int, dict[str, str]] = (200, {})
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/balik"


class _Received(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        status, headers = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


class TestPortal:
    def test_a_callback_is_signed_and_keeps_its_id(self, receiver: Receiver):
        for minutes in (0, 30):
            now = NOW + timedelta(minutes=minutes)
            portal = Portal(receiver.url, SECRET, lambda now=now: now)
            portal.call("portal:SI-2026-000001:5", "status.berubah", {"tiket": "SI-2026-000001", "langkah": 5}, NOW)
        (headers, body), (again, same) = receiver.got
        assert same == body  # another body under the same id would be a conflict
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
        assert headers["webhook-id"] == again["webhook-id"]
        assert json.loads(body) == {
            "type": "status.berubah",
            "timestamp": "2026-06-02T03:04:05+00:00",
            "data": {"tiket": "SI-2026-000001", "langkah": 5},
        }

    def test_another_event_has_another_id(self, receiver: Receiver):
        portal = Portal(receiver.url, SECRET, at_noon)
        portal.call("a", "status.berubah", {}, NOW)
        portal.call("b", "status.berubah", {}, NOW)
        assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 2

    @pytest.mark.parametrize("status", [429, 500, 502, 503])
    def test_it_may_work_later(self, receiver: Receiver, status: int):
        receiver.answer = (status, {"Retry-After": "30"})
        with pytest.raises(Transient) as later:
            Portal(receiver.url, SECRET, at_noon).call("a", "status.berubah", {}, NOW)
        assert later.value.retry_after == timedelta(seconds=30)

    @pytest.mark.parametrize(
        ("asked", "seconds"),
        [
            ("0", 0),
            ("120", 120),
            ("Tue, 02 Jun 2026 03:14:05 GMT", 600),
            ("Tue, 02 Jun 2026 10:14:05 +0700", 600),
            ("Tue Jun  2 03:14:05 2026", 600),
            ("Tue, 02 Jun 2026 02:00:00 GMT", 0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 86400),
            ("9" * 5000, 86400),
        ],
    )
    def test_the_pause_it_asks_for_is_kept(self, receiver: Receiver, asked: str, seconds: int):
        receiver.answer = (429, {"Retry-After": asked})
        with pytest.raises(Transient) as later:
            Portal(receiver.url, SECRET, at_noon).call("a", "status.berubah", {}, NOW)
        assert later.value.retry_after == timedelta(seconds=seconds)

    @pytest.mark.parametrize("asked", ["", "nanti", "-5", "1.5", "\xb2", "Tue, 99 Jun 2026 03:14:05 GMT"])
    def test_without_a_pause_that_can_be_read_the_own_one_is_taken(self, receiver: Receiver, asked: str):
        receiver.answer = (503, {"Retry-After": asked})
        with pytest.raises(Transient) as later:
            Portal(receiver.url, SECRET, at_noon).call("a", "status.berubah", {}, NOW)
        assert later.value.retry_after is None

    @pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 410, 422])
    def test_it_never_will(self, receiver: Receiver, status: int):
        receiver.answer = (status, {"Location": receiver.url})
        with pytest.raises(Permanent):
            Portal(receiver.url, SECRET, at_noon).call("a", "status.berubah", {}, NOW)
        assert len(receiver.got) == 1

    @pytest.mark.parametrize("status", [300, 302, 304])
    def test_a_redirect_to_nowhere_is_not_taken_for_an_answer(self, receiver: Receiver, status: int):
        receiver.answer = (status, {})
        with pytest.raises(Permanent):
            Portal(receiver.url, SECRET, at_noon).call("a", "status.berubah", {}, NOW)

    def test_nobody_there_passes(self):
        with pytest.raises(Transient):
            Portal("http://127.0.0.1:9/", SECRET, at_noon).call("a", "status.berubah", {}, NOW)

    def test_the_secret_is_not_shown(self):
        assert SECRET not in repr(Portal("http://127.0.0.1:9/", SECRET, at_noon))


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as office:
        yield office


def mail(office: PostOffice, **changed: str) -> Mail:
    return Mail(**{"url": office.url, "sender": "alur@pustikom.example"} | changed)


class TestMail:
    def test_no_text_ends_a_part_by_a_word_that_can_be_known_beforehand(self, office: PostOffice):
        known = hashlib.sha256(b"laporan:2026-W23").hexdigest()[:32]
        text = "\n".join(f"--{known}-{n}--" for n in range(3))
        mail(office).send("laporan:2026-W23", ("a@x.example",), Letter("Laporan", text, "<p>Isi</p>"), NOW)
        first = message_from_bytes(office.got[0], policy=policy.default)
        assert [first.get_body((kind,)).get_content().split() for kind in ("plain", "html")] == [text.split(), ["<p>Isi</p>"]]

    def test_a_message_arrives_with_its_file_the_same_to_the_byte(self, office: PostOffice):
        for _ in range(2):
            mail(office).send(
                "laporan:2026-W23",
                ("a@x.example", "b@x.example"),
                Letter("Laporan\nmingguan", "Isi", "<p>Isi</p>", (Attached("l.pdf", "application/pdf", b"%PDF"),)),
                NOW,
            )
        assert office.got[0] == office.got[1]
        first = message_from_bytes(office.got[0], policy=policy.default)
        assert (first["From"], first["To"], first["Subject"]) == ("alur@pustikom.example", "a@x.example, b@x.example", "Laporan mingguan")
        bodies = [first.get_body((kind,)).get_content().strip() for kind in ("plain", "html")]
        assert bodies == ["Isi", "<p>Isi</p>"]
        assert [part.get_content_type() for part in first.walk()] == [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "text/html",
            "application/pdf",
        ]
        assert [(part.get_filename(), part.get_content()) for part in first.iter_attachments()] == [("l.pdf", b"%PDF")]
        assert first["Date"] == "Tue, 02 Jun 2026 03:04:05 -0000"

    def test_a_name_and_a_secret_are_used_and_not_shown(self, office: PostOffice):
        sender = mail(office, url=office.url.replace("//", "//alur:sandi%40x@"))
        sender.send("a", ("a@x.example",), Letter("s", "t"), NOW)
        assert len(office.got) == 1
        assert "sandi" not in repr(sender)

    @pytest.mark.parametrize(
        ("answers", "meaning"),
        [
            ({"MAIL": b"451 nanti\r\n"}, Transient),
            ({"MAIL": b"550 tidak\r\n"}, Permanent),
            ({"RCPT": b"450 nanti\r\n"}, Transient),
            ({"RCPT": b"550 tidak ada\r\n"}, Permanent),
            ({"rcpt TO:<b@x.example>": b"550 tidak ada\r\n"}, Permanent),
            ({"AUTH": b"535 salah\r\n"}, Permanent),
        ],
    )
    def test_a_refusal_says_whether_to_try_again(self, office: PostOffice, answers: dict, meaning: type[Exception]):
        office.answers = answers
        with pytest.raises(meaning):
            mail(office, url=office.url.replace("//", "//a:b@")).send("a", ("a@x.example", "b@x.example"), Letter("s", "t"), NOW)

    @pytest.mark.parametrize("url", ["smtp://127.0.0.1:9", "smtps://127.0.0.1:9"])
    def test_nobody_there_passes(self, url: str):
        with pytest.raises(Transient):
            Mail(url, "a@x.example").send("a", ("a@x.example",), Letter("s", "t"), NOW)
