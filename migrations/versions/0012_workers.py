"""Who settled a message: the machine and the process of the worker.

The release before this one runs on this schema as it did: what it settles has no worker, like all that was settled before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the column; no row is rewritten."""
    op.add_column("messages", sa.Column("worker", sa.Text(), comment="host:pid of who settled it or failed at it last"))
