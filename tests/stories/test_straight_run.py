"""From the form to the handover: one complaint through all the steps, with its papers, callbacks and closing."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import jsonschema
import pypdfium2
import pytest
import requests

from integration.procedure.case import Case
from integration.procedure.definition import DRAFT
from integration.procedure.facts import ActorKind
from sync.documents import Reserved, make
from tests.servers import new_database
from tests.stories.world import PROCEDURE, World
from tests.stories.world import world as told
from webhooks.openapi import description

FAMILIES = {"pos": 1, "langkah": 1, "peran": 1, "status": 1, "prioritas": 1}


@dataclass(slots=True)
class Run:
    """One complaint walked from the form to its end, and what the issue showed at each step on the way."""

    world: World
    ticket: str
    shown: list[tuple[int | None, int, Counter[str]]] = field(default_factory=list)  # ledger's step, label's step, labels by family

    @property
    def case(self) -> Case:
        """The case as the ledger has it."""
        return self.world.case(self.ticket)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("lancar")
    if request.param == "sqlite":
        with told(folder, f"sqlite:///{folder / 'alur.db'}") as world:
            yield walked(world)
    else:
        with new_database(request.getfixturevalue("postgres_url")) as url, told(folder, url) as world:
            yield walked(world)


def walked(world: World) -> Run:
    run = Run(world, world.submit(attachments={"galat.txt": b"Galat 504 pada pukul 11.00"}))
    while not run.case.ended_at:
        families = Counter(label.split("::")[0] for label in world.campus.labels(run.ticket))
        run.shown.append((run.case.step, world.campus.step(run.ticket).number, families))
        world.play(run.ticket)
    return run


def test_a_complaint_travels_through_every_step_and_is_closed_by_the_accepted_handover(run: Run) -> None:
    steps = [step.number for step in run.world.procedure.steps]

    assert run.case.status == "selesai"
    assert [passage.step for passage in run.case.history] == steps
    issue = run.world.campus.issue(run.ticket)
    assert issue["state"] == "closed"
    assert issue["confidential"] is True
    assert "status::selesai" in issue["labels"]


def test_every_paper_of_the_table_is_made_filed_and_linked(run: Run) -> None:
    made = {product.document for step in run.world.procedure.steps for product in step.products}

    assert {paper.document for paper in run.case.documents} == made | {"laporan-progres"}
    assert all(paper.sha256 and paper.link for paper in run.case.documents)
    assert run.world.files_intact(run.case)
    description = run.world.campus.issue(run.ticket)["description"]
    newest = {paper.document: paper for paper in run.case.documents}
    assert all(paper.link.split("(")[1] in description for paper in newest.values())


def test_a_document_keeps_its_number_through_its_editions_and_a_draft_has_none(run: Run) -> None:
    numbers: dict[str, set[str]] = {}
    for paper in run.case.documents:
        if run.world.procedure.document(paper.document).numbered and paper.edition != DRAFT:
            numbers.setdefault(paper.document, set()).add(paper.number)
        else:
            assert paper.number == ""

    assert all(len(given) == 1 and "" not in given for given in numbers.values()), numbers
    assert {"laporan-verifikasi", "berita-acara-serah-terima", "surat-tugas"} <= set(numbers)


def test_a_paper_made_again_from_the_ledger_is_the_same_bytes(run: Run) -> None:
    store, display = run.world.service.store, run.world.service.display
    entries = store.entries(run.ticket)

    for paper in run.case.documents:
        reserved = Reserved(paper.number, f"{run.world.settings.public_url}/dokumen/{store.public_id(run.ticket, paper.id)}")
        again = make(paper.id, entries, run.world.procedure, display.organisation, reserved, display.wording)
        assert again.content == run.world.service.files.get(run.ticket, paper.sha256), paper.id


def test_at_the_address_on_a_paper_its_hash_is_told_and_whether_another_took_its_place(run: Run) -> None:
    for paper in run.case.documents:
        printed = pypdfium2.PdfDocument(run.world.service.files.get(run.ticket, paper.sha256))[0].get_textpage().get_text_range()
        (path,) = re.findall(r"diperiksa pada\s+http://127\.0\.0\.1:8080(/dokumen/[a-z2-7]{26})", printed)
        told = requests.get(run.world.campus.portal.service_url + path, timeout=10).json()

        newest = max(p.version for p in run.case.documents if p.document == paper.document)
        assert (told["jenis"], told["versi"], told["nomor"] or "") == (paper.document, paper.version, paper.number)
        assert told["sha256"] == paper.sha256
        assert told["keadaan"] == ("berlaku" if paper.version == newest else "digantikan")
        assert told["digantikan_oleh"] is None or told["digantikan_oleh"]["versi"] == newest
        assert all(told["pejabat"])


def test_while_it_is_open_the_issue_shows_one_step_one_role_one_status_one_priority(run: Run) -> None:
    assert all(families == FAMILIES for _, _, families in run.shown)
    assert all(ledger == label for ledger, label, _ in run.shown)


def test_the_portal_hears_of_registration_its_turns_papers_and_the_end(run: Run) -> None:
    heard = [callback.type for callback in run.world.campus.portal.received(run.ticket)]

    assert heard[0] == "pengaduan.terdaftar"
    assert heard.count("pengaduan.selesai") == 1
    assert set(heard[heard.index("pengaduan.selesai") + 1 :]) <= {"dokumen.terbit"}
    assert heard.count("giliran.unit_kerja") == 3  # the discussion, the trial and the acceptance (POS steps 11, 24, 31)
    assert "dokumen.terbit" in heard
    assert all(callback.verified for callback in run.world.campus.portal.received(run.ticket))


def test_the_portal_is_told_what_its_developers_were_promised(run: Run) -> None:
    components = description((PROCEDURE.form,))["components"]

    for callback in run.world.campus.portal.received(run.ticket):
        content = description((PROCEDURE.form,))["webhooks"][callback.type]["post"]["requestBody"]["content"]["application/json"]
        promised = {"components": components, **content["schema"]["properties"]["data"], "unevaluatedProperties": False}
        jsonschema.Draft202012Validator(promised).validate(callback.data)
        assert callback.data["batas"] is None or callback.data["batas"].endswith("+07:00")


def test_the_case_asks_the_unit_only_where_it_is_the_units_turn(run: Run) -> None:
    by_unit = [passage.step for passage in run.case.history if passage.by and passage.by.kind is ActorKind.UNIT]

    assert by_unit == [1, 2, 3, 24, 31]


def test_attachments_sent_along_are_kept_and_can_be_opened_from_the_issue(run: Run) -> None:
    assert b"Galat 504 pada pukul 11.00" in run.world.uploads(run.ticket)


def test_the_ledger_of_a_finished_case_is_one_unbroken_chain(run: Run) -> None:
    assert run.world.service.store.verify(run.ticket) == []


def test_the_status_the_portal_reads_names_the_step_and_whose_turn_it_is(world: World) -> None:
    ticket = world.stands_at(24)

    status = world.campus.portal.status(ticket)

    assert status["tiket"] == ticket
    assert "Uji coba" in str(status)
    assert "Pimpinan Unit Kerja" in str(status)
    assert "Catatan verifikasi" not in str(status)  # never what the staff wrote among themselves
