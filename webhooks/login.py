"""Who looks at a page of ours: people sign in with their account on the platform (OAuth 2.0, authorization code with PKCE).

The platform is asked once who somebody is, and its token is dropped. The browser then holds a signed cookie with the account, for one
working day at most; what the account may do is decided where it acts, each time anew.
"""

import hmac
import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from http import HTTPStatus
from typing import ParamSpec

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from flask import Blueprint, Flask, Response, redirect, request, session
from pydantic import BaseModel
from werkzeug.wrappers import Response as AnyResponse

from integration.parts import Parts
from webhooks.edge import for_a_browser, refusal
from webhooks.limits import Allowance, waiting
from webhooks.pages import notice

HOLDS = timedelta(hours=10)
PATIENCE = 10.0  # seconds that the platform is waited for
AT_ONCE, PAUSE = 40, 3.0  # how often one address may begin to sign in
SCOPE = "read_user"
FIRST_PAGE = "/meja"
OWN_PATH = re.compile(r"/(?![/\\])[\w./?=&%~-]*", re.ASCII)
FIELD = "kunci"
"""The field of a form by which it proves that it is one of our pages."""

Arguments = ParamSpec("Arguments")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who signed in: the account and the name the platform knows them by. `form_key`: what forms for them carry (FIELD)."""

    account: str
    name: str
    form_key: str


class Person(BaseModel):
    """What the platform says of whoever a token speaks for, as far as it is read."""

    username: str
    name: str = ""


class Login:
    """The way in, and who came in by it. `open`: whether anybody can; without an OAuth application every page that needs it says so."""

    def __init__(self, parts: Parts) -> None:
        settings, self._rotation = parts.settings, parts.rotation
        self.platform, self.home = settings.gitlab_url, settings.public_url
        self._id, self._secret, self.open = settings.gitlab_oauth_id, settings.gitlab_oauth_secret, settings.signs_in
        self.allowance = Allowance(AT_ONCE, PAUSE)

    def guard(self, app: Flask) -> None:
        """Set up the cookie: signed, out of scripts' reach, never sent along from other sites' forms, over https where we have it."""
        https = self.home.startswith("https://")
        app.config.update(
            SESSION_COOKIE_NAME="__Host-alur" if https else "alur",
            SESSION_COOKIE_SECURE=https,
            SESSION_COOKIE_HTTPONLY=True,
            SESSION_COOKIE_SAMESITE="Lax",
            SESSION_REFRESH_EACH_REQUEST=False,
            PERMANENT_SESSION_LIFETIME=HOLDS,
        )
        if self._secret:
            app.secret_key = hmac.digest(self._secret.get_secret_value().encode(), b"alur-pos session", "sha256")

    def barred(self) -> Response | None:
        """The answer to whoever cannot sign in, or comes too often: each time the platform is asked something. None where they may."""
        if not self.open:
            return notice("login", "login_closed", 401)
        wait = self.allowance.take_here()
        return waiting(notice("login", "too_many", 429), wait) if wait else None

    def client(self) -> OAuth2Session:
        """A conversation with the platform about one person."""
        now = self._rotation.now.gitlab_oauth_secret
        secret = now.get_secret_value() if now else ""
        address = f"{self.home}/masuk/kembali"
        return OAuth2Session(self._id, secret, scope=SCOPE, redirect_uri=address, code_challenge_method="S256", default_timeout=PATIENCE)

    def required(self, view: Callable[Arguments, AnyResponse]) -> Callable[Arguments, AnyResponse]:
        """A view for people who signed in. Others are sent to do so; a form must come from a page we gave to the same person."""

        @wraps(view)
        def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> AnyResponse:
            if not self.open:
                return notice("login", "login_closed", 401)
            who = reader()
            if who is None:
                asks = request.method == "GET" and for_a_browser()
                if asks:
                    return redirect(f"/masuk?ke={request.path}", 303)
                return notice("login", "login_over", 401) if for_a_browser() else refusal(401, "login_needed")
            if request.method == "POST" and not hmac.compare_digest(request.form.get(FIELD, "").encode(), who.form_key.encode()):
                return notice("login", "form_stale", 400, request.path, "again")
            return view(*args, **kwargs)

        return guarded


def reader() -> Reader | None:
    """Who signed in; None where nobody did, or too long ago."""
    known = session.get("reader")
    return Reader(**known) if known else None


def signed_in() -> Reader:
    """Who signed in, in a view that asks for that (`Login.required`)."""
    who = reader()
    assert who is not None  # noqa: S101 -- the view was not entered otherwise
    return who


def login_pages(login: Login) -> Blueprint:
    """The way in and the way out."""
    pages = Blueprint("login", __name__)

    @pages.get("/masuk")
    def begin() -> AnyResponse:
        if barred := login.barred():
            return barred
        proof, to = secrets.token_urlsafe(48), request.args.get("ke", "")
        address, state = login.client().create_authorization_url(f"{login.platform}/oauth/authorize", code_verifier=proof)
        session.clear()
        session["asked"] = {"state": state, "proof": proof, "to": to if OWN_PATH.fullmatch(to) else FIRST_PAGE}
        return redirect(address, 303)

    @pages.get("/masuk/kembali")
    def back() -> AnyResponse:
        if barred := login.barred():
            return barred
        asked = session.pop("asked", None)
        if asked is None or not hmac.compare_digest(asked["state"].encode(), request.args.get("state", "").encode()):
            return notice("login", "login_stale", 400, "/masuk", "login_again")
        if "code" not in request.args:
            return notice("login", "login_declined", 401, "/masuk", "login_again")
        try:
            told = _who(login, request.args["code"], asked["proof"])
        except AuthlibBaseError as refused:
            log.warning("the platform let nobody in: %s", refused.error)
            return notice("login", "login_stale", 400, "/masuk", "login_again")
        except (OSError, ValueError) as fault:  # of requests, both: it cannot be reached, or answers what is none
            log.warning("the platform does not say who signs in: %s", type(fault).__name__)
            return notice("login", "login_later", HTTPStatus.SERVICE_UNAVAILABLE, "/masuk", "login_again")
        session.clear()
        session.permanent = True
        session["reader"] = {**told, "form_key": secrets.token_urlsafe(24)}
        return redirect(asked["to"], 303)

    @pages.post("/keluar")
    @login.required
    def leave() -> Response:
        session.clear()
        return notice("login", "left", 200, "/masuk", "login_again")

    return pages


def _who(login: Login, code: str, proof: str) -> dict[str, str]:
    """The account and name of whoever came back with this code. Raises AuthlibBaseError, OSError, ValueError."""
    with login.client() as client:
        client.fetch_token(f"{login.platform}/oauth/token", code=code, code_verifier=proof)
        answer = client.get(f"{login.platform}/api/v4/user")
        answer.raise_for_status()
    person = Person.model_validate_json(answer.content)
    return {"account": person.username, "name": person.name or person.username}
