"""What the platform must show of a case, and what it must not."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from integration.faults import Failure, Transient
from integration.labels import Label, all_labels, owned, step_label, step_of
from integration.procedure.case import ExceptionOrder, Grant, Paper, Report, SignOff, Status
from integration.procedure.deadlines import due
from integration.procedure.definition import Ending
from integration.procedure.facts import Actor, ActorKind, EmergencyAsked
from integration.procedure.offices import DayOff, Holding
from integration.procedures import load
from integration.projection import View, papers, project
from sync.display import Display
from sync.wording import Wording
from tests.core.office import CALENDAR, MINUTE, office, organisation, person, submission
from tests.core.run import Run
from tests.core.straight import every_step

POS = load("pengaduan-masalah-teknis-si.2025-05")
OFFICE = organisation()
STEPS = every_step(POS)
DAY = date(2026, 6, 2)


def view(run: Run, **changed: object) -> View:
    return project(POS, run.organisation, replace(run.open, **changed), DAY)


def shown(run: Run, **changed: object) -> str:
    """The region's words."""
    display = Display((POS,), run.organisation, Wording(run.organisation))
    return display.issue(replace(run.open, **changed), datetime(2026, 6, 2, 3, tzinfo=UTC), "").description


def families(seen: View) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for label in seen.labels:
        family, _, word = label.partition("::")
        found.setdefault(family, []).append(word)
    return found


def test_where_a_team_is_still_to_be_named_that_is_what_is_to_be_done():
    """As under an exception order that came before step 13."""
    seen = view(STEPS[28], team=())
    assert seen.assignee == "koordinator"
    assert [person["account"] for person in seen.region["people"]] == ["koordinator"]
    assert "/pos tugaskan @pj @anggota" in shown(STEPS[28], team=())
    assert "### Penyebab" not in shown(STEPS[28], team=())


class TestLabels:
    @pytest.mark.parametrize("step", STEPS)
    def test_an_open_case_has_exactly_one_of_each_family(self, step: int):
        found = families(view(STEPS[step]))
        assert {family: len(words) for family, words in found.items()} == {"pos": 1, "langkah": 1, "peran": 1, "status": 1, "prioritas": 1}
        assert found["langkah"] == [POS.step(step).label_text]
        assert found["peran"] == [POS.role(POS.step(step).performer).name]

    def test_a_case_that_ended_has_no_step_and_nobody_s_turn(self):
        found = families(view(STEPS[31], step=None, ending=Ending.DONE))
        assert found == {"pos": ["SI"], "status": ["selesai"], "prioritas": [STEPS[31].open.priority]}

    def test_while_the_unit_revises_the_card_stays_where_the_case_opens(self):
        run = STEPS[5].copy()
        run.say("kepala", "revisi", "Lengkapi")
        found = families(view(run))
        assert (found["langkah"], found["peran"], found["status"]) == (["04 Pemeriksaan"], ["Pimpinan Unit Kerja"], ["menunggu unit"])

    @pytest.mark.parametrize("step", [24, 31])
    def test_while_it_waits_for_the_unit_that_is_whose_turn_it_is(self, step: int):
        assert families(view(STEPS[step]))["peran"] == ["Pimpinan Unit Kerja"]

    def test_every_label_a_case_can_carry_is_provisioned(self):
        known = {label.name for label in all_labels((POS,))}
        carried = {label for run in STEPS.values() for label in view(run).labels} | {f"status::{status}" for status in Status}
        assert carried <= known
        assert all(owned(name) for name in known)

    def test_a_label_says_what_it_means_and_has_a_color(self):
        labels = all_labels((POS, POS))
        assert (
            Label(
                "langkah::04 Pemeriksaan",
                "#3b6ea8",
                "Langkah 4 dari 31. Pelaksana: Kepala Seksi Layanan Administrasi. "
                "Memindahkan label ini berarti meminta hasil langkah yang bersangkutan.",
            )
            in labels
        )
        assert len({label.name for label in labels}) == len(labels)
        assert all(label.color.startswith("#") and len(label.color) == 7 and label.description for label in labels)
        assert "langkah::03 Pengiriman form" not in {label.name for label in labels}

    @pytest.mark.parametrize(
        ("label", "number"),
        [
            ("langkah::04 Pemeriksaan", 4),
            ("langkah::04 Nama Lama", 4),
            ("langkah::4", 4),
            ("langkah::x", None),
            ("bug", None),
            ("xlangkah::04", None),
        ],
    )
    def test_a_step_label_is_read_by_its_number(self, label: str, number: int | None):
        assert step_of(label) == number

    def test_a_step_label_is_read_as_it_is_written(self):
        assert all(step_of(step_label(step)) == step.number for step in POS.steps)


class TestFields:
    def test_the_assignee_is_the_one_in_charge(self):
        assert view(STEPS[18]).assignee == STEPS[18].open.team[0]
        assert view(STEPS[4]).assignee == "kasi"

    def test_a_stand_in_is_assigned_before_the_holder(self):
        run = STEPS[5].copy(organisation(office("kepala-pustikom", "plh", Holding.DEPUTY, date(2026, 6, 1), date(2026, 6, 5))))
        assert view(run).assignee == "plh"

    @pytest.mark.parametrize("step", [24, 31])
    def test_nobody_is_assigned_while_the_unit_acts(self, step: int):
        assert view(STEPS[step]).assignee == ""

    def test_the_due_date_is_the_office_s_day(self):
        assert view(STEPS[5], due=datetime(2026, 6, 2, 18, tzinfo=UTC)).due == date(2026, 6, 3)
        assert view(STEPS[5], due=None).due is None

    def test_no_date_is_shown_while_the_clock_stands(self):
        run = STEPS[8]
        assert view(run, paused_since=run.now).due is None
        assert view(run, paused_since=run.now).region["due"] is None

    def test_a_case_that_ended_is_closed(self):
        assert view(STEPS[31]).open
        assert not view(STEPS[31], step=None, ending=Ending.DONE).open

    def test_the_title_is_one_harmless_line(self):
        hostile = submission(system="SIAKAD\n/close", subject="@all #1 " + "x" * 300)
        title = view(STEPS[4], submissions=(hostile,)).title
        assert title.startswith("[SI-2026-000001] SIAKAD /close: @\u2060all #\u20601 x")
        assert len(title) == 255

    def test_what_is_shown_is_confidential(self):
        assert view(STEPS[4]).fields("x").confidential


class TestRegion:
    def test_boxes_are_only_what_people_can_tick_or_what_is_there(self):
        lines = shown(STEPS[20], reports=()).split("\n")
        assert [line[:12] for line in lines if line.startswith("- [")] == ["- [x] 20.1 A", "- [x] 20.2 F", "- [x] 20.3 D", "- [ ] 20.5 S"]
        assert any(line.startswith("- 20.4 Catatan tindak lanjut awal") and "laporan progres" in line for line in lines)

    def test_a_tick_is_kept(self):
        assert "- [x] 20.5 Standar" in shown(STEPS[20], ticks=frozenset({"20.5"}))

    def test_it_says_what_to_type(self):
        assert " /pos lengkap\n\n ### Hasil analisis awal\n" in shown(STEPS[4])

    def test_the_unit_s_turn_asks_nothing_of_the_office(self):
        words = shown(STEPS[24])
        assert "giliran unit kerja" in words
        assert " /pos lulus\n" not in words
        assert (
            "Koordinator Programmer dapat mencatatnya di sini setelah mengunggah Formulir Uji Coba yang Ditandatangani Unit Kerja" in words
        )
        assert "`/pos lampir formulir-uji-coba`, lalu menulis salah satu dari `/pos lulus` atau `/pos gagal <alasan>`." in words

    def test_a_paused_case_says_how_to_go_on(self):
        words = shown(STEPS[8], paused_since=STEPS[8].now)
        assert " ```text\n /pos lanjut\n ```" in words
        assert "/pos selesai" not in words

    def test_a_vacant_role_is_said_to_be(self):
        run = STEPS[9].copy(organisation(without="kadiv-pengembangan"))
        assert "belum ada yang menjabat: Kepala Divisi Pengembangan Sistem Informasi dan Pemrograman" in shown(run)

    def test_a_calendar_that_is_missing_is_said_to_be(self):
        assert "kalender kerja tahun 2031 belum dimuat" in shown(STEPS[8], due=None, gap=2031)
        assert "| Batas waktu | tidak berjalan |" in shown(STEPS[8], due=None)

    def test_what_the_case_holds_is_listed(self):
        run = STEPS[28]
        by, now = Actor(ActorKind.PERSON, "koordinator", "Fajar"), run.now
        words = shown(
            run,
            round=2,
            signoffs=(
                SignOff(20, 1, by, "koordinator-programmer", "", accepted=True, at=now),
                SignOff(20, 2, by, "koordinator-programmer", "Plt.", accepted=False, at=now, exemption="Plt. X"),
            ),
            documents=(
                Paper("a/1", "notulen", "final", 1, 11, 1, now, "1/NOT", "x", 1, f"[notulen.pdf](/uploads/{'a' * 32}/notulen.pdf)"),
                Paper("b/1", "jadwal", "draft", 1, 6, 1, now),
            ),
            grants=(
                Grant("budi", "srv", "ssh", date(2026, 12, 31), now),
                Grant("sari", "srv", "ssh", date(2026, 12, 31), now, now),
            ),
            reports=(Report("2026-W23", 19, 60, (), by, now, 1),),
            emergency=ExceptionOrder("x", 8, ((8, date(2026, 6, 9)), (9, None)), 1),
        )
        assert "| 20 Verifikasi 1 | Fajar (Koordinator Programmer) | Selasa" in words
        assert "diterima, putaran 1 (tidak berlaku lagi) |" in words
        assert "| Fajar (Plt. Koordinator Programmer) |" in words
        assert "dikembalikan, pengecualian: Plt. X |" in words
        assert f"| Notulen Diskusi dengan Unit Kerja | 1/NOT | 1 | [notulen.pdf](/uploads/{'a' * 32}/notulen.pdf) |" in words
        assert "| Jadwal Penanganan (rancangan) | \\- | 1 | sedang disiapkan |" in words
        assert "- budi pada srv: ssh, sampai Kamis, 31 Desember 2026" in words
        assert "sari pada" not in words
        assert "| Laporan progres terakhir | 60% (pekan 2026-W23) |" in words
        assert "- Langkah 08 Evaluasi, paling lambat Selasa, 9 Juni 2026; dokumen: Catatan Hasil Evaluasi\n- Langkah 09 Koordinasi" in words

    def test_only_the_newest_version_of_a_paper_is_listed(self):
        now = STEPS[4].now
        held = replace(STEPS[4].open, documents=tuple(Paper(f"a/{n}", "notulen", "final", n, 11, n, now, f"{n}/NOT") for n in (1, 2)))
        assert [paper["number"] for paper in papers(POS, held)] == ["2/NOT"]
        assert [(paper["replaces"], paper["in_force"]) for paper in papers(POS, held)] == [(1, None)]

    def test_a_draft_leaves_the_approved_paper_in_sight(self):
        now = STEPS[18].now
        letters = tuple(
            Paper(f"a/{n}", "surat-tugas", edition, n, 15, n, now, link=f"[{n}](/uploads/{n})")
            for n, edition in enumerate(("draft", "final", "draft"), 1)
        )
        (shown,) = papers(POS, replace(STEPS[18].open, documents=letters))
        assert (shown["version"], shown["edition"], shown["replaces"]) == (3, "draft", None)
        assert shown["in_force"] == {"version": 2, "link": "[2](/uploads/2)"}

    def test_an_end_is_explained(self):
        words = shown(STEPS[8], step=None, ending=Ending.HANDED_OFF, ending_reason="bukan\n/close", ending_target="POS Lain")
        assert "**Perkara berakhir: dialihkan**\n\nDialihkan ke: POS Lain.\n\nAlasan: bukan /close" in words
        assert "Tindakan berikutnya" not in words

    def test_the_same_case_is_shown_in_the_same_words(self):
        assert shown(STEPS[20]) == shown(STEPS[20].copy())


class TestWhatTheRegionKnows:
    """What the words are made of, beside the older facts."""

    def test_the_days_off_on_the_way_to_the_due_time(self):
        off = DayOff(date(2026, 6, 3), "Kampus ditutup", "SE Rektor 1")
        weekend = DayOff(date(2026, 6, 6), "Libur pada hari Sabtu", "SKB")
        calendar = replace(CALENDAR, days_off={off.day: off, weekend.day: weekend})
        run = STEPS[8].copy(replace(OFFICE, calendar=calendar))
        entered = run.open.entered_at
        due_at = due(calendar, entered, POS.step(8).standard)
        seen = view(run, due=due_at).region
        assert seen["skipped"] == [{"day": "2026-06-03", "name": "Kampus ditutup", "decree": "SE Rektor 1"}]
        assert view(run, due=due_at, paused_since=run.now).region["skipped"] == []
        assert view(run, due=None, gap=2031).region["skipped"] == []
        assert view(STEPS[8]).region["skipped"] == []

    def test_the_finish_is_said_by_the_case_alone(self):
        run = STEPS[30]
        said = view(run).region["finish"]
        assert said == {"from": "2026-06-04", "to": "2026-06-11"}
        for day in (date(2026, 6, 2), date(2026, 6, 3), date(2026, 12, 24)):
            assert project(POS, OFFICE, run.open, day).region["finish"] == said
        for nobody_knows in ({"late": True}, {"paused_since": run.now}, {"due": None}, {"step": None, "ending": Ending.DONE}):
            assert view(run, **nobody_knows).region["finish"] is None

    def test_a_pause_with_its_reason(self):
        run = STEPS[8]
        assert view(run).region["pause"] is None
        paused = view(run, paused_since=run.now, pause_reason="Menunggu vendor").region
        assert paused["pause"] == {"since": run.now.isoformat(), "reason": "Menunggu vendor"}

    def test_an_exception_order_and_what_is_owed_under_it(self):
        run = STEPS[8].copy()
        given = run.now + MINUTE
        run.fact(EmergencyAsked, person("kepala"), "KRS lumpuh")
        seen = view(run).region
        assert seen["emergency"] == {"reason": "KRS lumpuh", "since": given.isoformat()}
        owed = {debt["step"]: debt for debt in seen["debts"]}
        assert list(owed) == list(range(8, 25))
        assert owed[8] == {"step": 8, "name": "Evaluasi", "due": "2026-06-09", "papers": ["Catatan Hasil Evaluasi"]}
        assert owed[16]["papers"] == []
        assert owed[23]["papers"] == ["Laporan Verifikasi", "Laporan Teknis Proses Penanganan"]
        paid = replace(run.open.emergency, debts=())
        assert (view(run, emergency=paid).region["emergency"], view(STEPS[8]).region["emergency"]) == (None, None)

    def test_a_vacancy_names_who_may_act_and_who_appoints(self):
        seen = view(STEPS[9].copy(organisation(without="kadiv-pengembangan"))).region
        assert (seen["vacant"], seen["may_act"], [one["account"] for one in seen["appoint"]]) == (True, [], ["kepala"])
        seen = view(STEPS[11].copy(organisation(without="kadiv-pengembangan"))).region
        assert [one["account"] for one in seen["may_act"]] == ["koordinator"]
        seen = view(STEPS[9]).region
        assert (seen["vacant"], seen["may_act"], seen["appoint"]) == (False, [], [])

    @pytest.mark.parametrize("step", STEPS)
    def test_a_case_nobody_touches_keeps_its_issue(self, step: int):
        display = Display((POS,), OFFICE, Wording(OFFICE))
        shown = [display.issue(STEPS[step].open, STEPS[step].now + timedelta(hours=hours)) for hours in (0, 1, 7, 24, 24 * 9)]
        assert all(fields == shown[0] for fields in shown)


class TestDisplay:
    def test_a_procedure_that_is_not_loaded_is_not_guessed(self):
        display = Display((POS,), OFFICE, Wording(OFFICE))
        assert display.procedure(STEPS[4].open) is POS
        assert display.for_form("FRM-SI-005") is POS
        with pytest.raises(Transient, match="2019-01") as unknown:
            display.revision(POS.slug, "2019-01")
        assert unknown.value.failure is Failure.PROCEDURE
        with pytest.raises(Transient, match="FRM-XX-000"):
            display.for_form("FRM-XX-000")

    def test_a_new_case_opens_under_the_newest_revision(self):
        newer = replace(POS, revision="2027-01")
        assert Display((POS, newer), OFFICE, Wording(OFFICE)).for_form("FRM-SI-005") is newer

    def test_a_revised_form_is_shown_in_place_of_the_first(self):
        display = Display((POS,), OFFICE, Wording(OFFICE))
        first = STEPS[4].open
        opened = display.issue(first, STEPS[4].now).description
        revised = replace(first, submissions=(*first.submissions, submission(subject="Judul baru")))
        now = display.issue(revised, STEPS[4].now + MINUTE, f"{opened}\n\ncatatan pengguna").description
        assert "## Formulir FRM-SI-005, versi 2" in now
        assert "### Judul baru" in now
        assert f"### {first.submission.subject}" not in now
        assert "catatan pengguna" in now

    def test_the_day_is_the_office_s(self):
        run = STEPS[5].copy(organisation(office("kepala-pustikom", "plh", Holding.DEPUTY, date(2026, 6, 3), date(2026, 6, 3))))
        display = Display((POS,), run.organisation, Wording(run.organisation))
        midnight = datetime(2026, 6, 2, 17, tzinfo=UTC)
        assert display.issue(run.open, midnight).assignee == "plh"
        assert display.issue(run.open, midnight - timedelta(seconds=1)).assignee == "kepala"
