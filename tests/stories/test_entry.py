"""A form on paper is entered by whoever examines forms, with its scan, checked as the portal's is, and the case says so."""

import re
from urllib.parse import urlsplit

import requests

from tests.edge.portal import FORM
from tests.stories.test_desk import HEAD, KASI, Officer, able_to_sign_in
from tests.stories.test_turn import words
from tests.stories.world import A_MOMENT, World

SCAN = b"%PDF-1.7 pindaian formulir"


def flat(form: dict, before: str = "") -> dict[str, str]:
    """The fields of the page for a form."""
    fields: dict[str, str] = {}
    for name, value in form.items():
        if isinstance(value, dict):
            fields |= flat(value, f"{before}{name}.")
        else:
            fields[f"{before}{name}"] = "" if value is None else str(value)
    return fields


def entered(officer: Officer, scan: bytes | None = SCAN, **changed: str) -> requests.Response:
    return sent(officer, officer.session.get(f"{officer.home}/meja/formulir", timeout=10).text, scan, **changed)


def sent(officer: Officer, page: str, scan: bytes | None = SCAN, **changed: str) -> requests.Response:
    """The page's form is filled in and sent; what it carries unseen is its own."""
    unseen = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    fields = flat(FORM) | {"masalah.sejak": "2026-06-01T09:00", "disetujui": "ya"} | unseen | changed
    files = [("pindaian", ("formulir.pdf", scan, "application/pdf"))] if scan else []
    return officer.session.post(f"{officer.home}/meja/formulir", data=fields, files=files, timeout=10)


def tickets(world: World) -> list[str]:
    return world.service.store.tickets()


def test_a_form_on_paper_becomes_a_case_that_says_so(world):
    able_to_sign_in(world)
    clerk = Officer(world, KASI)
    assert "Mencatat formulir kertas" in words(clerk.page())
    answer = entered(clerk, **{"masalah.uraian": "Galat 504 pada jam sibuk."})
    (ticket,) = tickets(world)
    assert urlsplit(answer.url).path == f"/layanan/pengaduan/{ticket}"
    world.settle()
    case = world.case(ticket)
    assert (case.step, case.submission.unit_name, case.submission.since) == (4, "Fakultas Teknik", "2026-06-01T09:00:00+07:00")
    description = world.campus.issue(ticket)["description"]
    assert f"luring, dicatat oleh Dewi Lestari, S.E. ({clerk.account})" in description.replace("\\", "")
    assert [file.name for file in case.submission.attachments] == ["formulir.pdf"]


def test_every_fault_is_told_at_its_field_and_nothing_that_was_typed_is_lost(world):
    able_to_sign_in(world)
    clerk = Officer(world, KASI)
    answer = entered(clerk, **{"pelapor.email": "bukan surel", "masalah.sejak": "kemarin", "masalah.judul": "Tetap di halaman"})
    assert answer.status_code == 422
    assert answer.text.count('role="alert"') == 2
    assert 'value="Tetap di halaman"' in answer.text
    without = entered(clerk, scan=None)
    assert without.status_code == 422
    assert "Hasil pindai formulir wajib disertakan" in words(without.text)
    assert tickets(world) == []


def test_only_whoever_examines_forms_enters_them(world):
    able_to_sign_in(world)
    head = Officer(world, HEAD)
    assert "Mencatat formulir kertas" not in words(head.page())
    assert head.session.get(f"{head.home}/meja/formulir", timeout=10).status_code == 403
    key = re.search(r'name="kunci" value="([^"]+)"', head.page())[1]
    assert head.session.post(f"{head.home}/meja/formulir", data={"kunci": key}, timeout=10).status_code == 403


def test_sent_twice_it_is_one_case(world):
    able_to_sign_in(world)
    clerk = Officer(world, KASI)
    faulty = entered(clerk, **{"pelapor.email": "bukan surel"}).text  # shown again, it is still that page
    world.clock.advance(A_MOMENT)
    first = sent(clerk, faulty)
    world.clock.advance(A_MOMENT)  # an answer that was lost, a button pressed twice
    assert sent(clerk, faulty).url == first.url
    other = sent(clerk, faulty, **{"masalah.judul": "Yang lain"})
    assert (other.status_code, "tidak dicatat untuk kedua kalinya" in words(other.text)) == (409, True)
    assert len(tickets(world)) == 1


def test_a_form_of_no_page_of_ours_is_not_taken(world):
    able_to_sign_in(world)
    clerk = Officer(world, KASI)
    answer = entered(clerk, dibuka="kemarin")
    assert (answer.status_code, "tidak ada yang disimpan" in words(answer.text)) == (400, True)
    assert tickets(world) == []
    before = entered(clerk, dibuka="", **{"pelapor.email": "bukan surel"}).text  # a page of the release before, shown again by this one
    first = sent(clerk, before)
    world.clock.advance(A_MOMENT)
    assert sent(clerk, before).url == first.url
    assert len(tickets(world)) == 1
