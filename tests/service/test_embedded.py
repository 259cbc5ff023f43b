"""The embedded pair is real, private and durable, and has one owner."""

import contextlib
import os
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from service.embedded import EmbeddedServerError, EmbeddedServers, discover
from tests.servers import ask


@pytest.fixture(scope="module")
def pair() -> Iterator[EmbeddedServers]:
    """Yield a running pair for tests that leave it as it is."""
    with (
        tempfile.TemporaryDirectory(prefix="thaw-embedded-") as folder,
        EmbeddedServers(Path(folder) / "home") as servers,
    ):
        yield servers


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("max_connections", "200"),
        ("server_encoding", "UTF8"),
        ("timezone", "UTC"),
        ("data_checksums", "on"),
        ("password_encryption", "scram-sha-256"),
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
    ],
)
def test_postgresql_is_set_up_for_keeping(pair: EmbeddedServers, setting: str, value: str) -> None:
    assert ask(pair.database_url, f"SHOW {setting}") == value


def test_the_log_of_postgresql_quotes_no_rows(pair: EmbeddedServers) -> None:
    """An error stands there without the values that were at fault: they may be people's."""
    ask(pair.database_url, "CREATE TABLE people (name text PRIMARY KEY)")
    with psycopg.connect(pair.database_url, autocommit=True) as connection:
        for _ in range(2):
            with contextlib.suppress(psycopg.errors.UniqueViolation):
                connection.execute("INSERT INTO people VALUES (%s)", ["Ada Amberfield"])
        with pytest.raises(psycopg.errors.BadCopyFileFormat), connection.cursor().copy("COPY people FROM STDIN") as copy:
            copy.write_row(["Bela Brookhollow", "of Springfield"])
    log = (pair.home / "postgresql" / "log").read_text()
    assert 'duplicate key value violates unique constraint "people_pkey"' in log
    assert "extra data after last expected column" in log
    assert "Amberfield" not in log
    assert "Brookhollow" not in log


def test_text_is_sorted_by_code_point(pair: EmbeddedServers) -> None:
    assert ask(pair.database_url, "SELECT string_agg(word, '' ORDER BY word) FROM unnest('{b,a,B,é}'::text[]) word") == "Babé"


@pytest.mark.parametrize(
    ("setting", "value"),
    [("appendonly", "yes"), ("appendfsync", "everysec"), ("maxmemory-policy", "noeviction"), ("bind", "127.0.0.1")],
)
def test_valkey_is_set_up_for_keeping(pair: EmbeddedServers, setting: str, value: str) -> None:
    with redis.Redis.from_url(pair.redis_url, decode_responses=True) as client:
        assert client.config_get(setting) == {setting: value}


@pytest.mark.parametrize("login", ["", "thaw@", "thaw:wrong@", "postgres@"])
def test_postgresql_admits_nobody_without_the_password(pair: EmbeddedServers, login: str) -> None:
    with pytest.raises(psycopg.OperationalError):
        ask(f"postgresql://{login}127.0.0.1:{port_of(pair.database_url)}/thaw", "SELECT 1")


@pytest.mark.parametrize("login", ["", ":wrong@"])
def test_valkey_admits_nobody_without_the_password(pair: EmbeddedServers, login: str) -> None:
    with (
        redis.Redis.from_url(f"redis://{login}127.0.0.1:{port_of(pair.redis_url)}/0") as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.get("anything")


def test_the_address_of_valkey_names_its_user(pair: EmbeddedServers) -> None:
    """redis-cli takes an address without one for that of a user with an empty name, whom the server refuses."""
    assert urlsplit(pair.redis_url).username == "default"
    with redis.Redis.from_url(pair.redis_url) as client:
        assert client.ping()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at the processes in /proc")
def test_passwords_are_on_no_command_line(pair: EmbeddedServers) -> None:
    found = discover(pair.home)
    assert found is not None
    for pid in (pair.database_pid, pair.redis_pid, *found.keeper_pids):
        line = Path(f"/proc/{pid}/cmdline").read_text()
        assert line
        assert not [url for url in (pair.database_url, pair.redis_url) if str(urlsplit(url).password) in line]


def test_what_is_kept_is_readable_for_its_owner_only(pair: EmbeddedServers) -> None:
    for path in pair.home.rglob("*"):
        if path.is_file() and "data" not in path.relative_to(pair.home).parts:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE((pair.home / "postgresql" / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((pair.home / "valkey" / "data").stat().st_mode) == 0o700


def test_another_process_discovers_what_runs(pair: EmbeddedServers) -> None:
    found = discover(pair.home)
    assert found is not None
    assert (found.database_url, found.redis_url) == (pair.database_url, pair.redis_url)
    assert (found.database_pid, found.redis_pid) == (pair.database_pid, pair.redis_pid)
    assert found.owner_pid == os.getpid()


def test_a_second_thaw_on_the_same_home_is_refused(pair: EmbeddedServers) -> None:
    with pytest.raises(EmbeddedServerError, match="Another Thaw already runs"):
        EmbeddedServers(pair.home).start()
    assert discover(pair.home) is not None


def test_nothing_is_discovered_where_nothing_runs(thaw_home: Path) -> None:
    assert discover(thaw_home) is None


def test_data_and_ports_survive_a_stop_and_the_file_of_what_runs_does_not(thaw_home: Path) -> None:
    with EmbeddedServers(thaw_home) as servers:
        urls = servers.database_url, servers.redis_url
        ask(servers.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
        with redis.Redis.from_url(servers.redis_url) as client:
            client.set("kept", 42)
    assert discover(thaw_home) is None
    assert not (thaw_home / "servers.json").exists()
    with EmbeddedServers(thaw_home) as servers:
        assert (servers.database_url, servers.redis_url) == urls
        assert ask(servers.database_url, "SELECT answer FROM kept") == 42
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.get("kept") == b"42"


def test_one_server_alone(thaw_home: Path) -> None:
    with EmbeddedServers(thaw_home, database=False) as servers:
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.ping()
        with pytest.raises(EmbeddedServerError, match="no embedded PostgreSQL"):
            _ = servers.database_url
        found = discover(thaw_home)
        assert found is not None
        assert found.database_url is None


def test_a_taken_port_is_left_to_its_owner(thaw_home: Path) -> None:
    with EmbeddedServers(thaw_home, database=False) as servers:
        before = port_of(servers.redis_url)
    with socket.create_server(("127.0.0.1", before)), EmbeddedServers(thaw_home, database=False) as servers:
        assert port_of(servers.redis_url) != before


def test_a_restart_keeps_the_urls(thaw_home: Path) -> None:
    with EmbeddedServers(thaw_home) as servers:
        urls, pids = (servers.database_url, servers.redis_url), (servers.database_pid, servers.redis_pid)
        servers.restart_database()
        servers.restart_redis()
        assert (servers.database_url, servers.redis_url) == urls
        assert not {servers.database_pid, servers.redis_pid} & set(pids)
        assert ask(servers.database_url, "SELECT 1") == 1
        found = discover(thaw_home)
        assert found is not None
        assert found.database_pid == servers.database_pid


def test_the_way_to_the_home_may_be_long_and_in_any_script(thaw_home: Path) -> None:
    """Longer than a socket's address and than PostgreSQL's own longest path, with blanks, quotes and letters of all kinds."""
    home = thaw_home / "Zürich данные 日本 'quoted\" $HOME %s" / "/".join(["long" * 50] * 6)
    with EmbeddedServers(home) as servers:
        assert ask(servers.database_url, "SELECT 42") == 42
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.ping()
