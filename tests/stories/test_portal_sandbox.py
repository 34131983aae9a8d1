"""`alur sandbox portal`: what the portal's developer sees and can cause, with the commands of the other terminal."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from rich.console import Console

from sync.cli import main
from sync.demo import free_port
from sync.portal_sandbox import Sandbox, opened


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def sandbox(screen: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.chdir(tmp_path)
    with opened(Console(file=screen, width=200), tmp_path, port=free_port(), portal_port=free_port()) as sandbox:
        yield sandbox


def alur(*command: str) -> str:
    """A command in the sandbox's folder, which must succeed."""
    ran = CliRunner().invoke(main, command)
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def until(what: Callable[[], object], sandbox: Sandbox) -> None:
    """Let people act until this is true."""
    for _ in range(10):
        if what():
            return
        sandbox.round()
    assert what()


def test_a_developer_sees_the_callbacks_and_sends_what_the_unit_does(sandbox: Sandbox, screen: io.StringIO) -> None:
    def seen(text: str) -> Callable[[], bool]:
        return lambda: text in screen.getvalue()

    ticket = alur("portal", "send", "formulir.json").splitlines()[1].removeprefix("Tiket: ")
    until(seen(f"▶ {ticket} menunggu perbaikan formulir"), sandbox)  # it has no attachment
    assert f"◀ pengaduan.perlu_revisi  {ticket}  Pengisian form  (tanda tangan sah, dijawab 200)" in screen.getvalue()

    control = sandbox.between.campus.portal.callback_url.replace("/balik", "/jawaban")
    assert requests.post(control, data={"kode": 410, "kali": 1}, timeout=10).status_code == 204
    alur("portal", "send", "formulir.json", "--ticket", ticket)
    until(seen("diparkir"), sandbox)
    assert "dijawab 410" in screen.getvalue()
    assert ticket in alur("outbox", "list", "--parked")
    assert screen.getvalue().count("✘") == 1
    heard = len(sandbox.between.campus.portal.callbacks)
    alur("outbox", "replay", "--all")
    until(lambda: len(sandbox.between.campus.portal.callbacks) > heard, sandbox)

    kinds = [callback.type for callback in sandbox.between.campus.portal.received(ticket)]
    assert kinds[:4] == ["pengaduan.terdaftar", "status.berubah", "pengaduan.perlu_revisi", "status.berubah"]
    until(seen(f"{ticket}  05 Persetujuan Kepala Pustikom: kepala.pustikom bertindak"), sandbox)
