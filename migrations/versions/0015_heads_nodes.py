"""Nodes of recorded heads trees, from which the proof of one head is made without reading all of them.

A new table: the release before this one does not look at it. What that records meanwhile has no nodes, and takes all heads.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the table. No trigger keeps it as it is: nothing rests on it, and what is old is deleted."""
    op.create_table(
        "heads_nodes",
        sa.Column(
            "size", sa.BigInteger(), autoincrement=False, nullable=False, comment="the heads are those of so many events"
        ),
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False, comment="6 and above: 2**level heads"),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False, comment="from 0, of the subtrees of the level"),
        sa.Column("last", sa.Uuid(), nullable=False, comment="the stream of the last of the heads"),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size", "level", "number"),
    )
