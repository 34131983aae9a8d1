"""The edge: the routes, their limits, and what is answered when something is wrong.

No answer says more than the templates do: no stack, no path, no word of the database.
"""

import asyncio
import gc
import logging
from datetime import date, datetime
from functools import partial
from http import HTTPStatus

from babel.dates import format_date, format_datetime
from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge, RequestTimeout

from integration import logs, tracing
from integration.parts import Parts
from integration.settings import Settings
from integration.store import StoreDown
from integration.templates import TEMPLATES
from webhooks import hooks, intake
from webhooks.attached import attached_files
from webhooks.calls import Call, routes
from webhooks.desk import desk_pages
from webhooks.edge import LARGEST_BODY, Edge, delivery_id, failed, for_a_browser, for_nobody_else, headers_here, refusal
from webhooks.entry import entry_pages
from webhooks.front import Front, Keep
from webhooks.health import health
from webhooks.listing import listing
from webhooks.login import Login, login_pages
from webhooks.openapi import openapi
from webhooks.overview import overview
from webhooks.pages import notice
from webhooks.signing import signing_pages
from webhooks.statuspages import status_pages
from webhooks.turn import turn_pages
from webhooks.verification import verification
from webhooks.writing import Writer

SENTENCES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "media_type"}
INDONESIAN = "id"

log = logging.getLogger(__name__)


def create_app(parts: Parts) -> Flask:
    """The edge over these parts; the tables must be there (`Store.migrate`)."""
    app = Flask(__name__, template_folder=str(TEMPLATES / "pages"), static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY + 1  # see edge.whole_body
    edge = Edge(parts)
    app.add_template_filter(lambda day: format_date(date.fromisoformat(day), "d MMMM y", locale=INDONESIAN), "tanggal")
    app.add_template_filter(
        lambda moment: format_datetime(
            datetime.fromisoformat(moment), "EEEE, d MMMM y 'pukul' HH.mm z", tzinfo=edge.calendar.tz, locale=INDONESIAN
        ),
        "tanggal_waktu",
    )
    login = Login(parts)
    login.guard(app)
    for_people = (
        status_pages(edge),
        listing(edge),
        turn_pages(edge),
        verification(edge),
        login_pages(login),
        signing_pages(edge, login),
        desk_pages(edge, login),
        attached_files(edge, login),
        entry_pages(edge, login),
        overview(parts, login),
    )
    for blueprint in (routes(_calls(edge), edge.store), *for_people, openapi(edge), health(parts)):
        app.register_blueprint(blueprint)
    app.register_error_handler(StoreDown, _failed)
    app.register_error_handler(OSError, _failed)
    app.register_error_handler(RequestTimeout, _failed)
    app.register_error_handler(HTTPException, _refused)
    app.after_request(for_nobody_else)
    return app


def front(parts: Parts, keep: Keep | None = None) -> Front:
    """The same for an asynchronous server; `keep`: see Front, in a thread of this process where it is not given."""
    return Front(create_app(parts), _calls(Edge(parts)), keep or (lambda arrivals: asyncio.to_thread(parts.store.keep_together, arrivals)))


def application() -> Front:
    """The edge as the environment describes it: what the server of `alur web` calls in each of its processes."""
    settings = Settings.read()
    logs.configure(settings.log_level, settings.every_secret)
    tracing.configure(settings.traces_url)
    parts = Parts.of(settings)
    parts.store.migrate()
    made = front(parts, Writer(settings).keep_together)
    gc.freeze()  # what is loaded stays: the collector need not walk through it again and again
    return made


def _calls(edge: Edge) -> dict[str, Call]:
    """What programs call."""
    return {intake.PATH: partial(intake.taken, edge), hooks.PATH: partial(hooks.taken, edge, hooks.Ourselves(edge))}


def _failed(fault: Exception) -> Response:
    return failed(fault, headers_here(), _said)


def _refused(refused: HTTPException) -> Response:
    """An answer of the framework's own, in our words."""
    code = refused.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if isinstance(refused, RequestEntityTooLarge):
        with logs.about(delivery=delivery_id(headers_here())):
            log.warning("refused: over the size limit")
    answer = _said(code, SENTENCES.get(code, "internal"))
    if isinstance(refused, MethodNotAllowed) and refused.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(refused.valid_methods))
    return answer


def _said(code: int, sentence: str) -> Response:
    """The same as `refusal`, to people as a page."""
    return notice("trouble", sentence, code) if for_a_browser() else refusal(code, sentence)
