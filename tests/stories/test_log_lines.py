"""What the logs tell of a case that met every kind of trouble: which delivery, case and step, and what failed; nobody's name or words."""

import copy
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests

from integration.store import Delivery
from sandbox.gitlab import Level
from tests.stories.world import ORGANISATION, World, example_form

HEAD = {"nama": "Prof. Dr. Ratna Kusumawati, M.T.", "nip": "197203141998032001", "jabatan": "Dekan", "email": "ratna.k@contoh.ac.id"}
REPORTER = {"nama": "Agus Setiawan", "email": "agus.setiawan@contoh.ac.id", "telepon": "021-4700001"}
PROBLEM = {
    "judul": "Nilai Siti Rahmawati (1301617042) hilang",
    "uraian": "Nilai mahasiswa saya, Siti Rahmawati, hilang sesudah disimpan.\nSandi saya Kenanga-1998 pun ditolak.",
    "langkah_reproduksi": "Masuk sebagai agus.setiawan lalu tekan Simpan.",
}
REMARK = "Sudah saya telepon Pak Agus di 0812-9000-1234."
SAID = (
    *("Agus", "Setiawan", "Ratna", "Kusumawati", "Siti", "Rahmawati", "Prof.", "contoh.ac.id"),
    *("197203141998032001", "4700001", "1301617042", "0812-9000"),
    *("Kenanga", "Melati", "KTM", "hilang", "tekan Simpan", "telepon", "menikah", "arahan", "lampirkan", "minta nilai"),
)
"""What tells whose case it is, or what somebody wrote: parts of what is said below, as they would stand in a line that quotes it."""


Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(world: World, logged: Lines) -> Lines:
    """What the service logged; what the stand-ins log is theirs."""
    return lambda: [line for line in logged() if not line["logger"].startswith("sandbox.")]


def personal_form() -> dict[str, Any]:
    form = copy.deepcopy(example_form())
    form["unit_kerja"]["pimpinan"], form["pelapor"] = HEAD, REPORTER
    form["masalah"] |= PROBLEM
    return form


def at_the_edge(world: World) -> None:
    """Messages that are refused, each for another reason, and one that is repeated."""
    portal, form = world.campus.portal, personal_form()
    address = f"{portal.service_url}/webhooks/layanan"
    whole = json.dumps({"type": "pengaduan.diajukan", "timestamp": "2026-06-02T08:00:00+07:00", "data": {"formulir": form}}).encode()
    unsigned = portal.signed(whole, "msg_palsu") | {"webhook-signature": "v1,AAAA"}
    assert requests.post(address, data=whole, headers=unsigned, timeout=30).status_code == 401
    assert requests.post(address, data=whole, headers=portal.signed(whole) | {"content-type": "text/plain"}, timeout=30).status_code == 415
    assert requests.post(address, data=b"Agus Setiawan", headers=portal.signed(b"Agus Setiawan"), timeout=30).status_code == 400
    assert portal.send("pengaduan.diajukan", {"formulir": form | {"KTM Agus Setiawan": 1}}, webhook_id="msg_salah").status_code == 422
    assert portal.send("pengaduan.direvisi", {"tiket": "SI-2026-009999", "formulir": form}).status_code == 404
    assert portal.send("pengaduan.diajukan", {"formulir": form}, webhook_id="msg_sama").status_code == 202
    assert portal.send("pengaduan.diajukan", {"formulir": form}, webhook_id="msg_sama").status_code in (202, 409)  # its moment is another
    hook = {"user": {"name": "Dewi Lestari", "username": "kasi.layanan"}, "object_attributes": {"note": REMARK}}
    assert (
        requests.post(f"{portal.service_url}/webhooks/gitlab", json=hook, headers={"Idempotency-Key": "k-1"}, timeout=30).status_code == 401
    )
    world.settle()


def on_the_issue(world: World, ticket: str) -> None:
    """Remarks, requests refused and carried out, secrets, drift, with a platform that fails in between."""
    gitlab, project, iid = world.campus.gitlab, world.campus.project, world.campus.iid(ticket)
    world.comment("kasi.layanan", ticket, REMARK)
    world.comment("kasi.layanan", ticket, "/pos setujui sesuai arahan Bu Ratna")
    world.comment("kadiv.infrastruktur", ticket, "/pos jeda Pak Agus sedang cuti menikah")
    world.comment("kasi.layanan", ticket, "/pos cek\n\nkata sandi: Melati-2001")
    world.campus.comment("kasi.layanan", ticket, "/pos revisi Mohon lampirkan KTM Siti Rahmawati")
    gitlab.fault("GET", rf"/issues/{iid}$", status=500)
    gitlab.fault("PUT", rf"/issues/{iid}$", drop=True)
    gitlab.fault("POST", r"/notes$", status=502, after_commit=True)
    world.campus.portal.answers = [503, 410]
    world.later(minutes=10)
    world.service.store.replay("outbox")
    world.portal("pengaduan.direvisi", tiket=ticket, formulir=personal_form())
    person = world.person("kadiv.infrastruktur")
    person.rename(project, iid, "Agus Setiawan minta nilai")
    person.assign(project, iid, "dimas.pratama")
    world.settle()
    del project.members[world.campus.people["kepala.pustikom"].id]
    world.walk(ticket, until=5)
    gitlab.member(project, world.campus.people["kepala.pustikom"], Level.REPORTER)
    world.campus.comment("kepala.pustikom", ticket, "/pos cek")
    gitlab.fault("POST", r"/notes$", status=403)
    world.settle()


def behind_the_scenes(world: World, ticket: str) -> None:
    """Faults of the programme, rows of another release, a broken organisation file, an issue deleted, a withdrawal."""
    store = world.service.store
    store.keep(Delivery("report", "report:x", "laporan", b'{"week": "Agus Setiawan"}'))
    store.keep(Delivery("outcome", "y", "SI-2026-000777", b'{"kind": "IssueLinked", "data": {"key": "Siti Rahmawati"}}'))
    world.settle()
    world.later(minutes=5)
    good = ORGANISATION.read_text(encoding="utf-8")
    world.reorganise(good.replace("name: Dewi Lestari, S.E.", "nama: Dewi Lestari, S.E."), sound=False)
    world.reorganise(f"{good}\n")
    store.replay("inbox")
    store.replay("outbox")
    world.campus.gitlab.hooks_lost = 1.0
    world.campus.gitlab.act(world.campus.gitlab.user("pengelola", "Pengelola", admin=True)).delete(
        world.campus.project, world.campus.iid(ticket)
    )
    world.sweep()
    world.portal("pengaduan.dibatalkan", tiket=ticket, alasan="Pak Agus menikah", oleh=HEAD["nama"])


def test_no_line_names_a_person_or_quotes_anybody_whatever_goes_wrong(world: World, lines: Lines) -> None:
    at_the_edge(world)
    ticket = world.submit(form=personal_form(), attachments={"KTM Siti Rahmawati.txt": b"1301617042"})
    on_the_issue(world, ticket)
    behind_the_scenes(world, ticket)

    told = [line["message"] for line in lines()]
    for message in (  # what could have quoted somebody
        "refused: 1 faults in what it says",
        "postponed for 2 s: down",
        "parked, an operator must look: rights",
        "parked, an operator must look: portal",
        "written by another release",
        "a fault of the programme",
    ):
        assert message in told
    assert any("left assignee as it was" in message for message in told)
    assert any("was deleted" in message for message in told)
    assert any("the organisation file cannot be used" in message for message in told)
    rows = (*world.service.store.inbox_rows(), *world.service.store.outbox_rows())
    assert any("Agus Setiawan" in row.error for row in rows)
    organisation = world.campus.organisation
    people = [name for person in (*organisation.offices, *organisation.programmers) for name in (person.name, person.account) if name]
    forbidden = [word.casefold() for word in (*people, *SAID)]
    assert [line for line in lines() if any(word in json.dumps(line, ensure_ascii=False).casefold() for word in forbidden)] == []


def test_a_delivery_is_followed_from_the_edge_to_what_came_of_it(world: World, lines: Lines) -> None:
    ticket = world.submit(webhook_id="msg_formulir")
    world.walk(ticket, until=5)
    world.clock.advance(timedelta(minutes=1))
    world.campus.comment("kepala.pustikom", ticket, "/pos cek")
    world.campus.gitlab.fault("POST", r"/notes$", status=503)
    world.settle()

    form = [(line["logger"], line["message"], line["case"], line.get("step")) for line in lines() if line.get("delivery") == "msg_formulir"]
    assert form == [("webhooks.intake", "kept", ticket, None), ("sync.drain", "worked off", ticket, None)]
    hook = world.service.store.inbox_rows(state="done", lane=ticket)[0]
    comment = [(line["logger"], line["message"], line["case"], line.get("step")) for line in lines() if line.get("delivery") == hook.key]
    assert comment == [("webhooks.hooks", "kept", ticket, None), ("sync.drain", "worked off", ticket, 5)]
    (waits,) = world.service.store.outbox_rows(lane=ticket)
    (postponed,) = [line for line in lines() if line.get("effect") == waits.key]
    assert {name: postponed[name] for name in ("message", "case", "step", "outbox", "attempt")} == {
        "message": "postponed for 2 s: down",
        "case": ticket,
        "step": 5,
        "outbox": waits.id,
        "attempt": 1,
    }
