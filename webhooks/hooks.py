"""Where GitLab calls: `POST /webhooks/gitlab`. A hook only says "look"; what it claims is never believed.

Everything authentic is kept and answered 200, whether it concerns a case or not (contract.md, "Platform -> service").
"""

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from functools import partial

from flask import Response

from integration import logs, signatures, tracing
from integration.payloads import OURSELVES, OWN, Ignored, ourselves, read_hook
from integration.signatures import IDENTIFIER
from integration.store import Arrival, Conflict, Delivery, Kept
from webhooks.calls import Taking
from webhooks.edge import Edge, delivery_id

PATH = "/webhooks/gitlab"
KEPT_HEADERS = ("X-Gitlab-Event", "Idempotency-Key", "X-Gitlab-Event-UUID", "X-Gitlab-Instance")
log = logging.getLogger(__name__)

ELSEWHERE = "gitlab"
"""The lane of hooks that are about no issue."""


ASKED_AGAIN, SOUGHT_AGAIN = 60.0, 1.0
"""Seconds for which who we are is taken as known, and as not known."""


class Ourselves:
    """Who we are on the platform, as a worker found out; None until one has. Asked of the store now and then."""

    def __init__(self, edge: Edge) -> None:
        self._edge, self._until = edge, 0.0
        self._known: tuple[str, int] | None = None

    @property
    def remembered(self) -> tuple[str, int] | None:
        """Our account and our project's id, where the store need not be asked."""
        return self._known if time.monotonic() < self._until else None

    def __call__(self) -> tuple[str, int] | None:
        """The same, asked where it is time to. Raises StoreDown."""
        now = time.monotonic()
        if now >= self._until:
            self._known = ourselves(self._edge.store.mark(OURSELVES))
            self._until = now + (ASKED_AGAIN if self._known else SOUGHT_AGAIN)
        return self._known


def taken(edge: Edge, ourselves: Ourselves, headers: Mapping[str, str], body: bytes) -> Taking:
    """Keep a hook in the lane of the case it is about, and answer it."""
    with logs.about(delivery=delivery_id(headers)), tracing.span("hook"):
        if not _authentic(edge, headers, body):
            log.warning("refused: not signed as our hook")
            return Response(status=401)
        key, number = _key(headers, body), issue_number(body)
        us = ourselves.remembered or (yield ourselves)
        settled = OWN if us and read_hook(body, own=us[0], project_id=us[1]) == Ignored(OWN) else ""
        ticket = None if settled or number is None else (yield partial(edge.store.ticket_of, number))
        lane = ELSEWHERE if number is None else ticket or f"issue:{number}"
        kept_headers = {name: headers[name.lower()] for name in KEPT_HEADERS if name.lower() in headers}
        kept = yield Arrival(Delivery("gitlab", key, lane, body, kept_headers, settled=settled))
        with logs.about(delivery=key, case=lane):
            match kept:
                case Kept(fresh=True):
                    if not settled:  # of our own doing, nearly half of all, nobody is told
                        edge.bell.ring()
                    log.info("kept")
                case Kept():
                    log.info("repeated")
                case Conflict():
                    log.warning("not kept: another body came under the same id before")
        return Response(status=200)


def issue_number(body: bytes) -> int | None:
    """The number of the issue a hook is about: of an issue hook, or of a note hook on an issue (behaviour.md 1.4)."""
    try:
        payload = json.loads(body)
        issue = payload["issue"] if "issue" in payload else payload["object_attributes"]
        number = issue["iid"] if "issue" in payload or payload["object_kind"] in ("issue", "work_item") else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return number if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 2**31 else None


def _authentic(edge: Edge, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the hook's token is ours and, where the instance signs with a secret we can read, its signature too."""
    told = [secret for secret in edge.hook_secrets if signatures.token_matches(secret, headers.get("x-gitlab-token"))]
    if not told:
        return False
    if signatures.SIGNATURE not in headers or not told[0].startswith("whsec_"):
        return True
    secret = signatures.Secret.parse(told[0])
    return signatures.verify([secret], headers, body, edge.clock()) is signatures.Verdict.OK


def _key(headers: Mapping[str, str], body: bytes) -> str:
    """What tells a hook sent twice: GitLab's own key, else what it is and says (behaviour.md 1.1)."""
    given = headers.get("idempotency-key", "")
    if IDENTIFIER.fullmatch(given):
        return given
    event = headers.get("x-gitlab-event", "")
    return "sha256:" + hashlib.sha256(event.encode() + b"\n" + body).hexdigest()
