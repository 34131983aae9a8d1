"""The portal can read all cases in the order of their last changes. Those of before get their places when the list is first read."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

UNLISTED = sa.text("version <> listed")


def upgrade() -> None:
    """Add the columns; what processes of the release before change is found by the version they count on."""
    with op.batch_alter_table("cases") as cases:
        cases.add_column(sa.Column("place", sa.BigInteger().with_variant(sa.Integer(), "sqlite")))
        cases.add_column(sa.Column("listed", sa.Integer(), nullable=False, server_default="-1"))
        cases.create_unique_constraint("uq_cases_place", ["place"])
    op.create_index("ix_cases_unlisted", "cases", ["ticket"], sqlite_where=UNLISTED, postgresql_where=UNLISTED)


def downgrade() -> None:
    """Drop them: whoever has read the list begins anew after the next upgrade."""
    op.drop_index("ix_cases_unlisted", "cases")
    with op.batch_alter_table("cases") as cases:
        cases.drop_constraint("uq_cases_place", type_="unique")
        cases.drop_column("listed")
        cases.drop_column("place")
