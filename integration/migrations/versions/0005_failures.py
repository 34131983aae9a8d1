"""Why a row failed, in a word beside the words of its error. Rows that failed before have none: nobody asked then."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SIDES = ("inbox", "outbox")


def upgrade() -> None:
    """Add the word; processes of the release before go on writing rows without it."""
    for side in SIDES:
        op.add_column(side, sa.Column("failure", sa.String(16), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop it: the error's words say more."""
    for side in SIDES:
        op.drop_column(side, "failure")
