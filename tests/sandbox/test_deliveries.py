"""Deliveries: in the background, sometimes lost, never repeated, and the same with the same seed."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sandbox.gitlab import GitLab

FLAGS = {"issues_events": True, "note_events": True, "confidential_issues_events": True}


@pytest.fixture
def receiver():
    """A web server that keeps bodies; `status` is what it answers."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(server.status)
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.bodies, server.status = [], 200
    server.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def _hook(campus, url):
    assert campus.raw("POST", f"/projects/{campus.project.id}/hooks", json={"url": url} | FLAGS).status_code == 201


def test_in_order_unless_shuffled(campus, receiver):
    _hook(campus, receiver.url)
    for number in range(5):
        campus.act().open(campus.project, f"{number}")
    campus.forge.settle()
    assert [delivery.body["object_attributes"]["title"] for delivery in campus.forge.deliveries] == list("01234")
    assert {delivery.status for delivery in campus.forge.deliveries} == {200}


def test_shuffled(campus, receiver):
    _hook(campus, receiver.url)
    campus.forge.hooks_shuffled = True
    for number in range(12):
        campus.act().open(campus.project, f"{number}")
    campus.forge.settle()
    arrived = [int(delivery.body["object_attributes"]["title"]) for delivery in campus.forge.deliveries]
    assert sorted(arrived) == list(range(12))
    assert campus.forge.hooks_shuffled is True


def test_all_lost(campus, receiver):
    _hook(campus, receiver.url)
    campus.forge.hooks_lost = 1.0
    campus.act().open(campus.project, "x")
    campus.forge.settle()
    assert [(delivery.lost, delivery.status) for delivery in campus.forge.deliveries] == [(True, None)]
    assert receiver.bodies == []
    assert campus.forge.hooks_lost == 1.0


def test_losses_are_the_same_with_the_same_seed():
    def losses():
        with GitLab(seed=3) as forge:
            bot, project = forge.user("bot", "Bot"), forge.project("a/b")
            forge.member(project, bot, 40)
            address = f"{forge.url}/api/v4/projects/{project.id}/hooks"
            forge.act(bot)._call("POST", address.removeprefix(f"{forge.url}/api/v4"), json={"url": "http://127.0.0.1:9/"} | FLAGS)  # noqa: SLF001
            forge.hooks_lost = 0.4
            for number in range(12):
                forge.act(bot).open(project, f"{number}")
            forge.settle()
            return [delivery.lost for delivery in forge.deliveries]

    first = losses()
    assert first == losses()
    assert set(first) == {True, False}


def test_a_refusal_is_not_repeated(campus, receiver):
    receiver.status = 500
    _hook(campus, receiver.url)
    campus.act().open(campus.project, "x")
    campus.forge.settle()
    assert len(receiver.bodies) == 1
    assert campus.forge.deliveries[0].status == 500


def test_an_unreachable_receiver_is_an_internal_error_in_the_list(campus):
    _hook(campus, "http://127.0.0.1:9/")
    campus.act().open(campus.project, "x")
    campus.forge.settle()
    hook = next(iter(campus.project.hooks))
    rows = campus.raw("GET", f"/projects/{campus.project.id}/hooks/{hook}/events?status=server_failure").json()
    assert [row["response_status"] for row in rows] == ["internal error"]
    assert campus.raw("GET", f"/projects/{campus.project.id}/hooks/{hook}/events?status=client_failure").json() == []
    assert campus.raw("GET", f"/projects/{campus.project.id}/hooks/{hook}/events?per_page=50").status_code == 400


def test_a_note_event_shows_the_issue_as_it_is_when_sent(campus, receiver):
    _hook(campus, receiver.url)
    iid = campus.act().open(campus.project, "x")
    campus.act().comment(campus.project, iid, "teks\n/due 2031-02-03")
    campus.forge.settle()
    note = next(delivery for delivery in campus.forge.deliveries if delivery.event == "Note Hook")
    assert note.body["issue"]["due_date"] == "2031-02-03"


def test_settle_gives_up(campus):
    slow = threading.Event()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            slow.wait(5)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    _hook(campus, f"http://127.0.0.1:{server.server_port}/")
    campus.act().open(campus.project, "x")
    with pytest.raises(TimeoutError):
        campus.forge.settle(0.1)
    slow.set()
    campus.forge.settle()
    server.shutdown()
    server.server_close()


def test_a_moved_clock_is_in_the_bodies(campus, receiver):
    _hook(campus, receiver.url)
    campus.clock.move(days=30)
    campus.act().open(campus.project, "x")
    campus.forge.settle()
    assert campus.forge.deliveries[0].body["object_attributes"]["created_at"] == "2026-12-23 01:00:00 UTC"
