"""Forms, attachments and documents kept by whose they are and the SHA-256 of their bytes, below ALUR_DATA_DIR.

A hash is handed out only when the bytes are on disk for good, and what is under a hash never changes. What is a case's is sealed with its
key: without that, its files are nobody's any more, wherever a copy of them lies.
"""

import hashlib
import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from integration.faults import Failure, NeedsOperator
from integration.sealing import SEALED, Erased, seal, unseal

SETTLED = 1.0  # seconds
LOOKED_AGAIN = 0.1  # seconds: looking at five files takes a request as long as verifying who sent it
PROBE = 1024 * 1024  # bytes: more than a paper has; an empty file may be made on a full disk, too
LARGEST_SIGNED = 20 * 1024 * 1024  # bytes of a signed copy of a paper
SHA256 = re.compile(r"[0-9a-f]{64}")
TICKET = re.compile(r"[A-Z][A-Z0-9]*-\d{4}-\d{6,}")
OURS = ""  # whose a report is: no case's


def version(path: Path) -> tuple[int, int, int] | None:
    """What differs between two versions of a file; None for a file that is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def settled(version: tuple[int, int, int] | None) -> bool:
    """Whether a file of this version has been left alone: half of one may be written."""
    return version is None or not 0 <= time.time() - version[0] / 1e9 < SETTLED


class Pace:
    """Says when files are to be looked at again: after LOOKED_AGAIN, however often it is asked."""

    def __init__(self) -> None:
        self._next = -math.inf

    def due(self) -> bool:
        """Whether to look now; whoever is told so looks."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + LOOKED_AGAIN
        return True


def within(pieces: Iterable[bytes], most: int) -> bytes | None:
    """The content that comes in these pieces; None, and the rest is not waited for, where it is more than `most` bytes."""
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) > most:
            return None
    return bytes(content)


class DiskRefuses(NeedsOperator, OSError):
    """The data folder takes nothing: it is full, read-only or not there. Nothing was kept."""

    def __init__(self, fault: OSError) -> None:
        remedy = "the folder ALUR_DATA_DIR takes no files: make room or open it"
        super().__init__(f"the data folder takes nothing: {fault}", Failure.SYSTEM, remedy=remedy)


class FileStore:
    """Content by owner, a ticket or OURS, and hash: `berkas/<last two digits>/<ticket>/<sha256>` and `berkas/umum/<sha256>` below `root`.

    `key`: gives the key of a case, None where it has none; raises Erased, KeyClosed, StoreDown.
    """

    def __init__(self, root: Path, key: Callable[[str], bytes | None] = lambda _: None) -> None:
        self._root = root / "berkas"
        self._key = key

    def put(self, owner: str, content: bytes) -> str:
        """Keep these bytes and give their SHA-256 (64 hex digits); putting them again is free.

        Raises DiskRefuses where they cannot be made durable; Erased for a case whose data is gone.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._path(owner, sha256)
        key = self._key(owner) if owner else None
        try:
            if not path.exists():
                self._write(path, seal(key, content, sha256) if key else content)
            for folder in (path.parent, path.parent.parent, self._root, self._root.parent):  # names must survive, too, of new folders also
                _sync_folder(folder)
        except OSError as fault:
            raise DiskRefuses(fault) from fault
        return sha256

    def probe(self) -> None:
        """Prove that the folder takes files, by one that is written for good and removed. Raises DiskRefuses."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._root, prefix=".") as file:
                file.write(bytes(PROBE))
                file.flush()
                os.fsync(file.fileno())
        except OSError as fault:
            raise DiskRefuses(fault) from fault

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def get(self, owner: str, sha256: str) -> bytes:
        """The bytes under this hash.

        Raises FileNotFoundError where there are none, Erased where there are none any more; ValueError where it is no hash or the bytes
        were altered.
        """
        path = self._path(owner, sha256)
        key = self._key(owner) if owner else None
        content = path.read_bytes()
        if content.startswith(SEALED):
            if key is None:
                raise ValueError(f"the file under {sha256} is sealed, and {owner} has no key")
            content = unseal(key, content, sha256)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError(f"the file under {sha256} was altered")
        return content

    def remove(self, ticket: str) -> None:
        """Remove all files of a case whose data was erased. Raises DiskRefuses; ValueError where its key is still there."""
        try:
            self._key(ticket)
        except Erased:
            folder = self._folder(ticket)
        else:
            raise ValueError(f"{ticket} is not erased")
        try:
            if folder.exists():
                shutil.rmtree(folder)
        except OSError as fault:
            raise DiskRefuses(fault) from fault

    def _path(self, owner: str, sha256: str) -> Path:
        if not SHA256.fullmatch(sha256):
            raise ValueError(f"not a SHA-256: {sha256!r}")
        return self._folder(owner) / sha256

    def _folder(self, owner: str) -> Path:
        if owner == OURS:
            return self._root / "umum"
        if not TICKET.fullmatch(owner):
            raise ValueError(f"not a ticket: {owner!r}")
        return self._root / owner[-2:] / owner


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
