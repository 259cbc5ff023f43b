"""Tamper evidence: the stored nodes of the Merkle tree over the log, the signed checkpoints, and where they arrived.

New tables only: the release before this one runs on this schema as it did on its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the three tables, append-only like the log."""
    op.create_table(
        "tree_nodes",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False, comment="8 and above: 2**level leaves"),
        sa.Column(
            "number",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="from 0, of the complete subtrees of the level",
        ),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False, comment="the events up to this position"),
        sa.Column("root", sa.LargeBinary(), nullable=False, comment="of the Merkle tree over them (RFC 6962)"),
        sa.Column("note", sa.Text(), nullable=False, comment="the signed note (C2SP), as it was sent"),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "checkpoint_deliveries",
        sa.Column("destination", sa.Text(), nullable=False, comment="file or webhook"),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False, comment="of the checkpoint that arrived there"),
        sa.Column("delivered_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("destination", "size"),
    )
    for table in ("tree_nodes", "checkpoints", "checkpoint_deliveries"):
        op.execute(f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)
