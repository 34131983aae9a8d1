"""Who sent this: Standard Webhooks signatures, GitLab's token, and the tokens of the unit's links; pure.

Everything is compared as bytes and in constant time, and nothing a stranger sends raises (contract.md, "Portal -> service").
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache

TOLERANCE = timedelta(seconds=300)
"""How far a timestamp may be from now, either way."""

HEADERS = ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
IDENTIFIER = re.compile(r"[\x21-\x7e]{1,256}")
"""What can be the id of a message: of the portal's, and of GitLab's."""

LONGEST_STAY = 9  # digits
_PREFIX, _VERSION = "whsec_", "v1,"
_STATUS, _TURN = b"alur-pos status\n", b"alur-pos turn\n"
# No signed message begins so: those begin with "<id>.<seconds>." and an id has no space.


class Verdict(Enum):
    """What to make of a delivery: MISSING is answered 400, STALE and WRONG 401."""

    OK = "ok"
    MISSING = "missing"  # a header is not there
    STALE = "stale"  # the timestamp is no number, or too far from now
    WRONG = "wrong"  # no live secret made any of the signatures


@dataclass(frozen=True, slots=True)
class Secret:
    """A shared secret; never shown."""

    key: bytes = field(repr=False)

    @classmethod
    @lru_cache(maxsize=16)  # asked with every message, and again for every link
    def parse(cls, text: str) -> "Secret":
        """The secret written as `whsec_<base64>`. ValueError, without the text, for anything else."""
        encoded = text.strip().removeprefix(_PREFIX)
        try:
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not key or encoded == text.strip():
            raise ValueError("a secret is written as whsec_ and base64")
        return cls(key)


def sign(secret: Secret, id: str, timestamp: int, body: bytes) -> str:  # noqa: A002 - the standard's own word
    """The `webhook-signature`: "v1," and the base64 of HMAC-SHA256 over "{id}.{timestamp}.{body}"; `timestamp` in unix seconds."""
    return _sign(secret, _wire(id), str(timestamp).encode(), body)


def headers(secret: Secret, id: str, at: datetime, body: bytes) -> dict[str, str]:  # noqa: A002 - the standard's own word
    """The three headers under which a body is sent at this moment."""
    timestamp = int(at.timestamp())
    return {ID: id, TIMESTAMP: str(timestamp), SIGNATURE: sign(secret, id, timestamp, body)}


def verify(secrets: Iterable[Secret], headers: Mapping[str, str], body: bytes, now: datetime) -> Verdict:
    """Whether one of these secrets signed the delivery in time. Header names in any case; `now` is aware."""
    given = {name.lower(): value for name, value in headers.items()}
    id_, timestamp, signatures = (given.get(name, "").strip() for name in (ID, TIMESTAMP, SIGNATURE))
    if not (id_ and timestamp and signatures):
        return Verdict.MISSING
    sent = _moment(timestamp)
    if sent is None or abs(now - sent) > TOLERANCE:
        return Verdict.STALE
    expected = [_sign(secret, _wire(id_), timestamp.encode(), body).encode() for secret in secrets]
    offered = [_wire(signature) for signature in signatures.split()]
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in offered]
    return Verdict.OK if any(matches) else Verdict.WRONG


def token_matches(expected: str, given: str | None) -> bool:
    """Whether an `X-Gitlab-Token` header is the one expected. No token is expected by nobody: "" never matches."""
    return bool(expected) and given is not None and hmac.compare_digest(expected.encode("utf-8", "surrogatepass"), _wire(given))


def status_token(secret: Secret, ticket: str) -> str:
    """The token in the `status_url` of a ticket: 43 characters that need no escaping in an address."""
    return base64.urlsafe_b64encode(hmac.digest(secret.key, _STATUS + ticket.encode(), "sha256")).rstrip(b"=").decode()


def status_token_matches(secrets: Iterable[Secret], ticket: str, given: str | None) -> bool:
    """Whether one of these secrets made this token for this ticket, so that a link outlives a change of secrets."""
    matches = [hmac.compare_digest(status_token(secret, ticket).encode(), _wire(given or "")) for secret in secrets]
    return any(matches)


@dataclass(frozen=True, slots=True)
class TurnHeld:
    """What a link of the unit's turn is for: one stay of its case in a step, until a moment."""

    stay: int
    until: datetime


def turn_token(secret: Secret, ticket: str, stay: int, until: datetime) -> str:
    """The token by which the unit answers at one stay of its case in a step: "<stay>.<unix seconds>.<mac>", nothing of it to be escaped."""
    said = f"{stay}.{int(until.timestamp())}"
    mac = hmac.digest(secret.key, _TURN + f"{ticket}\n{said}".encode(), "sha256")
    return f"{said}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def turn_held(secrets: Iterable[Secret], ticket: str, given: str) -> TurnHeld | None:
    """What this token of the ticket is for; None where none of these secrets made it. Whether its time is over is told, not judged."""
    stay, _, rest = given.partition(".")
    until = _moment(rest.partition(".")[0])
    if until is None or not (stay.isascii() and stay.isdecimal() and len(stay) <= LONGEST_STAY):
        return None
    matches = [hmac.compare_digest(turn_token(secret, ticket, int(stay), until).encode(), _wire(given)) for secret in secrets]
    return TurnHeld(int(stay), until) if any(matches) else None


def _sign(secret: Secret, id_: bytes, timestamp: bytes, body: bytes) -> str:
    digest = hmac.digest(secret.key, b".".join((id_, timestamp, body)), "sha256")
    return _VERSION + base64.b64encode(digest).decode()


def _moment(timestamp: str) -> datetime | None:
    if not (timestamp.isascii() and timestamp.isdecimal()):
        return None
    try:
        return datetime.fromtimestamp(int(timestamp), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _wire(text: str) -> bytes:
    """The bytes a header had: WSGI hands them over as latin-1; text of other origin is taken as UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
