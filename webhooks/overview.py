"""The operator's page, `/`: whether all is well, and what to do where it is not.

It tells what `/metrics` tells, in words, and the numbers of parked rows: nothing of a person or a case, which whoever keeps the service
running need not know. Where people can sign in, they do so first; where nobody can, it is as open as `/metrics`: a proxy keeps it inside.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle

from babel.dates import format_timedelta
from flask import Blueprint, Response
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as AnyResponse

from integration.codec import Json
from integration.faults import Failure
from integration.figures import FINDS, LEFT, MENDED, MESSAGES_REFUSED
from integration.parts import Parts
from integration.store import Parked, StoreDown, Waiting
from integration.templates import messages
from integration.vitals import Recurring, Vitals, age
from webhooks.login import Login
from webhooks.pages import notice, page

MOST_ROWS = 25
"""Parked rows that are listed of each side; the command line has the others."""

PATIENCE = {  # seconds since it was done last, from which on it counts as standing still; as deploy/prometheus/alur.rules.yaml
    Recurring.TICK: 180.0,
    Recurring.SWEEP: 900.0,
    Recurring.NIGHT: 129_600.0,
}
WORK_WAITS = 300.0  # seconds after which work that no worker takes is trouble


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that is not well: what, and what to do about it."""

    what: str
    fix: str


def overview(parts: Parts, login: Login) -> Blueprint:
    """The page."""
    pages = Blueprint("overview", __name__)

    def look() -> Response:
        try:
            return _shown(parts)
        except StoreDown:
            return notice("overview", "overview_no_store", 503)

    guarded: Callable[[], AnyResponse] = login.required(look) if login.open else look
    pages.add_url_rule("/", "look", guarded)
    pages.add_app_template_filter(_commands, "perintah")
    return pages


def _shown(parts: Parts) -> Response:
    vitals, store = Vitals.of(parts), parts.store
    parked = store.parked(MOST_ROWS)
    counted = {family.name: family.read(vitals.counts) for family in (MENDED, LEFT, FINDS, MESSAGES_REFUSED)}
    words = messages("overview")
    return page(
        "keadaan.html",
        now=store.clock().isoformat(),
        concerns=list(_concerns(vitals)),
        words=words,
        sides=[
            {"name": side.side, "waiting": side.waiting, "parked": side.parked, "oldest": _long(age(store, side.oldest))}
            for side in vitals.sides
        ],
        work_waits=_long(vitals.work_waits or None),
        parked=[_row(parts, row) for row in parked],
        more=sum(side.parked for side in vitals.sides) - len(parked),
        recurring=[(words[f"work_{work}"], _ago(seconds)) for work, seconds in vitals.recurring.items()],
        hook=_ago(vitals.hook_age),
        lost=sum(counted[FINDS.name].values()),
        mended=[(words.get(f"drift_{what}", what), n) for (what,), n in sorted(counted[MENDED.name].items())],
        left=sum(counted[LEFT.name].values()),
        refused=sum(counted[MESSAGES_REFUSED.name].values()),
        cases=sorted(vitals.cases.items()),
    )


def _concerns(vitals: Vitals) -> Iterator[Concern]:
    """What is not well, what keeps everything from going on first."""
    words = messages("overview")

    def concern(key: str, **values: object) -> Concern:
        return Concern(words[key].format(**values), words[f"{key}_fix"].format(**values))

    if vitals.work_waits > WORK_WAITS:
        yield concern("no_worker", time=_long(vitals.work_waits))
    for work, seconds in vitals.recurring.items():
        if seconds is not None and seconds > PATIENCE[work]:
            yield concern(f"stopped_{work}", time=_long(seconds))
    for side in vitals.sides:
        if side.parked:
            yield concern("parked", n=side.parked, side=side.side)
        yield from _failing(side)
    if vitals.faults:
        yield concern("organisation", n=vitals.faults)
    for vacancy in vitals.vacancies:
        yield concern("vacant", role=vacancy.role.name, n=vacancy.cases)


def _failing(side: Waiting) -> Iterator[Concern]:
    """What is tried again on one side; not what only waits for its turn."""
    words, faults = messages("overview"), messages("faults")
    for (state, failure), n in sorted(side.failing.items()):
        if state == "waiting" and failure not in (Failure.WAITS, Failure.LIMIT):
            known = failure if failure in faults else Failure.OTHER
            yield Concern(words["failing"].format(n=n, side=side.side, cause=faults[known]), faults[f"{known}_fix"])


def _row(parts: Parts, row: Parked) -> Json:
    """A parked row: its number, since when, and why; the command line tells the rest."""
    faults = messages("faults")
    known = row.failure if row.failure in faults else Failure.OTHER
    return {"side": row.side, "id": row.id, "since": _ago(age(parts.store, row.since)), "tries": row.attempts, "cause": faults[known]}


def _commands(text: str) -> Markup:
    """A sentence of ours with its commands, between backquotes, set as what is to be typed."""
    parts = (
        Markup("<code>{}</code>").format(part) if typed else escape(part) for part, typed in zip(text.split("`"), cycle((False, True)))
    )
    return Markup().join(parts)


def _ago(seconds: float | None) -> str:
    """How long ago something was, in words."""
    words = messages("overview")
    if seconds is None:
        return words["never"]
    return words["just_now"] if seconds < 1 else words["ago"].format(time=_long(seconds))


def _long(seconds: float | None) -> str:
    """A span of time in words; "" for none."""
    return format_timedelta(timedelta(seconds=round(seconds)), threshold=1.5, locale="id") if seconds is not None else ""
