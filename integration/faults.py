"""The two kinds of failure of outside work, and that of the store. An adapter maps whatever its library raises to one of them.

Whatever is neither is a fault of the programme: only the worker loop catches it, and keeps its traceback in the row.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=30)
A_DAY, LONGEST_NUMBER = timedelta(days=1), 9  # digits; more than a day is asked for by mistake, and shortened again by the drain


class Failure(StrEnum):
    """Why something failed, as far as it tells an operator what to do: each is a sentence in templates/messages/faults.yaml, with its mend.

    Kept in the row that failed, so that nobody ever has to read it out of an error's words.
    """

    DOWN = "down"  # GitLab does not answer, or answers 5xx
    LIMIT = "limit"  # 429
    TOKEN = "token"  # 401  # noqa: S105 -- a word, no secret
    CLOSED = "closed"  # the project or its issues are not ours to read
    RIGHTS = "rights"  # 403
    GONE = "gone"  # 404
    REFUSED = "refused"  # any other 4xx
    HOOK = "hook"  # GitLab takes no webhook to our address
    FOREIGN = "foreign"  # an answer of a GitLab that behaves as none we know
    PORTAL_DOWN = "portal_down"
    PORTAL = "portal"  # the portal refused a callback
    MAIL_DOWN = "mail_down"
    MAIL = "mail"  # the mail server refused
    PROCEDURE = "procedure"  # the revision a case goes by is not loaded
    UNREADABLE = "unreadable"  # written by another release
    STRAY = "stray"  # about a case or a paper that is none
    TEMPLATE = "template"  # a text or a paper cannot be made of its template
    NUMBER = "number"  # the number a paper would get is another's
    SYSTEM = "system"  # the operating system refused, a full disk above all
    PROGRAMME = "programme"
    WAITS = "waits"  # nothing failed: it is not time yet
    OTHER = "other"  # nobody said


class Transient(Exception):
    """It may work later: time-outs, dropped connections, 429, 5xx. `retry_after`: the pause the other side asked for."""

    def __init__(self, message: str, failure: Failure = Failure.OTHER, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.failure = failure
        self.retry_after = retry_after


class RateLimited(Transient):
    """429: the other side has had enough of us, of all workers together. `of`: what of, a name of integration.store.quotas."""

    retry_after: timedelta

    def __init__(self, message: str, *, retry_after: timedelta, of: str) -> None:
        super().__init__(message, Failure.LIMIT, retry_after=retry_after)
        self.of = of


class NeedsOperator(Transient):
    """It will work, for this row as for all others, once somebody has put right what is no row's fault: a token, a project, a disk.

    `remedy`: what is wrong and where to look, in words of our own, fit for a log; it is told at each attempt.
    """

    def __init__(self, message: str, failure: Failure, *, remedy: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message, failure, retry_after=retry_after)
        self.remedy = remedy


class Permanent(Exception):
    """This row will not work until a person changes something: rights, a removed issue, a refused request."""

    def __init__(self, message: str, failure: Failure = Failure.OTHER) -> None:
        super().__init__(message)
        self.failure = failure


class StoreDown(Exception):
    """The database cannot be reached, is locked or full. Nothing was kept."""


def pause(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts (from 1): 2 s, doubling, at most half an hour."""
    doublings = min(max(attempts, 1) - 1, 16)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def asked_pause(retry_after: str, now: datetime) -> timedelta | None:
    """The pause a `Retry-After` asks for, in seconds or until a date (RFC 9110); None where it says neither. `now`: by the date's clock."""
    if retry_after.isascii() and retry_after.isdecimal():
        return min(timedelta(seconds=int(retry_after[:LONGEST_NUMBER])), A_DAY)
    try:
        until = parsedate_to_datetime(retry_after)
        until = until if until.tzinfo else until.replace(tzinfo=UTC)  # the oldest form of a date names no zone, and means this one
        return min(max(until - now, timedelta(0)), A_DAY)
    except (ValueError, OverflowError):
        return None
