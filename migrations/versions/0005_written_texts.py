"""Who wrote a text, when, and which message hands it in: content checks compare it with what the team sent before.

New columns that may be empty: the release before this one runs on this schema as it did on its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add three columns to `documents`, and the index that finds recent texts."""
    op.add_column("documents", sa.Column("writer", sa.Text(), comment="who wrote it: rep:dan, manager:ann"))
    op.add_column("documents", sa.Column("written_at", sa.DateTime(timezone=True), comment="on the service's clock"))
    op.add_column("documents", sa.Column("message_id", sa.Uuid(), comment="the message that hands it in"))
    op.create_index("documents_recent", "documents", ["kind", "written_at"])
