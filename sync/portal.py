"""Calls the portal back, signed as Standard Webhooks say, under one id however often it is tried."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Portal:
    """`url`: ALUR_PORTAL_CALLBACK_URL; `secret`: the first of ALUR_PORTAL_SECRETS, `whsec_<base64>`."""

    url: str
    secret: str
    clock: Callable[[], datetime]

    def call(self, key: str, kind: str, data: dict[str, object]) -> None:
        """Send one event. Raises Transient on network faults, 429 and 5xx; Permanent on any other refusal."""
        raise NotImplementedError
