"""Where calendars were frozen, in an index: one lead's decisions are made again without reading the whole log for them.

An index more: the release before this one does not need it. While it is built, some seconds for a million events, nothing is
accepted or applied.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the index."""
    op.execute("SET LOCAL statement_timeout = '15min'")
    op.create_index("events_calendars", "events", ["position"], postgresql_where=sa.text("type = 'calendar_frozen'"))
