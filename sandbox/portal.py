"""A stand-in for the *layanan* portal: sends signed webhooks as its users would cause them, and receives the service's callbacks."""

import base64
import hashlib
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

import requests
from flask import Flask, Response, request
from werkzeug.serving import make_server

from integration import signatures

SECRET = "whsec_" + base64.b64encode(b"stand-in portal, not a real key!").decode()

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Callback:
    """One callback as the portal received it; `verified`: its signature was right; `body`: as it came, to the byte."""

    id: str
    type: str
    data: Json
    verified: bool
    body: bytes = field(repr=False)


def nobody_listens(callback: Callback, status: int) -> None:
    """What comes is not told to anybody."""


class Portal:
    """One portal with its callback address. `answers`: status codes to give to the next callbacks instead of 200.

    `heard` is called with each callback and what it was answered, also where that was a refusal. Whoever tries the service from a shell
    has the next callbacks refused by `POST /jawaban` with `kode`, `kali` and, for `Retry-After`, `jeda`.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        secret: str = SECRET,
        port: int = 0,
        heard: Callable[[Callback, int], None] = nobody_listens,
    ) -> None:
        self._clock = clock
        self._secret = secret
        self.heard = heard
        self._lock = threading.Lock()
        self.callbacks: list[Callback] = []
        self.answers: list[int] = []
        self.retry_after = ""
        self.service_url = ""  # where the service listens, known once it runs
        app = Flask(__name__)
        app.post("/balik")(self._receive)
        app.post("/jawaban")(self._refuse_next)
        self._server = make_server("127.0.0.1", port, app, threaded=True)
        self.callback_url = f"http://127.0.0.1:{self._server.server_port}/balik"

    def start(self) -> "Portal":
        """Listen for callbacks."""
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Close the callback address."""
        self._server.shutdown()
        self._server.server_close()

    def send(self, type_: str, data: Json, *, webhook_id: str | None = None) -> requests.Response:
        """Send one signed webhook to the service, under a new id unless one is given."""
        body = json.dumps({"type": type_, "timestamp": self._clock().isoformat(), "data": data}).encode()
        return requests.post(f"{self.service_url}/webhooks/layanan", data=body, headers=self.signed(body, webhook_id), timeout=30)

    def submit(self, form: Json, *, webhook_id: str | None = None) -> str:
        """Send a new complaint; gives its ticket. Raises requests.HTTPError where it was not taken."""
        answer = self.send("pengaduan.diajukan", {"formulir": form}, webhook_id=webhook_id)
        answer.raise_for_status()
        return str(answer.json()["tiket"])

    def status(self, ticket: str) -> Json:
        """Where a complaint stands, as the service tells the portal."""
        answer = requests.get(f"{self.service_url}/layanan/pengaduan/{ticket}", headers=self.signed(b""), timeout=30)
        answer.raise_for_status()
        status: Json = answer.json()
        return status

    def received(self, ticket: str) -> list[Callback]:
        """The callbacks about one ticket, in the order they came."""
        with self._lock:
            return [c for c in self.callbacks if c.data.get("tiket") == ticket]

    def signed(self, body: bytes, webhook_id: str | None = None) -> dict[str, str]:
        """The headers a webhook with this body is sent with, under a new id unless one is given."""
        secret = signatures.Secret.parse(self._secret)
        signed = signatures.headers(secret, webhook_id or f"msg_{uuid.uuid4().hex}", self._clock(), body)
        return {"content-type": "application/json", **signed}

    def _receive(self) -> Response:
        body = request.get_data()
        verdict = signatures.verify((signatures.Secret.parse(self._secret),), dict(request.headers), body, self._clock())
        message = json.loads(body)
        with self._lock:
            status = self.answers.pop(0) if self.answers else HTTPStatus.OK
            callback = Callback(request.headers["webhook-id"], message["type"], message["data"], verdict is signatures.Verdict.OK, body)
            if status == HTTPStatus.OK:
                self.callbacks.append(callback)
        self.heard(callback, status)
        return Response(status=status, headers={"Retry-After": self.retry_after} if status != HTTPStatus.OK and self.retry_after else {})

    def _refuse_next(self) -> Response:
        """Have the next callbacks answered as told."""
        with self._lock:
            self.answers += [request.form.get("kode", type=int, default=500)] * request.form.get("kali", type=int, default=1)
            self.retry_after = request.form.get("jeda", "")
        return Response(status=HTTPStatus.NO_CONTENT)


def attachment(name: str, media_type: str, content: bytes) -> Json:
    """An attachment of a form, sent along (`isi`)."""
    return {
        "nama": name,
        "jenis": media_type,
        "ukuran": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "isi": base64.b64encode(content).decode(),
        "url": None,
    }
