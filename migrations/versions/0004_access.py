"""Access: what operators say why, for auditors to read. The roles and their privileges are set after each migration.

New objects only: the release before this one runs on this schema as it did on its own.
"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create what shows operators' reasons, and nothing else of the documents, to who may not read those."""
    op.execute("""
        CREATE VIEW operator_reasons WITH (security_barrier = true) AS
        SELECT id, body, salt, commitment FROM documents WHERE kind = 'operator_reason'
    """)
