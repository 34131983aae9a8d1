"""`alur portal`: what the portal's developer needs to be sure of, done from the shell: sign, verify a signature, send a message.

Secrets come from the settings alone, never from an argument, and are never shown.
"""

import json
import sys
import uuid
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console

from integration import logs, signatures
from integration.clock import utc_now
from integration.codec import Json
from integration.settings import PortalSettings
from integration.templates import messages
from sync.diagnosis import diagnose
from sync.portal import Silent, hand_in

WORDS = messages("portal")
SUBMITTED, REVISED = "pengaduan.diajukan", "pengaduan.direvisi"
KINDS = (SUBMITTED, REVISED, "pengaduan.dibatalkan", "uji_coba.dinilai", "serah_terima.ditanggapi")
STDIN = Path("-")
ACCEPTED = 202


@click.group(help=WORDS["help"])
def portal() -> None:
    """What the portal does."""


@portal.command("sign", help=WORDS["help_sign"])
@click.argument("file", type=click.Path(path_type=Path), default=STDIN)
@click.option("--id", "message", help=WORDS["help_id"])
def portal_sign(file: Path, message: str | None) -> None:
    """The three headers of a body."""
    settings = PortalSettings.read()
    for name, value in _signed(settings, message or _fresh(), _content(file)).items():
        click.echo(f"{name}: {value}")


@portal.command("verify", help=WORDS["help_verify"])
@click.argument("headers", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path), default=STDIN)
def portal_verify(headers: Path, file: Path) -> None:
    """Whether a body was signed by a secret of ours in time; 1, and why, where it was not."""
    secrets = [secret.get_secret_value() for secret in PortalSettings.read().portal_secrets]
    findings = diagnose(secrets, _headers(headers), _content(file), utc_now())
    for finding in findings:
        click.echo(WORDS[finding.code].format(**finding.context))
    if findings:
        sys.exit(1)
    click.echo(WORDS["genuine"])


@portal.command("send", help=WORDS["help_send"].format(kinds=", ".join(KINDS)))
@click.argument("what")
@click.option("--ticket", "tiket", help=WORDS["help_ticket"])
@click.option("--form", "formulir", type=click.Path(path_type=Path), help=WORDS["help_form"])
@click.option("--result", "hasil", help=WORDS["help_result"])
@click.option("--note", "catatan", help=WORDS["help_note"])
@click.option("--reason", "alasan", help=WORDS["help_reason"])
@click.option("--by", "oleh", help=WORDS["help_by"])
@click.option("--id", "message", help=WORDS["help_id"])
@click.option("--url", help=WORDS["help_url"])
def portal_send(what: str, message: str | None, url: str | None, **said: str | Path | None) -> None:
    """Hand a message in; 1, and why, where it is not taken."""
    settings = PortalSettings.read()
    data = {name: _json(value) if isinstance(value, Path) else value for name, value in said.items() if value is not None}
    body, address = _body(what, data), (url or settings.public_url).rstrip("/")
    try:
        status, answer = hand_in(address, body, _signed(settings, message or _fresh(), body))
    except Silent as silent:
        _failed("silent", url=address, reason=silent)
    if status == ACCEPTED:
        click.echo(WORDS["accepted"].format(**answer))
        return
    click.echo(WORDS["refused"].format(status=status, reason=_reason(answer)), err=True)
    for fault in answer.get("kesalahan", ()):
        click.echo(WORDS["fault"].format(**fault), err=True)
    sys.exit(1)


@click.group(help=WORDS["help_sandbox"])
def sandbox() -> None:
    """Where to try things out."""


@sandbox.command("portal", help=WORDS["help_sandbox_portal"])
@click.option("--callback", "callback_url", default="", help=WORDS["help_callback"])
@click.option("--port", default=8080, show_default=True, help=WORDS["help_port"])
@click.option("--portal-port", default=9000, show_default=True, help=WORDS["help_portal_port"])
@click.option("--pace", default=2.0, show_default=True, help=WORDS["help_pace"])
def sandbox_portal(callback_url: str, port: int, portal_port: int, pace: float) -> None:
    """The service, with stand-ins for all but the unit."""
    from sync import portal_sandbox  # noqa: PLC0415 -- production code never loads the stand-ins

    folder = (Path("var") / "sandbox" / utc_now().strftime("%Y%m%d-%H%M%S")).absolute()
    folder.mkdir(parents=True)
    logs.configure("WARNING", stream=(folder / "log.jsonl").open("w"))
    portal_sandbox.run(Console(highlight=False), folder, port=port, portal_port=portal_port, callback_url=callback_url, pace=pace)


def _reason(answer: Json) -> str:
    return WORDS["faulty"] if "kesalahan" in answer else str(answer.get("pesan", WORDS["unreadable_answer"]))


def _body(what: str, data: Json) -> bytes:
    """The message: of a kind, around a form, or as it lies in a file, to the byte."""
    if what in KINDS:
        return _message(what, data)
    content = _content(Path(what))
    try:
        told = json.loads(content)
    except ValueError:
        told = None
    if not isinstance(told, dict) or not told.keys() & {"type", "kode"}:
        _failed("not_sendable", what=what, kinds=", ".join(KINDS))
    return content if "type" in told else _message(REVISED if "tiket" in data else SUBMITTED, data | {"formulir": told})


def _message(kind: str, data: Json) -> bytes:
    return json.dumps({"type": kind, "timestamp": utc_now().isoformat(timespec="seconds"), "data": data}, ensure_ascii=False).encode()


def _signed(settings: PortalSettings, message: str, body: bytes) -> dict[str, str]:
    secret = signatures.Secret.parse(settings.portal_secrets[0].get_secret_value())
    return signatures.headers(secret, message, utc_now(), body)


def _fresh() -> str:
    """An id no message had before."""
    return f"msg_{uuid.uuid4().hex}"


def _headers(file: Path) -> dict[str, str]:
    """The headers of a file, one a line."""
    found: dict[str, str] = {}
    for number, line in enumerate(_content(file).decode("utf-8", "surrogateescape").splitlines(), 1):
        name, colon, value = line.partition(":")
        if line.strip() and not colon:
            _failed("not_headers", file=file, line=number)
        found[name.strip()] = value.strip()
    return found


def _json(file: Path) -> object:
    try:
        return json.loads(_content(file))
    except ValueError:
        _failed("file_unreadable", file=file)


def _content(file: Path) -> bytes:
    """The bytes of a file, or of the standard input."""
    try:
        return sys.stdin.buffer.read() if file == STDIN else file.read_bytes()
    except OSError:
        _failed("file_unreadable", file=file)


def _failed(sentence: str, **values: object) -> NoReturn:
    click.echo(WORDS[sentence].format(**values), err=True)
    sys.exit(1)
