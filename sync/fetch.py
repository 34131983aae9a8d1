"""Fetches an attachment the portal sent only the address of: from hosts the operator allowed, within limits, what was announced.

No redirect leads to another host, and nothing is asked with credentials of ours.
"""

import hashlib
import time
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from integration.faults import Failure, Transient
from integration.files import within
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
        try:
            parts = urlsplit(url)
            if parts.scheme not in ("https", "http") or parts.netloc.casefold() not in hosts:
                raise NotFetched("host")
            with (
                requests.Session() as session,
                session.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True, auth=_nobody) as answer,
            ):
                if answer.is_redirect:
                    url = urljoin(url, answer.headers["Location"])
                    continue
                return _read(answer, sha256, deadline)
        except (requests.RequestException, HTTPError) as fault:
            raise Transient(f"attachment: {type(fault).__name__}", Failure.PORTAL_DOWN) from fault
        except ValueError as none:  # no address; requests looks at where a redirect leads, also where it is not to follow
            raise NotFetched("host") from none
    raise NotFetched("host")


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials, also not those of a `.netrc`."""
    return request


def _read(answer: requests.Response, sha256: str, deadline: float) -> bytes:
    if answer.status_code == BUSY or answer.status_code >= BROKEN:
        raise Transient(f"attachment: {answer.status_code}", Failure.PORTAL_DOWN)
    if not answer.ok:
        raise NotFetched("missing")
    content = within(_pieces(answer, deadline), MAX_FILE)
    if content is None:
        raise NotFetched("too_large")
    if hashlib.sha256(content).hexdigest() != sha256:
        raise NotFetched("other_content")
    return content


def _pieces(answer: requests.Response, deadline: float) -> Iterator[bytes]:
    """What comes, as it comes: whoever waits for a full piece waits for as long as the other side likes."""
    while piece := answer.raw.read1(PIECE, decode_content=True):
        yield piece
        if time.monotonic() > deadline:
            raise Transient(f"attachment: slower than {LONGEST:.0f} s", Failure.PORTAL_DOWN)
