"""Published wordings, which never change, as playbooks do not.

A new table: the release before this one does not look at it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table, and the trigger that keeps it append-only."""
    op.create_table(
        "wordings",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False, comment="a later one goes before"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of the body"),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("shipped", sa.Boolean(), nullable=False, comment="it came with a release; the team's own go before"),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("wordings_digest", "wordings", ["digest"])
    op.execute(
        "CREATE TRIGGER wordings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON wordings "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
