"""Breakdowns of our own: the database or the data folder takes nothing, a template is broken, a row cannot be read.

What was answered 202 is kept and led on afterwards, by itself or once an operator has mended it; the other cases go on meanwhile.
"""

import logging
import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import requests
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.pool import Pool

from integration.settings import Bind
from integration.store import NEW
from integration.tables import PARKED, metadata
from integration.templates import TEMPLATES
from sandbox.portal import attachment
from sync import drain, serve
from sync.serve import running
from tests.processes import wait_for
from tests.servers import libpq
from tests.stories.trouble import KADIV, KASI, KEPALA, LENGKAP, alarms, fair, finding, hours, parked, says, sound, strike
from tests.stories.world import World, example_form
from tests.stories.world import world as told


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder, database = tmp_path_factory.mktemp("dunia"), tmp_path_factory.mktemp("basis")
    sa.event.listen(Pool, "checkout", give_room)
    with told(folder, f"sqlite:///{database / 'alur.db'}?timeout=0.05") as world:
        yield world
    sa.event.remove(Pool, "checkout", give_room)


@pytest.fixture
def world(common: World, caplog: pytest.LogCaptureFixture) -> Iterator[World]:
    caplog.set_level(logging.INFO, "sync")
    with fair(common) as world:
        yield world


@pytest.fixture
def on_postgres(tmp_path: Path, postgres_database: str, caplog: pytest.LogCaptureFixture) -> Iterator[World]:
    caplog.set_level(logging.INFO, "sync")
    with told(tmp_path, postgres_database) as world:
        yield world


def form(world: World, webhook_id: str, *, attached: bool = False, **masalah: str) -> requests.Response:
    """The portal sends a form, under the same id each time it is sent again."""
    files = [attachment("galat.txt", "text/plain", webhook_id.encode())] if attached else []
    whole = example_form() | {"lampiran": files}
    return world.campus.portal.send(
        "pengaduan.diajukan", {"formulir": whole | {"masalah": whole["masalah"] | masalah}}, webhook_id=webhook_id
    )


def kept(answer: requests.Response) -> str:
    """The ticket of a form that was taken."""
    assert answer.status_code == HTTPStatus.ACCEPTED
    return str(answer.json()["tiket"])


def refused(answer: requests.Response) -> None:
    """It was not taken, and is to be sent again."""
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


# --- what breaks, and is mended again ---


no_room = threading.Event()


def give_room(connection: object, *_: object) -> None:
    """Let a database that is a file grow as it likes, or not by a page."""
    if not isinstance(connection, sqlite3.Connection):
        return
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages if no_room.is_set() else 2**32 - 2}")


@contextmanager
def full(world: World) -> Iterator[None]:
    """The database is on a disk without room."""
    del world
    no_room.set()
    try:
        yield
    finally:
        no_room.clear()


@contextmanager
def locked(world: World) -> Iterator[None]:
    """Somebody else writes into the database and comes to no end."""
    other = sqlite3.connect(database_of(world), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def database_read_only(world: World) -> Iterator[None]:
    """The database is on a disk that takes no changes any more."""
    with read_only(database_of(world).parent):
        world.service.store.close()  # what is open already may be written
        yield


@contextmanager
def server_full(world: World) -> Iterator[None]:
    """The database server has no room for a row more."""
    with psycopg.connect(address(world), autocommit=True) as server:
        server.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$"
        )
        for table in metadata.tables:
            server.execute(f"CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION refuse()")
        try:
            yield
        finally:
            server.execute("DROP FUNCTION refuse() CASCADE")


@contextmanager
def server_read_only(world: World) -> Iterator[None]:
    """The database server is one that only follows another by now: all it is asked for is to be read."""
    with psycopg.connect(address(world), autocommit=True) as server:
        server.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        server.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            server.execute("ALTER SYSTEM RESET default_transaction_read_only")
            server.execute("SELECT pg_reload_conf()")


@contextmanager
def files_read_only(world: World) -> Iterator[None]:
    """The data folder is on a disk that takes no changes any more."""
    with read_only(world.settings.data_dir):
        yield


@contextmanager
def files_full(world: World) -> Iterator[None]:
    """The data folder is on a disk without room."""
    folder = world.settings.data_dir
    with mounted(folder, "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder):
        with pytest.raises(OSError, match="No space left"):
            (folder / "isi").write_bytes(bytes(1024 * 1024))
        yield


@contextmanager
def files_in_the_way(world: World) -> Iterator[None]:
    """Something else is where the files should go."""
    folder = world.settings.data_dir / "berkas"
    away = folder.rename(folder.with_name("dipindah"))
    folder.write_text("bukan folder", encoding="utf-8")
    try:
        yield
    finally:
        folder.unlink()
        away.rename(folder)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    if os.geteuid() == 0:  # whom permissions do not stop
        with mounted(folder, "--bind", folder, folder):
            subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
            yield
        return
    modes = {path: path.stat().st_mode for path in [folder, *folder.rglob("*")]}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


@contextmanager
def mounted(folder: Path, *how: object) -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    done = subprocess.run(["mount", *map(str, how)], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"root may not mount a disk here: {done.stderr}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)  # somebody may have it open


def database_of(world: World) -> Path:
    return Path(str(make_url(world.settings.database_url.get_secret_value()).database))


def address(world: World) -> str:
    return libpq(world.settings.database_url.get_secret_value())


Breakdown = Callable[[World], AbstractContextManager[None]]


@pytest.mark.parametrize("breakdown", [full, locked, database_read_only])
def test_a_database_that_takes_nothing_for_a_while_loses_nothing(
    world: World, breakdown: Breakdown, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    outlived(world, breakdown, tmp_path, caplog, monkeypatch)


@pytest.mark.parametrize("breakdown", [server_full, server_read_only])
def test_a_database_server_that_takes_nothing_for_a_while_loses_nothing(
    on_postgres: World, breakdown: Breakdown, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    outlived(on_postgres, breakdown, tmp_path, caplog, monkeypatch)


def outlived(world: World, breakdown: Breakdown, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database takes nothing, no form is taken, and what is in hand waits; afterwards all is there, once."""
    sent = uuid4().hex
    monkeypatch.setattr(drain, "LEASE", timedelta(seconds=1))
    monkeypatch.setattr(serve, "STORE_PAUSE", 0.1)
    first = world.submit()
    says(world, KASI, first, LENGKAP)
    world.campus.gitlab.settle()
    with running(world.service, Bind("127.0.0.1", 0)) as process:
        with breakdown(world):
            refused(form(world, sent, attached=True))
            wait_for(lambda: "the store is down" in caplog.text, tmp_path)
        wait_for(lambda: form(world, sent, attached=True).status_code == HTTPStatus.ACCEPTED, tmp_path)
        second = kept(form(world, sent, attached=True))
        process.settle()

    assert world.case(first).step == 5
    sound(world, first, second, called=2)  # what was said, and could not be written down, is said again under its id


@pytest.mark.parametrize("breakdown", [files_in_the_way, files_full, files_read_only])
def test_a_data_folder_that_takes_nothing_holds_up_what_must_be_kept_there(
    world: World, breakdown: Breakdown, caplog: pytest.LogCaptureFixture
) -> None:
    first, sent = world.submit(), uuid4().hex
    with breakdown(world):
        refused(form(world, sent, attached=True))
        second = kept(form(world, uuid4().hex, judul=f"Tanpa lampiran, {sent}"))
        world.comment(KASI, first, LENGKAP)
        hours(world, 4)

        assert world.case(first).step == 5
        assert world.service.store.case_row(second).status == NEW
        assert parked(world) == []
        assert any("ALUR_DATA_DIR" in alarm for alarm in alarms(caplog))
        assert "ALUR_DATA_DIR" in finding(world, "files")
    third = kept(form(world, sent, attached=True))
    world.later(minutes=40)

    assert [world.campus.step(ticket).number for ticket in (first, second, third)] == [5, 4, 4]
    sound(world, first, second, third)
    assert world.files_intact(world.case(first))
    assert world.uploads(third) == [sent.encode()]


def test_a_broken_template_holds_up_its_own_case_until_it_is_mended_and_its_row_replayed(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    templates = Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))
    monkeypatch.setattr("sync.wording.TEMPLATES", templates)
    whole = (templates / "notes" / "cek.md").read_text(encoding="utf-8")
    (templates / "notes" / "cek.md").write_text(f"{{{{ tidak_ada }}}}\n{whole}", encoding="utf-8")
    world.restart()
    first, second = world.submit(), world.submit()
    world.comment(KADIV, first, "/pos cek")
    world.comment(KASI, first, LENGKAP)
    world.comment(KASI, second, LENGKAP)

    assert parked(world) == ["notes/cek.md:1: UndefinedError: 'tidak_ada' is undefined"]
    assert any(alarm.startswith("parked, an operator must look") for alarm in alarms(caplog))
    assert [world.campus.step(ticket).number for ticket in (first, second)] == [4, 5]
    (templates / "notes" / "cek.md").write_text(whole, encoding="utf-8")
    world.restart()
    (row,) = world.service.store.outbox_rows(state=PARKED)
    assert world.service.store.replay("outbox", row.id)
    world.settle()

    assert world.campus.step(first).number == 5
    assert sum("Keadaan perkara" in note for note in world.campus.notes(first)) == 1
    sound(world, first, second)
    monkeypatch.undo()
    world.restart()


def poisoned(world: World, side: str, poison: str) -> Callable[[], None]:
    """Make the oldest waiting row one that cannot be read; gives what puts it right again."""
    database, column = sqlite3.connect(database_of(world), isolation_level=None), poison.partition(" ")[0]
    chosen = "id = (SELECT id FROM whole)"
    database.execute(f"CREATE TABLE whole AS SELECT * FROM {side} WHERE state = 'waiting' ORDER BY id LIMIT 1")  # noqa: S608 -- our words
    database.execute(f"UPDATE {side} SET {poison} WHERE {chosen}")  # noqa: S608 -- ours

    def mend() -> None:
        database.execute(f"UPDATE {side} SET {column} = (SELECT {column} FROM whole) WHERE {chosen}")  # noqa: S608 -- ours
        database.execute("DROP TABLE whole")
        database.close()

    return mend


def told_of_one(world: World, side: str, caplog: pytest.LogCaptureFixture) -> int:
    """One row is parked, and an operator can know it; gives its id."""
    (row,) = [*world.service.store.inbox_rows(state=PARKED), *world.service.store.outbox_rows(state=PARKED)]
    assert any(alarm.startswith("parked, an operator must look") for alarm in alarms(caplog))
    metrics = requests.get(f"{world.campus.portal.service_url}/metrics", timeout=10).text
    assert f'alur_rows{{side="{side}",state="parked"}} 1.0' in metrics
    return row.id


@pytest.mark.parametrize("poison", ["body = x'00ff'", "source = 'ramalan'"])
def test_a_message_that_cannot_be_read_holds_up_its_own_case_and_nobody_elses(
    world: World, poison: str, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = world.submit(), world.submit()
    withdrawn = {"tiket": first, "alasan": "Sudah teratasi.", "oleh": "Dekan"}
    assert kept(world.campus.portal.send("pengaduan.dibatalkan", withdrawn)) == first
    mend = poisoned(world, "inbox", poison)
    world.later(minutes=5)
    world.comment(KASI, first, LENGKAP)
    world.comment(KASI, second, LENGKAP)

    row = told_of_one(world, "inbox", caplog)
    assert [world.campus.step(ticket).number for ticket in (first, second)] == [4, 5]
    mend()
    assert world.service.store.replay("inbox", row)
    world.settle()

    assert world.case(first).status == "dibatalkan"
    sound(world, first, second)


@pytest.mark.parametrize("poison", ["kind = 'Ramalan'", "data = '{}'"])
def test_an_effect_that_cannot_be_read_holds_up_its_own_case_and_nobody_elses(
    world: World, poison: str, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = world.submit(), world.submit()
    strike(world, "PUT", r"/issues/\d+$", status=503)
    world.comment(KASI, first, LENGKAP)
    mend = poisoned(world, "outbox", poison)
    world.later(minutes=5)
    world.comment(KEPALA, first, "/pos setuju")
    world.comment(KASI, second, LENGKAP)

    row = told_of_one(world, "outbox", caplog)
    assert [world.campus.step(ticket).number for ticket in (first, second)] == [4, 5]
    mend()
    assert world.service.store.replay("outbox", row)
    world.settle()

    assert world.campus.step(first).number == 6
    sound(world, first, second)
