"""What people do to issues and labels behind the service's back: found within one sweep, put right, told to whoever did it."""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integration.drift import REPAIRS
from integration.issue import EVERYTHING, Sighting, sighting_json
from integration.payloads import Look
from integration.procedure.effects import PostNote
from integration.procedure.events import IssueMended, RequestRefused
from integration.store import Batch, Delivery
from sandbox.gitlab import Level
from tests.worker.conftest import Bench
from tests.worker.test_requests import LENGKAP, steps

STEP_4 = "langkah::04 Pemeriksaan"
MINUTE = timedelta(minutes=1)


def mended(bench: Bench) -> list[tuple[str, ...]]:
    """What was put right, one after the other."""
    return [entry.event.what for entry in bench.store.entries(bench.ticket) if isinstance(entry.event, IssueMended)]


def effects(bench: Bench) -> list[object]:
    return [row.effect for row in reversed(bench.store.outbox_rows(state="done", lane=bench.ticket))]


def accounts(bench: Bench) -> list[str]:
    """Who the last note on a repair is addressed to."""
    told = [effect for effect in effects(bench) if isinstance(effect, PostNote) and effect.template == "dipulihkan"]
    return list(told[-1].context["accounts"])


class TestWhoAndWhat:
    """Every change nobody can have asked for is put back, and told in its own words to those who made it."""

    @pytest.mark.parametrize(
        ("change", "what"),
        [
            ({"title": "judul lain"}, ("title",)),
            ({"confidential": False}, ("confidential",)),
            ({"discussion_locked": True}, ("locked",)),
            ({"issue_type": "task"}, ("type",)),
            ({"issue_type": "incident"}, ("type",)),
            ({"due_date": "2027-01-01"}, ("due",)),
            ({"assignee_ids": [0]}, ("assignee",)),
            ({"remove_labels": [STEP_4]}, ("step",)),
            ({"remove_labels": ["pos::SI", "peran::Kepala Seksi Layanan Administrasi"]}, ("procedure", "role")),
            ({"add_labels": ["status::selesai"]}, ("status",)),
            ({"description": "Hanya catatan."}, ("region",)),
        ],
        ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
    )
    @pytest.mark.parametrize("hook", [True, False], ids=["hook", "sweep"])
    def test_it_is_put_back(self, bench: Bench, change: dict, what: tuple[str, ...], *, hook: bool):
        bench.submit()
        bench.gitlab.hooks_lost = 0.0 if hook else 1.0
        bench.clock.advance(MINUTE)
        before = bench.issue
        bench.edit("budi", **change)
        if not hook:
            bench.reconciler().sweep()
        bench.work()
        after = bench.issue
        for name in ("title", "confidential", "issue_type", "due_date", "assignees", "labels", "state"):
            assert after[name] == before[name]
        assert not after["discussion_locked"]
        assert mended(bench) == [what]
        assert accounts(bench) == ["budi"]
        assert bench.work() == []

    def test_nobody_is_named_who_only_ticked_or_wrote_beside_it(self, bench: Bench):
        bench.submit()
        bench.clock.advance(MINUTE)
        bench.gitlab.hooks_lost = 1.0
        bench.as_("kasi").tick(bench.project, bench.iid, "4.1")
        bench.as_("sari").comment(bench.project, bench.iid, "halo")
        bench.as_("sari").label(bench.project, bench.iid, add=("penting",))
        bench.as_("budi").rename(bench.project, bench.iid, "judul lain")
        bench.reconciler().sweep()
        bench.work()
        assert accounts(bench) == ["budi"]

    def test_asking_who_it_was_costs_one_request_and_only_then(self, bench: Bench):
        bench.submit()
        bench.clock.advance(MINUTE)
        bench.as_("budi").label(bench.project, bench.iid, remove=("status::berjalan",))
        assert bench.work()[:3] == ["GET /1", "GET /1/resource_label_events", "PUT /1"]
        bench.clock.advance(MINUTE)
        bench.as_("budi").rename(bench.project, bench.iid, "judul lain")
        assert bench.work()[:3] == ["GET /1", "GET /1/notes", "PUT /1"]


class TestMoved:
    @pytest.fixture
    def other(self, bench: Bench):
        other = bench.gitlab.project("pustikom/lain")
        bench.gitlab.member(other, bench.users["kasi"], Level.REPORTER)
        return other

    @pytest.mark.parametrize("hook", [True, False], ids=["hook", "sweep"])
    def test_it_stays_the_case_s_and_its_mover_is_told(self, bench: Bench, other, *, hook: bool, caplog: pytest.LogCaptureFixture):
        bench.submit()
        bench.gitlab.hooks_lost = 0.0 if hook else 1.0
        bench.clock.advance(MINUTE)
        bench.as_("kasi").move(bench.project, bench.iid, other)
        if not hook:
            bench.reconciler().sweep()
        bench.work()
        assert (bench.issue["state"], bench.issue["moved_to_id"]) == ("opened", None)
        assert (mended(bench), accounts(bench)) == ([("moved",)], ["kasi"])
        assert "moved to another project" in caplog.text
        assert len(bench.notes) == 1  # nobody asked for the closing that moving brings
        bench.gitlab.hooks_lost = 0.0
        bench.as_("kasi").close(bench.project, bench.iid)
        bench.work()
        assert [entry.event.asked for entry in bench.store.entries(bench.ticket) if isinstance(entry.event, RequestRefused)] == ["close"]

    def test_a_platform_that_keeps_no_event_of_the_closing_is_understood_too(self, bench: Bench, other):
        bench.submit()
        bench.clock.advance(MINUTE)
        bench.as_("kasi").move(bench.project, bench.iid, other)
        bench.project.issues[bench.iid].state_events.clear()
        bench.work()
        assert mended(bench) == [("moved",)]
        assert bench.issue["state"] == "opened"


class TestDeleted:
    """Deleting an issue sends no hook; GitLab cannot bring it back, so the case goes on in another."""

    def reopened(self, bench: Bench, lost: int) -> None:
        assert bench.undone == []
        assert bench.iid != lost
        assert bench.issue["title"].startswith(f"[{bench.ticket}]")
        assert f"tiket nomor {lost}" in " ".join(bench.notes)
        assert bench.case.step == 4

    def test_it_is_found_by_the_next_sweep_and_told_once(self, bench: Bench):
        bench.submit()
        lost = bench.iid
        bench.delete(f"issues/{lost}")
        assert bench.reconciler().sweep() == 1
        bench.work()
        self.reopened(bench, lost)
        assert bench.reconciler().sweep() == 0
        bench.say("kasi", LENGKAP)
        assert bench.case.step == 5

    def test_the_night_finds_it_too(self, bench: Bench):
        bench.submit()
        bench.as_("kasi").open(bench.project, "urusan lain")
        lost = bench.iid
        bench.delete(f"issues/{lost}")
        assert bench.reconciler().open_ones() == 1
        bench.work()
        self.reopened(bench, lost)

    def test_what_waited_for_it_goes_to_the_one_in_its_place(self, bench: Bench):
        bench.submit()
        lost = bench.iid
        bench.gitlab.hooks_lost = 1.0
        bench.gitlab.fault("PUT", r"/issues/1$", status=503)
        bench.clock.advance(MINUTE)
        bench.as_("kasi").comment(bench.project, lost, LENGKAP)
        bench.look(Look(lost, EVERYTHING))
        bench.delete(f"issues/{lost}")
        for _ in range(3):
            bench.clock.advance(timedelta(minutes=31))
            bench.work()
        assert bench.undone == []
        assert steps(bench.issue["labels"]) == ["langkah::05 Persetujuan Kepala Pustikom"]
        assert [note[:13] for note in bench.notes] == ["**Langkah 05 ", "**Tiket ini m"]

    def test_the_files_of_the_form_are_linked_there_again(self, bench: Bench):
        file = {"nama": "galat.txt", "jenis": "text/plain", "ukuran": 1, "sha256": SHA_X, "isi": "eA==", "url": None}
        bench.submit(lampiran=[file])
        bench.delete(f"issues/{bench.iid}")
        bench.reconciler().sweep()
        bench.work()
        assert any("galat.txt](/uploads/" in note for note in bench.notes)

    def test_hooks_of_the_old_one_are_no_case_s(self, bench: Bench):
        bench.submit()
        lost, hook = bench.iid, bench.gitlab.deliveries
        bench.say("kasi", "halo")
        body = hook[-1].body
        bench.delete(f"issues/{lost}")
        bench.reconciler().sweep()
        bench.work()
        bench.store.keep(Delivery("sweep", "late", bench.ticket, b'{"iid":1,"parts":[],"closely":false}'))
        bench.store.keep(Delivery("gitlab", "k", f"issue:{lost}", json.dumps(body).encode()))
        bench.work()
        assert {"issue 1 is this case's no more", "issue 1 is no case"} <= set(bench.results)

    def test_what_was_seen_of_the_old_one_says_nothing_of_the_new(self, bench: Bench):
        bench.submit()
        old = bench.sighting
        bench.delete(f"issues/{bench.iid}")
        bench.reconciler().sweep()
        bench.work()
        bench.commit(Batch(observed=sighting_json(Sighting(old.issue))))
        bench.say("kasi", LENGKAP)
        assert bench.case.step == 5

    def test_of_a_case_that_is_over_nothing_waits_for_it_for_ever(self, bench: Bench):
        bench.submit()
        lost = bench.iid
        bench.gitlab.fault("PUT", r"/issues/1$", status=503)
        bench.gitlab.fault("POST", r"/issues/1/notes$", status=503)
        bench.portal("pengaduan.dibatalkan", alasan="Sudah teratasi", oleh="Dekan")
        bench.delete(f"issues/{lost}")
        for _ in range(3):
            bench.clock.advance(timedelta(minutes=31))
            bench.work()
        assert bench.undone == []
        assert bench.iid == lost

    def test_a_project_that_is_not_ours_to_read_is_no_loss(self, bench: Bench):
        bench.submit()
        iid = bench.iid
        bench.gitlab.member(bench.project, bench.bot, Level.GUEST)
        bench.project.issues[iid].author_id = bench.users["kasi"].id
        bench.project.issues[iid].assignee_ids = []
        bench.look(Look(iid))
        del bench.project.members[bench.bot.id]
        bench.clock.advance(timedelta(hours=1))
        bench.work()
        (row,) = bench.undone
        assert row.state == "waiting"
        bench.gitlab.member(bench.project, bench.bot, Level.MAINTAINER)
        bench.clock.advance(timedelta(hours=1))
        bench.work()
        assert bench.undone == []
        assert bench.iid == iid

    def test_one_that_is_listed_but_not_read_is_no_loss(self, bench: Bench):
        bench.submit()
        bench.gitlab.fault("GET", r"/issues/1$", status=404)
        bench.look()
        (row,) = bench.undone
        assert row.state == "waiting"
        assert "listed, but not readable" in row.error


SHA_X = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of "x"


class TestLabels:
    """What is done to a label itself sends no hook; the next sweep puts it right."""

    @pytest.fixture(autouse=True)
    def _ready(self, bench: Bench):
        bench.provision().apply()
        bench.submit()
        bench.clock.advance(timedelta(hours=1))
        bench.reconciler().sweep()
        bench.gitlab.requests.clear()

    def swept(self, bench: Bench) -> list[str]:
        """The requests of a sweep that were no reading."""
        bench.gitlab.requests.clear()
        bench.reconciler().sweep()
        calls = [f"{r.method} {r.path.rsplit('/', 1)[-1]}" for r in bench.gitlab.requests if r.method != "GET"]
        bench.work()
        assert bench.undone == []
        assert bench.provision().plan() == []
        return calls

    def label(self, bench: Bench, name: str = STEP_4) -> int:
        return next(label.id for label in bench.project.labels.values() if label.name == name)

    def test_a_quiet_platform_costs_three_requests(self, bench: Bench):
        for _ in range(3):
            bench.as_("kasi").open(bench.project, "urusan lain")
        bench.clock.advance(timedelta(hours=1))
        bench.reconciler().sweep()
        bench.clock.advance(timedelta(hours=1))
        bench.gitlab.requests.clear()
        assert bench.reconciler().sweep() == 0
        assert [f"{r.method} {r.path.rsplit('/', 1)[-1]}" for r in bench.gitlab.requests] == ["GET labels", "GET issues", "GET issues"]

    @pytest.mark.parametrize("name", ["penting", "langkah::4"])
    def test_renamed_it_has_its_name_again_and_no_issue_is_touched(self, bench: Bench, name: str):
        number = self.label(bench)
        bench.as_("kasi").rename_label(bench.project, STEP_4, name)
        assert self.swept(bench) == [f"PUT {number}"]
        assert steps(bench.issue["labels"]) == [STEP_4]
        assert mended(bench) == []

    def test_deleted_it_is_made_anew_with_its_column_and_put_back_on_the_cases(self, bench: Bench):
        bench.as_("kasi").delete_label(bench.project, STEP_4)
        column = ["POST lists", "PUT"]  # made, and put where it belongs: on the board of all steps and on those of two divisions
        assert [call.rstrip(" 0123456789") for call in self.swept(bench)] == ["POST labels", *column, *column, *column]
        assert steps(bench.issue["labels"]) == [STEP_4]
        assert (mended(bench), accounts(bench)) == ([("step",)], [])

    def test_merged_into_one_of_the_group_it_serves_as_before(self, bench: Bench):
        bench.as_("kasi").promote_label(bench.project, STEP_4)
        assert self.swept(bench) == []
        assert (steps(bench.issue["labels"]), mended(bench)) == ([STEP_4], [])
        assert self.swept(bench) == []

    def test_renamed_and_made_anew_by_a_look_it_is_on_the_case_once(self, bench: Bench):
        bench.as_("kasi").rename_label(bench.project, STEP_4, "langkah::4")
        bench.look(Look(bench.iid, closely=True))
        assert self.swept(bench)
        assert steps(bench.issue["labels"]) == [STEP_4]

    def test_two_that_changed_names_are_put_right_on_the_cases(self, bench: Bench):
        kasi, step_5 = bench.as_("kasi"), "langkah::05 Persetujuan Kepala Pustikom"
        for old, new in ((STEP_4, "x"), (step_5, STEP_4), ("x", step_5)):
            kasi.rename_label(bench.project, old, new)
        self.swept(bench)
        assert steps(bench.issue["labels"]) == [STEP_4]

    def test_labels_that_cannot_be_put_right_stop_nothing(self, bench: Bench, caplog: pytest.LogCaptureFixture):
        bench.gitlab.hooks_lost = 1.0
        bench.as_("kasi").delete_label(bench.project, "status::dijeda")
        bench.gitlab.fault("POST", r"/labels$", status=403)
        bench.as_("kasi").comment(bench.project, bench.iid, LENGKAP)
        bench.reconciler().sweep()
        bench.work()
        assert "cannot be put right" in caplog.text
        assert bench.case.step == 5


class Robot(ThreadingHTTPServer):
    """Another service with a hook on the project, which undoes at once what ours does to the issue."""

    def __init__(self, undo):
        super().__init__(("127.0.0.1", 0), _Undoing)
        self.undo, self.seen = undo, 0


class _Undoing(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.server.seen += 1
        self.server.undo()
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class TestAnotherRobot:
    """Whoever undoes each repair at once is fought ten times; then the issue is left, the operator told, and one day it is right again."""

    @pytest.fixture
    def robot(self, bench: Bench):
        bench.submit()
        robots = []

        def robot(undo):
            robots.append(Robot(undo))
            threading.Thread(target=robots[-1].serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            url = f"http://127.0.0.1:{robots[-1].server_port}/"
            flags = {"issues_events": True, "confidential_issues_events": True, "push_events": False}
            bench.setup.post(f"{bench.setup.project}/hooks", {"url": url, **flags})
            return robots[-1]

        yield robot
        for one in robots:
            one.shutdown()
            one.server_close()

    def fight(self, bench: Bench, rounds: int = 40) -> None:
        for _ in range(rounds):
            bench.work()

    @pytest.mark.parametrize("way", ["drift", "card", "closing"])
    def test_it_ends(self, bench: Bench, robot, way: str, caplog: pytest.LogCaptureFixture):
        active, iid, sari = [True], bench.iid, bench.as_("sari")
        wrong = "langkah::09 Koordinasi ke Koordinator Programmer"

        def undo():
            issue = bench.project.issues[iid]
            names = {bench.project.labels[number].name for number in issue.label_ids}
            if not active:
                return
            if way == "drift" and "status::berjalan" in names:
                sari.label(bench.project, iid, remove=("status::berjalan",))
            elif way == "card" and wrong not in names:
                sari.label(bench.project, iid, add=(wrong,))
            elif way == "closing" and issue.state == "opened":
                sari.close(bench.project, iid)

        robot(undo)
        undo()
        self.fight(bench)
        repairs = [e for e in bench.store.entries(bench.ticket) if isinstance(e.event, IssueMended | RequestRefused)]
        assert REPAIRS <= len(repairs) <= REPAIRS + 1
        assert "it is left as it is until" in caplog.text
        assert bench.store.counts()["drift_left"] >= 1
        asked = len(bench.gitlab.requests)
        self.fight(bench, 3)
        assert len(bench.gitlab.requests) <= asked
        active.clear()
        bench.clock.advance(timedelta(minutes=11))
        bench.work()
        assert bench.issue["state"] == "opened"
        assert steps(bench.issue["labels"]) == [STEP_4]
        assert "status::berjalan" in bench.issue["labels"]
        assert bench.undone == []

    def test_over_a_box_it_ends_too(self, bench: Bench, robot):
        bench.walk(18)
        iid, tono = bench.iid, bench.as_("tono")

        def undo():
            if "- [ ] 18.1 " in bench.project.issues[iid].description:
                tono.tick(bench.project, iid, "18.1")

        before = len(bench.store.entries(bench.ticket))
        robot(undo)
        undo()
        self.fight(bench)
        assert len(bench.store.entries(bench.ticket)) <= before + REPAIRS + 1
        assert bench.store.counts()["drift_left"] >= 1

    def test_what_people_ask_for_meanwhile_is_done(self, bench: Bench):
        bench.submit()
        iid, sari = bench.iid, bench.as_("sari")
        for _ in range(REPAIRS + 2):
            sari.label(bench.project, iid, remove=("status::berjalan",))
            bench.work()
        assert "status::berjalan" not in bench.issue["labels"]
        bench.say("kasi", LENGKAP)
        assert bench.case.step == 5
        assert "status::berjalan" in bench.issue["labels"]


class TestWrittenOver:
    """Somebody changes the description after we read it and before we write ours, and no hook tells."""

    @pytest.fixture(autouse=True)
    def _checklist(self, bench: Bench):
        bench.submit()
        bench.walk(18)
        bench.clock.advance(MINUTE)
        bench.gitlab.hooks_lost = 1.0

    @pytest.fixture
    def late(self, bench: Bench, monkeypatch: pytest.MonkeyPatch):
        """Something of ours in the description is to be put right, and somebody acts right before it is."""

        def late(act):
            put, acts = bench.platform.put, [act]

            def after(*asked):
                if acts:
                    bench.clock.advance(timedelta(seconds=5))
                    acts.pop()()
                return put(*asked)

            monkeypatch.setattr(bench.platform, "put", after)
            text = bench.issue["description"].replace("<!-- alur:mulai -->", "<!-- alur:mulai -->x")
            bench.as_("kasi").describe(bench.project, bench.iid, text)
            bench.look()

        return late

    def test_a_tick_counts(self, bench: Bench, late):
        late(lambda: bench.as_("budi").tick(bench.project, bench.iid, "18.1"))
        assert bench.case.ticks == {"18.1"}
        assert "- [x] 18.1" in bench.issue["description"]
        assert bench.undone == []

    def test_a_text_is_gone_and_its_writer_told(self, bench: Bench, late):
        late(lambda: bench.as_("tono").describe(bench.project, bench.iid, "Catatan Tono."))
        assert mended(bench) == [("region",), ("region",)]
        assert accounts(bench) == ["tono"]

    def test_a_tick_that_led_to_our_writing_disturbs_nothing(self, bench: Bench):
        bench.as_("kasi").tick(bench.project, bench.iid, "18.1")
        bench.look(Look(bench.iid, EVERYTHING))
        assert bench.case.ticks == set()
        assert "- [ ] 18.1" in bench.issue["description"]
        assert bench.calls.count(f"GET /{bench.iid}") == 1
