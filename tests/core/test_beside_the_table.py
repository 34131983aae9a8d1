"""Pause, hand-off, exception order, team, access, documents, answers and the service's own findings (procedure.md rules 7 to 10)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from integration.procedure.case import Status
from integration.procedure.effects import IssueDocument, OpenIssue, PostNote, ShowOnIssue, UploadAttachments
from integration.procedure.events import AccessGranted, EmergencyOpened, IssueMended, Paused, Resumed, SignoffsStaled, TeamAssigned
from integration.procedure.facts import (
    SERVICE,
    AccessGiven,
    AccessTaken,
    CheckAsked,
    CommandUnclear,
    DocumentAttached,
    DocumentFiled,
    EmergencyAsked,
    HandOffAsked,
    HelpAsked,
    IssueClosed,
    IssueDrifted,
    IssueLinked,
    IssueLost,
    IssueReopened,
    PauseAsked,
    PriorityMoved,
    ResumeAsked,
    SecretWritten,
    StepExpired,
    StepLabelMoved,
    TeamNamed,
    Withdrawn,
)
from integration.procedure.offices import Holding, Organisation, WorkCalendar
from integration.procedure.people import assignee, performers
from tests.core.office import CALENDAR, JAKARTA, STRANGER, UNIT, attachment, office, organisation, person, submission
from tests.core.run import Run, call, calls, entered, kinds, note, notes, only, refused
from tests.core.straight import prepare, step_on, walk

# --- pause and resume ---


def test_a_pause_stops_the_clock_and_is_told(at) -> None:
    run = at(8)
    decision = run.fact(PauseAsked, person("layanan"), " Menunggu data ")
    assert only(decision, Paused).reason == "Menunggu data"
    assert run.open.status is Status.PAUSED
    assert notes(decision) == ["jeda"]
    told = call(decision, "status.berubah")
    assert (told["status"], told["batas"]) == ("dijeda", None), "the clock stands"
    assert call(run.fact(ResumeAsked, person("layanan")), "status.berubah")["batas"] == "2026-06-05T16:00:00+07:00"


def test_resumed_the_step_is_due_later_by_what_stood_still(at) -> None:
    run = at(8)
    assert run.open.due == datetime(2026, 6, 5, 9, 0, tzinfo=UTC), "three working days after Tuesday"
    run.fact(PauseAsked, person("layanan"), "Menunggu data")
    run.now = datetime(2026, 6, 4, 2, 0, tzinfo=UTC)
    decision = run.fact(ResumeAsked, person("kepala"))
    assert only(decision, Resumed).due == datetime(2026, 6, 8, 9, 0, tzinfo=UTC), "Wednesday's closing was paused, the weekend is none"
    assert run.open.status is Status.RUNNING
    assert note(decision, "lanjut")["due"] == "2026-06-08T09:00:00+00:00"
    run.fact(PauseAsked, person("layanan"), "Lagi")
    run.now += timedelta(minutes=5)
    run.fact(ResumeAsked, person("kepala"))
    assert len(run.open.pauses) == 2
    assert run.open.due == datetime(2026, 6, 8, 9, 0, tzinfo=UTC), "a pause within a day adds none"


def test_the_next_step_knows_nothing_of_the_pause(at) -> None:
    run = at(8)
    run.fact(PauseAsked, person("layanan"), "Menunggu data")
    run.fact(ResumeAsked, person("layanan"))
    run.say("layanan", "selesai")
    assert run.open.pauses == ()


@pytest.mark.parametrize(
    ("account", "reason", "code"),
    [("kasi", "Menunggu data", "not_yours"), ("layanan", " ", "incomplete")],
)
def test_a_pause_needs_authority_and_a_reason(at, account, reason, code) -> None:
    run = at(8)
    assert refused(run.fact(PauseAsked, person(account), reason)).code == code
    assert run.open.paused_since is None


def test_a_paused_case_is_not_paused_twice(at) -> None:
    run = at(8)
    run.fact(PauseAsked, person("layanan"), "Menunggu data")
    decision = run.fact(PauseAsked, person("layanan"), "Lagi")
    assert refused(decision).code == "already_paused"
    assert note(decision, "penolakan")["line"] == "/pos lanjut"


def test_a_running_case_is_not_resumed(at) -> None:
    assert refused(at(8).fact(ResumeAsked, person("layanan"))).code == "not_paused"
    assert refused(at(8).fact(ResumeAsked, person("kasi"))).code == "not_yours"


def test_waiting_for_the_form_stops_the_clock_anyway(at) -> None:
    run = at(4)
    run.say("kasi", "revisi", "Kurang jelas")
    assert refused(run.fact(PauseAsked, person("kepala"), "Menunggu")).code == "no_clock"


# --- late ---


def test_a_step_runs_late_once(at) -> None:
    run = at(8)
    run.now = run.open.due
    decision = run.fact(StepExpired, SERVICE, run.open.entered_seq)
    assert kinds(decision) == ["StepRanLate"]
    assert notes(decision) == [], "people are told by a reminder, when they are at work"
    assert run.open.status is Status.LATE
    assert run.fact(StepExpired, SERVICE, run.open.entered_seq).ignored == "it is so already"
    run.say("layanan", "selesai")
    assert run.open.status is Status.RUNNING


def test_clocks_that_run_out_for_nothing(at) -> None:
    run = at(8)
    assert run.fact(StepExpired, SERVICE, run.open.entered_seq).ignored == "no clock runs out"
    assert run.fact(StepExpired, SERVICE, 1).ignored == "it speaks of another stay in a step"
    run.fact(PauseAsked, person("layanan"), "Menunggu data")
    run.now += timedelta(days=30)
    assert run.fact(StepExpired, SERVICE, run.open.entered_seq).ignored == "no clock runs out"


def test_past_the_last_year_loaded_a_step_has_no_due_time_and_says_so(at) -> None:
    years = WorkCalendar(JAKARTA, CALENDAR.periods, {}, frozenset({2026}))
    office = organisation()
    run = at(7, Organisation(office.name, office.offices, office.programmers, years))
    run.now = datetime(2026, 12, 31, 8, 0, tzinfo=UTC)
    decision = run.say("layanan", "selesai")
    assert (run.open.due, run.open.gap) == (None, 2027)
    assert note(decision, "langkah")["gap"] == 2027
    assert run.fact(StepExpired, SERVICE, run.open.entered_seq).ignored == "no clock runs out"
    decision = run.fact(EmergencyAsked, person("kepala"), "KRS lumpuh")
    assert {due for _, due in only(decision, EmergencyOpened).debts} == {None}


# --- hand-off ---


@pytest.mark.parametrize("target", ["POS Pengaduan Masalah Jaringan Internet", "pos pengaduan  masalah jaringan internet"])
def test_a_case_is_handed_to_a_related_procedure(at, target) -> None:
    run = at(8)
    decision = run.fact(HandOffAsked, person("layanan"), target, "Gangguan ada di jaringan")
    assert kinds(decision) == ["CaseEnded"]
    assert (run.open.status, run.open.ending_target) == (Status.HANDED_OFF, "POS Pengaduan Masalah Jaringan Internet")
    assert note(decision, "berakhir")["ending"] == "dialihkan"


@pytest.mark.parametrize("number", range(17))
def test_to_each_of_the_related_procedures_and_the_unit_is_told_where(at, pos, number) -> None:
    run, target = at(8), pos.handoffs[number]
    decision = run.fact(HandOffAsked, person("kepala"), target, " Bukan urusan sistem informasi ")
    told = call(decision, "pengaduan.selesai")
    assert (told["status"], told["alasan"], told["tujuan"]) == ("dialihkan", "Bukan urusan sistem informasi", target)
    said = note(decision, "berakhir")
    assert (said["target"], said["by"], said["role"], said["office"]) == (target, "Kepala", "Kepala Pustikom", "")


def test_an_end_without_a_target_names_none(at) -> None:
    assert "tujuan" not in call(at(8).fact(Withdrawn, UNIT, "Sudah pulih"), "pengaduan.selesai")


def test_whoever_stops_or_ends_a_case_is_named_with_the_office(at) -> None:
    run = at(5, organisation(office("kepala-pustikom", "wakil", Holding.DEPUTY)))
    acting = ("Wakil", "Kepala Pustikom", "Plh.")
    told = [note(run.fact(PauseAsked, person("wakil"), "Menunggu data"), "jeda"), note(run.fact(ResumeAsked, person("wakil")), "lanjut")]
    told.append(note(run.copy().fact(EmergencyAsked, person("wakil"), "KRS lumpuh"), "darurat"))
    told.append(note(run.say("wakil", "tolak", "Bukan wewenang Pustikom"), "berakhir"))
    assert [(said["by"], said["role"], said["office"]) for said in told] == [acting] * 4
    withdrawn = note(at(5).fact(Withdrawn, UNIT, "Sudah pulih"), "berakhir")
    assert (withdrawn["by"], withdrawn["role"]) == ("Dekan FT", "Pimpinan Unit Kerja")


def test_an_unknown_target_lists_the_seventeen(at) -> None:
    run = at(8)
    decision = run.fact(HandOffAsked, person("layanan"), "POS Lain", "Gangguan ada di jaringan")
    assert refused(decision).code == "unknown_target"
    assert len(refused(decision).missing) == 17
    assert run.at == 8


@pytest.mark.parametrize(("account", "reason", "code"), [("kasi", "Di jaringan", "not_yours"), ("layanan", "", "incomplete")])
def test_a_hand_off_needs_authority_and_a_reason(at, account, reason, code) -> None:
    decision = at(8).fact(HandOffAsked, person(account), "POS Pengaduan Masalah Jaringan Internet", reason)
    assert refused(decision).code == code


# --- exception order ---


def order(run: Run) -> Run:
    run.fact(EmergencyAsked, person("kepala"), "KRS lumpuh")
    return run


def test_an_exception_order_opens_25_at_once_and_owes_what_it_skips(at) -> None:
    run = at(10)
    decision = run.fact(EmergencyAsked, person("kepala"), "KRS lumpuh")
    opened = only(decision, EmergencyOpened)
    assert opened.from_step == 10
    assert opened.debts == tuple((step, date(2026, 6, 9)) for step in range(10, 25)), "five working days after the order"
    assert entered(decision) == [25]
    assert run.open.status is Status.EMERGENCY
    said = note(decision, "darurat")
    assert (said["performers"][0]["account"], said["line"]) == ("pengembangan", "/pos selesai")
    assert said["debts"][0] == {
        "step": 10,
        "name": "Mempelajari evaluasi",
        "due": "2026-06-09",
        "papers": ["Hasil Analisis Teknis"],
    }
    assert said["debts"][-2]["papers"] == ["Laporan Verifikasi", "Laporan Teknis Proses Penanganan"], "those of the way forward"
    assert said["debts"][6]["papers"] == [], "nothing is made at 16"
    assert (said["by"], said["role"], said["office"]) == ("Kepala", "Kepala Pustikom", "")
    assert calls(decision) == ["status.berubah"]


@pytest.mark.parametrize("step", [5, 10, 18, 22, 24])
def test_its_debts_are_paid_one_by_one_and_the_case_joins_behind_28(at, step) -> None:
    run = order(at(step))
    if not run.open.team:
        run.assign()
    walk_on(run, 28)
    step_on(run)
    assert run.at == step, "back to the first step still owed"
    walked = []
    while run.at != 29:
        assert run.open.debts[0][0] == run.at
        assert run.open.status is Status.EMERGENCY
        walked.append(run.at)
        step_on(run)
    assert walked == list(range(step, 25))
    assert run.open.debts == ()
    assert run.open.status is Status.RUNNING
    walk(run, 31)
    step_on(run)
    assert run.open.status is Status.DONE


def walk_on(run: Run, until: int) -> None:
    while run.at != until:
        step_on(run)


def test_at_the_teams_step_of_an_order_the_team_must_be_named(at) -> None:
    run = order(at(8))
    walk_on(run, 28)
    decision = run.say("budi", "selesai")
    assert refused(decision).code == "no_team"
    assert note(decision, "penolakan")["line"] == "/pos tugaskan @pj @anggota"


def test_until_then_those_who_may_name_it_are_asked_to_and_by_which_line(at) -> None:
    run = order(at(8))
    walk_on(run, 27)
    prepare(run)
    said = note(run.say("jaringan", "selesai"), "langkah")
    assert (said["no_team"], said["line"], said["sections"]) == (True, "/pos tugaskan @pj @anggota", [])
    assert [p["account"] for p in said["performers"]] == ["koordinator"]
    assert assignee(run.procedure, run.organisation, run.open, run.now.date()) == "koordinator"
    check = note(run.fact(CheckAsked, STRANGER), "cek")
    assert (check["line"], [p["account"] for p in check["may_act"]]) == ("/pos tugaskan @pj @anggota", ["koordinator", "pengembangan"])
    assert ("gate", "team") in [(missing["kind"], missing["item"]) for missing in check["missing"]]
    closed = note(run.fact(IssueClosed, STRANGER), "ditutup-manual")
    assert closed["line"] == "/pos tugaskan @pj @anggota"
    run.assign()
    step_on(run)
    assert run.at == 8


def test_what_is_said_of_the_ways_is_where_they_lead_under_an_order(at) -> None:
    run = order(at(22))
    walk_on(run, 28)
    ways = note(run.fact(CheckAsked, STRANGER), "cek")["outcomes"]
    assert [way["to_name"] for way in ways] == ["22 Verifikasi 3", "18 Penanganan lokal"]
    step_on(run)
    walk_on(run, 24)
    ways = note(run.fact(CheckAsked, STRANGER), "cek")["outcomes"]
    assert [way["to_name"] for way in ways] == ["29 Buku panduan dan arsip", "18 Penanganan lokal"]


def test_a_card_leads_where_the_order_leads(pos, at) -> None:
    """A procedure whose step before the order's is left without words."""
    wordless = replace(pos, steps=tuple(replace(s, sections=()) if s.number == 24 else s for s in pos.steps))
    run = order(at(24))
    walk_on(run, 28)
    step_on(run)
    run.procedure = wordless
    run.fact(DocumentAttached, person("koordinator"), "formulir-uji-coba", ("[a](/uploads/a)",))
    assert refused(run.fact(StepLabelMoved, person("koordinator"), 25)).code == "label_no_way"
    assert entered(run.fact(StepLabelMoved, person("koordinator"), 29)) == [29]


def test_what_was_reworked_after_a_failed_trial_goes_to_the_server_again(at) -> None:
    run = order(at(20))
    walk_on(run, 28)
    step_on(run)
    walk_on(run, 24)
    run.portal("gagal", "Masih galat")
    assert (run.at, run.open.round) == (18, 2)
    walk_on(run, 24)
    step_on(run)
    assert run.at == 25
    walk(run, 31)


def test_a_failure_on_the_server_under_an_order_pays_its_debts_first(at) -> None:
    run = order(at(10))
    run.assign()
    walk_on(run, 28)
    run.say("budi", "gagal", "Server menolak")
    assert run.at == 18
    walk_on(run, 24)
    step_on(run)
    assert run.at == 25, "the exception's steps were not done"
    assert [step for step, _ in run.open.debts] == list(range(10, 18))
    walk_on(run, 28)
    step_on(run)
    assert run.at == 10
    walk_on(run, 24)
    step_on(run)
    assert run.at == 29


def test_a_return_among_the_debts_keeps_the_exceptions_steps(at) -> None:
    run = order(at(7))
    run.assign()
    walk_on(run, 28)
    step_on(run)
    assert run.at == 7
    run.say("layanan", "kembali", "Tanggal bentrok")
    assert run.at == 6
    walk_on(run, 24)
    step_on(run)
    assert run.at == 29


@pytest.mark.parametrize(
    ("step", "account", "reason", "code"),
    [
        (10, "layanan", "KRS lumpuh", "not_yours"),
        (10, "kepala", " ", "incomplete"),
        (25, "kepala", "KRS lumpuh", "no_emergency"),
        (31, "kepala", "KRS lumpuh", "no_emergency"),
    ],
)
def test_an_order_that_cannot_be_given(at, step, account, reason, code) -> None:
    run = at(step)
    assert refused(run.fact(EmergencyAsked, person(account), reason)).code == code
    assert (run.at, run.open.emergency) == (step, None)


def test_no_order_within_an_order_or_a_pause(at) -> None:
    run = order(at(22))
    walk_on(run, 28)
    step_on(run)
    assert refused(run.fact(EmergencyAsked, person("kepala"), "Lagi")).code == "emergency_runs"
    paused = at(10)
    paused.fact(PauseAsked, person("kepala"), "Menunggu")
    assert refused(paused.fact(EmergencyAsked, person("kepala"), "KRS lumpuh")).code == "paused"


def test_an_order_makes_no_sign_off_stale(at) -> None:
    run = order(at(22))
    assert not any(isinstance(entry.event, SignoffsStaled) for entry in run.entries)
    assert [sign.step for sign in run.open.standing_signoffs] == [20, 21]


# --- team ---


def test_a_team_is_named_and_told(at) -> None:
    run = at(13)
    decision = run.assign("koordinator", "sari", "budi", "sari")
    assert only(decision, TeamAssigned) == TeamAssigned(1, ("sari", "budi"))
    assert note(decision, "tim") == {
        "lead": {"account": "sari", "name": "Sari"},
        "members": [{"account": "budi", "name": "Budi"}],
        "version": 1,
        "by": "Koordinator",
        "over_capacity": [],
        "on_leave": [],
    }
    assert run.assign("koordinator", "sari", "budi").ignored == "it is so already"
    assert only(run.assign("pengembangan", "budi"), TeamAssigned).version == 2


def test_a_member_is_meant_whatever_the_case_of_the_name(at) -> None:
    assert only(at(13).assign("koordinator", "Budi", "SARI", "budi"), TeamAssigned).members == ("budi", "sari")


@pytest.mark.parametrize(
    ("account", "members", "code"),
    [
        ("kasi", ("budi",), "not_yours"),
        ("koordinator", (), "unfit_team"),
        ("koordinator", ("budi", "siapa"), "unfit_team"),
    ],
)
def test_a_team_that_cannot_be_named(at, account, members, code) -> None:
    run = at(13)
    decision = run.fact(TeamNamed, person(account), members)
    assert refused(decision).code == code
    assert run.open.team == ()


def test_under_a_letter_that_waits_for_its_signature_the_team_stays(at) -> None:
    """Step 14 drafted the surat tugas with this team; the head signs what they read."""
    run = at(15)
    decision = run.assign("koordinator", "sari")
    assert refused(decision).code == "letter_drafted"
    said = note(decision, "penolakan")
    assert ([p["account"] for p in said["may_act"]], said["line"]) == (["kepala"], "/pos setuju")
    assert run.open.team == ("budi", "sari")
    assert run.assign("koordinator", "budi", "sari").ignored == "it is so already"
    assert refused(run.assign("kasi", "sari")).code == "not_yours"


def test_before_the_draft_the_team_may_change(at) -> None:
    run = at(15)
    run.say("kepala", "kembali", "Tim berubah")
    assert run.at == 14
    assert only(run.assign("koordinator", "sari"), TeamAssigned).members == ("sari",)


def test_a_draft_made_before_the_team_was_fixed_names_none(at) -> None:
    """The schedule of step 6 is final at 7; a team named early may change there."""
    run = at(7)
    run.assign("koordinator", "budi")
    assert only(run.assign("koordinator", "sari"), TeamAssigned).version == 2


def test_the_one_in_charge_must_act_at_the_teams_steps(at) -> None:
    run = at(18)
    who = performers(run.procedure, run.organisation, run.open, run.now.date())
    assert [(p.account, p.role) for p in who] == [("budi", "Tim Programmer"), ("sari", "Tim Programmer")]
    assert assignee(run.procedure, run.organisation, run.open, run.now.date()) == "budi"


def test_while_the_unit_acts_the_issue_is_nobodys(at) -> None:
    run = at(24)
    assert assignee(run.procedure, run.organisation, run.open, run.now.date()) is None
    assert [p.name for p in performers(run.procedure, run.organisation, run.open, run.now.date())] == ["Fakultas Teknik"]


def test_where_an_office_is_vacant_a_second_role_must_act(at) -> None:
    run = at(14, organisation(without="kasi-layanan-administrasi"))
    assert assignee(run.procedure, run.organisation, run.open, run.now.date()) == "koordinator"
    vacant = at(5, organisation(without="kepala-pustikom"))
    assert assignee(vacant.procedure, vacant.organisation, vacant.open, vacant.now.date()) is None


def test_a_member_who_left_the_office_is_called_by_account(at) -> None:
    run = at(18)
    office = run.organisation
    bare = Organisation(office.name, office.offices, (), office.calendar)
    assert [p.name for p in performers(run.procedure, bare, run.open, run.now.date())] == ["budi", "sari"]


# --- access ---


def test_access_is_a_record(at) -> None:
    run = at(27)
    decision = run.fact(AccessGiven, person("jaringan"), "budi", "srv-1", "ssh", date(2026, 12, 31))
    assert only(decision, AccessGranted) == AccessGranted("budi", "srv-1", "ssh", date(2026, 12, 31))
    assert note(decision, "akses") == {"account": "budi", "server": "srv-1", "right": "ssh", "until": "2026-12-31", "by": "Jaringan"}
    run.fact(AccessGiven, person("jaringan"), "sari", "srv-1", "ssh", date(2026, 12, 31))
    decision = run.fact(AccessTaken, person("infrastruktur"), "budi", "srv-1")
    assert notes(decision) == ["akses-dicabut"]
    assert [grant.account for grant in run.open.open_grants] == ["sari"]


@pytest.mark.parametrize(
    ("step", "account", "until", "code"),
    [
        (27, "kasi", date(2026, 12, 31), "not_yours"),
        (27, "jaringan", date(2026, 6, 1), "grant_past"),
        (31, "jaringan", date(2026, 12, 31), "grant_too_late"),
    ],
)
def test_access_that_cannot_be_given(at, step, account, until, code) -> None:
    run = at(step)
    before = run.open.grants
    assert refused(run.fact(AccessGiven, person(account), "budi", "srv-2", "ssh", until)).code == code
    assert run.open.grants == before


def test_only_access_that_is_open_is_taken_back(at) -> None:
    run = at(28)
    decision = run.fact(AccessTaken, person("jaringan"), "budi", "srv-lain")
    assert refused(decision).code == "no_such_grant"
    assert [missing.item for missing in refused(decision).missing] == ["budi srv-siakad"]
    assert refused(run.fact(AccessTaken, person("kasi"), "budi", "srv-siakad")).code == "not_yours"


def test_access_left_open_at_a_withdrawal_can_still_be_taken_back(at) -> None:
    run = at(28)
    run.fact(Withdrawn, UNIT, "Sudah pulih")
    assert kinds(run.fact(AccessTaken, person("jaringan"), "budi", "srv-siakad")) == ["AccessRevoked"]
    assert run.open.open_grants == ()
    assert run.open.status is Status.WITHDRAWN


# --- documents ---


def test_a_document_is_attached(at) -> None:
    run = at(8)
    decision = run.fact(DocumentAttached, person("kasi"), "formulir-uji-coba", ("[a](/uploads/a)",))
    assert kinds(decision) == ["DocumentAttached"]
    assert note(decision, "lampiran")["document"] == "Formulir Uji Coba yang Ditandatangani Unit Kerja"
    assert run.open.attached("formulir-uji-coba").links == ("[a](/uploads/a)",)
    assert run.open.attached("surat-tugas") is None


@pytest.mark.parametrize(
    ("by", "document", "links", "code"),
    [
        (STRANGER, "formulir-uji-coba", ("[a](/uploads/a)",), "not_yours"),
        (person("kasi"), "apa-saja", ("[a](/uploads/a)",), "unknown_document"),
        (person("kasi"), "formulir-uji-coba", (), "no_upload"),
    ],
)
def test_a_document_that_cannot_be_attached(at, by, document, links, code) -> None:
    run = at(8)
    decision = run.fact(DocumentAttached, by, document, links)
    assert refused(decision).code == code
    assert run.open.attachments == ()


@pytest.mark.parametrize(("paper", "told"), [("lembar-persetujuan", True), ("lembar-disposisi", False)])
def test_the_unit_is_told_of_papers_meant_for_it(at, paper, told) -> None:
    run = at(6)
    made = run.open.current_paper(paper)
    decision = run.fact(DocumentFiled, SERVICE, made.id, "1/UN39.17/2026", "a" * 64, 1234, "[x](/uploads/x)")
    assert kinds(decision) == ["DocumentFiled"]
    assert calls(decision) == (["dokumen.terbit"] if told else [])
    if told:
        assert call(decision, "dokumen.terbit")["dokumen"] == {
            "jenis": "lembar-persetujuan",
            "judul": "Lembar Persetujuan Pengaduan",
            "nomor": "1/UN39.17/2026",
        }
    assert run.open.current_paper(paper).number == "1/UN39.17/2026"
    again = run.fact(DocumentFiled, SERVICE, made.id, "1/UN39.17/2026", "a" * 64, 1234, "[x](/uploads/x)")
    assert again.ignored == "it is so already"


def test_a_draft_is_not_for_the_unit(at) -> None:
    run = at(7)
    made = run.open.current_paper("jadwal", "draft")
    assert calls(run.fact(DocumentFiled, SERVICE, made.id, "", "a" * 64, 1234, "[x](/uploads/x)")) == []


def test_a_paper_of_another_case(at) -> None:
    decision = at(7).fact(DocumentFiled, SERVICE, "SI-2026-000009/jadwal/1", "", "a" * 64, 1, "")
    assert decision.ignored == "the case knows nothing of it"


def test_papers_count_their_versions_and_are_made_once(at) -> None:
    run = at(15)
    run.say("kepala", "kembali", "Nama keliru")
    decision = run.say("kasi", "selesai")
    assert [effect.document for effect in decision.effects if isinstance(effect, IssueDocument)] == ["SI-2026-000001/surat-tugas/2"]
    assert [(p.version, p.edition) for p in run.open.documents if p.document == "surat-tugas"] == [(1, "draft"), (2, "draft")]


# --- answers and findings ---


def test_where_does_it_stand(at) -> None:
    run = at(20)
    said = note(run.fact(CheckAsked, STRANGER), "cek")
    assert (said["step"], said["status"], said["line"]) == (20, "berjalan", "/pos diterima")
    assert len(said["satisfied"]) == 4
    assert [missing["kind"] for missing in said["missing"]] == ["requirement", "section"]
    assert said["outcomes"] == [
        {"word": "diterima", "kind": "forward", "to_name": "21 Verifikasi 2", "ending": "", "needs_reason": False},
        {"word": "dikembalikan", "kind": "return", "to_name": "19 Pelaporan progres", "ending": "", "needs_reason": True},
        {"word": "perlu-perbaikan", "kind": "return", "to_name": "18 Penanganan lokal", "ending": "", "needs_reason": True},
    ]
    assert run.entries == at(20).entries, "an answer decides nothing"


def test_a_paused_case_says_who_may_resume_it(at) -> None:
    run = at(20)
    run.fact(PauseAsked, person("kepala"), "menunggu data")
    said = note(run.fact(CheckAsked, STRANGER), "cek")
    assert (said["paused"], said["line"], said["sections"]) == (True, "/pos lanjut", [])
    assert [p["account"] for p in said["may_act"]] == ["kepala", "layanan", "pengembangan", "koordinator"]


def test_headings_of_the_step_are_asked_for_once(at) -> None:
    said = note(at(25).fact(CheckAsked, STRANGER), "cek")
    assert [missing["kind"] for missing in said["missing"]] == ["section"] * 4
    said = note(at(6).fact(CheckAsked, STRANGER), "cek")
    assert [missing["kind"] for missing in said["missing"]] == ["section"] * 3


@pytest.mark.parametrize(
    ("account", "commands"),
    [
        ("jaringan", ["akses", "cabut-akses", "lampir"]),
        ("koordinator", ["jeda", "lanjut", "tugaskan", "progres", "lampir"]),
        ("orang-lain", []),
    ],
)
def test_help_lists_what_this_person_may_type(at, account, commands) -> None:
    said = note(at(20).fact(HelpAsked, person(account)), "bantuan")
    assert said["commands"] == [*commands, "bantuan", "cek"]
    assert [outcome["word"] for outcome in said["outcomes"]] == ["diterima", "dikembalikan", "perlu-perbaikan"]
    assert [p["account"] for p in said["may_act"]] == ["koordinator"]


@pytest.mark.parametrize(("account", "commands"), [("jaringan", ["cabut-akses"]), ("kepala", [])])
def test_after_the_end_only_access_is_taken_back(at, account, commands) -> None:
    run = at(5)
    run.say("kepala", "tolak", "Bukan urusan kami")
    said = note(run.fact(HelpAsked, person(account)), "bantuan")
    assert (said["outcomes"], said["commands"]) == ([], [*commands, "bantuan", "cek"])


@pytest.mark.parametrize(("ask", "answer"), [(CheckAsked, "cek"), (HelpAsked, "bantuan")])
def test_what_only_the_portal_answers_is_offered_to_nobody(at, ask, answer) -> None:
    said = note(at(31).fact(ask, person("kepala")), answer)
    assert said["outcomes"] == []
    assert said.get("line", "") == ""
    assert [p["account"] for p in said["may_act"]] == [""]
    assert note(at(24).fact(ask, person("koordinator")), answer)["outcomes"], "may be recorded from a signed form"


def test_nobody_is_told_to_type_what_only_the_portal_answers(at) -> None:
    run = at(31)
    assert note(run.say("kepala", "terima"), "penolakan")["line"] == ""
    assert note(run.fact(IssueClosed, person("kepala")), "ditutup-manual")["line"] == ""
    assert note(run.portal("tolak-fungsi", ""), "penolakan")["line"] == ""


def test_an_unknown_word_is_answered(at) -> None:
    run = at(8)
    decision = run.fact(CommandUnclear, STRANGER, "selsai", "selesai", "")
    said = note(decision, "tidak-dikenal")
    assert {name: said[name] for name in ("word", "nearest", "usage", "by")} == {
        "word": "selsai",
        "nearest": "selesai",
        "usage": "",
        "by": "orang-lain",
    }
    assert [outcome["word"] for outcome in said["outcomes"]] == ["selesai"]
    assert said["commands"] == ["bantuan", "cek"]
    assert kinds(decision) == []


def test_a_secret_is_recorded_without_it(at) -> None:
    decision = at(8).fact(SecretWritten, STRANGER)
    assert (refused(decision).code, refused(decision).missing) == ("secret", ())
    assert note(decision, "rahasia") == {"by": "orang-lain"}


def test_the_issue_is_linked_once(at) -> None:
    run = at(4)
    decision = run.fact(IssueLinked, SERVICE, 7, "https://git.example/7")
    assert kinds(decision) == ["IssueLinked"]
    assert (run.open.iid, run.open.url) == (7, "https://git.example/7")
    assert run.fact(IssueLinked, SERVICE, 7, "https://git.example/7").ignored == "it is so already"


def test_an_issue_that_differs_is_put_right_and_said(at) -> None:
    run = at(8)
    decision = run.fact(IssueDrifted, SERVICE, ("labels", "title"))
    assert only(decision, IssueMended).what == ("labels", "title")
    assert [type(effect) for effect in decision.effects] == [ShowOnIssue, PostNote]
    assert note(decision, "dipulihkan") == {"what": ["labels", "title"], "accounts": []}
    assert run.fact(IssueDrifted, SERVICE, ()).ignored == "it is so already"


def test_a_deleted_issue_is_replaced_by_another_with_the_forms_files(pos) -> None:
    run = Run(pos)
    run.submit(submission(attachments=(attachment("galat.png"),)))
    run.fact(IssueLinked, SERVICE, 7, "https://git.example/7")
    decision = run.fact(IssueLost, SERVICE, 7)
    assert kinds(decision) == ["IssueLost"]
    assert (run.open.iid, run.open.url) == (None, "")
    assert [type(effect) for effect in decision.effects] == [OpenIssue, UploadAttachments, ShowOnIssue, PostNote]
    said = note(decision, "tiket-pengganti")
    assert (said["lost"], said["step"], said["performers"][0]["account"]) == (7, 4, "kasi")
    assert calls(decision) == [], "the unit knows its ticket only"
    assert run.fact(IssueLost, SERVICE, 7).ignored == "it is so already", "that one is gone already"
    run.fact(IssueLinked, SERVICE, 8, "https://git.example/8")
    assert run.fact(IssueLost, SERVICE, 7).ignored == "it is so already"
    assert kinds(run.fact(IssueLost, SERVICE, 8)) == ["IssueLost"], "and once more, under keys of its own"


def test_after_the_end_a_deleted_issue_is_not_replaced(at) -> None:
    run = at(5)
    run.fact(IssueLinked, SERVICE, 7, "https://git.example/7")
    run.say("kepala", "tolak", "Bukan urusan kami")
    assert run.fact(IssueLost, SERVICE, 7).ignored == "the case has ended"
    assert run.open.iid == 7


def test_who_changed_the_issue_is_told_with_what(at) -> None:
    said = note(at(8).fact(IssueDrifted, SERVICE, ("due",), ("budi", "kasi")), "dipulihkan")
    assert said == {"what": ["due"], "accounts": ["budi", "kasi"]}


# --- priority ---


@pytest.mark.parametrize("step", [5, 6, 18, 24, 31])
@pytest.mark.parametrize("account", ["kasi", "layanan"])
def test_a_label_sets_the_priority_at_any_step(at, step, account) -> None:
    run = at(step)
    before = run.open.priority
    decision = run.fact(PriorityMoved, person(account), "kritis")
    assert kinds(decision) == ["PrioritySet"]
    assert note(decision, "prioritas") == {"before": before, "priority": "kritis", "by": account.capitalize()}
    assert any(isinstance(effect, ShowOnIssue) for effect in decision.effects), "the label before is taken off"
    assert run.fact(PriorityMoved, STRANGER, "kritis").ignored == "it is so already"


@pytest.mark.parametrize(
    ("by", "priority", "code"),
    [(STRANGER, "kritis", "not_yours"), (person("kepala"), "kritis", "not_yours"), (UNIT, "kritis", "not_yours")]
    + [(person("kasi"), word, "no_such_priority") for word in ("gawat", "", " ")],
)
def test_a_priority_that_cannot_be_set_is_put_back(at, by, priority, code) -> None:
    run = at(8)
    decision = run.fact(PriorityMoved, by, priority)
    assert (refused(decision).code, refused(decision).asked) == (code, f"priority:{priority}")
    assert any(isinstance(effect, ShowOnIssue) for effect in decision.effects)
    said = note(decision, "penolakan")
    assert ([p["account"] for p in said["may_act"]], said["line"]) == (["kasi", "layanan"], ""), "they put a label on, and type nothing"


def test_after_the_end_no_label_sets_the_priority(at) -> None:
    run = at(5)
    run.say("kepala", "tolak", "Bukan urusan kami")
    decision = run.fact(PriorityMoved, person("kasi"), "kritis")
    assert (refused(decision).code, refused(decision).asked) == ("ended", "priority:kritis")
    assert any(isinstance(effect, ShowOnIssue) for effect in decision.effects)


# --- after the end ---


@pytest.fixture
def ended(at) -> Run:
    run = at(31)
    run.portal("terima")
    return run


def test_after_the_end_nothing_moves(ended) -> None:
    decision = ended.say("kepala", "setuju")
    assert refused(decision).code == "ended"
    assert note(decision, "penolakan")["step"] is None
    assert calls(ended.portal("terima")) == ["status.berubah"], "the portal is told that it is over"
    assert kinds(ended.fact(Withdrawn, UNIT, "Tidak jadi")) == ["RequestRefused"]
    assert ended.fact(StepExpired, SERVICE, 1).ignored == "the case has ended"
    assert ended.fact(IssueClosed, person("kepala")).ignored == "the case has ended"
    assert refused(ended.report()).asked == "progres"


def test_reopened_after_the_end_it_is_closed_again(ended) -> None:
    decision = ended.fact(IssueReopened, person("kasi"))
    assert refused(decision).code == "reopen_not_allowed"
    assert notes(decision) == ["dibuka-manual"]
    assert isinstance(decision.effects[-1], ShowOnIssue)


def test_after_the_end_questions_are_answered(ended) -> None:
    said = note(ended.fact(CheckAsked, STRANGER), "cek")
    assert (said["step"], said["status"], said["missing"]) == (None, "selesai", [])
    said = note(ended.fact(HelpAsked, STRANGER), "bantuan")
    assert (said["step"], said["outcomes"]) == (None, [])
    assert performers(ended.procedure, ended.organisation, ended.open, ended.now.date()) == ()
