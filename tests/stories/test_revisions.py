"""A new revision of the procedure comes: running cases stay on theirs, new ones open under it, and some are taken over on request."""

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from integration import procedures
from integration.procedure.definition import Procedure, by_revision
from integration.procedure.events import CaseEnded, RevisionAdopted
from sync import documents, migration
from sync.audit import audit
from sync.cli import main
from sync.documents import Reserved
from sync.periods import period
from sync.survey import survey
from sync.wiring import Service
from tests.stories.world import PROCEDURE, World, variables
from webhooks.app import create_app

EDITS = (
    ('revision: "2025-05"', 'revision: "2026-01"'),
    ("    name: Evaluasi\n", "    name: Kajian\n"),
    ("    performer: kadiv-layanan\n    source: inferred\n    note: >-\n      Bagian yang ditulis adalah isi", None),
    ("title: Lembar Disposisi,", "title: Disposisi Awal,"),
    ("title: Catatan Hasil Evaluasi,", "title: Catatan Hasil Kajian,"),
)
"""Step 8 has another name, performer and time; papers are called otherwise; two words are others."""


def newest(path: Path) -> Procedure:
    """The next revision, from a file edited as an office would."""
    text = procedures.shipped()["pengaduan-masalah-teknis-si.2025-05"].read_text(encoding="utf-8")
    for before, now in EDITS:
        assert text.count(before) == 1, before
        text = text.replace(before, now or before.replace("kadiv-layanan", "kepala-pustikom"))
    head, evaluation, tail = text.partition("    name: Kajian\n")
    tail = tail.replace("{text: 3 Hari Kerja, amount: 3, unit: days}", "{text: 5 Hari Kerja, amount: 5, unit: days}", 1)
    text = head + evaluation + tail
    head, discussed, tail = text.partition("    name: Koordinasi hasil diskusi\n")
    text = head + discussed + tail.replace("setuju: {to: 13}", "sepakat: {to: 13}", 1)
    head, scheduled, tail = text.partition("    name: Tindak lanjut penjadwalan\n")
    text = head + scheduled + tail.replace("kembali: {back_to: 6}", "ulangi: {back_to: 6}", 1)
    file = path / "pengaduan-masalah-teknis-si.2026-01.yaml"
    file.write_text(text, encoding="utf-8")
    return procedures.load(file)


@pytest.fixture
def new(tmp_path: Path) -> Procedure:
    folder = tmp_path / "prosedur"
    folder.mkdir()
    shutil.copy(procedures.shipped()[f"{PROCEDURE.slug}.{PROCEDURE.revision}"], folder)
    return newest(folder)


def with_procedures(service: Service, *known: Procedure) -> Service:
    return Service(replace(service.parts, procedures=known))


def release(world: World, *known: Procedure) -> None:
    """The service's process ends and another starts with these procedures."""
    world.server.shutdown()
    world.server.server_close()
    world.service = with_procedures(world.service, *known)
    world.server = make_server("127.0.0.1", world.server.server_port, create_app(world.service.parts), threaded=True)
    threading.Thread(target=world.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    world.service.provision(hook_url=f"{world.campus.portal.service_url}/webhooks/gitlab")


def walk(world: World, ticket: str, until: int, procedure: Procedure) -> None:
    """People go by the revision of the case."""
    world.campus.procedure = procedure
    world.walk(ticket, until)


def planned(world: World, ticket: str, to: str | None = None) -> migration.Plan | None:
    return migration.planned(world.service.display, world.case(ticket), to, world.clock())


def ask(world: World, *tickets: str) -> int:
    plans = (planned(world, ticket) for ticket in tickets)
    return migration.ask(world.service.store, [plan for plan in plans if plan], world.clock())


def migrate(world: World, *tickets: str) -> int:
    asked = ask(world, *tickets)
    world.settle()
    return asked


def result_of(world: World, lane: str) -> str:
    """What became of the last row of the clock about a case."""
    return next(row.result for row in world.service.store.inbox_rows(state="done") if row.lane == lane and row.source == "clock")


def ours(world: World, ticket: str) -> set[str]:
    return {label for label in world.campus.labels(ticket) if label.startswith(("langkah::", "peran::"))}


def columns(world: World) -> list[str]:
    """Of the procedure's board, from left to right."""
    project = world.campus.project
    (board,) = (board for board in project.boards.values() if board.name.startswith("SI "))
    return [project.labels[column.label_id].name for column in board.lists]


def printed(world: World, ticket: str, document: str) -> str:
    """The words of a paper as it was filed."""
    (paper,) = [p for p in world.case(ticket).documents if p.document == document]
    return "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(world.service.files.get(ticket, paper.sha256)))


def remade(world: World, ticket: str) -> dict[str, bool]:
    """Whether each paper of the case, made once more today, has the bytes it was filed with."""
    service, entries = world.service, world.service.store.entries(ticket)
    display, case = service.display, world.case(ticket)
    made = {
        paper.id: documents.make(
            paper.id,
            entries,
            display.revision(case.procedure, paper.revision),
            display.organisation,
            Reserved(paper.number, f"{service.parts.settings.public_url}/dokumen/{service.store.public_id(ticket, paper.id)}"),
            display.wording,
        )
        for paper in case.documents
    }
    return {paper.id: made[paper.id].content == service.files.get(case.ticket, paper.sha256) for paper in case.documents}


def test_running_cases_stay_and_new_ones_open_under_the_newest(world: World, new: Procedure) -> None:
    old = world.submit()
    walk(world, old, 8, PROCEDURE)

    release(world, PROCEDURE, new)
    young = world.submit()
    walk(world, young, 8, new)
    world.sweep()

    assert {"langkah::08 Evaluasi", "langkah::08 Kajian"} <= world.label_names()
    assert columns(world)[4:7] == [
        "langkah::08 Evaluasi",
        "langkah::09 Koordinasi ke Koordinator Programmer",
        "langkah::10 Mempelajari evaluasi",
    ]
    assert columns(world)[-1] == "langkah::08 Kajian"  # came later; people drag it where they want it
    assert ours(world, old) == {"langkah::08 Evaluasi", "peran::Kepala Divisi Layanan dan Pangkalan Data"}
    assert ours(world, young) == {"langkah::08 Kajian", "peran::Kepala Pustikom"}
    assert "3 Hari Kerja" in world.campus.issue(old)["description"]
    assert "5 Hari Kerja" in world.campus.issue(young)["description"]
    assert "LEMBAR DISPOSISI" in printed(world, old, "lembar-disposisi").upper()
    assert "DISPOSISI AWAL" in printed(world, young, "lembar-disposisi").upper()
    assert "Lembar Disposisi" in world.campus.issue(old)["description"]

    walk(world, old, 10, PROCEDURE)
    walk(world, young, 10, new)
    assert [world.case(ticket).revision for ticket in (old, young)] == ["2025-05", "2026-01"]
    assert "CATATAN HASIL EVALUASI" in printed(world, old, "catatan-evaluasi").upper()
    assert "CATATAN HASIL KAJIAN" in printed(world, young, "catatan-evaluasi").upper()


def test_a_case_whose_position_survives_goes_on_under_the_newest(world: World, new: Procedure) -> None:
    ticket = world.submit()
    walk(world, ticket, 7, PROCEDURE)
    world.play(ticket, "kembali", reason="Jadwal terlalu rapat")
    walk(world, ticket, 8, PROCEDURE)
    before = world.case(ticket)

    release(world, PROCEDURE, new)
    plan = planned(world, ticket)
    assert plan is not None
    assert plan.obstacles == ()
    assert plan.changes == (
        "Nama langkah menjadi 08 Kajian; semula 08 Evaluasi.",
        "Waktu baku menjadi 5 Hari Kerja; semula 3 Hari Kerja.",
        "Pelaksana langkah menjadi: Kepala Pustikom.",
        "Langkah berikutnya yang berubah: 12 Koordinasi hasil diskusi.",
        *plan.changes[4:],
    )
    assert [sentence.split(" menjadi")[0] for sentence in plan.changes[4:]] == ["Batas waktu", "Yang diminta bertindak", "Label"]

    assert migrate(world, ticket) == 1
    case = world.case(ticket)
    assert (case.revision, case.step, case.entered_seq, case.history) == ("2026-01", 8, before.entered_seq, before.history)
    assert case.due > before.due
    assert ours(world, ticket) == {"langkah::08 Kajian", "peran::Kepala Pustikom"}
    assert "5 Hari Kerja" in world.campus.issue(ticket)["description"]
    assert world.campus.issue(ticket)["due_date"] == case.due.astimezone(world.campus.organisation.calendar.tz).date().isoformat()
    row = world.service.store.case_row(ticket)
    assert (row.revision, row.role) == ("2026-01", "kepala-pustikom")
    told = [note for note in world.campus.notes(ticket) if "revisi 2026-01" in note]
    assert len(told) == 1

    assert (planned(world, ticket), migrate(world, ticket)) == (None, 0)
    walk(world, ticket, 10, new)
    world.sweep()
    assert len(_events(world, ticket)) == 1
    assert "LEMBAR DISPOSISI" in printed(world, ticket, "lembar-disposisi").upper()
    assert "CATATAN HASIL KAJIAN" in printed(world, ticket, "catatan-evaluasi").upper()
    assert all(remade(world, ticket).values())
    assert audit(world.service.store, world.service.files, by_revision(world.service.parts.procedures), ticket).faults == ()
    display = world.service.display
    asked = period("2026-W23", display.organisation.calendar.tz)
    week = survey(world.service.store, display.procedures, display.organisation, asked)
    assert [line.returns for line in week.open] == [("07 Tindak lanjut penjadwalan → 06 Penjadwalan",)]


def test_a_paper_still_to_be_made_is_made_by_the_revision_it_was_issued_under(world: World, new: Procedure) -> None:
    ticket = world.submit()
    walk(world, ticket, 8, PROCEDURE)
    release(world, PROCEDURE, new)
    plan = planned(world, ticket)
    assert plan is not None
    world.clock.advance(timedelta(minutes=3))
    world.campus.play(ticket)
    world.campus.gitlab.settle()
    migration.ask(world.service.store, [plan], world.clock())  # decided after the comment, and before what follows from it is done
    world.settle()

    case = world.case(ticket)
    assert (case.revision, case.step) == ("2026-01", 9)
    assert [paper.revision for paper in case.documents if paper.document == "catatan-evaluasi"] == ["2025-05"]
    assert "CATATAN HASIL EVALUASI" in printed(world, ticket, "catatan-evaluasi").upper()


def _events(world: World, ticket: str) -> list[object]:
    return [entry.event for entry in world.service.store.entries(ticket) if isinstance(entry.event, RevisionAdopted)]


def test_a_case_that_moved_meanwhile_is_looked_at_once_more(world: World, new: Procedure) -> None:
    ticket = world.submit()
    walk(world, ticket, 11, PROCEDURE)
    release(world, PROCEDURE, new)
    plan = planned(world, ticket)
    assert plan is not None
    assert plan.obstacles == ()

    world.play(ticket)
    assert migration.ask(world.service.store, [plan], world.clock()) == 1
    world.settle()
    assert world.case(ticket).revision == "2025-05"
    assert result_of(world, ticket) == "Langkah ini tidak lagi dapat diselesaikan dengan kata “setuju”."
    stays = planned(world, ticket)
    assert stays is not None
    assert (stays.obstacles, stays.changes) == (("Langkah ini tidak lagi dapat diselesaikan dengan kata “setuju”.",), ())
    assert migrate(world, ticket) == 0

    walk(world, ticket, 13, PROCEDURE)
    assert migrate(world, ticket) == 1
    assert (world.case(ticket).revision, world.case(ticket).step) == ("2026-01", 13)


def test_a_worker_of_before_waits_until_it_knows_the_revision(world: World, new: Procedure) -> None:
    ticket = world.submit()
    young = with_procedures(world.service, PROCEDURE, new)
    plan = migration.planned(young.display, world.case(ticket), None, world.clock())
    assert plan is not None
    migration.ask(world.service.store, [plan], world.clock())
    world.settle()
    (waits,) = world.service.store.inbox_rows(state="waiting")
    assert "2026-01 is not loaded here" in waits.error

    release(world, PROCEDURE, new)
    world.later(minutes=10)
    assert world.case(ticket).revision == "2026-01"


def test_a_case_that_ended_stays_where_it_was(world: World, new: Procedure) -> None:
    ticket = world.submit()
    release(world, PROCEDURE, new)
    plan = planned(world, ticket)
    assert plan is not None
    world.portal("pengaduan.dibatalkan", tiket=ticket, alasan="Sudah pulih", oleh="Dekan")
    assert planned(world, ticket) is None
    migration.ask(world.service.store, [plan], world.clock())
    world.settle()
    assert (world.case(ticket).revision, _events(world, ticket)) == ("2025-05", [])
    assert isinstance(world.service.store.entries(ticket)[-1].event, CaseEnded)


# --- the command ---

Alur = Callable[..., Result]
MIGRATE = ("procedure", "migrate")


@pytest.fixture
def alur(world: World, new: Procedure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Alur:
    """The command on this machine, where the new revision's file came with the release."""
    monkeypatch.setattr(procedures, "FOLDER", tmp_path / "prosedur")
    (tmp_path / "operator").mkdir()
    settings = variables(world.campus, tmp_path / "operator", world.settings.database_url.get_secret_value())
    settings |= {"ALUR_DATA_DIR": str(world.settings.data_dir), "COLUMNS": "160"}
    return lambda *command: CliRunner(env=settings).invoke(main, command)


def test_the_command_says_of_each_case_whether_it_may_go_on_and_asks_for_those(world: World, alur: Alur) -> None:
    first, second, third = world.submit(), world.submit(), world.submit()
    walk(world, first, 8, PROCEDURE)
    walk(world, second, 12, PROCEDURE)
    world.portal("pengaduan.dibatalkan", tiket=third, alasan="Sudah pulih", oleh="Dekan")

    for command in (["--dry-run"], ["--dry-run", "--to", "2026-01", first, second, third]):
        shown = alur(*MIGRATE, *command)
        assert shown.exit_code == 1, shown.output
        assert f"{first}, langkah 08 Evaluasi: dapat dilanjutkan menurut revisi 2026-01." in shown.output
        assert "  - Waktu baku menjadi 5 Hari Kerja; semula 3 Hari Kerja." in shown.output
        assert f"{second}, langkah 12 Koordinasi hasil diskusi: tetap menurut revisi 2025-05." in shown.output
        assert "  - Langkah ini tidak lagi dapat diselesaikan dengan kata “setuju”." in shown.output
        assert "tidak dapat" in shown.output
        assert third not in shown.output
    assert [row.lane for row in world.service.store.inbox_rows(state="waiting")] == []

    asked = alur(*MIGRATE, first)
    assert (asked.exit_code, "1 perkara diminta berpindah" in asked.output) == (0, True)
    again = alur(*MIGRATE)
    assert (again.exit_code, "0 perkara diminta berpindah" in again.output) == (1, True)
    assert [row.lane for row in world.service.store.inbox_rows(state="waiting")] == [first]


def test_a_case_of_two_revisions_is_listed_told_and_explained(world: World, new: Procedure, alur: Alur) -> None:
    ticket = world.submit()
    walk(world, ticket, 8, PROCEDURE)
    release(world, PROCEDURE, new)
    migrate(world, ticket)
    assert "08 Kajian" in alur("case", "list").output
    assert "Dilanjutkan menurut prosedur revisi 2026-01" in alur("case", "show", ticket).output
    explained = alur("case", "explain", ticket).output
    assert "langkah 08 Kajian" in explained
    assert "Waktu baku langkah ini: 5 Hari Kerja." in explained
    assert alur("audit", "verify", ticket).exit_code == 0


def test_the_command_says_what_changes_later(world: World, alur: Alur) -> None:
    ticket = world.submit()
    walk(world, ticket, 5, PROCEDURE)
    shown = alur(*MIGRATE, "--dry-run")
    assert (shown.exit_code, "Langkah berikutnya yang berubah: 07" in shown.output) == (0, True)


def test_where_nothing_changes_that_is_said(world: World) -> None:
    ticket = world.submit()
    same = with_procedures(world.service, PROCEDURE, replace(PROCEDURE, revision="2025-06"))
    plan = migration.planned(same.display, world.case(ticket), None, world.clock())
    assert plan is not None
    assert migration.told(plan)[1:] == ["  - Tidak ada yang berubah pada langkah ini."]


def test_the_command_says_what_it_does_not_know(world: World, alur: Alur) -> None:
    assert "Tidak ada perkara terbuka yang masih menurut revisi lebih lama." in alur(*MIGRATE).output
    ticket = world.submit()
    unknown = alur(*MIGRATE, "--to", "2027-01")
    assert (unknown.exit_code, "Tidak ada revisi “2027-01”. Yang dimuat: 2025-05, 2026-01." in unknown.stderr) == (1, True)
    assert "Tidak ada perkara SI-2020-000001." in alur(*MIGRATE, "SI-2020-000001").stderr
    older = alur(*MIGRATE, "--to", "2025-05", ticket)
    assert (older.exit_code, "masih menurut revisi lebih lama" in older.output) == (0, True)
