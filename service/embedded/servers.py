"""The embedded pair: one owner per THAW_HOME, and a file by which others find what it runs."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import platformdirs

from service.disk import write_private
from service.embedded.errors import EmbeddedServerError
from service.embedded.folder import take_lock
from service.embedded.postgresql import PostgreSQL
from service.embedded.server import Server
from service.embedded.valkey import Valkey

GLANCE_SECONDS = 1.0
"""How long the owner's lock may be held by somebody who only looks at it (`discover`)."""


class Servers(msgspec.Struct, frozen=True, kw_only=True):
    """What runs in a THAW_HOME; None for a server that is not embedded. The URLs hold passwords."""

    owner_pid: int
    """The Thaw that started them and with which they stop."""
    database_url: str | None = None
    """Of the owner, who migrates."""
    service_url: str | None = None
    """Of the login that the service runs as."""
    database_pid: int | None = None
    redis_url: str | None = None
    redis_pid: int | None = None
    keeper_pids: list[int] = []


class EmbeddedServers:
    """A PostgreSQL and a Valkey of our own with their data below *home*; a context manager.

    Both stop when the block ends and when this process ends in any way, ``kill -9`` included. The data stay.
    """

    def __init__(self, home: Path, *, database: bool = True, redis: bool = True) -> None:
        """Say what to start; nothing is made yet."""
        self.home = home.absolute()
        self._database = PostgreSQL(self.home) if database else None
        self._redis = Valkey(self.home) if redis else None
        self._lock: int | None = None
        self._owner_pid = os.getpid()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop."""
        self.stop()

    @property
    def database_url(self) -> str:
        """``postgresql://thaw:…@127.0.0.1:…/thaw``: a superuser, in a database of UTF-8 in C order."""
        return self._running_database.url

    @property
    def service_url(self) -> str:
        """The same database for the login that the service runs as; `thaw migrate` makes it."""
        return self._running_database.service_url

    @property
    def redis_url(self) -> str:
        """``redis://default:…@127.0.0.1:…/0``."""
        return self._running_redis.url

    @property
    def database_pid(self) -> int:
        """The process number of the PostgreSQL that runs now; another one after each restart."""
        return self._running_database.kept.pid

    @property
    def redis_pid(self) -> int:
        """The process number of the Valkey that runs now; another one after each restart."""
        return self._running_redis.kept.pid

    def start(self) -> None:
        """Start what was asked for; return when both accept connections.

        Raises
        ------
        EmbeddedServerError
            Another Thaw runs on this home, the home cannot be written, a package is missing, or a server did not start.
        """
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._take_home()
            for server in self._servers:
                server.start()
            self._publish()
        except OSError as error:
            self.stop()
            raise self._cannot_keep(error) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both and wait until they are gone.

        May be called twice. Does nothing in a fork of the process that started them.
        """
        if self._lock is None or os.getpid() != self._owner_pid:
            return
        (self.home / "servers.json").unlink(missing_ok=True)
        for server in self._servers:
            server.release()
        for server in self._servers:
            server.stop()
        os.close(self._lock)
        self._lock = None

    def restart_database(self) -> None:
        """Stop PostgreSQL cleanly, unless it is dead already, and start it again on the same port."""
        self._running_database.restart()
        self._publish()

    def restart_redis(self) -> None:
        """Stop Valkey cleanly, unless it is dead already, and start it again on the same port."""
        self._running_redis.restart()
        self._publish()

    def dead(self) -> list[tuple[str, int]]:
        """Return title and exit code of each server that has died, or could not be started again."""
        return [(server.title, code) for server in self._servers if (code := server.exit_code) is not None]

    def revive(self, title: str) -> bool:
        """Start the server called *title* again on its data; return whether it has the same URL as before.

        Raises
        ------
        EmbeddedServerError
            It did not start.
        """
        (server,) = (server for server in self._servers if server.title == title)
        before = server.url
        try:
            server.restart()
            if not self.dead():
                self._publish()
        except OSError as error:
            # One that nobody can find is of no use: it stays dead until there is room again.
            server.stop()
            raise self._cannot_keep(error) from error
        return server.url == before

    @property
    def _servers(self) -> list[Server]:
        return [server for server in (self._database, self._redis) if server is not None]

    @property
    def _running_database(self) -> PostgreSQL:
        if self._database is None:
            raise EmbeddedServerError("This Thaw has no embedded PostgreSQL: the database was named from outside.")
        return self._database

    @property
    def _running_redis(self) -> Valkey:
        if self._redis is None:
            raise EmbeddedServerError("This Thaw has no embedded Valkey: the Redis server was named from outside.")
        return self._redis

    def _take_home(self) -> None:
        self._lock = take_lock(self.home / "lock", GLANCE_SECONDS)
        if self._lock is None:
            raise EmbeddedServerError(
                f"Another Thaw already runs embedded servers in {self.home}. Use those, stop that Thaw, or name "
                f"another folder in THAW_HOME."
            )
        (self.home / "servers.json").unlink(missing_ok=True)

    def _cannot_keep(self, error: OSError) -> EmbeddedServerError:
        return EmbeddedServerError(
            f"Thaw cannot keep its embedded servers in {self.home}: {error.strerror or error}"
            f"{f' ({error.filename})' if error.filename else ''}. "
            f"Name another folder in THAW_HOME, or servers of yours in THAW_DATABASE_URL and THAW_REDIS_URL."
        )

    def _publish(self) -> None:
        servers = Servers(
            owner_pid=self._owner_pid,
            database_url=self._database.url if self._database else None,
            service_url=self._database.service_url if self._database else None,
            database_pid=self._database.kept.pid if self._database else None,
            redis_url=self._redis.url if self._redis else None,
            redis_pid=self._redis.kept.pid if self._redis else None,
            keeper_pids=[server.kept.keeper_pid for server in self._servers],
        )
        write_private(self.home / "servers.json", msgspec.json.format(msgspec.json.encode(servers)).decode())


def default_home() -> Path:
    """Return THAW_HOME where nobody named one: the platform's folder for data of this user."""
    return platformdirs.user_data_path("thaw")


def discover(home: Path) -> Servers | None:
    """Return what another process runs in *home*, or None if nothing runs there.

    Raises
    ------
    EmbeddedServerError
        The folder belongs to somebody else.
    """
    try:
        if not _is_owned(home / "lock"):
            return None
        servers = msgspec.json.decode((home / "servers.json").read_bytes(), type=Servers)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise EmbeddedServerError(f"The servers in {home} belong to another user: {error.filename} is closed to you.") from None
    pids = [pid for pid in (servers.database_pid, servers.redis_pid) if pid is not None]
    return servers if all(_is_alive(pid) for pid in pids) else None


def _is_owned(lock_file: Path) -> bool:
    with lock_file.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # It is there, and not ours: the servers of root run as nobody.
    return True
