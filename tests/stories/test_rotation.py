"""Every secret is another from one moment to the next: nothing is started again, nothing is lost, and the old ones end."""

import base64
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from integration import organisation as organisations
from integration.files import LOOKED_AGAIN
from integration.settings import Settings
from sandbox.campus import Campus
from sandbox.clock import SimulatedClock
from sandbox.demo import START
from sandbox.portal import SECRET
from tests.stories.world import HOOK_SECRET, ORGANISATION, PROCEDURE, World, started, variables

NEW_SECRET = "whsec_" + base64.b64encode(b"rahasia portal yang baru").decode()
NEW_HOOK = "rahasia-hook-baru"
OURS = ("ALUR_GITLAB_TOKEN", "ALUR_GITLAB_WEBHOOK_SECRET", "ALUR_PORTAL_SECRETS")


def write(file: Path, **secrets: str) -> None:
    """The file of settings as an administrator leaves it: whole, and alone for a while."""
    file.write_text("".join(f"{name}={secret}\n" for name, secret in secrets.items()), encoding="utf-8")
    before = time.time() - 10
    os.utime(file, (before, before))
    time.sleep(LOOKED_AGAIN)  # from then on they must count


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


@pytest.fixture
def world(tmp_path: Path, file: Path) -> Iterator[World]:
    clock = SimulatedClock(START)
    with Campus(PROCEDURE, organisations.load(ORGANISATION), clock) as campus:
        told = variables(campus, tmp_path, f"sqlite:///{tmp_path}/alur.db")
        write(file, **{name: told.pop(name) for name in OURS})
        settings = Settings.read(told, env_file=file)
        world = World(campus, clock, settings, *started(settings, clock, campus))
        world.provision()
        yield world
        world.end()


def hook(world: World, token: str) -> int:
    answer = requests.post(f"{world.campus.portal.service_url}/webhooks/gitlab", b"{}", headers={"X-Gitlab-Token": token}, timeout=10)
    return answer.status_code


def test_all_secrets_are_changed_while_the_service_runs(world: World, file: Path) -> None:
    first = world.submit()
    assert (hook(world, HOOK_SECRET), hook(world, NEW_HOOK)) == (200, 401)

    token = world.campus.gitlab.rotate(world.campus.bot)  # the old one is dead at once
    write(file, ALUR_GITLAB_TOKEN=token, ALUR_GITLAB_WEBHOOK_SECRET=NEW_HOOK, ALUR_PORTAL_SECRETS=f"{NEW_SECRET},{SECRET}")
    assert (hook(world, HOOK_SECRET), hook(world, NEW_HOOK)) == (200, 200), "GitLab is told by `alur provision` later"

    second = world.submit()
    assert world.case(second).iid, "the worker goes on with the new token"
    world.play(first)
    world.sweep()
    assert world.case(first).step == 5
    assert world.service.store.outbox_rows() == []
    assert not world.campus.portal.callbacks[-1].verified, "callbacks are signed by the new secret, which this portal does not know yet"

    write(file, ALUR_GITLAB_TOKEN=token, ALUR_GITLAB_WEBHOOK_SECRET=NEW_HOOK, ALUR_PORTAL_SECRETS=NEW_SECRET)
    assert world.campus.portal.send("pengaduan.dibatalkan", {"tiket": first, "alasan": "x", "oleh": "y"}).status_code == 401


def test_a_file_that_cannot_be_used_changes_nothing(world: World, file: Path) -> None:
    write(file, ALUR_GITLAB_TOKEN="", ALUR_GITLAB_WEBHOOK_SECRET=NEW_HOOK, ALUR_PORTAL_SECRETS="rusak")
    assert (hook(world, HOOK_SECRET), hook(world, NEW_HOOK)) == (200, 401)
    assert world.case(world.submit()).iid
    file.unlink()
    assert hook(world, HOOK_SECRET) == 200


def test_many_threads_see_one_change(world: World, file: Path) -> None:
    write(file, ALUR_GITLAB_TOKEN=world.campus.bot.token, ALUR_GITLAB_WEBHOOK_SECRET=NEW_HOOK, ALUR_PORTAL_SECRETS=SECRET)
    rotation, seen = world.service.parts.rotation, []
    threads = [threading.Thread(target=lambda: seen.append(rotation.now)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(settings) for settings in seen if settings is not world.settings}) == 1
    assert rotation.before is world.settings
