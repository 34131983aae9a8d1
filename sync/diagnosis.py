"""Why a signature does not hold, for whoever writes the other side: each check that fails, and which usual slip explains it; pure.

Says nothing a secret could be learned from.
"""

import base64
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from integration.signatures import HEADERS, ID, IDENTIFIER, SIGNATURE, TIMESTAMP, TOLERANCE, Secret, Verdict, verify

MILLISECONDS = 13  # digits of the time in them, until the year 2286


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that fails. `code`: a sentence of templates/messages/portal.yaml, with what it names in `context`."""

    code: str
    context: Mapping[str, object] = field(default_factory=dict)


def diagnose(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> list[Finding]:
    """Every check that these headers and this body fail; none where they would be taken. `secrets`: written as `whsec_<base64>`."""
    given = {name.lower(): value.strip() for name, value in headers.items()}
    missing = [name for name in HEADERS if not given.get(name)]
    if missing:
        return [Finding("missing", {"headers": ", ".join(missing)})]
    findings = [] if IDENTIFIER.fullmatch(given[ID]) else [Finding("identifier")]
    findings += _of_the_time(given[TIMESTAMP], now)
    findings += _of_the_signature(secrets, given, body)
    return findings


def _of_the_time(timestamp: str, now: datetime) -> Iterator[Finding]:
    if not (timestamp.isascii() and timestamp.isdecimal()):
        yield Finding("time_no_number")
    elif len(timestamp) >= MILLISECONDS:
        yield Finding("time_milliseconds")
    else:
        away = int(timestamp) - int(now.timestamp())
        if abs(timedelta(seconds=away)) > TOLERANCE:
            yield Finding("time_early" if away < 0 else "time_late", {"seconds": abs(away), "tolerance": int(TOLERANCE.total_seconds())})


def _of_the_signature(secrets: Sequence[str], given: Mapping[str, str], body: bytes) -> Iterator[Finding]:
    """A signature is judged at the time it was made, so that an old one can be looked into, too."""
    keys = [Secret.parse(secret) for secret in secrets]
    if given[TIMESTAMP].isdecimal() and verify(keys, given, body, _moment(given[TIMESTAMP])) is Verdict.OK:
        return
    offered = [signature.removeprefix("v1,") for signature in given[SIGNATURE].split()]
    slips = ((slip, made) for secret in secrets for slip, made in _slips(secret, given, body))
    slip = next((slip for slip, made in slips if made in offered), None)
    if slip:
        yield Finding(slip)
    elif not any(signature.startswith("v1,") for signature in given[SIGNATURE].split()):
        yield Finding("no_version")
    else:
        yield Finding("unknown")


def _moment(timestamp: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(timestamp), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _slips(secret: str, given: Mapping[str, str], body: bytes) -> Iterator[tuple[str, str]]:
    """What the signature would be after each usual slip, behind its "v1,"."""
    key, text = Secret.parse(secret).key, secret.removeprefix("whsec_")
    head = f"{given[ID]}.{given[TIMESTAMP]}.".encode("utf-8", "surrogatepass")
    right = hmac.digest(key, head + body, "sha256")
    yield "no_version", base64.b64encode(right).decode()
    yield "hexadecimal", right.hex()
    yield "hexadecimal", base64.b64encode(right.hex().encode()).decode()
    yield "other_alphabet", base64.urlsafe_b64encode(right).decode()
    yield "other_alphabet", base64.b64encode(right).decode().rstrip("=")
    for undecoded in (secret, text):
        yield "key_undecoded", base64.b64encode(hmac.digest(undecoded.encode(), head + body, "sha256")).decode()
    for changed in (body.rstrip(b"\r\n"), body.rstrip(b"\r\n") + b"\n", body.rstrip(b"\r\n") + b"\r\n", body.replace(b"\r\n", b"\n")):
        if changed != body:
            yield "body_changed", base64.b64encode(hmac.digest(key, head + changed, "sha256")).decode()
    yield "body_alone", base64.b64encode(hmac.digest(key, body, "sha256")).decode()
    yield "without_id", base64.b64encode(hmac.digest(key, head.partition(b".")[2] + body, "sha256")).decode()
