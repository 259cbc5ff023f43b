"""Who may do what in the database, tried with real logins on every table, and held against what the documents say."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from migrations import access
from migrations.access import AUDITOR, OPENED, PRIVILEGES, ROLES, SERVICE
from migrations.runner import SchemaError, migrate, newest_revision
from models.database import DeniedError, make_engine, transaction
from models.tables import metadata
from tests.logins import Logins, service_url
from tests.servers import ServersUnderTest, ask, fresh_database

GUIDE = Path(__file__).parents[2] / "docs" / "auditors.md"

#: What may be tried on a table or view: each statement leaves everything as it is. The owner alone may do the last three.
TRIED = {
    "SELECT": "SELECT 1 FROM {0} LIMIT 1",
    "INSERT": "INSERT INTO {0} DEFAULT VALUES",
    "UPDATE": "UPDATE {0} SET {1} = DEFAULT WHERE false",
    "DELETE": "DELETE FROM {0} WHERE false",
    "TRUNCATE": "TRUNCATE {0}",
    "disable its triggers": "ALTER TABLE {0} DISABLE TRIGGER ALL",
    "drop it": "DROP TABLE {0}",
}

#: A view can be neither truncated nor have its triggers disabled, and is dropped as one.
TRIED_ON_VIEWS = {**dict(list(TRIED.items())[:4]), "drop it": "DROP VIEW {0}"}

#: Whatever these are asked for, they have no privilege for it.
NOBODYS = (
    "SET session_replication_role = replica",
    "CREATE TABLE mine (id int)",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "DROP FUNCTION refuse_change() CASCADE",
    "CREATE TRIGGER mine BEFORE INSERT ON events EXECUTE FUNCTION refuse_change()",
    "SET ROLE thaw",
)


@pytest.fixture(scope="module")
def database(servers: ServersUnderTest, database_template: str) -> Iterator[str]:
    """Yield the URL of one migrated database for all these tests: nothing that they try is kept."""
    with fresh_database(servers.database_url, database_template) as url:
        yield url


def is_view(table: str) -> bool:
    return table not in metadata.tables and table != "alembic_version"


def allowed(connection: psycopg.Connection, table: str, tried: str) -> bool:
    """Tell whether the statement *tried* fails for want of a privilege; whatever else comes of it does not count."""
    column = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [table]
    ).fetchone()
    assert column
    statement = sql.SQL(tried).format(sql.Identifier(table), sql.Identifier(column[0]))
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        # A trigger says so too; that it comes to be asked means that the privilege is there.
        return "is append-only" in str(error)
    except psycopg.Error:
        return True
    return True


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", PRIVILEGES)
def test_each_role_may_do_with_each_table_what_is_written_down_and_no_more(
    database: str, logins: Logins, role: str, table: str
) -> None:
    """The matrix in `migrations.access` is what PostgreSQL does."""
    with psycopg.connect(logins.url(database, role), autocommit=True) as connection:
        statements = TRIED_ON_VIEWS if is_view(table) else TRIED
        may = {name for name, statement in statements.items() if allowed(connection, table, statement)}
    assert may == PRIVILEGES[table].of(role)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("statement", NOBODYS)
def test_nobody_but_the_owner_gets_around_the_triggers(database: str, logins: Logins, role: str, statement: str) -> None:
    """No role may switch triggers off for its session, replace what they call, or make anything of its own in the schema."""
    with (
        psycopg.connect(logins.url(database, role), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        connection.transaction(force_rollback=True),
    ):
        connection.execute(statement.encode())


def test_every_table_is_written_down(database: str) -> None:
    """A table that a migration adds has its line among the privileges, and so has a view."""
    with psycopg.connect(database) as connection:
        views = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = current_schema()").fetchall()
    assert sorted([*metadata.tables, "alembic_version", *(row[0] for row in views)]) == list(PRIVILEGES)


def test_the_auditors_guide_shows_the_same_privileges() -> None:
    """The table in the document is the one that is installed."""
    rows = re.findall(r"^\| `(\w+)`(?: \(a view\))? \|([^|]*)\|([^|]*)\|([^|]*)\|$", GUIDE.read_text(), re.MULTILINE)
    written = {table: tuple(cell.strip().upper() for cell in cells) for table, *cells in rows}
    assert written == {table: tuple(allowed) for table, allowed in PRIVILEGES.items()}


def test_a_second_run_puts_right_what_was_changed_and_nothing_else(servers: ServersUnderTest) -> None:
    """Privileges that were taken or added by hand are as written down after the next migration."""
    with fresh_database(servers.database_url) as url:
        engine = make_engine(url)
        migrate(engine)
        ask(url, f"REVOKE SELECT ON events FROM {AUDITOR}; GRANT UPDATE, TRUNCATE ON events TO {SERVICE}")
        with transaction(engine) as connection:
            assert access.lacking(connection).statements == [
                f"REVOKE UPDATE, TRUNCATE ON events FROM {SERVICE}",
                f"GRANT SELECT ON events TO {AUDITOR}",
            ]
        migrate(engine)
        with transaction(engine) as connection:
            assert access.lacking(connection).statements == []
        engine.dispose()


@pytest.fixture
def plain_owner(servers: ServersUnderTest) -> Iterator[str]:
    """Yield the URL of an empty database that belongs to a login without any further rights, as with many who host it."""
    name = "test_plain_owner"
    with psycopg.connect(servers.database_url, autocommit=True) as connection, fresh_database(servers.database_url) as url:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
        database = url.rpartition("/")[2]
        connection.execute(f"ALTER DATABASE {database} OWNER TO {name}")
        ask(url, f"ALTER SCHEMA public OWNER TO {name}")
        host = url.rpartition("@")[2]
        yield f"postgresql://{name}:x@{host}"
        ask(url, f"REASSIGN OWNED BY {name} TO CURRENT_USER; DROP OWNED BY {name}")
        connection.execute(f"DROP ROLE {name}")


def test_an_owner_who_may_not_make_roles_migrates_all_the_same_and_is_told_what_to_run(
    plain_owner: str, servers: ServersUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The schema is there and works; the roles come with the statements that are printed, run by an administrator."""
    names = {role: f"test_{role}" for role in ROLES}
    monkeypatch.setattr(access, "ROLES", dict.fromkeys(names.values(), ""))
    monkeypatch.setattr(access, "SERVICE", names[SERVICE])
    monkeypatch.setattr(access, "AUDITOR", names[AUDITOR])
    monkeypatch.setattr(access, "OPENED", names[OPENED])
    engine = make_engine(plain_owner)
    assert migrate(engine) == (None, newest_revision())
    with transaction(engine) as connection:
        lacking = access.lacking(connection)
        assert access.login(connection).owner
    assert lacking.statements[:3] == [f"CREATE ROLE {name} NOLOGIN" for name in names.values()]
    assert f"GRANT SELECT ON events TO {names[AUDITOR]}" in lacking.statements
    administrator = plain_owner.replace("test_plain_owner:x@", f"{servers.database_url.split('//')[1].split('@')[0]}@")
    try:
        for statement in lacking.statements[:3]:
            ask(administrator, statement)
        migrate(engine)
        with transaction(engine) as connection:
            assert access.lacking(connection).statements == []
    finally:
        for name in names.values():
            ask(administrator, f"DROP OWNED BY {name}; DROP ROLE {name}")
        engine.dispose()


def test_only_the_owner_migrates(servers: ServersUnderTest) -> None:
    """Another login finds nothing to do at this release's schema, and at another one is told whose work it is."""
    with fresh_database(servers.database_url) as url:
        owner, service = make_engine(url), make_engine(service_url(url))
        migrate(owner)
        ask(url, f"REVOKE SELECT ON bells FROM {SERVICE}")
        assert migrate(service) == (newest_revision(), newest_revision())
        with transaction(owner) as connection:
            assert access.lacking(connection).statements == [f"GRANT SELECT ON bells TO {SERVICE}"]
        ask(url, "UPDATE alembic_version SET version_num = '0002'")
        with pytest.raises(SchemaError, match=r"the tables belong to \w+: run `thaw migrate` as that login"):
            migrate(service)
        service.dispose()
        owner.dispose()


def test_a_role_with_the_owners_rights_is_named(servers: ServersUnderTest) -> None:
    """Privileges mean nothing for a role that can do all that the owner can."""
    with fresh_database(servers.database_url) as url:
        owner = url.rpartition("/")[2]
        engine = make_engine(url)
        migrate(engine)
        ask(url, f"CREATE ROLE {owner}")
        try:
            ask(url, f"ALTER TABLE events OWNER TO {owner}; GRANT {owner} TO {AUDITOR}")
            with transaction(engine) as connection:
                (trouble,) = access.lacking(connection).troubles
        finally:
            ask(url, f"ALTER TABLE events OWNER TO CURRENT_USER; DROP ROLE {owner}")
            engine.dispose()
    assert trouble.startswith(f"the role {AUDITOR} has all rights of {owner}, who owns the tables")


def test_a_login_without_a_role_is_told_where_to_look(database: str, logins: Logins) -> None:
    """What PostgreSQL denies is a sentence that names the command that helps."""
    engine = make_engine(logins.url(database, AUDITOR))
    with pytest.raises(DeniedError, match=r"permission denied for table contacts.*`thaw roles`"), transaction(engine) as open_:
        open_.exec_driver_sql("SELECT * FROM contacts")
    engine.dispose()


def test_a_schema_in_which_everybody_may_make_tables_is_named(database_url: str) -> None:
    """So it is in each PostgreSQL before 15; whoever may make a function may put it before one of ours."""
    ask(database_url, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    engine = make_engine(database_url)
    with transaction(engine) as connection:
        (trouble,) = access.lacking(connection).troubles
    engine.dispose()
    assert trouble.endswith("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
