"""Content by hash: durable, never altered, never outside its folder."""

import hashlib
import os
from pathlib import Path

import pytest

from integration.files import OURS, FileStore
from integration.sealing import Erased


def test_what_is_put_is_got_back_under_its_hash(tmp_path: Path):
    files = FileStore(tmp_path)
    sha256 = files.put(OURS, b"formulir")
    assert sha256 == hashlib.sha256(b"formulir").hexdigest()
    assert files.get(OURS, sha256) == b"formulir"
    assert (tmp_path / "berkas" / "umum" / sha256).read_bytes() == b"formulir"


def test_the_same_bytes_are_kept_once_and_nothing_half_written_stays(tmp_path: Path):
    files = FileStore(tmp_path)
    assert files.put(OURS, b"") == files.put(OURS, b"")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_altered_bytes_are_not_given_out(tmp_path: Path):
    files = FileStore(tmp_path)
    sha256 = files.put(OURS, b"asli")
    (tmp_path / "berkas" / "umum" / sha256).write_bytes(b"palsu")
    with pytest.raises(ValueError, match="altered"):
        files.get(OURS, sha256)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63])
def test_only_a_hash_names_a_file(tmp_path: Path, name: str):
    with pytest.raises(ValueError, match="not a SHA-256"):
        FileStore(tmp_path).get(OURS, name)


def test_an_unknown_hash_is_not_found(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        FileStore(tmp_path).get(OURS, "0" * 64)


def test_a_disk_that_refuses_leaves_no_half_file(tmp_path: Path):
    (tmp_path / "berkas").write_text("in the way")
    with pytest.raises(OSError, match=r"exists|directory"):
        FileStore(tmp_path).put(OURS, b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["berkas"]


def test_bytes_that_cannot_be_made_durable_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("integration.files.os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        FileStore(tmp_path).put(OURS, b"x")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


class Keys:
    """The keys of cases, until they are gone."""

    def __init__(self) -> None:
        self.known: dict[str, bytes | None] = {}

    def __call__(self, ticket: str) -> bytes | None:
        key = self.known.setdefault(ticket, os.urandom(32))
        if key is None:
            raise Erased(ticket)
        return key


CASE, OTHER = "SI-2026-000001", "SI-2026-000101"  # side by side on the disk


def test_what_is_a_cases_can_be_read_only_with_its_key(tmp_path: Path):
    files = FileStore(tmp_path, Keys())
    sha256 = files.put(CASE, b"Budi, budi@ft.example.ac.id")
    assert files.get(CASE, sha256) == b"Budi, budi@ft.example.ac.id"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"Budi" in path.read_bytes()]
    with pytest.raises(ValueError, match="altered"):
        FileStore(tmp_path, Keys()).get(CASE, sha256)
    with pytest.raises(ValueError, match="no key"):
        FileStore(tmp_path).get(CASE, sha256)


def test_the_same_bytes_of_two_cases_are_two_files_and_one_of_them_may_go(tmp_path: Path):
    keys = Keys()
    files = FileStore(tmp_path, keys)
    sha256 = files.put(CASE, b"gambar")
    assert files.put(OTHER, b"gambar") == sha256
    with pytest.raises(ValueError, match="not erased"):
        files.remove(CASE)
    keys.known[CASE] = None
    for act in (lambda: files.get(CASE, sha256), lambda: files.put(CASE, b"gambar")):
        with pytest.raises(Erased):
            act()
    files.remove(CASE)
    files.remove(CASE)
    assert files.get(OTHER, sha256) == b"gambar"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize("owner", ["..", "umum", "SI-2026-1", "../SI-2026-000001"])
def test_only_a_ticket_owns_files(tmp_path: Path, owner: str):
    with pytest.raises(ValueError, match="not a ticket"):
        FileStore(tmp_path).put(owner, b"x")
