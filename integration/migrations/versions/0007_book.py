"""The book of numbers: what became of each, those of the book kept by hand, and more than one for a document whose first is void.

Whether the numbers of before were issued stands in the ledger; of reports, where they are kept.
"""

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from integration.tables import Moment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

IN_FORCE = sa.text("voided_at IS NULL")


def upgrade() -> None:
    """Add the columns and the letter of a place; processes of the release before go on reserving numbers without them."""
    with op.batch_alter_table("numbers") as numbers:
        numbers.add_column(sa.Column("suffix", sa.String(1), nullable=False, server_default=""))
        numbers.add_column(sa.Column("day", sa.Date()))
        numbers.add_column(sa.Column("subject", sa.Text(), nullable=False, server_default=""))
        numbers.add_column(sa.Column("issued_at", Moment()))
        numbers.add_column(sa.Column("voided_at", Moment()))
        numbers.add_column(sa.Column("reason", sa.Text(), nullable=False, server_default=""))
        numbers.drop_constraint("uq_numbers_series_year_seq", type_="unique")
        numbers.drop_constraint("pk_numbers", type_="primary")
        numbers.create_primary_key("pk_numbers", ["series", "year", "seq", "suffix"])
        numbers.alter_column("document", existing_type=sa.Text(), nullable=True)
        numbers.create_unique_constraint("uq_numbers_number", ["number"])
    op.create_index("uq_numbers_document", "numbers", ["document"], unique=True, sqlite_where=IN_FORCE, postgresql_where=IN_FORCE)
    _note_issued()


def downgrade() -> None:
    """Only what the release before can hold stays: one number a document, none of the book kept by hand. The sequences go on."""
    op.execute("DELETE FROM numbers WHERE document IS NULL OR voided_at IS NOT NULL")
    op.drop_index("uq_numbers_document", "numbers")
    with op.batch_alter_table("numbers") as numbers:
        numbers.drop_constraint("uq_numbers_number", type_="unique")
        numbers.drop_constraint("pk_numbers", type_="primary")
        numbers.create_primary_key("pk_numbers", ["document"])
        numbers.create_unique_constraint("uq_numbers_series_year_seq", ["series", "year", "seq"])
        for name in ("suffix", "day", "subject", "issued_at", "voided_at", "reason"):
            numbers.drop_column(name)


def _note_issued() -> None:
    """When the first paper under each number was filed; when a report was, is not known."""
    connection = op.get_bind()
    filed = sa.text("SELECT at, data FROM events WHERE kind = 'DocumentFiled' ORDER BY at").columns(at=Moment())
    first: dict[str, datetime] = {}
    for at, data in connection.execute(filed):
        number = _fields(data)["number"]
        if number:
            first.setdefault(number, at)
    issued = sa.text("UPDATE numbers SET issued_at = :at WHERE number = :number").bindparams(sa.bindparam("at", type_=Moment))
    if first:
        connection.execute(issued, [{"number": number, "at": at} for number, at in first.items()])
    reports = sa.text("UPDATE numbers SET issued_at = :at WHERE document IN (SELECT name FROM marks)")
    connection.execute(reports.bindparams(sa.bindparam("at", datetime.now(UTC), type_=Moment)))


def _fields(data: Any) -> dict[str, str]:  # noqa: ANN401 -- SQLite gives JSON as text, PostgreSQL what it holds
    return dict(json.loads(data) if isinstance(data, str) else data)
