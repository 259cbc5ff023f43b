"""An index for the question what a message led to, which ``thaw why`` asks.

The release before this one runs on this schema as it did on its own. While the index is built, some seconds for a million
messages, nothing is accepted or applied.
"""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the index."""
    op.execute("SET LOCAL statement_timeout = '15min'")
    op.create_index("messages_caused_by", "messages", ["causation_id"])
