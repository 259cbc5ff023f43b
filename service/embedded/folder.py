"""What one server keeps below THAW_HOME: data, log, password, port, lock."""

import fcntl
import os
import secrets
import socket
import time
from pathlib import Path

from service.disk import write_private
from service.embedded.errors import EmbeddedServerError

PORTS = range(15_000, 30_000)
"""Where ports are chosen: below every system's ephemeral range, so that a port stays free while we are down."""

LEFTOVER_SECONDS = 60.0
"""How long we wait for the processes of an earlier Thaw to end: longer than the grace that their keeper gives them."""

LOG_BYTES_MAX = 10_000_000
"""A log larger than this is emptied at the next start."""


class ServerFolder:
    """The folder of one server, ``<home>/<name>``."""

    def __init__(self, home: Path, name: str) -> None:
        """Name the paths; nothing is made yet."""
        self.path = home / name
        self.data = self.path / "data"
        self.log = self.path / "log"

    def prepare(self) -> None:
        """Make the folder. Another user can pass through it to *data*, if the server runs as one, but read nothing."""
        if not self.path.exists():
            self.path.mkdir()
            self.path.chmod(0o711)

    def take(self) -> int:
        """Return a descriptor that holds the folder's lock.

        The server's processes inherit it: the lock is free again when the very last of them is gone, which is when a
        new server can safely use the data.

        Raises
        ------
        EmbeddedServerError
            Processes of an earlier Thaw are still there after `LEFTOVER_SECONDS`.
        """
        lock = take_lock(self.path / "lock", LEFTOVER_SECONDS)
        if lock is None:
            raise EmbeddedServerError(
                f"A server that an earlier Thaw started on {self.path} has not ended after "
                f"{LEFTOVER_SECONDS:.0f} seconds. End it, then start Thaw again; its log is {self.log}."
            )
        return lock

    def password(self) -> str:
        """Return the server's password, made at the first call and kept."""
        return self.secret("password")

    def secret(self, name: str) -> str:
        """Return the secret kept in the file *name*, made at the first call."""
        return self._remembered(name, secrets.token_urlsafe(24))

    def port(self) -> int:
        """Return the same port as last time if it is free, otherwise another one, which is kept from then on."""
        port = int(self._remembered("port", "0"))
        while port not in PORTS or not is_free(port):
            port = PORTS[secrets.randbelow(len(PORTS))]
        write_private(self.path / "port", str(port))
        return port

    def open_log(self) -> int:
        """Return a descriptor that appends to the log."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.unlink()
        return os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def last_words(self, start: int) -> str:
        """Return the line of the log, after the first *start* bytes, that best says why the server ended."""
        with self.log.open("rb") as file:
            file.seek(start)
            lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
        worst = [line for line in lines if "FATAL" in line or "PANIC" in line or "Fatal" in line]
        return (worst or lines or ["it wrote nothing to its log"])[-1].strip()

    def _remembered(self, name: str, otherwise: str) -> str:
        try:
            text = (self.path / name).read_text().strip()
        except FileNotFoundError:
            text = ""
        if not text:
            write_private(self.path / name, otherwise)
        return text or otherwise


def is_free(port: int) -> bool:
    """Whether a server could listen on *port* of the loopback interface now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def take_lock(path: Path, patience_seconds: float) -> int | None:
    """Return a descriptor with an exclusive lock on *path*, or None if others held it for *patience_seconds*."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    end = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                os.close(lock)
                return None
            time.sleep(0.05)
        except BaseException:
            os.close(lock)
            raise
        else:
            return lock
