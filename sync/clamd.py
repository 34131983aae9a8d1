"""Asks ClamAV's daemon about bytes, by its INSTREAM command (clamd(8)): no library of it is kept up, and the command is four lines."""

import socket
import struct
from urllib.parse import urlsplit

PIECE = 65536
TIMEOUT = 30.0  # seconds for each step of the conversation
LONGEST = 4096  # bytes of an answer


class NotScanned(Exception):
    """The daemon does not answer, or not as it should."""


def is_clean(address: str, content: bytes) -> bool:
    """Whether the daemon at "tcp://host:3310" or "unix:///run/clamav/clamd.ctl" finds nothing in these bytes. Raises NotScanned."""
    try:
        with _connected(address) as conversation:
            conversation.sendall(b"zINSTREAM\0")
            for start in range(0, len(content), PIECE):
                piece = content[start : start + PIECE]
                conversation.sendall(struct.pack("!L", len(piece)) + piece)
            conversation.sendall(struct.pack("!L", 0))
            said = b""
            while not said.endswith(b"\0") and len(said) < LONGEST and (more := conversation.recv(LONGEST)):
                said += more
    except OSError as fault:
        raise NotScanned(type(fault).__name__) from fault
    verdict = said.rstrip(b"\0").decode("utf-8", "replace")
    if verdict.endswith(" FOUND"):
        return False
    if verdict.endswith(": OK"):
        return True
    raise NotScanned(verdict[:200] or "no answer")


def _connected(address: str) -> socket.socket:
    parts = urlsplit(address)
    if parts.scheme == "tcp":
        return socket.create_connection((parts.hostname or "", parts.port or 3310), timeout=TIMEOUT)
    conversation = socket.socket(socket.AF_UNIX)
    conversation.settimeout(TIMEOUT)
    conversation.connect(parts.path)
    return conversation
