"""Officers decide on a page of ours: what waits for them is there, and what they say counts as the same words in the issue would."""

import html
import re
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
import requests
from pydantic import SecretStr

from tests.edge.browser import PROGRAM, browser
from tests.postoffice import post_office
from tests.stories.test_turn import words
from tests.stories.world import A_MOMENT, ORGANISATION, World

HEAD, KASI, DATA = "kepala-pustikom", "kasi-layanan-administrasi", "kadiv-layanan"


def opened(world: World, step: int) -> str:
    """A case at this step, and a service at which people can sign in with their account at the platform."""
    ticket = world.stands_at(step)
    able_to_sign_in(world)
    return ticket


def able_to_sign_in(world: World) -> None:
    home = world.campus.portal.service_url
    known = world.campus.gitlab.application(f"{home}/masuk/kembali")
    told = {"public_url": home, "gitlab_oauth_id": known.id, "gitlab_oauth_secret": SecretStr(known.secret)}
    world.settings = world.settings.model_copy(update=told)
    world.restart()


class Officer:
    """Somebody who signed in, with what their browser holds."""

    def __init__(self, world: World, role: str = "", account: str = "") -> None:
        self.world, self.home = world, world.campus.portal.service_url
        self.account = account or world.campus.holder(role)
        self.session = requests.Session()
        self.session.headers["Accept"] = "text/html"
        asked = self.session.get(f"{self.home}/meja", timeout=10)
        chosen = self.session.post(asked.url, data={"username": self.account}, timeout=10)
        assert chosen.url == f"{self.home}/meja", chosen.text

    def page(self) -> str:
        return self.session.get(f"{self.home}/meja", timeout=10).text

    def seen(self, page: str = "") -> None:
        """They say that they have seen what changed, as this page shows it, or one they open now."""
        page = page or self.page()
        key = re.search(r'name="kunci" value="([^"]+)"', page)[1]
        shown = [html.unescape(said) for said in re.findall(r'name="dilihat" value="([^"]+)"', page)]
        self.session.post(f"{self.home}/meja", data={"kunci": key, "dilihat": shown}, timeout=10)

    def fields(self, ticket: str) -> dict[str, str]:
        """What the form of a case carries unseen."""
        form = self.page().split(f'action="/meja/{ticket}"')[1].split("</form>")[0]
        return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))

    def decide(self, ticket: str, hasil: str, **more: object) -> requests.Response:
        return self.send(ticket, self.fields(ticket) | {"hasil": hasil} | more)

    def send(self, ticket: str, fields: dict[str, object]) -> requests.Response:
        self.world.clock.advance(A_MOMENT)
        answer = self.session.post(f"{self.home}/meja/{ticket}", data=fields, timeout=10)
        self.world.settle()
        return answer


def test_what_waits_is_shown_to_whom_it_waits_for_and_decided_with_three_buttons(world):
    ticket = opened(world, 5)
    head, other = Officer(world, HEAD), Officer(world, DATA)
    page = words(head.page())
    for shown in (f"{ticket} SIAKAD", "langkah 05 Persetujuan Kepala Pustikom", "Setujui", "Minta revisi", "Tolak", "paling lambat"):
        assert shown in page
    assert "Tidak ada yang menunggu Anda" in words(other.page())

    head.decide(ticket, "setuju", alasan="Baik, mohon ditindaklanjuti.")
    case = world.case(ticket)
    assert (case.step, case.history[-2].by.account, case.history[-2].outcome) == (6, head.account, "setuju")
    assert "Tidak ada yang menunggu Anda" in words(head.page())


def test_what_is_sent_back_needs_its_reason_and_a_refusal_is_told(world):
    ticket = opened(world, 5)
    head = Officer(world, HEAD)
    head.decide(ticket, "revisi", alasan="")
    assert world.case(ticket).step == 5
    assert "belum dapat diterapkan" in words(head.page())
    head.decide(ticket, "revisi", alasan="Lampirkan tangkapan layar")
    assert world.case(ticket).step == 2


def test_the_sections_of_a_step_are_written_on_the_page(world):
    ticket = opened(world, 8)
    officer = Officer(world, DATA)
    assert "Rekomendasi teknis" in words(officer.page())
    officer.decide(ticket, "selesai", **{"bagian-0": "Rendah", "bagian-1": "Tidak ada", "bagian-2": ""})
    assert world.case(ticket).step == 8
    boxes = re.findall(r'name="butir" value="([^"]+)"', officer.page())
    officer.decide(ticket, "selesai", butir=boxes, **{"bagian-0": "Rendah", "bagian-1": "Tidak ada", "bagian-2": "Tambah indeks"})
    case = world.case(ticket)
    assert case.step == 9
    assert dict(case.written[8])["Rekomendasi teknis"] == "Tambah indeks"


def test_what_is_ticked_on_the_page_counts_for_the_decision_sent_with_it(world):
    ticket = opened(world, 20)
    officer = Officer(world, "koordinator-programmer")
    boxes = re.findall(r'name="butir" value="([^"]+)"', officer.page())
    assert boxes
    officer.decide(ticket, "diterima", butir=boxes, **{"bagian-0": "Sudah diperiksa"})
    assert world.case(ticket).step == 21


def test_nobody_without_a_part_in_the_work_writes_into_a_case(world):
    ticket = opened(world, 5)
    world.campus.people["orang.luar"] = world.campus.gitlab.user("orang.luar", "Orang Luar")
    stranger, head = Officer(world, account="orang.luar"), Officer(world, HEAD)
    before = world.case(ticket).last_seq
    key = re.search(r'name="kunci" value="([^"]+)"', stranger.page())[1]
    fields = head.fields(ticket)
    assert stranger.send(ticket, fields | {"kunci": key, "hasil": "setuju"}).status_code == 403
    assert head.send(ticket, fields | {"hasil": "x" * 8000}).status_code == 400
    assert world.case(ticket).last_seq == before


def test_a_page_that_is_old_decides_nothing(world):
    ticket = opened(world, 5)
    head = Officer(world, HEAD)
    fields = head.fields(ticket)
    world.comment(head.account, ticket, "/pos setuju")
    answer = head.send(ticket, fields | {"hasil": "tolak", "alasan": "Berubah pikiran"})
    assert answer.status_code == 409
    assert "telah berpindah langkah" in words(answer.text)
    assert world.case(ticket).step == 6


def test_sent_twice_it_counts_once_and_without_the_key_of_the_page_never(world):
    ticket = opened(world, 5)
    head = Officer(world, HEAD)
    fields = head.fields(ticket) | {"hasil": "revisi", "alasan": "Mohon dilengkapi"}
    assert head.send(ticket, fields | {"kunci": "tebakan"}).status_code == 400
    assert world.case(ticket).step == 5
    world.clock.advance(A_MOMENT)
    for _ in range(2):
        head.session.post(f"{head.home}/meja/{ticket}", data=fields, timeout=10)
    assert "sedang diproses" in words(head.page())
    world.settle()
    assert [p.step for p in world.case(ticket).history] == [1, 2, 3, 4, 5, 2]


def test_nobody_decides_by_a_page_what_is_not_theirs(world):
    ticket = opened(world, 5)
    head, other = Officer(world, HEAD), Officer(world, KASI)
    stolen = head.fields(ticket) | {"kunci": re.search(r'name="kunci" value="([^"]+)"', other.page())[1], "hasil": "setuju"}
    other.send(ticket, stolen)
    assert world.case(ticket).step == 5
    assert any("@" + other.account in note for note in world.campus.notes(ticket)[-2:])


def test_a_secret_is_not_kept(world):
    ticket = opened(world, 5)
    head = Officer(world, HEAD)
    answer = head.decide(ticket, "revisi", alasan="Kata sandi: Rahasia123!x")
    assert answer.status_code == 422
    assert "Rahasia123" not in answer.text
    assert world.case(ticket).step == 5


def test_what_changed_since_the_officer_last_looked(world):
    ticket = opened(world, 5)
    officer = Officer(world, DATA)
    page = words(officer.page())
    assert "Berubah sejak terakhir Anda lihat (1)" in page
    officer.seen()
    assert "Tidak ada yang berubah" in words(officer.page())
    world.play(ticket)
    opened_then = officer.page()
    assert "06 Penjadwalan" in words(opened_then)
    world.play(ticket)
    officer.seen(opened_then)
    assert "Berubah sejak terakhir Anda lihat (1)" in words(officer.page()), "what came after the page was drawn was not seen"
    officer.seen()
    assert "Tidak ada yang berubah" in words(officer.page())


def test_each_working_day_begins_with_what_waits_by_mail(world):
    with post_office() as letters:
        world.settings = world.settings.model_copy(update={"smtp_url": SecretStr(letters.url)})
        ticket, head = opened(world, 5), world.campus.holder(HEAD)
        text = re.sub(r"    email: .*\n", "", ORGANISATION.read_text(encoding="utf-8"))
        world.reorganise(text.replace(f"account: {head}\n", f"account: {head}\n    email: kepala@kampus.example\n", 1))
        world.until_weekday(2, hour=8)
        world.later(hours=2)
        _, mail = [
            message_from_bytes(one, policy=policy.default) for one in letters.got if b"kepala@kampus.example" in one
        ]  # Tuesday's, Wednesday's
        assert mail["Subject"] == "1 perkara menunggu Bapak/Ibu"
        said = mail.get_content()
        for part in (f"{ticket} SIAKAD", "05 Persetujuan Kepala Pustikom", f"{world.settings.public_url}/meja"):
            assert part in said

        letters.got.clear()
        world.play(ticket)
        Officer(world, HEAD).seen()
        world.until_weekday(3, hour=9)
        assert not [one for one in letters.got if b"kepala@kampus.example" in one]


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")
def test_in_a_browser(world, tmp_path):
    ticket = opened(world, 5)
    world.clock.advance(timedelta(days=3))
    with browser(tmp_path / "profil", "--window-size=900,900") as tab:
        tab.open(f"{world.campus.portal.service_url}/meja")
        account = world.campus.holder(HEAD)
        tab.value(f"document.querySelector('button[value=\"{account}\"]').click()")
        tab.wait_for("document.body.innerText.includes('Menunggu Anda (1)')")
        tab.screenshot(tmp_path / "meja.png")
        tab.value("document.querySelector('button[value=setuju]').click()")
        tab.wait_for("document.body.innerText.includes('sedang diproses')")
        assert [fault for fault in tab.faults if "404" not in fault] == [], "the stand-in has no icon"
    world.settle()
    assert world.case(ticket).step == 6
