"""What every route of the edge works with, and the few ways it says no.

A view verifies, keeps, answers; it decides nothing and calls nobody, but for the platform when somebody signs in, and BSrE when somebody
signs a paper.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import date, datetime

from flask import Response, request
from pydantic import SecretStr
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

from integration import logs
from integration.codec import Json, canonical
from integration.forms import Form
from integration.links import Links
from integration.parts import Parts
from integration.procedure.offices import Organisation, WorkCalendar
from integration.signatures import ID, IDENTIFIER, Secret, Verdict, verify
from integration.store import Arrival, Delivery, Outcome, Restraint, StoreDown
from integration.templates import messages

LARGEST_BODY = 32 * 1024 * 1024
"""Bytes (contract.md)."""

RETRY_AFTER = 5
"""Seconds after which what could not be kept may be sent again."""

log = logging.getLogger(__name__)


class Edge:
    """The parts the routes share, and the portal's and GitLab's secrets. The first of `secrets` signs, all of them count."""

    def __init__(self, parts: Parts) -> None:
        self.store = parts.store
        self.files = parts.files
        self.bell = parts.bell
        self.clock = parts.clock
        self.procedures = parts.procedures
        self.forms = tuple(dict.fromkeys(procedure.form for procedure in parts.procedures))
        self._rotation = parts.rotation
        self._in_force = parts.in_force

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The portal's, those in force now."""
        return tuple(Secret.parse(secret) for secret in self._rotation.now.secrets("portal_secrets"))

    @property
    def hook_secrets(self) -> tuple[str, ...]:
        """What GitLab may call us with: the secret in force, and the one before until it is told (`alur provision`)."""
        now, before = self._rotation.now, self._rotation.before
        return tuple(dict.fromkeys(settings.gitlab_webhook_secret.get_secret_value() for settings in (now, before)))

    @property
    def bsre_credentials(self) -> SecretStr | None:
        """For the client service of the national CA; None: nobody signs through it."""
        return self._rotation.now.bsre_credentials

    @property
    def links(self) -> Links:
        """Our addresses, by the secret in force."""
        return Links.of(self._rotation.now)

    @property
    def organisation(self) -> Organisation:
        """The organisation in force now; take it once for what must not change half way."""
        return self._in_force.now

    @property
    def today(self) -> date:
        """The day it is where the centre is."""
        return self.clock().astimezone(self.calendar.tz).date()

    def works_here(self, account: str) -> bool:
        """Whether this account holds an office today, or is a programmer's: who may see what is confidential."""
        organisation = self.organisation
        return bool(organisation.offices_of(account, self.today)) or organisation.programmer(account) is not None

    @property
    def calendar(self) -> WorkCalendar:
        """The working time in force now."""
        return self._in_force.now.calendar

    @property
    def centre(self) -> str:
        """What the centre calls itself on its papers."""
        return self._in_force.now.letterhead.unit

    def day(self, moment: datetime) -> str:
        """The day of a moment, where the centre is, as ISO 8601."""
        return moment.astimezone(self.calendar.tz).date().isoformat()

    def moment(self, moment: datetime) -> str:
        """A moment by the clocks of the centre, as ISO 8601 to the second."""
        return moment.astimezone(self.calendar.tz).isoformat(timespec="seconds")

    def open_case(self, form: Form, key: str, body: bytes, headers: Json) -> Outcome:
        """Keep a form, which opens a case. Raises OSError, StoreDown."""
        self.make_room(form)
        return self.store.enter(self.opening(form, key, body, headers))

    def opening(self, form: Form, key: str, body: bytes, headers: Json) -> Arrival:
        """A form on its way: it opens a case of the newest procedure with such a form."""
        prefix = next(procedure.prefix for procedure in reversed(self.procedures) if procedure.form == form.kode)
        return Arrival(Delivery("portal", key, "", body, headers), (prefix, self.today.year, self.links.accepted))

    def is_form_of(self, form: Form, ticket: str) -> bool:
        """Whether a case of this ticket's procedure is opened with such a form."""
        prefix = ticket.partition("-")[0]
        return any((procedure.prefix, procedure.form) == (prefix, form.kode) for procedure in self.procedures)

    def restricted(self, ticket: str) -> bool:
        """Whether nothing of the case may be handed out, because somebody its data is about asked for that."""
        return any(one.kind == Restraint.RESTRICTION for one in self.store.restrained(ticket))

    def make_room(self, form: Form) -> None:
        """Take no form with files while the folder they will go to takes none. Raises OSError."""
        if brings_files(form):
            self.files.probe()


def brings_files(form: Form) -> bool:
    """Whether the form has files in it, and not only where they are."""
    return any(file.isi is not None for file in form.lampiran)


def for_a_browser() -> bool:
    """Whether whoever asks would rather have a page than JSON."""
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def whole_body() -> bytes:
    """The request's body. Raises RequestEntityTooLarge for one over the limit, also where its length was not announced.

    The framework stops reading such a body at its own limit without a word; so that limit is set one byte further than ours.
    """
    body = request.get_data(cache=False)
    if len(body) > LARGEST_BODY:
        raise RequestEntityTooLarge
    return body


def headers_here() -> dict[str, str]:
    """The headers of the request at hand, by their names in small letters."""
    return {name.lower(): value for name, value in request.headers}


def delivery_id(headers: Mapping[str, str]) -> str:
    """The id under which this message came, "" where it came with none that can be one: for the logs."""
    given = headers.get(ID, headers.get("idempotency-key", "")).strip()
    return given if IDENTIFIER.fullmatch(given) else ""


def unsigned(edge: Edge) -> tuple[int, str] | None:
    """Why this request without a body is not signed as the portal signs: the status and sentence of the refusal; None where it is."""
    verdict = verify(edge.secrets, dict(request.headers), b"", edge.clock())
    if verdict is Verdict.OK:
        return None
    return (400, "header_missing") if verdict is Verdict.MISSING else (401, "unauthorized")


def refusal(status: int, sentence: str) -> Response:
    """A short answer in Indonesian; `sentence` is a key of templates/messages/edge.yaml."""
    return told({"pesan": messages("edge")[sentence]}, status)


def told(content: Json, status: int) -> Response:
    """An answer for a program."""
    return Response(canonical(content), status, mimetype="application/json")


def failed(fault: Exception, headers: Mapping[str, str], say: Callable[[int, str], Response] = refusal) -> Response:
    """The answer to whom a fault of ours, or of what we stand on, or their own slowness kept from being served; `say`: see refusal."""
    sentence = "unavailable"
    with logs.about(delivery=delivery_id(headers)):
        match fault:
            case StoreDown():
                log.error("the store is down: %s", fault)
            case RequestTimeout():
                log.warning("left: the body did not come to its end in time")
                sentence = "too_slow"
            case OSError():
                log.error("the data folder takes nothing: %s", type(fault).__name__)
            case _:
                log.error("a fault of the programme", exc_info=fault)
                return say(500, "internal")
    answer = say(503, sentence)  # nothing was kept; a 4xx would be final to a portal, and whoever sends it again is taken
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer


def for_nobody_else(answer: Response) -> Response:
    """Nothing here is for caches, and no address here, which may hold a token, is for other sites."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
