"""Papers are signed: printed and scanned, or as PDF files signed elsewhere; in order, unchanged, and by whoever signs them."""

import hashlib
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from integration.files import LARGEST_SIGNED
from integration.procedure.case import Paper
from integration.procedure.definition import by_revision
from sandbox.certificates import Authority, sign
from sync.archive import prove
from sync.audit import audit
from sync.cli import main
from tests.stories.world import World, variables

KEPALA, KASI, PROGRAMMER = "kepala.pustikom", "kasi.layanan", "dimas.pratama"
LETTER, HANDOVER = "surat-tugas", "berita-acara-serah-terima"
UNIT = f"{HANDOVER} oleh pimpinan-unit-kerja"
SCAN, JPEG, PNG = b"%PDF-1.7\nhasil pindai", b"\xff\xd8\xff\xe0 foto", b"\x89PNG\r\n\x1a\n foto"
AUTHORITY = Authority()
RATNA, DEAN = AUTHORITY.signer("Ratna Wulandari"), AUTHORITY.signer("Dekan Fakultas Teknik")
NO_SIGNATURE = "bukan tanda tangan elektronik"


def signed_elsewhere(world: World) -> None:
    """From now on papers are signed as PDF files, elsewhere."""
    text = world.settings.organisation.read_text(encoding="utf-8")
    world.reorganise(text.replace("provider: basah", "provider: unggah"))


def accepted(world: World) -> str:
    """The unit has accepted the handover: what both sides sign is there, and the case has ended."""

    def lead() -> str:
        ticket = world.stands_at(31)
        world.play(ticket)
        return ticket

    return world.once("accepted", lead)


def hand_in(world: World, account: str, ticket: str, line: str, *files: bytes) -> str:
    """Somebody hands files in by a comment; gives the answer."""
    uploads = [world.person(account).upload(world.campus.project, "naskah.pdf", content) for content in files]
    world.comment(account, ticket, f"/pos lampir {line}\n\n{' '.join(uploads)}")
    return world.campus.notes(ticket)[-1]


def paper(world: World, ticket: str, document: str, edition: str | None = None) -> Paper:
    found = world.case(ticket).current_paper(document, edition)
    assert found is not None
    return found


def issued(world: World, ticket: str, document: str) -> bytes:
    return world.service.files.get(ticket, paper(world, ticket, document).sha256)


def copies(world: World, ticket: str, document: str) -> list[bytes]:
    return [world.service.files.get(ticket, copy.sha256) for copy in paper(world, ticket, document).copies]


def verification(world: World, ticket: str, document: str, kind: str = "application/json") -> requests.Response:
    """What whoever holds the paper is told."""
    public_id = world.service.store.public_id(ticket, paper(world, ticket, document).id)
    return requests.get(f"{world.campus.portal.service_url}/dokumen/{public_id}", headers={"Accept": kind}, timeout=30)


def told(world: World, ticket: str, document: str) -> list[tuple[Any, ...]]:
    """Of the signed copies: who signed, how, whether it is complete."""
    found = verification(world, ticket, document).json()["naskah_bertanda_tangan"]
    return [(copy["pejabat"], copy["cara"], copy["lengkap"]) for copy in found]


def region(world: World, ticket: str) -> str:
    return str(world.campus.issue(ticket)["description"])


class TestByHand:
    def test_the_scan_is_the_version_of_record(self, world: World) -> None:
        ticket = world.stands_at(18)
        assert "Surat Tugas: Kepala Pustikom (`/pos lampir surat-tugas`)" in region(world, ticket)
        before = verification(world, ticket, LETTER, "text/html").text
        assert "Menunggu tanda tangan: Kepala Pustikom." in before
        assert '/tanda-tangan">' in before
        answer = hand_in(world, KEPALA, ticket, LETTER, SCAN)
        assert "naskah dengan tanda tangan Kepala Pustikom telah dicatat" in answer
        assert NO_SIGNATURE in answer
        record = paper(world, ticket, LETTER).of_record
        assert record
        assert (record.by.account, record.sha256) == (KEPALA, hashlib.sha256(SCAN).hexdigest())
        assert f"naskah bertanda tangan: {record.link}" in region(world, ticket)
        assert "Surat Tugas: Kepala Pustikom (`" not in region(world, ticket)
        assert told(world, ticket, LETTER) == [("Kepala Pustikom", "basah", True)]
        page = verification(world, ticket, LETTER, "text/html").text
        assert record.sha256 in page
        assert NO_SIGNATURE in page
        assert "Menunggu tanda tangan" not in page
        assert "Ratna" not in page
        assert SCAN in world.uploads(ticket)

    def test_each_side_of_the_handover_signs_in_its_turn(self, world: World) -> None:
        ticket = accepted(world)
        assert "siapa yang menandatangani" in hand_in(world, KASI, ticket, HANDOVER, SCAN)
        assert "ditandatangani secara berurutan" in hand_in(world, KASI, ticket, UNIT, SCAN)
        assert "Berikutnya, naskah yang sama ditandatangani oleh Dekan Fakultas Teknik." in hand_in(world, KEPALA, ticket, HANDOVER, SCAN)
        assert "sudah dicatat, sehingga tidak dicatat sekali lagi" in hand_in(world, KEPALA, ticket, HANDOVER, JPEG)
        assert "sama persis" in hand_in(world, KASI, ticket, UNIT, SCAN)
        hand_in(world, KASI, ticket, UNIT, issued(world, ticket, HANDOVER))  # refused likewise, by the same note
        assert "Semua tanda tangan sudah lengkap" in hand_in(world, KASI, ticket, UNIT, JPEG)
        assert copies(world, ticket, HANDOVER) == [SCAN, JPEG]
        assert told(world, ticket, HANDOVER) == [("Kepala Pustikom", "basah", False), ("Dekan Fakultas Teknik", "basah", True)]

    def test_a_scan_is_refused_with_what_to_do(self, world: World) -> None:
        ticket = world.stands_at(18)
        assert "penanda tangannya sendiri" in hand_in(world, PROGRAMMER, ticket, LETTER, SCAN)
        assert "bukan PDF, JPEG, atau PNG" in hand_in(world, KEPALA, ticket, LETTER, b"GIF89a")
        assert "sebagai satu berkas" in hand_in(world, KEPALA, ticket, LETTER, SCAN, JPEG)
        assert "terlalu besar" in hand_in(world, KEPALA, ticket, LETTER, SCAN + bytes(LARGEST_SIGNED))
        upload = world.person(KEPALA).upload(world.campus.project, "naskah.pdf", SCAN)
        world.campus.project.uploads.pop()
        world.comment(KEPALA, ticket, f"/pos lampir surat-tugas\n\n{upload}")
        assert "tidak ditemukan lagi" in world.campus.notes(ticket)[-1]
        assert paper(world, ticket, LETTER).copies == ()
        assert world.service.store.void_number(paper(world, ticket, LETTER).number, "Salah orang")
        assert "telah dibatalkan" in hand_in(world, KEPALA, ticket, LETTER, PNG)
        assert paper(world, ticket, LETTER).copies == ()

    def test_what_is_no_paper_of_the_service_stays_evidence(self, world: World) -> None:
        ticket = world.stands_at(18)
        assert "dilampirkan oleh" in hand_in(world, KASI, ticket, "formulir-uji-coba", SCAN)
        world.reorganise(world.settings.organisation.read_text(encoding="utf-8").replace("  signing:\n    provider: basah\n", ""))
        assert "dilampirkan oleh" in hand_in(world, KASI, ticket, LETTER, SCAN)
        assert "menunggu tanda tangan" not in region(world, ticket)


class TestElsewhere:
    def test_the_file_that_was_issued_comes_back_signed(self, world: World) -> None:
        ticket = world.stands_at(18)
        signed_elsewhere(world)
        before = issued(world, ticket, LETTER)
        answer = hand_in(world, KEPALA, ticket, LETTER, sign(before, RATNA, "Kepala", visible=True))
        assert "Keabsahan sertifikat dan identitas pemiliknya tidak diperiksa" in answer
        assert "menyebut nama Ratna Wulandari." in answer
        assert told(world, ticket, LETTER) == [("Kepala Pustikom", "unggah", True)]
        assert copies(world, ticket, LETTER)[0].startswith(before)
        assert "Ratna" not in verification(world, ticket, LETTER, "text/html").text

    def test_both_signatures_stand_in_one_file(self, world: World) -> None:
        ticket = accepted(world)
        signed_elsewhere(world)
        before = issued(world, ticket, HANDOVER)
        first = sign(before, RATNA, "Kepala")
        assert "berurutan" in hand_in(world, KASI, ticket, UNIT, sign(before, DEAN, "Dekan"))
        assert "Berikutnya" in hand_in(world, KEPALA, ticket, HANDOVER, first)
        assert "Isi berkas ini tidak sama" in hand_in(world, KASI, ticket, UNIT, sign(before, DEAN, "Dekan"))
        assert "sudah lengkap" in hand_in(world, KASI, ticket, UNIT, sign(first, DEAN, "Dekan"))
        assert [capacity for capacity, _, _ in told(world, ticket, HANDOVER)] == ["Kepala Pustikom", "Dekan Fakultas Teknik"]

    def test_a_file_is_refused_with_what_is_wrong_with_it(self, world: World) -> None:
        ticket = world.stands_at(18)
        signed_elsewhere(world)
        before = issued(world, ticket, LETTER)
        for content, said in (
            (JPEG, "bukan PDF yang dapat dibaca"),
            (before, "sama persis"),
            (before + b"\n", "belum memuat tanda tangan elektronik"),
            (sign(before.replace(b"%PDF-1.7", b"%PDF-1.6"), RATNA, "Kepala"), "Isi berkas ini tidak sama"),
            (sign(before, RATNA, "Kepala") + b"\n1 0 obj\n", "tidak utuh"),
        ):
            assert said in hand_in(world, KEPALA, ticket, LETTER, content)
        assert paper(world, ticket, LETTER).copies == ()

    def test_what_an_amended_letter_took_the_place_of_is_not_signed_any_more(self, world: World) -> None:
        ticket = world.stands_at(18)
        signed_elsewhere(world)
        old = issued(world, ticket, LETTER)
        world.comment("koord.programmer", ticket, "/pos tugaskan @rizky.maulana")
        world.comment(KEPALA, ticket, "/pos setuju")
        new = issued(world, ticket, LETTER)
        assert new != old
        assert "sudah digantikan" in hand_in(world, KEPALA, ticket, LETTER, sign(old, RATNA, "Kepala"))
        assert "sudah lengkap" in hand_in(world, KEPALA, ticket, LETTER, sign(new, RATNA, "Kepala"))


class TestKept:
    def test_the_signed_copy_is_in_the_proof_in_the_archive_and_given_out(self, world: World, tmp_path: Path) -> None:
        ticket = accepted(world)
        world.clock.advance(timedelta(hours=1))
        world.service.archives.night(world.service.display)
        assert hand_in(world, KASI, ticket, f"{HANDOVER} oleh kepala-pustikom", PNG)
        assert hand_in(world, KASI, ticket, UNIT, SCAN)
        service = world.service
        known = by_revision(service.parts.procedures)
        before = audit(service.store, service.files, known)
        assert before.faults == ()

        assert service.archives.night(service.display) == 1
        path = tmp_path / "arsip.zip"
        path.write_bytes(service.archives.keep(ticket, service.display))
        assert prove(path).faults == ()
        with zipfile.ZipFile(path) as archive:
            name = "dokumen/berita-acara-serah-terima-kedua-belah-pihak-2-ttd-pimpinan-unit-kerja.pdf"
            assert archive.read(name) == SCAN
            assert "naskah bertanda tangan Dekan Fakultas Teknik" in archive.read("index.html").decode()
        assert service.archives.night(service.display) == 0

        environ = variables(world.campus, tmp_path, world.settings.database_url.get_secret_value())
        for options, content in (([], SCAN), (["--issued"], issued(world, ticket, HANDOVER))):
            out = tmp_path / "keluar.pdf"
            result = CliRunner().invoke(main, ["paper", paper(world, ticket, HANDOVER).id, *options, "--out", str(out)], env=environ)
            assert result.exit_code == 0, result.output
            assert out.read_bytes() == content

        (tmp_path / "var" / "berkas" / ticket[-2:] / ticket / hashlib.sha256(PNG).hexdigest()).write_bytes(b"lain")
        assert [(fault.kind, fault.what) for fault in audit(service.store, service.files, known).faults] == [
            ("berkas_berubah", f"{ticket}/{HANDOVER}/2/1")
        ]

    @pytest.mark.parametrize("document", [LETTER])
    def test_told_twice_it_is_recorded_once(self, world: World, document: str) -> None:
        ticket = world.stands_at(18)
        hand_in(world, KEPALA, ticket, document, SCAN)
        world.redeliver()
        world.sweep()
        assert len(paper(world, ticket, document).copies) == 1
        assert world.service.store.verify() == []
