"""What a step may ask for that the real procedure does not: the engine must know it all the same."""

from dataclasses import replace
from datetime import date

import pytest

from integration.procedure.definition import Gate, Procedure, Requirement, Step, Supply
from integration.procedure.facts import AccessGiven, DocumentAttached
from integration.procedure.requirements import satisfied
from tests.core.office import person
from tests.core.run import Run, entered, note, refused

DAY = date(2026, 6, 2)
FORM = "formulir-uji-coba"  # a document people attach


def with_step(procedure: Procedure, number: int, **changed: object) -> Procedure:
    """The procedure with one step changed."""
    steps = tuple(replace(step, **changed) if step.number == number else step for step in procedure.steps)
    return replace(procedure, steps=steps)


def changed(run: Run, number: int, **values: object) -> Run:
    run.procedure = with_step(run.procedure, number, **values)
    return run


def requiring(supply: Supply, document: str | None = None) -> tuple[Requirement, ...]:
    return (Requirement("8.1", "Butir", supply, document),)


def test_a_document_people_attach_can_be_required(at) -> None:
    run = changed(at(8), 8, requirements=requiring(Supply.DOCUMENT, FORM))
    decision = run.say("layanan", "selesai")
    (missing,) = refused(decision).missing
    assert (missing.kind, missing.item) == ("document", "Butir")
    assert "Kepala Seksi Layanan Administrasi" in missing.suppliers
    assert note(decision, "penolakan")["line"] == f"/pos lampir {FORM}"
    run.fact(DocumentAttached, person("kasi"), FORM, ("[a](/uploads/a)",))
    assert entered(run.say("layanan", "selesai")) == [9]


@pytest.mark.parametrize(("gate", "line"), [(Gate.TEAM, "/pos tugaskan @pj @anggota"), (Gate.GRANT, "/pos akses @orang")])
def test_a_gate_no_item_speaks_of_is_named_itself(at, gate, line) -> None:
    run = changed(at(8), 8, gates=(gate,))
    decision = run.say("layanan", "selesai")
    assert [(missing.kind, missing.item) for missing in refused(decision).missing] == [("gate", gate.value)]
    assert note(decision, "penolakan")["line"].startswith(line)


@pytest.mark.parametrize(("gate", "supply"), [(Gate.TEAM, Supply.TEAM), (Gate.GRANT, Supply.GRANT)])
def test_a_gate_an_item_speaks_of_is_not_named_twice(at, gate, supply) -> None:
    run = changed(at(8), 8, gates=(gate,), requirements=requiring(supply))
    assert [missing.kind for missing in refused(run.say("layanan", "selesai")).missing] == ["requirement"]


def test_the_schedule_of_a_step_before_counts(at) -> None:
    run = changed(at(8), 8, requirements=requiring(Supply.SCHEDULE))
    assert entered(run.say("layanan", "selesai")) == [9]
    early = changed(at(5), 5, requirements=requiring(Supply.SCHEDULE))
    assert [missing.kind for missing in refused(early.say("kepala", "setuju")).missing] == ["requirement"]


def test_an_item_of_the_checklist_as_the_case_holds_it(pos, at) -> None:
    def open_items(step: int) -> list[str]:
        run = at(step)
        return [r.id for r in pos.step(step).requirements if not satisfied(pos, run.open, r, DAY)]

    assert open_items(6) == ["6.1"], "the schedule is written by the request that leaves the step"
    assert open_items(7) == []
    assert open_items(13) == ["13.2"]
    assert open_items(19) == ["19.1", "19.2", "19.3", "19.4", "19.5"]
    assert open_items(20) == ["20.5"]
    assert open_items(25) == ["25.1"], "its own sections supply it"
    assert open_items(28) == ["28.2"]


def test_another_edition_is_not_the_document(pos, at) -> None:
    final = Requirement("16.1", "Surat tugas", Supply.DOCUMENT, "surat-tugas", "final")
    assert satisfied(pos, at(16).open, final, DAY)
    assert not satisfied(pos, at(15).open, final, DAY)


def test_a_step_without_a_way_forward_names_who_may_act(pos) -> None:
    run = Run(with_step(pos, 4, outcomes=tuple(outcome for outcome in pos.step(4).outcomes if outcome.needs_reason)))
    run.submit()
    said = note(run.say("kepala", "setuju"), "penolakan")
    assert (said["line"], said["may_act"][0]["account"]) == ("", "kasi")


def test_access_from_a_day_to_the_same_day(at) -> None:
    run = at(27)
    assert run.fact(AccessGiven, person("jaringan"), "budi", "srv", "ssh", date(2026, 6, 2)).entries


@pytest.mark.parametrize(("find", "name"), [("step", 99), ("role", "siapa"), ("document", "apa")])
def test_what_a_procedure_lacks_is_no_key_of_it(pos, find, name) -> None:
    with pytest.raises(KeyError):
        getattr(pos, find)(name)


def test_a_step_has_a_name_for_its_column() -> None:
    assert Step(4, "Pemeriksaan", "").label_text == "04 Pemeriksaan"
