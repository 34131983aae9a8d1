"""What is personal in a case is sealed with a key of its own; requests of those it is about, and what stands against erasing, are kept.

Cases of before have no key: what was written of them stays readable, and their next messages, papers and entries are not sealed.
"""

import sqlalchemy as sa
from alembic import op

from integration.tables import Moment

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns and the tables."""
    op.add_column("cases", sa.Column("key", sa.LargeBinary()))
    op.add_column("cases", sa.Column("erased_at", Moment()))
    op.create_table(
        "subject_requests",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("done_at", Moment()),
        sa.Column("result", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_subject_requests"),
    )
    op.create_table(
        "restraints",
        sa.Column("ticket", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("ticket", "kind", name="pk_restraints"),
    )


def downgrade() -> None:
    """Drop the tables. What is sealed can be read by no release before this one, so a key that is in use is not dropped."""
    asked = sa.text("SELECT count(*) FROM cases WHERE key IS NOT NULL OR erased_at IS NOT NULL")
    sealed = op.get_bind().execute(asked).scalar_one()
    if sealed:
        raise RuntimeError(f"the release before cannot read {sealed} cases, sealed with keys of their own: restore a backup of it instead")
    op.drop_table("restraints")
    op.drop_table("subject_requests")
    op.drop_column("cases", "erased_at")
    op.drop_column("cases", "key")
