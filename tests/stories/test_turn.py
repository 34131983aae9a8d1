"""The unit answers by the link it was sent: a page of ours, on whatever it has at hand, without a script and without an account."""

import html
import re
from datetime import timedelta
from email import message_from_bytes, policy
from urllib.parse import urlsplit

import pytest
import requests
from pydantic import SecretStr

from integration.links import Links
from tests.edge.browser import PROGRAM, browser
from tests.postoffice import post_office
from tests.stories.world import PROCEDURE, World


def link(world: World, ticket: str, kind: str = "giliran.unit_kerja") -> str:
    """The newest link the portal was told, at the address the service has here."""
    told = [call.data for call in world.campus.portal.received(ticket) if call.type == kind]
    address = urlsplit(told[-1]["tautan"])
    return f"{world.campus.portal.service_url}{address.path}?{address.query}"


def look(address: str) -> str:
    """What stands on the page, which sends and loads nothing by itself."""
    answer = requests.get(address, headers={"Accept": "text/html"}, timeout=10)
    assert "<script" not in answer.text
    return words(answer.text)


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.split("<body>")[1])).split())


def answer(address: str, *, files=(), **given: object) -> requests.Response:
    return requests.post(address, data=given, files=list(files), headers={"Accept": "text/html"}, allow_redirects=False, timeout=10)


def test_a_trial_is_judged_by_the_link(world):
    ticket = world.stands_at(24)
    address = link(world, ticket)
    page = look(address)
    for shown in (ticket, "24. Uji coba", "Lulus: perbaikan berfungsi", "Mohon dijawab paling lambat"):
        assert shown in page

    refused = answer(address, jenis="jawab", hasil="lulus", catatan=" ", oleh="Dekan")
    assert refused.status_code == 422
    assert "Isian ini wajib" in words(refused.text) or "diisi" in words(refused.text)
    assert world.case(ticket).step == 24
    assert "Tanda terima" not in look(address)

    taken = answer(address, jenis="jawab", hasil="lulus", catatan="Semua menu sudah dicoba.", oleh="Dr. Ratna, Dekan")
    assert (taken.status_code, "Tanda terima") == (303, "Tanda terima")
    assert "sedang diproses" in look(address)
    world.settle()
    case = world.case(ticket)
    assert (case.step, case.history[-2].by.name) == (25, "Dr. Ratna, Dekan")
    assert any("Semua menu sudah dicoba." in note for note in world.campus.notes(ticket))
    page = look(address)
    for shown in ("diterima dan diterapkan", "Semua menu sudah dicoba.", "Dr. Ratna, Dekan"):
        assert shown in page.replace("telah kami terima dan", "diterima dan")

    before = world.case(ticket).last_seq
    answer(address, jenis="jawab", hasil="gagal", catatan="Berubah pikiran", oleh="Dr. Ratna, Dekan")
    world.settle()
    assert world.case(ticket).last_seq == before


def test_sent_twice_it_counts_once(world):
    ticket = world.stands_at(24)
    address = link(world, ticket)
    for note in ("Pertama", "Kedua"):
        assert answer(address, jenis="jawab", hasil="gagal", catatan=note, oleh="Dekan").status_code == 303
    page = look(address)
    assert page.count("Tanda terima") == 1
    assert "Pertama" in page
    assert "Kedua" not in page
    world.settle()
    assert world.case(ticket).step == 18


def test_two_cases_at_the_same_place_of_their_ledgers_are_answered_each(world):
    clerk = world.campus.holder("kasi-layanan-administrasi")
    tickets = [world.submit(), world.submit()]
    for ticket in tickets:
        world.comment(clerk, ticket, "/pos revisi Mohon dilengkapi")
    assert len({world.case(ticket).entered_seq for ticket in tickets}) == 1
    for ticket in tickets:
        answer(link(world, ticket, "pengaduan.perlu_revisi"), jenis="batal", alasan=f"Selesai {ticket}", oleh="Dekan")
    world.settle()
    assert [world.case(ticket).ending_reason for ticket in tickets] == [f"Selesai {ticket}" for ticket in tickets]


def test_the_handover_is_refused_for_its_papers(world):
    ticket = world.stands_at(31)
    address = link(world, ticket)
    refused = answer(address, jenis="jawab", hasil="tolak-dokumen", catatan="", oleh="Dekan")
    assert refused.status_code == 422
    assert "alasan" in words(refused.text).lower()
    answer(address, jenis="jawab", hasil="tolak-dokumen", catatan="Buku panduan belum lengkap", oleh="Dekan")
    world.settle()
    assert world.case(ticket).step == 29
    assert "diterapkan" in look(address)


def test_the_papers_meant_for_the_unit_can_be_read_by_whoever_holds_its_link(world):
    ticket = world.stands_at(31)
    page = requests.get(link(world, ticket), timeout=10).text
    files = re.findall(r'href="http://127.0.0.1:8080(/layanan/pengaduan/[^"]+/dokumen/[^"]+)"', page)
    assert len(files) == 10
    for file in files:
        paper = requests.get(world.campus.portal.service_url + file, timeout=10)
        assert (paper.status_code, paper.headers["Content-Type"], paper.content[:5]) == (200, "application/pdf", b"%PDF-")
    for wrong in (files[0].split("?")[0], files[0].replace("token=", "token=x")):
        assert requests.get(world.campus.portal.service_url + wrong, headers={"Accept": "text/html"}, timeout=10).status_code == 401
    kept = next(paper for paper in world.case(ticket).documents if not PROCEDURE.document(paper.document).for_unit and paper.sha256)
    staff = re.sub(r"/dokumen/[0-9a-f]+", f"/dokumen/{kept.sha256}", files[0])
    assert requests.get(world.campus.portal.service_url + staff, timeout=10).status_code == 404


def test_a_form_is_revised_by_the_link_in_the_mail(world):
    with post_office() as letters:
        world.settings = world.settings.model_copy(update={"smtp_url": SecretStr(letters.url)})
        world.restart()
        ticket = world.submit(attachments={"galat.txt": b"galat 500", "lama.txt": b"tidak perlu"})
        world.comment(world.campus.holder("kasi-layanan-administrasi"), ticket, "/pos revisi Mohon sebutkan peramban yang dipakai")
    mail = message_from_bytes(letters.got[-1], policy=policy.default)
    assert mail["Subject"] == f"Pengaduan {ticket} perlu dilengkapi"
    assert len(letters.recipients) == 2
    text = mail.get_content()
    assert "Mohon sebutkan peramban yang dipakai" in text
    address = link(world, ticket, "pengaduan.perlu_revisi")
    assert address.split("?")[1] in text

    page = requests.get(address, timeout=10).text
    assert "Mohon sebutkan peramban yang dipakai" in words(page)
    first = world.case(ticket).submission
    assert f'value="{html.escape(first.subject)}"' in page
    keep = first.attachments[0].sha256
    fields = {"sistem.nama": first.system, "sistem.url": "", "masalah.judul": first.subject, "masalah.langkah_reproduksi": ""}
    fields |= {"masalah.kategori": first.category, "masalah.urgensi": "kritis", "masalah.dampak": first.impact}

    faulty = answer(address, jenis="revisi", **(fields | {"masalah.uraian": " ", "masalah.judul": "Tetap di halaman"}))
    assert faulty.status_code == 422
    assert 'role="alert"' in faulty.text
    assert "Tetap di halaman" in faulty.text

    new = ("lampiran", ("layar.png", b"\x89PNG baru", "image/png"))
    given = fields | {"masalah.uraian": "Peramban Firefox 140. <b>Galat</b> tetap muncul.", "pertahankan": keep}
    assert answer(address, files=[new], jenis="revisi", **given).status_code == 303
    world.settle()
    case = world.case(ticket)
    assert (case.step, len(case.submissions)) == (4, 2)
    assert case.submission.description == "Peramban Firefox 140. <b>Galat</b> tetap muncul."
    assert [file.name for file in case.submission.attachments] == ["galat.txt", "layar.png"]
    assert case.submission.urgency == "kritis"
    assert b"\x89PNG baru" in world.campus.uploads(ticket)
    assert "diterapkan" in look(address)


def test_a_complaint_is_withdrawn_by_the_link(world):
    ticket = world.submit()
    world.comment(world.campus.holder("kasi-layanan-administrasi"), ticket, "/pos revisi Mohon dilengkapi")
    address = link(world, ticket, "pengaduan.perlu_revisi")
    assert answer(address, jenis="batal", alasan="", oleh="Dekan").status_code == 422
    answer(address, jenis="batal", alasan="Sudah berfungsi kembali", oleh="Dekan")
    world.settle()
    assert world.case(ticket).status == "dibatalkan"


def test_where_the_unit_only_takes_part_nothing_is_to_be_filled_in(world):
    ticket = world.stands_at(11)
    address = link(world, ticket)
    page = look(address)
    assert "diundang membahas" in page
    assert answer(address, jenis="jawab", hasil="selesai", catatan="x", oleh="Dekan").status_code == 303
    world.settle()
    assert world.case(ticket).step == 11


def test_an_answer_that_changed_nothing_can_be_given_again(world):
    ticket, coordinator = world.stands_at(24), world.campus.holder("koordinator-programmer")
    address = link(world, ticket)
    world.campus.comment(coordinator, ticket, "/pos jeda Menunggu peladen")
    world.campus.gitlab.settle()  # kept, and not worked on yet, when the unit answers
    assert answer(address, jenis="jawab", hasil="lulus", catatan="Baik", oleh="Dekan").status_code == 303
    world.settle()
    assert (world.case(ticket).step, world.case(ticket).status) == (24, "dijeda")
    assert "tidak mengubah keadaan" in look(address)
    assert "Kirim jawaban" not in look(address)
    world.comment(coordinator, ticket, "/pos lanjut")
    assert "Kirim jawaban" in look(address)
    answer(address, jenis="jawab", hasil="lulus", catatan="Baik", oleh="Dekan")
    world.settle()
    assert world.case(ticket).step == 25


def test_only_the_link_that_was_sent_opens_the_page_and_not_for_ever(world):
    ticket = world.stands_at(24)
    address = link(world, ticket)
    other = address.replace(ticket, "SI-2026-000999")
    for wrong in (address[:-1], address.replace("token=", "token=1"), other, address.split("?")[0], f"{address.split('?')[0]}?token=é.1.x"):
        for told in (requests.get(wrong, timeout=10), answer(wrong, jenis="jawab", hasil="lulus", catatan="x", oleh="x")):
            assert told.status_code == 401
            assert "tidak berlaku" in told.text

    stay = world.case(ticket).entered_seq
    old = Links.of(world.settings).turn(ticket, stay, world.clock() - timedelta(days=31))
    told = answer(
        f"{world.campus.portal.service_url}{old.removeprefix('http://127.0.0.1:8080')}", jenis="jawab", hasil="lulus", catatan="x", oleh="x"
    )
    assert told.status_code == 410
    assert "telah berakhir" in told.text

    before = len(world.campus.portal.received(ticket))
    (again,) = re.findall(r'action="([^"]+)"', told.text)
    for _ in range(3):
        assert requests.post(world.campus.portal.service_url + html.unescape(again), timeout=10).status_code == 202
    world.settle()
    assert [call.type for call in world.campus.portal.received(ticket)[before:]] == ["giliran.unit_kerja"]
    assert "Kirim jawaban" in look(link(world, ticket))

    past = Links.of(world.settings).turn(ticket, 1, world.clock())
    assert "telah selesai" in look(f"{world.campus.portal.service_url}{past.removeprefix('http://127.0.0.1:8080')}")


def test_files_come_with_an_answer_and_are_looked_over_as_all_are(world):
    ticket = world.stands_at(24)
    address, said = link(world, ticket), {"jenis": "jawab", "hasil": "gagal", "catatan": "Masih galat", "oleh": "Dekan"}
    refused = answer(address, files=[("berkas", ("alat.exe", b"MZ", "application/octet-stream"))], **said)
    assert refused.status_code == 422
    assert "alert" in refused.text
    assert answer(address, files=[("berkas", ("layar.txt", b"Galat 504", "text/plain"))], **said).status_code == 303
    world.settle()
    case = world.case(ticket)
    assert (case.step, [file.name for sent in case.sent for file in sent.attachments]) == (18, ["layar.txt"])
    (note,) = [note for note in world.campus.notes(ticket) if "Berkas dari unit kerja pada langkah 24" in note]
    assert "[layar.txt](/uploads/" in note
    assert b"Galat 504" in world.uploads(ticket)


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")
def test_on_a_phone(world, tmp_path):
    ticket = world.stands_at(24)
    with browser(tmp_path / "profil", "--window-size=390,844") as tab:
        tab.open(link(world, ticket))
        assert tab.value("document.documentElement.scrollWidth <= window.innerWidth")
        tab.value("document.querySelector('input[value=lulus]').click()")
        tab.value("document.getElementById('catatan').value = 'Dicoba dari telepon'")
        tab.value("document.querySelector('button').click()")
        tab.wait_for("document.body.innerText.includes('Tanda terima')")
        tab.screenshot(tmp_path / "giliran.png")
        assert tab.faults == []
    world.settle()
    assert world.case(ticket).step == 25


def test_the_status_page_tells_the_way_without_a_person_or_a_comment(world):
    ticket = world.stands_at(24)
    world.campus.portal.send("uji_coba.dinilai", {"tiket": ticket, "hasil": "gagal", "catatan": "Masih galat", "oleh": "Dekan"})
    world.settle()
    address = urlsplit(Links.of(world.settings).status(ticket))
    page = look(f"{world.campus.portal.service_url}{address.path}?{address.query}")
    way = page.split("Perjalanan pengaduan")[1]
    assert way.index("Pemeriksaan") < way.index("Persetujuan Kepala Pustikom") < way.index("Uji coba")
    assert "dikembalikan" in way
    assert way.count("sedang berjalan") == 1
    names = [office.name for office in world.campus.organisation.offices]
    assert not [name for name in names if name in page]
    assert "Masih galat" not in page
