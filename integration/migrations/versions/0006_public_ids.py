"""Each paper has an id that nobody can guess. Papers of before get none: theirs is not printed on them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; processes of the release before know nothing of it."""
    op.create_table(
        "public_ids",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("ticket", sa.String(40), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_ids")),
        sa.UniqueConstraint("document", name=op.f("uq_public_ids_document")),
    )


def downgrade() -> None:
    """Drop it: what is printed on papers leads nowhere then."""
    op.drop_table("public_ids")
