"""The text that a playbook was published from, which others may extend and people read.

A new column with a default: the release before this one runs on this schema as it did on its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "playbooks",
        sa.Column("source", sa.Text(), nullable=False, server_default="", comment="the TOML that it was published from"),
    )
