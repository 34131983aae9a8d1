"""The commands by which an administrator makes the service ready, looks it over, and keeps what it knows.

Whatever they say comes from templates/messages/upkeep.yaml, what they ask for from cli.yaml.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import click

from integration import logs
from integration.clock import utc_now
from integration.parts import Parts
from integration.procedure.definition import by_revision
from integration.sealing import KeyClosed
from integration.settings import Settings, SettingsFaults
from integration.store.copies import Copies, NotEmpty
from integration.store.database import CannotGoBack, UnknownRevision
from integration.templates import messages
from sync import backup as backups
from sync.audit import audit
from sync.doctor import Finding, check
from sync.opening import opened
from sync.provision import Change
from sync.renewal import VARIABLE, NotKept, Place, renew
from sync.terminal import WORDS, failed
from sync.wiring import Service

SAID = messages("upkeep")
LONGEST_LIFE = timedelta(days=364)  # GitLab gives at most 365, counted in its own zone


@click.command(help=WORDS["help_provision"])
@click.option("--dry-run", is_flag=True, help=WORDS["help_dry_run"])
def provision(*, dry_run: bool) -> None:
    """Make the platform's project ready."""
    project = opened().provisioning()
    changes = project.plan() if dry_run else project.apply()
    if changes and dry_run:
        click.echo(WORDS["planned"])
    for change in changes:
        click.echo("\n".join(_lines(change)))
    if not changes:
        click.echo(WORDS["provisioned"])


def _lines(change: Change) -> list[str]:
    """A change in a sentence, and below it what differs, line by line."""
    words = messages("provision")
    told = [str(change)]
    for field, before, after in change.diff:
        told += [words["removed"].format(field=field, value=before), words["added"].format(field=field, value=after)]
    return told


@click.command(help=WORDS["help_doctor"])
@click.option("--json", "as_json", is_flag=True, help=SAID["help_json"])
def doctor(*, as_json: bool) -> None:
    """Look the service over; nothing is changed, not even the tables."""
    try:
        settings = Settings.read()
    except SettingsFaults as faults:
        if not as_json:
            raise
        _as_json([{"code": "settings", "state": "ill", "title": SAID["settings"], "detail": str(one), "fix": ""} for one in faults.faults])
        sys.exit(2)
    logs.configure("ERROR", settings.every_secret)
    service = Service(Parts.unproved(settings))
    findings = check(service.parts, service.platform(), service.provisioning())
    if as_json:
        _as_json([finding.plain() for finding in findings])
    else:
        for finding in findings:
            click.echo(_told(finding))
    sys.exit(not all(finding.ok for finding in findings))


def _told(finding: Finding) -> str:
    words = {"well": WORDS["healthy"], "ill": WORDS["ill"], "skipped": SAID["skipped"]}
    return words[finding.state].format(title=finding.title, detail=finding.detail, fix=finding.fix)


def _as_json(findings: list[dict[str, str]]) -> None:
    well = all(finding["state"] != "ill" for finding in findings)
    click.echo(
        json.dumps({"well": well, "at": utc_now().isoformat(timespec="seconds"), "findings": findings}, ensure_ascii=False, indent=2)
    )


@click.group(help=SAID["help_token"])
def token() -> None:
    """The service's token."""


@token.command("rotate", help=SAID["help_token_rotate"])
@click.option("--days", type=click.IntRange(1, LONGEST_LIFE.days), default=LONGEST_LIFE.days, show_default=True, help=SAID["help_days"])
@click.option("--out", type=click.Path(path_type=Path), help=SAID["help_token_out"])
def token_rotate(days: int, out: Path | None) -> None:
    """Another token in the place of the one of the settings."""
    settings = Settings.read()
    logs.configure("WARNING", settings.every_secret)
    platform = Service(Parts.unproved(settings)).platform()
    place = Place(out) if out else None if os.environ.get(VARIABLE) else Place.of(Path(".env"))
    if place is None:
        failed("token_where", SAID)
    if out and out.exists():
        failed("token_exists", SAID, file=out)
    try:
        ends = renew(platform, place, utc_now().date() + timedelta(days=days))
    except NotKept as fault:
        failed("token_not_kept", SAID, file=place.file, reason=fault, token=fault.token)
    click.echo(SAID["token_rotated"].format(file=place.file, day=ends))


@click.command(help=SAID["help_backup"])
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--keep", type=click.IntRange(1), help=SAID["help_keep"])
def backup(folder: Path, keep: int | None) -> None:
    """Everything into one file, while the service runs."""
    with _whole() as (parts, database):
        try:
            place, manifest = backups.make(database, parts.settings.data_dir, folder, utc_now())
        except UnknownRevision:
            failed("backup_nothing", SAID)
        except backups.Unusable as unusable:
            _tell(unusable)
            failed("backup_unproved", SAID)
        except OSError as fault:
            failed("backup_disk", SAID, folder=folder, reason=fault)
        parts.store.set_mark(backups.BACKED_UP, manifest.made_at.isoformat())
    size = f"{place.stat().st_size / 2**20:.1f}".replace(".", ",")
    click.echo(SAID["backed_up"].format(file=place, size=size, rows=sum(manifest.tables.values()), files=_files(manifest)))
    click.echo(SAID["backup_without"])
    for old in backups.outdated(folder, keep) if keep else ():
        old.unlink()
        click.echo(SAID["backup_removed"].format(file=old))


@click.command(help=SAID["help_restore"])
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--check", "only_check", is_flag=True, help=SAID["help_check"])
@click.option("--skip-numbers", "skip", type=click.IntRange(0), default=0, show_default=True, help=SAID["help_skip"])
def restore(file: Path, skip: int, *, only_check: bool) -> None:
    """Put a backup back on an empty machine, and prove what is there then."""
    try:
        if only_check:
            manifest = backups.prove(file)
            click.echo(SAID["backup_proved"].format(file=file, at=_local(manifest), files=_files(manifest)))
            return
        with _whole() as (parts, database):
            manifest = backups.put_back(file, database, parts.settings.data_dir, skip=skip)
            parts.store.set_mark(backups.BACKED_UP, manifest.made_at.isoformat())
            proof = audit(parts.store, parts.files, by_revision(parts.procedures))
    except backups.Unusable as unusable:
        _tell(unusable)
        failed("restore_refused", SAID)
    except KeyClosed:
        failed("restore_keys", SAID)
    except NotEmpty as there:
        failed("restore_not_empty", SAID, table=there)
    except UnknownRevision as revision:
        failed("restore_newer", SAID, revision=revision)
    for fault in proof.faults:
        click.echo(WORDS[fault.kind].format(ticket=fault.ticket, seq=fault.seq, what=fault.what))
    if proof.faults:
        failed("audit_faults", faults=len(proof.faults))
    click.echo(SAID["restored"].format(cases=proof.cases, files=_files(manifest), rows=sum(manifest.tables.values()), at=_local(manifest)))
    click.echo(SAID["restored_then"].format(at=_local(manifest)))


@click.group(help=SAID["help_database"])
def database() -> None:
    """The tables."""


@database.command("show", help=SAID["help_database_show"])
def database_show() -> None:
    """Which tables there are, and which this release has."""
    with _whole() as (parts, _):
        present, ours = parts.store.revisions()
    click.echo(SAID["database_revisions"].format(present=present or "-", ours=ours))


@database.command("migrate", help=SAID["help_database_migrate"])
@click.option("--to", metavar="REVISION", help=SAID["help_database_to"])
def database_migrate(to: str | None) -> None:
    """Bring the tables forward, or back."""
    with _whole() as (parts, _):
        try:
            parts.store.migrate(to)
        except UnknownRevision as revision:
            failed("database_unknown", SAID, revision=revision)
        except CannotGoBack as fault:
            failed("database_stays", SAID, reason=fault)
        present, _ = parts.store.revisions()
    click.echo(SAID["database_migrated"].format(present=present))


@contextmanager
def _whole() -> Iterator[tuple[Parts, Copies]]:
    """The parts, their tables as they are found, and the same database as a whole."""
    settings = Settings.read()
    logs.configure("WARNING", settings.every_secret)
    parts, database = Parts.unproved(settings), Copies(settings.database_url.get_secret_value(), clock=utc_now)
    try:
        yield parts, database
    finally:
        parts.store.close()
        database.close()


def _tell(unusable: backups.Unusable) -> None:
    for fault in unusable.faults:
        click.echo(SAID[fault.kind].format(what=fault.what), err=True)


def _files(manifest: backups.Manifest) -> int:
    return sum(name.startswith(backups.FILES) for name in manifest.entries)


def _local(manifest: backups.Manifest) -> str:
    """When a backup was made, by the clock of this machine's administrator."""
    return f"{manifest.made_at.astimezone():%Y-%m-%d %H.%M %Z}"
