"""The book of document numbers: each is handed out once, in order and without a gap, and nothing is ever taken out of the book.

A number is reserved before its paper is made, and issued once that is filed; void, it stays in the book and another one takes its place.
"""

from collections.abc import Callable, Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from integration.clock import Clock, utc_now
from integration.faults import Failure, Permanent
from integration.sealing import PLAIN, Keyring
from integration.store.intake import Intake
from integration.store.rows import NumberRow, NumberState, TakenOver
from integration.store.statements import columns
from integration.tables import IN_FORCE, numbers, sequences


class Book(Intake):
    """Hands out numbers, and knows what became of each. The row of a series' sequence is the lock all who add to it queue up at."""

    def __init__(self, url: str, *, clock: Clock, wall: Clock = utc_now, keyring: Keyring = PLAIN) -> None:
        super().__init__(url, clock=clock, wall=wall, keyring=keyring)
        least = self._insert(sequences)
        higher = sa.case((sequences.c.last < least.excluded.last, least.excluded.last), else_=sequences.c.last)
        self._at_least = least.on_conflict_do_update(index_elements=["name", "year"], set_={"last": higher})

    def number(self, document: str, series: str, day: date, written: Callable[[int], str]) -> str:
        """Reserve the next number of a series in the year of `day` for a document, or give the one it has, unless that is void.

        No gaps, none twice, across processes. `written` makes the number as it is printed from its place in the series, e.g.
        "100/UN39.17/ST/V/2025" from 100. Raises StoreDown; Permanent where another series has given that number.
        """
        of_document = sa.select(numbers.c.number).where(numbers.c.document == document, IN_FORCE)
        with self._write() as connection:
            seq = self._counted(connection, _sequence(series), day.year)
            known: str | None = connection.execute(of_document).scalar()
            if known is not None:
                connection.rollback()
                return known
            row = {"series": series, "year": day.year, "seq": seq, "number": written(seq), "document": document, "day": day}
            try:
                connection.execute(sa.insert(numbers), row)
            except sa.exc.IntegrityError as taken:
                raise Permanent(f"{row['number']} is a number of other documents", Failure.NUMBER) from taken
            return str(row["number"])

    def issue_number(self, number: str) -> None:
        """A paper is filed under this number; the first one's moment stays. Raises StoreDown."""
        issued = sa.update(numbers).where(numbers.c.number == number, numbers.c.issued_at.is_(None))
        with self._write() as connection:
            connection.execute(issued.values(issued_at=self.clock()))

    def void_number(self, number: str, reason: str) -> bool:
        """Make a number void for ever; False where there is no such number, or it was void before. Raises StoreDown."""
        voided = sa.update(numbers).where(numbers.c.number == number, IN_FORCE)
        with self._write() as connection:
            return bool(connection.execute(voided.values(voided_at=self.clock(), reason=reason)).rowcount)

    def number_state(self, number: str) -> NumberState | None:
        """What became of this number, as it is printed, and so of the papers that bear it; None where it was never handed out."""
        row = self.number_row(number)
        return None if row is None else row.state

    def number_row(self, number: str) -> NumberRow | None:
        """The line of this number, as it is printed."""
        return next(iter(self._number_rows(numbers.c.number == number)), None)

    def number_rows(self, *, series: str | None = None, year: int | None = None) -> list[NumberRow]:
        """The book, by series, year and place; each filter narrows."""
        of_series = numbers.c.series == series if series is not None else sa.true()
        return self._number_rows(of_series, numbers.c.year == year if year is not None else sa.true())

    def take_over(self, rows: Sequence[NumberRow]) -> TakenOver:
        """Put the lines of a hand-kept book into this one, all or, where any clashes, none; the sequences go on behind them.

        A line that is here just so is left alone. No two of `rows` may be alike. Raises StoreDown.
        """
        highest: dict[tuple[str, int], int] = {}
        for row in rows:
            highest[row.series, row.year] = max(row.seq, highest.get((row.series, row.year), 0))
        with self._write() as connection:
            for (series, year), last in sorted(highest.items()):  # in one order: two who take over never wait in a circle
                connection.execute(self._at_least, {"name": _sequence(series), "year": year, "last": last})
            here = self._here(connection, {year for _, year in highest})
            found = [(row, here.get(row.place) or here.get(row.number)) for row in rows]
            clashes = tuple((row, there) for row, there in found if there is not None and not _same(row, there))
            if clashes:
                connection.rollback()
                return TakenOver(0, clashes)
            fresh = [{name: getattr(row, name) for name in TAKEN} for row, there in found if there is None]
            if fresh:
                connection.execute(sa.insert(numbers), fresh)
            return TakenOver(len(fresh))

    def _here(self, connection: Connection, years: set[int]) -> dict[object, NumberRow]:
        """What the book has of these years, by place and by number."""
        known = sa.select(*columns(numbers, NumberRow)).where(numbers.c.year.in_(years))
        rows = [NumberRow(*row) for row in connection.execute(known)]
        return {row.place: row for row in rows} | {row.number: row for row in rows}

    def _number_rows(self, *wanted: sa.ColumnElement[bool]) -> list[NumberRow]:
        known = sa.select(*columns(numbers, NumberRow)).where(*wanted).order_by(*numbers.primary_key)
        with self._read() as connection:
            return [NumberRow(*row) for row in connection.execute(known)]


TAKEN = ("series", "year", "seq", "suffix", "number", "day", "subject")
"""What a line of a hand-kept book says."""


def _same(row: NumberRow, there: NumberRow) -> bool:
    """Whether this line was taken over before."""
    return there.document is None and all(getattr(row, name) == getattr(there, name) for name in TAKEN)


def _sequence(series: str) -> str:
    return f"nomor:{series}"
