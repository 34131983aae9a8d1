"""What goes wrong every day: hooks doubled and lost, people drifting the issue, processes killed. Nothing is lost or done twice."""

from datetime import timedelta

import pytest

from integration.procedure.events import StepLeft
from tests.stories.world import World


def test_a_repeated_form_gets_the_same_ticket_and_one_issue(world: World) -> None:
    first = world.submit(webhook_id="msg_sama")
    again = world.submit(webhook_id="msg_sama")

    assert again == first
    assert world.campus.issue(first)["iid"]


def test_a_run_with_every_hook_delivered_twice_and_out_of_order_counts_everything_once(world: World) -> None:
    world.campus.gitlab.hooks_shuffled = True
    ticket = world.submit()
    while not world.case(ticket).ended_at:
        world.play(ticket)
        world.redeliver()

    case = world.case(ticket)
    assert [passage.step for passage in case.history] == [step.number for step in world.procedure.steps]
    keys = [note.split("<!-- alur:")[1] for note in world.campus.notes(ticket) if "<!-- alur:" in note]
    assert len(keys) == len(set(keys))


def test_with_a_third_of_the_hooks_lost_the_sweep_still_brings_the_case_home(world: World) -> None:
    world.campus.gitlab.hooks_lost = 0.3
    ticket = world.submit()

    for _ in range(400):
        if world.case(ticket).ended_at:
            break
        before = world.case(ticket).step
        world.play(ticket)
        if world.case(ticket).step == before:
            world.sweep()

    assert world.case(ticket).status == "selesai"
    assert world.campus.issue(ticket)["state"] == "closed"


@pytest.mark.parametrize("removed", [True, False])
def test_drifted_labels_are_put_right_by_the_sweep_without_any_hook(world: World, removed: bool) -> None:
    ticket = world.stands_at(6)
    world.campus.gitlab.hooks_lost = 1.0
    wanted = world.campus.labels(ticket)
    person = world.person("kadiv.infrastruktur")
    if removed:
        person.label(world.campus.project, world.campus.iid(ticket), remove=["status::berjalan"])
    else:
        person.label(world.campus.project, world.campus.iid(ticket), add=["prioritas::rendah", "milik-saya"])

    world.sweep()

    assert world.campus.labels(ticket) - {"milik-saya"} == wanted
    assert ("milik-saya" in world.campus.labels(ticket)) is not removed  # the users' own labels are theirs


def test_a_comment_in_the_place_of_a_deleted_one_is_found_by_the_sweep(world: World) -> None:
    ticket = world.submit()
    kasi, project, iid = world.person("kasi.layanan"), world.campus.project, world.campus.iid(ticket)
    remark = kasi.comment(project, iid, "Sedang kami periksa.")
    world.sweep()
    world.campus.gitlab.hooks_lost = 1.0

    world.clock.advance(timedelta(minutes=2))
    kasi.delete_comment(project, iid, remark)
    kasi.comment(project, iid, "/pos cek")  # as many comments as before
    world.sweep()

    assert "cek" in world.campus.notes(ticket)[-1]


def test_the_service_does_not_answer_its_own_events_for_ever(world: World) -> None:
    world.stands_at(6)
    world.campus.gitlab.requests.clear()

    world.settle()
    world.settle()

    assert world.bot_requests() == []


def test_a_description_region_that_was_damaged_is_restored_and_the_users_text_stays(world: World) -> None:
    ticket = world.submit()
    description = world.campus.issue(ticket)["description"]
    damaged = (
        "Catatan saya di atas.\n\n"
        + description.split("<!-- alur:selesai -->")[0].replace("Langkah", "Lankah")
        + "\n\nCatatan saya di bawah."
    )

    world.person("kadiv.layanan").describe(world.campus.project, world.campus.iid(ticket), damaged)
    world.settle()

    restored = world.campus.issue(ticket)["description"]
    assert "Catatan saya di atas." in restored
    assert "Catatan saya di bawah." in restored
    assert restored.count("<!-- alur:mulai -->") == restored.count("<!-- alur:selesai -->") == 1
    assert "Lankah" not in restored.split("<!-- alur:mulai -->")[1].split("<!-- alur:selesai -->")[0]


def test_killed_and_started_again_between_all_steps_the_case_goes_on(world: World) -> None:
    ticket = world.submit()

    while not world.case(ticket).ended_at:
        world.restart()
        world.play(ticket)

    left = [entry.event.step for entry in world.service.store.entries(ticket) if isinstance(entry.event, StepLeft)]
    assert left == sorted(set(left))
