"""The edge: the routes, their limits, and what is answered when something is wrong.

No answer says more than the templates do: no stack, no path, no word of the database.
"""

import gc
import logging
from datetime import date, datetime
from http import HTTPStatus

from babel.dates import format_date, format_datetime
from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from integration import logs, tracing
from integration.parts import Parts, secrets
from integration.settings import Settings
from integration.store import StoreDown
from integration.templates import TEMPLATES
from webhooks.attached import attached_files
from webhooks.desk import desk_pages
from webhooks.edge import LARGEST_BODY, Edge, delivery_id, for_a_browser, refusal, unavailable
from webhooks.entry import entry_pages
from webhooks.health import health
from webhooks.hooks import hooks
from webhooks.intake import intake
from webhooks.listing import listing
from webhooks.login import Login, login_pages
from webhooks.openapi import openapi
from webhooks.overview import overview
from webhooks.pages import notice
from webhooks.signing import signing_pages
from webhooks.statuspages import status_pages
from webhooks.turn import turn_pages
from webhooks.verification import verification

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
    for routes in (intake(edge), hooks(edge), *for_people, openapi(edge), health(parts)):
        app.register_blueprint(routes)
    app.register_error_handler(StoreDown, _store_down)
    app.register_error_handler(OSError, _disk_down)
    app.register_error_handler(HTTPException, _refused)
    app.after_request(_for_nobody_else)
    return app


def application() -> Flask:
    """The edge as the environment describes it: what the WSGI server of `alur web` calls in each of its processes."""
    settings = Settings.read()
    logs.configure(settings.log_level, secrets(settings))
    tracing.configure(settings.traces_url)
    parts = Parts.of(settings)
    parts.store.migrate()
    app = create_app(parts)
    gc.freeze()  # what is loaded stays: the collector need not walk through it again and again
    return app


def _store_down(fault: Exception) -> Response:
    with logs.about(delivery=delivery_id()):
        log.error("the store is down: %s", fault)
    return unavailable()


def _disk_down(fault: Exception) -> Response:
    with logs.about(delivery=delivery_id()):
        log.error("the data folder takes nothing: %s", type(fault).__name__)
    return unavailable()


def _refused(refused: HTTPException) -> Response:
    """An answer of the framework's own, in our words."""
    code = refused.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if isinstance(refused, RequestEntityTooLarge):
        with logs.about(delivery=delivery_id()):
            log.warning("refused: over the size limit")
    sentence = SENTENCES.get(code, "internal")
    answer = notice("trouble", sentence, code) if for_a_browser() else refusal(code, sentence)
    if isinstance(refused, MethodNotAllowed) and refused.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(refused.valid_methods))
    return answer


def _for_nobody_else(answer: Response) -> Response:
    """Nothing here is for caches, and no address here, which may hold a token, is for other sites."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
