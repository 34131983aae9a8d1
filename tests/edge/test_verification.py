"""What anybody may know of a paper they hold: whether it is genuine and still counts, and nothing of the complaint."""

import re
from dataclasses import replace
from datetime import timedelta

import jsonschema
import pytest

from integration.procedure.events import CaseOpened, DocumentFiled, DocumentIssued, Entry, StepEntered, StepLeft
from integration.procedure.facts import Actor, ActorKind
from integration.rotation import Rotation
from integration.store import Batch
from tests.edge.portal import submission
from webhooks.app import create_app
from webhooks.verification import AT_ONCE

KASI = Actor(ActorKind.PERSON, "kasi.layanan", "Dewi")
FORM = replace(
    submission(), head_name="Ratna", reporter="Agus", subject="Nilai hilang", description="Sejak KRS", unit_name="Fakultas Teknik"
)
HASHES = {1: "ab" * 32, 2: "cd" * 32, 3: "ef" * 32}
ID = "SI-2026-000001/lembar-disposisi/{}"


@pytest.fixture
def case(portal, parts, watch):
    """A case in which one paper was issued twice and a third time not yet filed; gives what makes things happen to it."""
    portal.submit()
    procedure = parts.procedures[-1]
    happened = [
        CaseOpened("SI-2026-000001", procedure.slug, procedure.revision, FORM),
        StepEntered(4, None, 1),
        StepLeft(4, "lengkap", "Catatan petugas", (("Dampak", "Catatan petugas"),), "kasi-layanan-administrasi", "Plh.", False),
        DocumentIssued(ID.format(1), "lembar-disposisi", "final", 1, 4),
        StepEntered(5, None, 1),
        DocumentFiled(ID.format(1), "1/UN39.17/LD/VI/2026", HASHES[1], 10, "[a](/uploads/rahasia)"),
        DocumentIssued("SI-2026-000001/surat-tugas/1", "surat-tugas", "draft", 1, 14),
    ]
    turn, row = parts.store.claim(lease=timedelta(minutes=1))
    entries = tuple(Entry(seq, watch(), KASI, "note:1", event) for seq, event in enumerate(happened, 1))
    parts.store.commit(turn, row, Batch("SI-2026-000001", entries))

    def happen(*events):
        portal.send("pengaduan.dibatalkan", {"tiket": "SI-2026-000001", "alasan": "x", "oleh": "x"})
        turn, row = parts.store.claim(lease=timedelta(minutes=1))
        first = len(parts.store.entries("SI-2026-000001")) + 1
        parts.store.commit(turn, row, Batch(turn.lane, tuple(Entry(seq, watch(), KASI, "x", e) for seq, e in enumerate(events, first))))

    return happen


@pytest.fixture
def address(parts):
    """The path printed on the paper of this id."""
    return lambda document: f"/dokumen/{parts.store.public_id('SI-2026-000001', document)}"


def page(client, path):
    return client.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})


def test_whoever_holds_a_paper_is_told_what_it_is_and_that_it_counts(client, case, address):
    assert client.get(address(ID.format(1))).json == {
        "jenis": "lembar-disposisi",
        "judul": "Lembar Disposisi",
        "nomor": "1/UN39.17/LD/VI/2026",
        "tanggal": "2026-06-02",
        "pejabat": ["Plh. Kepala Seksi Layanan Administrasi"],
        "edisi": "final",
        "versi": 1,
        "sha256": HASHES[1],
        "keadaan": "berlaku",
        "digantikan_oleh": None,
        "naskah_bertanda_tangan": [],
        "menunggu_tanda_tangan": [],
    }
    shown = page(client, address(ID.format(1))).text
    for words in (
        "Lembar Disposisi",
        "1/UN39.17/LD/VI/2026",
        "2 Juni 2026",
        "Plh. Kepala Seksi Layanan Administrasi",
        HASHES[1],
        "Berlaku.",
    ):
        assert words in shown


def test_the_old_version_says_which_one_took_its_place_and_when(client, case, address, watch):
    watch.move(days=2)
    case(DocumentIssued(ID.format(2), "lembar-disposisi", "final", 2, 4), DocumentFiled(ID.format(2), "", HASHES[2], 10, "x"))
    old, new = (client.get(address(ID.format(version))).json for version in (1, 2))
    assert (old["keadaan"], old["digantikan_oleh"]) == ("digantikan", {"versi": 2, "tanggal": "2026-06-04"})
    assert (old["sha256"], old["nomor"]) == (HASHES[1], "1/UN39.17/LD/VI/2026")
    assert (new["keadaan"], new["digantikan_oleh"]) == ("berlaku", None)
    assert "digantikan oleh versi 2 tanggal 4 Juni 2026" in page(client, address(ID.format(1))).text


def test_a_paper_whose_number_is_void_is_told_as_void_and_not_why(client, case, address, parts, watch):
    number = parts.store.number("SI-2026-000001/lembar-disposisi", "lembar-disposisi", watch().date(), "{}/UN39.17/LD/VI/2026".format)
    assert client.get(address(ID.format(1))).json["keadaan"] == "berlaku"
    assert parts.store.void_number(number, "Salah orang")
    told = client.get(address(ID.format(1)))
    assert (told.json["nomor"], told.json["keadaan"]) == (number, "dibatalkan")
    shown = page(client, address(ID.format(1))).text
    assert "telah dibatalkan dan tidak dapat digunakan" in shown
    assert "Salah orang" not in told.text + shown


def test_a_draft_is_told_as_one_and_what_is_not_filed_yet_has_no_hash(client, case, address, parts):
    told = client.get(address("SI-2026-000001/surat-tugas/1")).json
    assert (told["keadaan"], told["sha256"], told["nomor"]) == ("rancangan", None, None)
    assert told["pejabat"] == [parts.organisation.letterhead.unit]
    shown = page(client, address("SI-2026-000001/surat-tugas/1")).text
    assert "belum berlaku" in shown
    assert "sedang dicatat" in shown
    assert "<script" not in shown


def test_no_person_and_nothing_of_the_complaint_is_told(client, case, address):
    shown = client.get(address(ID.format(1))).text + page(client, address(ID.format(1))).text
    complaint = (FORM.head_name, FORM.reporter, FORM.subject, FORM.description, FORM.unit_name)
    for secret in ("Dewi", "kasi.layanan", "SI-2026", "Catatan petugas", "uploads", *complaint):
        assert secret not in shown
    assert "elektronik" not in shown.lower()


def test_what_is_said_is_what_the_description_promises(client, case, address):
    case(DocumentIssued(ID.format(2), "lembar-disposisi", "final", 2, 4))
    promised = client.get("/openapi.json").json["components"]["schemas"]["Paper"] | {"additionalProperties": False}
    for document in (ID.format(1), ID.format(2), "SI-2026-000001/surat-tugas/1"):
        jsonschema.validate(client.get(address(document)).json, promised)


@pytest.mark.parametrize("guess", ["a" * 26, "x", "SI-2026-000001", "1"])
def test_an_id_never_given_is_an_address_that_is_not_there(client, case, guess):
    answer, shown = client.get(f"/dokumen/{guess}"), page(client, f"/dokumen/{guess}")
    assert (answer.status_code, shown.status_code) == (404, 404)
    assert answer.json["pesan"] in shown.text
    assert "SHA-256" not in shown.text
    assert "<script" not in shown.text


def test_every_id_outlives_the_secrets(client, case, address, parts):
    printed = address(ID.format(1))
    settings = parts.settings.model_copy(update={"portal_secrets": parts.settings.portal_secrets[1:]})
    assert create_app(replace(parts, settings=settings, rotation=Rotation(settings))).test_client().get(printed).status_code == 200


def test_the_page_is_not_kept_and_can_send_nothing_anywhere(client, case, address):
    answers = [page(client, address(ID.format(1))) for _ in range(2)]
    policies = [answer.headers["Content-Security-Policy"] for answer in answers]
    nonces = [re.search(r"script-src 'nonce-([\w-]{22})'", policy)[1] for policy in policies]
    assert nonces[0] != nonces[1]
    for answer, policy, nonce in zip(answers, policies, nonces, strict=True):
        assert answer.headers["Cache-Control"] == "no-store"
        assert policy.startswith("default-src 'none'; ")
        assert "connect-src" not in policy
        assert f'<script nonce="{nonce}">' in answer.text
        assert re.findall(r"(?:src|href|action)=", answer.text) == []


def test_whoever_asks_too_often_is_told_when_to_come_back_and_nobody_else_is(client, case, address):
    path = address(ID.format(1))
    many = {"REMOTE_ADDR": "103.8.12.7"}

    def until_refused(**headers: str):
        answers = (client.get(path, environ_overrides=many, headers=headers) for _ in range(10 * AT_ONCE))
        return next((n, answer) for n, answer in enumerate(answers) if answer.status_code != 200)

    asked, refused = until_refused()
    assert asked >= AT_ONCE
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert "Terlalu banyak permintaan" in refused.json["pesan"]
    _, shown = until_refused(Accept="text/html", **{"X-Forwarded-For": "103.8.12.9"})
    assert (shown.status_code, shown.headers["Retry-After"]) == (429, "1")
    assert "Terlalu banyak permintaan" in shown.text
    assert client.get(path, environ_overrides={"REMOTE_ADDR": "103.8.12.8"}).status_code == 200
    assert client.get(path, headers={"X-Forwarded-For": "103.8.12.9"}).status_code == 200
