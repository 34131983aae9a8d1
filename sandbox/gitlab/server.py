"""The HTTP face: one Flask app for the REST API and the pages, served by threads on a free loopback port.

Rule: a call the registry does not hold is answered 501 and written down; it is never guessed at.
"""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask, Response, jsonify, request
from werkzeug.datastructures import MultiDict
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox.gitlab import views_files, views_hooks, views_issues, views_labels, views_notes, views_people
from sandbox.gitlab.acting import Acting, Refused
from sandbox.gitlab.calls import ROUTES, Call, Reply, Route
from sandbox.gitlab.deliveries import PostOffice
from sandbox.gitlab.entities import User
from sandbox.gitlab.faults import Fault, Faults
from sandbox.gitlab.limits import Limits
from sandbox.gitlab.store import Store

VIEWS = (views_files, views_hooks, views_issues, views_labels, views_notes, views_people)  # imported to register their routes
API = "/api/v4"
SLASH = "\x1f"  # stands for an encoded slash on its way through the router


@dataclass(frozen=True, slots=True)
class Request:
    """One API request as it was answered. `status` is 0 where the connection was dropped; `user` is None without an account."""

    method: str
    path: str
    status: int
    user: str | None


class Desk:
    """Answers API requests one at a time: faults, account, parameters, view."""

    def __init__(self, store: Store, post: PostOffice) -> None:
        self.store, self.post = store, post
        self.limits, self.faults = Limits(), Faults()
        self.requests: list[Request] = []
        self.unknown: list[str] = []
        self._in_hand: set[object] = set()
        self._answered = threading.Condition()

    def settle(self, timeout: float) -> None:
        """Wait until the requests now in hand are answered, also those nobody waits for any more. Raises TimeoutError."""
        with self._answered:
            now = set(self._in_hand)
            if not self._answered.wait_for(lambda: not now & self._in_hand, timeout):
                message = f"{len(now & self._in_hand)} requests are not answered after {timeout} s"
                raise TimeoutError(message)

    def answer(self, route: Route | None, path_args: dict[str, str]) -> Response:
        """Answer the current request, with whatever fault is armed for it."""
        mark = object()
        with self._answered:
            self._in_hand.add(mark)
        try:
            return self._answer(route, path_args)
        finally:
            with self._answered:
                self._in_hand.remove(mark)
                self._answered.notify_all()

    def _answer(self, route: Route | None, path_args: dict[str, str]) -> Response:
        token = self.store.tokens.get(_token())
        fault = self.faults.take(request.method, request.path.replace(SLASH, "%2F"), token.user_id if token else None)
        if fault and fault.latency:
            time.sleep(fault.latency)
        struck = fault if fault and fault.instead else None
        if struck and not struck.after_commit:
            return self._struck(struck)
        user = None
        try:
            call, user = self._call()
            with self.store.lock:
                reply = self._run(route, call, path_args)
        except Refused as refusal:
            reply = Reply(refusal.body, refusal.status, refusal.headers)
        if struck:
            return self._struck(struck)
        self._write_down(reply.status, user)
        answer = _response(reply)
        return _cut(answer) if fault and fault.cut else answer

    def _run(self, route: Route | None, call: Call, path_args: dict[str, str]) -> Reply:
        if route is None:
            raise self._not_known(f"{request.method} {request.path.replace(SLASH, '%2F')}")
        stray = sorted(set(call.params) - route.params)
        if stray:
            raise self._not_known(f"{route.method} {route.rule}: {', '.join(stray)}")
        return route.view(call, **{name: value.replace(SLASH, "/") for name, value in path_args.items()})

    def _not_known(self, what: str) -> Refused:
        self.unknown.append(what)
        return Refused(501, {"message": f"the stand-in does not know {what}"})

    def _call(self) -> tuple[Call, User]:
        value = _token()
        with self.store.lock:
            token = self.store.tokens.get(value)
            if token is None:
                raise Refused(401, {"message": "401 Unauthorized"})
            now = self.store.now()
            if token.revoked or (token.expires_at and token.expires_at <= now.date()):
                why = "Token was revoked. You have to re-authorize from the user." if token.revoked else "Token is expired."
                raise Refused(401, {"error": "invalid_token", "error_description": why})
            if not _covered(token.scopes):
                why = "The request requires higher privileges than provided by the access token."
                raise Refused(403, {"error": "insufficient_scope", "error_description": why, "scope": "api"})
            token.last_used_at = now
            user = self.store.users[token.user_id]
        acting = Acting(self.store, self.post, self.limits, user, request.headers.get("X-Gitlab-Event-UUID"), self.unknown)
        files = {name: (file.filename or "", file.read()) for name, file in request.files.items()}
        return Call(acting, request.path.replace(SLASH, "%2F"), _params(), files, value), user

    def _struck(self, fault: Fault) -> Response:
        status = fault.status or (500 if fault.says is None else 200)
        self._write_down(0 if fault.drop else status, None)
        if fault.drop:
            connection: socket.socket = request.environ["werkzeug.socket"]
            connection.shutdown(socket.SHUT_RDWR)
            return Response(status=500)
        if fault.says is not None:  # a proxy's page, or JSON of whatever shape
            return Response(fault.says, status, fault.headers, mimetype="text/html" if fault.says.startswith("<") else "application/json")
        if status == 429:  # noqa: PLR2004 - HTTP
            return Response("Retry later\n", status, fault.headers, mimetype="text/plain")
        return _response(Reply({"message": f"{status} Internal Server Error"}, status, fault.headers))

    def _write_down(self, status: int, user: User | None) -> None:
        self.requests.append(Request(request.method, request.path.replace(SLASH, "%2F"), status, user.username if user else None))


def _covered(scopes: tuple[str, ...]) -> bool:
    """Whether a token of these scopes may make the current request."""
    reads = request.method == "GET"
    about_itself = request.path.startswith(f"{API}/personal_access_tokens/self")
    if "self_rotate" in scopes and about_itself:
        return True
    return "api" in scopes or (reads and "read_api" in scopes) or (reads and "read_user" in scopes and request.path == f"{API}/user")


def _token() -> str:
    return request.headers.get("PRIVATE-TOKEN") or request.headers.get("Authorization", "").removeprefix("Bearer ")


def _params() -> dict[str, Any]:
    """Read query and body together; `name[]` becomes a list under `name`."""
    body = request.get_json(silent=True) if request.is_json else None
    read = _gathered(request.args) | _gathered(request.form)
    return read | body if isinstance(body, dict) else read


def _gathered(values: MultiDict[str, str]) -> dict[str, Any]:
    return {key.removesuffix("[]"): values.getlist(key) if key.endswith("[]") else values[key] for key in values}


def _response(reply: Reply) -> Response:
    if reply.status == 204:  # noqa: PLR2004 - HTTP
        return Response(status=204)
    if isinstance(reply.body, bytes):
        response = Response(reply.body, reply.status, mimetype="application/octet-stream")
    else:
        response = jsonify(reply.body)
        response.status_code = reply.status
    response.headers.update(reply.headers)
    return response


def _cut(answer: Response) -> Response:
    """The first half of an answer that announces all of it: here the connection ends with the body."""
    whole = answer.get_data()
    answer.set_data(whole[: len(whole) // 2])
    answer.headers["Content-Length"] = str(len(whole))
    return answer


class _KeepEncodedSlashes:
    """WSGI step that lets `group%2Fproject` be one part of the path."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        raw = environ["RAW_URI"].split("?", 1)[0]
        marked = raw.replace("%2F", SLASH).replace("%2f", SLASH)
        environ["PATH_INFO"] = unquote_to_bytes(marked).decode("latin-1")
        return self._app(environ, start_response)


def build(desk: Desk) -> Flask:
    """Build the app with every registered API route."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.url_map.merge_slashes = False

    def view(route: Route) -> Callable[..., Response]:
        return lambda **path_args: desk.answer(route, path_args)

    for route in ROUTES:
        app.add_url_rule(
            API + route.rule, f"{route.method} {route.rule}", view(route), methods=[route.method], provide_automatic_options=False
        )

    def unknown(**_path: str) -> Response:
        return desk.answer(None, {})

    everything = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    app.add_url_rule(f"{API}/<path:rest>", "unknown", unknown, methods=everything, provide_automatic_options=False)
    app.config["STORE"] = desk.store
    app.wsgi_app = _KeepEncodedSlashes(app.wsgi_app)  # type: ignore[method-assign]  # the documented way to add a WSGI step
    return app


class _Handler(WSGIRequestHandler):
    """Quiet, and its clock goes as wrong as the instance's."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        ahead: timedelta = self.server.app.config["STORE"].skew  # type: ignore[attr-defined]
        return super().date_time_string((timestamp or time.time()) + ahead.total_seconds())

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002, ANN401 - the base class's own signature
        logging.getLogger(__name__).debug("%s %s", type, message % args)


class Server:
    """The listening socket and its thread."""

    def __init__(self, app: Flask) -> None:
        self._server: BaseWSGIServer = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, name="forge", daemon=True)

    @property
    def url(self) -> str:
        """The address it listens on."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and give the port back."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
