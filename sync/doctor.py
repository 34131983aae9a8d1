"""Looks the service over before somebody has to: what is wrong, and what to do about it.

Nothing is changed, and no check hides another: each says its own, whatever the others found.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from integration.bsre import Bsre
from integration.faults import Permanent, Transient
from integration.organisation import OrganisationFaults
from integration.parts import Parts
from integration.procedure.definition import by_revision
from integration.procedure.offices import Holding, Provider
from integration.store import StoreDown
from integration.templates import messages
from integration.vacancies import office_roles, vacant
from sync.answers import Project
from sync.gitlab import AGREE, Platform
from sync.paper import families
from sync.provision import Provision
from sync.refusals import Shut
from sync.wording import Wording

MAINTAINER = 40  # what setting up the hook takes; everything else takes less (behaviour.md 4, "Least role")
REPORTER = 20  # what people need to see confidential issues and act on them, on any GitLab (behaviour.md 3; Planner is newer)
NAMED = 3  # labels that are told by name
SOON = 30  # days before an office is left vacant in which there is time to do something about it
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
        "organisation": lambda: "".join(f"\n    {fault}" for fault in parts.in_force.faults),
        "offices": lambda: ", ".join(_offices(parts)),
        "revisions": lambda: ", ".join(_revisions_missing(parts)),
        "token": lambda: _nothing(platform.home),
        "login": lambda: _login(parts),
        "clock": lambda: _clock(platform),
        "rights": lambda: _rights(platform),
        "members": lambda: ", ".join(_members(parts, platform)),
        "hook": lambda: ", ".join(_said(change.kind, name=change.name) for change in provision.hook()) or _alert(platform, provision),
        "labels": lambda: _unfit([change.name for change in provision.labels()]),
        "calendar": lambda: ", ".join(_said("year_missing", year=year) for year in _years_missing(parts)),
        "templates": lambda: ", ".join(Wording(parts.organisation).broken()),
        "font": lambda: _font(parts),
        "signing": lambda: _signing(parts),
    }
    return [_finding(code, look) for code, look in checks.items()]


def _finding(code: str, look: Callable[[], str]) -> Finding:
    """A check that says nothing found nothing; one that cannot be made says why."""
    try:
        found = look()
    except (StoreDown, OSError) as fault:
        found = str(fault)
    except (Permanent, Transient) as fault:
        cause = "refused" if isinstance(fault, (Permanent, Shut)) else "unreachable"
        return Finding(code, ok=False, detail=_said(cause, reason=fault), cause=cause)
    except OrganisationFaults:
        return Finding(code, ok=False, detail=_said("no_organisation"), cause="organisation")
    return Finding(code, not found, found)


def _said(sentence: str, **values: object) -> str:
    return messages("doctor")[sentence].format(**values)


def _nothing(_: object) -> str:
    return ""


def _files(parts: Parts) -> str:
    parts.files.probe()
    return ""


def _font(parts: Parts) -> str:
    """A font the renderer does not find it silently replaces."""
    form = parts.organisation.papers
    known = families(form.fonts)
    return "" if form.font in known else _said("font_unknown", font=form.font, known=", ".join(known))


def _signing(parts: Parts) -> str:
    """The client service of the national CA, where papers are signed by it."""
    papers, credentials = parts.organisation.papers, parts.settings.bsre_credentials
    if papers.provider is not Provider.BSRE:
        return ""
    if credentials is None:
        return _said("no_credentials")
    why = Bsre(papers.signing_address, credentials).answers()
    return _said(f"bsre_{why}", address=papers.signing_address) if why else ""


def _login(parts: Parts) -> str:
    """Half of an OAuth application lets nobody in; whether people shall sign in at all is the operator's to choose."""
    settings = parts.settings
    return _said("login_half") if bool(settings.gitlab_oauth_id) is not bool(settings.gitlab_oauth_secret) else ""


def _rights(platform: Platform) -> str:
    level = Project.read(platform.get(platform.project)).level
    return "" if level >= MAINTAINER else _said("level", level=level, needed=MAINTAINER)


def _clock(platform: Platform) -> str:
    """Asked anew: an answer from before says nothing of now."""
    platform.get(platform.project)
    skew = platform.skew or timedelta()
    return "" if abs(skew) <= AGREE else _said("ahead" if skew > timedelta() else "behind", seconds=abs(round(skew.total_seconds())))


def _offices(parts: Parts) -> Iterator[str]:
    """The offices nobody holds, today or soon, and the deputies who stand in for nobody: that is what a Plt. is for."""
    organisation, today = parts.organisation, _today(parts)
    known = office_roles(parts.procedures)
    told = set()
    for day in (today + timedelta(days=number) for number in range(SOON + 1)):
        for role in vacant(parts.procedures, organisation, day):
            if role.slug not in told:
                yield _said("vacant" if day == today else "vacant_from", role=role.name, day=day.isoformat())
            told.add(role.slug)
        for slug in known.keys() - told:
            if all(office.holding is Holding.DEPUTY for office in organisation.holders(slug, day)):
                yield _said("deputy_of_nobody", role=known[slug].name, day=day.isoformat())
                told.add(slug)


def _revisions_missing(parts: Parts) -> Iterator[str]:
    """The revisions open cases go by that are not loaded; of tables that are not ready the check of the database tells."""
    loaded = by_revision(parts.procedures)
    rows = parts.store.case_rows(open_only=True) if parts.store.migrated() else []
    needed = Counter((row.procedure, row.revision) for row in rows if row.version)
    for (slug, revision), n in needed.items():
        if (slug, revision) not in loaded:
            yield _said("revision_missing", slug=slug, revision=revision, n=n)


def _members(parts: Parts, platform: Platform) -> Iterator[str]:
    """Who the organisation names, now or later, and cannot act on the platform."""
    organisation, today = parts.organisation, _today(parts)
    named = [office.account for office in organisation.offices if office.until is None or office.until >= today]
    members = {member["username"].casefold(): member for member in platform.pages(f"{platform.project}/members/all")}
    for account in dict.fromkeys([*named, *(programmer.account for programmer in organisation.programmers)]):
        member = members.get(account.casefold())
        if member is None:
            yield _said("no_member", account=account)
        elif member["state"] != "active":
            yield _said("inactive", account=account, state=member["state"])
        elif member["access_level"] < REPORTER:
            yield _said("weak", account=account, level=member["access_level"])


def _today(parts: Parts) -> date:
    return parts.clock().astimezone(parts.organisation.calendar.tz).date()


def _unfit(labels: list[str]) -> str:
    """How many labels are not as they must be, and the first of them: all of a new project would fill the screen."""
    return _said("unfit", n=len(labels), names=", ".join(labels[:NAMED])) if labels else ""


def _alert(platform: Platform, provision: Provision) -> str:
    """GitLab stops calling a hook that failed too often, where that is switched on (behaviour.md 1.2)."""
    hooks: Iterator[dict[str, Any]] = platform.pages(f"{platform.project}/hooks")
    states = (str(hook.get("alert_status", "")) for hook in hooks if hook["url"] == provision.hook_url)
    return next((_said("stopped", state=state) for state in states if state not in ("", "executable")), "")


def _years_missing(parts: Parts) -> list[int]:
    today = _today(parts)
    return sorted({today.year, (today + AHEAD).year} - parts.organisation.calendar.years)
