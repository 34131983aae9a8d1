"""The guides: each fits on two pages of A4 with its pictures, and the commands of the operator's do what is said of them."""

import re
from pathlib import Path
from typing import Any

import markdown
import pypdfium2
import pytest
from click.testing import CliRunner

from integration import procedures
from sync.cli import main
from tests.edge.browser import PROGRAM, browser
from tests.stories.world import ORGANISATION, PROCEDURE, ROOT, World, variables
from tests.test_docs import GUIDES, alternatives, lines

OPERATORS = [ROOT / "docs" / "panduan" / f"{name}.md" for name in ("administrator", "data-pribadi")]
STAYS = {"serve", "web", "worker", "beat"}  # they run until they are told to end
NOT_HERE = (
    ["outbox", "show"],  # nothing is parked in a healthy world
    ["outbox", "replay"],
    ["inbox", "show"],
    ["inbox", "replay"],
    ["numbers", "void"],  # takes a number that is there: below
    ["token", "rotate"],  # takes the token away from whoever uses it here
    ["restore"],  # on an empty machine: tests/stories/test_backup.py
    ["privacy", "erase"],  # of a case that is over
    ["privacy", "retention"],  # of an organisation that says how long
    ["report", "weekly"],  # by the clock of this machine, the week may be still to come
)
BOOK = "nomor,jenis,tanggal,perihal\n100/UN39.17/LPS/V/2026,LPS,2026-05-11,Perbaikan SIAKAD\n"
STYLE = """
@page { size: A4; margin: 18mm 20mm; }
body { font: 10pt/1.4 'DejaVu Sans', sans-serif; }
h1 { font-size: 16pt; margin: 0 0 6pt; } h2 { font-size: 12pt; margin: 10pt 0 4pt; } p, ul, ol { margin: 4pt 0; }
table { border-collapse: collapse; width: 100%; font-size: 9pt; } th, td { border: .5pt solid #999; padding: 2pt 4pt; text-align: left; }
pre { background: #f2f2f2; padding: 4pt 6pt; font-size: 8pt; margin: 4pt 0; white-space: pre-wrap; } code { font-size: 8.5pt; }
img { display: block; margin: 4pt auto; max-width: 70%; max-height: 66mm; }
"""


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")
def test_each_guide_is_two_pages_of_a4_with_its_pictures(tmp_path: Path) -> None:
    pages = {}
    with browser(tmp_path / "profil", "--allow-file-access-from-files") as tab:
        for guide in GUIDES:
            text = markdown.markdown(guide.read_text(encoding="utf-8"), extensions=["tables", "fenced_code"])
            page = tmp_path / f"{guide.stem}.html"
            page.write_text(f"<meta charset=utf-8><base href='{guide.as_uri()}'><style>{STYLE}</style>{text}", encoding="utf-8")
            tab.open(page.as_uri())
            assert tab.value("[...document.images].every(image => image.naturalWidth > 0)"), guide.name
            tab.print(tmp_path / f"{guide.stem}.pdf")
            pages[guide.name] = len(pypdfium2.PdfDocument(tmp_path / f"{guide.stem}.pdf"))
    assert {name: count for name, count in pages.items() if count > 2} == {}


def test_the_story_developers_are_shown_is_one(world: World) -> None:
    ((code),) = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "docs" / "developers.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 -- ours
    names["test_a_step_is_left"](world)


def test_what_the_operators_guide_says_to_type_works(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.stands_at(18)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "organisasi.baru.yaml").write_bytes(ORGANISATION.read_bytes())
    (tmp_path / "prosedur.yaml").write_bytes(procedures.shipped()[f"{PROCEDURE.slug}.{PROCEDURE.revision}"].read_bytes())
    (tmp_path / "buku.csv").write_text(BOOK, encoding="utf-8")
    told = variables(world.campus, tmp_path, world.settings.database_url.get_secret_value(), world.campus.portal.service_url)
    told["ALUR_DATA_DIR"] = str(world.settings.data_dir)
    said = [alternatives(line.said.replace("--cases 100", "--cases 1"))[0] for guide in OPERATORS for line in lines(guide)]
    ran = [
        words for words in said if words[0] not in STAYS and words[:2] not in NOT_HERE and words[:1] not in NOT_HERE and words != ["outbox"]
    ]
    ran.insert(0, ["backup", "cadangan"])  # what was never backed up is not well
    ran.append(["numbers", "void", world.case("SI-2026-000001").current_paper("surat-tugas", "final").number, "--reason", "Salah ketik"])
    assert len(ran) > 20
    for words in map(list, dict.fromkeys(map(tuple, ran))):
        result = CliRunner(env=told).invoke(main, words)
        assert result.exit_code == 0, f"alur {' '.join(words)}: {result.output}"
