"""People sign in with their account on the platform: a real conversation with a stand-in, and everything that can go wrong in it."""

import re
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from flask import redirect

from integration.rotation import Rotation
from sandbox.gitlab import GitLab
from webhooks.app import create_app
from webhooks.login import FIRST_PAGE, Login, reader

HOME = "https://alur.kampus.example"
ALLOWED = "/meja?semua=1"


@pytest.fixture
def gitlab():
    with GitLab() as forge:
        forge.user("siti", "Siti Aminah")
        yield forge


@pytest.fixture
def parts(parts, gitlab):
    known = gitlab.application(f"{HOME}/masuk/kembali")
    told = {"gitlab_url": gitlab.url, "gitlab_oauth_id": known.id, "gitlab_oauth_secret": known.secret}
    settings = type(parts.settings)(**(parts.settings.model_dump() | told))
    return replace(parts, settings=settings, rotation=Rotation(settings))


@pytest.fixture
def app(parts):
    """The edge, and a page behind the door."""
    app, login = create_app(parts), Login(parts)
    app.add_url_rule("/dalam", "inside", login.required(lambda: f"{reader().name}|{reader().form_key}"), methods=["GET", "POST"])
    app.add_url_rule("/lain", "elsewhere", lambda: redirect("/dalam"))
    return app


@pytest.fixture
def client(app):
    client = app.test_client()
    client.environ_base |= {"wsgi.url_scheme": "https", "HTTP_HOST": "alur.kampus.example", "HTTP_ACCEPT": "text/html"}
    return client


def chosen(address: str, username: str) -> str:
    """Where GitLab sends somebody back to who chose to be this account."""
    answer = requests.post(address, data={"username": username}, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"].removeprefix(HOME)


def come_in(client, to: str = "/dalam", username: str = "siti"):
    """The whole way in; gives the last answer of ours before the page."""
    asked = client.get(f"/masuk?{urlencode({'ke': to})}")
    assert asked.status_code == 303
    return client.get(chosen(asked.location, username))


def test_whoever_signs_in_at_the_platform_is_known_by_their_account(client):
    sent = client.get("/dalam")
    assert (sent.status_code, sent.location) == (303, "/masuk?ke=/dalam")
    came = come_in(client)
    assert (came.status_code, came.location) == (303, "/dalam")
    cookie = came.headers["Set-Cookie"]
    assert cookie.startswith("__Host-alur=")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert client.get("/dalam").text.startswith("Siti Aminah|")


def test_a_program_without_a_session_is_refused_and_not_sent_anywhere(client):
    answer = client.get("/dalam", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["pesan"]) == (401, "Silakan masuk lebih dahulu dengan akun GitLab Anda.")
    assert client.post("/dalam").status_code == 401


def test_a_form_counts_only_from_a_page_given_to_the_same_person(client, app):
    come_in(client)
    key = client.get("/dalam").text.split("|")[1]
    for wrong in ({}, {"kunci": "x"}, {"kunci": key + "x"}, {"kunci": "é"}):
        answer = client.post("/dalam", data=wrong)
        assert answer.status_code == 400
        assert "sudah tidak berlaku" in answer.text
    assert client.post("/dalam", data={"kunci": key}).status_code == 200

    other = app.test_client()
    other.environ_base |= client.environ_base
    come_in(other)
    assert other.post("/dalam", data={"kunci": key}).status_code == 400


def test_leaving_ends_it(client):
    come_in(client)
    key = client.get("/dalam").text.split("|")[1]
    assert client.post("/keluar").status_code == 400
    assert "Anda telah keluar" in client.post("/keluar", data={"kunci": key}).text
    assert client.get("/dalam").status_code == 303


@pytest.mark.parametrize("to", ["//jahat.example", "https://jahat.example", "/\\jahat.example", "jahat", "", "/dalam\r\nX: y"])
def test_nobody_is_sent_to_another_place_afterwards(client, to):
    assert come_in(client, to).location == FIRST_PAGE


def test_back_where_they_came_from_with_its_question(client):
    assert come_in(client, ALLOWED).location == ALLOWED


def test_what_comes_back_must_answer_what_was_asked(client, app):
    asked = client.get("/masuk")
    back = chosen(asked.location, "siti")
    other = app.test_client()
    assert other.get(back).status_code == 400  # another browser's: a link sent to somebody signs nobody in
    assert client.get(back.replace("state=", "state=x")).status_code == 400
    assert client.get(back).status_code == 400  # each question is answered once


def test_a_code_counts_once_and_only_with_the_proof_of_who_asked(client, parts):
    first = client.get("/masuk")
    stolen = parse_qs(urlsplit(chosen(first.location, "siti")).query)["code"][0]
    second = client.get("/masuk")
    state = parse_qs(urlsplit(second.location).query)["state"][0]
    answer = client.get(f"/masuk/kembali?{urlencode({'code': stolen, 'state': state})}")
    assert answer.status_code == 400
    assert "Silakan masuk kembali" in answer.text


def test_whoever_declines_is_not_in(client):
    answer = come_in(client, username="")
    assert answer.status_code == 401
    assert "belum masuk" in answer.text


@pytest.mark.parametrize("says", [None, "<html>maintenance</html>", "[]", '{"username": null}'])
def test_a_platform_that_does_not_answer_lets_nobody_in_and_says_so(client, gitlab, says):
    asked = client.get("/masuk")
    back = chosen(asked.location, "siti")
    gitlab.fault("GET", r"/api/v4/user$", status=502 if says is None else 200, says=says)
    answer = client.get(back)
    assert answer.status_code == 503
    assert "beberapa saat lagi" in answer.text
    assert client.get("/dalam").status_code == 303


def test_a_platform_that_is_gone(client, gitlab):
    back = chosen(client.get("/masuk").location, "siti")
    gitlab.stop()
    assert client.get(back).status_code == 503
    gitlab.__enter__ = None


def test_who_asks_too_often_waits(client):
    answers = [client.get("/masuk") for _ in range(45)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_without_an_application_nobody_signs_in_and_the_page_says_why(client, parts, app):
    settings = parts.settings.model_copy(update={"gitlab_oauth_secret": None})
    closed = create_app(replace(parts, settings=settings, rotation=Rotation(settings))).test_client()
    for answer in (closed.get("/masuk"), closed.get("/masuk/kembali?code=x&state=y"), closed.post("/keluar")):
        assert answer.status_code == 401
        assert "ALUR_GITLAB_OAUTH_ID" in answer.text


def test_nothing_of_the_token_or_the_secret_is_in_the_cookie(client, parts):
    cookie = come_in(client).headers["Set-Cookie"]
    assert "glpat" not in cookie
    assert not re.search(parts.settings.gitlab_oauth_secret.get_secret_value(), cookie)
