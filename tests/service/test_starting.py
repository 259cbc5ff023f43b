"""A command beside a `thaw up` that is not there yet: its PostgreSQL runs, and nobody made the service's login in it."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from service import wiring
from service.cli import main
from service.embedded.servers import Servers
from tests.servers import ServersUnderTest


def test_a_command_that_comes_too_early_hears_that(
    servers: ServersUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a server of our own; of another one it is told that the password is wrong, which only who keeps it can mend."""
    parts = urlsplit(servers.database_url)
    url = parts._replace(netloc=f"nobody_yet:unknown@{parts.hostname}:{parts.port}").geturl()
    there = Servers(owner_pid=os.getpid(), service_url=url, redis_url=servers.redis_url)
    monkeypatch.setattr(wiring, "discover", lambda _home: there)
    own = CliRunner().invoke(main, ["rep", "list"], env={"THAW_HOME": str(tmp_path), "THAW_DATABASE_URL": ""})
    assert own.exit_code != 0
    assert f"Thaw is still starting in {tmp_path}" in own.output
    assert "Try again in a moment" in own.output
    assert "password authentication" not in own.output
    other = CliRunner().invoke(main, ["rep", "list"], env={"THAW_HOME": str(tmp_path), "THAW_DATABASE_URL": url})
    assert "still starting" not in other.output
    assert "password authentication failed" in other.output
