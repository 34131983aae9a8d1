"""What the edge is measured against, each served as `alur web` serves it, and the waitress of `alur serve` without its workers.

    python -m tests.bench.edges limit|usual|packit|waitress|waitress-limit

The settings are those of the service. None of these keeps anything on disk, but `waitress`.
"""

import hashlib
import hmac
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

from celery import Celery
from flask import Flask, Response, jsonify, request
from granian import Granian
from granian.constants import Interfaces
from prometheus_client import Counter

from integration import logs, signatures
from integration.clock import utc_now
from integration.codec import Json
from integration.parts import Parts
from integration.settings import Settings
from integration.store import Arrival, Kept, Outcome
from sync.serve import Web
from sync.wiring import Service
from webhooks.app import front
from webhooks.front import PAGES, Front


class OnlyCounts:
    """Stands where the store stands: numbers the cases and forgets them."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def keep_together(self, arrivals: Sequence[Arrival]) -> list[Outcome]:
        """The answers the store would give to what is new."""
        return [self._opened(*arrival.opens) for arrival in arrivals if arrival.opens]

    def enter(self, arrival: Arrival) -> Outcome:
        """The same, for one that comes by a thread."""
        (outcome,) = self.keep_together([arrival])
        return outcome

    def _opened(self, prefix: str, year: int, answer: Callable[[str], Json]) -> Kept:
        return Kept(answer(f"{prefix}-{year}-{next(self._numbers):06d}"), fresh=True)


def limit() -> Front:
    """Our own edge without a database: it verifies, validates, rings and answers."""
    settings = Settings.read()
    logs.configure(settings.log_level, settings.every_secret)
    return front(replace(Parts.of(settings), store=OnlyCounts()))


def usual() -> Flask:
    """The usual pattern: verify, hand over to the broker, answer. The form is not validated and no result is asked for."""
    settings = Settings.read()
    logs.configure(settings.log_level, settings.every_secret)
    keys = [signatures.Secret.parse(secret.get_secret_value()) for secret in settings.portal_secrets]
    broker = Celery("usual", broker=settings.broker_url.get_secret_value())
    app = Flask(__name__)

    @broker.task(ignore_result=True)
    def work_off(message: Json) -> None:
        """Nobody does: only what the edge does is measured."""

    @app.post("/webhooks/layanan")
    def layanan() -> tuple[Response, int]:
        verdict = signatures.verify(keys, dict(request.headers), request.get_data(), utc_now())
        if verdict is not signatures.Verdict.OK:
            return jsonify(pesan=verdict.value), 401
        task = work_off.delay(request.get_json())
        return jsonify(id=task.id), 202

    return app


def packit() -> Flask:
    """What packit-service calls for a hook of GitHub, in order, over its Celery settings: a result backend, an event for each task sent.

    Left out, in its favour: Flask-RESTX around the view, Sentry, and the access log.
    """
    settings = Settings.read()
    logging.basicConfig(level=logging.INFO)
    log = logging.getLogger("packit")
    log.setLevel(logging.DEBUG)
    secret = signatures.Secret.parse(settings.portal_secrets[0].get_secret_value()).key
    broker = settings.broker_url.get_secret_value()
    celery = Celery(broker=broker, backend=os.environ["BACKEND"])
    celery.conf.update(task_default_queue="short-running", worker_send_task_events=True, task_send_sent_event=True)
    calls = Counter("github_webhook_calls", "Calls of the hook", ["result", "process_id"])
    app = Flask(__name__)

    def interesting() -> bool:
        """Whether this kind of event is one that is worked on."""
        event, content = request.headers.get("X-GitHub-Event"), request.json
        known = {"push": not content.get("deleted"), "release": content.get("action") == "published"}.get(event, False)
        log.debug("%s %s", event, request.headers.get("X-GitHub-Delivery"))
        return known

    @app.post("/webhooks/layanan")
    def github() -> tuple[Response, int]:
        message = request.json
        if not message or all(message.get(name) for name in ("zen", "hook_id", "hook")):
            return jsonify("no event"), 400
        offered = request.headers["X-Hub-Signature-256"].split("=")[1]
        if not hmac.compare_digest(offered, hmac.new(secret, msg=request.get_data(), digestmod=hashlib.sha256).hexdigest()):
            return jsonify("wrong signature"), 401
        if not interesting():
            return jsonify("nothing for us"), 200
        event = {"event": message, "source": "github", "event_type": request.headers.get("X-GitHub-Event")}
        celery.send_task(name="task.steve_jobs.process_message", kwargs=event)
        calls.labels(result="accepted", process_id=os.getpid()).inc()
        return jsonify("accepted"), 202

    return app


def serve(app: str) -> None:
    """Serve one of these until told to stop, with the settings `alur web` gives the same server."""
    host, port = Settings.read().bind
    Granian(
        f"tests.bench.edges:{app}",
        address=host,
        port=port,
        interface=Interfaces.ASGI if app == "limit" else Interfaces.WSGI,
        factory=True,
        workers=1,
        blocking_threads=1 if app == "limit" else PAGES,
        websockets=False,
        log_dictconfig={"loggers": {"_granian": {"propagate": True}}},
    ).serve()


def serve_by_waitress(*, keeps: bool) -> None:
    """The web side of `alur serve`, alone: its workers would need a platform, and their work is in another table."""
    settings = Settings.read()
    logs.configure(settings.log_level, settings.every_secret)
    parts = Parts.of(settings)
    if keeps:
        parts.store.migrate()
    else:
        parts = replace(parts, store=OnlyCounts())
    Web(Service(parts), settings.bind).run()


if __name__ == "__main__":
    if sys.argv[1].startswith("waitress"):
        serve_by_waitress(keeps=sys.argv[1] == "waitress")
    else:
        serve(sys.argv[1])
