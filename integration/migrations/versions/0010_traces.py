"""An effect remembers in which trace it was decided."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("outbox", sa.Column("trace", sa.String(55), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop it: traces are lost, nothing else."""
    op.drop_column("outbox", "trace")
