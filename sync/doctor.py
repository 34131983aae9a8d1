"""Looks the service over before somebody has to: what is wrong, and what to do about it.

Nothing is changed, and no check hides another: each says its own, whatever the others found.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from integration.bsre import Bsre
from integration.faults import Failure, Permanent, Transient
from integration.organisation import OrganisationFaults
from integration.parts import Parts
from integration.procedure.definition import by_revision
from integration.procedure.offices import Holding, Provider
from integration.store import StoreDown
from integration.templates import messages
from integration.vacancies import office_roles, vacant
from sync import clamd
from sync.backup import BACKED_UP
from sync.gitlab import Platform
from sync.mail import Mail
from sync.paper import Sheet, families, render
from sync.platform_checks import Look, Skipped, of_platform, said, today
from sync.portal import Portal
from sync.provision import Provision
from sync.refusals import Shut
from sync.wording import Wording

SOON = 30  # days before an office is left vacant in which there is time to do something about it
AHEAD = timedelta(days=60)  # so long before a year begins its decree must be loaded: due dates reach into it
WAITS_LONG = timedelta(minutes=15)  # a row that waits for longer is not being worked on, or not with success
LEAST_FREE, LEAST_SHARE = 1024**3, 0.05  # bytes and part of a disk: with less of either, make room
STALE = timedelta(hours=36)  # a daily backup that was missed once
PRIVATE_FILE = 0o077  # what others may do with a file that holds secrets: nothing


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. `code`: its key in templates/messages/doctor.yaml; `detail`: what it saw, for the operator.

    `cause`: the key of what kept the check from being made, which is then what has to be put right. `skipped`: it was not made, and
    need not be; `detail` says why.
    """

    code: str
    ok: bool
    detail: str = ""
    cause: str = ""
    skipped: bool = False

    @property
    def title(self) -> str:
        """What was checked."""
        return messages("doctor")[self.code]

    @property
    def fix(self) -> str:
        """What to do about it; "" where it is well."""
        return "" if self.ok else messages("doctor")[f"{self.cause or self.code}_fix"]

    @property
    def state(self) -> str:
        """In a word for programs: "well", "ill" or "skipped"."""
        return "skipped" if self.skipped else "well" if self.ok else "ill"

    def plain(self) -> dict[str, str]:
        """The finding as JSON shows it."""
        return {"code": self.code, "state": self.state, "title": self.title, "detail": self.detail.strip(), "fix": self.fix}


def check(parts: Parts, platform: Platform, provision: Provision) -> list[Finding]:
    """Every check in its order, the broken ones with what to do (contract.md, "Processes and commands")."""
    looks = [*_of_ourselves(parts), *of_platform(parts, platform, provision), *_of_others(parts)]
    return [_finding(code, look) for code, look in looks]


def _of_ourselves(parts: Parts) -> Iterator[Look]:
    """What this machine can tell by itself."""
    yield "database", lambda: "" if parts.store.migrated() else said("not_migrated")
    yield "broker", lambda: "" if parts.bell.answers() else said("silent")
    yield "files", lambda: _files(parts)
    yield "disk", lambda: ", ".join(_disks(parts))
    yield "secrets", lambda: _open_to_others(Path(".env"))
    yield "backup", lambda: _backup(parts)
    yield "queues", lambda: ", ".join(_queues(parts))
    yield "organisation", lambda: "".join(f"\n    {fault}" for fault in parts.in_force.faults)
    yield "offices", lambda: ", ".join(_offices(parts))
    yield "revisions", lambda: ", ".join(_revisions_missing(parts))
    yield "calendar", lambda: ", ".join(said("year_missing", year=year) for year in _years_missing(parts))
    yield "templates", lambda: ", ".join(Wording(parts.organisation).broken())
    yield "font", lambda: _font(parts)
    yield "engine", lambda: _engine(parts)
    yield "login", lambda: _login(parts)


def _of_others(parts: Parts) -> Iterator[Look]:
    """Whom the service speaks with beside the platform."""
    yield "signing", lambda: _signing(parts)
    yield "mail", lambda: _mail(parts)
    yield "callback", lambda: _callback(parts)
    yield "scanner", lambda: _scanner(parts)


def _finding(code: str, look: Callable[[], str | Skipped]) -> Finding:
    """A check that says nothing found nothing; one that cannot be made says why."""
    try:
        found = look()
    except (StoreDown, OSError) as fault:
        found = str(fault)
    except (Permanent, Transient) as fault:
        cause = "refused" if isinstance(fault, (Permanent, Shut)) else "unreachable"
        return Finding(code, ok=False, detail=said(cause, reason=fault), cause=cause)
    except OrganisationFaults:
        return Finding(code, ok=False, detail=said("no_organisation"), cause="organisation")
    if isinstance(found, Skipped):
        return Finding(code, ok=True, detail=found.why, skipped=True)
    return Finding(code, not found, found)


def _files(parts: Parts) -> str:
    parts.files.probe()
    return ""


def _font(parts: Parts) -> str:
    """A font the renderer does not find it silently replaces."""
    form = parts.organisation.papers
    known = families(form.fonts)
    return "" if form.font in known else said("font_unknown", font=form.font, known=", ".join(known))


def _signing(parts: Parts) -> str:
    """The client service of the national CA, where papers are signed by it."""
    papers, credentials = parts.organisation.papers, parts.settings.bsre_credentials
    if papers.provider is not Provider.BSRE:
        return ""
    if credentials is None:
        return said("no_credentials")
    why = Bsre(papers.signing_address, credentials).answers()
    return said(f"bsre_{why}", address=papers.signing_address) if why else ""


def _login(parts: Parts) -> str:
    """Half of an OAuth application lets nobody in; whether people shall sign in at all is the operator's to choose."""
    settings = parts.settings
    return said("login_half") if bool(settings.gitlab_oauth_id) is not bool(settings.gitlab_oauth_secret) else ""


def _offices(parts: Parts) -> Iterator[str]:
    """The offices nobody holds, today or soon, and the deputies who stand in for nobody: that is what a Plt. is for."""
    organisation, now = parts.organisation, today(parts)
    known = office_roles(parts.procedures)
    told = set()
    for day in (now + timedelta(days=number) for number in range(SOON + 1)):
        for role in vacant(parts.procedures, organisation, day):
            if role.slug not in told:
                yield said("vacant" if day == now else "vacant_from", role=role.name, day=day.isoformat())
            told.add(role.slug)
        for slug in known.keys() - told:
            if all(office.holding is Holding.DEPUTY for office in organisation.holders(slug, day)):
                yield said("deputy_of_nobody", role=known[slug].name, day=day.isoformat())
                told.add(slug)


def _revisions_missing(parts: Parts) -> Iterator[str]:
    """The revisions open cases go by that are not loaded; of tables that are not ready the check of the database tells."""
    loaded = by_revision(parts.procedures)
    rows = parts.store.case_rows(open_only=True) if parts.store.migrated() else []
    needed = Counter((row.procedure, row.revision) for row in rows if row.version)
    for (slug, revision), n in needed.items():
        if (slug, revision) not in loaded:
            yield said("revision_missing", slug=slug, revision=revision, n=n)


def _years_missing(parts: Parts) -> list[int]:
    now = today(parts)
    return sorted({now.year, (now + AHEAD).year} - parts.organisation.calendar.years)


def _disks(parts: Parts) -> Iterator[str]:
    """The folders of the files and of an SQLite database, where little room is left. A folder not made yet is looked for above."""
    file = parts.store.file
    folders = (parts.settings.data_dir, *((file.parent,) if file else ()))
    for folder in dict.fromkeys(map(_there, folders)):
        room = shutil.disk_usage(folder)
        if room.free < LEAST_FREE or room.free < room.total * LEAST_SHARE:
            free = f"{room.free / 1024**3:.1f}".replace(".", ",")
            yield said("little_room", folder=folder, free=free, share=100 * room.free // room.total)


def _there(folder: Path) -> Path:
    folder = folder.resolve()
    return next(one for one in (folder, *folder.parents) if one.exists())


def _open_to_others(file: Path) -> str:
    return said("open_to_others", file=file) if file.is_file() and file.stat().st_mode & PRIVATE_FILE else ""


def _backup(parts: Parts) -> str:
    """A service without cases has nothing to lose yet."""
    if not parts.store.migrated() or not parts.store.tickets():
        return ""
    made = parts.store.mark(BACKED_UP)
    if made is None:
        return said("no_backup")
    at = datetime.fromisoformat(made)
    late = parts.clock() - at > STALE
    return said("old_backup", at=f"{at.astimezone(parts.organisation.calendar.tz):%Y-%m-%d %H.%M}") if late else ""


def _queues(parts: Parts) -> Iterator[str]:
    """What waits longer than it should; of tables that are not ready the check of the database tells."""
    for side in parts.store.waiting() if parts.store.migrated() else ():
        if side.parked:
            yield said("parked", side=side.side, n=side.parked)
        waits = parts.clock() - side.oldest if side.oldest else timedelta()
        if waits > WAITS_LONG:
            yield said("waits", side=side.side, n=side.waiting, minutes=waits // timedelta(minutes=1))


def _engine(parts: Parts) -> str:
    """A paper of one line, drawn as all are."""
    form = parts.organisation.papers
    sheet = Sheet(("alur-pos",), (), "-", "", "", (), "-", font=form.font, fonts=form.fonts)
    try:
        render("-", sheet, parts.clock())
    except Permanent as fault:
        return str(fault)
    return ""


def _mail(parts: Parts) -> str | Skipped:
    if parts.settings.smtp_url is None:
        return Skipped(said("not_configured", setting="ALUR_SMTP_URL"))
    try:
        Mail(parts.settings.smtp_url.get_secret_value(), "").probe()
    except (Transient, Permanent) as fault:
        return str(fault)
    return ""


def _callback(parts: Parts) -> str | Skipped:
    """Whether the portal is there, and whether it took what it was told."""
    url = parts.settings.portal_callback_url
    if url is None:
        return Skipped(said("not_configured", setting="ALUR_PORTAL_CALLBACK_URL"))
    try:
        Portal(url, parts.settings.portal_secrets[0].get_secret_value(), parts.clock).probe()
    except (Transient, Permanent) as fault:
        return said("portal_away", reason=fault)
    sides = parts.store.waiting() if parts.store.migrated() else ()
    untold = sum(n for side in sides for (_, failure), n in side.failing.items() if failure in (Failure.PORTAL, Failure.PORTAL_DOWN))
    return said("portal_untold", n=untold) if untold else ""


def _scanner(parts: Parts) -> str | Skipped:
    address = parts.settings.clamd_url
    if address is None:
        return Skipped(said("not_configured", setting="ALUR_CLAMD_URL"))
    try:
        clamd.is_clean(address, b"")
    except clamd.NotScanned as fault:
        return str(fault)
    return ""
