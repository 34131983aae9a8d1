"""Calls the portal back, signed as Standard Webhooks say, under one id however often it is tried (contract.md, "Service -> portal").

For the portal's developers it goes the other way, too: hands a message in as the portal does.

No redirect is followed: what is told about a case goes to the configured address and nowhere else.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

import requests

from integration import signatures
from integration.clock import Clock
from integration.codec import Json
from integration.faults import Failure, Permanent, Transient, asked_pause

TIMEOUT = (5, 20)  # seconds to connect, and between two bytes of the answer
TAKEN, TOO_MANY, BROKEN = range(200, 300), 429, 500


@dataclass(frozen=True, slots=True)
class Portal:
    """`url`: ALUR_PORTAL_CALLBACK_URL; `secret`: the first of ALUR_PORTAL_SECRETS, `whsec_<base64>`."""

    url: str
    secret: str = field(repr=False)
    clock: Clock

    def call(self, key: str, kind: str, data: dict[str, object], at: datetime) -> None:
        """Send one event of the moment `at`; tried again, it is the same to the byte.

        Raises Transient on network faults, 429 and 5xx; Permanent on any other refusal.
        """
        moment = at.astimezone(UTC).isoformat(timespec="seconds")
        body = json.dumps({"type": kind, "timestamp": moment, "data": data}, ensure_ascii=False).encode()
        identity = f"msg_{hashlib.sha256(key.encode()).hexdigest()[:32]}"
        signed = signatures.headers(signatures.Secret.parse(self.secret), identity, self.clock(), body)
        headers = {"content-type": "application/json", **signed}
        try:
            with requests.post(self.url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
                self._judge(kind, answer)
        except requests.RequestException as failure:
            raise Transient(f"{kind}: {type(failure).__name__}", Failure.PORTAL_DOWN) from failure

    def probe(self) -> None:
        """Prove that something of the portal's is at the address, without telling it anything: whatever it answers to HEAD will do.

        Raises Transient where nothing answers or only 5xx, Permanent where it sends elsewhere: no redirect is followed.
        """
        try:
            answer = requests.head(self.url, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as failure:
            raise Transient(type(failure).__name__, Failure.PORTAL_DOWN) from failure
        if answer.status_code >= BROKEN:
            raise Transient(str(answer.status_code), Failure.PORTAL_DOWN)
        if answer.is_redirect:
            raise Permanent(str(answer.status_code), Failure.PORTAL)

    def _judge(self, kind: str, answer: requests.Response) -> None:
        """What an answer asks of us; only its status is read, never its text."""
        if answer.status_code in TAKEN:
            return
        if answer.status_code == TOO_MANY or answer.status_code >= BROKEN:
            wait = asked_pause(answer.headers.get("Retry-After", ""), self.clock())
            raise Transient(f"{kind}: {answer.status_code}", Failure.PORTAL_DOWN, retry_after=wait)
        raise Permanent(f"{kind}: {answer.status_code}", Failure.PORTAL)


class Silent(Exception):
    """Nobody answered at the service's address; the text says why, without what was sent."""


def hand_in(url: str, body: bytes, signed: dict[str, str]) -> tuple[int, Json]:
    """Send a signed message to the service at `url`; gives the status of its answer and what it says, {} where that is no JSON object.

    Raises Silent.
    """
    headers = {"content-type": "application/json", **signed}
    try:
        answer = requests.post(f"{url}/webhooks/layanan", data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as failure:
        raise Silent(type(failure).__name__) from failure
    try:
        said = answer.json()
    except ValueError:
        said = {}
    return answer.status_code, said if isinstance(said, dict) else {}
