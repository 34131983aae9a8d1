"""Looks the service over before somebody has to: what is wrong, and what to do about it.

Nothing is changed, and no check hides another: each says its own, whatever the others found.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from integration.faults import Permanent, Transient
from integration.parts import Parts
from integration.store import StoreDown
from integration.templates import messages
from sync.gitlab import Platform, TokenRefused
from sync.provision import Provision
from sync.wording import Wording

MAINTAINER = 40  # what setting up the hook takes; everything else takes less (behaviour.md 4, "Least role")
NAMED = 3  # labels that are told by name
AHEAD = timedelta(days=60)  # so long before a year begins its decree must be loaded: due dates reach into it


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. `code`: its key in templates/messages/doctor.yaml; `detail`: what it saw, for the operator.

    `cause`: the key of what kept the check from being made, which is then what has to be put right.
    """

    code: str
    ok: bool
    detail: str = ""
    cause: str = ""

    @property
    def title(self) -> str:
        """What was checked."""
        return messages("doctor")[self.code]

    @property
    def fix(self) -> str:
        """What to do about it; "" where it is well."""
        return "" if self.ok else messages("doctor")[f"{self.cause or self.code}_fix"]


def check(parts: Parts, platform: Platform, provision: Provision) -> list[Finding]:
    """Every check in its order, the broken ones with what to do (contract.md, "Processes and commands")."""
    checks: dict[str, Callable[[], str]] = {
        "database": lambda: "" if parts.store.migrated() else messages("doctor")["not_migrated"],
        "broker": lambda: "" if parts.bell.answers() else messages("doctor")["silent"],
        "files": lambda: _files(parts),
        "token": lambda: _nothing(platform.home),
        "rights": lambda: _rights(platform),
        "hook": lambda: ", ".join(_said(change.kind, name=change.name) for change in provision.hook()) or _alert(platform, provision),
        "labels": lambda: _unfit([change.name for change in provision.labels()]),
        "calendar": lambda: ", ".join(_said("year_missing", year=year) for year in _years_missing(parts)),
        "templates": lambda: ", ".join(Wording(parts.organisation).broken()),
    }
    return [_finding(code, look) for code, look in checks.items()]


def _finding(code: str, look: Callable[[], str]) -> Finding:
    """A check that says nothing found nothing; one that cannot be made says why."""
    try:
        found = look()
    except (Permanent, Transient) as fault:
        cause = "refused" if isinstance(fault, (Permanent, TokenRefused)) else "unreachable"
        return Finding(code, ok=False, detail=_said(cause, reason=fault), cause=cause)
    except (StoreDown, OSError) as fault:
        found = str(fault)
    return Finding(code, not found, found)


def _said(sentence: str, **values: object) -> str:
    return messages("doctor")[sentence].format(**values)


def _nothing(_: object) -> str:
    return ""


def _files(parts: Parts) -> str:
    """Writing and reading back is the only proof that a folder takes files."""
    sha256 = parts.files.put(b"")
    return "" if parts.files.get(sha256) == b"" else sha256


def _rights(platform: Platform) -> str:
    access = platform.get(platform.project).get("permissions") or {}
    levels = [int(side["access_level"]) for side in access.values() if side]
    level = max(levels, default=0)
    return "" if level >= MAINTAINER else _said("level", level=level, needed=MAINTAINER)


def _unfit(labels: list[str]) -> str:
    """How many labels are not as they must be, and the first of them: all of a new project would fill the screen."""
    return _said("unfit", n=len(labels), names=", ".join(labels[:NAMED])) if labels else ""


def _alert(platform: Platform, provision: Provision) -> str:
    """GitLab stops calling a hook that failed too often, where that is switched on (behaviour.md 1.2)."""
    hooks: Iterator[dict[str, Any]] = platform.pages(f"{platform.project}/hooks")
    states = (str(hook.get("alert_status", "")) for hook in hooks if hook["url"] == provision.hook_url)
    return next((_said("stopped", state=state) for state in states if state not in ("", "executable")), "")


def _years_missing(parts: Parts) -> list[int]:
    now = parts.clock().astimezone(parts.organisation.calendar.tz)
    return sorted({now.year, (now + AHEAD).year} - parts.organisation.calendar.years)
