"""The drill: a service in the middle of its work is backed up while it runs, put back on an empty machine, proved, and goes on there."""

import resource
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from integration.settings import Settings
from sync.cli import main
from tests.stories.world import World, variables

Alur = Callable[..., Result]


@pytest.fixture
def machine(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Alur]:
    """A machine of this name with this database: its command line, as an administrator has it."""
    monkeypatch.chdir(tmp_path)

    def named(name: str, database_url: str) -> Alur:
        (tmp_path / name).mkdir(exist_ok=True)
        environment = variables(world.campus, tmp_path / name, database_url)
        return lambda *command: CliRunner(env=environment).invoke(main, command)

    return named


@pytest.fixture
def first(world: World, machine: Callable[[str, str], Alur]) -> Alur:
    """The machine the world's service runs on."""
    return machine("", world.settings.database_url.get_secret_value())


def moved(world: World, name: str, database_url: str, tmp_path: Path) -> None:
    """The service goes on on another machine."""
    world.end()
    world.settings = Settings.read(variables(world.campus, tmp_path / name, database_url), env_file=None)
    world.start()


def made(result: Result, folder: str = "cadangan") -> Path:
    assert result.exit_code == 0, result.output
    return next(Path(folder).glob("alur-*.zip"))


def test_a_service_is_lost_and_goes_on_elsewhere(world: World, first: Alur, machine, postgres_database: str, tmp_path: Path):
    ticket = world.stands_at(16)
    before = world.case(ticket)
    result = first("backup", "cadangan")
    archive = made(result)
    assert "berkas organisasi tidak ikut" in result.stdout
    assert archive.stat().st_mode & 0o077 == 0
    told = archive.read_bytes()
    assert all(secret.encode() not in told for secret in (world.campus.bot.token, "rahasia"))

    second = machine("kedua", postgres_database)
    result = second("restore", str(archive))
    assert result.exit_code == 0, result.output
    assert "1 perkara" in result.stdout
    moved(world, "kedua", postgres_database, tmp_path)
    assert (world.case(ticket), world.files_intact(before)) == (before, True)
    world.walk(ticket, until=18)
    other = world.submit()
    assert other == "SI-2026-000002"

    archive = made(second("backup", "lagi"), "lagi")
    third = machine("ketiga", f"sqlite:///{tmp_path}/ketiga/alur.db")
    assert third("restore", str(archive)).exit_code == 0
    moved(world, "ketiga", f"sqlite:///{tmp_path}/ketiga/alur.db", tmp_path)
    assert third("restore", str(archive)).exit_code == 1
    world.walk(ticket, until=20)
    assert third("audit", "verify", ticket).exit_code == 0


def test_what_is_put_back_half_way_is_put_back_again_and_nothing_else_is_written_over(world: World, first: Alur, machine, tmp_path: Path):
    world.stands_at(6)
    archive = made(first("backup", "cadangan"))
    second = machine("kedua", f"sqlite:///{tmp_path}/kedua/alur.db")
    data = tmp_path / "kedua" / "var"
    with zipfile.ZipFile(archive) as opened:
        name = next(name for name in opened.namelist() if name.startswith("berkas/berkas/"))
        (data / name.removeprefix("berkas/")).parent.mkdir(parents=True)
        (data / name.removeprefix("berkas/")).write_bytes(opened.read(name))  # as far as it came
    (data / "catatan.txt").write_text("milik orang lain")
    result = second("restore", str(archive))
    assert (result.exit_code, "catatan.txt sudah ada" in result.stderr) == (1, True)
    (data / "catatan.txt").unlink()
    assert second("restore", str(archive)).exit_code == 0
    result = second("restore", str(archive))
    assert (result.exit_code, "sudah berisi" in result.stderr) == (1, True)


def test_a_backup_that_was_changed_is_refused(world: World, first: Alur, machine, tmp_path: Path):
    world.stands_at(4)
    archive = made(first("backup", "cadangan"))
    assert first("restore", "--check", str(archive)).exit_code == 0
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        entry = next(entry for entry in opened.infolist() if entry.filename.startswith("berkas/"))
    content[entry.header_offset + 30 + len(entry.filename) + len(entry.extra) + 40] ^= 1
    changed = tmp_path / "diubah.zip"
    changed.write_bytes(content)
    second = machine("kedua", f"sqlite:///{tmp_path}/kedua/alur.db")
    result = second("restore", str(changed))
    assert (result.exit_code, "tidak sesuai dengan sidiknya" in result.stderr) == (1, True)
    assert not (tmp_path / "kedua" / "var" / "berkas").exists()
    (tmp_path / "bukan.zip").write_bytes(b"bukan")
    assert "bukan.zip bukan cadangan" in second("restore", "--check", "bukan.zip").stderr


def test_a_disk_that_is_full_leaves_nothing_behind(world: World, first: Alur):
    world.stands_at(6)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, hard))
    try:
        result = first("backup", "cadangan")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (result.exit_code, "Tidak ada berkas setengah jadi" in result.stderr) == (1, True)
    assert list(Path("cadangan").iterdir()) == []
    made(first("backup", "cadangan"))


def test_old_backups_go_only_after_a_new_one_is_there(world: World, first: Alur):
    world.submit()
    folder = Path("cadangan")
    folder.mkdir()
    for name in ("alur-20200101-000000.zip", "alur-20210101-000000.zip", "milik-orang.zip"):
        (folder / name).write_bytes(b"")
    assert first("backup", str(folder), "--keep", "2").exit_code == 0
    names = sorted(path.name for path in folder.iterdir())
    assert (len(names), names[0], names[-1]) == (3, "alur-20210101-000000.zip", "milik-orang.zip")
