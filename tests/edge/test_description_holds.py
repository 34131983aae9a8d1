"""The running edge keeps what its description promises: schemathesis sends it all that the description allows and much that it forbids.

Each request that would be in order but for its signature is signed on its way, so that what lies behind the signature answers.
"""

import base64
import hashlib
import io
import itertools
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.engine import events, from_schema

from integration.clock import utc_now
from integration.neutral import clean
from integration.parts import Parts
from integration.signatures import Secret, sign
from tests.edge.portal import HOOK_TOKEN, SECRET
from webhooks.app import create_app

TO_SIGN = "v1,belum"
EXAMPLES = 10  # of each operation, beside the boundaries


def signing(app: Callable[..., Any]) -> Callable[..., Any]:
    """The application behind somebody who signs what comes unsigned: under an id not used before, now, unless either is a bad one."""
    numbers = itertools.count()

    def signed(environ: dict[str, Any], start: object) -> object:
        if environ.get("HTTP_WEBHOOK_SIGNATURE") == TO_SIGN:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            id_, at = environ.get("HTTP_WEBHOOK_ID", ""), environ.get("HTTP_WEBHOOK_TIMESTAMP", "")
            if re.fullmatch(r"[!-~]{1,256}", id_):
                id_ = environ["HTTP_WEBHOOK_ID"] = f"msg_{next(numbers)}"
            if re.fullmatch(r"[0-9]+", at):
                at = environ["HTTP_WEBHOOK_TIMESTAMP"] = str(int(utc_now().timestamp()))
                environ["HTTP_WEBHOOK_SIGNATURE"] = sign(Secret.parse(SECRET), id_, int(at), body)
            environ["wsgi.input"] = io.BytesIO(body)
        return app(environ, start)

    return signed


class Credentials:
    """What whoever may ask brings along: GitLab its token, the portal a signature still to be made."""

    def get(self, _case: schemathesis.Case, _context: Any) -> dict[str, str]:
        return {"webhook-id": "msg", "webhook-timestamp": "1", "webhook-signature": TO_SIGN}

    def set(self, case: schemathesis.Case, signed: dict[str, str], context: Any) -> None:
        case.headers.update({"X-Gitlab-Token": HOOK_TOKEN} if context.operation.path == "/webhooks/gitlab" else signed)


OF_OUR_TIME = st.datetimes(datetime(1900, 1, 2), datetime(2099, 12, 30), timezones=st.just(UTC)).map(datetime.isoformat)  # noqa: DTZ001
SHAPED = {"telepon": (30, "021 555 0101"), "jenis": (127, "text/plain"), "url": (2048, "https://siakad.kampus.example")}
"""Texts whose form is described in words: how long they may be, and one in order."""


def named(part: dict[str, Any]) -> dict[str, Any]:
    """The fields of a part, each filled in as its name asks."""
    whole = {name: filled_in(value) for name, value in part.items()}
    shaped = {name: good for name, (longest, good) in SHAPED.items() if isinstance(whole.get(name), str) and len(whole[name]) <= longest}
    file = {"nama": re.sub(r"[/\\]", "-", whole["nama"])} if "ukuran" in whole and isinstance(whole.get("nama"), str) else {}
    return {**whole, **shaped, **file}


def filled_in(part: Any) -> Any:
    """The part of a body as somebody fills it in who knows what a schema cannot say.

    No text is blank, a file has its own size and hash and is somewhere, a form is finished after it was begun.
    """
    match part:
        case str():
            return part if not part or clean(part).strip() else "x"
        case list():
            return [filled_in(each) for each in part]
        case {"ukuran": int(), "nama": str(), "isi": str(isi)}:
            content = isi.encode("utf-8", "surrogatepass")
            told = {"isi": base64.b64encode(content).decode(), "ukuran": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            return named({**part, **told})
        case {"ukuran": int(), "nama": str()}:
            return named({**part, "url": part.get("url") or "https://portal.kampus.example/berkas"})
        case {"mulai": str(begun), "selesai": str(finished)}:
            return {**part, "mulai": min(begun, finished), "selesai": max(begun, finished)}
        case dict():
            return named(part)
    return part


@schemathesis.hook
def before_call(context: Any, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Fill the portal's messages in before they are sent."""
    if case.operation.path == "/webhooks/layanan":
        case.body = filled_in(case.body)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
def test_whatever_is_sent_is_answered_as_described(settings):
    parts = Parts.of(settings)
    parts.store.migrate()
    app = create_app(parts)
    app.wsgi_app = signing(app.wsgi_app)
    described = schemathesis.openapi.from_wsgi("/openapi.json", app)
    described.auth()(Credentials)
    described.config.checks.update(excluded_check_names=["ignored_auth"])  # test_routes.py asks that, and knows who is answered 400
    accepted = described.config.checks.positive_data_acceptance
    accepted.expected_statuses = [*accepted.expected_statuses, "410"]  # cursors are given, and those guessed are never current
    described.config.generation.update(max_examples=EXAMPLES, deterministic=True)
    schemathesis.openapi.format("date-time", OF_OUR_TIME)
    answers, faults = Counter(), []
    for event in from_schema(described).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            faults.append(str(event))
        if isinstance(event, events.ScenarioFinished):
            told = event.recorder
            answers.update((told.label, sent.response.status_code) for sent in told.interactions.values() if sent.response)
            failed = (check for checks in told.checks.values() for check in checks if check.failure_info)
            faults += [f"{told.label}: {c.name}: {c.failure_info.failure} {c.failure_info.code_sample}" for c in failed]
    parts.store.close()
    assert faults == []
    assert answers["POST /webhooks/layanan", 202] > 50
    assert {answer for _, answer in answers} >= {200, 202, 400, 401, 404, 405, 410, 415, 422}
    assert {label for label, answer in answers if answer == 200} >= {"GET /layanan/pengaduan", "GET /layanan/pengaduan/{tiket}"}
