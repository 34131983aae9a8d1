"""Fetches an attachment the portal sent only the address of: from hosts the operator allowed, within limits, what was announced.

No redirect leads to another host, and nothing is asked with credentials of ours.
"""

import hashlib
import time
from urllib.parse import urljoin, urlsplit

import requests

from integration.faults import Failure, Transient
from integration.forms import MAX_FILE

TIMEOUT = (5, 20)  # seconds to connect, and between two bytes
LONGEST = 60.0  # seconds for all of it
REDIRECTS = 3
PIECE = 65536
BUSY, BROKEN = 429, 500


class NotFetched(Exception):
    """It will not be had from there. `reason`: a key of templates/messages/attachment.yaml."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def fetch(url: str, sha256: str, hosts: tuple[str, ...]) -> bytes:
    """The bytes at `url`, which have this hash. `hosts`: "berkas.kampus.ac.id", with a port where it is not the usual one.

    Raises NotFetched where the address, the size or the bytes are not what they must be; Transient where it may work later.
    """
    deadline = time.monotonic() + LONGEST
    for _ in range(REDIRECTS + 1):
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or parts.netloc.casefold() not in hosts:
            raise NotFetched("host")
        try:
            with requests.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
                if answer.is_redirect:
                    url = urljoin(url, answer.headers["Location"])
                    continue
                return _read(answer, sha256, deadline)
        except requests.RequestException as fault:
            raise Transient(f"attachment: {type(fault).__name__}", Failure.PORTAL_DOWN) from fault
    raise NotFetched("host")


def _read(answer: requests.Response, sha256: str, deadline: float) -> bytes:
    if answer.status_code == BUSY or answer.status_code >= BROKEN:
        raise Transient(f"attachment: {answer.status_code}", Failure.PORTAL_DOWN)
    if not answer.ok:
        raise NotFetched("missing")
    content = bytearray()
    for piece in answer.iter_content(PIECE):
        content += piece
        if len(content) > MAX_FILE:
            raise NotFetched("too_large")
        if time.monotonic() > deadline:
            raise Transient(f"attachment: slower than {LONGEST:.0f} s", Failure.PORTAL_DOWN)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise NotFetched("other_content")
    return bytes(content)
