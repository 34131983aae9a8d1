"""Papers are signed on their own page: people sign in, read what they sign, hand it in, or sign with a passphrase that stays nowhere."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from flask import Response
from pydantic import SecretStr

from integration.files import LARGEST_SIGNED
from integration.procedure.facts import Finding
from sandbox import bsre
from sandbox.certificates import Authority, sign
from sync.pdf_signatures import look
from tests.stories.test_signatures import HANDOVER, JPEG, KASI, KEPALA, LETTER, PROGRAMMER, SCAN, accepted, copies, issued, paper, region
from tests.stories.test_signatures import told as told_of
from tests.stories.world import World

NIK, PASSPHRASE = "3175012345670001", "kalimat-rahasia-Ratna-7"


class Visitor:
    """Somebody at a browser without scripts: signs in with their account, opens pages, sends forms."""

    def __init__(self, world: World, account: str = "") -> None:
        self.world, self.browser = world, requests.Session()
        self.browser.headers["Accept"] = "text/html"
        if account:
            asked = self.browser.get(self.at("/masuk"), allow_redirects=False, timeout=30)
            chosen = requests.post(asked.headers["Location"], data={"username": account}, allow_redirects=False, timeout=30)
            back = urlsplit(chosen.headers["Location"])
            self.browser.get(self.at(f"{back.path}?{back.query}"), allow_redirects=False, timeout=30)

    def at(self, path: str) -> str:
        return f"{self.world.campus.portal.service_url}{path}"

    def page_of(self, ticket: str, document: str) -> str:
        return f"/dokumen/{self.world.service.store.public_id(ticket, paper(self.world, ticket, document).id)}/tanda-tangan"

    def open(self, ticket: str, document: str, rest: str = "") -> requests.Response:
        return self.browser.get(self.at(self.page_of(ticket, document) + rest), allow_redirects=False, timeout=30)

    def send(self, page: requests.Response, content: bytes | None = None, **typed: str) -> requests.Response:
        """Fill in the form of this page and send it; then the service does what follows."""
        hidden = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)">', page.text))
        files = None if content is None else {"naskah": ("naskah.pdf", content)}
        answer = self.browser.post(page.url, data=hidden | typed, files=files, allow_redirects=False, timeout=90)
        self.world.settle()
        return answer


@pytest.fixture
def national() -> Iterator[bsre.Bsre]:
    with bsre.Bsre() as service:
        service.people[NIK] = bsre.Person("Ratna Wulandari", PASSPHRASE)
        yield service
        assert service.unknown == []


@pytest.fixture
def open_world(world: World, national: bsre.Bsre) -> World:
    """A world whose people can sign in on our pages, and whose service is known to the client service."""
    known = world.campus.gitlab.application(f"{world.settings.public_url}/masuk/kembali")
    told = {
        "gitlab_oauth_id": known.id,
        "gitlab_oauth_secret": SecretStr(known.secret),
        "bsre_credentials": SecretStr(f"{bsre.NAME}:{bsre.PASSWORD}"),
    }
    world.settings = world.settings.model_copy(update=told)
    world.restart()
    return world


def by_passphrase(world: World, national: bsre.Bsre) -> None:
    text = world.settings.organisation.read_text(encoding="utf-8")
    world.reorganise(text.replace("provider: basah", f"provider: bsre\n    address: {national.address}"))


def kept_bytes(world: World) -> bytes:
    """All that the service has on disk."""
    database = Path(world.settings.database_url.get_secret_value().removeprefix("sqlite:///"))
    files = [*database.parent.glob(f"{database.name}*"), *world.settings.data_dir.rglob("*")]
    return b"".join(file.read_bytes() for file in files if file.is_file())


def test_the_signer_signs_with_a_passphrase_that_stays_nowhere(
    open_world: World, national: bsre.Bsre, caplog: pytest.LogCaptureFixture
) -> None:
    world, ticket = open_world, open_world.stands_at(18)
    caplog.set_level(logging.DEBUG)
    by_passphrase(world, national)
    kepala = Visitor(world, KEPALA)
    page = kepala.open(ticket, LETTER)
    assert "Giliran menandatangani" in page.text
    sheet = kepala.open(ticket, LETTER, "/naskah.pdf")
    assert sheet.content == issued(world, ticket, LETTER)

    wrong = "kalimat-keliru-Ratna-8"
    answers = [
        kepala.send(page, nik=NIK, passphrase=wrong),
        kepala.send(page, nik="9" * 16, passphrase=PASSPHRASE),
        kepala.send(page, nik="31", passphrase=PASSPHRASE),
    ]
    assert [answer.status_code for answer in answers] == [422] * 3
    for answer, said in zip(answers, ("belum tepat", "tidak terdaftar", "16 angka"), strict=True):
        assert said in answer.text
        assert PASSPHRASE not in answer.text
    national.broken = Response("<html>pemeliharaan</html>", mimetype="text/html")
    broken = kepala.send(page, nik=NIK, passphrase=PASSPHRASE)
    assert (broken.status_code, "tidak dapat dibaca" in broken.text) == (503, True)
    national.broken = None
    assert paper(world, ticket, LETTER).copies == ()

    done = kepala.send(page, nik=NIK, passphrase=PASSPHRASE)
    assert (done.status_code, "Naskah sudah diterima" in done.text) == (202, True)
    assert told_of(world, ticket, LETTER) == [("Kepala Pustikom", "bsre", True)]
    (signed,) = copies(world, ticket, LETTER)
    assert look(signed, 1) == (Finding.SOUND, "Ratna Wulandari")
    record = paper(world, ticket, LETTER).of_record
    assert record
    assert record.link in region(world, ticket)
    assert signed in world.uploads(ticket)
    assert "Tanda tangan dibubuhkan melalui layanan klien BSrE" in world.campus.notes(ticket)[-1]
    assert kepala.open(ticket, LETTER).status_code == 409

    everything = kept_bytes(world) + caplog.text.encode() + "".join(world.campus.notes(ticket)).encode()
    assert record.sha256.encode() in everything
    assert [secret for secret in (PASSPHRASE, wrong, NIK, bsre.PASSWORD) if secret.encode() in everything] == []
    too_often = [kepala.send(kepala.open(ticket, "lembar-persetujuan"), nik=NIK, passphrase=wrong) for _ in range(2)]
    assert too_often[-1].status_code == 429
    assert int(too_often[-1].headers["Retry-After"]) > 0


def test_nobody_signs_for_another_by_passphrase_but_hands_in_their_file(open_world: World, national: bsre.Bsre) -> None:
    world, ticket = open_world, accepted(open_world)
    by_passphrase(world, national)
    kasi = Visitor(world, KASI)
    page = kasi.open(ticket, HANDOVER)
    assert "passphrase" not in page.text.lower()
    kepala = Visitor(world, KEPALA)
    kepala.send(kepala.open(ticket, HANDOVER), nik=NIK, passphrase=PASSPHRASE)
    first = copies(world, ticket, HANDOVER)[0]

    page = kasi.open(ticket, HANDOVER)
    assert "Dekan Fakultas Teknik" in page.text
    assert kasi.open(ticket, HANDOVER, "/naskah.pdf").content == first
    both = sign(first, Authority().signer("Dekan"), "Dekan")
    assert kasi.send(page, both).status_code == 202
    assert [(way, complete) for _, way, complete in told_of(world, ticket, HANDOVER)] == [("bsre", False), ("unggah", True)]
    assert "ttd-pimpinan-unit-kerja.pdf" in region(world, ticket)


def test_scans_are_handed_in_here_too_and_the_same_form_counts_once(open_world: World) -> None:
    world, ticket = open_world, accepted(open_world)
    kasi = Visitor(world, KASI)
    page = kasi.open(ticket, HANDOVER)
    assert kasi.send(page).status_code == 422
    assert kasi.send(page, SCAN + bytes(LARGEST_SIGNED)).status_code == 413
    assert [kasi.send(page, SCAN).status_code for _ in range(2)] == [202, 202]
    assert copies(world, ticket, HANDOVER) == [SCAN]
    stale = kasi.send(page, JPEG)  # of the page that asked for the first signature
    assert stale.status_code == 202
    assert "sudah dicatat" in world.campus.notes(ticket)[-1]
    kasi.send(kasi.open(ticket, HANDOVER), JPEG)
    assert copies(world, ticket, HANDOVER) == [SCAN, JPEG]
    assert told_of(world, ticket, HANDOVER)[-1] == ("Dekan Fakultas Teknik", "basah", True)


def test_the_page_is_for_those_who_sign(open_world: World, national: bsre.Bsre) -> None:
    world, ticket = open_world, open_world.stands_at(18)
    stranger = Visitor(world)
    sent = stranger.open(ticket, LETTER)
    assert (sent.status_code, sent.headers["Location"]) == (303, f"/masuk?ke={stranger.page_of(ticket, LETTER)}")
    programmer = Visitor(world, PROGRAMMER)
    assert programmer.open(ticket, LETTER).status_code == 403
    assert programmer.open(ticket, LETTER, "/naskah.pdf").status_code == 403
    kepala = Visitor(world, KEPALA)
    page = kepala.open(ticket, LETTER)
    assert kepala.open(ticket, "jadwal").status_code == 409
    gone = kepala.browser.get(kepala.at(f"/dokumen/{'a' * 26}/tanda-tangan"), timeout=30)
    assert gone.status_code == 404
    assert kepala.browser.post(page.url, data={}, timeout=30).status_code == 400
    assert "belum disiapkan" not in page.text

    assert world.service.store.void_number(paper(world, ticket, LETTER).number, "Salah orang")
    assert kepala.send(page, SCAN).status_code == 409
    world.reorganise(world.settings.organisation.read_text(encoding="utf-8").replace("  signing:\n    provider: basah\n", ""))
    assert kepala.open(ticket, "lembar-persetujuan").status_code == 404
