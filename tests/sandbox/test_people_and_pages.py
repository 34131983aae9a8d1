"""People who work in the browser, and the pages to look at."""

from datetime import date

import pytest
import requests


def _page(campus, path):
    answer = requests.get(f"{campus.forge.url}{path}", timeout=5)
    return answer.status_code, answer.text


@pytest.fixture
def iid(campus):
    text = "<!-- alur:mulai -->\n## Bagian\n\n- [ ] Formulir lengkap\n- [ ] Bukti galat\n<!-- alur:selesai -->"
    return campus.act().open(campus.project, "Galat <b>masuk</b>", text, labels=["langkah::04 Pemeriksaan"], confidential=True)


def test_a_person_does_everything_a_person_does(campus, iid):
    person, project = campus.act(campus.reporter), campus.project
    issue = project.issues[iid]
    note = person.comment(project, iid, "teks")
    person.edit_comment(project, iid, note, "teks lain")
    assert issue.notes[-1].body == "teks lain"
    person.delete_comment(project, iid, note)
    assert person.comment(project, iid, "/due 2031-02-03") == 0
    person.drag(project, iid, "langkah::04 Pemeriksaan", "langkah::05")
    person.label(project, iid, add=("a", "b"), remove=())
    assert campus.raw("GET", f"/projects/{project.id}/issues/{iid}").json()["labels"] == ["a", "b", "langkah::05"]
    person.assign(project, iid, "alur-bot")
    assert issue.assignee_ids == [campus.bot.id]
    person.assign(project, iid, None)
    assert issue.assignee_ids == []
    person.due(project, iid, date(2026, 12, 31))
    assert issue.due_date == date(2026, 12, 31)
    person.due(project, iid, None)
    assert issue.due_date is None
    person.rename(project, iid, "Lain")
    person.close(project, iid)
    person.reopen(project, iid)
    assert (issue.title, [event.state for event in issue.state_events]) == ("Lain", ["closed", "reopened"])
    assert person.upload(project, "bukti.txt", b"isi").startswith("[bukti.txt](/uploads/")
    assert campus.forge.unknown == []


def test_ticking(campus, iid):
    person = campus.act(campus.reporter)
    person.tick(campus.project, iid, "Bukti")
    assert "- [ ] Formulir lengkap\n- [x] Bukti galat" in campus.project.issues[iid].description
    person.tick(campus.project, iid, "Bukti", done=False)
    assert "- [x]" not in campus.project.issues[iid].description
    with pytest.raises(LookupError):
        person.tick(campus.project, iid, "tidak ada")


def test_a_refused_deed_is_an_error(campus, iid):
    stranger = campus.forge.user("asing", "Orang Asing")
    with pytest.raises(requests.HTTPError):
        campus.act(stranger).comment(campus.project, iid, "x")
    with pytest.raises(LookupError):
        campus.act().assign(campus.project, iid, "tidak-ada")


def test_the_issue_page(campus, iid):
    campus.act(campus.reporter).comment(campus.project, iid, "Catatan **penting** <script>x()</script>")
    campus.act(campus.reporter).tick(campus.project, iid, "Bukti")
    campus.act().close(campus.project, iid)
    status, text = _page(campus, f"/pustikom/pengaduan-si/-/issues/{iid}")
    assert status == 200
    assert "Galat &lt;b&gt;masuk&lt;/b&gt;" in text
    assert "<strong>penting</strong>" in text
    assert text.count('type="checkbox"') == 2
    assert "menutup tiket" in text
    assert "marked the checklist item" in text
    assert "langkah::04 Pemeriksaan" in text
    assert "alur:mulai" not in text
    assert "<script" not in text


def test_uploaded_files_are_reached_from_the_page(campus, iid):
    markdown = campus.act().upload(campus.project, "surat tugas.pdf", b"%PDF isi")
    campus.act().comment(campus.project, iid, markdown)
    text = _page(campus, f"/pustikom/pengaduan-si/-/issues/{iid}")[1]
    address = text.split('href="/-/project/', 1)[1].split('"', 1)[0]
    answer = requests.get(f"{campus.forge.url}/-/project/{address}", timeout=5)
    assert (answer.content, answer.headers["Content-Type"]) == (b"%PDF isi", "application/pdf")


@pytest.mark.parametrize("path", ["/", "/pustikom/pengaduan-si", "/pustikom/pengaduan-si/-/issues", "/pustikom/pengaduan-si/-/boards"])
def test_lists_and_board(campus, iid, path):
    status, text = _page(campus, path)
    assert status == 200
    assert "pengaduan-si" in text


def test_the_board_shows_the_columns_of_the_board_else_the_steps_in_use(campus, iid):
    campus.act().open(campus.project, "Tanpa langkah", due_date="2026-01-01", assignee_ids=[campus.bot.id])
    path = "/pustikom/pengaduan-si/-/boards"
    assert "langkah::04 Pemeriksaan" in _page(campus, path)[1]
    campus.act().label(campus.project, iid, add=("lain",))
    label = next(label for label in campus.project.labels.values() if label.name == "lain")
    board = next(iter(campus.project.boards))
    campus.raw("POST", f"/projects/{campus.project.id}/boards/{board}/lists", json={"label_id": label.id})
    assert "<span>lain</span>" in _page(campus, path)[1]


def test_a_wiki_page_and_an_avatar(campus):
    campus.raw("POST", f"/projects/{campus.project.id}/wikis", json={"title": "Buku Panduan", "content": "# Isi"})
    assert "<h1>Isi</h1>" in _page(campus, "/pustikom/pengaduan-si/-/wikis/Buku-Panduan")[1]
    assert ">BS</text>" in _page(campus, f"/-/avatar/{campus.reporter.id}.svg")[1]


@pytest.mark.parametrize(
    "path",
    [
        "/a/b",
        "/pustikom/pengaduan-si/-/issues/99",
        "/-/avatar/99.svg",
        "/-/project/40/uploads/x/y",
        "/-/project/9/uploads/x/y",
        "/pustikom/pengaduan-si/-/wikis/x",
    ],
)
def test_what_is_not_there_is_404(campus, path):
    assert _page(campus, path)[0] == 404


def test_the_history_keeps_the_order_of_deeds_on_a_still_clock(campus, iid):
    person = campus.act(campus.reporter)
    person.label(campus.project, iid, add=("pertama",))
    person.comment(campus.project, iid, "kedua")
    person.label(campus.project, iid, add=("ketiga",), remove=("pertama",))
    text = _page(campus, f"/pustikom/pengaduan-si/-/issues/{iid}")[1].split("Kegiatan", 1)[1]
    assert text.index("pertama") < text.index("kedua") < text.index("ketiga")
    assert text.count("memasang") == 3
    assert text.count("melepas") == 1


def test_who_sees_a_project_is_its_owner_s_to_say(campus):
    visitor, owner = campus.forge.user("tamu", "Tamu"), campus.forge.user("pemilik", "Pemilik")
    campus.forge.member(campus.project, owner, 50)
    iid = campus.act().open(campus.project, "Terbuka")
    with pytest.raises(requests.HTTPError):
        campus.act().set_visibility(campus.project, "internal")
    with pytest.raises(requests.HTTPError):
        campus.act(visitor).comment(campus.project, iid, "x")
    campus.act(owner).set_visibility(campus.project, "internal")
    assert campus.act(visitor).comment(campus.project, iid, "x")
