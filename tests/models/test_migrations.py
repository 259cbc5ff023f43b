"""The schema: reached from nothing, equal to `models.tables`, and refused when it is another one."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from msgspec import UNSET
from msgspec.structs import replace
from sqlalchemy import Connection, event, text

from migrations import runner
from migrations.runner import SchemaError, check_schema, differences, migrate, newest_revision
from models import erasure, frozen
from models.database import make_engine, transaction
from models.leads import lead_row
from tests.servers import ServersUnderTest, ask, fresh_database
from tests.workflows.life import life_in


def test_a_second_run_changes_nothing_and_the_schema_is_that_of_the_tables(servers: ServersUnderTest) -> None:
    """Migrating twice equals migrating once, and leaves what `models.tables` says."""
    with fresh_database(servers.database_url) as url:
        engine = make_engine(url)
        assert (None, newest_revision()) == migrate(engine)
        assert (newest_revision(), newest_revision()) == migrate(engine)
        with transaction(engine) as connection:
            check_schema(connection)
            assert [] == differences(connection)
        engine.dispose()


def test_the_names_of_the_files_say_what_alembic_says() -> None:
    """The revisions are known without it, in the order in which it runs them."""
    config = Config()
    config.set_main_option("script_location", str(Path(runner.__file__).parent))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert runner.revisions() == [script.revision for script in reversed(list(scripts.walk_revisions()))]
    assert newest_revision() == scripts.get_current_head()


def test_an_empty_database_is_refused_with_the_command_to_run(servers: ServersUnderTest) -> None:
    """A database without a schema says what to do."""
    with fresh_database(servers.database_url) as url:
        engine = make_engine(url)
        with pytest.raises(SchemaError, match="thaw migrate"), transaction(engine) as connection:
            check_schema(connection)
        engine.dispose()


@pytest.mark.parametrize(
    ("question", "index"),
    [
        (f"SELECT id FROM messages WHERE causation_id = '{UUID(int=1)}'", "messages_caused_by"),
        (frozen.CALENDARS, "events_calendars"),
    ],
)
def test_what_an_auditor_asks_of_one_lead_is_found_by_an_index(database_url: str, question: str, index: str) -> None:
    """`thaw why` does not read every message that there ever was, nor `thaw rederive LEAD` every event for the calendars."""
    engine = make_engine(database_url)
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(connection.execute(text(f"EXPLAIN {question}")).scalars())
    engine.dispose()
    assert index in plan


def test_errors_of_duplicates_on_their_way_are_found_by_indexes(database_url: str) -> None:
    """An erasure, for which everybody waits, looks at all messages once and not twice."""
    engine = make_engine(database_url)
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        question = text(f"EXPLAIN {erasure._forget_errors.text}")
        plan = "\n".join(connection.execute(question, {"lead_id": UUID(int=1), "taking_in": erasure._TAKING_IN}).scalars())
    engine.dispose()
    assert "messages_stream" in plan
    assert "messages_dead" in plan


@pytest.mark.parametrize("index", ["messages_caused_by", "messages_call_by"])
def test_an_index_over_all_messages_may_take_longer_than_a_minute(servers: ServersUnderTest, index: str) -> None:
    """So long a log is migrated, too: what is limited is how long a migration waits for a table."""
    with fresh_database(servers.database_url) as url:
        engine = make_engine(url)
        limits: list[str] = []

        @event.listens_for(engine, "after_cursor_execute")
        def look(_connection: Connection, cursor: Any, statement: str, *_: object) -> None:
            if statement.startswith(f"CREATE INDEX {index} "):
                limits.append(cursor.connection.execute("SHOW statement_timeout").fetchone()[0])

        migrate(engine)
        engine.dispose()
        assert ["15min"] == limits


def test_who_makes_the_call_is_filled_in_for_the_leads_that_are_there(servers: ServersUnderTest) -> None:
    """0014: of a lead that a colleague calls, and of no other; plans of every rep find them by an index."""
    covered, own = (
        replace(life_in("note_sent").lead, id=UUID(int=number), call_by=by) for number, by in ((1, "eve"), (2, UNSET))
    )
    with fresh_database(servers.database_url) as url:
        engine = make_engine(url)
        with engine.connect() as connection:
            config = Config()
            config.set_main_option("script_location", str(Path(runner.__file__).parent))
            config.set_main_option("path_separator", "os")
            config.attributes["connection"] = connection
            command.upgrade(config, "0013")
            for lead in (covered, own):
                row = {name: value for name, value in lead_row(lead, bytes(32)).items() if name != "call_by"}
                names = ", ".join(row)
                connection.execute(text(f"INSERT INTO leads ({names}) VALUES (:{names.replace(', ', ', :')})"), row)
            connection.commit()
        assert ("0013", newest_revision()) == migrate(engine)
        with transaction(engine) as connection:
            found = connection.execute(text("SELECT id, call_by FROM leads ORDER BY id")).all()
            assert [(covered.id, "eve"), (own.id, None)] == [tuple(row) for row in found]
            assert [] == differences(connection)
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            asked = "EXPLAIN SELECT body FROM leads WHERE call_by = 'eve' AND state IN ('note_sent', 'call_due')"
            assert "leads_call_by" in "\n".join(connection.execute(text(asked)).scalars())
        engine.dispose()


def test_the_schema_of_a_later_release_is_refused_and_left_alone(database_url: str) -> None:
    """A schema that this release does not know is neither used nor migrated."""
    engine = make_engine(database_url)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="later release"), transaction(engine) as connection:
        check_schema(connection)
    with pytest.raises(SchemaError, match="later release"):
        migrate(engine)
    engine.dispose()


def test_a_database_in_another_encoding_is_refused_before_anything_is_made(database_url: str) -> None:
    """It could not hold everybody's name."""
    latin = f"{database_url}_latin"
    ask(database_url, f"CREATE DATABASE {latin.rpartition('/')[2]} ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
    engine = make_engine(latin)
    try:
        with pytest.raises(SchemaError, match="in LATIN1, and Thaw needs UTF8: create another"):
            migrate(engine)
        with transaction(engine) as connection:
            assert [] == connection.execute(text("SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace")).all()
    finally:
        engine.dispose()
        ask(database_url, f"DROP DATABASE {latin.rpartition('/')[2]}")


def test_a_server_that_is_too_old_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its version, and the one that is needed."""
    monkeypatch.setattr(runner, "OLDEST_SERVER", 1_990_000)
    engine = make_engine(database_url)
    with pytest.raises(SchemaError, match=r"^this is PostgreSQL \d.*, and Thaw needs 199 or later$"):
        migrate(engine)
    engine.dispose()
