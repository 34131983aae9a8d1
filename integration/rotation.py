"""Secrets that change while a process runs: its file of settings is read again when it is another, and what is secret in it counts at once.

Only secrets rotate. What says where things are (addresses, folders, the database) counts from the next start, for all was made by it.
"""

import logging
import threading
from pathlib import Path

from integration import logs
from integration.files import Pace, settled, version
from integration.settings import Settings, SettingsFaults

ROTATES = (
    "gitlab_token",
    "gitlab_setup_token",
    "gitlab_webhook_secret",
    "gitlab_oauth_secret",
    "portal_secrets",
    "smtp_url",
    "bsre_credentials",
)

log = logging.getLogger(__name__)


class Rotation:
    """The settings of a process, with the secrets as their file has them. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self._now = self._before = settings
        self._file = settings.file
        self._lock = threading.Lock()
        self._pace = Pace()
        self._seen = version(self._file) if self._file else None

    @property
    def now(self) -> Settings:
        """The settings in force: the same object until a secret is another."""
        if self._file is not None and self._pace.due() and version(self._file) != self._seen:
            with self._lock:
                self._look(self._file)
        return self._now

    @property
    def before(self) -> Settings:
        """Those before the last change: what others still sign with until they are told."""
        return self._before

    def _look(self, file: Path) -> None:
        seen = version(file)
        if seen == self._seen or not settled(seen):
            return
        self._seen = seen
        try:
            fresh = self._now.again()
        except (SettingsFaults, OSError) as faults:
            log.error("the settings cannot be used, the secrets stay as they were: %s", faults)  # noqa: TRY400 -- no value is in it
            return
        changed = {name: getattr(fresh, name) for name in ROTATES if getattr(fresh, name) != getattr(self._now, name)}
        if changed:
            logs.hide([secret for name in changed for secret in fresh.secrets(name)])
            self._before, self._now = self._now, self._now.model_copy(update=changed)
            log.info("secrets were changed: %s", ", ".join(changed))
