"""Somebody at the portal who signs as agreed, and a clock in the hand."""

import base64
import copy
import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from integration.procedure.facts import Submission
from integration.settings import Settings
from integration.signatures import Secret, headers

ROOT = Path(__file__).resolve().parents[2]
SECRET = "whsec_" + base64.b64encode(b"rahasia portal").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"rahasia lama").decode()
HOOK_TOKEN = "rahasia hook"
FORM: dict[str, Any] = {
    "kode": "FRM-SI-005",
    "unit_kerja": {
        "kode": "FT",
        "nama": "Fakultas Teknik",
        "pimpinan": {"nama": "Prof. Dr. Ratna", "nip": None, "jabatan": "Dekan", "email": "dekan@ft.kampus.example"},
    },
    "pelapor": {"nama": "Budi", "email": "budi@ft.kampus.example", "telepon": "021 555 0101"},
    "sistem": {"nama": "SIAKAD", "url": "https://siakad.kampus.example"},
    "masalah": {
        "judul": "Nilai tidak tersimpan",
        "kategori": "galat",
        "uraian": "Setelah tombol simpan ditekan, muncul galat 500.",
        "sejak": "2026-06-01T09:00:00+07:00",
        "urgensi": "tinggi",
        "dampak": "fakultas",
    },
    "pdp": {"versi": "2026-01", "dasar": "tugas-layanan-publik", "disetujui": True},
}


def settings_in(folder: Path, **otherwise: Any) -> Settings:
    """The settings of a service whose data is in this folder; a database of its own there, unless `otherwise` says another."""
    plain = {
        "gitlab_url": "https://gitlab.kampus.example",
        "gitlab_token": "token",
        "gitlab_project": "pustikom/pengaduan-si",
        "gitlab_webhook_secret": HOOK_TOKEN,
        "portal_secrets": SECRET,
        "database_url": f"sqlite:///{folder}/alur.db",
        "organisation": ROOT / "deploy" / "organisation.example.yaml",
        "public_url": "https://alur.kampus.example",
        "data_dir": folder / "data",
    }
    return Settings.model_validate(plain | otherwise)


class Watch:
    """A clock in the hand: it shows `now` until `move` is called."""

    def __init__(self) -> None:
        self.now = datetime(2026, 6, 2, 2, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Portal:
    """Sends messages to the edge; every new one has an id of its own."""

    client: FlaskClient
    watch: Watch
    secret: str = SECRET
    sent: int = 0

    def submit(self, **changes: Any) -> TestResponse:
        return self.send("pengaduan.diajukan", {"formulir": form(**changes)})

    def send(self, kind: str, data: dict[str, Any], **how: Any) -> TestResponse:
        body = {"type": kind, "timestamp": self.watch().isoformat(), "data": data}
        return self.post(json.dumps(body).encode(), **how)

    def post(
        self, body: bytes, *, key: str = "", content_type: str = "application/json", headers: dict[str, str] | None = None
    ) -> TestResponse:
        signed = {**self.signed(body, key), **(headers or {})}
        given = {name: value for name, value in signed.items() if value is not None}
        return self.client.post("/webhooks/layanan", data=body, headers=given, content_type=content_type)

    def ask(self, ticket: str, **headers: str) -> TestResponse:
        return self.client.get(f"/layanan/pengaduan/{ticket}", headers={**self.signed(b""), **headers})

    def list(self, **query: str) -> TestResponse:
        return self.client.get("/layanan/pengaduan", query_string=query, headers=self.signed(b""))

    def signed(self, body: bytes, key: str = "") -> dict[str, str]:
        self.sent += 1
        return headers(Secret.parse(self.secret), key or f"msg_{self.sent}", self.watch(), body)


def form(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(FORM), **changes}


def submission(sha256: str = "ab" * 32) -> Submission:
    """A form as the ledger has it; nothing of it matters here but its hash."""
    special = {"urgency": "tinggi", "attachments": (), "filled_from": None, "filled_until": None, "sha256": sha256}
    texts = {field.name: "x" for field in fields(Submission) if field.name not in special}
    return Submission(**texts, **special)
