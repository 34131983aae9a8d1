"""The picture of a paper that newcomers see shows what a paper looks like now; ALUR_PICTURES=1 draws it anew.

Whoever changes how papers look draws it anew, too, and looks at it.
"""

import os
from dataclasses import replace

import pypdfium2
from PIL import Image, ImageChops, ImageStat

from integration.procedure.events import CaseOpened, Entry
from sync import documents
from sync.documents import Reserved
from tests.papers.test_look import SCHEDULE, left_with
from tests.papers.test_papers import ADDRESS, ORGANISATION, PROCEDURE, ROOT, WORDING, issued, ledger

PICTURE = ROOT / "docs" / "images" / "surat-tugas.png"
SCALE, SHADES = 1.1, 16
ALIKE = 0.5  # shades of 255 in the mean: letters may be smoothed otherwise elsewhere, and two lines more are 2.4


def letter() -> Image.Image:
    """A letter of assignment as it is signed, its first page."""
    entries = [as_asked(entry) for entry in left_with(ledger(), 6, SCHEDULE)]
    reserved = Reserved("1/UN39.17/ST/VI/2026", ADDRESS)
    pdf = documents.make(issued("surat-tugas", entries)[-1], entries, PROCEDURE, ORGANISATION, reserved, WORDING).content
    return pypdfium2.PdfDocument(pdf)[0].render(scale=SCALE, grayscale=True).to_pil().quantize(SHADES)


def as_asked(entry: Entry) -> Entry:
    """The ledger's line, with a complaint that says what is wrong."""
    event = entry.event
    if not isinstance(event, CaseOpened):
        return entry
    return replace(entry, event=replace(event, submission=replace(event.submission, subject="Nilai tidak dapat disimpan pada jam sibuk")))


def test_the_picture_shows_a_letter_as_it_is_drawn_now() -> None:
    drawn = letter()
    if os.environ.get("ALUR_PICTURES"):
        drawn.save(PICTURE, optimize=True)

    with Image.open(PICTURE) as kept:
        apart = ImageStat.Stat(ImageChops.difference(kept.convert("L"), drawn.convert("L"))).mean[0]
        assert (kept.size, apart < ALIKE) == (drawn.size, True), (
            "ALUR_PICTURES=1 .venv/bin/pytest tests/papers/test_picture.py draws it anew"
        )
