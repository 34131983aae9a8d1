"""The client service of the national CA is asked once, and every answer of it has a meaning; the passphrase is in nothing that remains."""

import logging
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from flask import Response, redirect
from pydantic import SecretStr

from integration import bsre as client
from integration.bsre import Bsre, Declined
from integration.procedure.facts import Finding
from integration.templates import messages
from sandbox import bsre as stand_in
from sync.pdf_signatures import look
from tests.papers.test_signed import ISSUED

NIK, PASSPHRASE = "3175012345670001", SecretStr("rahasia-sekali-7")


@pytest.fixture
def national() -> Iterator[stand_in.Bsre]:
    with stand_in.Bsre() as service:
        service.people[NIK] = stand_in.Person("Ratna Wulandari", PASSPHRASE.get_secret_value())
        service.people["1" * 16] = stand_in.Person("Lama", PASSPHRASE.get_secret_value(), expired=True)
        yield service
        assert service.unknown == []


@pytest.fixture
def asked(national: stand_in.Bsre) -> Bsre:
    return Bsre(national.address, SecretStr(f"{stand_in.NAME}:{stand_in.PASSWORD}"), patience=(30, 30))


def test_the_paper_comes_back_with_a_signature(asked: Bsre, national: stand_in.Bsre) -> None:
    signed = asked.sign(ISSUED, NIK, PASSPHRASE)
    assert isinstance(signed, bytes)
    assert signed.startswith(ISSUED)
    assert look(signed, 1) == (Finding.SOUND, "Ratna Wulandari")
    again = asked.sign(signed, NIK, PASSPHRASE)
    assert isinstance(again, bytes)
    assert look(again, 2) == (Finding.SOUND, "Ratna Wulandari")
    assert national.signed == [NIK, NIK]
    assert asked.answers() is None


def test_what_the_service_declines_is_told_by_its_number(asked: Bsre, national: stand_in.Bsre) -> None:
    assert asked.sign(ISSUED, NIK, SecretStr("keliru")) is Declined.PASSPHRASE
    assert asked.sign(ISSUED, "9" * 16, PASSPHRASE) is Declined.UNKNOWN
    assert asked.sign(ISSUED, "1" * 16, PASSPHRASE) is Declined.CERTIFICATE
    assert Bsre(national.address, SecretStr("alur:lain")).sign(ISSUED, NIK, PASSPHRASE) is Declined.CREDENTIALS
    assert Bsre(national.address, SecretStr("alur:lain")).answers() is Declined.CREDENTIALS
    assert national.signed == []


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (Response("<html>Pemeliharaan</html>", mimetype="text/html"), Declined.FOREIGN),
        (Response("[1]", mimetype="application/json"), Declined.FOREIGN),
        (Response("%PDF-1.7", status=400), Declined.FOREIGN),
        (Response('{"error": "Lain", "status_code": 4444}', status=400), Declined.OTHER),
        (Response('{"error": "Lain"}', status=200), Declined.OTHER),
        (Response("Bad Gateway", status=502), Declined.DOWN),
        (redirect("http://127.0.0.1:9/curi"), Declined.FOREIGN),
    ],
)
def test_any_other_answer_is_no_signature(asked: Bsre, national: stand_in.Bsre, answer: Response, meaning: Declined) -> None:
    national.broken = answer
    assert asked.sign(ISSUED, NIK, PASSPHRASE) is meaning
    assert asked.answers() is (None if meaning is Declined.OTHER else meaning)


def test_it_is_not_waited_for_any_longer_than_one_waits(asked: Bsre, national: stand_in.Bsre) -> None:
    national.slow = 1.0
    assert replace(asked, patience=(1, 0.1)).sign(ISSUED, NIK, PASSPHRASE) is Declined.DOWN
    assert Bsre("http://127.0.0.1:9", PASSPHRASE).sign(ISSUED, NIK, PASSPHRASE) is Declined.DOWN


def test_an_answer_without_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch, asked: Bsre) -> None:
    monkeypatch.setattr(client, "LARGEST", 1000)
    assert asked.sign(ISSUED, NIK, PASSPHRASE) is Declined.FOREIGN


def test_the_passphrase_is_in_no_repr_no_log_and_no_failure(asked: Bsre, national: stand_in.Bsre, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        asked.sign(ISSUED, NIK, PASSPHRASE)
        national.broken = Response("x", status=500)
        asked.sign(ISSUED, NIK, PASSPHRASE)
    secrets = (PASSPHRASE.get_secret_value(), NIK, stand_in.PASSWORD)
    shown = f"{asked!r}{PASSPHRASE!r}{caplog.text}"
    assert [secret for secret in secrets if secret in shown] == []


def test_no_other_hop_gets_it(national: stand_in.Bsre) -> None:
    """A service that sends us elsewhere is not followed there."""
    got: list[bytes] = []

    class Thief(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

    thief = HTTPServer(("127.0.0.1", 0), Thief)
    threading.Thread(target=thief.serve_forever, daemon=True).start()
    national.broken = redirect(f"http://127.0.0.1:{thief.server_port}/", 307)
    try:
        assert Bsre(national.address, SecretStr("a:b")).sign(ISSUED, NIK, PASSPHRASE) is Declined.FOREIGN
    finally:
        thief.shutdown()
        thief.server_close()
    assert got == []


def test_every_reason_has_its_sentence() -> None:
    assert {*messages("bsre")} == {*Declined}
    assert all(re.fullmatch(r"[A-Z].*\.", sentence) for sentence in messages("bsre").values())
