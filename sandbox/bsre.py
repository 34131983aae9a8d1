"""A stand-in for the client service of the national CA: it really signs, with certificates nobody has to trust, and fails in every way.

It answers as its users tell of it; a call it does not know is answered 404 and written down.
"""

import io
import threading
import time
from dataclasses import dataclass, field
from typing import Self

from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

from sandbox.certificates import Authority, sign

NAME, PASSWORD = "alur", "sandi-layanan-uji"


@dataclass
class Person:
    """Somebody with a certificate; `expired`: it is valid no longer."""

    name: str
    passphrase: str = field(repr=False)
    expired: bool = False


class Bsre:
    """One such service. `people`: by NIK; `signed`: for whom, in order. `broken`: an answer to give instead, `slow`: seconds it waits."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.signed: list[str] = []
        self.unknown: list[str] = []
        self.broken: Response | None = None
        self.slow = 0.0
        self._authority = Authority("CA Uji Coba BSrE")
        app = Flask(__name__)
        app.before_request(self._gate)
        app.post("/api/sign/pdf")(self._sign)
        app.get("/api/user/status/<nik>")(self._status)
        app.register_error_handler(404, self._unheard)
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Listen."""
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    def _gate(self) -> Response | None:
        time.sleep(self.slow)
        if self.broken is not None:
            return self.broken
        known = request.authorization
        if known is None or (known.username, known.password) != (NAME, PASSWORD):
            return _declined(401, "Unauthorized", 401)
        return None

    def _sign(self) -> Response:
        file, nik = request.files.get("file"), request.form.get("nik", "")
        if file is None or request.form.get("tampilan") not in ("visible", "invisible"):
            return _declined(400, "Parameter tidak lengkap", 1001)
        person = self.people.get(nik)
        if person is None:
            return _declined(400, "User tidak terdaftar", 2011)
        if person.passphrase != request.form.get("passphrase"):
            return _declined(400, "Passphrase anda salah", 2031)
        if person.expired:
            return _declined(400, "Sertifikat sudah tidak berlaku", 2021)
        seen = request.form["tampilan"] == "visible"
        pdf = sign(file.stream.read(), self._authority.signer(person.name), f"ttd-{len(self.signed) + 1}", visible=seen)
        self.signed.append(nik)
        answer = Response(io.BytesIO(pdf), mimetype="application/pdf")
        answer.headers["id_dokumen"] = f"{len(self.signed):032x}"
        return answer

    def _status(self, nik: str) -> Response:
        known = nik in self.people
        return jsonify(status_code=1111 if known else 1110, status="ISSUE" if known else "NOT_REGISTERED", message="")

    def _unheard(self, _: Exception) -> Response:
        self.unknown.append(f"{request.method} {request.path}")
        return _declined(404, "Not Found", 404)


def _declined(status: int, error: str, number: int) -> Response:
    answer = jsonify(error=error, status_code=number)
    answer.status_code = status
    return answer
