"""The week's progress report: drafted on Friday from what was done, confirmed by one line, asked for once a person where it is missing."""

import re
from collections.abc import Iterator
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from pydantic import SecretStr

from integration.procedure.case import Case
from tests.postoffice import PostOffice, post_office
from tests.stories.world import ORGANISATION, World, example_form

LEAD, SECOND, COORDINATOR = "dimas.pratama", "rizky.maulana", "koord.programmer"
FRIDAY, MONDAY, AFTER = "2026-06-12T14:00", "2026-06-15T07:30", "2026-06-17T07:30"  # 16 June is a holiday


@pytest.fixture
def letters() -> Iterator[PostOffice]:
    """A mail server."""
    with post_office() as office:
        yield office


def to(world: World, moment: str) -> None:
    """It is that time in Jakarta, and the service has looked at it."""
    world.clock.to(datetime.fromisoformat(f"{moment}:00+07:00"))
    for _ in range(2):
        world.service.tick()
        world.settle()


def at_work(world: World, *subjects: str, until: int = 18) -> list[str]:
    """Cases the team has been working on since Tuesday of 2026-W23; it is Thursday of the next, and all reminders of steps are told."""

    def lead() -> list[str]:
        form = example_form()
        tickets = [world.submit(form={**form, "masalah": {**form["masalah"], "judul": subject}}) for subject in subjects]
        for ticket in tickets:
            world.walk(ticket, until=until)
            assert world.case(ticket).team == (LEAD, SECOND)
        for day in (8, 10, 11):
            to(world, f"2026-06-{day:02d}T10:00")
            world.sweep()
        return tickets

    return world.once(("at work", subjects, until), lead)


def said(world: World, ticket: str, kind: str) -> list[str]:
    """The notes of this kind on the case's issue."""
    return [note for note in world.campus.notes(ticket) if f":{kind}:" in note]


def mention(world: World, ticket: str, what: str, account: str = LEAD) -> None:
    world.campus.gitlab.mention(world.campus.people[account], world.campus.project, world.campus.iid(ticket), what)


def busy(world: World, ticket: str) -> None:
    """A week of work, of which no more is told to the service than GitLab keeps."""
    project, iid = world.campus.project, world.campus.iid(ticket)
    person = world.person(LEAD)
    text = world.campus.issue(ticket)["description"]
    person.describe(
        project, iid, f"{text}\n\n## Rencana\n\n- [ ] Perbaiki rekap nilai\n- [ ] Uji beban\n- [ ] Tulis catatan\n- [ ] Tinjau\n"
    )
    world.settle()
    for box in ("rekap nilai", "Uji beban", "Tulis catatan"):
        person.tick(project, iid, box)
    person.tick(project, iid, "Tulis catatan", False)
    mention(world, ticket, "commit pustikom/siakad@" + "1a2b3c4d" * 5)
    mention(world, ticket, "merge request pustikom/siakad!7")
    mention(world, ticket, "merge request pustikom/siakad!7", SECOND)
    world.comment(SECOND, ticket, "Server uji penuh; sudah ditambah.")
    world.comment("kadiv.layanan", ticket, "Terima kasih, kami tunggu kabarnya.")
    world.comment(LEAD, ticket, "/pos cek")
    world.sweep()


def parts(case: Case) -> dict[str, str]:
    return dict(case.reports[-1].sections)


def test_on_friday_the_draft_says_what_was_done_and_one_line_confirms_it(world: World) -> None:
    (ticket,) = at_work(world, "KRS")
    busy(world, ticket)
    to(world, "2026-06-12T13:59")
    assert said(world, ticket, "rancangan-progres") == []
    to(world, FRIDAY)

    (draft,) = said(world, ticket, "rancangan-progres")
    for words in ("Perbaiki rekap nilai", "Uji beban", r"pustikom/siakad\!7", r"pustikom/siakad\@`1a2b3c4d`", "Server uji penuh", "\n50\n"):
        assert words in draft
    for words in ("Tulis catatan", "kami tunggu kabarnya", "cek"):
        assert words not in draft
    assert draft.count(r"pustikom/siakad\!7") == 2, "once a part"
    assert re.search(r"```text\n /pos progres\n ```\n\n<!--", draft), "it ends with the line to type"
    assert "@" not in draft.replace(r"\@", ""), "who is asked is told once, elsewhere"

    world.comment(LEAD, ticket, "/pos progres")
    report = world.case(ticket).reports[-1]
    assert (report.week, report.percent, report.by.account) == ("2026-W24", 50, LEAD)
    assert parts(world.case(ticket))["Kendala dan solusi"] == "- Server uji penuh; sudah ditambah."
    assert "| 2026-W24 | 50% | - |" in world.campus.issue(ticket)["description"]
    to(world, MONDAY)
    to(world, AFTER)
    assert said(world, ticket, "progres-daftar") == []
    assert len(said(world, ticket, "progres-ditagih")) == 1, "on Friday, and no more"


def test_one_part_is_edited_and_the_rest_stays(world: World) -> None:
    (ticket,) = at_work(world, "KRS")
    busy(world, ticket)
    to(world, FRIDAY)
    world.comment(LEAD, ticket, "/pos progres 80\n\n### Kendala dan solusi\n\nTidak ada kendala.")
    case = world.case(ticket)
    assert case.reports[-1].percent == 80
    assert parts(case)["Kendala dan solusi"] == "Tidak ada kendala."
    assert "Uji beban" in parts(case)["Tahapan pekerjaan yang telah diselesaikan"]


def test_where_nothing_happened_nothing_is_read_and_the_draft_says_what_is_missing(world: World) -> None:
    (ticket,) = at_work(world, "KRS")
    world.campus.gitlab.requests.clear()
    to(world, FRIDAY)

    (draft,) = said(world, ticket, "rancangan-progres")
    assert "belum ada commit" in draft
    assert draft.count("belum ditulis") == 4
    requests = world.bot_requests()
    about = [request for request in requests if "/issues" in request]
    assert {request for request in requests if request not in about} <= {
        "GET /api/v4/user",
        "GET /api/v4/projects/pustikom%2Fpengaduan-si",
    }, "of itself the service asks once, when it starts"
    assert [(request.partition(" ")[0], request.partition("/issues/")[2]) for request in about] == [("POST", "1/notes")] * 2, (
        "the draft, and who is told of it"
    )

    world.comment(LEAD, ticket, "/pos progres")
    assert world.case(ticket).reports == ()
    refusal = said(world, ticket, "penolakan")[-1]
    assert "/pos progres <persen>" in refusal
    assert refusal.count("belum ditulis") == 4


def test_three_cases_of_one_person_are_told_in_one_note(world: World) -> None:
    tickets = at_work(world, "satu", "dua", "tiga")
    to(world, FRIDAY)
    assert [len(said(world, ticket, "rancangan-progres")) for ticket in tickets] == [1, 1, 1]
    assert [len(said(world, ticket, "progres-ditagih")) for ticket in tickets] == [1, 0, 0]
    (note,) = said(world, tickets[0], "progres-ditagih")
    assert note.count(f"@{LEAD}") == 1
    assert not any(ticket in note.split("<!--")[0] for ticket in tickets), "whose cases are whose is on each alone"

    to(world, "2026-06-15T07:29")
    assert len(said(world, tickets[0], "progres-ditagih")) == 1
    to(world, MONDAY)
    world.comment(LEAD, tickets[1], full_report(70))
    assert world.case(tickets[1]).reports[-1].week == "2026-W24", "late, and still in time"
    to(world, "2026-06-15T15:00")
    assert [len(said(world, ticket, "progres-ditagih")) for ticket in tickets] == [2, 0, 0]

    to(world, AFTER)
    world.restart()
    to(world, "2026-06-17T11:00")
    (listed,) = said(world, tickets[0], "progres-daftar")
    assert listed.startswith(f"Yth. @{COORDINATOR}")
    assert re.findall(r"`(SI-2026-\d+)`", listed) == [tickets[0], tickets[2]]
    assert [said(world, ticket, "progres-daftar") for ticket in tickets[1:]] == [[], []]


def test_by_mail_each_gets_one_letter_with_all_their_cases(world: World, letters: PostOffice) -> None:
    post(world, letters)
    tickets = at_work(world, "satu", "dua", "tiga")
    to(world, FRIDAY)
    to(world, MONDAY)
    to(world, AFTER)

    mails = read(letters)
    assert [(mail["to"], mail["subject"]) for mail in mails] == [
        ("dimas@kampus.example", "Rancangan laporan progres pekan 2026-W24"),
        ("dimas@kampus.example", "Pengingat: laporan progres pekan 2026-W24"),
        ("fajar@kampus.example", "Laporan progres yang belum masuk, pekan 2026-W24"),
    ]
    for mail in mails:
        text = mail.get_content()
        assert re.findall(r"^- (SI-2026-\d+)", text, re.MULTILINE) == tickets
        assert all(world.case(ticket).url in text for ticket in tickets)
    assert "/pos progres" in mails[0].get_content().splitlines()
    assert "Dimas Pratama" in mails[2].get_content()
    assert [said(world, ticket, kind) for ticket in tickets for kind in ("progres-ditagih", "progres-daftar")] == [[]] * 6


def test_who_is_on_leave_is_not_asked_and_the_list_says_so(world: World, letters: PostOffice) -> None:
    post(world, letters, away=(LEAD, SECOND))
    (ticket,) = at_work(world, "satu")
    to(world, FRIDAY)
    to(world, MONDAY)
    to(world, AFTER)
    mails = read(letters)
    assert [mail["to"] for mail in mails] == ["fajar@kampus.example"]
    assert "Seluruh tim sedang cuti: Dimas Pratama, S.Kom. dan Rizky Maulana, S.T." in " ".join(mails[0].get_content().split())
    assert said(world, ticket, "progres-ditagih") == []


def test_in_place_of_who_is_on_leave_the_next_of_the_team_is_asked(world: World) -> None:
    organised(world, away=(LEAD,))
    (ticket,) = at_work(world, "satu")
    to(world, FRIDAY)
    (note,) = said(world, ticket, "progres-ditagih")
    assert f"@{SECOND}" in note
    assert f"@{LEAD}" not in note


def test_a_case_new_to_its_duty_is_left_in_peace(world: World) -> None:
    form = example_form()
    world.clock.to(datetime.fromisoformat("2026-06-11T08:00:00+07:00"))
    ticket = world.submit(form=form)
    world.walk(ticket, until=18)
    for moment in (FRIDAY, MONDAY, AFTER):
        to(world, moment)
    assert [said(world, ticket, kind) for kind in ("rancangan-progres", "progres-ditagih", "progres-daftar")] == [[], [], []]


def test_a_week_without_a_working_day_asks_nobody_and_is_none(world: World) -> None:
    closed = "closures:\n  - since: 2026-06-15\n    until: 2026-06-19\n    name: Dies Natalis\n    decree: SE Rektor 1/2026\n"
    world.reorganise(ORGANISATION.read_text(encoding="utf-8").replace("closures: []\n", closed))
    (ticket,) = at_work(world, "satu")
    to(world, FRIDAY)
    for day in range(15, 22):
        to(world, f"2026-06-{day}T14:00")
    assert len(said(world, ticket, "progres-ditagih")) == 1
    to(world, "2026-06-22T07:30")
    assert len(said(world, ticket, "progres-ditagih")) == 2, "the first working day since is a week later"
    assert world.case(ticket).skipped_weeks == ("2026-W25",)
    to(world, "2026-06-23T07:30")
    assert len(said(world, ticket, "progres-daftar")) == 1


def test_the_weeks_stand_on_the_issue_with_their_trend(world: World) -> None:
    (ticket,) = at_work(world, "satu")
    for moment, percent in (("2026-06-11T15:00", 40), ("2026-06-17T10:00", 40), ("2026-06-24T10:00", 55), ("2026-06-26T10:00", 50)):
        to(world, moment)
        world.comment(LEAD, ticket, full_report(percent))
    table = re.findall(r"^\| (2026-W\d\d) \| (.*) \| (.*) \|$", world.campus.issue(ticket)["description"], re.MULTILINE)
    assert table == [("2026-W24", "40%", "-"), ("2026-W25", "40%", "tetap"), ("2026-W26", "50%", "naik 10 poin")]


def test_what_a_week_costs_grows_with_the_cases_something_was_done_about(world: World) -> None:
    tickets = at_work(world, *(str(number) for number in range(8)), until=17)
    for ticket in tickets[:3]:
        mention(world, ticket, "merge request !7")
    for _ in range(130):
        mention(world, tickets[0], "commit " + "1a2b3c4d" * 5)
    world.sweep()
    world.campus.gitlab.requests.clear()
    to(world, FRIDAY)

    read = [request for request in world.bot_requests() if request.startswith("GET")]
    assert sorted(request.partition("/issues/")[2] for request in read) == ["1/notes", "1/notes", "2/notes", "3/notes"], (
        "a page of 100 each"
    )
    assert sum(len(said(world, ticket, "rancangan-progres")) for ticket in tickets) == 8


def read(letters: PostOffice) -> list[EmailMessage]:
    """The letters about progress reports, in order."""
    mails = [BytesParser(policy=policy.default).parsebytes(sent) for sent in letters.got]
    return [mail for mail in mails if "laporan progres" in str(mail["subject"]).casefold()]


def full_report(percent: int) -> str:
    titles = ("Tahapan pekerjaan yang telah diselesaikan", "Kendala dan solusi", "Dokumentasi pendukung")
    return "\n\n".join([f"/pos progres {percent}", *(f"### {title}\n\nBaik." for title in titles)])


def organised(world: World, *, away: tuple[str, ...] = ()) -> None:
    """Addresses of some, and days of leave."""
    text = re.sub(r"    email: .*\n", "", ORGANISATION.read_text(encoding="utf-8"))
    text = text.replace("    leave:\n      - since: 2026-07-06\n        until: 2026-07-10\n", "")
    for account, address in ((LEAD, "dimas@kampus.example"), (COORDINATOR, "fajar@kampus.example")):
        text = text.replace(f"account: {account}\n", f"account: {account}\n    email: {address}\n")
    for account in away:
        leave = "    leave:\n      - since: 2026-06-10\n        until: 2026-06-19\n"
        text = text.replace(f"  - account: {account}\n", f"  - account: {account}\n{leave}")
    world.reorganise(text)


def post(world: World, letters: PostOffice, *, away: tuple[str, ...] = ()) -> None:
    """From now on the service has a mail server, and knows the addresses of two."""
    organised(world, away=away)
    world.settings = world.settings.model_copy(update={"smtp_url": SecretStr(letters.url)})
    world.restart()
