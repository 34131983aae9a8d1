"""What operators see and do on the command line, in their words and with the right exit code."""

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
import sqlalchemy as sa

from integration.faults import Failure
from integration.parts import Parts
from integration.procedure.effects import CallPortal
from integration.procedure.events import (
    CaseEnded,
    CaseOpened,
    Entry,
    Event,
    Paused,
    RequestRefused,
    Resumed,
    SignedOff,
    StepEntered,
    StepLeft,
)
from integration.procedure.facts import Actor, ActorKind
from integration.settings import Settings
from integration.store import ALL, Batch, CaseRow, Delivery
from integration.templates import messages
from sandbox.gitlab import GitLab, Level
from sync import console
from tests.edge.portal import ROOT, submission

EXAMPLE = ROOT / "deploy" / "organisation.example.yaml"
TUESDAY = datetime(2026, 6, 2, 2, 0, tzinfo=UTC)
TICKET = "SI-2026-000001"
KASI = Actor(ActorKind.PERSON, "dewi", "Dewi \x1b[31mLestari")


@pytest.fixture
def parts(environment: dict[str, str]) -> Iterator[Parts]:
    parts = Parts.of(Settings.read(environment, env_file=None), lambda: TUESDAY)
    parts.store.migrate()
    yield parts
    parts.store.close()


def keep(parts: Parts, *happened: object, step: int | None = 5, due: datetime | None = None) -> None:
    """A case with this history after its opening, at this step."""
    parts.store.submit(Delivery("portal", "form", "", b'{"a": 1}'), "SI", 2026)
    turn, kept = parts.store.claim(lease=timedelta(minutes=1))
    procedure, form = parts.procedures[-1], parts.files.put(TICKET, b"form")
    opened = CaseOpened(TICKET, procedure.slug, procedure.revision, submission(form))
    entries = tuple(Entry(seq, TUESDAY, KASI, "note:1", event) for seq, event in enumerate((opened, *happened), 1))
    role = procedure.step(step).performer if step else None
    row = CaseRow(TICKET, procedure.slug, procedure.revision, "berjalan", step, role, due, 2, 1, "SIAKAD: galat\x1b]0;x\x07", TUESDAY, None)
    effects = (CallPortal("p:1", "status.berubah", {"a": 1}),)
    parts.store.release(*parts.store.commit(turn, kept, Batch(TICKET, entries, effects, case_row=row)))


def test_every_event_has_its_sentence():
    kinds = {f"event_{event.__name__}" for event in get_args(Event)}
    assert kinds == {key for key in messages("cli") if key.startswith("event_") and key != "event_recorded"}


@pytest.mark.parametrize(
    "command", [["case", "list"], ["serve"], ["web"], ["worker"], ["beat"], ["provision"], ["doctor"], ["audit", "verify"]]
)
def test_bad_settings_are_told_together_and_nothing_starts(alur, command):
    result = alur(*command, ALUR_GITLAB_URL="", ALUR_GITLAB_TOKEN="", ALUR_PORTAL_SECRETS="whsec_rahasia!")
    assert result.exit_code == 2
    for name in ("ALUR_GITLAB_URL", "ALUR_GITLAB_TOKEN", "ALUR_PORTAL_SECRETS"):
        assert name in result.stderr
    assert "rahasia!" not in result.output


@pytest.mark.parametrize("command", [["case", "list"], ["worker"]])
def test_a_bad_organisation_file_is_told(alur, tmp_path, command):
    (tmp_path / "organisation.yaml").write_text("name: Pustikom\n")
    result = alur(*command, ALUR_ORGANISATION=str(tmp_path / "organisation.yaml"), ALUR_BROKER_URL="redis://127.0.0.1:9/0")
    assert result.exit_code == 2
    assert "organisation.yaml" in result.stderr


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_workers_need_a_broker(alur, command):
    result = alur(command)
    assert (result.exit_code, "ALUR_BROKER_URL" in result.stderr) == (1, True)


def test_a_command_that_is_mistyped_is_told_from_one_that_is_meant(alur):
    result = alur("workr")
    assert (result.exit_code, "'worker'" in result.stderr) == (2, True)


def test_a_database_that_is_not_there_is_told(alur):
    result = alur("case", "list", ALUR_DATABASE_URL="postgresql://alur:rahasia@/alur?host=/nonexistent")
    assert result.exit_code == 1
    assert "Basis data tidak dapat dihubungi" in result.stderr
    assert "rahasia" not in result.output


@pytest.mark.parametrize("command", [["reconcile"], ["reconcile", "--full"], ["provision"], ["provision", "--dry-run"]])
def test_a_platform_that_is_not_there_is_told(alur, command):
    result = alur(*command)
    assert result.exit_code == 1
    assert "GitLab belum dapat dihubungi (GET " in result.stderr
    assert "periksa apakah GitLab menyala" in result.stderr
    assert "glpat" not in result.output


def test_a_project_is_made_ready_as_planned(alur):
    with GitLab() as gitlab:
        project, bot = gitlab.project("pustikom/pengaduan-si"), gitlab.user("alur-pos", "alur-pos")
        gitlab.member(project, bot, Level.MAINTAINER)
        here = {"ALUR_GITLAB_URL": gitlab.url, "ALUR_GITLAB_TOKEN": bot.token}
        heading, *plan = alur("provision", "--dry-run", **here).stdout.splitlines()
        assert heading == "Rencana; belum ada yang diubah:"
        assert project.labels == {}
        assert alur("provision", **here).stdout.splitlines() == plan
        assert "tidak ada yang perlu diubah" in alur("provision", "--dry-run", **here).stdout
        for account in re.findall(r"account: (\S+)", EXAMPLE.read_text(encoding="utf-8")):
            gitlab.member(project, gitlab.user(account, account), Level.REPORTER)
        assert alur("doctor", **here).exit_code == 0


def test_the_doctor_names_what_is_wrong_and_what_to_do(alur):
    result = alur("doctor")
    assert result.exit_code == 1
    assert "✘ Basis data" in result.stdout
    assert "✔ Templat" in result.stdout
    assert "GitLab belum dapat dihubungi (GET /metadata: ConnectionError)" in result.stdout
    assert result.stdout.count("Periksa ALUR_GITLAB_URL") == 10
    assert "Transient" not in result.stdout


def test_the_doctor_looks_at_everything_else_where_the_organisation_file_is_broken(alur, tmp_path):
    (tmp_path / "organisation.yaml").write_text("name: Pustikom\n")
    result = alur("doctor", ALUR_ORGANISATION=str(tmp_path / "organisation.yaml"))
    assert result.exit_code == 1
    assert "organisation.yaml:1: time_zone: isian ini wajib ada." in result.stdout
    assert "Perbaiki isian yang disebut, lalu periksa dengan alur organisation check." in result.stdout
    assert "✘ Templat: menunggu berkas organisasi yang benar" in result.stdout
    assert "✔ Folder dokumen dan lampiran" in result.stdout


def test_the_doctor_names_a_revision_that_is_gone_while_a_case_needs_it(alur, parts):
    assert "✔ Berkas prosedur perkara terbuka" in alur("doctor").stdout
    former = replace(parts.procedures[-1], revision="2019-01")
    keep(replace(parts, procedures=(former,)), StepEntered(5, TUESDAY, 1))
    assert f"✘ Berkas prosedur perkara terbuka: {former.slug} revisi 2019-01 (1 perkara)\n" in alur("doctor").stdout


# --- the organisation ---


def test_an_organisation_file_is_checked_the_configured_one_where_none_is_named(alur, tmp_path):
    assert alur("organisation", "check").stdout == f"{EXAMPLE}: tidak ada kesalahan.\n"
    (tmp_path / "lain.yaml").write_text("name: Pustikom\n")
    result = alur("organisation", "check", "lain.yaml", ALUR_GITLAB_URL="")  # no settings are needed for a file that is named
    assert result.exit_code == 1
    assert "lain.yaml:1: time_zone: isian ini wajib ada." in result.stdout


def test_what_another_organisation_file_would_change_is_told(alur, tmp_path):
    assert alur("organisation", "diff", str(EXAMPLE)).stdout.splitlines() == [
        "Tidak ada perbedaan.",
        "Tidak ada perkara terbuka yang ikut berubah.",
    ]
    text = EXAMPLE.read_text(encoding="utf-8")
    (tmp_path / "lain.yaml").write_text(text.replace("capacity: 4", "capacity: 5"), encoding="utf-8")
    assert alur("organisation", "diff", "lain.yaml").stdout.splitlines()[:2] == [
        "Yang berubah:",
        "  Programmer Intan Permata, S.Kom.: kapasitas 4 menjadi 5",
    ]
    (tmp_path / "lain.yaml").write_text(text.replace("capacity: 4", "capacity: banyak"), encoding="utf-8")
    assert alur("organisation", "diff", "lain.yaml").exit_code == 2


# --- cases ---


def test_cases_are_listed_without_a_terminals_own_words(alur, parts):
    assert "Tidak ada." in alur("case", "list").stdout
    keep(parts, due=TUESDAY)
    listed = alur("case", "list").stdout
    for words in (TICKET, "SIAKAD: galat", "05 Persetujuan", "Kepala Pustikom", "2 Jun 2026 09.00"):
        assert words in listed
    assert TICKET in alur("case", "list", COLUMNS="80").stdout
    assert "\x1b" not in listed
    assert "Tidak ada." in alur("case", "list", "--status", "selesai").stdout
    assert TICKET in alur("case", "list", "--all").stdout


def test_a_case_is_told_entry_by_entry(alur, parts):
    assert alur("case", "show", TICKET).exit_code == 1
    keep(
        parts,
        StepLeft(3, "", "", (), "", "", unconfirmed=False),
        StepEntered(5, TUESDAY, 1),
        RequestRefused(5, "not_yours", "setuju"),
        SignedOff(20, 1, accepted=True, role="x", office=""),
    )
    told = alur("case", "show", TICKET).stdout
    for words in (
        "Perkara dibuka",
        "Langkah 3 tercatat",
        "Masuk langkah 5, putaran 1",
        "“setuju” ditolak. Permintaan ini merupakan",
        "diterima: ya",
    ):
        assert words in told
    assert "\x1b" not in told


def test_a_form_not_worked_on_yet_is_no_unknown_case(alur, parts):
    parts.store.submit(Delivery("portal", "form", "", b""), "SI", 2026)
    assert "menunggu dikerjakan" in alur("case", "show", TICKET).stderr
    assert "Tidak ada perkara" in alur("case", "explain", "SI-2026-000009").stderr


def test_a_due_date_is_explained_day_by_day(alur, parts):
    keep(parts, StepEntered(8, datetime(2026, 6, 5, 9, 0, tzinfo=UTC), 1), step=8)
    told = alur("case", "explain", TICKET).stdout
    for words in (
        "berada di langkah 08 Evaluasi sejak 2 Jun 2026 09.00",
        "Waktu baku langkah ini: 3",
        "Rabu 3 Jun 2026, Kamis 4 Jun 2026, Jumat 5 Jun 2026",
        "Batas waktunya 5 Jun 2026 16.00",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("happened", "words"),
    [
        ([StepEntered(2, None, 1, waits_for_unit=True)], "menunggu unit kerja"),
        ([StepEntered(5, TUESDAY, 1), Paused("x")], "dijeda sejak 2 Jun 2026"),
        ([StepEntered(5, TUESDAY, 1), Paused("x"), Resumed(TUESDAY + timedelta(days=400))], "tidak dihitung"),
        ([StepEntered(5, None, 1, 2031)], "kalender tahun 2031 belum dimuat"),
        ([StepEntered(5, TUESDAY, 1), CaseEnded("ditolak", "x")], "sudah berakhir (ditolak)"),
        ([StepEntered(5, datetime(2026, 5, 27, 9, 0, tzinfo=UTC), 1)], "sudah lewat"),
    ],
)
def test_a_due_date_that_is_none_is_explained_too(alur, parts, happened, words):
    keep(parts, *happened)
    assert words in alur("case", "explain", TICKET).stdout


def test_the_register_is_written_where_it_is_asked_for(alur, parts, tmp_path):
    keep(parts, StepEntered(5, TUESDAY, 1))
    assert alur("register", "--year", "2026", "--out", "register.pdf").stdout == "Ditulis: register.pdf\n"
    assert (tmp_path / "register.pdf").read_bytes().startswith(b"%PDF")
    refused = alur("register", "--out", "tidak/ada.pdf")
    assert (refused.exit_code, refused.stderr.startswith("Ditolak oleh sistem operasi")) == (1, True)


# --- rows ---


def park(parts: Parts, error: str, failure: Failure = Failure.OTHER) -> None:
    """The next row fails for good."""
    parts.store.park(*parts.store.claim(lease=timedelta(minutes=1)), error, failure)


def test_a_parked_row_is_shown_with_its_cause_and_what_to_do_and_replayed(alur, parts):
    keep(parts)
    park(parts, "Traceback\nstatus.berubah: 403", Failure.PORTAL)
    listed = alur("outbox", "list", "--parked", COLUMNS="80").stdout
    assert [line.split("│")[-2].strip() for line in listed.splitlines() if "│" in line] == [
        "Portal menolak",
        "pemberitahuan:",
        "status.berubah: 403",
    ]
    assert [line.split("│")[4].strip() for line in listed.splitlines() if "│" in line] == ["diparkir", "1 kali dicoba", ""]
    shown = alur("outbox", "show", "1").stdout
    for words in (
        "Jenis: CallPortal",
        '"type": "status.berubah"',
        "Rincian: Traceback\nstatus.berubah: 403\nSebab: Portal menolak pemberitahuan\nYang perlu dilakukan: Minta pengelola portal",
        "Setelah itu, jalankan `alur outbox replay 1`, atau `alur outbox replay --all` untuk semua yang diparkir.",
    ):
        assert words in shown
    assert "akan dikerjakan kembali" in alur("outbox", "replay", "1").stdout
    assert alur("outbox", "replay", "1").exit_code == 1
    assert [row.state for row in parts.store.outbox_rows()] == ["waiting"]


def test_a_row_that_waits_is_shown_with_its_cause_and_next_try(alur, parts):
    keep(parts)
    later = {"until": TUESDAY + timedelta(minutes=30), "error": "status.berubah: ConnectionError", "failure": Failure.PORTAL_DOWN}
    parts.store.postpone(*parts.store.claim(lease=timedelta(minutes=1)), **later)
    listed = alur("outbox", "list", COLUMNS="200").stdout
    for words in ("menunggu", "1 kali dicoba", "lagi 2 Jun 2026 09.30", "Portal belum dapat dihubungi: status.berubah: ConnectionError"):
        assert words in listed
    assert "Keadaan: menunggu, 1 kali dicoba, lagi 2 Jun 2026 09.30\n" in alur("outbox", "show", "1").stdout
    assert "Baris ini dicoba lagi dengan sendirinya." in alur("outbox", "show", "1").stdout
    assert "Tidak ada." in alur("outbox", "list", "--parked").stdout


def test_rows_that_wait_for_the_platform_together_say_until_when(alur, parts):
    parts.store.close_quota(ALL, timedelta(minutes=5))
    parts.store.keep(Delivery("gitlab", "k", "issue:7", b"{}"))
    _, row = parts.store.claim(lease=timedelta(minutes=1))
    assert row is None
    listed = alur("inbox", "list").stdout
    assert "Jeda menurut batas GitLab" in listed
    assert "lagi 2 Jun 2026 09.05" in listed
    assert "Tunggulah. " in alur("inbox", "show", "1").stdout


def test_all_parked_rows_are_replayed_at_once(alur, parts):
    for key in ("a", "b"):
        parts.store.keep(Delivery("gitlab", key, key, b"{}"))
    assert alur("inbox", "replay", "--all").exit_code == 1
    for _ in range(2):
        park(parts, "GET /projects/1/issues/1: 403 Forbidden", Failure.RIGHTS)
    for command in (["replay"], ["replay", "1", "--all"]):
        told = alur("inbox", *command)
        assert (told.exit_code, "--all untuk semua" in told.stderr) == (1, True)
    assert alur("inbox", "replay", "--all").stdout == "2 baris akan dikerjakan kembali.\n"
    assert {row.state for row in parts.store.inbox_rows()} == {"waiting"}


@pytest.mark.parametrize("failure", ["", "of a release to come"])
def test_a_row_whose_failure_nobody_knows_is_shown_all_the_same(alur, parts, environment, failure):
    keep(parts)
    park(parts, "entah")
    database = sa.create_engine(environment["ALUR_DATABASE_URL"])
    with database.begin() as connection:
        connection.execute(sa.text("update outbox set failure = :failure"), {"failure": failure})
    database.dispose()
    assert "Sebabnya tidak tercatat: entah" in " ".join(alur("outbox", "list", COLUMNS="200").stdout.split())
    assert "Yang perlu dilakukan: Baca rinciannya" in alur("outbox", "show", "1").stdout


def test_every_failure_has_its_cause_and_its_mend_and_no_other_sentence_is_left_over():
    assert {key for failure in Failure for key in (failure, f"{failure}_fix")} == set(messages("faults"))


def test_a_list_says_that_it_is_not_whole(alur, parts):
    parts.store.keep_all(Delivery("gitlab", str(number), f"issue:{number}", b"{}") for number in range(101))
    assert "Yang ditampilkan 100 baris terbaru dari 101." in alur("inbox", "list").stdout
    park(parts, "x")
    assert "Yang ditampilkan" not in alur("inbox", "list", "--parked").stdout


def test_a_message_is_shown_as_it_came(alur, parts):
    assert "Tidak ada." in alur("inbox", "list").stdout
    parts.store.keep(Delivery("gitlab", "k", "issue:7", b"\xff\x1b no json", {"X-Gitlab-Event": "Issue Hook"}))
    assert "issue:7" in alur("inbox", "list").stdout
    shown = alur("inbox", "show", "1").stdout
    assert "no json" in shown
    assert "\x1b" not in shown
    assert '"X-Gitlab-Event": "Issue Hook"' in shown
    assert alur("inbox", "show", "99").exit_code == 1


# --- reports and proofs ---


def test_what_the_system_does_not_let_us_do_is_a_sentence(alur, tmp_path):
    (tmp_path / "berkas").write_text("")
    written = alur("report", "weekly", "--out", str(tmp_path / "berkas" / "laporan"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listened = alur("serve", ALUR_BIND=f"127.0.0.1:{taken.getsockname()[1]}")
    for result in (written, listened):
        assert (result.exit_code, result.stderr.startswith("Ditolak oleh sistem operasi: ")) == (1, True)
        assert "Traceback" not in result.output
    assert "berkas/laporan" in written.stderr


def test_the_weekly_report_is_written_where_asked(alur, parts, tmp_path):
    keep(parts, StepEntered(5, TUESDAY, 1))
    result = alur("report", "weekly", "--week", "2026-W23", "--out", str(tmp_path / "laporan"))
    assert result.exit_code == 0
    assert sorted(path.suffix for path in (tmp_path / "laporan").iterdir()) == [".csv", ".html", ".md", ".pdf", ".txt"]
    assert result.stdout.count("Ditulis:") == 5
    first = {path.name: path.read_bytes() for path in (tmp_path / "laporan").iterdir()}
    alur("report", "weekly", "--week", "2026-W23", "--out", str(tmp_path / "lagi"))
    assert {path.name: path.read_bytes() for path in (tmp_path / "lagi").iterdir()} == first
    assert alur("report", "weekly", "--out", str(tmp_path / "terakhir")).exit_code == 0
    assert not (tmp_path / "terakhir" / "laporan-mingguan-2026-W23.pdf").exists()
    assert alur("report", "weekly", "--week", "minggu lalu").exit_code == 1
    assert "belum ditutup" in alur("report", "weekly", "--week", "2999-W01").stderr


@pytest.mark.parametrize(("command", "name", "coming"), [("monthly", "2026-06", "2999-01"), ("yearly", "2025", "2999")])
def test_so_are_the_summaries_of_a_month_and_a_year(alur, parts, tmp_path, command, name, coming):
    option = f"--{command.removesuffix('ly')}"
    keep(parts, StepEntered(5, TUESDAY, 1))
    for folder in ("satu", "dua"):
        result = alur("report", command, option, name, "--out", str(tmp_path / folder))
        assert (result.exit_code, result.stdout.count("Ditulis:")) == (0, 5)
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / each).iterdir()} for each in ("satu", "dua"))
    assert first == second
    assert alur("report", command, "--out", str(tmp_path / "terakhir")).exit_code == 0
    assert alur("report", command, option, "2026-W23").exit_code == 1
    assert "belum berakhir" in alur("report", command, option, coming).stderr


def test_what_was_not_meddled_with_is_proven(alur, parts):
    keep(parts, StepEntered(1, TUESDAY, 1))
    result = alur("audit", "verify")
    assert (result.exit_code, result.stdout.strip()) == (
        0,
        "1 perkara diperiksa; rantai catatan dan sidik 1 berkas terbukti utuh, dan tidak ada langkah yang terlewat.",
    )
    assert alur("audit", "verify", TICKET).exit_code == 0
    assert alur("audit", "verify", "SI-2026-000009").exit_code == 1


def test_a_ledger_meddled_with_is_told(alur, parts, environment):
    keep(parts, StepEntered(5, TUESDAY, 1))
    database = sa.create_engine(environment["ALUR_DATABASE_URL"])
    with database.begin() as connection:
        connection.execute(sa.text("update events set data = '{}' where seq = 2"))
    database.dispose()
    result = alur("audit", "verify")
    assert result.exit_code == 1
    assert "catatan ke-2 tidak sesuai" in result.stdout


def test_a_step_that_was_skipped_is_told(alur, parts):
    keep(parts, StepEntered(5, TUESDAY, 1))
    result = alur("audit", "verify", TICKET)
    assert (result.exit_code, "catatan ke-2 menyimpang dari prosedur" in result.stdout) == (1, True)


def test_a_file_that_is_no_archive_is_told(alur, tmp_path):
    (tmp_path / "surat.zip").write_bytes(b"PK")
    result = alur("audit", "verify", str(tmp_path / "surat.zip"))
    assert (result.exit_code, "surat.zip: bukan arsip perkara" in result.stdout) == (1, True)


def test_a_file_changed_or_gone_is_told(alur, parts, tmp_path):
    keep(parts, StepEntered(5, TUESDAY, 1))
    (file,) = (path for path in (tmp_path / "var").rglob("*") if path.is_file())
    file.write_bytes(b"another")
    assert "tidak sesuai dengan sidiknya" in alur("audit", "verify").stdout
    file.unlink()
    assert f"{TICKET}/formulir/1 tidak ada" in alur("audit", "verify").stdout


# --- procedures ---


def test_a_procedure_is_shown_and_checked(alur, tmp_path):
    shown = alur("procedure", "show").stdout
    assert "flowchart TD" in shown
    assert alur("procedure", "show", "--diagram").stdout.startswith("flowchart TD")
    unknown = alur("procedure", "show", "tidak-ada")
    assert (unknown.exit_code, "Yang tersedia" in unknown.stderr) == (1, True)
    (file,) = (ROOT / "integration" / "procedures").glob("*.yaml")
    assert "tidak ada kesalahan" in alur("procedure", "check", str(file)).stdout
    assert alur("procedure", "show", str(file), "--diagram").exit_code == 0
    (tmp_path / "rusak.yaml").write_text("slug: x\n")
    broken = alur("procedure", "check", "rusak.yaml")
    assert broken.exit_code == 1
    assert broken.stdout.startswith("rusak.yaml:1: ")
    assert alur("procedure", "show", "rusak.yaml").exit_code == 2
    assert alur("procedure", "check", "tidak-ada.yaml").exit_code == 1


def test_messages_of_rows_are_json_where_they_can_be(parts):
    keep(parts)
    told = console.whole_row(parts.store.inbox_rows(row_id=1)[0], parts.organisation.calendar.tz)
    assert json.loads(dict(told)["Isi"].plain) == {"a": 1}
