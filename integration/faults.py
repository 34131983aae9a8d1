"""The two kinds of failure of outside work. An adapter maps whatever its library raises to one of them.

Whatever is neither is a fault of the programme: only the worker loop catches it, and keeps its traceback in the row.
"""

from datetime import timedelta

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=30)


class Transient(Exception):
    """It may work later: time-outs, dropped connections, 429, 5xx. `retry_after`: the pause the other side asked for."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(Transient):
    """429: the other side has had enough of us, of all workers together. `of`: what of, a name of integration.store.quotas."""

    def __init__(self, message: str, *, retry_after: timedelta, of: str) -> None:
        super().__init__(message, retry_after=retry_after)
        self.of = of


class NeedsOperator(Transient):
    """It will work, for this row as for all others, once somebody has put right what is no row's fault: a token, a project, a disk.

    `remedy`: what is wrong and where to look, in words of our own, fit for a log; it is told at each attempt.
    """

    def __init__(self, message: str, *, remedy: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.remedy = remedy


class Permanent(Exception):
    """This row will not work until a person changes something: rights, a removed issue, a refused request."""


def pause(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts (from 1): 2 s, doubling, at most half an hour."""
    doublings = min(max(attempts, 1) - 1, 16)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
