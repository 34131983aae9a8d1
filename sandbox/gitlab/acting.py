"""Somebody doing something: the account behind a call, the forge it acts on, and how a call is refused.

Rule: a wish that is not granted is either a `Refused` with the forge's own status and body, or silently dropped where the forge drops it.
"""

from dataclasses import dataclass, field
from typing import Any

from sandbox.gitlab.deliveries import PostOffice
from sandbox.gitlab.entities import User
from sandbox.gitlab.limits import Limits
from sandbox.gitlab.store import Store


class Refused(Exception):
    """The call ends with this status and JSON body."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body, self.headers = status, body, headers or {}


def missing(what: str) -> Refused:
    """404, also for what the caller may not see."""
    return Refused(404, {"message": f"404 {what} Not Found"})


def forbidden() -> Refused:
    """403 for what the caller sees but may not do."""
    return Refused(403, {"message": "403 Forbidden"})


def invalid(field_name: str, *faults: str) -> Refused:
    """400 for a value the model refuses."""
    return Refused(400, {"message": {field_name: list(faults)}})


def bad(message: str) -> Refused:
    """400 for a parameter of the wrong kind, or for none at all."""
    return Refused(400, {"error": message})


@dataclass(slots=True)
class Acting:
    """One call's account and surroundings. `cause` is the X-Gitlab-Event-UUID the call carried."""

    store: Store
    post: PostOffice
    limits: Limits
    user: User
    cause: str | None = None
    unknown: list[str] = field(default_factory=list)
