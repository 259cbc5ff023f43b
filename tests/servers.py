"""Servers for tests: those that THAW_DATABASE_URL and THAW_REDIS_URL name, otherwise an embedded pair that is thrown away.

One rule: a test that stops, kills, empties or fills a server does so to servers of its own, always embedded (`victims` in
tests/chaos). All other tests share `servers`, which may be somebody's: a test makes databases and keys of its own there, under
names that begin with `PREFIX`, and removes them.

For tests that want their databases migrated: override `database_template` with the name of a migrated database.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from psycopg import sql

from service.embedded import EmbeddedServers

#: What every database and every key that a test makes begins with.
PREFIX = "thaw_test_"

#: Memory that looks like a folder, and how much of it must be free before the databases of the tests go there. Each test has
#: a database of its own, which is three hundred files: to make and drop them takes four times the processor time on a disk.
MEMORY, MEMORY_BYTES = Path("/dev/shm"), 4 * 2**30  # noqa: S108  # a new folder in it, that only we may enter


@dataclass(frozen=True)
class ServersUnderTest:
    """Where the servers are. The URLs hold passwords."""

    database_url: str
    """A database on the server, for nothing but the creation of others; the user is a superuser."""
    redis_url: str


@pytest.fixture(scope="session")
def servers() -> Iterator[ServersUnderTest]:
    """Yield the servers that all tests of the session share."""
    database_url, redis_url = os.environ.get("THAW_DATABASE_URL"), os.environ.get("THAW_REDIS_URL")
    if database_url:
        # Some tests forge the log, as an administrator could.
        assert ask(database_url, "SHOW is_superuser") == "on", "the user in THAW_DATABASE_URL must be a superuser, for tests"
    if database_url and redis_url:
        yield ServersUnderTest(database_url, redis_url)
        return
    with _home() as home, EmbeddedServers(home, database=not database_url, redis=not redis_url) as embedded:
        if not database_url:
            # What a test stops or kills here is never the machine: waiting for its disk would show nothing.
            ask(embedded.database_url, "ALTER SYSTEM SET fsync = off")
            ask(embedded.database_url, "ALTER SYSTEM SET full_page_writes = off")
            # Nobody breaks in here: a password that is quick to try saves half of each of the thousands of connections.
            ask(embedded.database_url, "ALTER SYSTEM SET scram_iterations = 1")
            ask(embedded.database_url, "SELECT pg_reload_conf()")
            password = urlsplit(embedded.database_url).password
            ask(embedded.database_url, f"SET scram_iterations = 1; ALTER ROLE CURRENT_USER PASSWORD '{password}'")
        yield ServersUnderTest(database_url or embedded.database_url, redis_url or embedded.redis_url)


@contextlib.contextmanager
def _home() -> Iterator[Path]:
    """Yield a folder for servers: in `MEMORY` if that is there and has room, otherwise among the temporary files.

    What a run that was killed left in memory is removed first: its servers hold their lock no more.
    """
    for left in MEMORY.glob("thaw-tests-*"):
        with contextlib.suppress(OSError), (left / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)
    usable = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES
    with tempfile.TemporaryDirectory(prefix="thaw-tests-", dir=MEMORY if usable else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def database_template() -> str | None:
    """Name the database of which each test gets a copy; None for an empty one."""
    return None


@pytest.fixture
def database_url(servers: ServersUnderTest, database_template: str | None) -> Iterator[str]:
    """Yield the URL of a database for this test alone."""
    with fresh_database(servers.database_url, database_template) as url:
        yield url


@pytest.fixture
def redis_url(servers: ServersUnderTest) -> str:
    """Return the URL of the Redis server that all tests share: keep to your `namespace`."""
    return servers.redis_url


@pytest.fixture
def namespace(redis_url: str) -> Iterator[str]:
    """Yield a prefix for this test's keys on Redis, which are deleted afterwards."""
    name = f"{PREFIX}{uuid.uuid4().hex}"
    yield name
    with redis.Redis.from_url(redis_url) as client:
        for key in client.scan_iter(match=f"{name}*", count=1000):
            client.delete(key)


@pytest.fixture
def thaw_home() -> Iterator[Path]:
    """Yield a THAW_HOME that does not exist yet, below a folder that only its owner may enter, as /root is."""
    with tempfile.TemporaryDirectory(prefix="thaw-home-") as folder:
        yield Path(folder) / "home"


@contextlib.contextmanager
def fresh_database(server_url: str, template: str | None = None) -> Iterator[str]:
    """Create a database with a new name, a copy of *template* if named, and drop it when the block ends.

    Nobody may be connected to *template* meanwhile: a rule of PostgreSQL.
    """
    name = f"{PREFIX}{uuid.uuid4().hex}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template or "template1"))
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(create)
    url = urlsplit(server_url)._replace(path=f"/{name}").geturl()
    try:
        if template is None:
            # As each PostgreSQL since 15 has it, and as `thaw migrate` asks those who have an older one to.
            ask(url, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        yield url
    finally:
        # A new connection: the server may have been restarted by the test.
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(drop)


def ask(database_url: str, question: str) -> object:
    """Return the first value of the answer to *question*, if there is any, in a session of its own."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        cursor = connection.execute(question.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None
