"""The addresses of ours that are told to others: a case's status, the unit's turn, a paper. Who holds one may see what it leads to.

Links of the unit outlive a change of secrets: the first secret makes them, every live one still counts.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

from integration import signatures
from integration.codec import Json
from integration.settings import Settings
from integration.signatures import Secret

TURN_HOLDS = timedelta(days=30)
"""How long the unit can answer by one link; each reminder brings another."""


@dataclass(frozen=True, slots=True)
class Links:
    """`home`: ALUR_PUBLIC_URL; `secret`: the first of ALUR_PORTAL_SECRETS."""

    home: str
    secret: Secret = field(repr=False)

    @classmethod
    def of(cls, settings: Settings) -> "Links":
        """The links these settings make."""
        return cls(settings.public_url, Secret.parse(settings.portal_secrets[0].get_secret_value()))

    @property
    def desk(self) -> str:
        """Where officers see what waits for them."""
        return f"{self.home}/meja"

    def status(self, ticket: str) -> str:
        """Where a case stands, for whoever sent the form."""
        return f"{self.home}/layanan/pengaduan/{ticket}?{self._held(ticket)}"

    def accepted(self, ticket: str) -> Json:
        """The body of a 202 for this ticket (contract.md)."""
        return {"tiket": ticket, "status_url": self.status(ticket)}

    def file(self, ticket: str, sha256: str) -> str:
        """A paper meant for the unit, as it was issued."""
        return f"{self.home}/layanan/pengaduan/{ticket}/dokumen/{sha256}?{self._held(ticket)}"

    def attachment(self, ticket: str, sha256: str) -> str:
        """A file the unit sent along; whoever opens it says who they are."""
        return f"{self.home}/layanan/pengaduan/{ticket}/lampiran/{sha256}"

    def turn(self, ticket: str, stay: int, since: datetime) -> str:
        """Where the unit answers at one stay of its case in a step: the entry by which it came there. `since`: when it was asked."""
        token = signatures.turn_token(self.secret, ticket, stay, since + TURN_HOLDS)
        return f"{self.home}/layanan/giliran/{ticket}?{urlencode({'token': token})}"

    def paper(self, public_id: str) -> str:
        """Where anybody asks whether a paper is genuine."""
        return f"{self.home}/dokumen/{public_id}"

    def _held(self, ticket: str) -> str:
        """The query by which the unit sees what is its own."""
        return urlencode({"token": signatures.status_token(self.secret, ticket)})
