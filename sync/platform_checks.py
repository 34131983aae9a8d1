"""What the doctor looks at on the platform: token, rights, people, hook, settings, labels.

Only asks: nothing is changed there, and no hook is made to fire.
"""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from integration.parts import Parts
from integration.templates import messages
from sync.answers import Attempt, Hook, Project, Release, Token
from sync.gitlab import AGREE, Platform
from sync.provision import Change, Provision

DEVELOPER, MAINTAINER = 30, 40  # what every day takes, and what the hook and the settings take (behaviour.md 4, "Least role")
REPORTER = 20  # what people need to see confidential issues and act on them, on any GitLab (behaviour.md 3; Planner is newer)
NAMED = 3  # labels that are told by name
OLDEST_RELEASE = 17  # of GitLab, whose behaviour is known
EXPIRES_SOON = timedelta(days=30)  # GitLab tells of a token seven days before its end, and only by mail
LATELY = timedelta(days=1)  # so far back lost deliveries are told
MOST_EVENTS = 20  # of a page of a hook's deliveries (behaviour.md 1.2)
UNANSWERED = "internal error"  # GitLab's word for a delivery nothing answered, or that it would not make
SCOPE = "api"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A check that was not made, for a reason that is no fault."""

    why: str


Look = tuple[str, Callable[[], str | Skipped]]
"""A check's code, and what makes it: it says what is wrong, "" where nothing is."""


def of_platform(parts: Parts, platform: Platform, provision: Provision) -> Iterator[Look]:
    """The checks, in their order. `platform`: with the token of every day; that of `provision` may have more rights."""
    yield "version", lambda: _version(platform)
    yield "token", lambda: _token(platform, today(parts))
    yield "clock", lambda: _clock(platform)
    yield "rights", lambda: _rights(platform)
    yield "members", lambda: ", ".join(_members(parts, platform))
    yield "hook", lambda: _as_maintainer(provision, lambda: _told(provision.hook()) or _stopped(provision))
    yield "deliveries", lambda: _as_maintainer(provision, lambda: _lost(provision, parts.clock()))
    yield "network", lambda: _as_maintainer(provision, lambda: _network(provision))
    yield "project", lambda: _told(provision.settings())
    yield "labels", lambda: _unfit([change.name for change in (*provision.labels(), *provision.boards())])


def said(sentence: str, **values: object) -> str:
    """A sentence of the doctor's."""
    return messages("doctor")[sentence].format(**values)


def today(parts: Parts) -> date:
    """The day it is where the office is."""
    return parts.clock().astimezone(parts.organisation.calendar.tz).date()


def _told(changes: Iterator[Change]) -> str:
    return ", ".join(said(change.kind, name=change.name) for change in changes)


def _version(platform: Platform) -> str:
    release = Release.read(platform.get("/metadata"))
    return "" if release.major >= OLDEST_RELEASE else said("old_release", version=release.version, needed=OLDEST_RELEASE)


def _token(platform: Platform, day: date) -> str:
    _ = platform.home
    token = Token.read(platform.get("/personal_access_tokens/self"))
    if SCOPE not in token.scopes:
        return said("scope", scopes=", ".join(token.scopes))
    if token.expires_at and token.expires_at - day <= EXPIRES_SOON:
        return said("expires", day=token.expires_at.isoformat(), n=(token.expires_at - day).days)
    return ""


def _rights(platform: Platform) -> str:
    level = Project.read(platform.get(platform.project)).level
    return "" if level >= DEVELOPER else said("level", level=level, needed=DEVELOPER)


def _clock(platform: Platform) -> str:
    """Asked anew: an answer from before says nothing of now."""
    platform.get(platform.project)
    skew = platform.skew or timedelta()
    return "" if abs(skew) <= AGREE else said("ahead" if skew > timedelta() else "behind", seconds=abs(round(skew.total_seconds())))


def _members(parts: Parts, platform: Platform) -> Iterator[str]:
    """Who the organisation names, now or later, and cannot act on the platform."""
    organisation, day = parts.organisation, today(parts)
    named = [office.account for office in organisation.offices if office.until is None or office.until >= day]
    members = {member["username"].casefold(): member for member in platform.pages(f"{platform.project}/members/all")}
    for account in dict.fromkeys([*named, *(programmer.account for programmer in organisation.programmers)]):
        member = members.get(account.casefold())
        if member is None:
            yield said("no_member", account=account)
        elif member["state"] != "active":
            yield said("inactive", account=account, state=member["state"])
        elif member["access_level"] < REPORTER:
            yield said("weak", account=account, level=member["access_level"])


def _as_maintainer(provision: Provision, look: Callable[[], str | Skipped]) -> str | Skipped:
    """GitLab shows hooks to maintainers alone; the token of every day need not be one's."""
    platform = provision.platform
    return look() if Project.read(platform.get(platform.project)).level >= MAINTAINER else Skipped(said("needs_maintainer"))


def _hook(provision: Provision) -> Hook | None:
    """Ours, where it is there."""
    platform = provision.platform
    hooks = map(Hook.read, platform.pages(f"{platform.project}/hooks"))
    return next((hook for hook in hooks if hook.url == provision.hook_url), None)


def _stopped(provision: Provision) -> str:
    """GitLab stops calling a hook that failed too often, where that is switched on (behaviour.md 1.2)."""
    hook = _hook(provision)
    return said("stopped", state=hook.alert_status) if hook and hook.alert_status not in ("", "executable") else ""


def _attempts(provision: Provision, hook: Hook, status: str) -> list[Attempt]:
    """The newest deliveries that ended so; GitLab lists those of a week."""
    path = f"{provision.platform.project}/hooks/{hook.id}/events"
    return [Attempt.read(row) for row in provision.platform.rows(path, {"status": status, "per_page": MOST_EVENTS})]


def _lost(provision: Provision, now: datetime) -> str:
    """What GitLab tried to tell lately and could not: it tries nothing twice (behaviour.md 1.2)."""
    hook = _hook(provision)
    if hook is None:
        return ""
    failed = [one for status in ("server_failure", "client_failure") for one in _attempts(provision, hook, status)]
    lately = [one for one in failed if one.created_at >= now - LATELY]
    if not lately:
        return ""
    last = max(lately, key=lambda one: one.created_at)
    more = said("or_more") if len(lately) >= MOST_EVENTS else ""
    return said("lost", n=len(lately), more=more, status=last.response_status)


def _network(provision: Provision) -> str:
    """Whether we are at an address that GitLab calls only where its administrator allows it, and nothing it sent there arrived."""
    host = urlsplit(provision.hook_url).hostname or ""
    if not _local(host):
        return ""
    hook = _hook(provision)
    if hook is None:
        return said("local", host=host)
    failed = _attempts(provision, hook, "server_failure")
    arrived = _attempts(provision, hook, "successful")
    blocked = failed and failed[0].response_status == UNANSWERED
    return said("local_silent", host=host) if blocked and not (arrived and arrived[0].created_at > failed[0].created_at) else ""


def _local(host: str) -> bool:
    """Whether a host is in a local network, as far as it can be told from here."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:  # GitLab may know the name all the same
        return False
    return any(not ip_address(str(address[0]).partition("%")[0]).is_global for *_, address in found)


def _unfit(labels: list[str]) -> str:
    """How many labels and columns are not as they must be, and the first of them: all of a new project would fill the screen."""
    return said("unfit", n=len(labels), names=", ".join(labels[:NAMED])) if labels else ""
