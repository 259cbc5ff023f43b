"""Access: what operators did, and who may read why. The roles and their privileges are set after each migration.

New tables and a view only: the release before this one runs on this schema as it did on its own.
"""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Nothing yet."""
