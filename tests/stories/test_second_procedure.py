"""A second procedure of the related list beside the first, as nothing but a file: its own form opens its cases, and both go their way."""

import pytest

from integration import procedures
from integration.procedure.definition import Procedure
from tests.stories.test_desk import KASI, Officer, able_to_sign_in
from tests.stories.test_entry import entered, tickets
from tests.stories.test_revisions import release, walk
from tests.stories.test_turn import words
from tests.stories.world import PROCEDURE, ROOT, World, example_form

FILE = ROOT / "docs" / "contoh" / "permintaan-data-insidental.2026-01.yaml"


@pytest.fixture
def second() -> Procedure:
    return procedures.load(FILE)


def test_it_is_of_the_related_list_and_says_that_its_steps_are_made_up(second: Procedure) -> None:
    assert f"POS {second.head.name}" in PROCEDURE.handoffs
    assert "REKAAN" in FILE.read_text(encoding="utf-8")
    assert f"{second.slug}.{second.revision}" not in procedures.shipped()


def test_its_form_opens_its_case_which_goes_its_own_way_to_its_end(world: World, second: Procedure) -> None:
    first = world.stands_at(18)
    before = world.case(first).last_seq
    release(world, PROCEDURE, second)
    ticket = world.submit(form=example_form() | {"kode": second.form})
    case = world.case(ticket)
    assert (ticket[:3], case.procedure, case.step) == ("PD-", second.slug, 2)
    assert {"pos::PD", "langkah::02 Telaah permintaan"} <= world.campus.labels(ticket)
    assert "## Formulir FRM-PD-016" in world.campus.issue(ticket)["description"].replace("### Formulir", "## Formulir")

    walk(world, ticket, 5, second)
    answered = {"tiket": ticket, "hasil": "terima", "catatan": "", "oleh": "Dekan"}
    world.campus.portal.send("serah_terima.ditanggapi", answered).raise_for_status()
    world.settle()
    case = world.case(ticket)
    assert (case.ending, world.campus.issue(ticket)["state"]) == ("selesai", "closed")
    assert [p.number.split("/")[2] for p in case.documents if p.number] == ["IZIN-DATA", "TANDA-TERIMA-DATA"]

    assert (world.case(first).step, world.case(first).last_seq) == (18, before)
    world.campus.procedure = PROCEDURE
    world.play(first)
    assert world.case(first).step == 19


def test_a_form_nobody_knows_or_another_one_than_the_cases_is_refused(world: World, second: Procedure) -> None:
    def told(kind: str, **data: object) -> tuple[int, list[str]]:
        answer = world.campus.portal.send(kind, data)
        return answer.status_code, [fault["pesan"] for fault in answer.json().get("kesalahan", [])]

    foreign = example_form() | {"kode": second.form}
    assert told("pengaduan.diajukan", formulir=foreign) == (422, ["Pilihan ini tidak tersedia; pilihannya: FRM-SI-005."])
    release(world, PROCEDURE, second)
    ticket = world.submit()
    status, (said,) = told("pengaduan.direvisi", tiket=ticket, formulir=foreign)
    assert (status, "bukan formulir prosedur perkara tersebut" in said) == (422, True)


def test_a_form_of_either_is_entered_from_paper(world: World, second: Procedure) -> None:
    able_to_sign_in(world)
    assert "FRM-PD-016" not in Officer(world, KASI).session.get(f"{world.campus.portal.service_url}/meja/formulir", timeout=10).text
    release(world, PROCEDURE, second)
    clerk = Officer(world, KASI)
    page = words(clerk.session.get(f"{clerk.home}/meja/formulir", timeout=10).text)
    assert "FRM-SI-005: Pengaduan Masalah Teknis" in page
    assert "FRM-PD-016: Permintaan Data Insidental" in page
    entered(clerk, kode="FRM-PD-016")
    (ticket,) = tickets(world)
    assert ticket.startswith("PD-")
