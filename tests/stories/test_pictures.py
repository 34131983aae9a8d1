"""The pictures of the guides show what people see now; ALUR_PICTURES=1 draws them anew.

Letters are drawn a little otherwise on each machine, so each picture keeps the words it shows, and those are compared. Whoever changes
what people see draws the pictures anew, too, and looks at them.
"""

import html
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pypdfium2
import pytest
from click.testing import CliRunner
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sync.cli import main
from sync.reports import issue
from tests.edge.browser import PROGRAM, Browser, browser
from tests.stories.test_desk import HEAD, KASI, able_to_sign_in
from tests.stories.test_progress import FRIDAY, to
from tests.stories.test_turn import link
from tests.stories.test_weekly_report import monday
from tests.stories.world import ROOT, World, variables

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")

IMAGES = ROOT / "docs" / "images"
WORDS, SHADES = "Kata", 64
WIDE, DESKTOP, PHONE = (760, 900), (1140, 1600), (420, 844)
MARGIN = 8  # above the words a picture begins with
TERMINAL = (
    "<style>html {{ background: #1e1e1e; }} pre {{ margin: 0; padding: 16px; color: #e6e6e6; font: 13px/1.5 'DejaVu Sans Mono', monospace; "
    "white-space: pre-wrap; width: 728px; box-sizing: border-box; }}</style><pre>{}</pre>"
)


def shown(tab: Browser, selector: str) -> str:
    """The words of a part of the page, without what differs each time."""
    text = tab.value(f"document.querySelector('{selector}').innerText")
    return " ".join(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1", text).split())


def keep(name: str, drawn: Image.Image, words: str) -> None:
    """Draw the picture anew where that is asked for; in any case it shows these words, and is as wide."""
    path = IMAGES / f"{name}.png"
    if os.environ.get("ALUR_PICTURES"):
        told = PngInfo()
        told.add_itxt(WORDS, words, lang="id")
        drawn.convert("RGB").quantize(SHADES, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True, pnginfo=told)
    with Image.open(path) as kept:
        kept.load()
        again = "ALUR_PICTURES=1 .venv/bin/pytest tests/stories/test_pictures.py draws it anew"
        assert (kept.text.get(WORDS), kept.width) == (words, drawn.width), again


@dataclass(frozen=True)
class Part:
    """What of a page is kept: of the first element the selector names, all from where it says `since` on, and no more than `most` lines."""

    of: str = "body"
    since: str = ""
    most: int = 1400
    size: tuple[int, int] = WIDE


def seen(tab: Browser, folder: Path, name: str, part: Part) -> None:
    """Keep the picture of a part of the page the tab shows; of a desktop's page at two thirds."""
    tab.screenshot(folder / "seen.png", part.of)
    words = shown(tab, part.of)
    above = f"document.querySelector('{part.of}').getBoundingClientRect().top"
    place = (
        f"[...document.querySelectorAll('{part.of} *')].findLast(one => one.innerText.startsWith('{part.since}')).getBoundingClientRect()"
    )
    top = max(0, int(tab.value(f"{place}.top - {above}")) - MARGIN) if part.since else 0
    with Image.open(folder / "seen.png") as whole:
        cut = whole.crop((0, top, whole.width, min(whole.height, top + part.most)))
        smaller = cut.resize((cut.width * 2 // 3, cut.height * 2 // 3)) if part.size == DESKTOP else cut
        keep(name, smaller, words[words.index(part.since) :])


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profil"), "--hide-scrollbars", "--allow-file-access-from-files") as opened:
        yield opened


@pytest.fixture
def sight(world: World, tab: Browser, tmp_path: Path) -> Callable[..., None]:
    """`sight(name, address, part)`: look at a page and keep the picture; `account`: signed in as this one first."""

    def look(name: str, address: str, part: Part, *, account: str = "") -> None:
        tab.as_new(*part.size)
        if account:
            tab.open(f"{world.campus.portal.service_url}/meja")
            tab.value(f"document.querySelector('button[value=\"{account}\"]').click()")
            tab.wait_for("document.body.innerText.includes('Menunggu Anda')")
        tab.open(address)
        seen(tab, tmp_path, name, part)

    return look


def newest_note(world: World, ticket: str, word: str = "") -> str:
    """Where the newest comment stands on the issue's page, of those that say this."""
    notes = [row for row in world.campus.rows(f"issues/{world.campus.iid(ticket)}/notes", sort="asc") if not row["system"]]
    return f"#note_{[row['id'] for row in notes if word in row['body']][-1]} .comment"


def test_an_issue_whose_turn_it_is(world: World, sight) -> None:
    address = world.campus.issue(world.stands_at(18))["web_url"]
    sight("issue", address, Part(size=DESKTOP, most=1580))
    sight("kedudukan", address, Part("article", "Kedudukan perkara", most=840))


def test_a_request_that_is_refused(world: World, sight) -> None:
    ticket = world.stands_at(18)
    world.comment(world.case(ticket).team[0], ticket, "/pos selesai\n\n### Arsip database\nCadangan 8 Juni 2026 di server arsip.")
    sight("penolakan", world.campus.issue(ticket)["web_url"], Part(newest_note(world, ticket), most=330))


def test_the_draft_of_a_weeks_report(world: World, sight) -> None:
    ticket = world.stands_at(18)
    to(world, "2026-06-11T09:00")
    world.tick_all(ticket, world.case(ticket).team[0])
    to(world, FRIDAY)
    sight("progres", world.campus.issue(ticket)["web_url"], Part(newest_note(world, ticket, "Rancangan")))


def test_who_could_be_in_the_team(world: World, sight) -> None:
    ticket = world.stands_at(13)
    sight("tim", world.campus.issue(ticket)["web_url"], Part(newest_note(world, ticket), "Saran tim"))


def test_the_desk_of_whoever_leads(world: World, sight) -> None:
    world.stands_at(5)
    able_to_sign_in(world)
    sight("meja", f"{world.campus.portal.service_url}/meja", Part(), account=world.campus.holder(HEAD))


def test_the_desk_where_an_evaluation_is_written(world: World, sight) -> None:
    world.stands_at(8)
    able_to_sign_in(world)
    sight("evaluasi", f"{world.campus.portal.service_url}/meja", Part("article"), account=world.campus.holder("kadiv-layanan"))


def test_the_desk_where_a_form_is_examined(world: World, sight) -> None:
    world.stands_at(4)
    able_to_sign_in(world)
    sight("pemeriksaan", f"{world.campus.portal.service_url}/meja", Part("article"), account=world.campus.holder(KASI))


def test_the_page_where_the_unit_answers(world: World, sight) -> None:
    ticket = world.stands_at(24)
    sight("giliran", link(world, ticket), Part(since="Jawaban unit kerja", size=PHONE))


def test_the_report_of_a_week(world: World) -> None:
    world.stands_at(18)
    monday(world)
    service = world.service
    page = pypdfium2.PdfDocument(issue(service.store, service.files, service.display, "2026-W23").forms["pdf"])[0]
    words = " ".join(page.get_textpage().get_text_range().split())
    keep("laporan-mingguan", page.render(scale=1.1).to_pil(), re.sub(r"https?://\S+", "", words))


def test_what_the_doctor_says(world: World, tab: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where no settings lie
    home = world.campus.portal.service_url
    world.campus.project.labels.popitem()
    told = variables(world.campus, world.settings.data_dir.parent, world.settings.database_url.get_secret_value(), home)
    result = CliRunner(env=told).invoke(main, ["doctor"])
    assert result.exit_code == 1
    page = tmp_path / "doctor.html"
    page.write_text(TERMINAL.format(html.escape(f"$ alur doctor\n{click.unstyle(result.stdout)}")), encoding="utf-8")
    tab.as_new(*WIDE)
    tab.open(page.as_uri())
    seen(tab, tmp_path, "doctor", Part("pre"))


def test_the_pictures_are_small_and_each_is_shown_somewhere() -> None:
    pictures = sorted(IMAGES.glob("*.png"))
    assert sum(path.stat().st_size for path in pictures) < 1_000_000
    pages = "\n".join(path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    assert [path.name for path in pictures if f"images/{path.name}" not in pages] == []
