"""Who does the work: suggested, named, each with something assigned to them; and a team that changes by an amended letter alone."""

import re
from typing import Any

import pypdfium2

from tests.stories.world import World

COORDINATOR, HEAD = "koord.programmer", "kepala.pustikom"
LEAD, MEMBER, OTHER = "dimas.pratama", "rizky.maulana", "intan.permata"


def tasks(world: World, ticket: str) -> dict[str, dict[str, Any]]:
    """The members' own issues of a case, by whom each is assigned to."""
    found = [issue for issue in world.campus.rows("issues") if issue["title"].startswith(f"Tugas tim {ticket}:")]
    return {issue["assignees"][0]["username"]: issue for issue in found}


def opened(world: World, ticket: str) -> set[str]:
    return {account for account, task in tasks(world, ticket).items() if task["state"] == "opened"}


def linked(world: World, ticket: str) -> set[int]:
    """The numbers of the issues the case's issue is linked to."""
    platform = world.service.platform()
    found = platform.get(f"{platform.project}/issues/{world.campus.iid(ticket)}/links")
    return {issue["iid"] for issue in found}


def named(world: World, ticket: str, *accounts: str) -> None:
    world.comment(COORDINATOR, ticket, "/pos tugaskan " + " ".join(f"@{account}" for account in accounts))


def letters(world: World, ticket: str) -> list[str]:
    """The texts of the case's letters, oldest first."""
    papers = [paper for paper in world.case(ticket).documents if paper.document == "surat-tugas"]
    return [text(world.service.files.get(ticket, paper.sha256)) for paper in papers]


def text(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    words = " ".join(page.get_textpage().get_text_bounded() for page in document)
    document.close()
    return " ".join(words.split())


def test_at_step_13_the_coordinator_reads_whom_to_name_and_copies_the_line(world: World) -> None:
    ticket = world.stands_at(13)

    (note,) = [note for note in world.campus.notes(ticket) if "Saran tim" in note]
    assert note.startswith("**Langkah 13")
    line = re.search(r"/pos tugaskan @\S+ @\S+", note)
    assert line
    first = re.search(r"^1\. (.+)$", note, re.MULTILINE)
    assert first
    assert "merawat sistem ini" in first[1]

    world.comment(COORDINATOR, ticket, line[0])
    assert [f"@{account}" for account in world.case(ticket).team] == line[0].split()[2:]


def test_over_capacity_is_warned_of_and_not_refused(world: World) -> None:
    for _ in range(2):
        named(world, world.submit(), "nadia.kusuma")
    ticket = world.submit()

    named(world, ticket, "nadia.kusuma", MEMBER)

    assert world.case(ticket).team == ("nadia.kusuma", MEMBER)
    warned = world.campus.notes(ticket)[-1]
    assert "kapasitas Nadia Kusuma, M.Kom. sudah terisi" in warned
    assert not re.search(r"\d", warned.partition("kapasitas")[2].partition("<!--")[0]), "nobody's workload is told in figures"


def test_each_further_member_finds_a_linked_task_assigned_to_them_until_the_case_ends(world: World) -> None:
    ticket = world.stands_at(14)
    named(world, ticket, LEAD, MEMBER, OTHER)
    world.walk(ticket, until=16)
    assert tasks(world, ticket) == {}

    world.play(ticket)

    assert opened(world, ticket) == {MEMBER, OTHER}
    task = tasks(world, ticket)[MEMBER]
    assert task["confidential"]
    assert task["labels"] == []
    assert f"#{world.campus.iid(ticket)}" in task["description"]
    assert "#### Pembagian tugas" in task["description"]
    assert "#### Instruksi tindak lanjut" in task["description"]
    assert linked(world, ticket) == {task["iid"] for task in tasks(world, ticket).values()}

    world.walk(ticket)

    assert world.case(ticket).ended_at
    assert opened(world, ticket) == set()
    assert [*world.service.store.inbox_rows(), *world.service.store.outbox_rows()] == []


def test_another_team_needs_an_amended_letter_and_keeps_its_history(world: World) -> None:
    ticket = world.stands_at(14)
    named(world, ticket, LEAD, MEMBER)
    world.walk(ticket, until=18)

    named(world, ticket, OTHER, LEAD)

    case = world.case(ticket)
    assert (case.team, case.proposed) == ((LEAD, MEMBER), (OTHER, LEAD))
    assert "menunggu persetujuan surat tugas perubahan" in world.campus.issue(ticket)["description"]
    assert "@kepala.pustikom" in world.campus.notes(ticket)[-1]
    assert opened(world, ticket) == {MEMBER}

    world.comment(HEAD, ticket, "/pos setuju")

    assert world.case(ticket).team == (OTHER, LEAD)
    assert opened(world, ticket) == {LEAD}
    assert tasks(world, ticket)[MEMBER]["state"] == "closed"
    assert world.campus.issue(ticket)["assignees"][0]["username"] == OTHER
    first, _, proposed, amended = letters(world, ticket)[-4:]
    assert "mengubah susunan tim" not in first
    for letter in (proposed, amended):
        assert "mengubah susunan tim" in letter
        assert "Intan Permata" in letter
        assert "Rizky Maulana" not in letter
    assert "Dr. Ratna Wulandari" in amended
    assert [entry.event.members for entry in world.service.store.entries(ticket) if type(entry.event).__name__ == "TeamAssigned"] == [
        (LEAD, MEMBER),
        (OTHER, LEAD),
    ]


def test_a_member_who_comes_back_has_the_same_task_again(world: World) -> None:
    ticket = world.stands_at(14)
    named(world, ticket, LEAD, MEMBER)
    world.walk(ticket, until=18)
    before = tasks(world, ticket)[MEMBER]["iid"]
    for team in ((LEAD,), (LEAD, MEMBER)):
        named(world, ticket, *team)
        world.comment(HEAD, ticket, "/pos setuju")

    assert opened(world, ticket) == {MEMBER}
    assert tasks(world, ticket)[MEMBER]["iid"] == before


def test_a_task_whose_creation_was_answered_with_an_error_is_made_once(world: World) -> None:
    ticket = world.stands_at(14)
    named(world, ticket, LEAD, MEMBER)
    world.walk(ticket, until=16)
    world.campus.gitlab.fault("POST", r"/issues$", status=500, after_commit=True)
    world.campus.gitlab.fault("POST", r"/links$", status=500, after_commit=True)

    world.play(ticket)
    world.later(minutes=5)

    assert len([issue for issue in world.campus.rows("issues") if issue["title"].startswith("Tugas tim")]) == 1
    assert len(linked(world, ticket)) == 1


def test_tasks_hide_no_deleted_issue_from_the_sweep(world: World) -> None:
    ticket = world.stands_at(14)
    named(world, ticket, LEAD, MEMBER, OTHER)
    world.walk(ticket, until=18)
    iid = world.campus.iid(ticket)
    world.campus.gitlab.member(world.campus.project, world.campus.people["kadiv.infrastruktur"], 50)
    world.person("kadiv.infrastruktur").delete(world.campus.project, iid)

    world.sweep()

    assert world.campus.iid(ticket) != iid
    assert len(linked(world, ticket)) == 2
