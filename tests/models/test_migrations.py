"""The schema: reached from nothing, equal to `models.tables`, and refused when it is another one."""

import pytest
from sqlalchemy import text

from migrations.runner import SchemaError, check_schema, differences, migrate, newest_revision
from models.database import make_engine, transaction
from tests.servers import ServersUnderTest, fresh_database


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


def test_an_empty_database_is_refused_with_the_command_to_run(servers: ServersUnderTest) -> None:
    """A database without a schema says what to do."""
    with fresh_database(servers.database_url) as url:
        engine = make_engine(url)
        with pytest.raises(SchemaError, match="thaw migrate"), transaction(engine) as connection:
            check_schema(connection)
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
