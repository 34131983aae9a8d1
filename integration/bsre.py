"""The client service of the national CA (BSrE), asked to sign a paper while the signer waits.

NIK and passphrase go along in this one request and nowhere else: they are in no log, no exception and no repr, and nothing tries again.
"""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus

import requests
from pydantic import SecretStr

from integration.files import within

SIGN, PERSON = "/api/sign/pdf", "/api/user/status/"
TIMEOUT = (5, 60)  # seconds to connect, and between two bytes of the answer: it signs before it says anything
LARGEST = 32 * 1024 * 1024  # bytes of an answer
CHUNK = 64 * 1024
PDF = b"%PDF-"


class Declined(StrEnum):
    """Why there is no signed paper; keys of templates/messages/bsre.yaml."""

    PASSPHRASE = "passphrase"  # it is wrong  # noqa: S105 -- a word, no secret
    UNKNOWN = "unknown"  # no such NIK
    CERTIFICATE = "certificate"  # none, or it is valid no longer
    OTHER = "other"  # any other refusal
    CREDENTIALS = "credentials"  # our own name and password
    DOWN = "down"  # no answer, or not in time
    FOREIGN = "foreign"  # an answer that is none of the service's


CODES = {2031: Declined.PASSPHRASE, 2011: Declined.UNKNOWN, 2021: Declined.CERTIFICATE}
"""The service's own numbers, as far as those who use it tell of them; the words beside them are only for people."""

_OURS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@dataclass(frozen=True, slots=True)
class Bsre:
    """`address`: where the service is; `credentials`: "name:password" by which it knows us."""

    address: str
    credentials: SecretStr = field(repr=False)
    patience: tuple[float, float] = TIMEOUT

    def sign(self, pdf: bytes, nik: str, passphrase: SecretStr) -> bytes | Declined:
        """The paper with one signature more, not to be seen on it; that it is that is for whoever keeps it to look at."""
        said = {"nik": nik, "passphrase": passphrase.get_secret_value(), "tampilan": "invisible"}
        return self._asked("POST", SIGN, data=said, files={"file": ("naskah.pdf", pdf, "application/pdf")})

    def answers(self) -> Declined | None:
        """Why the service cannot be used; None where it is there and knows us. Asked for nobody: it signs nothing."""
        answer = self._asked("GET", f"{PERSON}{'0' * 16}")
        return answer if answer in (Declined.DOWN, Declined.FOREIGN, Declined.CREDENTIALS) else None

    def _asked(self, method: str, path: str, **sent: object) -> bytes | Declined:
        """One request. No redirect is followed: it would take the passphrase along; no failure is told on: it holds the request."""
        name, _, password = self.credentials.get_secret_value().partition(":")
        try:
            with requests.request(
                method,
                self.address + path,
                auth=(name, password),
                timeout=self.patience,
                allow_redirects=False,
                stream=True,
                **sent,  # type: ignore[arg-type]
            ) as answer:
                content = within(answer.iter_content(CHUNK), LARGEST)
                return Declined.FOREIGN if content is None else _meaning(answer.status_code, content)
        except requests.RequestException:
            return Declined.DOWN


def _meaning(status: int, content: bytes) -> bytes | Declined:
    """What an answer says: a PDF, or the service's own number for why there is none."""
    if status in _OURS:
        return Declined.CREDENTIALS
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Declined.DOWN
    if status == HTTPStatus.OK and content.startswith(PDF):
        return content
    try:
        said = json.loads(content)
    except ValueError:
        return Declined.FOREIGN
    if not isinstance(said, dict):
        return Declined.FOREIGN
    number = said.get("status_code")
    return CODES.get(number, Declined.OTHER) if isinstance(number, int) else Declined.OTHER
