"""The weekly report: on Monday 07.30 the coordinators read on the wiki how things stand, once and for good."""

import csv
import io
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pypdfium2
import requests

from integration import organisation as organisations
from integration.procedure.effects import SendMail
from integration.procedure.offices import Organisation
from sync.periods import period
from sync.reports import issue, listed, publish, workload
from sync.standing import Survey
from sync.survey import survey
from tests.stories.world import ORGANISATION, World, example_form

REFERRING = 'KRS @all @kepala.pustikom #1 !1 ~bug ~"status::selesai" %1 $1 &1 [[Rahasia]] [[http://jahat.example/x.png]]'
LOADING = "![g](http://jahat.example/y.png) <img src=//jahat.example/z> [k](http://jahat.example) | <!-- alur:publish -->"

OFFICE = organisations.load(ORGANISATION)


def complain(world: World, subject: str) -> str:
    form = example_form()
    return world.submit(form={**form, "masalah": {**form["masalah"], "judul": subject}})


def monday(world: World) -> None:
    """Time passes until the report is there."""
    world.until_weekday(0, hour=8)


def wiki(world: World) -> dict[str, Any]:
    """The pages of the wiki, without the first one, which `alur provision` makes."""
    return {slug: page for slug, page in world.campus.project.wiki.items() if slug != "home"}


def page(world: World, week: str) -> str:
    content: str = wiki(world)[f"Laporan-mingguan/{week}"].content
    return content


def section(text: str, heading: str) -> str:
    """What stands below a heading; "" where there is none."""
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def upload(world: World, text: str, ending: str) -> bytes:
    place = re.search(rf"\(/uploads/([0-9a-f]{{32}})/([\w.-]+\.{ending})\)", text)
    assert place is not None
    return requests.get(f"{world.campus.gitlab.url}/-/project/{world.campus.project.id}/uploads/{place[1]}/{place[2]}", timeout=30).content


def printed(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return "\n".join(document[number].get_textpage().get_text_range() for number in range(len(document)))


def test_every_week_is_published_once_and_stays_as_it_was(world: World) -> None:
    ticket = complain(world, "KRS gagal disimpan")
    monday(world)

    first = page(world, "2026-W23")
    pdf = upload(world, first, "pdf")
    assert "Nomor: **1/UN39.17/LM/VI/2026**" in first
    assert ticket in section(first, "Perkara terbuka")
    assert {"LAPORAN MINGGUAN", "1/UN39.17/LM/VI/2026", ticket} <= set(re.findall(rf"LAPORAN MINGGUAN|1/\S+/2026|{ticket}", printed(pdf)))
    rows = list(csv.reader(io.StringIO(upload(world, first, "csv").decode())))
    assert rows[1][0] == ticket

    uploads = len(world.campus.project.uploads)
    for _ in range(2):
        world.service.tick()
        world.sweep()
    assert len(world.campus.project.uploads) == uploads
    assert len(wiki(world)) == 2

    world.comment(world.campus.holder("kasi-layanan-administrasi"), ticket, "/pos lengkap")
    world.restart()
    again = issue(world.service.store, world.service.files, world.service.display, "2026-W23")
    assert again.forms["pdf"] == pdf
    assert first.startswith(again.forms["md"].decode())

    monday(world)
    assert page(world, "2026-W23") == first
    assert "2/UN39.17/LM/VI/2026" in page(world, "2026-W24")
    index = wiki(world)["Laporan-mingguan"].content
    assert re.findall(r"^\| \[(.*?)\]\((.*?)\) \|", index, re.MULTILINE) == [
        ("2026-W24", "Laporan-mingguan/2026-W24"),
        ("2026-W23", "Laporan-mingguan/2026-W23"),
    ]
    shown = requests.get(f"{world.campus.gitlab.url}/{world.campus.project.path}/-/wikis/Laporan-mingguan/2026-W24", timeout=30)
    assert f"{ticket}</strong>" in shown.text


def test_it_is_found_again_where_an_answer_was_lost(world: World) -> None:
    complain(world, "KRS gagal disimpan")
    for route in ("uploads", "wikis"):
        world.campus.gitlab.fault("POST", rf"/{route}$", status=502, after_commit=True)
    monday(world)
    world.later(hours=4)
    assert sorted(wiki(world)) == ["Laporan-mingguan", "Laporan-mingguan/2026-W23"]
    assert not world.service.store.outbox_rows()


def test_it_says_what_is_new_late_ended_returned_and_waited_for(world: World) -> None:
    late, refused, waiting, returned, silent = (complain(world, name) for name in ("terlambat", "ditolak", "unit", "kembali", "diam"))
    for ticket, word in ((refused, "tolak"), (waiting, "revisi")):
        world.walk(ticket, 5)
        world.play(ticket, word, reason="Data belum lengkap.")
    world.walk(returned, 21)
    world.walk(silent, 17)
    monday(world)

    first = page(world, "2026-W23")
    for ticket in (late, refused, waiting, returned, silent):
        assert ticket in section(first, "Baru minggu ini")
    assert re.search(rf"{late}.*\*\*terlambat\*\* sejak", section(first, "Perlu dibahas dalam rapat"))
    assert waiting in section(first, "Menunggu unit kerja")
    assert re.search(rf"{refused} .*ditolak ", section(first, "Berakhir minggu ini"))
    assert "laporan progres pekan terakhir belum masuk" not in first  # nobody owes for a week that was not theirs from its start

    world.play(returned, "dikembalikan", reason="Uji ulang.")
    world.report(returned, 60)
    monday(world)

    second = page(world, "2026-W24")
    assert section(second, "Baru minggu ini") == ""
    assert section(second, "Berakhir minggu ini") == ""
    assert f"{returned}** " in section(second, "Dikembalikan minggu ini")
    assert re.search(rf"{silent}.*laporan progres pekan terakhir belum masuk", section(second, "Perlu dibahas dalam rapat"))
    assert not re.search(rf"{returned}.*belum masuk", section(second, "Perlu dibahas dalam rapat"))
    assert re.search(rf"{returned} .*\| 60%", section(second, "Perkara terbuka"))


def test_it_says_what_stands_still_what_is_owed_and_where_cases_went(world: World) -> None:
    paused, ordered, handed, withdrawn, refused = (complain(world, name) for name in ("jeda", "darurat", "alih", "batal", "tolak"))
    head = world.campus.holder("kepala-pustikom")
    for ticket, step in ((paused, 8), (ordered, 17), (handed, 6), (refused, 5)):
        world.walk(ticket, step)
    world.comment(world.campus.holder("kadiv-layanan"), paused, "/pos jeda Menunggu jadwal vendor.")
    world.comment(head, ordered, "/pos darurat Layanan akademik lumpuh.")
    world.comment(head, handed, "/pos alihkan POS Pelaporan Insiden Siber Ditemukan tanda penyusupan.")
    world.portal("pengaduan.dibatalkan", tiket=withdrawn, alasan="Sudah teratasi sendiri.", oleh="Budi")
    world.play(refused, "tolak", reason="Di luar wewenang.")
    monday(world)

    first = page(world, "2026-W23")
    assert re.search(rf"{paused} .*\| 08 .*\| Selasa, 2 Juni 2026 pukul \d\d\.\d\d \|\n", section(first, "Dijeda"))
    assert re.search(rf"{paused} .*\| dijeda \|", section(first, "Perkara terbuka"))
    order = section(first, "Perintah pengecualian")
    assert re.search(rf"{ordered}\*\* .*diperintahkan Selasa, 2 Juni 2026 pukul .*\.\n", order)
    assert re.search(r"\| 20 Verifikasi 1 \| Laporan Verifikasi \| 9 Jun 2026 \|", order)
    assert order.count("9 Jun 2026") == len(world.case(ordered).debts) == 8
    ended = section(first, "Berakhir minggu ini")
    assert re.search(rf"{handed} .*\| dialihkan \| .*\| ke POS Pelaporan Insiden Siber \|", ended)
    assert re.search(rf"{withdrawn} .*\| dibatalkan \| .*\| \\- \|", ended)
    assert re.search(rf"{refused} .*\| ditolak \| .*\| \\- \|", ended)
    rows = {row["Nomor perkara"]: row for row in csv.DictReader(io.StringIO(upload(world, first, "csv").decode()))}
    assert rows[paused]["Dijeda sejak"].startswith("2026-06-02T")
    assert (rows[paused]["Perhatian"], rows[paused]["Batas waktu"]) == ("", "")
    assert rows[ordered]["Perhatian"].split("; ")[-1] == "perintah pengecualian"
    assert rows[ordered]["Paling lambat dipenuhi"] == "2026-06-09"
    assert rows[ordered]["Langkah yang harus dipenuhi"].endswith("; 24 Uji coba")
    assert "Laporan Verifikasi" in rows[ordered]["Dokumen yang harus dipenuhi"]
    assert rows[ordered]["Langkah lewat waktu"] == ""
    assert rows[handed]["Dialihkan ke"] == "POS Pelaporan Insiden Siber"

    monday(world)

    second = page(world, "2026-W24")
    assert "9 Jun 2026 (**lewat waktu**)" in section(second, "Perintah pengecualian")
    agenda = section(second, "Perlu dibahas dalam rapat")
    assert re.search(
        rf"{ordered}.*\*\*terlambat\*\* sejak .* \(\d+ hari kerja\), 8 langkah perintah pengecualian sudah lewat waktu", agenda
    )
    assert paused not in agenda
    world.comment(world.campus.holder("kadiv-layanan"), paused, "/pos lanjut")
    again = issue(world.service.store, world.service.files, world.service.display, "2026-W24")
    assert second.startswith(again.forms["md"].decode())


def test_what_cases_are_about_stands_in_the_mail_alone(world: World) -> None:
    """Issues are confidential, the wiki is not: there are tickets, systems and steps, no subject and no reason."""
    paused, ordered, ended = (complain(world, f"Perihal {name}") for name in ("jeda", "darurat", "batal"))
    for ticket in (paused, ordered):
        world.walk(ticket, 8)
    world.comment(world.campus.holder("kadiv-layanan"), paused, "/pos jeda Sengketa dengan vendor.")
    world.comment(world.campus.holder("kepala-pustikom"), ordered, "/pos darurat Data bocor.")
    world.portal("pengaduan.dibatalkan", tiket=ended, alasan="Salah paham.", oleh="Budi")
    monday(world)

    told = ("Perihal", "Sengketa dengan vendor", "Data bocor", "Salah paham")
    for content in (page(world, "2026-W23"), upload(world, page(world, "2026-W23"), "csv").decode()):
        assert [words for words in told if words in content] == []
        assert paused in content
    assert [words for words in told if words in printed(upload(world, page(world, "2026-W23"), "pdf"))] == []
    issued = issue(world.service.store, world.service.files, world.service.display, "2026-W23")
    assert [words for words in told if words not in issued.forms["html"].decode()] == []


def without(organisation: Organisation, *roles: str) -> Organisation:
    """The same with nobody in these offices."""
    return replace(organisation, offices=tuple(office for office in organisation.offices if office.role not in roles))


def test_it_says_which_offices_are_vacant_and_what_waits_for_them(world: World) -> None:
    coordinated, evaluated = (complain(world, name) for name in ("koordinasi", "evaluasi"))
    world.walk(coordinated, 9)
    world.walk(evaluated, 8)
    monday(world)
    display = world.service.display

    def told(*roles: str) -> tuple[Survey, dict[str, bytes]]:
        organisation = without(display.organisation, *roles)
        week = period("2026-W23", organisation.calendar.tz)
        report = survey(world.service.store, display.procedures, organisation, week)
        return report, publish(report, organisation, display.wording, "1/LM")

    report, forms = told("kadiv-pengembangan")
    text = forms["md"].decode()
    vacant = section(text, "Jabatan yang lowong")
    assert re.search(r"Kepala Divisi Pengembangan .*Plt\. ditunjuk oleh Dr\. Ratna Wulandari, M\.Kom\. \(Kepala Pustikom\)", vacant)
    waiting = section(text, "Menunggu pejabat")
    assert re.search(rf"{coordinated}\*\* .*langkah 09 .*Plt\. atau Plh\. ditunjuk oleh Dr\. Ratna Wulandari", waiting)
    assert evaluated not in waiting
    assert [line.ticket for line in report.stuck] == [coordinated]
    assert coordinated in section(text, "Perlu dibahas dalam rapat")
    rows = {row["Nomor perkara"]: row for row in csv.DictReader(io.StringIO(forms["csv"].decode()))}
    assert rows[coordinated]["Penunjuk Plt. atau Plh."] == "Dr. Ratna Wulandari, M.Kom."
    assert rows[evaluated]["Penunjuk Plt. atau Plh."] == ""
    assert "Menunggu pejabat" in printed(forms["pdf"])

    _, headless = told("kepala-pustikom", "kadiv-pengembangan")
    assert "- **Kepala Pustikom**\n" in section(headless["md"].decode(), "Jabatan yang lowong")
    _, full = told()
    assert section(full["md"].decode(), "Jabatan yang lowong") == section(full["md"].decode(), "Menunggu pejabat") == ""


def test_a_strangers_words_are_only_shown(world: World) -> None:
    tickets = [world.submit(form={**example_form(), "sistem": {"nama": words}}) for words in (REFERRING, LOADING)]
    labels = world.label_names()
    monday(world)

    text = page(world, "2026-W23")
    shown = requests.get(f"{world.campus.gitlab.url}/{world.campus.project.path}/-/wikis/Laporan-mingguan/2026-W23", timeout=30).text
    article = shown.split('<article class="text">')[1].split("</article>")[0]
    addresses = re.findall(r'(?:href|src)="([^"]*)"', article)
    assert [re.sub(r"^/-/project/\d+/uploads/[0-9a-f]{32}/", "", address) for address in addresses] == [
        "laporan-mingguan-2026-W23.pdf",
        "laporan-mingguan-2026-W23.csv",
    ]
    assert "<img" not in article
    assert "&lt;img src=" in article
    read = re.sub(r"`[^`]*`", "", text)  # nothing looks into code
    for reference in ("@all", "@kepala", "#1", "!1", "~bug", "%1", "$1", "&1", "[[", "<!-- alur:publish -->"):
        assert re.search(rf"(?<!\\){re.escape(reference)}", read) is None, reference
    assert world.label_names() == labels
    assert [world.campus.issue(ticket)["state"] for ticket in tickets] == ["opened", "opened"]


def test_only_periods_are_listed() -> None:
    slugs = ["Laporan-mingguan", "Laporan-mingguan/2026-W53", "Laporan-mingguan/2027-W53", "Laporan-mingguan/rapat", "2026-W23"]
    found = [one.period for one in listed(slugs, "Laporan-mingguan", OFFICE)]
    assert [(week.name, week.first.isoformat(), week.last.isoformat()) for week in found] == [("2026-W53", "2026-12-28", "2027-01-03")]


NAMES = [programmer.name for programmer in OFFICE.programmers]


def sent(world: World) -> dict[str, SendMail]:
    """The mails of the reports by their keys."""
    rows = world.service.store.outbox_rows(state="done", lane="laporan")
    return {row.key: row.effect for row in rows if isinstance(row.effect, SendMail)}


def test_after_a_month_of_a_whole_campus_the_month_is_told_too(world: World) -> None:
    team, returned, waiting, ended = (complain(world, name) for name in ("tim", "kembali", "unit", "selesai"))
    world.walk(ended)
    world.walk(team, 18)
    world.walk(returned, 21)
    world.play(returned, "dikembalikan", reason="Uji ulang.")
    world.walk(waiting, 5)
    world.play(waiting, "revisi", reason="Data belum lengkap.")
    monday(world)
    world.report(team, 40)
    monday(world)
    world.report(team, 60)
    for _ in range(3):
        monday(world)

    assert sorted(title for title in wiki(world) if title.startswith("Laporan-bulanan")) == ["Laporan-bulanan", "Laporan-bulanan/2026-06"]
    month = wiki(world)["Laporan-bulanan/2026-06"].content
    assert "Nomor: **1/UN39.17/LB/VII/2026**" in month
    assert re.search(r"^\| 3 \| 4 \| 1 \|", section(month, "Ringkasan"), re.MULTILINE)
    assert re.search(r"\| 2026\\?-W23 \| 4 \| 1 \|", section(month, "Perkara baru dan berakhir"))
    assert re.search(r"\| 21 Verifikasi 2 \| 19 Pelaporan progres \| 1 \| 1 \| belum \|", section(month, "Pengerjaan ulang"))
    assert re.search(r"\| 02 Pengisian form \| 0 \| .*\| 1 \| \d+,?\d* \|", section(month, "Hambatan"))
    second = page(world, "2026-W25")
    assert re.search(rf"{team} .*\| 60% \(\\?\+20\) \|", section(second, "Perkara terbuka"))
    assert re.search(r"\| Pimpinan Unit Kerja \| 1 \| 0 \|", section(second, "Menunggu siapa"))
    assert re.search(r"\| 7 \| \d \| \d,?\d* \| \d \| 20 \| \d+ \| 0 \| \d \|", section(second, "Beban tim programmer"))

    again = issue(world.service.store, world.service.files, world.service.display, "2026-06")
    assert upload(world, month, "pdf") == again.forms["pdf"]
    assert month.startswith(again.forms["md"].decode())


def test_names_beside_a_load_go_to_whoever_leads_and_to_nobody_else(world: World) -> None:
    ticket = complain(world, "tim")
    world.walk(ticket, 18)
    monday(world)

    mails = sent(world)
    assert mails["mail:report:2026-W23"].to == OFFICE.report_recipients
    assert mails["workload:report:2026-W23"].to == ("koord.programmer@kampus.example",)
    told = workload(world.service.store, world.service.display, "2026-W23")
    lines = [line for line in told.splitlines() if " dari kapasitas " in line]
    assert [line.split(":")[0] for line in lines] == sorted(NAMES)  # by name, not by load
    team = [programmer.name for programmer in OFFICE.programmers if programmer.account in world.case(ticket).team]
    assert [line.split(":")[0] for line in lines if ticket in line] == sorted(team)
    forms = issue(world.service.store, world.service.files, world.service.display, "2026-W23").forms
    read = [forms["md"].decode(), forms["csv"].decode(), forms["html"].decode(), forms["txt"].decode(), printed(forms["pdf"])]
    assert [name for text in read for name in NAMES if name.split(",")[0] in text] == []


def test_a_year_ends_with_its_last_week(world: World) -> None:
    ticket = complain(world, "lama")
    monday(world)
    world.clock.to(datetime(2027, 1, 4, 8, tzinfo=OFFICE.calendar.tz))
    world.later(hours=1)

    pages = sorted(wiki(world))
    assert [title for title in pages if re.fullmatch(r"Laporan-tahunan/.*", title)] == ["Laporan-tahunan/2026"]
    assert [title for title in pages if re.fullmatch(r"Laporan-bulanan/.*", title)] == [
        f"Laporan-bulanan/2026-{n:02d}" for n in range(6, 13)
    ]
    year = wiki(world)["Laporan-tahunan/2026"].content
    assert re.search(r"\| 2026\\?-06 \| 1 \| 0 \|", section(year, "Perkara baru dan berakhir"))
    assert ticket in section(year, "Perlu dibahas dalam rapat")
    assert world.service.store.outbox_rows() == []
