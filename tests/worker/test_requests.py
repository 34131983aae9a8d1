"""From what people do on the issue to what the ledger says and the issue shows, and at what price in requests."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from sandbox.portal import attachment
from tests.edge.portal import form
from tests.worker.conftest import Bench

LENGKAP = "/pos lengkap\n\n### Hasil analisis awal\nGalat.\n\n### Urgensi\nTinggi.\n\n### Dampak\nFakultas."


def steps(labels: Iterable[str]) -> list[str]:
    return [label for label in labels if label.startswith("langkah::")]


def reads_and_writes(calls: list[str]) -> tuple[int, int]:
    return sum(call.startswith("GET") for call in calls), sum(not call.startswith("GET") for call in calls)


class TestAForm:
    def test_becomes_one_confidential_issue(self, bench: Bench):
        ticket = bench.submit()
        issue = bench.issue
        assert issue["title"] == f"[{ticket}] SIAKAD: Nilai tidak tersimpan"
        assert (issue["confidential"], issue["state"], issue["due_date"]) == (True, "opened", "2026-06-02")
        assert set(issue["labels"]) == {
            "pos::SI",
            "langkah::04 Pemeriksaan",
            "peran::Kepala Seksi Layanan Administrasi",
            "status::berjalan",
            "prioritas::tinggi",
        }
        assert [person["username"] for person in issue["assignees"]] == ["kasi"]
        assert bench.undone == []
        assert bench.case.url == issue["web_url"]

    def test_is_opened_once_though_its_answer_was_lost(self, bench: Bench):
        bench.gitlab.fault("POST", r"/issues$", status=502, after_commit=True)
        bench.submit()
        bench.clock.advance(timedelta(minutes=1))
        bench.work()
        assert [issue.title for issue in bench.platform.changed(None)] == [f"[{bench.ticket}] SIAKAD: Nilai tidak tersimpan"]
        assert bench.undone == []

    def test_s_files_are_uploaded_and_linked_once(self, bench: Bench):
        bench.gitlab.fault("POST", r"/notes$", status=500, after_commit=True)
        far = {"nama": "jauh.log", "jenis": "text/plain", "ukuran": 3, "sha256": "a" * 64, "url": "https://portal.example/jauh.log"}
        bench.submit(lampiran=[attachment("galat (1).png", "image/png", b"png"), far])
        bench.clock.advance(timedelta(minutes=1))
        bench.work()
        (note,) = bench.notes
        assert "[galat-1-.png](/uploads/" in note or "[galat-1.png](/uploads/" in note
        assert "jauh.log (text/plain, 3 bita): tidak ditampilkan karena alamatnya tidak termasuk" in note
        assert "`https://portal.example/jauh.log`" in note
        assert len(bench.project.uploads) == 1


class TestTheBudget:
    """At most two reads and two writes for a step; a paper costs its upload besides."""

    def test_a_comment(self, bench: Bench):
        bench.submit()
        bench.say("kasi", LENGKAP)
        bench.walk(16)
        bench.say("koordinator", "/pos terima\n\n### Instruksi tindak lanjut\nMulai.")
        assert bench.case.step == 17
        step = [f"GET /{bench.iid}", f"GET /{bench.iid}/notes", f"PUT /{bench.iid}", f"POST /{bench.iid}/notes"]
        assert bench.calls == [*step, "POST issues", f"POST /{bench.iid + 1}/links"]  # the member's own issue, once

    def test_a_comment_at_a_step_that_makes_a_paper(self, bench: Bench):
        bench.submit()
        bench.say("kasi", LENGKAP)
        bench.say("kepala", "/pos setuju")
        iid = bench.iid
        assert bench.calls == [
            f"GET /{iid}",
            f"GET /{iid}/notes",
            "POST uploads",
            f"PUT /{iid}",
            f"POST /{iid}/notes",
        ]

    def test_a_card_that_is_moved(self, bench: Bench):
        bench.submit()
        bench.say("kasi", LENGKAP)
        bench.as_("kepala").drag(bench.project, bench.iid, "langkah::05 Persetujuan Kepala Pustikom", "langkah::06 Penjadwalan")
        bench.work()
        assert bench.case.step == 6
        assert reads_and_writes([call for call in bench.calls if call != "POST uploads"]) == (2, 2)
        assert f"GET /{bench.iid}/resource_label_events" in bench.calls

    def test_our_own_doings_cost_nothing(self, bench: Bench):
        bench.submit()
        bench.say("kasi", LENGKAP)
        assert {result for result in bench.results if "own" in result} == {"our own doing"}
        assert bench.work() == []

    def test_a_hook_told_twice_is_decided_once(self, bench: Bench):
        bench.submit()
        bench.say("kasi", LENGKAP)
        before = len(bench.store.entries(bench.ticket))
        bench.look()
        assert bench.calls == [f"GET /{bench.iid}"]
        assert len(bench.store.entries(bench.ticket)) == before


class TestTheIssue:
    def test_a_comment_moves_the_case_and_says_so(self, bench: Bench):
        bench.submit()
        bench.say("kasi", LENGKAP)
        assert steps(bench.issue["labels"]) == ["langkah::05 Persetujuan Kepala Pustikom"]
        assert bench.notes[-1].startswith("**Langkah 05 Persetujuan Kepala Pustikom dimulai.**")
        assert "lembar-disposisi-final-1.pdf](/uploads/" in bench.issue["description"]

    def test_a_card_moved_where_words_are_needed_goes_back_and_is_explained(self, bench: Bench):
        bench.submit()
        bench.as_("kasi").label(bench.project, bench.iid, add=("langkah::05 Persetujuan Kepala Pustikom",))
        bench.work()
        assert bench.case.step == 4
        assert steps(bench.issue["labels"]) == ["langkah::04 Pemeriksaan"]
        assert "pemindahan ke langkah 05 belum dapat dilaksanakan" in bench.notes[-1]

    def test_the_same_refusal_is_one_comment(self, bench: Bench):
        bench.submit()
        for _ in range(3):
            bench.say("budi", "/pos lengkap")
        assert len(bench.notes) == 1

    def test_an_issue_closed_by_hand_is_open_again(self, bench: Bench):
        bench.submit()
        bench.as_("budi").close(bench.project, bench.iid)
        bench.work()
        assert bench.issue["state"] == "opened"
        assert bench.notes[-1].startswith("@budi, tiket ini dibuka kembali.")

    def test_a_tick_of_the_right_person_is_kept_and_another_s_taken_back(self, bench: Bench):
        bench.submit()
        bench.say("kasi", LENGKAP)
        bench.walk(18)
        bench.as_("tono").tick(bench.project, bench.iid, "18.1")
        bench.work()
        assert bench.case.ticks == set()
        assert "- [ ] 18.1 " in bench.issue["description"]
        assert "perubahan tanda centang pada butir 18.1 belum dapat dilaksanakan" in bench.notes[-1]
        bench.as_("sari").tick(bench.project, bench.iid, "18.2")
        bench.work()
        assert bench.case.ticks == {"18.2"}
        assert "- [x] 18.2 " in bench.issue["description"]

    def test_users_text_and_labels_survive(self, bench: Bench):
        bench.submit()
        iid, path = bench.iid, f"{bench.platform.project}/issues/{bench.iid}"
        bench.as_("kasi").label(bench.project, iid, add=("penting",))
        bench.platform.put(path, {"description": f"Catatan kami.\n\n{bench.issue['description']}\n\nDi bawah juga."})
        bench.say("kasi", LENGKAP)
        assert bench.issue["description"].startswith("Catatan kami.\n\n<!-- alur:perkara:")
        assert bench.issue["description"].endswith("\n\nDi bawah juga.")
        assert "penting" in bench.issue["labels"]

    def test_a_revised_form_replaces_the_first(self, bench: Bench):
        bench.submit()
        bench.say("kasi", "/pos revisi mohon dilengkapi")
        assert "status::menunggu unit" in bench.issue["labels"]
        masalah = {"judul": "Nilai hilang", "kategori": "galat", "uraian": "Lengkap.", "sejak": "2026-06-01T09:00:00+07:00"}
        revised = form() | {"masalah": masalah | {"urgensi": "kritis", "dampak": "unit"}}
        bench.portal("pengaduan.direvisi", formulir=revised)
        assert "### Nilai hilang" in bench.issue["description"]
        assert "### Nilai tidak tersimpan" not in bench.issue["description"]
        assert bench.issue["title"].endswith("SIAKAD: Nilai hilang")
        assert "| Judul | Nilai tidak tersimpan | Nilai hilang |" in bench.notes[-1]

    def test_a_secret_in_a_comment_is_answered_and_not_acted_on(self, bench: Bench):
        bench.submit()
        bench.say("kasi", f"{LENGKAP}\n\nkata sandi: Rahasia123!")
        assert bench.case.step == 4
        assert "kata sandi, kunci, atau token" in bench.notes[-1]

    def test_an_edit_into_a_command_is_answered_and_not_acted_on(self, bench: Bench):
        bench.submit()
        note = bench.say("kasi", "halo")
        bench.clock.advance(timedelta(minutes=2))
        bench.as_("kasi").edit_comment(bench.project, bench.iid, note, LENGKAP)
        bench.work()
        bench.say("kasi", "sudah")
        assert bench.case.step == 4
        assert "disunting setelah ditulis" in bench.notes[-1]


@pytest.mark.parametrize("account", ["kasi", "budi"])
def test_help_is_for_everybody(bench: Bench, account: str):
    bench.submit()
    bench.say(account, "/pos bantuan")
    assert bench.notes[-1].startswith("**Bantuan**")
