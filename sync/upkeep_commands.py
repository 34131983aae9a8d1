"""The commands by which an administrator makes the service ready, looks it over and keeps it: provision, doctor, token.

Whatever they say comes from templates/messages/upkeep.yaml, what they ask for from cli.yaml.
"""

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import click

from integration import logs
from integration.clock import utc_now
from integration.parts import Parts, secrets
from integration.settings import Settings, SettingsFaults
from integration.templates import messages
from sync.doctor import Finding, check
from sync.provision import Change
from sync.renewal import VARIABLE, NotKept, Place, renew
from sync.terminal import WORDS, failed, opened
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
    logs.configure("ERROR", secrets(settings))
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
    logs.configure("WARNING", secrets(settings))
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


upkeep = (provision, doctor, token)
"""The commands, for the command line to take up."""
