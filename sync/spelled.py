"""Numbers and days in Indonesian words (*terbilang*), as official records have them beside the figures.

Babel spells nothing out in Indonesian.
"""

from datetime import date

from babel.dates import format_date

ONES = ("nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan", "sepuluh", "sebelas")
BEYOND = 1_000_000_000
UNITS = ((1_000_000, "juta"), (1_000, "ribu"), (100, "ratus"), (10, "puluh"))


def number(n: int) -> str:
    """A whole number from 0 to 999,999,999 in words: 2026 is "dua ribu dua puluh enam". ValueError for any other."""
    if not 0 <= n < BEYOND:
        raise ValueError(n)
    if n < len(ONES):
        return ONES[n]
    if n < 20:  # noqa: PLR2004 -- the teens have a word of their own
        return f"{ONES[n - 10]} belas"
    size, unit = next((size, unit) for size, unit in UNITS if n >= size)
    many, rest = divmod(n, size)
    said = f"se{unit}" if many == 1 and size <= 1_000 else f"{number(many)} {unit}"  # noqa: PLR2004 -- "satu juta", but "seribu"
    return f"{said} {number(rest)}" if rest else said


def day(when: date) -> str:
    """A day as a record begins with it: "Selasa, tanggal dua bulan Juni tahun dua ribu dua puluh enam (02-06-2026)"."""
    name, month = (format_date(when, pattern, locale="id") for pattern in ("EEEE", "MMMM"))
    return f"{name}, tanggal {number(when.day)} bulan {month} tahun {number(when.year)} ({when:%d-%m-%Y})"
