"""What the unit sends along is seen by those who work here and by whoever holds its link, and by nobody who only knows an address."""

import hashlib
import re
from urllib.parse import urlsplit

import requests

from integration.links import Links
from tests.stories.test_desk import HEAD, KASI, Officer, able_to_sign_in
from tests.stories.test_turn import words
from tests.stories.world import example_form
from tests.worker.test_attachments import EICAR, with_place

PHOTO = with_place()


def address(world, ticket: str, content: bytes) -> str:
    return f"{world.campus.portal.service_url}/layanan/pengaduan/{ticket}/lampiran/{hashlib.sha256(content).hexdigest()}"


def test_the_issue_leads_to_a_page_that_asks_who_looks(world):
    able_to_sign_in(world)
    ticket = world.submit(attachments={"foto.jpg": PHOTO})
    (note,) = [note for note in world.campus.notes(ticket) if "Lampiran formulir" in note]
    assert f"[foto.jpg]({address(world, ticket, PHOTO)})" in note
    assert "/uploads/" not in note

    where = address(world, ticket, PHOTO)
    assert requests.get(where, timeout=10).status_code == 400  # neither signed nor signed in
    asked = requests.get(where, headers={"Accept": "text/html"}, timeout=10)
    assert "Masuk sebagai siapa" in asked.text

    for role in (HEAD, KASI):
        seen = Officer(world, role).session.get(where, timeout=10)
        assert (seen.status_code, seen.headers["Content-Type"]) == (200, "image/jpeg")
        assert b"Budi" not in seen.content
    assert "sandbox" in seen.headers["Content-Security-Policy"]
    held = urlsplit(Links.of(world.settings).status(ticket)).query
    assert requests.get(f"{where}?{held}", timeout=10).status_code == 200


def test_somebody_with_an_account_and_no_part_in_the_work_sees_nothing(world):
    able_to_sign_in(world)
    ticket = world.submit(attachments={"foto.jpg": PHOTO})
    world.campus.people["orang.luar"] = world.campus.gitlab.user("orang.luar", "Orang Luar")
    stranger = Officer(world, account="orang.luar")
    assert "tidak tercatat" in words(stranger.page())
    assert stranger.session.get(address(world, ticket, PHOTO), timeout=10).status_code == 403


def test_a_file_of_another_case_is_none_of_this_one(world):
    able_to_sign_in(world)
    first, other = world.submit(attachments={"foto.jpg": PHOTO}), world.submit()
    held = urlsplit(Links.of(world.settings).status(other)).query
    assert requests.get(f"{address(world, other, PHOTO)}?{held}", timeout=10).status_code == 404
    assert requests.get(f"{address(world, first, PHOTO)}?{held}", timeout=10).status_code == 401


def test_what_is_not_shown_says_why_and_names_that_promise_nothing_good_are_not_taken(world):
    able_to_sign_in(world)
    program = b"MZ\x90\x00 program"
    ticket = world.submit(attachments={"laporan.pdf": program, "uji.txt": EICAR})
    (note,) = [note for note in world.campus.notes(ticket) if "Lampiran formulir" in note]
    assert re.search(r"laporan.pdf.*tidak ditampilkan karena isinya program", note)
    refused = Officer(world, HEAD).session.get(address(world, ticket, program), timeout=10)
    assert refused.status_code == 404
    assert "isinya program atau makro" in words(refused.text)

    form = example_form()
    content = b"PK"
    form["lampiran"] = [
        {"nama": "galat.PNG.zip", "jenis": "image/png", "ukuran": 2, "sha256": hashlib.sha256(content).hexdigest(), "isi": "UEs="}
    ]
    answer = world.campus.portal.send("pengaduan.diajukan", {"formulir": form})
    assert answer.status_code == 422
    assert answer.json()["kesalahan"][0]["path"] == "formulir.lampiran.0.nama"
    assert "Arsip, program" in answer.json()["kesalahan"][0]["pesan"]


def test_where_nobody_can_sign_in_what_may_be_shown_is_uploaded(world):
    ticket = world.submit(attachments={"foto.jpg": PHOTO})
    (shown,) = world.campus.uploads(ticket)
    assert shown.startswith(b"\xff\xd8")
    assert b"Budi" not in shown
