"""Sends mail over SMTP, the same to the byte and so under one Message-ID however often it is tried.

Addresses and subject never reach a header before they are known to hold one line.
"""

import hashlib
import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import SplitResult, unquote, urlsplit

from integration.faults import Failure, Permanent, Transient

TIMEOUT = 20.0  # seconds, for every step of the conversation
LATER = range(400, 500)  # replies that ask to try again


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes along, e.g. "application/pdf"."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says: as text, and where there is `html` also as a page that loads nothing; both say the same."""

    subject: str
    text: str
    html: str = ""
    files: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True)
class Mail:
    """`url`: ALUR_SMTP_URL, smtp://name:secret@host:587 (STARTTLS where offered) or smtps://host:465; `sender`: the From address."""

    url: str = field(repr=False)
    sender: str

    def send(self, key: str, to: tuple[str, ...], letter: Letter, at: datetime) -> None:
        """Send one message of the moment `at` to all of `to`.

        Raises Transient on network faults and 4xx replies, Permanent on 5xx replies.
        """
        message = self._message(key, to, letter, at)
        address = urlsplit(self.url)
        try:
            with _conversation(address) as server:
                refused = server.send_message(message)
        except smtplib.SMTPResponseException as failure:
            raise _meaning(failure.smtp_code, "mail") from failure
        except smtplib.SMTPRecipientsRefused as failure:
            raise _meaning(max(code for code, _ in failure.recipients.values()), "every recipient") from failure
        except (smtplib.SMTPException, OSError) as failure:
            raise Transient(f"mail: {type(failure).__name__}", Failure.MAIL_DOWN) from failure
        if refused:  # the others have it: to send it again would give it to them twice
            raise Permanent(f"mail: {len(refused)} of {len(to)} recipients were refused", Failure.MAIL)

    def probe(self) -> None:
        """Prove that the server takes us, as far as the first message. Raises what `send` raises."""
        try:
            with _conversation(urlsplit(self.url)) as server:
                server.noop()
        except smtplib.SMTPResponseException as failure:
            raise _meaning(failure.smtp_code, "mail") from failure
        except (smtplib.SMTPException, OSError) as failure:
            raise Transient(f"mail: {type(failure).__name__}", Failure.MAIL_DOWN) from failure

    def _message(self, key: str, to: tuple[str, ...], letter: Letter, at: datetime) -> EmailMessage:
        message, identity = EmailMessage(), hashlib.sha256(key.encode()).hexdigest()[:32]
        message["From"], message["To"] = self.sender, ", ".join(" ".join(address.split()) for address in to)
        message["Subject"] = " ".join(letter.subject.split())
        message["Date"] = formatdate(at.timestamp())
        message["Message-ID"] = f"<{identity}@{self.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        if letter.html:
            message.add_alternative(letter.html, subtype="html")
        for file in letter.files:
            main, _, sub = file.media_type.partition("/")
            message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
        content = b"".join((letter.text.encode(), letter.html.encode(), *(file.content for file in letter.files)))
        boundary = hashlib.sha256(content).hexdigest()[:32]
        for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
            part.set_boundary(f"{boundary}-{number}")  # drawn by lot it would be another one each time, and no content holds its own digest
        return message


def _conversation(address: SplitResult) -> smtplib.SMTP:
    """A connection, encrypted from the start (smtps) or as soon as the server offers it, which knows us where we have a name."""
    host = address.hostname or ""
    if address.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, address.port or smtplib.SMTP_SSL_PORT, timeout=TIMEOUT, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, address.port or smtplib.SMTP_PORT, timeout=TIMEOUT)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
    try:
        if address.username:
            server.login(unquote(address.username), unquote(address.password or ""))
    except (smtplib.SMTPException, OSError):
        server.close()
        raise
    return server


def _meaning(code: int, what: str) -> Transient | Permanent:
    return Transient(f"{what}: {code}", Failure.MAIL_DOWN) if code in LATER else Permanent(f"{what}: {code}", Failure.MAIL)
