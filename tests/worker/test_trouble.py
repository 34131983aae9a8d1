"""What goes wrong: lost hooks, people who move what is ours, GitLab that drops, fails or forgets; nothing loops and nothing is lost."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from integration import codec
from integration.issue import EVERYTHING
from integration.payloads import Look
from integration.procedure.facts import SERVICE, IssueLinked
from integration.store import Batch, Delivery, Turn
from sync.reconcile import SWEPT
from tests.worker.conftest import Bench
from tests.worker.test_requests import LENGKAP, steps

LATER = timedelta(minutes=31)  # longer than the longest pause


class TestLostHooks:
    @pytest.fixture(autouse=True)
    def _lost(self, bench: Bench):
        bench.submit()
        bench.gitlab.hooks_lost = 1.0

    def swept(self, bench: Bench) -> int:
        found = bench.reconciler().sweep()
        bench.work()
        return found

    def test_a_comment_is_found(self, bench: Bench):
        bench.say("kasi", LENGKAP)
        assert bench.case.step == 4
        assert self.swept(bench) == 1
        assert bench.case.step == 5

    def test_a_comment_right_after_ours_is_found(self, bench: Bench):
        bench.say("kasi", LENGKAP)
        self.swept(bench)
        bench.as_("kepala").comment(bench.project, bench.iid, "/pos setuju")  # within the minute in which `updated_at` stands still
        assert self.swept(bench) == 1
        assert bench.case.step == 6

    def test_a_card_a_tick_and_a_closing_are_found(self, bench: Bench):
        bench.as_("kasi").close(bench.project, bench.iid)
        assert self.swept(bench) == 1
        assert bench.issue["state"] == "opened"
        bench.as_("kasi").drag(bench.project, bench.iid, "langkah::04 Pemeriksaan", "langkah::09 Koordinasi ke Koordinator Programmer")
        assert self.swept(bench) == 1
        assert "pemindahan ke langkah 09" in bench.notes[-1]

    def test_the_same_difference_is_asked_about_once(self, bench: Bench):
        bench.as_("kasi").comment(bench.project, bench.iid, "halo")
        assert [bench.reconciler().sweep() for _ in range(3)] == [1, 0, 0]
        bench.work()
        assert bench.reconciler().sweep() == 0

    def test_our_own_notes_are_no_difference(self, bench: Bench):
        bench.say("kasi", LENGKAP)
        self.swept(bench)
        assert self.swept(bench) == 0

    def test_a_sweep_that_fails_is_made_up_for(self, bench: Bench):
        self.swept(bench)
        bench.as_("kasi").comment(bench.project, bench.iid, LENGKAP)
        bench.gitlab.fault("GET", r"/issues$", status=500)
        with pytest.raises(Exception, match="500"):
            bench.reconciler().sweep()
        bench.clock.advance(timedelta(hours=3))
        assert self.swept(bench) == 1
        assert bench.case.step == 5

    def test_other_people_s_issues_are_none_of_ours(self, bench: Bench):
        bench.as_("kasi").open(bench.project, "urusan lain")
        assert bench.reconciler().full() == 0
        assert bench.reconciler().open_ones() == 0

    def test_the_night_finds_what_the_sweep_missed(self, bench: Bench):
        self.swept(bench)
        bench.edit("kasi", title="judul lain")
        bench.store.set_mark(SWEPT, (bench.clock() + timedelta(hours=1)).isoformat())
        assert self.swept(bench) == 0
        assert bench.reconciler().open_ones() == 1

    def test_the_night_finds_a_case_whose_issue_is_closed(self, bench: Bench):
        bench.as_("kasi").close(bench.project, bench.iid)
        assert bench.reconciler().open_ones() == 1
        bench.work()
        assert bench.issue["state"] == "opened"

    def test_the_night_reads_no_closed_issue_and_the_operator_s_look_does(self, bench: Bench):
        bench.portal("pengaduan.dibatalkan", alasan="sudah pulih", oleh="Dekan")
        assert bench.issue["state"] == "closed"
        bench.edit("kasi", title="judul lain")
        assert bench.reconciler().open_ones() == 0
        assert bench.reconciler().full() == 1
        bench.work()
        assert bench.issue["title"] != "judul lain"


class TestDrift:
    def mended(self, bench: Bench) -> str:
        bench.work()
        assert bench.undone == []
        return bench.results[-1]

    def test_what_nobody_can_have_asked_for_is_put_back_and_said_once(self, bench: Bench):
        bench.submit()
        path = f"{bench.platform.project}/issues/{bench.iid}"
        before = bench.issue
        kasi = bench.as_("kasi")
        bench.edit("kasi", title="judul lain", confidential=False, due_date="2027-01-01")
        kasi.assign(bench.project, bench.iid, "budi")
        kasi.label(bench.project, bench.iid, add=("status::selesai",), remove=("prioritas::tinggi",))
        bench.edit("kasi", description="Catatan kami.")
        bench.work()
        after = bench.platform.get(path)
        for name in ("title", "confidential", "due_date", "labels", "assignees"):
            assert after[name] == before[name]
        assert after["description"].startswith("Catatan kami.\n\n<!-- alur:mulai -->")
        (note,) = bench.notes
        assert "erubahan berikut pada tiket ini telah dikembalikan menurut catatan perkara:" in note
        assert bench.work() == []

    def test_users_own_text_and_labels_are_no_drift(self, bench: Bench):
        bench.submit()
        kasi = bench.as_("kasi")
        kasi.label(bench.project, bench.iid, add=("penting",))
        bench.edit("kasi", description=f"{bench.issue['description']}\n\ncatatan")
        bench.work()
        assert bench.notes == []
        assert not any(call.startswith("PUT") for call in bench.calls)

    def test_what_waits_to_be_shown_is_no_drift(self, bench: Bench):
        bench.submit()
        bench.gitlab.fault("PUT", r"/issues/1$", status=503)
        bench.say("kasi", LENGKAP)
        bench.look(Look(bench.iid, EVERYTHING))
        assert "IssueDrifted" not in " ".join(bench.results)
        bench.clock.advance(LATER)
        bench.work()
        assert steps(bench.issue["labels"]) == ["langkah::05 Persetujuan Kepala Pustikom"]
        assert len(bench.notes) == 1

    def test_an_assignee_gitlab_drops_is_nobody_and_nothing_loops(self, bench: Bench):
        bench.submit()
        del bench.project.members[bench.users["kepala"].id]
        bench.say("kasi", LENGKAP)
        assert bench.issue["assignees"] == []
        assert bench.sighting.refused == {"assignee": "kepala"}
        assert bench.work() == []
        bench.look(Look(bench.iid, EVERYTHING, closely=True))
        assert not any(call.startswith(("PUT", "POST")) for call in bench.calls)
        bench.as_("kasi").assign(bench.project, bench.iid, "budi")
        bench.work()
        assert bench.issue["assignees"] == []


class TestBetweenSteps:
    """A worker that dies anywhere leaves rows; the next one goes on, and there is one trace of everything."""

    def test_a_request_made_while_showing_waits_is_not_lost(self, bench: Bench):
        bench.submit()
        bench.gitlab.hooks_lost = 1.0
        bench.gitlab.fault("PUT", r"/issues/1$", status=503)
        bench.look(Look(bench.iid))
        bench.as_("kasi").comment(bench.project, bench.iid, LENGKAP)
        bench.look(Look(bench.iid, EVERYTHING))  # decides, but cannot show
        bench.as_("kepala").drag(bench.project, bench.iid, "langkah::04 Pemeriksaan", "langkah::06 Penjadwalan")  # and no hook tells it
        bench.clock.advance(LATER)
        bench.work()
        assert bench.case.step == 6
        assert steps(bench.issue["labels"]) == ["langkah::06 Penjadwalan"]

    @pytest.mark.parametrize(("method", "path"), [("PUT", r"/issues/1$"), ("POST", r"/notes$"), ("POST", r"/uploads$")])
    @pytest.mark.parametrize("after_commit", [False, True])
    def test_each_effect_leaves_one_trace(self, bench: Bench, method: str, path: str, *, after_commit: bool):
        bench.submit()
        bench.as_("kasi").comment(bench.project, bench.iid, LENGKAP)
        bench.gitlab.fault(method, path, drop=True, after_commit=after_commit)
        bench.work()
        bench.clock.advance(LATER)
        bench.work()
        assert bench.undone == []
        assert [note[:33] for note in bench.notes] == ["**Langkah 05 Persetujuan Kepala P"]
        assert steps(bench.issue["labels"]) == ["langkah::05 Persetujuan Kepala Pustikom"]
        assert bench.issue["description"].count("lembar-disposisi-final-1.pdf](") == 1

    def test_a_limit_is_waited_out(self, bench: Bench):
        bench.gitlab.limits["notes_create"] = 1
        bench.submit()
        bench.say("budi", "/pos cek")
        bench.as_("budi")
        bench.clock.advance(timedelta(seconds=30))
        bench.say("sari", "/pos cek")
        bench.clock.advance(LATER)
        bench.work()
        assert len(bench.notes) == 2

    def test_a_hook_before_the_issue_is_linked_goes_to_its_case(self, bench: Bench):
        bench.submit()
        body = {
            "object_kind": "note",
            "user": {"username": "kasi"},
            "project": {"id": bench.project.id},
            "object_attributes": {"noteable_type": "Issue", "action": "create"},
            "issue": {"iid": bench.iid},
        }
        bench.gitlab.hooks_lost = 1.0
        bench.as_("kasi").comment(bench.project, bench.iid, LENGKAP)
        bench.store.keep(Delivery("gitlab", "k1", f"issue:{bench.iid}", json.dumps(body).encode()))
        bench.store.keep(Delivery("gitlab", "k2", "issue:99", json.dumps(body | {"issue": {"iid": 99}}).encode()))
        bench.work()
        assert bench.case.step == 5
        assert "issue 99 is no case" in bench.results

    def test_a_fact_about_no_case_is_parked(self, bench: Bench):
        fact = IssueLinked("linked:1", bench.clock(), SERVICE, 1, "https://x.example")
        bench.store.keep(Delivery("outcome", "x", "SI-2026-000099", codec.fact_bytes(fact)))
        bench.work()
        (row,) = bench.undone
        assert (row.state, row.error) == ("parked", "IssueLinked about SI-2026-000099, which is no case")

    def test_a_lane_taken_over_keeps_what_the_other_wrote(self, bench: Bench):
        bench.submit()
        lost = Turn(bench.ticket, "nobody's", timedelta(seconds=1))
        bench.store.keep(Delivery("sweep", "x", bench.ticket, b'{"iid":1,"parts":[],"closely":false}'))
        (row,) = bench.store.inbox_rows()
        with pytest.raises(Exception, match=bench.ticket):
            bench.store.commit(lost, row, Batch())


class TestSightings:
    def test_a_sighting_of_another_turn_is_read_again(self, bench: Bench):
        bench.submit()
        stale = replace(bench.sighting, issue=replace(bench.sighting.issue, labels=frozenset({"langkah::31 Penerimaan"})), turn="another")
        bench.see(stale)
        bench.say("kasi", LENGKAP)
        assert steps(bench.issue["labels"]) == ["langkah::05 Persetujuan Kepala Pustikom"]
