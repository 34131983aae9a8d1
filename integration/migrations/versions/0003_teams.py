"""Who is in the team of each case, beside where it stands: workloads are counted over all open cases."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the teams of before are in the ledger."""
    op.add_column("cases", sa.Column("team", sa.JSON(none_as_null=True)))
    connection = op.get_bind()
    named = sa.text("SELECT ticket, data FROM events WHERE kind = 'TeamAssigned' ORDER BY ticket, seq")
    teams = {ticket: _members(data) for ticket, data in connection.execute(named)}
    if teams:
        put = sa.text("UPDATE cases SET team = :team WHERE ticket = :ticket")
        connection.execute(put, [{"ticket": ticket, "team": json.dumps(members)} for ticket, members in teams.items()])


def downgrade() -> None:
    """Drop it: the ledger still has the teams."""
    op.drop_column("cases", "team")


def _members(data: Any) -> list[str]:  # noqa: ANN401 -- SQLite gives JSON as text, PostgreSQL what it holds
    return list((json.loads(data) if isinstance(data, str) else data)["members"])
