"""What was found out about an attachment's bytes, kept by case and hash: what they are, what may be shown, whether they were scanned.

The bytes as they were sent stay what they are; shown is only what `shown` names, which for a picture is the same without its metadata.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from integration.store import Store


class Scan(StrEnum):
    """What the virus scanner said."""

    CLEAN = "bersih"
    NONE = "belum dipindai"  # there is no scanner, or it does not answer
    INFECTED = "terinfeksi"


@dataclass(frozen=True, slots=True)
class Examined:
    """`refused`: why nothing of it is shown, a key of templates/messages/attachment.yaml; "" where `shown`, a SHA-256, may be.

    `media_type`: by the content, whatever was told with it.
    """

    media_type: str = ""
    shown: str = ""
    scan: Scan = Scan.NONE
    refused: str = ""


def kept(store: Store, ticket: str, sha256: str) -> Examined | None:
    """What is known of the case's bytes with this hash; None where nobody has looked yet."""
    told = store.mark(_name(ticket, sha256))
    if told is None:
        return None
    known = json.loads(told)
    return Examined(**{**known, "scan": Scan(known["scan"])})


def keep(store: Store, ticket: str, sha256: str, found: Examined) -> None:
    """Remember it."""
    store.set_mark(_name(ticket, sha256), json.dumps(asdict(found)))


def _name(ticket: str, sha256: str) -> str:
    return f"lampiran:{ticket}:{sha256}"
