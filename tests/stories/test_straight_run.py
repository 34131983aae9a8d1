"""From the form to the handover: one complaint through all the steps, with its papers, callbacks and closing."""

from collections import Counter

from integration.procedure.facts import ActorKind
from tests.stories.world import World


def test_a_complaint_travels_through_every_step_and_is_closed_by_the_accepted_handover(world: World) -> None:
    ticket = world.submit()

    world.walk(ticket)

    case = world.case(ticket)
    assert case.status == "selesai"
    assert [passage.step for passage in case.history] == [step.number for step in world.procedure.steps]
    issue = world.campus.issue(ticket)
    assert issue["state"] == "closed"
    assert issue["confidential"] is True
    assert "status::selesai" in issue["labels"]
    made = {product.document for step in world.procedure.steps for product in step.products}
    assert {paper.document for paper in case.documents} == made | {"laporan-progres"}
    assert all(paper.sha256 and paper.link for paper in case.documents)
    assert world.files_intact(case)


def test_while_it_is_open_the_issue_shows_one_step_one_role_one_status_one_priority(world: World) -> None:
    ticket = world.submit()

    while not world.case(ticket).ended_at:
        families = Counter(label.split("::")[0] for label in world.campus.labels(ticket))
        assert families == {"pos": 1, "langkah": 1, "peran": 1, "status": 1, "prioritas": 1}
        assert world.campus.step(ticket).number == world.case(ticket).step
        world.play(ticket)


def test_the_portal_hears_of_registration_its_turns_papers_and_the_end_in_order(world: World) -> None:
    ticket = world.submit()

    world.walk(ticket)

    heard = [callback.type for callback in world.campus.portal.received(ticket)]
    assert heard[0] == "pengaduan.terdaftar"
    assert heard.count("pengaduan.selesai") == 1
    assert heard.count("giliran.unit_kerja") == 3  # the discussion, the trial and the acceptance (POS steps 11, 24, 31)
    assert "dokumen.terbit" in heard
    assert all(callback.verified for callback in world.campus.portal.received(ticket))


def test_the_status_the_portal_reads_names_the_step_and_whose_turn_it_is(world: World) -> None:
    ticket = world.submit()
    world.walk(ticket, until=24)

    status = world.campus.portal.status(ticket)

    assert status["tiket"] == ticket
    assert "Uji coba" in str(status)
    assert "Pimpinan Unit Kerja" in str(status)
    assert "Catatan verifikasi" not in str(status)  # never what the staff wrote among themselves


def test_the_case_asks_the_unit_only_where_it_is_the_units_turn(world: World) -> None:
    ticket = world.submit()

    world.walk(ticket)

    by_unit = [passage.step for passage in world.case(ticket).history if passage.by and passage.by.kind is ActorKind.UNIT]
    assert by_unit == [1, 2, 3, 24, 31]


def test_attachments_sent_along_are_kept_and_can_be_opened_from_the_issue(world: World) -> None:
    ticket = world.submit(attachments={"galat.txt": b"Galat 504 pada pukul 11.00"})

    assert any("galat.txt" in note for note in [*world.campus.notes(ticket), world.campus.issue(ticket)["description"]])
    assert b"Galat 504 pada pukul 11.00" in world.uploads(ticket)


def test_the_ledger_of_a_finished_case_is_one_unbroken_chain(world: World) -> None:
    ticket = world.submit()
    world.walk(ticket)

    assert world.service.store.verify(ticket) == []
