"""Forms, attachments and documents kept by the SHA-256 of their bytes, below ALUR_DATA_DIR.

A hash is handed out only when the bytes are on disk for good, and what is under a hash never changes.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from integration.faults import Failure, NeedsOperator

PROBE = 1024 * 1024  # bytes: more than a paper has; an empty file may be made on a full disk, too
LARGEST_SIGNED = 20 * 1024 * 1024  # bytes of a signed copy of a paper
SHA256 = re.compile(r"[0-9a-f]{64}")


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
    """Content by hash: `berkas/<first two digits>/<sha256>` below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root / "berkas"

    def put(self, content: bytes) -> str:
        """Keep these bytes and give their SHA-256 (64 hex digits); putting them again is free.

        Raises DiskRefuses where they cannot be made durable.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._path(sha256)
        try:
            if not path.exists():
                self._write(path, content)
            for folder in (path.parent, self._root, self._root.parent):  # the names must survive too, also of folders just made
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

    def get(self, sha256: str) -> bytes:
        """The bytes under this hash. FileNotFoundError where there are none, ValueError where it is no hash or the bytes were altered."""
        content = self._path(sha256).read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError(f"the file under {sha256} was altered")
        return content

    def _path(self, sha256: str) -> Path:
        if not SHA256.fullmatch(sha256):
            raise ValueError(f"not a SHA-256: {sha256!r}")
        return self._root / sha256[:2] / sha256


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
