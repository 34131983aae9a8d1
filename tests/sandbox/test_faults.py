"""Faults on demand, what is counted, and what is not known."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import gitlab
import pytest
import requests


def _issues(campus):
    return len(campus.project.issues)


def test_a_refusal_before_the_deed(campus):
    campus.forge.fault("POST", r"/issues$", status=500)
    answer = campus.raw("POST", f"/projects/{campus.project.id}/issues", json={"title": "x"})
    assert (answer.status_code, _issues(campus)) == (500, 0)
    assert campus.raw("POST", f"/projects/{campus.project.id}/issues", json={"title": "x"}).status_code == 201


def test_a_refusal_after_the_deed_is_the_trap_for_twins(campus):
    campus.forge.fault("POST", r"/issues$", status=500, after_commit=True)
    answer = campus.raw("POST", f"/projects/{campus.project.id}/issues", json={"title": "x"})
    assert (answer.status_code, _issues(campus)) == (500, 1)


@pytest.mark.parametrize(("after_commit", "left"), [(False, 0), (True, 1)])
def test_a_dropped_connection(campus, after_commit, left):
    campus.forge.fault("POST", r"/issues$", drop=True, after_commit=after_commit)
    with pytest.raises(requests.ConnectionError):
        campus.raw("POST", f"/projects/{campus.project.id}/issues", json={"title": "x"})
    assert _issues(campus) == left
    assert campus.forge.requests[-1].status == 0


def test_an_answer_cut_in_its_middle_comes_after_the_deed(campus):
    campus.forge.fault("POST", r"/issues$", cut=True)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        campus.raw("POST", f"/projects/{campus.project.id}/issues", json={"title": "x"})
    assert _issues(campus) == 1
    assert campus.raw("POST", f"/projects/{campus.project.id}/issues", json={"title": "x"}).json()["iid"] == 2


@pytest.mark.parametrize(
    ("fault", "status", "media"),
    [
        ({"says": "<html>Bad Gateway</html>", "status": 502}, 502, "text/html"),
        ({"says": "<html>Masuk</html>"}, 200, "text/html"),
        ({"says": '{"id": 1'}, 200, "application/json"),
    ],
)
@pytest.mark.parametrize("after_commit", [False, True])
def test_an_answer_of_somebody_else(campus, fault, status, media, after_commit):
    campus.forge.fault("POST", r"/issues$", after_commit=after_commit, **fault)
    answer = campus.raw("POST", f"/projects/{campus.project.id}/issues", json={"title": "x"})
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0], answer.text) == (status, media, fault["says"])
    assert campus.forge.requests[-1].status == status
    assert _issues(campus) == after_commit


def test_faults_that_are_mended_come_no_more(campus):
    campus.forge.fault("*", "", status=503, times=1000)
    assert campus.raw("GET", "/user").status_code == 503
    campus.forge.mend()
    assert campus.raw("GET", "/user").status_code == 200


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_goes_wrong_dates_all_that_is_kept_and_every_answer(campus, minutes):
    campus.forge.skew = timedelta(minutes=minutes)
    answer = campus.raw("POST", f"/projects/{campus.project.id}/issues", json={"title": "x"})
    assert datetime.fromisoformat(answer.json()["created_at"]) == campus.clock() + campus.forge.skew
    ahead = parsedate_to_datetime(answer.headers["Date"]) - datetime.now(UTC)
    assert abs(ahead - campus.forge.skew) < timedelta(seconds=5)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "7"}])
def test_too_many_requests(campus, headers):
    campus.forge.fault("*", r"/user$", status=429, headers=headers, times=2)
    for _ in range(2):
        answer = campus.raw("GET", "/user")
        assert (answer.status_code, answer.headers.get("Retry-After")) == (429, headers.get("Retry-After"))
    assert campus.raw("GET", "/user").status_code == 200


def test_latency(campus):
    campus.forge.fault("GET", r"/user$", latency=0.2)
    started = time.monotonic()
    assert campus.raw("GET", "/user").status_code == 200
    assert time.monotonic() - started >= 0.2


def test_a_deed_nobody_waits_for_any_more_is_done_all_the_same(campus):
    campus.forge.fault("POST", r"/issues$", latency=5)  # long enough to look before it is done, on a slow machine too
    path = f"{campus.forge.url}/api/v4/projects/{campus.project.id}/issues"
    with pytest.raises(requests.Timeout):
        requests.post(path, json={"title": "x"}, headers={"PRIVATE-TOKEN": campus.bot.token}, timeout=1)
    assert _issues(campus) == 0
    with pytest.raises(TimeoutError):
        campus.forge.settle(0.01)
    campus.forge.settle()
    assert _issues(campus) == 1


def test_other_requests_do_not_notice(campus):
    campus.forge.fault("POST", r"/notes$", status=500)
    assert campus.raw("GET", "/user").status_code == 200


def test_a_fault_may_be_meant_for_one_account(campus):
    campus.forge.fault("POST", r"/issues$", status=500, by=campus.bot)
    assert campus.act(campus.reporter).open(campus.project, "x") == 1
    assert campus.raw("POST", f"/projects/{campus.project.id}/issues", json={"title": "x"}).status_code == 500


def test_requests_are_counted_with_who_and_how(campus):
    campus.raw("GET", "/user")
    campus.raw("GET", f"/projects/{campus.project.path.replace('/', '%2F')}")
    requests.get(f"{campus.forge.url}/api/v4/user", timeout=5)
    seen = [(one.method, one.path.removeprefix("/api/v4"), one.status, one.user) for one in campus.forge.requests]
    assert seen == [
        ("GET", "/user", 200, "alur-bot"),
        ("GET", "/projects/pustikom%2Fpengaduan-si", 200, "alur-bot"),
        ("GET", "/user", 401, None),
    ]
    campus.forge.requests.clear()
    assert campus.forge.requests == []


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("GET", "/projects/40/merge_requests", "merge_requests"),
        ("PATCH", "/user", "PATCH /api/v4/user"),
        ("GET", "/projects/40/issues?millestone=x", "millestone"),
        ("GET", "/user?a=1&b=2", "a, b"),
    ],
)
def test_what_is_not_known_is_an_error_and_written_down(campus, method, path, named):
    answer = campus.raw(method, path)
    assert answer.status_code == 501
    assert named in answer.json()["message"]
    assert named in campus.forge.unknown[0]


def test_an_unknown_field_of_a_body_is_an_error(campus):
    answer = campus.raw("POST", f"/projects/{campus.project.id}/issues", json={"title": "x", "lables": "a"})
    assert (answer.status_code, _issues(campus)) == (501, 0)


def test_a_quick_action_it_cannot_imitate_is_written_down(campus):
    campus.act().open(campus.project, "x", "a\n/move b/c")
    assert campus.forge.unknown == ["quick action /move"]


def test_nothing_is_unknown_in_a_good_run(campus):
    campus.client.auth()
    assert campus.forge.unknown == []


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"revoked": True}, 401, "revoked"),
        ({"scopes": ("read_repository",)}, 403, "insufficient_scope"),
    ],
)
def test_tokens_that_do_not_do(campus, change, status, word):
    store = campus.forge._store  # noqa: SLF001 - no call of the API revokes a token here
    token = store.tokens[campus.bot.token]
    for name, value in change.items():
        setattr(token, name, value)
    answer = campus.raw("GET", "/user")
    assert answer.status_code == status
    assert word in answer.text


def test_a_token_that_has_expired_is_refused_until_it_is_rotated(campus):
    campus.forge.expire(campus.bot)
    answer = campus.raw("GET", "/user")
    assert (answer.status_code, answer.json()["error_description"]) == (401, "Token is expired.")
    before = campus.bot.token
    assert campus.forge.rotate(campus.bot) == campus.bot.token != before
    assert campus.raw("GET", "/user").json()["username"] == "alur-bot"


def test_a_token_that_was_rotated_is_refused_at_once(campus):
    before = campus.bot.token
    campus.forge.rotate(campus.bot)
    answer = requests.get(f"{campus.forge.url}/api/v4/user", headers={"PRIVATE-TOKEN": before}, timeout=5)
    assert answer.status_code == 401


def test_a_read_token_reads(campus):
    campus.forge._store.tokens[campus.bot.token].scopes = ("read_api",)  # noqa: SLF001 - see above
    assert campus.raw("GET", "/user").status_code == 200
    assert campus.raw("POST", f"/projects/{campus.project.id}/issues", json={"title": "x"}).status_code == 403


def test_a_token_as_bearer(campus):
    client = gitlab.Gitlab(campus.forge.url, oauth_token=campus.bot.token, timeout=5)
    client.auth()
    assert client.user.username == "alur-bot"
