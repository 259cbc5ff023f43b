"""What the fixtures promise: a database and a namespace for each test alone."""

import psycopg
import pytest
import redis

from tests.servers import ServersUnderTest, ask, fresh_database


def test_a_fresh_database_is_a_copy_of_its_template_and_gone_afterwards(servers: ServersUnderTest) -> None:
    with fresh_database(servers.database_url) as template:
        ask(template, "CREATE TABLE kept AS SELECT 42 AS answer")
        with fresh_database(servers.database_url, template.rpartition("/")[2]) as copy:
            assert ask(copy, "SELECT answer FROM kept") == 42
            ask(copy, "DROP TABLE kept")
        assert ask(template, "SELECT answer FROM kept") == 42
    for url in (copy, template):
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            ask(url, "SELECT 1")


def test_a_test_has_its_own_database(database_url: str, servers: ServersUnderTest) -> None:
    assert ask(database_url, "SELECT current_database()") != ask(servers.database_url, "SELECT current_database()")


def test_a_test_has_its_own_namespace(redis_url: str, namespace: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert list(client.scan_iter(match=f"{namespace}*")) == []
        client.set(f"{namespace}:key", "value")
