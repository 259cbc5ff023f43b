"""Sessions are ours, whatever server, database and user have as their defaults."""

from sqlalchemy import text

from models.database import make_engine, transaction
from models.verify import verify
from tests.desk import Desk
from tests.servers import ask

#: Each of them breaks something when it is not undone: how moments are read, and how conflicts show.
UNUSUAL = {
    "datestyle": "German",
    "intervalstyle": "iso_8601",
    "timezone": "Asia/Kathmandu",
    "client_encoding": "LATIN1",
    "bytea_output": "escape",
    "default_transaction_isolation": "serializable",
}


def test_a_database_with_unusual_defaults_is_worked_with_as_any(desk: Desk, database_url: str) -> None:
    """What is written there is read back as it was, and two sessions wait for each other instead of failing."""
    for name, value in UNUSUAL.items():
        ask(database_url, f"ALTER DATABASE {database_url.rpartition('/')[2]} SET {name} = '{value}'")
    desk.engine.dispose()
    lead_id, _ = desk.note_due(2)
    with transaction(desk.engine) as connection:
        assert [] == verify(connection).findings
        recorded_at = connection.scalar(text("SELECT max(recorded_at) FROM events WHERE stream_id = :id"), {"id": lead_id})
        assert desk.now == recorded_at
        assert "Łódź …" == connection.scalar(text("SELECT CAST(:name AS text)"), {"name": "Łódź …"})
        assert "read committed" == connection.scalar(text("SHOW transaction_isolation"))


def test_options_of_the_address_are_kept(database_url: str) -> None:
    """What somebody wrote there is set as well; where both say something, we win."""
    engine = make_engine(f"{database_url}?options=-c%20work_mem%3D7MB%20-c%20timezone%3DAsia/Kathmandu")
    with transaction(engine) as connection:
        assert ("7MB", "UTC") == (connection.scalar(text("SHOW work_mem")), connection.scalar(text("SHOW timezone")))
    engine.dispose()
