"""Bars as SVG, drawn from figures: for print, so in black and hatching; no colour says anything.

The same figures give the same bytes. A chart repeats a table: every bar has its figure beside it in words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LABELS, GAP, ROW, BAR, SIZE = 760, 210, 14, 17, 10, 9.5  # of the drawing, in its own units; SIZE: of letters
ROOM = 84  # beside a bar, for its figure
INK, PALE = "#333333", "#ffffff"
HATCH = (
    f'<defs><pattern id="arsir" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="4" height="4" fill="{PALE}"/><line x1="0" y1="0" x2="0" y2="4" stroke="{INK}" stroke-width="1.4"/></pattern></defs>'
)
FILLS = (INK, "url(#arsir)")


@dataclass(frozen=True, slots=True)
class Bar:
    """`parts` one behind the other, at most as many as FILLS; `mark`: a value shown by a whisker; `text`: the figures in words."""

    parts: tuple[float, ...]
    text: str
    mark: float | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One column of bars, a bar for each label. `legend`: the names of the parts; `mark`: of the whisker, "" for none."""

    title: str
    bars: tuple[Bar, ...]
    legend: tuple[str, ...] = ()
    mark: str = ""


def draw(labels: Sequence[str], panels: Sequence[Panel]) -> str:
    """The panels side by side, with the labels left of them. ValueError where a panel has not a bar for each label."""
    room = (WIDTH - LABELS) / len(panels)
    top = ROW * (2 if any(panel.legend or panel.mark for panel in panels) else 1) + 4
    height = top + ROW * len(labels) + 6
    drawn = [HATCH]
    for number, label in enumerate(labels):
        drawn.append(_text(0, top + ROW * number + BAR, label))
    for number, panel in enumerate(panels):
        drawn += _panel(panel, LABELS + room * number, room - GAP, top, len(labels))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">'
    return "\n".join([head, *drawn, "</svg>", ""])


def _panel(panel: Panel, left: float, width: float, top: float, rows: int) -> Iterator[str]:
    if len(panel.bars) != rows:
        raise ValueError(f"{len(panel.bars)} bars for {rows} labels")
    most = max((max(sum(bar.parts), bar.mark or 0) for bar in panel.bars), default=0) or 1
    scale = (width - ROOM) / most
    yield _text(left, BAR, panel.title, weight="bold")
    yield from _legend(panel, left, ROW)
    for number, bar in enumerate(panel.bars):
        x, y = left, top + ROW * number + 1
        for part, fill in zip(bar.parts, FILLS, strict=False):
            if part > 0:
                yield _box(x, y, part * scale, fill)
            x += part * scale
        end = x
        if bar.mark is not None:
            end = max(x, left + bar.mark * scale)
            yield _line(x, y + BAR / 2, end, y + BAR / 2)
            yield _line(end, y + 1, end, y + BAR - 1)
        yield _text(end + 5, y + BAR - 1.5, bar.text)
    yield _line(left, top - 1, left, top + ROW * rows - ROW + BAR + 3)


def _legend(panel: Panel, left: float, y: float) -> Iterator[str]:
    x = left
    for name, fill in zip(panel.legend, FILLS, strict=False):
        yield _box(x, y + 1, BAR, fill)
        yield _text(x + BAR + 4, y + BAR - 0.5, name)
        x += BAR + 18 + len(name) * SIZE * 0.48
    if panel.mark:
        yield _line(x, y + 1 + BAR / 2, x + BAR, y + 1 + BAR / 2)
        yield _line(x + BAR, y + 2, x + BAR, y + BAR)
        yield _text(x + BAR + 4, y + BAR - 0.5, panel.mark)


def _text(x: float, y: float, text: str, weight: str = "normal") -> str:
    style = f'font-family="Libertinus Serif" font-size="{SIZE}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style} fill="#000000">{escape(text)}</text>'


def _box(x: float, y: float, width: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{BAR}" fill="{fill}" stroke="{INK}" stroke-width="0.6"/>'


def _line(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{INK}" stroke-width="1"/>'
