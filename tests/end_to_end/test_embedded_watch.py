"""What `thaw up` does about a server that is hard to bring back."""

import errno
import os
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from structlog.testing import capture_logs

from service.embedded import EmbeddedServerError, EmbeddedServers, discover
from service.embedded.watch import Watch
from tests.stage import until


def kill(servers: EmbeddedServers) -> None:
    """Kill -9 Valkey, and return once that is known."""
    os.kill(servers.redis_pid, signal.SIGKILL)
    until(servers.dead, "the death is noticed")


def test_a_server_whose_port_was_taken_moves_and_says_so(tmp_path: Path) -> None:
    """Whoever was told the old URL must be told the new one."""
    moves: list[str] = []
    with EmbeddedServers(tmp_path / "home", database=False) as servers, capture_logs():
        before = servers.redis_url
        kill(servers)
        with socket.create_server(("127.0.0.1", urlsplit(before).port or 0)):
            Watch(servers, lambda: moves.append(servers.redis_url)).look()
        assert moves == [servers.redis_url]
        assert servers.redis_url != before
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.ping()


def test_a_server_that_cannot_be_started_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed start leaves it dead, not forgotten."""
    with EmbeddedServers(tmp_path / "home", database=False) as servers, capture_logs():
        watch = Watch(servers, lambda: None)
        kill(servers)
        with monkeypatch.context() as broken:
            broken.setattr("service.embedded.valkey.SETTINGS", {"maxmemory-policy": "wrong"})
            with pytest.raises(EmbeddedServerError, match="did not start"):
                watch.look()
        watch.look()
        assert servers.dead() == []
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.ping()


@pytest.mark.parametrize("file", ["service.embedded.folder.write_private", "service.embedded.servers.write_private"])
def test_a_disk_that_was_full_costs_no_more_than_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    """Wherever a restart runs out of room, it is said, and once there is room the server runs again and is found."""

    def full(path: Path, _: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with EmbeddedServers(tmp_path / "home", database=False) as servers, capture_logs():
        watch = Watch(servers, lambda: None)
        kill(servers)
        with monkeypatch.context() as broken:
            broken.setattr(file, full)
            with pytest.raises(EmbeddedServerError, match=r"cannot keep its embedded servers in .*: No space left on device"):
                watch.look()
        watch.look()
        found = discover(servers.home)
        assert found is not None
        with redis.Redis.from_url(found.redis_url or "") as client:
            assert client.ping()
