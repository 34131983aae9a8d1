"""The operator's page: what is well, what is not and what to do about it, for nobody who may not know, and about nobody."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from integration.faults import Failure
from integration.vitals import Diary, Recurring
from integration.yamlfile import Fault
from tests.edge.test_routes import Deserted
from webhooks.app import create_app

BROWSER = {"Accept": "text/html"}
LEASE = timedelta(minutes=2)


@pytest.fixture
def told(client):
    """What the page says, as a person reads it."""
    return lambda: " ".join(re.sub(r"<style.*?</style>|<[^>]+>", " ", client.get("/", headers=BROWSER).text, flags=re.DOTALL).split())


def park(parts, failure: Failure) -> int:
    """The oldest row that is due is parked for this reason; gives its number."""
    turn, row = parts.store.claim(lease=LEASE)
    parts.store.park(turn, row, "galat: budi.santoso@kampus.example", failure)
    return row.id


def test_a_service_that_does_well_says_so(parts, told):
    for work in Recurring:
        Diary(parts.store).done(work)
    said = told()
    assert "Semuanya berjalan baik." in said
    assert "Perlu diperhatikan" not in said
    assert "Jam: tenggat, pengingat, laporan baru saja" in said


def test_a_parked_row_is_shown_with_its_cause_and_the_line_to_type_and_not_with_what_it_is_about(parts, portal, told):
    ticket = portal.submit().json["tiket"]
    row = park(parts, Failure.RIGHTS)
    said = told()
    assert f"inbox {row} " in said
    assert "Hak akun layanan kurang" in said
    assert f"alur inbox show {row}" in said
    assert "1 baris inbox terparkir" in said
    assert ticket not in said
    assert "budi.santoso" not in said


def test_a_clock_that_stands_work_nobody_takes_and_what_is_tried_again_are_told_with_their_mends(parts, portal, told, watch):
    for work in Recurring:
        Diary(parts.store).done(work)
    portal.submit()
    watch.move(minutes=10)
    said = told()
    assert "Pekerjaan menunggu 10 menit tanpa ada worker yang mengambilnya." in said
    assert "Jam layanan tidak dilihat selama 10 menit" in said
    assert "Isu tidak disapu" not in said

    turn, row = parts.store.claim(lease=LEASE)
    parts.store.postpone(turn, row, until=watch() + LEASE, error="", failure=Failure.TOKEN)
    said = told()
    assert "Pekerjaan menunggu" not in said
    assert "1 baris inbox dicoba ulang. Sebabnya: Token GitLab tidak diterima." in said
    assert "Buatlah token baru bagi akun layanan" in said


def test_vacant_offices_and_a_database_that_is_down_are_told(parts, client, tmp_path):
    fault = Fault(parts.settings.organisation, 1, "name", "missing", "isian ini wajib ada.")
    ill = replace(parts, in_force=Deserted(replace(parts.organisation, offices=()), (fault, fault)))
    said = create_app(ill).test_client().get("/", headers=BROWSER).text
    assert "Jabatan Kepala Pustikom tidak ada pejabatnya" in said
    assert "Berkas organisasi memuat 2 kesalahan" in said

    parts.store.close()
    for file in tmp_path.glob("alur.db*"):
        file.unlink()
    (tmp_path / "alur.db").mkdir()
    answer = client.get("/", headers=BROWSER)
    assert (answer.status_code, "Basis data tidak menjawab" in answer.text) == (503, True)
    (tmp_path / "alur.db").rmdir()


def test_where_people_can_sign_in_they_must(parts):
    told = {"gitlab_oauth_id": "id", "gitlab_oauth_secret": "rahasia"}
    settings = type(parts.settings)(**(parts.settings.model_dump() | told))
    client = create_app(replace(parts, settings=settings)).test_client()
    sent = client.get("/", headers=BROWSER)
    assert (sent.status_code, sent.location) == (303, "/masuk?ke=/")
    assert client.get("/").status_code == 401
