"""Open cases are counted and found without a look at those that have ended."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One index holds all that is asked of many open cases at once."""
    op.create_index("ix_cases_open", "cases", ["ended_at", "due_at", "role", "iid"])
    op.drop_index("ix_cases_ended_at_due_at", "cases")


def downgrade() -> None:
    """The index as it was."""
    op.create_index("ix_cases_ended_at_due_at", "cases", ["ended_at", "due_at"])
    op.drop_index("ix_cases_open", "cases")
