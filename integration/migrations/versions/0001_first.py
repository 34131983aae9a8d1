"""The first tables."""

import sqlalchemy as sa
from alembic import op

from integration.tables import BIG, Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UNFINISHED = sa.text("state <> 'done'")
ONE_SHOW = sa.text("kind = 'ShowOnIssue' AND state = 'waiting'")


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "cases",
        sa.Column("ticket", sa.String(length=40), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("procedure", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer()),
        sa.Column("role", sa.Text()),
        sa.Column("due_at", Moment()),
        sa.Column("entered_seq", sa.Integer()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("iid", sa.Integer()),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment()),
        sa.Column("observed", sa.JSON()),
        sa.PrimaryKeyConstraint("ticket", name=op.f("pk_cases")),
        sa.UniqueConstraint("iid", name=op.f("uq_cases_iid")),
        sa.UniqueConstraint("prefix", "year", "number", name=op.f("uq_cases_prefix_year_number")),
    )
    op.create_index(op.f("ix_cases_ended_at_due_at"), "cases", ["ended_at", "due_at"])
    op.create_table(
        "causes",
        sa.Column("ticket", sa.String(length=40), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("ticket", "key", name=op.f("pk_causes")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "events",
        sa.Column("ticket", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("prev", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("ticket", "seq", name=op.f("pk_events")),
    )
    op.create_table(
        "inbox",
        sa.Column("id", BIG, nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_inbox_source_key")),
    )
    op.create_index("ix_inbox_open", "inbox", ["lane", "id"], sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)
    op.create_table(
        "lanes",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("next_due", Moment()),
        sa.Column("token", sa.String(length=32)),
        sa.Column("lease_until", Moment()),
        sa.PrimaryKeyConstraint("lane", name=op.f("pk_lanes")),
    )
    op.create_index(op.f("ix_lanes_next_due"), "lanes", ["next_due"])
    op.create_table(
        "marks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_marks")),
    )
    op.create_table(
        "notes",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("ticket", sa.String(length=40), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("note_id", BIG, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_notes")),
    )
    op.create_index(op.f("ix_notes_ticket_slot"), "notes", ["ticket", "slot"])
    op.create_table(
        "numbers",
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("document", name=op.f("pk_numbers")),
        sa.UniqueConstraint("series", "year", "seq", name=op.f("uq_numbers_series_year_seq")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", BIG, nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("done_at", Moment()),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    op.create_index("ix_outbox_open", "outbox", ["lane", "channel", "id"], sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)
    op.create_index("uq_outbox_show", "outbox", ["lane"], unique=True, sqlite_where=ONE_SHOW, postgresql_where=ONE_SHOW)
    op.create_table(
        "sequences",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "year", name=op.f("pk_sequences")),
    )
