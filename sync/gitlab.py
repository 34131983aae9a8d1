"""The platform's client: every request this service makes to GitLab, and nothing else.

GitLab drops silently what it may not or will not do: no answer is believed before it is compared with what was asked.
"""

from collections.abc import Iterator
from datetime import datetime

from integration.procedure.effects import OpenIssue  # noqa: F401


class Platform:
    """One project on one GitLab, seen with one token. Not shared between threads or forked processes: open one for each."""

    def __init__(self, url: str, token: str, project: str, *, timeout: float = 30.0) -> None:
        raise NotImplementedError

    def changed(self, since: datetime) -> Iterator[object]:
        raise NotImplementedError
