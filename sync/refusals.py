"""What GitLab's refusals and odd answers ask of us: to try again later, to wait for an operator, or to set the row aside.

What is refused to all of us alike is no row's fault: such rows wait and go on by themselves, and nothing is parked because of it.
"""

import re
from datetime import timedelta

from integration.faults import Failure, NeedsOperator, Permanent, RateLimited, Transient
from integration.store import ALL, ISSUES, NOTES

WITHOUT_HINT = timedelta(seconds=60)  # pause after a 429 that names none, as issue creation answers it (behaviour.md 5.1)
TOLD = timedelta(minutes=5)  # pause after what an operator has to put right
LONGEST_AT_WORK = timedelta(seconds=60)  # GitLab gives up a request after this: whatever a POST left unanswered leads to is there by then
BUSY = frozenset({408, 500, 502, 503, 504})
ANSWERED = frozenset({409, 500, 503})  # by GitLab, which is done with it; what else is busy may be a proxy, and GitLab at work still


class Gone(Permanent):
    """What was asked for is not there, or not for us."""


class AlreadyThere(Permanent):
    """It is so already."""


class Forbidden(Permanent):
    """We may not do this here."""


class Shut(NeedsOperator):
    """GitLab does nothing, or nothing of the kind, for anybody in our place."""

    def __init__(self, message: str, remedy: str, failure: Failure = Failure.CLOSED) -> None:
        super().__init__(message, failure, remedy=remedy, retry_after=TOLD)


class TokenRefused(Shut):
    """Our token has expired, was revoked or does not reach: all waits until the service is given another."""

    def __init__(self, message: str) -> None:
        remedy = "GitLab refuses our token: put one with scope api into ALUR_GITLAB_TOKEN and start the service again"
        super().__init__(message, remedy, Failure.TOKEN)


class ProjectShut(Shut):
    """The project is archived, gone, or not ours to work in."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "the project is archived, gone or not ours to write in: open it, or make our account Maintainer there")


class NotUnderstood(NeedsOperator):
    """An answer that is none of GitLab's as we know it: from something between, which will pass, or from another release.

    What was asked for may be done all the same, by GitLab behind it.
    """

    def __init__(self, message: str) -> None:
        remedy = (
            "GitLab's answers are not understood: look for a proxy or a page in its place; after an update of GitLab, update the service"
        )
        super().__init__(message, Failure.FOREIGN, remedy=remedy, retry_after=LONGEST_AT_WORK)


def meaning(request: str, code: int, said: str, pause: timedelta | None) -> Exception:
    """What an error answer to `request` ("POST /projects/7/issues") asks of us (behaviour.md 4 "Errors" and 5.1).

    `code`: its status, 0 for a change that was not sent after a redirect, for it would arrive as a question. `pause`: that which the answer
    asks for, None where it asks for none.
    """
    told = f"{request}: {code} {said.removeprefix(f'{code} ')[:500]}"
    match code:
        case 0:
            return Shut(told, "GitLab is at another address, or takes no changes now: look at ALUR_GITLAB_URL", Failure.DOWN)
        case 401:
            return TokenRefused(told)
        case 403 if "insufficient_scope" in said:
            return TokenRefused(told)
        case 403 if "read-only" in said:
            return Shut(told, "GitLab takes no changes now: it is in read-only mode", Failure.DOWN)
        case 403:
            return Forbidden(told, Failure.RIGHTS)
        case 404:
            return Gone(told, Failure.GONE)
        case 429:
            return RateLimited(told, retry_after=WITHOUT_HINT if pause is None else pause, of=_spent(request))
        case _ if code in BUSY or code > 504 or (code == 409 and "Resource lock" in said):  # noqa: PLR2004 -- 52x: a proxy's; 409 has three meanings
            at_work = request.startswith("POST ") and code not in ANSWERED
            return Transient(told, Failure.DOWN, retry_after=max(pause or timedelta(), LONGEST_AT_WORK) if at_work else pause)
        case 409:
            return AlreadyThere(told, Failure.REFUSED)
    return Permanent(told, Failure.REFUSED)


def _spent(request: str) -> str:
    """Which quota a refused request has used up: new notes and new issues have limits of their own (behaviour.md 5.1)."""
    return NOTES if re.fullmatch(r"POST .*/notes", request) else ISSUES if re.fullmatch(r"POST .*/issues", request) else ALL
