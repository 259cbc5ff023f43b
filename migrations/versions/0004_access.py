"""Access: what is paused, and why operators did what they did. The roles and their privileges are set after each migration.

New objects only: the release before this one runs on this schema as it did on its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table of pauses, and what shows operators' reasons, and no other document, to who may not read those."""
    op.create_table(
        "pauses",
        sa.Column("actor", sa.Text(), nullable=False, comment="whose messages wait; * for all that may"),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Uuid(), nullable=False, comment="the document that says why"),
        sa.Column("version", sa.Integer(), nullable=False, comment="of the event, in the service's own stream"),
        sa.PrimaryKeyConstraint("actor"),
    )
    op.execute("""
        CREATE VIEW operator_reasons WITH (security_barrier = true) AS
        SELECT id, body, salt, commitment FROM documents WHERE kind = 'operator_reason'
    """)
