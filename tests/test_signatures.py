"""Signatures as Standard Webhooks say, GitLab's token, and the tokens of status pages."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.signatures import Secret, Verdict, sign, status_token, status_token_matches, token_matches, verify

# the example the Standard Webhooks libraries publish
SECRET = Secret.parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
ID, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

NOW = datetime.fromtimestamp(TIMESTAMP, UTC)
OTHER = Secret(b"another secret")
HEADERS = {"webhook-id": ID, "webhook-timestamp": str(TIMESTAMP), "webhook-signature": SIGNATURE}


def judge(secrets=(SECRET,), body=BODY, now=NOW, **headers: str | None) -> Verdict:
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    return verify(secrets, {name: value for name, value in (HEADERS | changed).items() if value is not None}, body, now)


def test_the_published_example():
    assert sign(SECRET, ID, TIMESTAMP, BODY) == SIGNATURE
    assert judge() is Verdict.OK


def test_header_names_in_any_case():
    assert verify([SECRET], {name.title(): value for name, value in HEADERS.items()}, BODY, NOW) is Verdict.OK


def test_any_live_secret_and_any_of_several_signatures():
    assert judge(secrets=[OTHER, SECRET]) is Verdict.OK
    assert judge(webhook_signature=f"v1,AAAA v1a,xyz {SIGNATURE}") is Verdict.OK
    assert judge(webhook_signature=f"{sign(OTHER, ID, TIMESTAMP, BODY)} {SIGNATURE}") is Verdict.OK


@pytest.mark.parametrize("header", list(HEADERS))
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_header(header: str, value: str | None):
    assert judge(**{header: value}) is Verdict.MISSING


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_in_time(seconds: int):
    assert judge(now=NOW + timedelta(seconds=seconds)) is Verdict.OK


@pytest.mark.parametrize("seconds", [-301, 301, 86_400, -86_400])
def test_out_of_time(seconds: int):
    assert judge(now=NOW + timedelta(seconds=seconds)) is Verdict.STALE


@pytest.mark.parametrize("timestamp", ["now", "1614265330.0", "-1", "+1614265330", "9" * 30, "9" * 5000, "٣", "0x1", "1e9"])
def test_a_timestamp_that_is_none(timestamp: str):
    assert judge(webhook_timestamp=timestamp) is Verdict.STALE


@pytest.mark.parametrize(
    "signature",
    [
        SIGNATURE.removeprefix("v1,"),
        SIGNATURE.replace("v1", "v2"),
        SIGNATURE[:-1],
        SIGNATURE.swapcase(),
        SIGNATURE.replace(",", ", "),
        f"{SIGNATURE},{SIGNATURE}",
        "v1,",
        "v1,%%%",
        "é",
        "\u2028v1,\ud800",
    ],
)
def test_a_wrong_signature(signature: str):
    assert judge(webhook_signature=signature) is Verdict.WRONG


def test_whatever_is_changed_breaks_the_signature():
    assert judge(body=BODY + b" ") is Verdict.WRONG
    assert judge(webhook_id=f"{ID}x") is Verdict.WRONG
    assert judge(webhook_timestamp=str(TIMESTAMP + 1)) is Verdict.WRONG
    assert judge(secrets=[OTHER]) is Verdict.WRONG
    assert judge(secrets=[]) is Verdict.WRONG


@given(
    st.binary(min_size=1),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text == text.strip() and text),
    st.binary(),
)
def test_what_is_signed_verifies(key: bytes, id_: str, body: bytes):
    secret = Secret(key)
    headers = HEADERS | {"webhook-id": id_, "webhook-signature": sign(secret, id_, TIMESTAMP, body)}
    assert verify([OTHER, secret], headers, body, NOW) is Verdict.OK


@given(st.dictionaries(st.one_of(st.sampled_from(list(HEADERS)), st.text()), st.text()), st.binary())
def test_no_headers_raise(headers: dict[str, str], body: bytes):
    assert verify([SECRET], headers, body, NOW) is not Verdict.OK
    assert verify([SECRET], HEADERS | headers, body + b"x", NOW) is not Verdict.OK


def test_a_secret_is_never_shown():
    assert SECRET.key == base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert "MfKQ" not in repr(SECRET)
    assert repr(SECRET.key) not in f"{SECRET} {SECRET!r} {[SECRET]}"
    assert Secret.parse(" whsec_c2VjcmV0LWFiYw \n") == Secret(b"secret-abc")


@pytest.mark.parametrize(
    "text", ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_rahasia sekali", "whsec_a", "WHSEC_c2VjcmV0", "whsec_é"]
)
def test_a_secret_written_wrongly_is_not_told_back(text: str):
    with pytest.raises(ValueError, match=r"^a secret is written as whsec_ and base64$"):
        Secret.parse(text)


def test_a_gitlab_token():
    assert token_matches("rahasia-1", "rahasia-1")
    assert not token_matches("rahasia-1", "rahasia-2")
    assert not token_matches("rahasia-1", "")
    assert not token_matches("rahasia-1", None)
    assert not token_matches("", "")
    assert token_matches("kunci-é", "kunci-é".encode().decode("latin-1"))  # as WSGI hands it over
    assert not token_matches("kunci-?", "kunci-\u2028")
    assert not token_matches("kunci", "\ud800")


def test_a_status_token_is_of_one_ticket_and_one_secret():
    token = status_token(SECRET, "SI-2026-000123")
    assert len(token) == 43
    assert token == status_token(SECRET, "SI-2026-000123")
    assert status_token_matches([OTHER, SECRET], "SI-2026-000123", token)
    assert not status_token_matches([SECRET], "SI-2026-000124", token)
    assert not status_token_matches([OTHER], "SI-2026-000123", token)
    assert not status_token_matches([SECRET], "SI-2026-000123", f"{token}=")
    assert not status_token_matches([SECRET], "SI-2026-000123", "\ud800é")
    assert not status_token_matches([SECRET], "SI-2026-000123", None)
    assert not status_token_matches([], "SI-2026-000123", token)
