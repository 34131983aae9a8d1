"""Procedures by file and by name; a second one needs no Python."""

from pathlib import Path

import pytest

from integration import procedures
from integration.procedure.definition import Channel, Ending, Outcome, OutcomeKind, Procedure, Product, Supply
from integration.procedures import InvalidProcedure, UnknownProcedure, check, load, shipped


def test_what_ships_is_valid_and_named_after_what_it_holds() -> None:
    for name, path in shipped().items():
        assert check(path) == []
        procedure = load(path)
        assert f"{procedure.slug}.{procedure.revision}" == name


def test_a_slug_alone_means_its_newest_revision(pos: Procedure) -> None:
    assert load("pengaduan-masalah-teknis-si") == pos
    assert (pos.prefix, pos.form, pos.opens_at, pos.revises_at) == ("SI", "FRM-SI-005", 4, 2)


def test_revisions_are_told_apart_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procedures, "FOLDER", tmp_path)
    names = ["lain.2024-01", "permintaan.2025-9", "permintaan.2025-10", "permintaan.2025-10-b", "permintaan-data.2020-01"]
    for name in names:
        (tmp_path / f"{name}.yaml").touch()
    assert sorted(shipped()) == sorted(names)
    assert [name for name in shipped() if name.startswith("permintaan.")] == names[1:4]


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(UnknownProcedure, match=r"pengaduan: shipped are pengaduan-masalah-teknis-si\.2025-05"):
        load("pengaduan")


def test_a_file_with_faults_is_never_given_out(every_rule: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(every_rule.replace("prefix: CT", "prefix: ct").replace("{to: 3}", "{to: 33}"), encoding="utf-8")

    with pytest.raises(InvalidProcedure) as raised:
        load(file)

    first, second = str(raised.value).splitlines()
    assert first.startswith(f"{file}:5: prefix: Awalan tiket")
    assert ": steps[2].outcomes.lengkap: Langkah 33 tidak ada." in second


def test_an_unreadable_file_is_never_given_out(tmp_path: Path) -> None:
    file = tmp_path / "empty.yaml"
    file.touch()

    with pytest.raises(InvalidProcedure, match="Berkas ini kosong"):
        load(file)


def test_a_second_procedure_is_data_alone(tiny_path: Path) -> None:
    tiny = load(tiny_path)

    assert [step.label_text for step in tiny.steps] == ["01 Pengajuan", "02 Telaah", "03 Izin", "04 Penyerahan"]
    assert [role.slug for role in tiny.roles if role.channel is Channel.PORTAL] == ["pemohon"]
    assert tiny.step(3).outcomes == (
        Outcome("izinkan", OutcomeKind.FORWARD, to=4),
        Outcome("ulang", OutcomeKind.RETURN, to=2),
        Outcome("larang", OutcomeKind.END, ending=Ending.REFUSED),
    )
    assert tiny.step(4).outcomes == (Outcome("serahkan", OutcomeKind.FORWARD, ending=Ending.DONE),)
    assert tiny.step(4).products == (Product("tanda-terima", "final", ("serahkan",)),)
    assert [(one.id, one.supply) for one in tiny.step(2).requirements] == [("2.1", Supply.FORM), ("2.2", Supply.TICK)]
    assert (tiny.duty, tiny.verification, tiny.emergency, tiny.handoffs, tiny.laws) == (None, None, None, (), ())
