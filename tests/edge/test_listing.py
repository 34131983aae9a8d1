"""The list of all cases: whole, in pages, and of what changed since; told as each case's own address tells it."""

import pytest

from integration.store import Delivery
from sync.wiring import Service
from webhooks.listing import cursor


def everything(portal, since: str = "", **query: str) -> tuple[list[dict], str]:
    """All pages from a cursor on; gives the cases and the last cursor."""
    told, more = [], True
    while more:
        page = portal.list(kursor=since, **query).json
        told, since, more = told + page["pengaduan"], page["kursor"], page["masih_ada"]
    return told, since


@pytest.fixture
def worked_on(portal, parts):
    """Two complaints that are worked on and one that is only kept; gives their tickets."""
    tickets = [portal.submit().json["tiket"] for _ in range(2)]
    Service(parts).drain.until_idle()
    return [*tickets, portal.submit().json["tiket"]]


@pytest.mark.parametrize("size", ["1", "2", "3", "100"])
def test_the_whole_list_tells_each_case_as_its_own_address_does(portal, worked_on, size):
    told, _ = everything(portal, jumlah=size)
    assert sorted(told, key=lambda case: case["tiket"]) == [portal.ask(ticket).json for ticket in worked_on]
    assert {case["status"] for case in told} == {"berjalan", "baru"}


def test_with_the_last_cursor_only_what_changed_since_is_told(portal, parts, worked_on):
    _, last = everything(portal)
    assert everything(portal, last) == ([], last)
    portal.send("pengaduan.dibatalkan", {"tiket": worked_on[1], "alasan": "Sudah teratasi.", "oleh": "Dekan"})
    new = portal.submit().json["tiket"]
    Service(parts).drain.until_idle()
    told, later = everything(portal, last)
    assert {case["tiket"]: case["status"] for case in told} == {
        worked_on[1]: "dibatalkan",
        worked_on[2]: "berjalan",  # its turn has come meanwhile
        new: "berjalan",
    }
    assert later != last


def test_a_page_is_no_longer_than_asked_and_says_whether_there_is_more(portal, worked_on):
    first = portal.list(jumlah="2").json
    assert (len(first["pengaduan"]), first["masih_ada"]) == (2, True)
    rest = portal.list(jumlah="2", kursor=first["kursor"]).json
    assert (len(rest["pengaduan"]), rest["masih_ada"]) == (1, False)


def test_without_a_size_a_page_holds_fifty(portal, parts):
    for n in range(51):
        parts.store.submit(Delivery("portal", f"k{n}", "", b""), "SI", 2026)
    page = portal.list().json
    assert (len(page["pengaduan"]), page["masih_ada"]) == (50, True)


def test_an_empty_service_gives_an_empty_list_and_a_cursor_that_counts(portal):
    assert portal.list().json == {"pengaduan": [], "kursor": cursor(0), "masih_ada": False}
    portal.submit()
    assert len(portal.list(kursor=cursor(0)).json["pengaduan"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"kursor": text}
        for text in (
            "x",
            "0",
            "AAAAAAAAAAB",
            "AAAAAAAAAAA=",
            "AAAAAAAAAAAA",
            "AAAAAAAA",
            "__________8",
            "kursor palsu",
            "\u00e9",
            "A" * 5000,
        )
    ]
    + [{"jumlah": text} for text in ("", "0", "101", "-1", "1.5", "dua", "\u0663", "9" * 5000)],
)
def test_what_is_no_cursor_or_no_size_is_refused(portal, query):
    answer = portal.list(**query)
    assert answer.status_code == 400
    assert answer.json["pesan"]


def test_a_cursor_of_a_database_that_is_no_more_says_begin_anew(portal):
    portal.submit()
    everything(portal)
    answer = portal.list(kursor=cursor(2))
    assert answer.status_code == 410
    assert "dari awal" in answer.json["pesan"]


def test_the_list_is_for_whoever_signs_as_the_portal_does(client, stranger, portal):
    token = portal.submit().json["status_url"].partition("?")[2]
    assert client.get("/layanan/pengaduan").status_code == 400
    assert client.get(f"/layanan/pengaduan?{token}").status_code == 400
    assert stranger.list().status_code == 401
