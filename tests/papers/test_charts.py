"""Charts: bars as long as their figures, told apart without colour, and only those of the sheet itself in a paper."""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pypdfium2
import pytest

from sync import paper
from sync.charts import Bar, Panel, draw

NOW = datetime(2026, 6, 8, tzinfo=UTC)
LABELS = ["04 Pemeriksaan <&>", "18 Penanganan lokal"]
PANELS = [
    Panel("Lama", (Bar((1.0,), "1 / 4", 4.0), Bar((2.0,), "2 / 2", 2.0)), ("median",), "9 dari 10"),
    Panel("Bagian", (Bar((1.0, 3.0), "1 + 3"), Bar((0.0, 0.0), "0 + 0")), ("kerja", "menunggu")),
]
SHEET = paper.Sheet((), (), "Uji", "", "", (), "", charts={"langkah": draw(LABELS, PANELS)})


def boxes(svg: str) -> list[tuple[float, float, str]]:
    """Left end, width and filling of each box but the hatch's own ground."""
    found = [box.attrib for box in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}rect") if "x" in box.attrib]  # noqa: S314 -- ours
    return [(float(box["x"]), float(box["width"]), box["fill"]) for box in found]


def test_a_bar_is_as_long_as_its_figure() -> None:
    svg = draw(LABELS, PANELS)
    legend, first, second = boxes(svg)[0], *boxes(svg)[1:3]
    assert legend[2] == first[2] == second[2]
    assert second[1] == pytest.approx(2 * first[1], abs=0.2)
    *_, work, wait = boxes(svg)
    assert (wait[0], wait[1]) == (pytest.approx(work[0] + work[1], abs=0.2), pytest.approx(3 * work[1], abs=0.2))


def test_no_colour_says_anything() -> None:
    shades = set(re.findall(r"#([0-9a-f]{6})", draw(LABELS, PANELS)))
    assert all(shade[:2] == shade[2:4] == shade[4:] for shade in shades)
    assert "url(#arsir)" in draw(LABELS, PANELS)  # what is waited is hatched


def test_the_same_figures_are_the_same_bytes() -> None:
    assert draw(LABELS, PANELS) == draw(list(LABELS), list(PANELS))
    assert paper.render("![a](grafik:langkah)", SHEET, NOW) == paper.render("![a](grafik:langkah)", SHEET, NOW)


def test_every_label_has_its_bar() -> None:
    with pytest.raises(ValueError, match="2 bars for 1 labels"):
        draw(LABELS[:1], PANELS)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("![a](grafik:langkah)", True), ("![a](grafik:lain)", False), ("![a](langkah)", False), ("![a](http://x.example/langkah)", False)],
)
def test_a_paper_shows_its_own_charts_alone(text: str, shown: bool) -> None:
    document = pypdfium2.PdfDocument(paper.render(f"Awal\n\n{text}\n\nAkhir", SHEET, NOW))
    printed = document[0].get_textpage().get_text_range()
    assert ("04 Pemeriksaan <&>" in printed, "9 dari 10" in printed) == (shown, shown)
    assert "Akhir" in printed


def test_a_page_loads_nothing() -> None:
    page = paper.page("![a](http://x.example/y.png) <img src=//x.example/z> ![b](grafik:langkah)", "Judul <b>")
    assert "<img" not in page
    assert "<title>Judul &lt;b&gt;</title>" in page
