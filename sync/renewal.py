"""Gives the service another token in the place of the one it has, before that one ends.

GitLab refuses the old token at once and shows the new one once: where it will be kept must be known to take it before it is asked for.
"""

import os
import re
import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sync.answers import Renewed
from sync.gitlab import Platform

VARIABLE = "ALUR_GITLAB_TOKEN"
_LINE = re.compile(rf"^(\s*(?:export\s+)?{VARIABLE}\s*=).*$", re.MULTILINE)


class NotKept(Exception):
    """The new token is in force and could not be written. `token`: it is nowhere else."""

    def __init__(self, token: str, why: OSError) -> None:
        super().__init__(str(why))
        self.token = token


@dataclass(frozen=True, slots=True)
class Place:
    """A file of settings that is to hold the token. `text`: what it holds now; "" makes a new file."""

    file: Path
    text: str = field(default="", repr=False)

    @classmethod
    def of(cls, file: Path) -> "Place | None":
        """The file that names the token now; None where it does not. Raises OSError."""
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        return cls(file, text) if _LINE.search(text) else None

    def with_token(self, token: str) -> str:
        """What the file is to hold."""
        return _LINE.sub(lambda line: f"{line[1]}{token}", self.text) if self.text else f"{VARIABLE}={token}\n"


def renew(platform: Platform, place: Place, until: date) -> date | None:
    """Rotate the token of `platform` and keep the new one; gives the day it ends.

    Raises OSError where nothing was asked for yet, NotKept where it was, and what the platform's requests raise.
    """
    descriptor, name = tempfile.mkstemp(dir=place.file.resolve().parent, prefix=".")  # readable for us alone
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if place.text:  # whoever may read the settings may go on to
                before = place.file.stat()
                os.fchmod(descriptor, before.st_mode & 0o7777)
                os.fchown(descriptor, before.st_uid, before.st_gid)
            file.write(place.with_token("x" * 200))  # longer than any: the room is taken now
            file.flush()
            os.fsync(descriptor)
            renewed = Renewed.read(platform.post("/personal_access_tokens/self/rotate", {"expires_at": until.isoformat()}))
            try:
                file.seek(0)
                file.truncate()
                file.write(place.with_token(renewed.token))
                file.flush()
                os.fsync(descriptor)
                draft.replace(place.file.resolve())
            except OSError as fault:
                raise NotKept(renewed.token, fault) from fault
    finally:
        draft.unlink(missing_ok=True)
    return renewed.expires_at
