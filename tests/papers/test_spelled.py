"""Numbers and days in words."""

from datetime import date

import pytest

from sync import spelled


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        (0, "nol"),
        (1, "satu"),
        (10, "sepuluh"),
        (11, "sebelas"),
        (12, "dua belas"),
        (19, "sembilan belas"),
        (20, "dua puluh"),
        (31, "tiga puluh satu"),
        (100, "seratus"),
        (111, "seratus sebelas"),
        (1000, "seribu"),
        (1100, "seribu seratus"),
        (2026, "dua ribu dua puluh enam"),
        (11_000, "sebelas ribu"),
        (21_000, "dua puluh satu ribu"),
        (101_000, "seratus satu ribu"),
        (1_000_000, "satu juta"),
        (900_909_090, "sembilan ratus juta sembilan ratus sembilan ribu sembilan puluh"),
    ],
)
def test_a_number_in_words(figure: int, words: str) -> None:
    assert spelled.number(figure) == words


def test_no_two_numbers_are_spelled_alike() -> None:
    assert len({spelled.number(n) for n in range(10_000)}) == 10_000


@pytest.mark.parametrize("figure", [-1, 1_000_000_000])
def test_what_it_cannot_spell_it_does_not(figure: int) -> None:
    with pytest.raises(ValueError, match=str(figure)):
        spelled.number(figure)


def test_a_day_in_words() -> None:
    assert spelled.day(date(2026, 6, 2)) == "Selasa, tanggal dua bulan Juni tahun dua ribu dua puluh enam (02-06-2026)"
