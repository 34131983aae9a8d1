"""Why a signature does not hold: each usual slip of whoever writes the other side is told by its name."""

import base64
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from integration.signatures import HEADERS, Secret, headers
from integration.templates import messages
from sync.diagnosis import diagnose

NOW = datetime(2026, 6, 2, 3, 4, 5, tzinfo=UTC)
KEY = b"kunci rahasia untuk uji"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OLD = "whsec_" + base64.b64encode(b"yang lama").decode()
BODY = b'{"type": "pengaduan.diajukan"}\n'


def codes(given: dict[str, str], body: bytes = BODY, now: datetime = NOW) -> list[str]:
    findings = diagnose((OLD, SECRET), given, body, now)
    for finding in findings:
        assert messages("portal")[finding.code].format(**finding.context)
    return [finding.code for finding in findings]


def signed(at: datetime = NOW, **changed: str) -> dict[str, str]:
    return headers(Secret.parse(SECRET), "msg_1", at, BODY) | {name.replace("_", "-"): value for name, value in changed.items()}


def mac(text: bytes, key: bytes = KEY) -> bytes:
    return hmac.digest(key, text, "sha256")


HEAD = f"msg_1.{int(NOW.timestamp())}.".encode()
RIGHT = mac(HEAD + BODY)


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_what_is_right_has_no_finding():
    assert codes(signed()) == []
    assert codes({name.title(): f" {value} " for name, value in signed().items()}) == []
    assert codes(signed(webhook_signature=f"v1,AAAA v1,{b64(RIGHT)}")) == []


@pytest.mark.parametrize("name", HEADERS)
def test_a_missing_header_is_named(name):
    given = signed()
    del given[name]
    (finding,) = diagnose((SECRET,), given, BODY, NOW)
    assert (finding.code, finding.context["headers"]) == ("missing", name)


@pytest.mark.parametrize(
    ("signature", "slip"),
    [
        (b64(RIGHT), "no_version"),
        ("v2,AAAA", "unknown_version"),
        ("v1," + RIGHT.hex(), "hexadecimal"),
        ("v1," + b64(RIGHT.hex().encode()), "hexadecimal"),
        ("v1," + base64.urlsafe_b64encode(RIGHT).decode(), "other_alphabet"),
        ("v1," + b64(RIGHT).rstrip("="), "other_alphabet"),
        ("v1," + b64(mac(HEAD + BODY, SECRET.encode())), "key_undecoded"),
        ("v1," + b64(mac(HEAD + BODY, SECRET.removeprefix("whsec_").encode())), "key_undecoded"),
        ("v1," + b64(mac(HEAD + BODY.rstrip(b"\n"))), "body_changed"),
        ("v1," + b64(mac(HEAD + BODY.rstrip(b"\n") + b"\r\n")), "body_changed"),
        ("v1," + b64(mac(BODY)), "body_alone"),
        ("v1," + b64(mac(HEAD.partition(b".")[2] + BODY)), "without_id"),
        ("v1," + b64(mac(HEAD + BODY, b"orang lain")), "unknown"),
        ("v1,\u00e9", "unknown"),
    ],
)
def test_a_usual_slip_is_told_by_its_name(signature, slip):
    assert codes(signed(webhook_signature=signature)) == ["no_version" if slip == "unknown_version" else slip]


@pytest.mark.parametrize(
    ("seconds", "code"), [(-300, []), (300, []), (-301, ["time_early"]), (301, ["time_late"]), (-86400 * 365, ["time_early"])]
)
def test_the_time_is_judged_apart_from_the_signature(seconds, code):
    assert codes(signed(NOW + timedelta(seconds=seconds))) == code


def test_a_time_that_is_none_is_told():
    assert codes(signed(webhook_timestamp="1780369445000"))[0] == "time_milliseconds"
    for text in ("kemarin", "-1", "1.5", "\u0663", "9" * 400):
        assert codes(signed(webhook_timestamp=text))[0] in ("time_no_number", "time_milliseconds")


def test_an_id_that_can_be_none_is_told():
    given = headers(Secret.parse(SECRET), "pesan satu", NOW, BODY)
    assert codes(given) == ["identifier"]


def test_no_finding_tells_a_secret():
    for given in (signed(), signed(webhook_signature="v1,AAAA"), signed(webhook_timestamp="x")):
        for finding in diagnose((SECRET,), given, BODY, NOW):
            assert SECRET.removeprefix("whsec_") not in str(finding)
