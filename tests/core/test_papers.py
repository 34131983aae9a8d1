"""What is told of a paper beside it: who signs, what took its place, whether it counts."""

import pytest

from integration.procedure.case import Case, Paper, evolve, fold
from integration.procedure.events import DocumentIssued, Entry
from integration.procedure.facts import SERVICE
from integration.procedure.papers import Standing, ledger_at, signings, standing, superseding
from tests.core.run import Run
from tests.core.straight import step_on, walk


def happen(run: Run, event: DocumentIssued) -> None:
    """A paper is issued, whatever the rules say of it."""
    run.entries.append(Entry(len(run.entries) + 1, run.now, SERVICE, "x", event))
    run.case = evolve(run.case, run.entries[-1])


def paper(run: Run, document: str, version: int) -> Paper:
    return next(p for p in run.open.documents if (p.document, p.version) == (document, version))


def capacities(run: Run, document: str, version: int) -> list[str]:
    made = paper(run, document, version)
    entries = ledger_at(made.id, run.entries)
    case = fold(entries)
    assert isinstance(case, Case)
    told = signings(run.procedure, case, made)
    assert signings(run.procedure, run.open, made) == told, "what came later changes nothing"
    return [signing.capacity for signing in told]


def stands(run: Run, document: str, version: int) -> tuple[Standing, int | None]:
    made = paper(run, document, version)
    later = superseding(run.procedure, run.open, made)
    return standing(run.procedure, run.open, made), later.version if later else None


def test_a_draft_is_in_force_never_and_the_approved_paper_takes_its_place(at) -> None:
    assert stands(at(15), "surat-tugas", 1) == (Standing.DRAFT, None)
    run = at(18)
    assert stands(run, "surat-tugas", 1) == (Standing.SUPERSEDED, 2)
    assert stands(run, "surat-tugas", 2) == (Standing.VALID, None)


def test_the_draft_of_another_letter_takes_nobodys_place_before_it_is_approved(at) -> None:
    run = at(18)
    run.assign("koordinator", "tono", "budi")
    assert stands(run, "surat-tugas", 2) == (Standing.VALID, None)
    assert stands(run, "surat-tugas", 3) == (Standing.DRAFT, None)
    assert stands(run, "surat-tugas", 1) == (Standing.SUPERSEDED, 2)
    run.assign("koordinator", "tono", "sari")
    assert stands(run, "surat-tugas", 3) == (Standing.SUPERSEDED, 4)
    run.say("kepala", "setuju")
    assert [stands(run, "surat-tugas", version) for version in range(1, 6)] == [(Standing.SUPERSEDED, 5)] * 4 + [(Standing.VALID, None)]


def test_one_weeks_report_takes_not_the_place_of_anothers(at) -> None:
    run = at(20)
    week = paper(run, "laporan-progres", 1).edition
    later = DocumentIssued("SI-2026-000001/laporan-progres/2", "laporan-progres", "2026-W52", 2, 19)
    again = DocumentIssued("SI-2026-000001/laporan-progres/3", "laporan-progres", week, 3, 19)
    for event in (later, again):
        happen(run, event)
    assert stands(run, "laporan-progres", 2) == (Standing.VALID, None)
    assert stands(run, "laporan-progres", 1) == (Standing.SUPERSEDED, 3)


def test_what_is_void_is_nothing_else(at) -> None:
    run = at(18)
    for version in (1, 2):
        assert standing(run.procedure, run.open, paper(run, "surat-tugas", version), void=True) is Standing.VOID


def test_a_paper_is_signed_in_the_office_its_step_was_left_in(at) -> None:
    run = at(18)
    assert capacities(run, "lembar-persetujuan", 1) == ["Kepala Pustikom"]
    assert capacities(run, "surat-tugas", 1) == ["Kepala Seksi Layanan Administrasi"]
    assert capacities(run, "surat-tugas", 2) == ["Kepala Pustikom"]


def test_an_amended_letter_is_signed_by_whoever_approved_it(at) -> None:
    run = at(18)
    run.assign("koordinator", "tono", "budi")
    run.say("kepala", "setuju")
    assert capacities(run, "surat-tugas", 4) == ["Kepala Pustikom"]


def test_the_handover_is_signed_by_both_sides_and_the_test_by_the_units(at) -> None:
    run = at(30)
    assert capacities(run, "berita-acara-uji-coba", 1) == ["Dekan Fakultas Teknik"]
    step_on(walk(run, 31))
    assert capacities(run, "berita-acara-serah-terima", 1) == ["Kepala Pustikom", "Dekan Fakultas Teknik"]
    assert capacities(run, "berita-acara-serah-terima", 2) == ["Kepala Pustikom", "Dekan Fakultas Teknik"]


def test_a_paper_of_a_step_nobody_left_is_the_centres_own(at) -> None:
    run = at(18)
    happen(run, DocumentIssued("SI-2026-000001/data-teknis/1", "data-teknis", "final", 1, 25))
    assert capacities(run, "data-teknis", 1) == [""]


def test_the_ledger_of_a_paper_ends_with_it(at) -> None:
    run = at(18)
    made = paper(run, "surat-tugas", 1)
    assert ledger_at(made.id, run.entries)[-1].seq == made.issued_seq
    with pytest.raises(KeyError):
        ledger_at("SI-2026-000001/surat-tugas/9", run.entries)
