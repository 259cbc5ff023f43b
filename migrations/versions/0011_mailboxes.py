"""The addresses that reps write from.

A new table: the release before this one does not look at it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "mailboxes",
        sa.Column("rep", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False, comment="the rep's own mail address"),
        sa.Column("name", sa.Text(), nullable=False, server_default="", comment="as it stands before the address"),
        sa.PrimaryKeyConstraint("rep"),
    )
