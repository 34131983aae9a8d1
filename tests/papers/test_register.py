"""The register of cases: who stands in it, what it says of each, and that a page holds it however long the names are."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pypdfium2
import pytest

from integration.procedure.events import CaseOpened, DocumentFiled, DocumentIssued, Entry
from integration.procedure.facts import SERVICE
from integration.store import Batch, CaseRow, Delivery, Store
from sync import paper
from sync.display import Display
from sync.periods import period
from sync.register import register
from sync.reports import publish
from sync.survey import survey
from tests.papers.test_papers import EMBLEM, ORGANISATION, PROCEDURE, WORDING, red, submission

MOMENT = datetime(2026, 6, 2, 3, tzinfo=UTC)
DISPLAY = Display([PROCEDURE], ORGANISATION, WORDING)
Open = Callable[..., str]


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/alur.db", clock=lambda: MOMENT)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def opened(store: Store) -> Open:
    """Opens a case with numbered papers of these kinds, two versions each; it stands at `step`, or has ended where that is None."""

    def case(*papers: str, year: int = 2026, step: int | None = 18, unit_name: str = "Fakultas Teknik", subject: str = "Galat") -> str:
        moment = MOMENT.replace(year=year)
        store.clock = lambda: moment
        form = replace(submission("x"), unit_name=unit_name, subject=subject)
        store.submit(Delivery("portal", f"{year}:{len(store.case_rows())}", "", form.unit_name.encode()), "SI", year)
        turn, row = store.claim(lease=timedelta(minutes=1))
        events = [CaseOpened(turn.lane, PROCEDURE.slug, PROCEDURE.revision, form)]
        for kind in papers:
            pattern = ORGANISATION.numbering.pattern(kind, moment.date())
            number = store.number(f"{turn.lane}/{kind}", kind, moment.date(), lambda seq, pattern=pattern: pattern.format(seq=seq))
            for version in (1, 2):
                document = f"{turn.lane}/{kind}/{version}"
                events += [DocumentIssued(document, kind, "final", version, 15), DocumentFiled(document, number, "0" * 64, 1, "x")]
        entries = tuple(Entry(seq, moment, SERVICE, "x", event) for seq, event in enumerate(events, 1))
        status, ended = ("selesai", moment) if step is None else ("berjalan", None)
        stands = CaseRow(turn.lane, PROCEDURE.slug, PROCEDURE.revision, status, step, None, None, 1, None, "x", moment, ended)
        store.commit(turn, row, Batch(turn.lane, entries, case_row=stands))
        store.clock = lambda: MOMENT
        return turn.lane

    return case


def pages(pdf: bytes) -> list[str]:
    """The text of each page, on one line."""
    return [" ".join(page.get_textpage().get_text_bounded().split()) for page in pypdfium2.PdfDocument(pdf)]


def test_each_case_is_a_line_with_the_numbers_of_its_papers(store: Store, opened: Open) -> None:
    first = opened("notulen", "surat-tugas")
    second = opened(step=None)
    store.submit(Delivery("portal", "new", "", b""), "SI", 2026)
    store.void_number("1/UN39.17/NOT/VI/2026", "Salah ketik")

    (text,) = pages(register(store, DISPLAY, None, MOMENT))

    assert "REGISTER PERKARA No." in text
    assert f"1 {first} 2 Jun 2026 Fakultas Teknik SIAKAD Galat 18 Penanganan lokal, berjalan - " in text
    assert "- 1/UN39.17/NOT/VI/2026 (batal) 1/UN39.17/ST/VI/2026 2 " in text
    assert f"2 {second} 2 Jun 2026 Fakultas Teknik SIAKAD Galat selesai 2 Jun 2026 - " in text
    assert "3 SI-2026-000003 2 Jun 2026 - - - baru - - " in text
    assert "Register Perkara · keadaan per 2 Juni 2026 pukul 10.00 WIB" in text


def test_a_register_and_a_report_wear_the_emblem_and_the_font_of_the_organisation(store: Store) -> None:
    head, form = replace(ORGANISATION.letterhead, emblem=EMBLEM), replace(ORGANISATION.papers, font="New Computer Modern")
    dressed = Display([PROCEDURE], replace(ORGANISATION, letterhead=head, papers=form), WORDING)

    plain, register_, report = (
        register(store, DISPLAY, None, MOMENT),
        register(store, dressed, None, MOMENT),
        publish(
            survey(store, [PROCEDURE], dressed.organisation, period("2026-W22", ORGANISATION.calendar.tz)),
            dressed.organisation,
            WORDING,
            "1",
        )["pdf"],
    )

    assert (red(plain), red(register_), red(report)) == (False, True, True)
    assert [b"NewCM" in pdf for pdf in (plain, register_, report)] == [False, True, True]


def test_a_years_register_holds_the_cases_of_that_year(store: Store, opened: Open) -> None:
    assert "Tidak ada perkara." in pages(register(store, DISPLAY, 2026, MOMENT))[0]
    old, new = opened(year=2025), opened()

    (text,) = pages(register(store, DISPLAY, 2026, MOMENT))

    assert "REGISTER PERKARA 2026" in text
    assert (old in text, new in text) == (False, True)
    both = pages(register(store, DISPLAY, None, MOMENT))[0]
    assert both.index(old) < both.index(new)


def test_the_same_moment_gives_the_same_bytes(store: Store, opened: Open) -> None:
    opened("notulen")
    assert register(store, DISPLAY, None, MOMENT) == register(store, DISPLAY, None, MOMENT)


def test_long_names_stay_on_the_page_and_what_strangers_wrote_ends_no_line(store: Store, opened: Open) -> None:
    unit = "Fakultas Matematika dan Ilmu Pengetahuan Alam, Program Studi Pendidikan Teknik Informatika dan Komputer"
    for n in range(30):
        opened("notulen", "surat-tugas", "laporan-verifikasi", unit_name=unit, subject=f"{'x' * 120} a{paper.BREAK}b | {n}")

    pdf = register(store, DISPLAY, None, MOMENT)

    assert len(pages(pdf)) > 1
    assert "SI-2026-000030" in pages(pdf)[-1]
    assert "a b |" in " ".join(pages(pdf))
    for page in pypdfium2.PdfDocument(pdf):
        text = page.get_textpage()
        assert max(text.get_charbox(at)[2] for at in range(text.count_chars())) < page.get_width()
