"""Two at the same moment: a person, GitLab or another clock, between any two of our requests; nothing is lost and nothing is done twice."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.gitlab import Person
from sync.reconcile import Reconciler
from tests.worker.conftest import Bench
from tests.worker.test_requests import LENGKAP, steps

LATER = timedelta(minutes=31)


@pytest.fixture
def interrupted(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """Have somebody act right before our next PUT reaches GitLab."""

    def arm(act: Callable[[], object]) -> None:
        put, acts = bench.platform.put, [act]

        def late(*asked):
            if acts:
                acts.pop()()
            return put(*asked)

        monkeypatch.setattr(bench.platform, "put", late)

    return arm


class TestBetweenLookAndShow:
    """Somebody acts after we read the issue and before we change it, and no hook tells it."""

    @pytest.fixture
    def disturbed(self, bench: Bench, interrupted):
        def disturbed(act: Callable[[Person], object]) -> None:
            bench.submit()
            bench.gitlab.hooks_lost = 1.0
            bench.as_("kasi").comment(bench.project, bench.iid, LENGKAP)
            interrupted(lambda: act(bench.as_("kasi")))
            bench.look()
            bench.reconciler().sweep()
            bench.work()
            assert bench.undone == []
            assert bench.case.step == 5

        return disturbed

    def test_a_closing_is_undone_and_explained(self, bench: Bench, disturbed):
        disturbed(lambda kasi: kasi.close(bench.project, bench.iid))
        assert bench.issue["state"] == "opened"
        assert any("IssueClosed" in result for result in bench.results)

    def test_a_card_is_put_back_and_explained(self, bench: Bench, disturbed):
        disturbed(lambda kasi: kasi.label(bench.project, bench.iid, add=("langkah::09 Koordinasi ke Koordinator Programmer",)))
        assert steps(bench.issue["labels"]) == ["langkah::05 Persetujuan Kepala Pustikom"]
        assert "langkah 09" in bench.notes[-1]

    def test_a_field_is_put_back_and_said(self, bench: Bench, disturbed):
        disturbed(lambda _: bench.edit("kasi", title="judul lain"))
        assert bench.issue["title"] != "judul lain"
        assert "telah dikembalikan menurut catatan perkara:" in bench.notes[-1]

    def test_what_is_opened_to_all_is_confidential_again(self, bench: Bench, disturbed):
        disturbed(lambda _: bench.edit("kasi", confidential=False))
        assert bench.issue["confidential"]
        assert bench.sighting.refused == {}


def test_a_comment_before_a_second_try_finds_the_issue(bench: Bench):
    bench.gitlab.hooks_lost = 1.0
    bench.gitlab.fault("POST", r"/issues$", drop=True, after_commit=True)
    bench.submit()
    bench.as_("kasi").comment(bench.project, 1, LENGKAP)
    bench.reconciler().sweep()
    bench.clock.advance(LATER)
    bench.work()
    bench.reconciler().sweep()
    bench.work()
    assert bench.case.step == 5


def test_a_comment_that_slips_onto_two_pages_counts_once(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    bench.submit()
    history = bench.platform.history

    def shifted(*asked):
        snapshot = history(*asked)
        return replace(snapshot, notes=(*snapshot.notes, *snapshot.notes))

    monkeypatch.setattr(bench.platform, "history", shifted)
    bench.say("kasi", LENGKAP)
    assert bench.case.step == 5
    assert " ".join(bench.results).count("OutcomeChosen") == 1


class TestOtherClocks:
    """GitLab's clock is not ours; here it is ten minutes behind."""

    @pytest.fixture(autouse=True)
    def _ahead(self, bench: Bench):
        def ahead() -> datetime:
            return bench.clock() + timedelta(minutes=10)

        bench.store.clock = ahead
        bench.inbox, bench.outbox = replace(bench.inbox, clock=ahead), replace(bench.outbox, clock=ahead)

    def test_an_issue_is_opened_once(self, bench: Bench):
        bench.gitlab.fault("POST", r"/issues$", drop=True, after_commit=True)
        bench.submit()
        bench.clock.advance(LATER)
        bench.work()
        assert bench.iid == 1
        assert len(list(bench.platform.changed(None))) == 1

    def test_a_note_is_posted_once(self, bench: Bench):
        bench.submit()
        bench.as_("kasi").comment(bench.project, bench.iid, LENGKAP)
        bench.gitlab.fault("POST", r"/notes$", drop=True, after_commit=True)
        bench.work()
        bench.clock.advance(LATER)
        bench.work()
        assert len(bench.notes) == 1

    def test_a_lost_hook_is_made_up_for_by_the_next_sweep(self, bench: Bench):
        bench.submit()
        eyes = Reconciler(bench.store, bench.platform, bench.store.clock, bench.provision())
        eyes.sweep()
        bench.gitlab.hooks_lost = 1.0
        bench.say("kasi", LENGKAP)
        assert eyes.sweep() == 1


def test_a_refused_token_parks_nothing(bench: Bench):
    bench.submit()
    bench.gitlab.fault("GET", r"/issues/1$", status=401)
    bench.say("kasi", LENGKAP)
    bench.clock.advance(LATER)
    bench.work()
    assert bench.undone == []
    assert bench.case.step == 5


def test_files_that_take_longer_than_a_lease_are_uploaded_by_one_worker(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    wall = datetime.now(UTC)
    monkeypatch.setattr(bench.store, "wall", lambda: wall)
    upload, rivals = bench.platform.upload, []

    def slow(*file):
        nonlocal wall
        wall += timedelta(seconds=90)
        rivals.append(bench.store.claim(lease=LATER))
        return upload(*file)

    monkeypatch.setattr(bench.platform, "upload", slow)
    content = base64.b64encode(b"x").decode()
    sha256 = hashlib.sha256(b"x").hexdigest()
    file = {"jenis": "image/png", "ukuran": 1, "sha256": sha256, "isi": content, "url": None}
    bench.submit(lampiran=[{"nama": f"{n}.png", **file} for n in range(4)])
    assert len(rivals) == 4
    assert [claimed for claimed in rivals if claimed and claimed[0].lane == bench.ticket] == []
    assert len(bench.notes) == 1
