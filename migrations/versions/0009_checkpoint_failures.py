"""Where checkpoints do not arrive, since when and why, so that nobody believes that they were sent.

A new table: the release before this one runs on this schema as it did on its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"


def upgrade() -> None:
    """Create the table; its privileges are set after the migration."""
    op.create_table(
        "checkpoint_failures",
        sa.Column("destination", sa.Text(), nullable=False, comment="where checkpoints do not arrive"),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="of the checkpoint that was tried last"),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("times", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("destination"),
    )
    op.alter_column("checkpoint_deliveries", "destination", comment="file, webhook or mail", existing_comment="file or webhook")
