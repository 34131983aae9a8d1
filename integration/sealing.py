"""What is personal in a case is kept under a key of the case's own: with the key gone, nobody can read it again, wherever a copy lies.

A sealed value never changes, so that the chain of a ledger holds over it and goes on to hold when its key is gone.
"""

import base64
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from integration.codec import Json, canonical
from integration.faults import Failure, NeedsOperator

SEALED = b"alur\x01"
"""What sealed bytes begin with; no form, picture, PDF or archive does."""

_BITS, _NONCE = 256, 12  # of AES-GCM
_PLACE = "tersegel"  # where in a line's data what was taken out of it stands

_FORM = ("head_name", "head_nip", "head_title", "head_email", "reporter", "reporter_email", "system_url", "subject", "description")
_SUBMISSION = tuple(f"submission.{name}" for name in (*_FORM, "reproduction", "attachments"))
PERSONAL: Mapping[str, tuple[str, ...]] = {
    "CaseOpened": _SUBMISSION,
    "FormRevised": _SUBMISSION,
    "FilesReceived": ("attachments",),
    "StepLeft": ("reason", "sections"),
    "LetterAnswered": ("reason",),
    "ProgressReported": ("sections",),
    "ProgressDrafted": ("sections",),
    "DocumentAttached": ("links",),
    "DocumentSigned": ("certificate",),
    "Paused": ("reason",),
    "EmergencyOpened": ("reason",),
    "CaseEnded": ("reason",),
}
"""By event: the fields that say something of a person, or may because people wrote them freely. Each is a text or a list."""

UNIT = "unit"  # the kind of an actor whose name is no account of the platform
NAME = "nama"


class Erased(FileNotFoundError):
    """It was here, and its key is gone for good."""


class KeyClosed(NeedsOperator):
    """A case's key was wrapped by a secret that is none of ALUR_DATA_KEYS: nothing of the case can be read until it is one again."""

    def __init__(self) -> None:
        remedy = "put the secret that is missing back into ALUR_DATA_KEYS, behind the others"
        super().__init__("a case's key opens with none of ALUR_DATA_KEYS", Failure.SYSTEM, remedy=remedy)


@dataclass(frozen=True, slots=True)
class Keyring:
    """Wraps the keys of cases for the database. `wraps` None: they stand there as they are."""

    wraps: MultiFernet | None = None

    @classmethod
    def of(cls, secrets: Sequence[str]) -> "Keyring":
        """The keyring of these secrets (32 bytes in URL-safe Base64 each); the first one wraps, all unwrap. ValueError for another text."""
        return cls(MultiFernet([Fernet(secret) for secret in secrets]) if secrets else None)

    def new(self) -> bytes:
        """A new key, wrapped."""
        key = AESGCM.generate_key(_BITS)
        return self.wraps.encrypt(key) if self.wraps else key

    def key(self, kept: bytes) -> bytes:
        """The key that is kept so. Raises KeyClosed."""
        if len(kept) == _BITS // 8:
            return kept
        if self.wraps is None:
            raise KeyClosed
        try:
            return self.wraps.decrypt(kept)
        except InvalidToken as fault:
            raise KeyClosed from fault

    def rewrapped(self, kept: bytes) -> bytes:
        """The same key, wrapped by the first secret. Raises KeyClosed."""
        key = self.key(kept)
        return self.wraps.encrypt(key) if self.wraps else key


PLAIN = Keyring()
"""The keyring of whoever has no ALUR_DATA_KEYS."""


def seal(key: bytes, content: bytes, about: str) -> bytes:
    """The content, readable only with the key, and only as what it is `about`."""
    nonce = os.urandom(_NONCE)
    return SEALED + nonce + AESGCM(key).encrypt(nonce, content, about.encode())


def unseal(key: bytes, sealed: bytes, about: str) -> bytes:
    """The content again. ValueError where it was altered, sealed with another key or about something else."""
    start = len(SEALED)
    try:
        return AESGCM(key).decrypt(sealed[start : start + _NONCE], sealed[start + _NONCE :], about.encode())
    except InvalidTag as fault:
        raise ValueError(f"what is sealed about {about} was altered") from fault


def hidden(key: bytes, about: str, kind: str, data: Json, actor: Json) -> tuple[Json, Json]:
    """A line's data and actor without what is personal, and that sealed in its place; as they are where nothing is. Neither is changed."""
    personal: Json = {}
    for path in PERSONAL.get(kind, ()):
        value = _holder(data, path)[_field(path)]
        if value:
            personal[path] = value
    if actor["kind"] == UNIT and actor["name"]:
        personal[NAME] = actor["name"]
    if not personal:
        return data, actor
    data = {name: dict(value) if isinstance(value, dict) else value for name, value in data.items()}
    for path in personal.keys() - {NAME}:
        _holder(data, path)[_field(path)] = type(personal[path])()
    sealed = base64.b64encode(seal(key, canonical(personal), about)).decode()
    return data | {_PLACE: sealed}, actor | {"name": ""} if NAME in personal else actor


def shown(key: bytes | None, about: str, data: Json, actor: Json) -> tuple[Json, Json]:
    """A line's data and actor as they were before they were hidden; what was personal is empty where there is no `key` any more.

    ValueError where it was altered.
    """
    if _PLACE not in data:
        return data, actor
    sealed = data[_PLACE]
    data = {name: dict(value) if isinstance(value, dict) else value for name, value in data.items() if name != _PLACE}
    personal = json.loads(unseal(key, base64.b64decode(sealed), about)) if key else {}
    for path, value in personal.items():
        if path != NAME:
            _holder(data, path)[_field(path)] = value
    return data, actor | {"name": personal[NAME]} if NAME in personal else actor


def _holder(data: Json, path: str) -> Json:
    within, dot, _ = path.partition(".")
    return data[within] if dot else data


def _field(path: str) -> str:
    return path.rpartition(".")[2]
