"""What is open and what is due is found without a look at all there ever was."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """All that is counted of open cases stands in one index; lanes are taken in the order of theirs."""
    op.create_index("ix_cases_open", "cases", ["ended_at", "due_at", "role", "iid"])
    op.drop_index("ix_cases_ended_at_due_at", "cases")
    op.create_index("ix_lanes_next_due_lane", "lanes", ["next_due", "lane"])
    op.drop_index("ix_lanes_next_due", "lanes")


def downgrade() -> None:
    """The indexes as they were."""
    op.create_index("ix_cases_ended_at_due_at", "cases", ["ended_at", "due_at"])
    op.drop_index("ix_cases_open", "cases")
    op.create_index("ix_lanes_next_due", "lanes", ["next_due"])
    op.drop_index("ix_lanes_next_due_lane", "lanes")
