"""Whoever a form speaks of gets what is kept of them, has it put right, and is forgotten; the case's way stays proved."""

import io
import json
import re
import zipfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet
from pydantic import SecretStr

from integration.links import Links
from integration.procedure.definition import by_revision
from integration.store import Restraint, Right
from sandbox.gitlab import Level
from sync.archive import prove
from sync.audit import audit
from sync.cli import main
from sync.privacy import HEAD, ON_REQUEST, REPORTER
from tests.stories.test_turn import answer, link
from tests.stories.world import A_MOMENT, World, example_form, variables

FORM = example_form()
WHO = FORM["pelapor"]["email"]
PERSONAL = [
    FORM["pelapor"]["nama"],
    WHO,
    FORM["unit_kerja"]["pimpinan"]["nama"],
    FORM["unit_kerja"]["pimpinan"]["email"],
    FORM["masalah"]["judul"],
    FORM["masalah"]["uraian"][:30],
    "Rahmat Hidayat",
]
SCREEN = b"Galat 504, Rahmat Hidayat"


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "organisasi.yaml")


def on_platform(world: World) -> str:
    project = world.campus.project
    texts = [text for issue in project.issues.values() for text in (issue.title, issue.description, *(note.body for note in issue.notes))]
    return "\n".join([*texts, *(repr(upload.content) for upload in project.uploads), *(page.content for page in project.wiki.values())])


def status_url(world: World, ticket: str) -> str:
    return Links.of(world.settings).status(ticket).replace("http://127.0.0.1:8080", world.campus.portal.service_url)


@pytest.fixture
def over(world: World) -> str:
    """A case the unit took back, in the middle of the work, with a file and a name in a comment of each side."""
    ticket = world.submit(attachments={"layar.txt": SCREEN})
    world.walk(ticket, until=18)
    world.comment(world.campus.holder("koordinator-programmer"), ticket, "Menurut Rahmat Hidayat galatnya hanya pagi hari.")
    world.portal("pengaduan.dibatalkan", tiket=ticket, alasan="Rahmat Hidayat sudah tidak mengalaminya", oleh="Rahmat Hidayat")
    assert world.case(ticket).ending
    return ticket


def test_an_erased_case_is_nowhere_and_its_way_is_proved_still(world: World, over: str, tmp_path: Path) -> None:
    service = world.service
    before, other = world.case(over), world.submit()
    assert all(text in on_platform(world) for text in PERSONAL if "@" not in text)
    letter = before.current_paper("surat-tugas", "final")
    address = f"{world.campus.portal.service_url}/dokumen/{service.store.public_id(over, letter.id)}"
    archive = tmp_path / "arsip.zip"
    archive.write_bytes(service.archives.keep(over, service.display))

    assert service.privacy.erase(over, ON_REQUEST) == ""
    world.clock.advance(A_MOMENT)
    world.settle()

    case = world.case(over)
    assert case.erased_at
    assert case.submission.reporter == f"{over}/pelapor"
    assert [(p.step, p.outcome) for p in case.history] == [(p.step, p.outcome) for p in before.history]
    assert [paper.number for paper in case.documents] == [paper.number for paper in before.documents]
    assert service.privacy.erase(over, ON_REQUEST) == "erased_already"
    proof = audit(service.store, service.files, by_revision(service.parts.procedures))
    assert (proof.cases, proof.faults) == (2, ())
    assert prove(archive).faults == (), "whoever was given the archive before can prove it still"

    told = requests.get(address, timeout=10).json()
    assert (told["sha256"], told["keadaan"]) == (letter.sha256, "berlaku"), "whoever holds the paper can have it proved still"
    shown = world.campus.issue(over)
    assert "Data pribadi perkara ini telah dihapus" in shown["description"]
    assert shown["title"] == f"[{over}] {FORM['sistem']['nama']}"
    assert world.campus.notes(over) == []
    assert not any(b"Rahmat" in upload.content for upload in world.campus.project.uploads)
    own = (f"#{iid} " for iid in case.tasks.values())
    assert [text for text in own if text in on_platform(world)] == []

    status = requests.get(status_url(world, over), timeout=10)
    assert (status.json()["status"], status.json()["dokumen"]) == ("dibatalkan", [])
    world.sweep()
    assert service.store.outbox_rows() == service.store.inbox_rows() == []
    assert world.case(other).submission.reporter == FORM["pelapor"]["nama"], "the same person's other case is untouched"


def test_a_file_of_an_issue_that_was_deleted_goes_too_and_another_case_s_stays(world: World) -> None:
    ticket, other = (world.submit(attachments={"layar.txt": SCREEN + mark}) for mark in (b"1", b"2"))
    owner = "kadiv.infrastruktur"
    world.campus.gitlab.member(world.campus.project, world.campus.people[owner], Level.OWNER)
    world.person(owner).delete(world.campus.project, world.campus.iid(ticket))
    world.sweep()
    world.portal("pengaduan.dibatalkan", tiket=ticket, alasan="Sudah pulih", oleh="Dekan")
    assert world.service.privacy.erase(ticket, ON_REQUEST) == ""
    world.settle()
    assert [upload.content for upload in world.campus.project.uploads] == world.uploads(other) == [SCREEN + b"2"]


def test_an_account_of_its_own_may_be_the_one_that_removes_and_what_it_asks_is_counted(world: World, over: str) -> None:
    """The daily account is a Developer then, who removes nothing of others."""
    gitlab, project = world.campus.gitlab, world.campus.project
    keeper = gitlab.user("alur-pengelola", "Pengelola proyek")
    gitlab.member(project, keeper, Level.MAINTAINER)
    gitlab.member(project, world.campus.bot, Level.DEVELOPER)
    world.settings = world.settings.model_copy(update={"gitlab_setup_token": SecretStr(keeper.token)})
    world.restart()
    assert world.service.privacy.erase(over, ON_REQUEST) == ""
    world.settle()
    assert (world.campus.notes(over), project.uploads) == ([], [])
    removed = Counter("uploads" if "/uploads/" in asked.path else "note" for asked in gitlab.requests if asked.method == "DELETE")
    shown = requests.get(f"{world.campus.portal.service_url}/metrics", timeout=10).text
    told: Counter[str] = Counter()
    for of, number in re.findall(r'alur_platform_requests_total{method="delete",of="(\w+)",status="\d+"} (\S+)', shown):
        told[of] += int(float(number))
    assert told == removed
    assert min(removed["note"], removed["uploads"]) > 0


def test_not_one_byte_of_it_is_left_on_our_own_disk(world: World, over: str, tmp_path: Path) -> None:
    world.service.privacy.erase(over, ON_REQUEST)
    world.settle()
    world.sweep()
    world.service.store.close()
    left = on_disk(tmp_path)
    assert [text for text in PERSONAL if text.encode() in left or json.dumps(text)[1:-1].encode() in left] == []


def test_what_goes_on_is_held_or_unfinished_is_not_erased(world: World, over: str) -> None:
    privacy, store = world.service.privacy, world.service.store
    assert privacy.erase(world.submit(), ON_REQUEST) == "still_open"
    store.restrain(over, Restraint.HOLD, "Alat bukti")
    assert privacy.erase(over, ON_REQUEST) == "held"
    store.unrestrain(over, Restraint.HOLD)
    assert privacy.against(over) == ""


def test_somebody_gets_all_that_is_kept_of_them_and_nothing_of_others(world: World, over: str) -> None:
    other = {**FORM, "pelapor": {"nama": "Orang Lain", "email": "lain@unit.example"}}
    world.submit(form=other)
    found = world.service.privacy.involving(WHO.upper())
    assert [(each.case.ticket, each.as_what) for each in found] == [(over, (REPORTER,))]
    assert len(world.service.privacy.involving(FORM["unit_kerja"]["pimpinan"]["email"])) == 2
    with zipfile.ZipFile(io.BytesIO(world.service.privacy.export(WHO) or b"")) as archive:
        told = json.loads(archive.read("data.json"))["perkara"]
        names = archive.namelist()
        assert archive.read(next(name for name in names if "layar.txt" in name)) == SCREEN
        assert json.loads(archive.read(f"{over}/formulir-1.json"))["pelapor"]["email"] == WHO
    assert [each["tiket"] for each in told] == [over]
    assert told[0]["formulir"][0]["reporter_email"] == WHO
    assert "Menurut Rahmat" not in json.dumps(told), "what the office said among itself is not theirs"
    assert world.service.privacy.export("siapa@example.org") is None


def test_a_wrong_address_is_put_right_on_the_issue_and_in_the_form(world: World) -> None:
    ticket = world.stands_at(18)
    privacy = world.service.privacy
    faults = privacy.correct(ticket, {"pelapor.email": "bukan surel", "unit_kerja.pimpinan.nip": "12"})
    assert faults
    assert [fault.path for fault in faults.faults] == ["pelapor.email", "unit_kerja.pimpinan.nip"]
    assert privacy.correct(ticket, {"pelapor.nama": "Budi Santosa", "pelapor.email": "budi@unit.example"}) is None
    world.settle()
    case = world.case(ticket)
    assert (case.step, case.submission.reporter, case.submission.reporter_email) == (18, "Budi Santosa", "budi@unit.example")
    assert json.loads(world.service.files.get(ticket, case.submission.sha256))["pelapor"]["nama"] == "Budi Santosa"
    assert "| Budi Santosa," in world.campus.issue(ticket)["description"]
    (note,) = [note for note in world.campus.notes(ticket) if "Data formulir diperbaiki" in note]
    assert "Budi" not in note


def test_what_was_put_right_stays_right_where_the_unit_revises_its_form_later(world: World) -> None:
    ticket = world.submit()
    world.service.privacy.correct(ticket, {"pelapor.nama": "Budi Santosa"})
    world.settle()
    world.comment(world.campus.holder("kasi-layanan-administrasi"), ticket, "/pos revisi Mohon dilengkapi")
    address = link(world, ticket, "pengaduan.perlu_revisi")
    fields = dict(re.findall(r'name="([\w.]+)" value="([^"]*)"', requests.get(address, headers={"Accept": "text/html"}, timeout=10).text))
    problem = {f"masalah.{name}": FORM["masalah"][name] for name in ("uraian", "kategori", "urgensi", "dampak")}
    assert answer(address, **(fields | problem | {"jenis": "revisi", "masalah.judul": "Judul baru"})).status_code == 303
    world.settle()
    form = world.case(ticket).submission
    assert (form.subject, form.reporter, form.reporter_email) == ("Judul baru", "Budi Santosa", WHO)


def test_restricted_data_is_kept_and_handed_out_to_nobody(world: World) -> None:
    ticket = world.stands_at(18)
    status = status_url(world, ticket)
    papers = requests.get(status, timeout=10).json()["dokumen"]
    address = status.replace(f"/{ticket}?", f"/{ticket}/dokumen/{papers[0]['sha256']}?")
    assert requests.get(address, timeout=10).status_code == 200
    world.service.store.restrain(ticket, Restraint.RESTRICTION, "Diminta pelapor")
    answer = requests.get(address, timeout=10)
    assert (answer.status_code, "dibatasi" in answer.text) == (403, True)
    world.service.store.unrestrain(ticket, Restraint.RESTRICTION)
    assert requests.get(address, timeout=10).status_code == 200


def test_an_answer_is_owed_in_seventy_two_hours_of_the_wall(world: World) -> None:
    store = world.service.store
    first = store.receive_request(Right.ACCESS, WHO, world.clock())
    gone = store.receive_request(Right.ERASURE, WHO, world.clock() + timedelta(hours=1))
    assert first.due_at - first.received_at == timedelta(hours=72)
    world.clock.advance(timedelta(hours=71, minutes=59))
    assert world.service.privacy.late() == []
    world.clock.advance(timedelta(minutes=1))
    assert [request.id for request in world.service.privacy.late()] == [first.id]
    assert store.answer_request(first.id, "Diserahkan")
    assert not store.answer_request(first.id, "Lagi")
    assert store.answer_request(gone.id, "Dihapus")
    assert [(request.subject, request.result) for request in store.subject_requests()] == [(WHO, "Diserahkan"), ("", "Dihapus")]


def undecided(world: World) -> str:
    """The organisation file without what it says of personal data."""
    return re.sub(r"^privacy:\n(?:  .*\n)+", "", world.settings.organisation.read_text(), flags=re.MULTILINE)


def test_data_is_kept_as_long_as_the_organisation_says(world: World, over: str) -> None:
    text = undecided(world)
    world.reorganise(text)
    assert world.service.privacy.over() == [], "nobody has decided that"
    world.reorganise(text + "\nprivacy: {officer: Dewi, email: dpo@kampus.example, retention: {dibatalkan: 2, selesai: 5}}\n")
    assert world.service.privacy.over() == []
    world.clock.advance(timedelta(days=731))
    assert [case.ticket for case in world.service.privacy.over()] == [over]
    world.service.store.restrain(over, Restraint.HOLD, "Alat bukti")
    assert world.service.privacy.over() == []


@pytest.fixture
def alur(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def alur(*command: str, **changes: str) -> Result:
        environ = variables(world.campus, tmp_path, world.settings.database_url.get_secret_value()) | {"COLUMNS": "200"} | changes
        return CliRunner(env=environ).invoke(main, ["privacy", *command])

    monkeypatch.chdir(tmp_path)
    return alur


def test_the_officer_does_it_all_from_the_shell(world: World, over: str, alur, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    assert over in alur("find", WHO).stdout
    assert alur("export", WHO).exit_code == 0
    assert (tmp_path / "data-pribadi.zip").exists()
    assert "surel" in alur("correct", over, "pelapor.email=salah").stderr
    assert alur("correct", over, "masalah.judul=x").exit_code == 1
    assert alur("correct", over, "pelapor.nama=Budi Santosa").exit_code == 0

    asked = alur("request", "akses", WHO, "--received", (now - timedelta(hours=80)).isoformat())
    assert "Permintaan nomor 1" in asked.stdout
    owed = alur("requests")
    assert (owed.exit_code, "-" in owed.stdout, "3 x 24 jam" in owed.stderr) == (1, True, True)
    assert alur("answer", "1", "--result", "Diserahkan").exit_code == 0
    assert alur("requests").exit_code == 0

    assert alur("hold", over).exit_code == 1
    assert alur("hold", over, "--reason", "Alat bukti").exit_code == 0
    assert "unfinished" not in alur("erase", over, "--yes").stderr
    assert alur("hold", over, "--lift").exit_code == 0
    assert alur("retention").exit_code == 0
    (tmp_path / "tanpa.yaml").write_text(undecided(world))
    assert "Masa simpan belum ditetapkan" in alur("retention", ALUR_ORGANISATION=str(tmp_path / "tanpa.yaml")).stderr
    record = alur("record").stdout
    assert "Pasal 31" in record
    assert FORM["pdp"]["dasar"] in record

    told = alur("breach", over, "--discovered", (now - timedelta(hours=2)).isoformat())
    assert "2 orang terdampak" in told.stdout
    assert "sisa 69 jam" in told.stdout
    drafts = {path.name: path.read_text() for path in (tmp_path / "pelanggaran").iterdir()}
    assert sorted(drafts) == ["lembaga.md", "subjek-0001.md", "subjek-0002.md"]
    assert over in drafts["lembaga.md"]
    assert alur("breach", "SI-2026-999999", "--discovered", now.isoformat()).exit_code == 1


def test_keys_are_wrapped_anew_and_without_the_old_secret_all_can_be_read(world: World, over: str, alur, monkeypatch) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    monkeypatch.setenv("ALUR_DATA_KEYS", old)
    assert "1 perkara" in alur("rewrap").stdout
    monkeypatch.setenv("ALUR_DATA_KEYS", f"{new},{old}")
    assert over in alur("find", WHO).stdout
    assert "1 perkara" in alur("rewrap").stdout
    monkeypatch.setenv("ALUR_DATA_KEYS", new)
    assert over in alur("find", WHO).stdout
    monkeypatch.setenv("ALUR_DATA_KEYS", old)
    assert "ALUR_DATA_KEYS" in str(alur("find", WHO).exception) + alur("find", WHO).stderr
    assert HEAD != REPORTER
