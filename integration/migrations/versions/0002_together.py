"""What several processes hold in common: quotas of the platform, and who leads."""

import sqlalchemy as sa
from alembic import op

from integration.tables import BIG, Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "quotas",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("minute", BIG, nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("closed_until", Moment()),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_quotas")),
    )
    op.create_table(
        "leaders",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leaders")),
    )


def downgrade() -> None:
    """Drop them: nothing in them outlives the processes."""
    op.drop_table("leaders")
    op.drop_table("quotas")
