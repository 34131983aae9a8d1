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


def test_a_test_event_needs_a_real_object(campus, receiver):
    _hook(campus, receiver.url)
    path = f"/projects/{campus.project.id}/hooks/{next(iter(campus.project.hooks))}/test"
    assert campus.raw("POST", f"{path}/issues_events").status_code == 422
    iid = campus.act().open(campus.project, "x")
    assert campus.raw("POST", f"{path}/note_events").status_code == 422
    campus.act().comment(campus.project, iid, "teks")
    assert campus.raw("POST", f"{path}/note_events").status_code == 201
    assert campus.raw("POST", f"{path}/confidential_issues_events").status_code == 201
    assert campus.raw("POST", f"{path}/push_events").status_code == 400
    campus.forge.settle()
    assert [delivery.event for delivery in campus.forge.deliveries] == ["Issue Hook", "Note Hook", "Note Hook", "Confidential Issue Hook"]


def test_custom_headers_are_sent_but_never_shown_or_stronger(campus, receiver):
    body = {"url": receiver.url, "custom_headers": [{"key": "X-Kampus", "value": "1"}, {"key": "X-Gitlab-Event", "value": "palsu"}]}
    shown = campus.raw("POST", f"/projects/{campus.project.id}/hooks", json=body | FLAGS).json()
    assert shown["custom_headers"] == [{"key": "X-Kampus"}, {"key": "X-Gitlab-Event"}]
    campus.act().open(campus.project, "x")
    campus.forge.settle()
    headers = campus.forge.deliveries[0].headers
    assert (headers["X-Kampus"], headers["X-Gitlab-Event"]) == ("1", "Issue Hook")


def test_hooks_that_are_refused(campus):
    path = f"/projects/{campus.project.id}/hooks"
    assert campus.raw("POST", path, json={"url": "http://127.0.0.1:9/", "token": "a\nb"}).status_code == 400
    assert campus.raw("POST", f"{path}/99/events/1/resend").status_code == 404
    _hook(campus, "http://127.0.0.1:9/")
    number = next(iter(campus.project.hooks))
    assert campus.raw("POST", f"{path}/{number}/events/1/resend").status_code == 404
    answers = [campus.raw("POST", path, json={"url": "http://127.0.0.1:9/"}).status_code for _ in range(100)]
    assert (answers.count(201), answers[-1]) == (99, 400)


def test_a_chain_of_causes_ends_at_a_hundred_hooks(campus, receiver):
    _hook(campus, receiver.url)
    store = campus.forge._store  # noqa: SLF001 - a hundred hooks one after another would take too long
    campus.forge._post._seen["rantai"] = set(range(1000, 1100))  # noqa: SLF001 - as above
    with store.lock:
        campus.forge._post.fire(campus.project, "issues_events", dict, cause="rantai")  # noqa: SLF001 - as above
    campus.forge.settle()
    assert receiver.bodies == []


def test_a_wiki_page_has_an_event(campus, receiver):
    campus.raw("POST", f"/projects/{campus.project.id}/hooks", json={"url": receiver.url, "wiki_page_events": True})
    path = f"/projects/{campus.project.id}/wikis"
    campus.raw("POST", path, json={"title": "Satu", "content": "x"})
    campus.raw("PUT", f"{path}/Satu", json={"title": "Dua"})
    campus.raw("DELETE", f"{path}/Dua")
    campus.forge.settle()
    told = [(one.event, one.body["object_attributes"]["action"], one.body["object_attributes"]["slug"]) for one in campus.forge.deliveries]
    assert told == [("Wiki Page Hook", "create", "Satu"), ("Wiki Page Hook", "update", "Dua"), ("Wiki Page Hook", "delete", "Dua")]
