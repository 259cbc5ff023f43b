"""Bring a database to the schema of this release, or say that it is at another one.

Alembic is imported where it is used: every command looks at the schema, few change it, and it takes a quarter of a second.
"""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from migrations import access
from models import operations
from models.database import translated
from workflows.operations import SchemaMigrated

#: Held while migrating, so that two machines that start at once do not migrate at once. Any constant would do.
ADVISORY_LOCK = 7_468_617_701


#: The oldest PostgreSQL that the tests are run on, as PostgreSQL numbers its versions.
OLDEST_SERVER = 140_000


class SchemaError(Exception):
    """The database is at another schema than this release, or not fit for any; the message says what to do."""


def revisions() -> list[str]:
    """Return the revisions that this release knows, oldest first: each file in ``versions`` begins with its own."""
    return sorted(path.stem.partition("_")[0] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py"))


def newest_revision() -> str:
    """Return the revision that this release needs."""
    return revisions()[-1]


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the database, None when it was never migrated."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


class Migrator(NamedTuple):
    """Who migrates, and when: for the log."""

    by: str
    now: datetime


def migrate(engine: Engine, recorded: Migrator | None = None) -> tuple[str | None, str]:
    """Run all migrations that are missing, set the privileges of the roles, and return the revisions before and after.

    Where *recorded* says who does it, the log of a database that was there before says so too; a new one begins empty.

    A login that does not own the tables changes nothing, which is right where the schema is that of this release.

    Raises
    ------
    SchemaError
        When the database is at a revision that this release does not know: it was migrated by a later one. When there is
        something to migrate, and the tables belong to another login. When the server is too old, or the database not in UTF-8.
    ModelError
        When PostgreSQL is away or refused.
    """
    try:
        with engine.connect() as connection:
            return _migrate(connection, recorded)
    except DBAPIError as error:
        raise translated(error) from error


def _migrate(connection: Connection, recorded: Migrator | None) -> tuple[str | None, str]:
    from alembic import command
    from alembic.config import Config

    _refuse_unfit(connection)
    # Another machine may be migrating now: wait for it, but never long for a table that somebody works on.
    connection.execute(text("SET lock_timeout = '55s'"))
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    connection.execute(text("SET lock_timeout = '4s'"))
    connection.commit()
    try:
        before, newest = current_revision(connection), newest_revision()
        _refuse_unknown(before)
        owner = access.table_owner(connection)
        owned = owner is None or access.login(connection).owner
        if before != newest:
            if not owned:
                raise SchemaError(f"the tables belong to {owner}: run `thaw migrate` as that login, and then go on as this one")
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent))
            config.set_main_option("path_separator", "os")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if before and recorded:
                done = SchemaMigrated(before=before, after=newest)
                operations.append(connection, done, now=recorded.now, by=recorded.by)
        if owned:
            access.install(connection)
        connection.commit()
        return before, newest
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
        connection.commit()


def _refuse_unfit(connection: Connection) -> None:
    number, version, encoding = connection.execute(
        text(
            "SELECT CAST(current_setting('server_version_num') AS integer), current_setting('server_version'), "
            "current_setting('server_encoding')"
        )
    ).one()
    if number < OLDEST_SERVER:
        raise SchemaError(f"this is PostgreSQL {version}, and Thaw needs {OLDEST_SERVER // 10_000} or later")
    if encoding != "UTF8":
        raise SchemaError(
            f"the database is in {encoding}, and Thaw needs UTF8: "
            f"create another one with `createdb --template=template0 --encoding=UTF8 --locale=C NAME`"
        )


def _refuse_unknown(revision: str | None) -> None:
    if revision is not None and revision not in revisions():
        raise SchemaError(
            f"the database is at schema {revision}, which this release of Thaw does not know: "
            f"it was migrated by a later release. Install that release, or restore a backup."
        )


def check_schema(connection: Connection) -> None:
    """Do nothing when the database is at this release's schema.

    Raises
    ------
    SchemaError
        When it is not; the message says what to run.
    """
    revision = current_revision(connection)
    _refuse_unknown(revision)
    if revision != newest_revision():
        state = f"at schema {revision}" if revision else "empty"
        raise SchemaError(f"the database is {state}, and this release needs {newest_revision()}: run `thaw migrate`")


def differences(connection: Connection) -> list[object]:
    """Return how the database differs from `models.tables`, as ``alembic check`` sees it; empty when it does not."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from models.tables import metadata

    return list(compare_metadata(MigrationContext.configure(connection), metadata))
