"""Content by hash: durable, never altered, never outside its folder."""

import hashlib
from pathlib import Path

import pytest

from integration.files import FileStore


def test_what_is_put_is_got_back_under_its_hash(tmp_path: Path):
    files = FileStore(tmp_path)
    sha256 = files.put(b"formulir")
    assert sha256 == hashlib.sha256(b"formulir").hexdigest()
    assert files.get(sha256) == b"formulir"
    assert (tmp_path / "berkas" / sha256[:2] / sha256).read_bytes() == b"formulir"


def test_the_same_bytes_are_kept_once_and_nothing_half_written_stays(tmp_path: Path):
    files = FileStore(tmp_path)
    assert files.put(b"") == files.put(b"")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_altered_bytes_are_not_given_out(tmp_path: Path):
    files = FileStore(tmp_path)
    sha256 = files.put(b"asli")
    (tmp_path / "berkas" / sha256[:2] / sha256).write_bytes(b"palsu")
    with pytest.raises(ValueError, match="altered"):
        files.get(sha256)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63])
def test_only_a_hash_names_a_file(tmp_path: Path, name: str):
    with pytest.raises(ValueError, match="not a SHA-256"):
        FileStore(tmp_path).get(name)


def test_an_unknown_hash_is_not_found(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        FileStore(tmp_path).get("0" * 64)


def test_a_disk_that_refuses_leaves_no_half_file(tmp_path: Path):
    (tmp_path / "berkas").write_text("in the way")
    with pytest.raises(OSError, match=r"exists|directory"):
        FileStore(tmp_path).put(b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["berkas"]


def test_bytes_that_cannot_be_made_durable_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("integration.files.os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        FileStore(tmp_path).put(b"x")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
