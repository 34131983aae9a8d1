"""Outages of the platform: while GitLab is down, slow, closed to us or somebody else's, forms are taken; afterwards all is there once.

All stories play in one world, each with cases of its own.
"""

import logging
import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from pydantic import SecretStr

from integration.faults import RateLimited
from integration.settings import Bind
from integration.store import ALL, ISSUES, NOTES
from integration.tables import PARKED
from sandbox.portal import attachment
from sync import drain
from sync.gitlab import Platform
from sync.serve import running
from tests.stories.trouble import GALAT, KADIV, KASI, KEPALA, LENGKAP, alarms, fair, finding, hours, parked, says, sound, strike
from tests.stories.world import World, example_form
from tests.stories.world import world as told
from tests.tables import laid

LOGIN = "<!DOCTYPE html><html><title>Masuk</title></html>"
FOREVER = 1_000_000


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("dunia")
    with told(folder, laid(f"sqlite:///{folder / 'alur.db'}")) as world:
        yield world


@pytest.fixture
def world(common: World, caplog: pytest.LogCaptureFixture) -> Iterator[World]:
    caplog.set_level(logging.INFO, "sync")
    with fair(common) as world:
        yield world


# --- down ---


@pytest.mark.parametrize(
    "weather",
    [
        {"status": 503},
        {"status": 404, "says": "<html>nginx</html>"},
        {"says": LOGIN},
        {"says": "[]"},
    ],
    ids=["503", "404 page", "login page", "a list"],
)
def test_down_for_a_day_forms_are_taken_and_led_on_afterwards(world: World, weather: dict[str, Any]) -> None:
    before = world.submit()
    strike(world, "*", "", times=FOREVER, **weather)
    ticket = world.submit(attachments=GALAT)
    world.portal("pengaduan.dibatalkan", tiket=before, alasan="Sudah teratasi.", oleh="Dekan")

    hours(world, 24)

    assert (world.case(ticket).step, world.case(ticket).iid, world.case(before).status) == (4, None, "dibatalkan")
    assert [callback.type for callback in world.campus.portal.received(before)][-1] == "pengaduan.selesai"
    assert parked(world) == []
    sound(world, before, ticket)
    assert world.campus.step(ticket).number == 4
    assert world.uploads(ticket)[-1] == b"galat"
    assert world.campus.issue(before)["state"] == "closed"


@pytest.mark.parametrize("says", ["{}", "null", "[7]", '[{"id": 1}]', '{"id": 1'])
def test_a_comment_is_not_lost_behind_answers_of_somebody_else(world: World, says: str) -> None:
    ticket = world.submit()
    for path in (r"/notes$", r"/issues/\d+$", r"/notes$"):
        strike(world, "GET", path, says=says)
    world.comment(KASI, ticket, LENGKAP)
    assert world.case(ticket).step == 4

    world.later(minutes=30)

    assert world.campus.step(ticket).number == 5
    sound(world, ticket)


def commented(text: str) -> Callable[[World, list[str]], None]:
    """Somebody has commented on each case."""

    def say(world: World, tickets: list[str]) -> None:
        for ticket in tickets:
            says(world, KASI, ticket, text)

    return say


def sent(world: World, tickets: list[str]) -> None:
    """The unit has sent two more forms, with a file each."""
    form = example_form() | {"lampiran": [attachment(name, "text/plain", content) for name, content in GALAT.items()]}
    tickets += [world.campus.portal.submit(form) for _ in range(2)]


def asked_for_the_week(world: World, tickets: list[str]) -> None:
    """It is Friday afternoon; on each case, which programmers have had for a week, something was done since Monday."""
    for ticket in tickets:
        world.walk(ticket, until=16)
    world.until_weekday(0, hour=8)
    world.until_weekday(4, hour=13, minute=55)
    for ticket in tickets:
        world.comment(KADIV, ticket, "/pos cek")
    world.clock.advance(timedelta(minutes=10))
    assert world.service.tick()


@pytest.mark.parametrize(("hint", "pause"), [({"Retry-After": "30"}, 30), ({}, 60)])
@pytest.mark.parametrize(
    ("method", "path", "of", "deed"),
    [
        ("POST", r"/notes$", NOTES, commented("/pos cek")),
        ("POST", r"/issues$", ISSUES, sent),
        ("POST", r"/uploads$", ALL, sent),
        ("PUT", r"/issues/\d+$", ALL, commented(LENGKAP)),
        ("GET", r"/issues/\d+$", ALL, commented(LENGKAP)),
        ("GET", r"/notes$", ALL, commented(LENGKAP)),
        ("GET", r"/notes$", ALL, asked_for_the_week),
    ],
    ids=["note", "issue", "upload", "change", "look", "comments", "week"],
)
def test_too_many_requests_are_waited_out_by_all_cases_and_workers(  # noqa: PLR0917 -- one fault, in all its forms
    world: World,
    hint: dict[str, str],
    pause: int,
    method: str,
    path: str,
    of: str,
    deed: Callable[[World, list[str]], None],
) -> None:
    tickets, colleague = [world.submit() for _ in range(2)], world.service.worker(threading.Event())
    deed(world, tickets)
    strike(world, method, path, status=429, headers=hint)
    world.campus.gitlab.requests.clear()
    world.settle()
    colleague.until_idle()
    world.clock.advance(timedelta(seconds=pause - 1))
    world.settle()
    world.service.sweep()
    colleague.until_idle()
    ours = [request for request in world.campus.gitlab.requests if request.user in {None, world.campus.bot.username}]  # None: unread
    met = next(n for n, request in enumerate(ours) if request.status == HTTPStatus.TOO_MANY_REQUESTS)
    assert [one for one in ours[met + 1 :] if of == ALL or (one.method == method and re.search(path, one.path))] == []

    world.clock.advance(timedelta(seconds=2))
    colleague.until_idle()
    world.settle()

    sound(world, *tickets)


def test_a_pause_the_sweep_is_asked_for_is_one_of_all(world: World) -> None:
    ticket = world.submit()
    strike(world, "GET", r"/labels", status=429, headers={"Retry-After": "120"})
    with pytest.raises(RateLimited):
        world.service.sweep()
    says(world, KADIV, ticket, "/pos cek")
    world.campus.gitlab.requests.clear()
    world.settle()
    assert world.service.sweep() == 0
    assert [request.path for request in world.campus.gitlab.requests if request.user == world.campus.bot.username] == []

    world.clock.advance(timedelta(seconds=121))
    world.settle()
    world.service.sweep()

    assert "Keadaan perkara" in world.campus.notes(ticket)[-1]
    sound(world, ticket)


# --- the twin trap ---


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500, "says": "<html>Galat</html>", "after_commit": True},
        {"says": '{"status": "ok"}', "after_commit": True},
        {"says": '{"id": 1, "iid"', "after_commit": True},
        {"cut": True},
    ],
    ids=["500", "another object", "half an object", "cut"],
)
def test_what_was_done_and_answered_wrongly_is_not_done_twice(world: World, fault: dict[str, Any]) -> None:
    for path in (r"/issues$", r"/uploads$", r"/notes$"):
        strike(world, "POST", path, **fault)
    ticket = world.submit(attachments=GALAT)
    world.later(minutes=10)
    world.play(ticket)
    for method, path in (("POST", r"/uploads$"), ("PUT", r"/issues/\d+$"), ("POST", r"/notes$")):
        strike(world, method, path, **fault)
    world.comment(KEPALA, ticket, "/pos setuju")
    world.later(minutes=20)

    assert world.campus.step(ticket).number == 6
    sound(world, ticket)
    assert world.uploads(ticket).count(b"galat") == 1


def test_what_is_done_after_we_stopped_waiting_is_not_done_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Platform.__init__.__kwdefaults__, "timeout", 0.5)
    world.restart()
    for path in (r"/issues$", r"/uploads$", r"/notes$"):
        strike(world, "POST", path, latency=1)
    ticket = world.submit(attachments=GALAT)
    world.later(minutes=10)
    monkeypatch.undo()
    world.restart()

    sound(world, ticket)
    assert world.uploads(ticket) == [b"galat"]


# --- a clock that goes wrong ---


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_goes_wrong_holds_up_nobody(world: World, minutes: int) -> None:
    world.campus.gitlab.skew = timedelta(minutes=minutes)
    ticket = world.submit()
    world.comment(KASI, ticket, LENGKAP)
    assert world.case(ticket).step == 5
    world.campus.gitlab.hooks_lost = 1.0
    world.comment(KEPALA, ticket, "/pos setuju")
    world.sweep()
    assert world.case(ticket).step == 6
    world.campus.gitlab.hooks_lost = 0.0

    assert "600" in finding(world, "clock")
    world.campus.gitlab.skew = timedelta()
    world.play(ticket)

    assert world.campus.step(ticket).number == 7
    sound(world, ticket)


# --- closed to us ---


def test_a_token_that_has_expired_holds_up_all_until_there_is_another(world: World, caplog: pytest.LogCaptureFixture) -> None:
    ticket, gitlab = world.submit(), world.campus.gitlab
    gitlab.expire(world.campus.bot)
    new = world.submit()
    world.comment(KASI, ticket, LENGKAP)
    hours(world, 4)

    assert parked(world) == []
    assert any("token" in alarm for alarm in alarms(caplog))
    assert "ALUR_GITLAB_TOKEN" in finding(world, "token")
    assert gitlab.rotate(world.campus.bot) not in caplog.text
    world.settings = world.settings.model_copy(update={"gitlab_token": SecretStr(world.campus.bot.token)})
    world.restart()
    world.later(minutes=10)

    assert [world.campus.step(each).number for each in (ticket, new)] == [5, 4]
    sound(world, ticket, new)


def test_an_archived_project_holds_up_all_until_it_is_opened_again(world: World, caplog: pytest.LogCaptureFixture) -> None:
    owner = world.campus.gitlab.act(world.campus.gitlab.user("pengelola", "Pengelola", admin=True))
    ticket = world.submit()
    says(world, KASI, ticket, LENGKAP)
    owner.archive(world.campus.project)
    world.settle()
    new = world.submit(attachments=GALAT)
    hours(world, 4)

    assert parked(world) == []
    assert any("archived" in alarm for alarm in alarms(caplog))
    owner.archive(world.campus.project, archived=False)
    world.later(minutes=10)

    assert [world.campus.step(each).number for each in (ticket, new)] == [5, 4]
    sound(world, ticket, new)


def test_our_membership_taken_away_holds_up_all_until_it_is_given_back(world: World, caplog: pytest.LogCaptureFixture) -> None:
    ticket = world.submit()
    says(world, KASI, ticket, LENGKAP)
    level = world.campus.project.members.pop(world.campus.bot.id)
    new = world.submit()
    hours(world, 4)

    assert parked(world) == []
    assert any("project" in alarm for alarm in alarms(caplog))
    world.campus.gitlab.member(world.campus.project, world.campus.bot, level)
    world.later(minutes=10)

    assert [world.campus.step(each).number for each in (ticket, new)] == [5, 4]
    sound(world, ticket, new)


def test_an_issue_full_of_labels_holds_up_its_own_case_only(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.campus.gitlab.most_labels = 12
    ticket, other = world.submit(), world.submit()
    kadiv, project, iid = world.person(KADIV), world.campus.project, world.campus.iid(ticket)
    ours = sorted(world.campus.labels(ticket))
    kadiv.label(project, iid, remove=ours[:2])
    kadiv.label(project, iid, add=tuple(f"unit-{number}" for number in range(14 - len(ours))))
    world.settle()
    world.play(other)

    (error,) = parked(world)
    assert "Cannot add more than 12 labels" in error
    assert any(alarm.startswith("parked, an operator must look") for alarm in alarms(caplog))
    assert world.campus.step(other).number == 5
    kadiv.label(project, iid, remove=("unit-0", "unit-1"))
    world.settle()
    (row,) = world.service.store.outbox_rows(state=PARKED)
    assert world.service.store.replay("outbox", row.id)
    world.settle()
    world.play(ticket)

    assert world.campus.step(ticket).number == 5
    world.campus.gitlab.most_labels = 0
    sound(world, ticket, other)


# --- slow ---


def test_slow_answers_under_load_lose_no_lease_and_hold_up_no_form(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = 0.15  # seconds instead of 5; the lease shrinks as much
    monkeypatch.setattr(drain, "LEASE", drain.LEASE * (slow / 5))
    tickets = [world.submit() for _ in range(3)]
    strike(world, "*", "", times=FOREVER, latency=slow)
    with running(world.service, Bind("127.0.0.1", 0)) as process:
        for ticket in tickets:
            says(world, KASI, ticket, LENGKAP)
        tickets += [world.campus.portal.submit(example_form()) for _ in range(3)]
        assert world.service.store.busy()  # the forms waited for nobody
        world.campus.gitlab.settle()
        process.settle()
    world.campus.gitlab.mend()

    assert [world.campus.step(ticket).number for ticket in tickets] == [5, 5, 5, 4, 4, 4]
    assert "taken over" not in caplog.text
    sound(world, *tickets)


# --- the portal ---


def test_a_portal_that_is_down_does_not_hold_up_the_case(world: World) -> None:
    world.campus.portal.answers = [503, 503]
    ticket = world.submit()
    world.walk(ticket, until=6)
    world.later(minutes=10)

    heard = [callback.type for callback in world.campus.portal.received(ticket)]
    assert heard[0] == "pengaduan.terdaftar"
    sound(world, ticket)
