"""What leaves for the portal and by mail, and the papers of a case."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from integration.faults import Permanent, Transient
from integration.procedure.effects import Effect, IssueDocument, PostNote
from integration.store import Batch, Delivery, NumberState, OutboxRow
from sync.display import Display
from sync.outbox import file_name
from sync.wording import Wording
from tests.core.office import organisation
from tests.worker.conftest import POS, Bench
from tests.worker.test_requests import LENGKAP


class Recorder:
    """Stands at the end of the line: keeps what was sent, fails as told."""

    def __init__(self):
        self.sent: list[tuple] = []
        self.failures: list[Exception] = []

    def call(self, *what):
        self.send(*what)

    def send(self, *what):
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(what)


@pytest.fixture
def portal(bench: Bench) -> Recorder:
    bench.outbox = replace(bench.outbox, portal=Recorder())
    return bench.outbox.portal


class TestPortal:
    def test_the_unit_is_told_of_its_case_in_order(self, bench: Bench, portal: Recorder):
        bench.submit()
        bench.say("kasi", LENGKAP)
        assert [kind for _, kind, *_ in portal.sent] == ["pengaduan.terdaftar", "status.berubah"]
        key, _, data, _ = portal.sent[1]
        assert key.startswith(f"portal:{bench.ticket}:status.berubah:")
        assert {name: data[name] for name in ("tiket", "status", "langkah")} == {"tiket": bench.ticket, "status": "berjalan", "langkah": 5}

    def test_a_portal_that_is_down_stops_nothing_else_and_gets_all_in_order(self, bench: Bench, portal: Recorder):
        portal.failures = [Transient("down", retry_after=timedelta(minutes=30))]
        bench.submit()
        bench.say("kasi", LENGKAP)
        assert bench.case.step == 5
        assert bench.notes
        assert portal.sent == []
        bench.clock.advance(timedelta(hours=1))
        bench.work()
        assert [kind for _, kind, *_ in portal.sent] == ["pengaduan.terdaftar", "status.berubah"]

    def test_a_refusal_is_parked_and_shown(self, bench: Bench, portal: Recorder):
        portal.failures = [Permanent("410")]
        bench.submit()
        assert [(row.kind, row.state, row.error) for row in bench.undone] == [("CallPortal", "parked", "410")]

    def test_without_a_portal_nothing_waits(self, bench: Bench):
        bench.submit()
        assert bench.undone == []


class TestMail:
    def reported(self, bench: Bench, *recipients: str) -> Recorder:
        office = replace(organisation(), report_recipients=recipients)
        display, mail = Display((POS,), office, Wording(office)), Recorder()
        bench.inbox, bench.outbox = replace(bench.inbox, display=display), replace(bench.outbox, display=display, mail=mail)
        bench.submit(sistem={"nama": "SIAKAD\nBcc: jahat@x.example"})
        bench.clock.advance(timedelta(days=7))
        bench.store.keep(Delivery("report", "report:2026-W23", "laporan", json.dumps({"week": "2026-W23"}).encode()))
        bench.work()
        assert bench.undone == []
        return mail

    def test_the_weekly_report_goes_to_those_who_are_named(self, bench: Bench):
        mail = self.reported(bench, "kepala@x.example", "kadiv@x.example")
        ((key, to, letter, _),) = mail.sent
        assert (key, to) == ("mail:report:2026-W23", ("kepala@x.example", "kadiv@x.example"))
        assert letter.subject == "Laporan mingguan pengaduan sistem informasi, pekan 2026-W23"
        assert "Perkara terbuka  : 1" in letter.text
        assert "(langkah 04 Pemeriksaan, giliran Kepala Seksi Layanan Administrasi); terlambat" in letter.text
        assert "SIAKAD Bcc: jahat@x.example: Nilai tidak tersimpan" in letter.text
        assert "SIAKAD Bcc: jahat@x.example: Nilai tidak tersimpan" in letter.html
        assert re.findall(r"(?:src|href|url)\b", letter.html) == []  # nothing is loaded from anywhere
        assert [(file.name, file.media_type) for file in letter.files] == [
            ("laporan-mingguan-2026-W23.pdf", "application/pdf"),
            ("laporan-mingguan-2026-W23.csv", "text/csv"),
        ]
        assert letter.files[0].content.startswith(b"%PDF")

    def test_a_report_for_nobody_is_done(self, bench: Bench):
        assert self.reported(bench).sent == []

    def test_without_a_mail_server_nothing_waits(self, bench: Bench):
        self.reported(bench, "a@x.example")
        bench.outbox = replace(bench.outbox, mail=None)
        bench.clock.advance(timedelta(days=7))
        bench.store.keep(Delivery("report", "report:2026-W24", "laporan", json.dumps({"week": "2026-W24"}).encode()))
        bench.work()
        assert bench.undone == []


class TestPapers:
    def test_a_paper_is_kept_by_hash_numbered_once_and_linked(self, bench: Bench):
        bench.submit()
        bench.say("kasi", LENGKAP)
        bench.walk(16)
        papers = {paper.id: paper for paper in bench.case.documents}
        draft, final = papers[f"{bench.ticket}/surat-tugas/1"], papers[f"{bench.ticket}/surat-tugas/2"]
        assert (draft.number, final.number) == ("", "1//SURAT-TUGAS/VI/2026")
        assert bench.store.number_state(final.number) is NumberState.ISSUED
        assert bench.outbox.files.get(bench.ticket, final.sha256).startswith(b"%PDF")
        assert len(bench.outbox.files.get(bench.ticket, final.sha256)) == final.size
        assert final.link.startswith("[surat-tugas-final-2.pdf](/uploads/")
        assert final.link in bench.issue["description"]

    def test_a_paper_that_could_not_be_filed_keeps_its_number_unless_that_is_void(self, bench: Bench):
        bench.submit()
        bench.say("kasi", LENGKAP)
        bench.walk(15)
        bench.gitlab.fault("POST", r"/uploads$", status=403)
        bench.walk(16)
        (row,) = [row for row in bench.undone if row.state == "parked"]
        first, second = "1//SURAT-TUGAS/VI/2026", "2//SURAT-TUGAS/VI/2026"
        assert bench.store.number_state(first) is NumberState.RESERVED
        assert bench.store.void_number(first, "Salah ketik")
        bench.store.replay("outbox", row.id)
        bench.work()
        assert {paper.number for paper in bench.case.documents if paper.document == "surat-tugas"} == {"", second}
        assert [bench.store.number_state(number) for number in (first, second)] == [NumberState.VOID, NumberState.ISSUED]

    def test_the_same_paper_is_the_same_bytes(self, bench: Bench):
        bench.gitlab.fault("POST", r"/uploads$", status=500, after_commit=True)
        bench.submit()
        bench.say("kasi", LENGKAP)
        bench.clock.advance(timedelta(hours=1))
        bench.work()
        first, second = bench.project.uploads
        assert first.content == second.content


class TestWhatCannotBe:
    """Effects that make no sense wait for an operator, and say why."""

    def parked(self, bench: Bench, effect: Effect) -> str:
        bench.commit(Batch(effects=(effect,)))
        bench.work()
        (row,) = bench.undone
        assert row.state == "parked"
        return row.error

    def test_a_paper_that_was_never_issued(self, bench: Bench):
        bench.submit()
        assert self.parked(bench, IssueDocument("k", "x/y/1")) == "x/y/1 was never issued"

    def test_a_note_about_no_case(self, bench: Bench):
        bench.ticket = "SI-2026-000099"
        assert self.parked(bench, PostNote("k", "rahasia", {"by": "kasi"})) == "SI-2026-000099 is no case"

    def test_a_note_before_there_is_an_issue(self, bench: Bench):
        bench.gitlab.fault("POST", r"/issues$", status=403)
        bench.submit()
        bench.store.replay("outbox", bench.undone[0].id)
        bench.gitlab.fault("GET", r"/user$", status=403)
        bench.work()
        assert [(row.kind, row.state) for row in bench.undone if isinstance(row, OutboxRow)][-1] == ("OpenIssue", "parked")


@pytest.mark.parametrize(
    ("name", "uploaded"),
    [
        ("galat.png", "galat.png"),
        ("Tangkapan layar (1).png", "Tangkapan-layar-1-.png"),
        ("../../etc/passwd", "etc-passwd"),
        ("](http://jahat.example)![.png", "http-jahat.example-.png"),
        ("日本.pdf", "pdf"),
        ("...", "lampiran"),
        ("x" * 100 + ".log", "x" * 76 + ".log"),
    ],
)
def test_a_file_is_uploaded_under_a_plain_name(name: str, uploaded: str):
    assert file_name(name) == uploaded


def test_a_note_is_written_for_the_case_it_is_posted_to(bench: Bench):
    bench.submit()
    note = bench.outbox.display.note(PostNote("k", "rahasia", {"by": "kasi"}), bench.case)
    assert note.endswith("\n<!-- alur:k -->")
