"""People come and go, days are closed: the file or the date says so, and every open case follows; what was decided stays."""

import re
from datetime import datetime, timedelta
from textwrap import indent

import pytest
import requests
import yaml

from integration.organisation import load
from integration.parts import Parts
from integration.procedure.events import DueRecomputed, PerformersChanged
from sync import changes, doctor
from tests.stories.test_weekly_report import printed
from tests.stories.world import ORGANISATION, PROCEDURE, World

TEXT = ORGANISATION.read_text(encoding="utf-8")
KADIV = "Kepala Divisi Layanan dan Pangkalan Data"


def office(role: str, account: str, name: str, since: str, until: str = "", holding: str = "") -> str:
    """One more entry among the offices."""
    entry = {"role": role, "account": account, "name": name, "decree": "SP 7/2026", "since": since, "until": until, "holding": holding}
    return indent(yaml.safe_dump([{key: value for key, value in entry.items() if value}]), "  ")


def with_offices(*entries: str, text: str = TEXT) -> str:
    return text.replace("offices:\n", "offices:\n" + "".join(entries), 1)


def ended(account: str, until: str, text: str = TEXT) -> str:
    """The holder's term is over after this day."""
    return re.sub(rf"(account: {re.escape(account)}\n(?:    .*\n)*?    since: [\d-]+\n)", rf"\1    until: {until}\n", text)


def replaced() -> str:
    return with_offices(
        office("kadiv-layanan", "kadiv.baru", "Rina Marlina, M.T.", "2026-06-02"), text=ended("kadiv.layanan", "2026-06-01")
    )


def assignees(world: World, ticket: str) -> list[str]:
    return [person["username"] for person in world.campus.issue(ticket)["assignees"]]


def description(world: World, ticket: str) -> str:
    return str(world.campus.issue(ticket)["description"])


def look(world: World) -> dict[str, doctor.Finding]:
    """What the doctor finds, in a process of its own."""
    parts = Parts.unproved(world.settings, world.clock)
    findings = doctor.check(parts, world.service.platform(), world.service.provisioning())
    parts.store.close()
    return {finding.code: finding for finding in findings}


def metrics(world: World) -> str:
    return requests.get(f"{world.campus.portal.service_url}/metrics", timeout=30).text


def follow(world: World) -> None:
    """The service looks at the time, and does what follows."""
    world.clock.advance(timedelta(minutes=1))
    world.service.tick()
    world.settle()


@pytest.fixture
def told(world: World) -> World:
    """A world whose service has looked around before."""
    world.service.tick()
    return world


def standing(told: World, step: int) -> str:
    """The case stands at this step, and the service, which may have been started there, has looked around before."""
    ticket = told.stands_at(step)
    told.service.tick()
    return ticket


# --- another holder ---


def test_the_next_deed_counts_under_the_file_as_it_is_now(told: World) -> None:
    ticket = standing(told, 7)
    told.reorganise(replaced())

    told.comment("kadiv.layanan", ticket, "/pos kembali Kurang jelas.")
    assert told.case(ticket).step == 7
    assert "Rina Marlina, M.T." in told.campus.notes(ticket)[-1]
    told.comment("kadiv.baru", ticket, "/pos kembali Kurang jelas.")
    assert told.case(ticket).step == 6


def test_the_new_holder_is_assigned_and_called_without_a_restart(told: World) -> None:
    ticket = standing(told, 7)
    assert assignees(told, ticket) == ["kadiv.layanan"]

    told.reorganise(replaced())
    follow(told)

    assert assignees(told, ticket) == ["kadiv.baru"]
    note = told.campus.notes(ticket)[-1]
    assert "@kadiv.baru (Rina Marlina, M.T." in note
    assert "Bambang Setiawan, M.T." in note
    assert [entry.event for entry in told.service.store.entries(ticket) if isinstance(entry.event, PerformersChanged)] == [
        PerformersChanged(("kadiv.layanan",), ("kadiv.baru",))
    ]
    said = len(told.campus.notes(ticket))
    told.later(hours=2)
    told.restart()
    follow(told)
    assert len(told.campus.notes(ticket)) == said


def test_a_name_that_is_mended_is_shown_and_nobody_is_called(told: World) -> None:
    ticket = told.submit()
    said = len(told.campus.notes(ticket))
    told.reorganise(TEXT.replace("name: Dewi Lestari, S.E.", "name: Dewi Lestari, S.E., M.M."))
    follow(told)
    assert "Dewi Lestari, S.E., M.M." in description(told, ticket)
    assert len(told.campus.notes(ticket)) == said


@pytest.mark.parametrize("broken", ["name: [", TEXT[: len(TEXT) // 3], TEXT.replace("role: kadiv-layanan", "role: gudang")])
def test_a_broken_file_leaves_the_last_good_one_in_force_and_says_so(told: World, broken: str) -> None:
    ticket = standing(told, 7)
    told.reorganise(broken, sound=False)
    follow(told)

    told.play(ticket)
    assert told.case(ticket).step == 8
    assert re.search(r"^alur_organisation_faults [1-9]", metrics(told), re.MULTILINE)
    findings = look(told)
    assert "organisasi.yaml:" in findings["organisation"].detail
    assert "alur organisation check" in findings["organisation"].fix

    told.reorganise(replaced())
    follow(told)
    assert assignees(told, ticket) == ["kadiv.baru"]
    assert "alur_organisation_faults 0.0" in metrics(told)
    assert look(told)["organisation"].ok


# --- an office nobody holds ---


def test_a_vacancy_alarms_the_operator_and_names_who_may_act_and_who_appoints(told: World, caplog: pytest.LogCaptureFixture) -> None:
    ticket = standing(told, 14)  # the coordinator may act in the second place
    told.reorganise(ended("kasi.layanan", "2026-06-01"))
    follow(told)

    assert "nobody holds the office kasi-layanan-administrasi: 1 open cases wait for it" in caplog.text
    figures = metrics(told)
    assert "alur_offices_vacant 1.0" in figures
    assert 'alur_vacant_office_cases{role="kasi-layanan-administrasi"} 1.0' in figures
    assert look(told)["offices"].detail == "Kepala Seksi Layanan Administrasi tidak ada pemegangnya"
    assert assignees(told, ticket) == ["koord.programmer"]
    note = told.campus.notes(ticket)[-1]
    assert "Fajar Nugroho, S.Kom." in note

    told.reorganise(
        with_offices(
            office("kasi-layanan-administrasi", "plt.kasi", "Tono", "2026-06-02", holding="Plt."), text=ended("kasi.layanan", "2026-06-01")
        )
    )
    follow(told)
    assert assignees(told, ticket) == ["plt.kasi"]
    assert "Plt. Kepala Seksi Layanan Administrasi" in told.campus.notes(ticket)[-1]
    told.play(ticket)
    assert told.case(ticket).step == 15
    assert "alur_offices_vacant 0.0" in metrics(told)


def test_a_case_that_comes_to_an_office_nobody_holds_is_told_of_too(told: World, caplog: pytest.LogCaptureFixture) -> None:
    ticket = standing(told, 6)
    told.reorganise(ended("kadiv.layanan", "2026-06-01"))
    follow(told)
    assert "kadiv-layanan: 0 open cases" in caplog.text

    told.play(ticket)
    assert told.case(ticket).step == 7
    assert assignees(told, ticket) == []
    assert "Ratna Wulandari" in told.campus.notes(ticket)[-1]  # who appoints a stand-in
    follow(told)
    assert "kadiv-layanan: 1 open cases" in caplog.text
    assert 'alur_vacant_office_cases{role="kadiv-layanan"} 1.0' in metrics(told)


def test_an_office_that_will_be_vacant_is_seen_a_month_before(told: World) -> None:
    told.reorganise(ended("kadiv.layanan", "2026-06-25"))
    assert look(told)["offices"].detail == f"{KADIV} tidak ada pemegangnya mulai 2026-06-26"


# --- stand-ins ---


def test_a_deputy_acts_from_monday_to_friday_by_the_dates_alone(told: World) -> None:
    deputy = office("kadiv-layanan", "wakil", "Wawan, S.T.", "2026-06-08", "2026-06-12", "Plh.")
    told.reorganise(with_offices(deputy))
    ticket = told.submit()
    told.walk(ticket, until=7)
    told.later(days=3)
    assert assignees(told, ticket) == ["kadiv.layanan"]

    told.until_weekday(0, hour=8)
    assert assignees(told, ticket) == ["wakil"]
    assert "Plh. Kepala Divisi Layanan" in "\n".join(told.campus.notes(ticket))
    told.comment("wakil", ticket, "/pos kembali Jadwal bentrok.")
    assert told.case(ticket).step == 6
    told.play(ticket)

    told.until_weekday(5, hour=8)
    assert assignees(told, ticket) == ["kadiv.layanan"]
    told.comment("wakil", ticket, "/pos kembali Sekali lagi.")
    assert told.case(ticket).step == 7
    changed = [entry.event.accounts for entry in told.service.store.entries(ticket) if isinstance(entry.event, PerformersChanged)]
    assert changed == [("wakil", "kadiv.layanan"), ("kadiv.layanan",)]


def test_what_a_deputy_signed_stays_the_deputys_when_the_holder_is_back(told: World) -> None:
    told.reorganise(with_offices(office("kadiv-layanan", "wakil", "Wawan, S.T.", "2026-06-02", "2026-06-03", "Plh.")))
    ticket = told.submit()
    told.walk(ticket, until=23)
    told.later(days=3)
    assert [o.account for o in told.service.parts.organisation.holders("kadiv-layanan", told.clock().date())] == ["kadiv.layanan"]

    follow(told)
    assert re.search(rf"\| 22 Verifikasi 3 \| Wawan, S\.T\. \(Plh\. {KADIV}\)", description(told, ticket))
    told.play(ticket)  # the report on the handling is made from now
    papers = {paper.document: told.service.files.get(ticket, paper.sha256) for paper in told.case(ticket).documents}
    section = " ".join(printed(papers["laporan-verifikasi"]).split())
    assert "Wawan, S.T." in section
    evaluation = " ".join(printed(papers["catatan-evaluasi"]).split())
    assert f"Plh. {KADIV}" in evaluation
    assert "Bambang" not in evaluation


def test_one_person_verifies_for_two_offices_only_as_a_stand_in_which_is_recorded_and_shown(told: World) -> None:
    told.reorganise(
        with_offices(office("kadiv-layanan", "kadiv.pengembangan", "Sri Handayani, M.Kom.", "2026-06-02", "2026-07-31", "Plh."))
    )
    ticket = told.submit()
    told.walk(ticket, until=23)

    first, second = [sign for sign in told.case(ticket).signoffs if sign.step in (21, 22)]
    assert (first.by.account, second.by.account) == ("kadiv.pengembangan", "kadiv.pengembangan")
    assert (first.exemption, second.exemption) == ("", f"Plh. {KADIV}")
    assert f"pengecualian: Plh. {KADIV}" in description(told, ticket)


# --- working time ---

CLOSED = "closures:\n  - since: 2026-06-03\n    until: 2026-06-05\n    name: Dies Natalis\n    decree: SE Rektor 1/2026\n"


def test_days_closed_in_the_middle_of_the_year_move_what_is_open_and_say_why(told: World) -> None:
    ticket, ended_ticket = told.submit(), told.submit()
    told.walk(ticket, until=8)  # three working days
    told.walk(ended_ticket, until=5)
    told.play(ended_ticket, "tolak", reason="Bukan kewenangan kami.")
    before, entries = told.case(ticket).due, len(told.service.store.entries(ended_ticket))
    assert before is not None

    told.reorganise(TEXT.replace("closures: []\n", CLOSED))
    follow(told)

    case = told.case(ticket)
    assert case.due == datetime.fromisoformat("2026-06-10T16:00+07:00")  # three days off, and a weekend, after the 5th
    assert told.campus.issue(ticket)["due_date"] == "2026-06-10"
    assert [type(entry.event) for entry in told.service.store.entries(ticket)][-1] is DueRecomputed
    note = told.campus.notes(ticket)[-1]
    for words in ("10 Juni 2026", "5 Juni 2026", "Dies Natalis", "SE Rektor 1/2026"):
        assert words in note
    assert len(told.service.store.entries(ended_ticket)) == entries

    told.reorganise(TEXT)
    follow(told)
    assert told.case(ticket).due == before


def test_a_late_case_is_late_no_more_when_its_day_was_closed(told: World) -> None:
    ticket = standing(told, 7)  # one working day: until Wednesday's close
    told.later(days=1, hours=12)
    assert "status::terlambat" in told.campus.labels(ticket)
    told.reorganise(TEXT.replace("closures: []\n", CLOSED))
    follow(told)
    assert "status::berjalan" in told.campus.labels(ticket)


# --- what a file would change ---


def report(world: World, text: str) -> list[str]:
    file = world.settings.organisation.with_name("rencana.yaml")
    file.write_text(text, encoding="utf-8")
    return list(changes.report(world.service.store, (PROCEDURE,), world.service.parts.organisation, load(file)))


def test_before_a_file_is_put_in_place_it_is_told_what_it_would_change(told: World) -> None:
    ticket = standing(told, 8)
    assert report(told, TEXT) == ["Tidak ada perbedaan.", "Tidak ada perkara terbuka yang ikut berubah."]

    said = report(told, replaced().replace("closures: []\n", CLOSED))
    assert said[0] == "Yang berubah:"
    assert f"  {KADIV}: Rina Marlina, M.T. (definitif) menjabat mulai 2 Juni 2026 hingga seterusnya, SP 7/2026" in said
    cases = said[said.index("Perkara terbuka yang ikut berubah:") + 1 :]
    assert cases[0] == f"  {ticket}: batas waktu 5 Jun 2026 16.30 menjadi 10 Jun 2026 16.00"
    assert cases[1] == f"  {ticket}: pelaksana Bambang Setiawan, M.T. menjadi Rina Marlina, M.T."
    assert told.case(ticket).step == 8
    assert assignees(told, ticket) == ["kadiv.layanan"]


def test_an_office_in_which_something_was_decided_must_not_be_deleted_or_altered(told: World) -> None:
    standing(told, 8)
    start, end = TEXT.index("  - role: kadiv-layanan"), TEXT.index("  - role: kadiv-pengembangan")

    warned = f"Perhatian: {KADIV}, Bambang Setiawan, M.T. (definitif, 2 Januari 2025 hingga seterusnya) sudah mengambil 1 keputusan"
    for altered in (TEXT[:start] + TEXT[end:], TEXT.replace("102/UN39/KP/2025", "99/UN39/KP/2025"), ended("kadiv.layanan", "2026-06-01")):
        assert report(told, altered)[-1].startswith(warned)
    told.later(days=1)
    assert not any(line.startswith("Perhatian") for line in report(told, ended("kadiv.layanan", "2026-06-02")))


def test_a_year_that_is_taken_out_leaves_cases_without_a_due_time(told: World) -> None:
    ticket = standing(told, 8)
    only_next_year = re.sub(r"  - name: Ramadan 1447 H\n(?:    .*\n)+", "", TEXT).replace("calendars: [2026, 2027]", "calendars: [2027]")
    assert f"  {ticket}: batas waktu 5 Jun 2026 16.30 menjadi tidak dapat dihitung (kalender 2026 belum dimuat)" in report(
        told, only_next_year
    )
