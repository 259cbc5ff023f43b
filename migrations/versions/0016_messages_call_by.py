"""Who is to call by a note that is planned and not settled, in an index: before each plan it is asked of two reps.

An index more: the release before this one does not look at it. While it is built, some seconds for a million messages, nothing
is accepted or applied.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the index."""
    op.execute("SET LOCAL statement_timeout = '15min'")
    op.create_index(
        "messages_call_by",
        "messages",
        [sa.text("(body::jsonb ->> 'call_by')")],
        postgresql_where=sa.text("settled_at IS NULL AND actor_name = 'note_scheduled'"),
    )
