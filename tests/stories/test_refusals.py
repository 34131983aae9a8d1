"""What may not be done is not done, and the answer says what is missing, who may act and what to type."""

import pytest

from tests.stories.world import World

SIGNED = "### Catatan verifikasi\nSesuai."


def refused(world: World, ticket: str, *words: str) -> None:
    """The last note refuses, in these words, and the case has not moved."""
    note = world.campus.notes(ticket)[-1]
    for word in words:
        assert word in note, f"{word!r} is not in:\n{note}"


def test_whoever_does_not_hold_the_role_is_told_who_does(world: World) -> None:
    ticket = world.submit()

    world.comment("koord.programmer", ticket, "/pos lengkap\n### Hasil analisis awal\nx\n### Urgensi\nx\n### Dampak\nx")

    assert world.case(ticket).step == 4
    refused(world, ticket, "Kepala Seksi Layanan Administrasi", "Dewi Lestari")


def test_missing_sections_are_named_one_by_one(world: World) -> None:
    ticket = world.submit()

    world.comment(world.campus.holder("kasi-layanan-administrasi"), ticket, "/pos lengkap\n### Urgensi\nTinggi")

    assert world.case(ticket).step == 4
    refused(world, ticket, "Hasil analisis awal", "Dampak", "/pos lengkap")


def test_a_return_without_a_reason_is_refused(world: World) -> None:
    ticket = world.stands_at(7)

    world.comment(world.campus.holder("kadiv-layanan"), ticket, "/pos kembali")

    assert world.case(ticket).step == 7
    refused(world, ticket, "alasan", "/pos kembali")


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("/pos tolak <alasan>", "alasan belum ditulis"),
        ("/pos jeda <alasan>", "alasan belum ditulis"),
        ("/pos darurat <alasan>", "alasan belum ditulis"),
        ("/pos alihkan 3 <alasan>", "alasan belum ditulis"),
        ("/pos alihkan <pos> <alasan>", "belum dapat dibaca"),
    ],
)
def test_a_line_copied_with_its_places_left_open_is_answered_and_not_acted_on(world: World, line: str, missing: str) -> None:
    ticket = world.stands_at(5)

    world.comment(world.campus.holder("kepala-pustikom"), ticket, line)

    assert (world.case(ticket).step, world.case(ticket).status) == (5, "berjalan")
    refused(world, ticket, "@kepala.pustikom", missing)


def test_a_reason_too_long_for_the_issue_is_answered_and_holds_nothing_up(world: World) -> None:
    ticket = world.stands_at(5)

    world.comment(world.campus.holder("kepala-pustikom"), ticket, "/pos jeda " + "ERROR *galat* <html> " * 20_000)

    assert world.case(ticket).status == "berjalan"
    refused(world, ticket, "@kepala.pustikom", "terlalu panjang", "5.000 huruf")
    assert world.service.store.outbox_rows(lane=ticket) == []


def test_no_access_is_recorded_to_the_places_of_the_line_to_copy(world: World) -> None:
    ticket = world.stands_at(27)

    world.comment(world.campus.holder("koordinator-infrastruktur"), ticket, "/pos akses @orang <server> <hak> sampai 2026-12-31")

    assert world.case(ticket).grants == ()
    refused(world, ticket, "belum dapat dibaca", "/pos akses")


def test_the_team_must_be_named_before_step_13_is_left(world: World) -> None:
    ticket = world.stands_at(13)

    world.comment(world.campus.holder("koordinator-programmer"), ticket, "/pos selesai\n### Langkah teknis\nx\n### Pembagian tugas\nx")

    assert world.case(ticket).step == 13
    refused(world, ticket, "/pos tugaskan")


def test_boxes_left_unticked_are_named(world: World) -> None:
    ticket = world.stands_at(18)
    lead = world.case(ticket).team[0]

    world.comment(lead, ticket, "/pos selesai\n### Arsip source code\nx\n### Arsip database\nx\n### Arsip keamanan\nx")

    assert world.case(ticket).step == 18
    refused(world, ticket, "Code repository")


def test_an_incomplete_progress_report_names_the_parts_that_are_missing(world: World) -> None:
    ticket = world.stands_at(19)

    world.comment(world.case(ticket).team[0], ticket, "/pos progres 40\n### Kendala dan solusi\nTidak ada.")

    assert world.case(ticket).step == 19
    assert world.case(ticket).reports == ()
    refused(world, ticket, "Tahapan pekerjaan yang telah diselesaikan", "Dokumentasi pendukung")


def test_access_must_be_given_at_27_and_taken_back_before_30_is_left(world: World) -> None:
    ticket = world.stands_at(27)
    world.comment(world.campus.holder("koordinator-infrastruktur"), ticket, "/pos selesai")
    assert world.case(ticket).step == 27
    refused(world, ticket, "/pos akses")

    world.walk(ticket, until=30)
    world.tick_all(ticket, world.campus.holder("kepala-pustikom"))
    world.comment(world.campus.holder("kepala-pustikom"), ticket, "/pos serahkan")
    assert world.case(ticket).step == 30
    refused(world, ticket, "/pos cabut-akses")


def test_an_issue_closed_by_hand_is_opened_again_and_explained(world: World) -> None:
    ticket = world.stands_at(9)

    world.person("kadiv.layanan").close(world.campus.project, world.campus.iid(ticket))
    world.settle()

    assert world.campus.issue(ticket)["state"] == "opened"
    assert world.case(ticket).step == 9
    refused(world, ticket, "dibuka kembali")


def test_a_card_moved_where_no_outcome_leads_is_put_back_and_explained(world: World) -> None:
    ticket = world.stands_at(7)
    far = f"langkah::{world.procedure.step(20).label_text}"

    world.person("kadiv.layanan").drag(
        world.campus.project, world.campus.iid(ticket), f"langkah::{world.procedure.step(7).label_text}", far
    )
    world.settle()

    assert world.campus.step(ticket).number == 7
    assert far not in world.campus.labels(ticket)


def test_a_card_moved_where_something_must_be_written_is_put_back_with_the_line_to_type(world: World) -> None:
    ticket = world.submit()
    labels = [f"langkah::{world.procedure.step(number).label_text}" for number in (4, 5)]

    world.person(world.campus.holder("kasi-layanan-administrasi")).drag(world.campus.project, world.campus.iid(ticket), *labels)
    world.settle()

    assert world.campus.step(ticket).number == 4
    refused(world, ticket, "/pos lengkap")


def test_the_same_refusal_again_updates_its_note_instead_of_adding_one(world: World) -> None:
    ticket = world.stands_at(7)
    before = len(world.campus.notes(ticket))

    for _ in range(3):
        world.comment(world.campus.holder("kadiv-layanan"), ticket, "/pos kembali")

    ours = [note for note in world.campus.notes(ticket)[before:] if not note.startswith("/pos")]
    assert len(ours) == 1


def test_an_edited_comment_orders_nothing(world: World) -> None:
    ticket = world.stands_at(5)
    head = world.person(world.campus.holder("kepala-pustikom"))
    note = head.comment(world.campus.project, world.campus.iid(ticket), "Saya pelajari dahulu.")
    world.settle()

    head.edit_comment(world.campus.project, world.campus.iid(ticket), note, "/pos setuju")
    world.settle()

    assert world.case(ticket).step == 5


@pytest.mark.parametrize("text", ["> /pos setuju", "```\n/pos setuju\n```", "Menurut saya\n/pos setuju", "    /pos setuju"])
def test_what_is_quoted_or_comes_later_orders_nothing(world: World, text: str) -> None:
    ticket = world.stands_at(5)

    world.comment(world.campus.holder("kepala-pustikom"), ticket, text)

    assert world.case(ticket).step == 5


def test_an_unknown_word_gets_the_nearest_one(world: World) -> None:
    ticket = world.stands_at(5)

    world.comment(world.campus.holder("kepala-pustikom"), ticket, "/pos setju")

    assert world.case(ticket).step == 5
    refused(world, ticket, "setuju")


def test_help_and_check_answer_anybody_of_the_project(world: World) -> None:
    ticket = world.submit()

    world.comment("kadiv.infrastruktur", ticket, "/pos bantuan")
    refused(world, ticket, "/pos lengkap", "/pos cek")
    world.comment("kadiv.infrastruktur", ticket, "/pos cek")
    refused(world, ticket, "Pemeriksaan", "Hasil analisis awal")
    assert world.case(ticket).step == 4


def test_a_password_in_a_comment_is_not_acted_on_and_its_author_is_told(world: World) -> None:
    ticket = world.stands_at(27)

    world.comment(world.campus.holder("koordinator-infrastruktur"), ticket, "/pos selesai\n\nkata sandi: Rahasia#2026siakad")

    assert world.case(ticket).step == 27
    refused(world, ticket, "sandi")
    assert "Rahasia#2026siakad" not in world.campus.notes(ticket)[-1]
