"""The time of day, passed everywhere as a function, so that tests and the demo may let weeks pass in seconds."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present as an aware datetime in UTC."""


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)
