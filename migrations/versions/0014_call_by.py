"""Which colleague makes the call of a lead, in a column of its own: plans of every rep ask for it.

The release before this one runs on this schema and leaves the column as it is. What it changes until the deploy of leads that a
colleague calls, `thaw verify` finds and `thaw rebuild` mends.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column and its index, and fill it: few leads are called by anybody but their owner."""
    op.add_column("leads", sa.Column("call_by", sa.Text(), comment="the colleague who makes its call; empty: its owner does"))
    op.execute("UPDATE leads SET call_by = body::jsonb ->> 'call_by' WHERE body LIKE '%\"call_by\":%'")
    op.create_index("leads_call_by", "leads", ["call_by", "state"], postgresql_where=sa.text("call_by IS NOT NULL"))
