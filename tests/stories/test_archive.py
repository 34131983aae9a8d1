"""A case that has ended becomes one file that proves itself, and shows whatever was changed in it."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from integration.store.writing import FIRST, link
from sync.archive import KEPT, LEDGER, MANIFEST, prove
from tests.stories.world import World

Files = dict[str, bytes]


@pytest.fixture
def archive(world: World, tmp_path: Path) -> Path:
    """That of a case that was handed over, after a night."""
    ticket = world.once("ended", lambda: ended(world))
    night(world)
    path = tmp_path / f"{ticket}.zip"
    path.write_bytes(world.service.files.get(ticket, world.service.store.mark(KEPT + ticket) or ""))
    return path


def ended(world: World) -> str:
    ticket = world.submit(attachments={"galat 1.txt": b"Galat 504"})
    world.walk(ticket)
    return ticket


def night(world: World) -> None:
    world.clock.advance(timedelta(days=1))
    world.service.sweep()
    world.settle()


def changed(path: Path, change: Callable[[Files], None], *, hashes: bool = True) -> Path:
    """The archive with this change, and with a manifest that fits it (`hashes`) or does not."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    if hashes:
        manifest = json.loads(files[MANIFEST])
        manifest["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != MANIFEST}
        files[MANIFEST] = json.dumps(manifest).encode()
    other = path.with_name("lain.zip")
    with zipfile.ZipFile(other, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return other


def faults(path: Path) -> list[str]:
    return [fault.kind for fault in prove(path).faults]


def rewritten(lines: list[dict[str, Any]]) -> bytes:
    """A ledger of these lines, its chain as somebody would make it who can count hashes, too."""
    prev = FIRST
    for seq, line in enumerate(lines, start=1):
        said = {name: line[name] for name in ("actor", "cause", "kind", "data")}
        line |= {"seq": seq, "prev": prev, "hash": link("SI-2026-000001", seq, datetime.fromisoformat(line["at"]), said, prev)}
        prev = line["hash"]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def test_it_holds_everything_and_proves_itself(archive: Path, world: World) -> None:
    case = world.case("SI-2026-000001")
    with zipfile.ZipFile(archive) as opened:
        names, index = opened.namelist(), opened.read("index.html").decode()
        platform = json.loads(opened.read("platform.json"))

    assert sum(name.startswith("dokumen/") for name in names) == len(case.documents)
    assert "formulir/1.json" in names
    assert "lampiran/1-1-galat-1.txt" in names
    assert "prosedur/pengaduan-masalah-teknis-si.2025-05.yaml" in names
    assert platform["issue"]["iid"] == case.iid
    assert len(platform["notes"]) >= len(world.campus.notes("SI-2026-000001"))
    for name in names:
        if name.startswith(("dokumen/", "formulir/", "lampiran/")):
            assert f'href="{name}"' in index
    proof = prove(archive)
    assert (proof.cases, proof.faults) == (1, ())


def test_it_is_made_once_after_the_end_when_nothing_is_left_to_be_done(world: World) -> None:
    world.stands_at(31)
    night(world)
    assert world.service.store.mark(KEPT + "SI-2026-000001") is None

    world.campus.portal.answers = [503] * 20
    world.play("SI-2026-000001")
    assert world.service.store.outbox_rows()
    world.service.archives.night(world.service.display)
    assert world.service.store.mark(KEPT + "SI-2026-000001") is None

    world.campus.portal.answers = []
    world.later(hours=2)
    night(world)
    kept = world.service.store.mark(KEPT + "SI-2026-000001")
    assert kept
    night(world)
    assert world.service.store.mark(KEPT + "SI-2026-000001") == kept


def test_a_night_without_the_platform_is_made_up_for_by_the_next(world: World) -> None:
    world.stands_at(31)
    world.play("SI-2026-000001")
    world.campus.gitlab.fault("GET", r"/notes", status=503, times=9)
    assert world.service.archives.night(world.service.display) == 0
    world.campus.gitlab.mend()
    assert world.service.archives.night(world.service.display) == 1


def test_a_case_still_open_is_packed_as_it_stands(world: World, tmp_path: Path) -> None:
    ticket = world.stands_at(24)
    path = tmp_path / "sementara.zip"
    path.write_bytes(world.service.archives.pack(ticket, world.service.display))
    assert prove(path).faults == ()


def test_what_was_changed_left_out_or_put_in_shows(archive: Path) -> None:
    paper = "dokumen/surat-tugas-final-2.pdf"

    assert faults(changed(archive, lambda files: files.update({paper: b"%PDF"}), hashes=False)) == ["arsip_berubah"]
    assert faults(changed(archive, lambda files: files.update({paper: b"%PDF"}))) == ["berkas_berubah"]
    assert faults(changed(archive, lambda files: files.pop(paper) and None, hashes=False)) == ["arsip_hilang"]
    assert faults(changed(archive, lambda files: files.pop(paper) and None)) == ["berkas_hilang"]
    assert faults(changed(archive, lambda files: files.update({"baru.txt": b""}), hashes=False)) == ["arsip_asing"]


def test_a_line_changed_or_gone_shows(archive: Path) -> None:
    def edited(files: Files) -> None:
        files[LEDGER] = files[LEDGER].replace(b'"tinggi"', b'"rendah"')

    def shortened(files: Files) -> None:
        rows = files[LEDGER].splitlines(keepends=True)
        files[LEDGER] = b"".join(rows[:5] + rows[6:])

    assert faults(changed(archive, edited)) == ["rantai_berubah"]
    assert faults(changed(archive, shortened)) == ["rantai_hilang"]


@pytest.mark.parametrize("number", [8, 13, 20, 23, 31])
def test_a_skipped_step_shows_though_the_chain_was_made_anew(archive: Path, number: int) -> None:
    def skipped(files: Files) -> None:
        lines = [json.loads(row) for row in files[LEDGER].splitlines()]
        files[LEDGER] = rewritten(
            [line for line in lines if line["kind"] not in ("StepEntered", "StepLeft") or line["data"]["step"] != number]
        )

    assert faults(changed(archive, skipped)) == ["langkah_menyimpang"]


def test_without_its_procedure_the_way_is_not_proved(archive: Path) -> None:
    procedure = "prosedur/pengaduan-masalah-teknis-si.2025-05.yaml"

    assert faults(changed(archive, lambda files: files.pop(procedure) and None)) == ["prosedur_hilang"]
    assert faults(changed(archive, lambda files: files.update({procedure: b"name: ["}))) == ["prosedur_hilang"]


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip"])
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bukan.zip"
    path.write_bytes(content)
    assert faults(path) == ["arsip_rusak"]
    with zipfile.ZipFile(path, "w") as other:
        other.writestr("a.txt", "a")
    assert faults(path) == ["arsip_rusak"]
