"""The programs of the guide for the portal's developer, as they lie in docs/portal, send to the real service and are called back by it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from integration import organisation as organisations
from integration.clock import utc_now
from integration.settings import Bind, Settings
from integration.signatures import Secret, sign
from sandbox.campus import Campus
from sandbox.portal import SECRET
from sync.serve import OneProcess, running
from sync.wiring import build
from tests.processes import PATIENCE, free_port
from tests.stories.world import HOOK_SECRET, ORGANISATION, PROCEDURE, ROOT
from webhooks.openapi import description

PROGRAMS = ROOT / "docs" / "portal"
ANOTHER = "whsec_cmFoYXNpYSBsYWlu"


@dataclass(frozen=True)
class Language:
    """How its programs are called. `receive`: from a port and the file that is to hold what came."""

    name: str
    program: str
    send: tuple[str, ...]
    receive: Callable[[int, Path], tuple[str, ...]]


def _here(name: str) -> str:
    return str(PROGRAMS / name)


LANGUAGES = (
    Language("py", sys.executable, (sys.executable, _here("kirim.py")), lambda p, f: (sys.executable, _here("terima.py"), str(p), str(f))),
    Language("mjs", "node", ("node", _here("kirim.mjs")), lambda p, f: ("node", _here("terima.mjs"), str(p), str(f))),
    Language("php", "php", ("php", _here("kirim.php")), lambda p, _: ("php", "-S", f"127.0.0.1:{p}", _here("terima.php"))),
)


@dataclass
class Bench:
    """The real service on a campus, a receiver where it calls back, and a folder to send from."""

    language: Language
    folder: Path
    campus: Campus
    process: OneProcess
    callback_url: str
    receiver: "Receiver"

    def send(self, *command: str, url: str = "") -> subprocess.CompletedProcess[str]:
        """Run the sender."""
        environ = os.environ | {"LAYANAN_URL": url or self.process.url, "LAYANAN_RAHASIA": f"{SECRET},{ANOTHER}"}
        ran = subprocess.run([*self.language.send, *command], cwd=self.folder, env=environ, check=False, capture_output=True, text=True)
        assert ran.stderr == ""
        return ran

    def message(self, name: str, content: Any) -> str:
        """A file with a message; gives its name."""
        (self.folder / name).write_text(json.dumps(content), encoding="utf-8")
        return name

    def settle(self) -> None:
        """Wait until all that follows is done."""
        while True:
            self.campus.gitlab.settle()
            self.process.settle()
            if not self.process.service.store.busy():
                return

    def kept(self) -> list[dict[str, Any]]:
        """What the receiver wrote down."""
        lines = (self.folder / "kabar.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def call(self, body: bytes, id_: str, *, secret: str = SECRET, age: int = 0, without: str = "") -> int:
        """Call the receiver as the service does, or as it never would; gives the answer's code."""
        at = int(time.time()) - age
        signature = sign(Secret.parse(secret), id_, at, body)
        headers = {"webhook-id": id_, "webhook-timestamp": str(at), "webhook-signature": f"v1,AAAA {signature}"}
        headers.pop(without, None)
        return requests.post(self.callback_url, data=body, headers=headers, timeout=10).status_code


class Receiver:
    """The program that is called back, as a process."""

    def __init__(self, language: Language, port: int, folder: Path) -> None:
        self._command = language.receive(port, folder / "kabar.jsonl")
        self._environ = os.environ | {"LAYANAN_RAHASIA": f"{ANOTHER},{SECRET}", "LAYANAN_KABAR": str(folder / "kabar.jsonl")}
        self._port, self._log = port, folder / "terima.log"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self._log.open("a") as log:
            self._process = subprocess.Popen(self._command, env=self._environ, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while not self._listens():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def stop(self) -> None:
        """End it, as a machine that is switched off does."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        except OSError:
            return False
        return True


@pytest.fixture(params=LANGUAGES, ids=lambda language: language.name)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    language: Language = request.param
    if not shutil.which(language.program):
        pytest.skip(f"{language.program} is not installed")
    port, service_port = free_port(), free_port()
    receiver = Receiver(language, port, tmp_path)
    with Campus(PROCEDURE, organisations.load(ORGANISATION), utc_now) as campus:
        settings = Settings(
            gitlab_url=campus.gitlab.url,
            gitlab_token=SecretStr(campus.bot.token),
            gitlab_project=campus.project.path,
            gitlab_webhook_secret=SecretStr(HOOK_SECRET),
            portal_secrets=(SecretStr(SECRET),),
            portal_callback_url=f"http://127.0.0.1:{port}/kabar",
            database_url=SecretStr(f"sqlite:///{tmp_path / 'alur.db'}"),
            organisation=ORGANISATION,
            public_url=f"http://127.0.0.1:{service_port}",
            data_dir=tmp_path / "data",
        )
        service = build(settings)
        service.provision()
        receiver.start()
        try:
            with running(service, Bind("127.0.0.1", service_port)) as process:
                yield Bench(language, tmp_path, campus, process, f"http://127.0.0.1:{port}/kabar", receiver)
        finally:
            receiver.stop()


class Stumbling(BaseHTTPRequestHandler):
    """Before the service: answers the first time of each kind of request 503, and then what the service does."""

    seen: set[str]
    service: str

    def do_POST(self) -> None:
        self._pass_on(self.rfile.read(int(self.headers["content-length"])))

    def do_GET(self) -> None:
        self._pass_on(None)

    def _pass_on(self, body: bytes | None) -> None:
        if self.command not in self.seen:
            self.seen.add(self.command)
            self.send_response(503)
            self.send_header("Retry-After", "1")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        answer = requests.request(self.command, self.service + self.path, data=body, headers=dict(self.headers), timeout=30)
        self.send_response(answer.status_code)
        self.send_header("content-length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        pass


def test_a_day_at_the_portal(bench: Bench) -> None:
    shutil.copy(PROGRAMS / "pengaduan.json", bench.folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Front", (Stumbling,), {"seen": set(), "service": bench.process.url})) as front:
        threading.Thread(target=front.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        first = bench.send("kirim", "pengaduan.json", url=f"http://127.0.0.1:{front.server_port}")
        front.shutdown()
    assert first.returncode == 0
    accepted = json.loads(first.stdout)
    assert json.loads(bench.send("kirim", "pengaduan.json").stdout) == accepted  # sent again, it is no second complaint
    ticket = accepted["tiket"]
    bench.settle()
    bench.campus.play(ticket)
    bench.settle()

    listed = bench.send("daftar").stdout.splitlines()
    told = json.loads(bench.send("status", ticket).stdout)
    assert (told["tiket"], told["langkah"]) == (ticket, 5)
    assert [json.loads(line) for line in listed[:-1]] == [told]
    assert bench.send("daftar", listed[-1]).stdout.split() == listed[-1:]  # nothing changed since

    withdrawn = {"tiket": ticket, "alasan": "Sudah teratasi.", "oleh": "Dekan"}
    message = {"type": "pengaduan.dibatalkan", "timestamp": "2026-06-02T10:20:00+07:00", "data": withdrawn}
    assert bench.send("kirim", bench.message("batal.json", message)).returncode == 0
    bench.settle()
    assert json.loads(bench.send("daftar", listed[-1]).stdout.splitlines()[0])["status"] == "dibatalkan"

    kept = bench.kept()
    assert [line["pesan"]["type"] for line in kept] == ["pengaduan.terdaftar", "status.berubah", "pengaduan.selesai"]
    assert {line["pesan"]["data"]["tiket"] for line in kept} == {ticket}
    assert len({line["id"] for line in kept}) == 3
    assert all(line["urut"] for line in kept)
    receiver_refuses_what_it_must(bench, kept)
    sender_tells_what_was_refused(bench)


def receiver_refuses_what_it_must(bench: Bench, kept: list[dict[str, Any]]) -> None:
    """A wrong or old signature is refused, a repeat changes nothing, what comes late is known for it."""
    last = kept[-1]
    body = json.dumps(last["pesan"]).encode()
    assert bench.call(body, "msg_baru", secret="whsec_b3JhbmcgbGFpbg==") == 401
    assert bench.call(body, "msg_baru", age=301) == 401
    assert bench.call(body, "msg_baru", age=-310) == 401
    for header in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        assert bench.call(body, "msg_baru", without=header) == 400
    assert requests.post(bench.callback_url, data=b"x" * (1024 * 1024 + 1), timeout=10).status_code == 413
    bench.receiver.stop()
    with (bench.folder / "kabar.jsonl").open("a", encoding="utf-8") as book:
        book.write('\n{"id": "msg_baru", "ur')  # it was switched off while it wrote
    bench.receiver.start()
    assert bench.call(body, last["id"]) == 204
    assert bench.kept() == kept
    assert bench.call(body, "msg_baru", secret=ANOTHER, age=290) == 204
    early = {**last["pesan"], "timestamp": "2020-01-01T00:00:00+00:00"}
    assert bench.call(json.dumps(early).encode(), "msg_terlambat") == 204
    assert [(line["id"], line["urut"]) for line in bench.kept()[len(kept) :]] == [("msg_baru", True), ("msg_terlambat", False)]


def sender_tells_what_was_refused(bench: Bench) -> None:
    """Faults of the form, an unknown ticket and a bad cursor are shown, and the exit is 1."""
    faulty = bench.send("kirim", bench.message("salah.json", {"type": "pengaduan.diajukan", "timestamp": "kemarin", "data": {}}))
    assert faulty.returncode == 1
    assert {fault["path"] for fault in json.loads(faulty.stdout)["kesalahan"]} == {"timestamp", "formulir"}
    assert bench.send("status", "SI-2026-999999").returncode == 1
    assert bench.send("daftar", "bukan-kursor").returncode == 1


def test_the_message_of_the_guide_is_the_one_of_the_description() -> None:
    content = description((PROCEDURE.form,))["paths"]["/webhooks/layanan"]["post"]["requestBody"]["content"]["application/json"]
    assert json.loads((PROGRAMS / "pengaduan.json").read_text(encoding="utf-8")) == content["examples"]["pengaduan.diajukan"]["value"]
