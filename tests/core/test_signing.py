"""Signed copies of papers: whose, in which order, of which paper; and what is refused with which line to type next."""

from dataclasses import replace

import pytest

from integration.procedure.decide import Decision
from integration.procedure.effects import UploadSigned
from integration.procedure.events import DocumentSigned
from integration.procedure.facts import SERVICE, Actor, Copy, DocumentFiled, Finding, SignedCopyGiven, SignedCopyUploaded, Withdrawn
from integration.procedure.guards import Code
from integration.procedure.offices import Holding, Papers, Provider
from integration.procedure.papers import signed_paper, signers, to_sign
from integration.procedure.signing import asks_for_copies
from tests.core.office import STRANGER, UNIT, office, organisation, person
from tests.core.run import Run, kinds, note, notes, only, refused
from tests.core.straight import step_on, walk

LETTER, HANDOVER, TRIAL = "surat-tugas", "berita-acara-serah-terima", "berita-acara-uji-coba"
COPY = Copy("c" * 64, 1234, "application/pdf", "[s.pdf](/uploads/x/s.pdf)", "Kepala")
HEAD, UNIT_HEAD = "kepala-pustikom", "pimpinan-unit-kerja"


def filed(run: Run) -> Run:
    """Every paper of the case is made."""
    for paper in run.open.documents:
        run.fact(DocumentFiled, SERVICE, paper.id, "1/UN39.17/2026", paper.id[-1] * 64, 1000, "[x](/uploads/x)")
    return run


def signed(run: Run, document: str, by: Actor, signer: str = "", **other: object) -> Decision:
    """Somebody hands in what they say is the signed copy of the newest paper of this type."""
    paper = run.open.current_paper(document)
    said = {"provider": "unggah", "copy": COPY, "finding": Finding.SOUND, "paper": paper.id if paper else ""} | other
    return run.fact(SignedCopyGiven, by, document, signer=signer, **said)


@pytest.fixture
def letter(at) -> Run:
    """A case whose letter is approved and made."""
    return filed(at(18))


@pytest.fixture
def accepted(at) -> Run:
    """A case that ended with its handover: the paper both sides sign is made."""
    run = at(31)
    step_on(run)
    return filed(run)


def test_whoever_signs_hands_in_their_own_copy_and_it_is_the_version_of_record(letter: Run) -> None:
    decision = signed(letter, LETTER, person("kepala"))
    assert kinds(decision) == ["DocumentSigned"]
    event = only(decision, DocumentSigned)
    assert (event.id, event.role, event.capacity, event.provider) == ("SI-2026-000001/surat-tugas/2", HEAD, "Kepala Pustikom", "unggah")
    assert (event.complete, event.sha256, event.size, event.certificate) == (True, COPY.sha256, COPY.size, "Kepala")
    paper = letter.open.current_paper(LETTER)
    assert paper
    assert paper.of_record
    assert (paper.of_record.sha256, paper.of_record.by, paper.of_record.at) == (COPY.sha256, person("kepala"), letter.now)
    told = note(decision, "tanda-tangan")
    assert (told["next"], told["line"], told["may_act"]) == ("", "", [])


def test_administration_hands_in_what_others_signed_without_saying_whose_where_one_signs_alone(letter: Run) -> None:
    assert only(signed(letter, LETTER, person("kasi")), DocumentSigned).capacity == "Kepala Pustikom"


@pytest.mark.parametrize("by", [STRANGER, person("budi"), person("layanan"), UNIT, SERVICE])
def test_nobody_else_hands_it_in(letter: Run, by: Actor) -> None:
    decision = signed(letter, LETTER, by)
    assert refused(decision).code == Code.NOT_SIGNER
    context = note(decision, "penolakan")
    assert [someone["account"] for someone in context["may_act"]] == ["kepala", "kasi"]
    assert (context["line"], context["asked"]) == ("/pos lampir surat-tugas", "sign:surat-tugas")


def test_the_centres_certificate_service_signs_for_nobody_but_whoever_is_there(letter: Run) -> None:
    assert refused(signed(letter, LETTER, person("kasi"), provider="bsre")).code == Code.NOT_SIGNER
    assert only(signed(letter, LETTER, person("kepala"), provider="bsre"), DocumentSigned).provider == "bsre"


def test_whoever_signed_it_in_their_office_hands_it_in_after_leaving_it(at) -> None:
    run = filed(at(18))
    run.organisation = organisation(office(HEAD, "lain"), without=HEAD)
    run.checked = False
    assert only(signed(run, LETTER, person("kepala")), DocumentSigned).complete


def test_both_sides_sign_the_handover_the_centre_first(accepted: Run) -> None:
    early = signed(accepted, HANDOVER, person("kasi"), UNIT_HEAD)
    assert refused(early).code == Code.OUT_OF_TURN
    assert [missing.item for missing in refused(early).missing] == ["Kepala Pustikom"]
    assert note(early, "penolakan")["line"] == "/pos lampir berita-acara-serah-terima oleh kepala-pustikom"

    first = signed(accepted, HANDOVER, person("kepala"))
    assert only(first, DocumentSigned).complete is False
    told = note(first, "tanda-tangan")
    assert (told["next"], told["line"]) == ("Dekan Fakultas Teknik", "/pos lampir berita-acara-serah-terima oleh pimpinan-unit-kerja")
    assert [someone["account"] for someone in told["may_act"]] == ["kasi"]
    assert accepted.open.documents[-1].of_record is None

    second = signed(accepted, HANDOVER, person("kasi"), f"{UNIT_HEAD}-hari-ini", copy=replace(COPY, sha256="d" * 64))
    assert only(second, DocumentSigned).capacity == "Dekan Fakultas Teknik"
    assert accepted.open.documents[-1].of_record == accepted.open.documents[-1].copies[1]


def test_who_hands_in_for_several_says_whose_it_is(accepted: Run) -> None:
    for said in ("", "kadiv-layanan"):
        decision = signed(accepted, HANDOVER, person("kasi"), said)
        assert refused(decision).code == Code.WHOSE_SIGNATURE
        assert [missing.item for missing in refused(decision).missing] == [HEAD, UNIT_HEAD]
    assert only(signed(accepted, HANDOVER, person("kasi"), HEAD), DocumentSigned).role == HEAD


def test_a_signer_hands_in_nobody_elses(accepted: Run) -> None:
    assert refused(signed(accepted, HANDOVER, person("kepala"), UNIT_HEAD)).code == Code.NOT_SIGNER
    assert only(signed(accepted, HANDOVER, person("kepala"), HEAD), DocumentSigned).role == HEAD


def test_only_the_centre_signs_before_the_unit_accepted(at) -> None:
    run = filed(at(31))
    assert only(signed(run, HANDOVER, person("kepala")), DocumentSigned).complete
    assert refused(signed(run, HANDOVER, person("kasi"), UNIT_HEAD)).code == Code.WHOSE_SIGNATURE


def test_a_signature_is_given_once(letter: Run, accepted: Run) -> None:
    signed(letter, LETTER, person("kepala"))
    again = signed(letter, LETTER, person("kasi"))
    assert refused(again).code == Code.ALREADY_SIGNED
    assert (refused(again).missing, note(again, "penolakan")["line"]) == ((), "")

    signed(accepted, HANDOVER, person("kepala"))
    again = signed(accepted, HANDOVER, person("kepala"))
    assert refused(again).code == Code.ALREADY_SIGNED
    assert [missing.item for missing in refused(again).missing] == ["Dekan Fakultas Teknik"]
    assert note(again, "penolakan")["line"] == "/pos lampir berita-acara-serah-terima oleh pimpinan-unit-kerja"


def test_what_another_version_took_the_place_of_is_not_signed(letter: Run) -> None:
    older = letter.open.current_paper(LETTER)
    assert older
    letter.assign("koordinator", "tono")
    letter.say("kepala", "setuju")
    filed(letter)
    decision = signed(letter, LETTER, person("kepala"), paper=older.id)
    assert refused(decision).code == Code.NOT_CURRENT
    assert note(decision, "penolakan")["line"] == "/pos lampir surat-tugas"
    signed(letter, LETTER, person("kepala"))
    assert refused(signed(letter, LETTER, person("kepala"), paper=older.id)).code == Code.NOT_CURRENT


def test_what_took_the_place_of_a_signed_paper_deletes_no_copy_of_it(letter: Run) -> None:
    signed(letter, LETTER, person("kepala"))
    letter.assign("koordinator", "tono")
    letter.say("kepala", "setuju")
    assert [bool(paper.of_record) for paper in letter.open.documents if paper.document == LETTER] == [False, True, False, False]
    new = signed(letter, LETTER, person("kepala"), paper="SI-2026-000001/surat-tugas/2")
    assert refused(new).code == Code.NOT_CURRENT  # the new one is not made yet, so none is named
    assert note(new, "penolakan")["line"] == ""


def test_a_draft_an_unmade_paper_and_one_that_asks_for_no_signature_are_not_signed(at) -> None:
    assert refused(signed(filed(at(15)), LETTER, person("kepala"))).code == Code.NOTHING_TO_SIGN
    assert refused(signed(at(18), LETTER, person("kepala"))).code == Code.NOTHING_TO_SIGN
    assert refused(signed(at(18), LETTER, person("kepala"), paper="")).code == Code.NOTHING_TO_SIGN
    assert refused(signed(filed(at(18)), "jadwal", person("layanan"))).code == Code.NOTHING_TO_SIGN


@pytest.mark.parametrize("finding", [finding for finding in Finding if finding not in (Finding.SOUND, Finding.UNSEEN)])
def test_a_copy_that_is_not_sound_is_refused_as_what_it_is(letter: Run, finding: Finding) -> None:
    decision = signed(letter, LETTER, person("kepala"), copy=None, finding=finding)
    assert refused(decision).code == finding.value
    assert note(decision, "penolakan")["line"] == ("" if finding is Finding.PAPER_VOID else "/pos lampir surat-tugas")
    assert notes(decision) == ["penolakan"]


def test_what_nobody_looked_at_is_no_copy(letter: Run) -> None:
    assert refused(signed(letter, LETTER, person("kepala"), finding=Finding.UNSEEN)).code == Code.ONE_FILE
    assert refused(signed(letter, LETTER, person("kepala"), copy=None)).code == Code.ONE_FILE


def test_papers_are_signed_after_the_end_too(letter: Run) -> None:
    letter.fact(Withdrawn, UNIT, "Tidak jadi")
    assert only(signed(letter, LETTER, person("kepala")), DocumentSigned).complete


def test_a_deputy_signs_as_deputy(at) -> None:
    run = walk(at(4, organisation(office(HEAD, "wakil", Holding.DEPUTY))), 5)
    run.checked = False
    run.say("wakil", "setuju")
    filed(run)
    assert only(signed(run, "lembar-persetujuan", person("wakil")), DocumentSigned).capacity == "Plh. Kepala Pustikom"


def test_what_the_unit_decided_is_signed_by_its_head_and_handed_in_for_it(at) -> None:
    run = filed(at(25))
    decision = signed(run, TRIAL, person("kasi"))
    assert only(decision, DocumentSigned).role == UNIT_HEAD
    assert [someone["account"] for someone in note(signed(filed(at(25)), TRIAL, STRANGER), "penolakan")["may_act"]] == ["kasi"]


def test_who_has_yet_to_sign(letter: Run, accepted: Run) -> None:
    paper = letter.open.current_paper(LETTER)
    assert paper
    assert [one.role for one in to_sign(letter.procedure, letter.open, paper)] == [HEAD]
    assert signed_paper(letter.procedure, letter.open, LETTER) == paper
    assert signed_paper(letter.procedure, letter.open, "jadwal") is None
    handover = accepted.open.current_paper(HANDOVER)
    assert handover
    assert [one.role for one in signers(accepted.procedure, accepted.open, handover)] == [HEAD, UNIT_HEAD]
    superseded = accepted.open.current_paper(HANDOVER, "pihak pertama")
    assert superseded
    assert to_sign(accepted.procedure, accepted.open, superseded) == ()


def test_copies_are_asked_for_of_papers_of_the_service_where_it_was_chosen_how_they_are_signed(at) -> None:
    run = at(18)
    chosen = replace(run.organisation, papers=Papers(provider=Provider.WET))
    assert asks_for_copies(run.procedure, chosen, LETTER)
    assert not asks_for_copies(run.procedure, run.organisation, LETTER)
    assert not asks_for_copies(run.procedure, chosen, "formulir-uji-coba")
    assert not asks_for_copies(run.procedure, chosen, "entah")


def test_a_copy_that_came_by_our_own_page_goes_to_the_platform_once(letter: Run) -> None:
    (upload,) = [e for e in signed(letter, LETTER, person("kepala"), copy=replace(COPY, link="")).effects if isinstance(e, UploadSigned)]
    assert (upload.document, upload.sha256) == ("SI-2026-000001/surat-tugas/2", COPY.sha256)
    told = (upload.document, COPY.sha256, "[s.pdf](/uploads/x/s.pdf)")
    assert kinds(letter.fact(SignedCopyUploaded, SERVICE, *told)) == ["SignedCopyLinked"]
    paper = letter.open.current_paper(LETTER)
    assert paper
    assert [copy.link for copy in paper.copies] == [told[2]]
    assert letter.fact(SignedCopyUploaded, SERVICE, *told).ignored == "it is so already"
    assert letter.fact(SignedCopyUploaded, SERVICE, upload.document, "e" * 64, "x").ignored == "the case knows nothing of it"


def test_linking_one_copy_leaves_the_others_alone(accepted: Run) -> None:
    signed(accepted, HANDOVER, person("kepala"))
    signed(accepted, HANDOVER, person("kasi"), UNIT_HEAD, copy=replace(COPY, sha256="d" * 64, link=""))
    accepted.fact(SignedCopyUploaded, SERVICE, "SI-2026-000001/berita-acara-serah-terima/2", "d" * 64, "[t](/uploads/t)")
    paper = accepted.open.current_paper(HANDOVER)
    assert paper
    assert [copy.link for copy in paper.copies] == [COPY.link, "[t](/uploads/t)"]
