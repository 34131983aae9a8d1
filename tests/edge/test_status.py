"""What the unit sees of its case: nothing more than it may, to nobody else, as JSON and as a page."""

import json
from dataclasses import replace
from datetime import date, timedelta

import jsonschema
import pytest

from integration.procedure.case import Case, ExceptionOrder, Passage
from integration.procedure.deadlines import due, working_days
from integration.procedure.definition import Ending
from integration.procedure.events import (
    CaseEnded,
    CaseOpened,
    DocumentFiled,
    DocumentIssued,
    DocumentSigned,
    EmergencyOpened,
    Entry,
    Paused,
    StepEntered,
    StepLeft,
)
from integration.procedure.facts import SERVICE, Actor, ActorKind
from integration.rotation import Rotation
from integration.store import Batch
from tests.edge.portal import OLD_SECRET, Portal, submission
from webhooks.app import create_app
from webhooks.status import public_status

KASI = Actor(ActorKind.PERSON, "kasi", "Dewi")


@pytest.fixture
def procedure(parts):
    return parts.procedures[-1]


@pytest.fixture
def known(portal, parts, watch, procedure):
    """A case at step 5, with one paper for the unit, one that is not and one only drafted; gives what the portal was answered."""
    answer = portal.submit().json
    turn, row = parts.store.claim(lease=timedelta(minutes=1))
    entered = watch()
    told = [p.slug for p in procedure.documents if p.for_unit]
    kept = [p.slug for p in procedure.documents if not p.for_unit]
    happened = (
        CaseOpened(answer["tiket"], procedure.slug, procedure.revision, submission()),
        StepLeft(4, "lengkap", "Catatan petugas", (("Dampak", "Catatan petugas"),), "kasi-layanan-administrasi", "", False),
        StepEntered(5, due(parts.organisation.calendar, entered, procedure.step(5).standard), 1),
        DocumentIssued("a", told[0], "final", 1, 4),
        DocumentFiled("a", "1/UN39.17/2026", "ab" * 32, 10, "[a](/uploads/rahasia)"),
        DocumentIssued("b", kept[0], "final", 1, 4),
        DocumentFiled("b", "", "cd" * 32, 10, "[b](/uploads/rahasia)"),
        DocumentIssued("c", told[0], "final", 2, 4),
        DocumentIssued("d", told[1], "draft", 1, 4),
        DocumentFiled("d", "", "ef" * 32, 10, "[d](/uploads/rahasia)"),
    )
    entries = tuple(Entry(seq, entered, KASI, "note:1", event) for seq, event in enumerate(happened, 1))
    parts.store.commit(turn, row, Batch(answer["tiket"], entries))
    return answer


def happen(portal, parts, watch, *events) -> None:
    """These happen to the known case, after all else."""
    portal.send("pengaduan.dibatalkan", {"tiket": "SI-2026-000001", "alasan": "x", "oleh": "x"})
    turn, row = parts.store.claim(lease=timedelta(minutes=1))
    entries = tuple(Entry(seq, watch(), SERVICE, "x", event) for seq, event in enumerate(events, 11))
    parts.store.commit(turn, row, Batch(turn.lane, entries))


def test_the_portal_sees_where_the_case_stands(portal, known, procedure):
    told = portal.ask("SI-2026-000001").json
    assert (told["tiket"], told["status"]) == ("SI-2026-000001", "berjalan")
    assert (told["langkah"], told["nama_langkah"]) == (5, procedure.step(5).name)
    assert told["giliran"] == "Kepala Pustikom"
    assert told["batas"] == "2026-06-03T16:00:00+07:00"
    assert [paper["nomor"] for paper in told["dokumen"]] == ["1/UN39.17/2026"]


def test_a_paper_another_took_the_place_of_is_told_as_such(portal, parts, known, watch, procedure):
    replaced, counts = ("nomor 1/UN39.17/2026, 2 Juni 2026 (telah digantikan)</dd>", "nomor 2/UN39.17/2026, 2 Juni 2026</dd>")
    happen(portal, parts, watch, DocumentFiled("c", "2/UN39.17/2026", "ab" * 32, 10, "x"))
    assert [paper["keadaan"] for paper in portal.ask("SI-2026-000001").json["dokumen"]] == ["digantikan", "berlaku"]
    page = portal.ask("SI-2026-000001", Accept="text/html").text
    assert replaced in page
    assert counts in page


def test_the_version_of_record_is_given_beside_the_paper(client, portal, parts, known, watch):
    (before,) = portal.ask("SI-2026-000001").json["dokumen"]
    assert before["bertanda_tangan"] is None
    scan = b"\xff\xd8\xff pindaian"
    copy = ("kepala-pustikom", "Kepala Pustikom", "basah")
    half = DocumentSigned("a", *copy, False, parts.files.put("SI-2026-000001", b"%PDF-"), 5, "application/pdf", "x")
    whole = DocumentSigned("a", *copy, True, parts.files.put("SI-2026-000001", scan), len(scan), "image/jpeg", "x")
    happen(portal, parts, watch, half, whole)
    (told,) = portal.ask("SI-2026-000001").json["dokumen"]
    assert told["bertanda_tangan"] == {"sha256": whole.sha256, "jenis_berkas": "image/jpeg", "cara": "basah"}
    path, token = known["status_url"].removeprefix("https://alur.kampus.example").split("?")
    page = client.get(f"{path}?{token}", headers={"Accept": "text/html"}).text
    assert "naskah bertanda tangan</a>" in page
    given = client.get(f"{path}/dokumen/{whole.sha256}?{token}")
    assert (given.data, given.mimetype) == (scan, "image/jpeg")
    assert given.headers["Content-Disposition"].endswith(".jpg")
    assert client.get(f"{path}/dokumen/{half.sha256}?{token}").status_code == 404


def test_nothing_anybody_wrote_and_no_link_into_the_project_is_shown(portal, known):
    shown = portal.ask("SI-2026-000001").text + portal.ask("SI-2026-000001", Accept="text/html").text
    assert "Catatan petugas" not in shown
    assert "uploads" not in shown
    assert "Dewi" not in shown


def test_the_links_own_token_opens_the_case_and_no_other(client, portal, known):
    path = known["status_url"].removeprefix("https://alur.kampus.example")
    assert client.get(path).json["tiket"] == "SI-2026-000001"
    portal.submit()
    assert client.get(path.replace("000001?", "000002?")).status_code == 401
    assert client.get(path[:-1]).status_code == 401


def test_a_link_made_with_the_secret_before_this_one_still_opens(parts, watch, portal, known):
    reversed_secrets = tuple(reversed(parts.settings.portal_secrets))
    settings = parts.settings.model_copy(update={"portal_secrets": reversed_secrets})
    client = create_app(replace(parts, settings=settings, rotation=Rotation(settings))).test_client()
    assert client.get(known["status_url"].removeprefix("https://alur.kampus.example")).status_code == 200
    again = Portal(client, watch, OLD_SECRET, sent=1).send("pengaduan.dibatalkan", {"tiket": known["tiket"], "alasan": "x", "oleh": "x"})
    assert again.json["status_url"] != known["status_url"]


def test_a_form_not_worked_on_yet_is_there(portal):
    ticket = portal.submit().json["tiket"]
    told = portal.ask(ticket).json
    assert (told["status"], told["langkah"], told["dokumen"]) == ("baru", None, [])
    assert "sedang didaftarkan" in portal.ask(ticket, Accept="text/html").text


def test_a_ticket_that_does_not_exist(portal):
    assert portal.ask("SI-2026-000099").status_code == 404


def test_who_is_nobody_gets_nothing(client, stranger, known):
    assert client.get("/layanan/pengaduan/SI-2026-000001").status_code == 400
    assert stranger.ask("SI-2026-000001").status_code == 401
    page = client.get("/layanan/pengaduan/SI-2026-000001", headers={"Accept": "text/html"})
    assert page.status_code == 401
    assert "Tautan ini tidak berlaku" in page.text
    assert "SI-2026" not in page.text


def test_a_browser_gets_a_page_that_loads_nothing(client, known, procedure):
    path = known["status_url"].removeprefix("https://alur.kampus.example")
    page = client.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.mimetype == "text/html"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for words in ("SI-2026-000001", procedure.step(5).name, "Rabu, 3 Juni 2026 pukul 16.00 WIB", "nomor 1/UN39.17/2026", "bukan janji"):
        assert words in page.text


# --- when it may end ---


def at(procedure, step: int, watch, calendar, **changes) -> Case:
    entered = watch()
    standard = procedure.step(step).standard
    case = Case("SI-2026-000001", procedure.slug, procedure.revision, (submission(),), "tinggi", step=step, entered_at=entered)
    return replace(case, due=due(calendar, entered, standard), history=(Passage(step, entered, 1, 1),), **changes)


def finish(parts, procedure, case: Case, watch):
    told = public_status(procedure, parts.organisation.calendar, case, watch())
    return json.loads(json.dumps(told))["perkiraan_selesai"]


def test_in_a_pause_nothing_is_due(parts, procedure, watch):
    case = at(procedure, 8, watch, parts.organisation.calendar)
    told = [public_status(procedure, parts.organisation.calendar, c, watch()) for c in (case, replace(case, paused_since=watch()))]
    assert [one["batas"] for one in told] == ["2026-06-05T16:30:00+07:00", None]
    assert [one["dijeda_sejak"] for one in told] == [None, "2026-06-02T09:00:00+07:00"]


def test_the_unit_sees_since_when_its_case_is_paused_and_not_why(portal, parts, known, watch):
    happen(portal, parts, watch, Paused("Menunggu vendor yang lalai"))
    page = portal.ask("SI-2026-000001", Accept="text/html").text
    assert portal.ask("SI-2026-000001").json["dijeda_sejak"] == "2026-06-02T09:00:00+07:00"
    assert "<dt>Dijeda sejak</dt>\n<dd>Selasa, 2 Juni 2026 pukul 09.00 WIB</dd>" in page
    assert "lalai" not in page + portal.ask("SI-2026-000001").text


def test_the_unit_sees_where_its_case_went_and_not_why(portal, parts, known, watch):
    target = "POS Pelaporan Insiden Siber"
    happen(portal, parts, watch, CaseEnded("dialihkan", "Orang dalam dicurigai", target))
    page = portal.ask("SI-2026-000001", Accept="text/html").text
    assert portal.ask("SI-2026-000001").json["tujuan"] == target
    assert f"ditangani menurut {target}" in page
    assert "dicurigai" not in page + portal.ask("SI-2026-000001").text


ORDERED = (EmergencyOpened("Vendor lalai", 8, ((8, date(2026, 6, 9)), (11, date(2026, 6, 9)))), StepEntered(25, None, 1))


def test_the_unit_sees_since_when_an_exception_order_holds_and_what_follows_until_when_and_not_why(portal, parts, known, watch):
    assert portal.ask("SI-2026-000001").json["pengecualian"] is None
    happen(portal, parts, watch, *ORDERED)
    page = portal.ask("SI-2026-000001", Accept="text/html").text
    assert portal.ask("SI-2026-000001").json["pengecualian"] == {
        "sejak": "2026-06-02T09:00:00+07:00",
        "menyusul": [
            {"langkah": 8, "nama_langkah": "Evaluasi", "paling_lambat": "2026-06-09", "dokumen": []},
            {
                "langkah": 11,
                "nama_langkah": "Diskusi dengan unit kerja",
                "paling_lambat": "2026-06-09",
                "dokumen": ["Notulen Diskusi dengan Unit Kerja"],
            },
        ],
    }
    assert "<dt>Perintah pengecualian sejak</dt>\n<dd>Selasa, 2 Juni 2026 pukul 09.00 WIB</dd>" in page
    assert "11. Diskusi dengan unit kerja, paling lambat 9 Juni 2026; dokumen: Notulen Diskusi dengan Unit Kerja" in page
    assert "lalai" not in page + portal.ask("SI-2026-000001").text


@pytest.mark.parametrize("events", [(), (Paused("x"),), ORDERED, (CaseEnded("dialihkan", "x", "POS Y"),), (CaseEnded("dibatalkan", "x"),)])
def test_what_is_said_is_what_the_description_promises(portal, parts, known, watch, client, events):
    happen(portal, parts, watch, *events)
    components = client.get("/openapi.json").json["components"]
    promised = {**components["schemas"]["Status"], "components": components, "additionalProperties": False}
    waiting = portal.submit().json["tiket"]
    for told in (portal.ask("SI-2026-000001").json, portal.ask(waiting).json):
        jsonschema.Draft202012Validator(promised).validate(told)


def test_the_last_step_ends_with_its_own_time(parts, procedure, watch):
    case = at(procedure, 31, watch, parts.organisation.calendar)
    assert finish(parts, procedure, case, watch) == {"paling_cepat": "2026-06-03", "paling_lambat": "2026-06-03"}


def test_before_it_one_return_makes_the_difference(parts, procedure, watch):
    case = at(procedure, 30, watch, parts.organisation.calendar)
    # Steps 30 and 31: a day each. Sent back from 31 to 28: 28 (1), 29 (2), 30 (1), 31 (1) once more.
    assert finish(parts, procedure, case, watch) == {"paling_cepat": "2026-06-04", "paling_lambat": "2026-06-11"}


def test_from_the_start_it_is_the_straight_paths_34_days_and_some(parts, procedure, watch):
    told = finish(parts, procedure, at(procedure, 4, watch, parts.organisation.calendar), watch)
    assert "2026-07-21" <= told["paling_cepat"] <= "2026-07-31"
    assert told["paling_lambat"] > told["paling_cepat"]


def test_a_late_step_counts_from_now(parts, procedure, watch):
    case = at(procedure, 31, watch, parts.organisation.calendar)
    watch.move(days=7)
    assert finish(parts, procedure, case, watch)["paling_cepat"] == "2026-06-09"


def test_under_an_exception_order_what_it_skipped_comes_after_it(parts, procedure, watch):
    calendar = parts.organisation.calendar
    owed = tuple((number, None) for number in range(20, 25))
    order = ExceptionOrder("KRS lumpuh", 20, owed, 0)

    def soonest(case: Case) -> int:
        ends = finish(parts, procedure, case, watch)["paling_cepat"]
        return len(working_days(calendar, watch().date() + timedelta(days=1), date.fromisoformat(ends)))

    # 25 to 28 take four days, then 20 to 24 one each, and 29 to 31 four more.
    assert soonest(at(procedure, 25, watch, calendar, emergency=order)) == 13
    walked = (Passage(28, watch(), 2, 1, watch(), "selesai"), Passage(24, watch(), 3, 1))
    made_up_for = replace(at(procedure, 24, watch, calendar), emergency=replace(order, debts=owed[-1:]), history=walked)
    assert soonest(made_up_for) == 5  # the last of them leads to 29: what the order did is not done twice
    assert soonest(replace(made_up_for, round=2)) == 9  # but after rework it is


def test_nobody_says_when_a_standing_clock_ends(parts, procedure, watch):
    case = at(procedure, 30, watch, parts.organisation.calendar)
    for still in (
        replace(case, due=None),
        replace(case, paused_since=watch()),
        replace(case, step=None, ending=Ending.DONE, ended_at=watch()),
    ):
        assert finish(parts, procedure, still, watch) is None


def test_nobody_says_it_past_the_last_calendar_loaded(parts, procedure, watch):
    case = at(procedure, 4, watch, parts.organisation.calendar)
    calendar = replace(parts.organisation.calendar, years=frozenset({2026}))
    watch.now = watch.now.replace(month=12, day=28)
    assert public_status(procedure, calendar, case, watch())["perkiraan_selesai"] is None
    assert public_status(procedure, replace(calendar, years=frozenset()), case, watch())["perkiraan_selesai"] is None


def test_an_ended_case_says_how(portal, parts, known, watch):
    happen(portal, parts, watch, Paused("x"), CaseEnded("dibatalkan", "Sudah teratasi."))
    told = portal.ask("SI-2026-000001").json
    assert (told["status"], told["langkah"], told["giliran"], told["perkiraan_selesai"]) == ("dibatalkan", None, None, None)
