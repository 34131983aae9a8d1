"""Signing in elsewhere with an account here: the three addresses of OAuth 2.0, authorization code with PKCE (doc/api/oauth2.md).

Rule: what GitLab refuses is refused: an address or a secret that is not the application's, a code that is old, used or another's. There are
no passwords here: who signs in is chosen from a list.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, render_template, request

from sandbox.gitlab.store import Store

CODE_HOLDS = timedelta(minutes=10)
TOKEN_HOLDS = timedelta(hours=2)
SCOPES = frozenset({"read_user", "openid", "profile", "email"})


@dataclass(frozen=True, slots=True)
class Application:
    """An OAuth application as its owner registered it: confidential, with one address to come back to."""

    id: str
    secret: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code somebody was sent back with."""

    application: str
    user_id: int
    scopes: tuple[str, ...]
    challenge: str
    given_at: datetime


class Authorization:
    """The applications, the codes that are out, and the views."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._applications: dict[str, Application] = {}
        self._codes: dict[str, Code] = {}

    def register(self, redirect_uri: str) -> Application:
        """A new application."""
        application = Application(secrets.token_hex(32), f"gloas-{secrets.token_hex(32)}", redirect_uri)
        self._applications[application.id] = application
        return application

    def ask(self) -> Response | str:
        """The page on which somebody says who they are; each button sends them back with a code."""
        asked = request.args
        application = self._applications.get(asked.get("client_id", ""))
        if application is None or asked.get("redirect_uri") != application.redirect_uri:
            return Response("The redirect URI included is not valid.\n", 401)  # never sent back to an address that is not the application's
        if asked.get("response_type") != "code" or not set(asked.get("scope", "").split()) <= SCOPES:
            return self._back(application, error="invalid_scope", state=asked.get("state", ""))
        with self._store.lock:
            people = sorted(self._store.users.values(), key=lambda user: user.name)
            return render_template("oauth.html", users=people)

    def answer(self) -> Response:
        """Somebody chose, or declined."""
        application, state = self._applications[request.args["client_id"]], request.args.get("state", "")
        with self._store.lock:
            user = self._store.user_named(request.form.get("username", ""))
            if user is None:
                return self._back(application, error="access_denied", state=state)
            code, scopes = secrets.token_hex(32), tuple(request.args["scope"].split())
            challenge = request.args.get("code_challenge", "")
            self._codes[code] = Code(application.id, user.id, scopes, challenge, self._store.now())
        return self._back(application, code=code, state=state)

    def token(self) -> Response:
        """A token for a code."""
        given = request.form
        basic = request.authorization
        client, secret = (basic.username, basic.password) if basic else (given.get("client_id"), given.get("client_secret"))
        application = self._applications.get(client or "")
        if application is None or secret != application.secret:
            return _refused(401, "invalid_client")
        with self._store.lock:
            code = self._codes.pop(given.get("code", ""), None)
            proof = urlsafe_b64encode(hashlib.sha256(given.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
            now = self._store.now()
            fits = code is not None and (code.application, given.get("redirect_uri")) == (application.id, application.redirect_uri)
            if code is None or not fits or now - code.given_at > CODE_HOLDS or (code.challenge and code.challenge != proof):
                return _refused(400, "invalid_grant")
            value, _ = self._store.add_token(self._store.users[code.user_id], "oauth", code.scopes)
        told = {
            "access_token": value,
            "token_type": "Bearer",
            "expires_in": int(TOKEN_HOLDS.total_seconds()),
            "scope": " ".join(code.scopes),
        }
        return jsonify(told | {"refresh_token": secrets.token_hex(32), "created_at": int(now.timestamp())})

    @staticmethod
    def _back(application: Application, **said: str) -> Response:
        answer = redirect(f"{application.redirect_uri}?{urlencode(said)}")
        assert isinstance(answer, Response)  # noqa: S101 -- Flask's own redirect, not Werkzeug's
        return answer


def _refused(status: int, error: str) -> Response:
    answer = jsonify(error=error, error_description="The provided authorization grant is invalid, expired or revoked.")
    answer.status_code = status
    return answer


def attach(app: Flask, store: Store) -> Authorization:
    """Add the addresses to the app."""
    authorization = Authorization(store)
    app.add_url_rule("/oauth/authorize", "oauth_ask", authorization.ask)
    app.add_url_rule("/oauth/authorize", "oauth_answer", authorization.answer, methods=["POST"])
    app.add_url_rule("/oauth/token", "oauth_token", authorization.token, methods=["POST"])
    return authorization
