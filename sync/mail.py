"""Sends mail, text and HTML of the same words, under one Message-ID however often it is tried."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mail:
    """`url`: ALUR_SMTP_URL, e.g. smtp://name:secret@mail.example:587 or smtps://...; `sender`: the From address."""

    url: str
    sender: str

    def send(self, key: str, to: tuple[str, ...], subject: str, text: str) -> None:
        """Send one message. Raises Transient on network faults and 4xx replies, Permanent on 5xx replies."""
        raise NotImplementedError
