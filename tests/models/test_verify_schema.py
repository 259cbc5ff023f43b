"""The schema, changed by somebody with all rights on the database: tables, keys, triggers, rules, and what a login sees."""

import psycopg
import pytest
from sqlalchemy import text

from migrations.access import AUDITOR
from models.database import DatabaseError, make_engine, transaction
from models.verify_schema import verify_schema
from tests.logins import Logins
from tests.servers import ask

#: By what somebody does: whether there is no reading the tables then, and words of what is said.
CHANGES = {
    "ALTER TABLE messages RENAME TO m; CREATE VIEW messages AS SELECT * FROM m": (True, "messages is no table that lasts"),
    "CREATE TEMPORARY TABLE events AS TABLE events": (True, "events is no table that lasts"),
    "ALTER TABLE messages SET UNLOGGED": (True, "messages is no table that lasts"),
    "CREATE SCHEMA other; ALTER TABLE slots SET SCHEMA other; SET LOCAL search_path = public, other":
        (True, "the table slots is one in the schema other, and the log is in public"),
    "ALTER TABLE events ENABLE ROW LEVEL SECURITY": (True, "the table events can hide rows from some logins"),
    "CREATE TABLE child () INHERITS (checkpoints)": (True, "the table checkpoints has rows that another one holds"),
    "DROP TABLE heads_nodes": (True, "the table heads_nodes is not there"),
    "ALTER TABLE events ALTER body DROP NOT NULL": (True, "the column body of events is text, and should be text not null"),
    "ALTER TABLE events ALTER version TYPE numeric": (True, "the column version of events is numeric not null"),
    "ALTER TABLE leads DROP COLUMN call_by CASCADE; "
    "ALTER TABLE leads ADD COLUMN call_by text GENERATED ALWAYS AS (owner) STORED":
        (True, "the column call_by of leads is text generated, and should be text"),
    "ALTER TABLE events DROP CONSTRAINT events_stream_version; "
    "CREATE UNIQUE INDEX events_stream_version ON events (stream_id, version) WHERE version > 1":
        (True, "nothing keeps rows of events with the same stream_id, version apart"),
    "ALTER TABLE checkpoints DROP CONSTRAINT checkpoints_pkey":
        (True, "nothing keeps rows of checkpoints with the same size apart"),
    "ALTER TABLE log_head DROP CONSTRAINT log_head_one_row": (True, "the constraint log_head_one_row of log_head is gone"),
    "CREATE SCHEMA evil; SET LOCAL search_path = evil, pg_catalog, public": (True, "and so in evil before PostgreSQL's own"),
    "ALTER TABLE events DISABLE TRIGGER events_append_only": (False, "the trigger events_append_only, which keeps events as"),
    "ALTER TABLE events ENABLE REPLICA TRIGGER events_append_only": (False, "is switched off"),
    "DROP TRIGGER contacts_of_the_living ON contacts": (False, "which keeps contacts as it is, is gone"),
    "DROP TRIGGER playbooks_append_only ON playbooks; CREATE TRIGGER playbooks_append_only BEFORE UPDATE ON playbooks "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()": (False, "playbooks_append_only of playbooks is another one"),
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$":
        (False, "the function refuse_change, which triggers call, is another one"),
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; "
    "CREATE TRIGGER mine BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION f()":
        (False, "the table events has a trigger that no migration made, mine"),
    "CREATE RULE mine AS ON INSERT TO messages DO INSTEAD NOTHING":
        (False, "the table messages has a rule that no migration made, mine"),
    "CREATE OR REPLACE VIEW operator_reasons AS SELECT id, 'fine'::text AS body, salt, commitment FROM documents":
        (False, "the view operator_reasons shows something else"),
}  # fmt: skip


def test_each_change_of_the_schema_is_found_and_named(database_url: str) -> None:
    """Nothing is wrong with what the migrations made, nor with columns and indexes beside that; each change has a sentence."""
    engine = make_engine(database_url)
    with engine.connect() as connection:
        assert verify_schema(connection) == ([], [])
        connection.rollback()
        connection.execute(text("ALTER TABLE leads ADD COLUMN mine text DEFAULT ''; CREATE INDEX mine ON leads (mine)"))
        assert verify_schema(connection) == ([], [])
        connection.rollback()
        for change, (unreadable, words) in CHANGES.items():
            connection.exec_driver_sql(change)
            found = verify_schema(connection)
            connection.rollback()
            assert {f.code for f in (*found.shape, *found.guards)} == {"schema_differs"}, change
            assert any(words in f.sentence for f in (found.shape if unreadable else found.guards)), (change, found)
    engine.dispose()


def test_a_login_from_which_rows_are_hidden_gets_an_error(database_url: str, logins: Logins) -> None:
    """Not what is left, as if that were all."""
    ask(database_url, "ALTER TABLE checkpoints ENABLE ROW LEVEL SECURITY")
    ask(database_url, f"CREATE POLICY none_of_it ON checkpoints TO {AUDITOR} USING (false)")
    auditor = logins.url(database_url, AUDITOR)
    with psycopg.connect(auditor) as connection:
        assert connection.execute("SELECT count(*) FROM checkpoints").fetchone() == (0,)
    engine = make_engine(auditor)
    with transaction(engine) as session:
        assert any("checkpoints can hide rows" in f.sentence for f in verify_schema(session).shape)
    with pytest.raises(DatabaseError, match="row-level security"), transaction(engine) as session:
        session.execute(text("SELECT count(*) FROM checkpoints"))
    engine.dispose()
