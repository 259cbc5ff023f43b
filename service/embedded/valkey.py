"""The embedded Valkey, which speaks the Redis protocol, on loopback TCP behind a password."""

import os
import signal
import socket

from service.embedded.programs import VALKEY, find_program
from service.embedded.server import Server
from service.keeper import Order

SETTINGS = {
    "bind": "127.0.0.1",
    "protected-mode": "yes",
    "daemonize": "no",
    "dir": ".",
    "loglevel": "notice",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": '""',
    # A queue must never lose entries to make room.
    "maxmemory-policy": "noeviction",
}


class Valkey(Server):
    """A Redis-protocol server with one password and no users."""

    title = "Valkey"
    folder_name = "valkey"

    @property
    def url(self) -> str:
        """``redis://default:…@127.0.0.1:…/0``: redis-cli 6 and later take an empty name for a user's."""
        return f"redis://default:{self.folder.password()}@127.0.0.1:{self.port}/0"

    def _set_up(self, lock: int) -> None:  # noqa: ARG002 (no process is started here)
        if self.folder.data.exists():
            self._check_owner()
            return
        draft = self.folder.path / "data.draft"
        draft.mkdir(mode=0o700, exist_ok=True)
        if self.account is not None:
            self.account.give(draft)
        draft.rename(self.folder.data)

    def _stdin(self) -> int:
        """Give the configuration by a pipe, so that the password is on no command line and in no second file."""
        settings = {**SETTINGS, "port": str(self.port), "requirepass": self.folder.password()}
        reader, writer = os.pipe()
        # Far below the capacity of a pipe, so this cannot block.
        os.write(writer, "".join(f"{name} {value}\n" for name, value in settings.items()).encode())
        os.close(writer)
        return reader

    def _order(self, lock: int) -> Order:
        program = find_program(VALKEY, "valkey-server", self.account)
        return self._data_order([str(program), "-"], lock, stop_signal=signal.SIGTERM, grace_seconds=20.0)

    def _is_ready(self, pid: int) -> bool:  # noqa: ARG002 (the port and the password say that it is ours)
        """Say PING: the server answers -LOADING until its log is read."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2.0) as connection:
                connection.sendall(f"AUTH {self.folder.password()}\r\nPING\r\nQUIT\r\n".encode())
                with connection.makefile("rb") as answers:
                    return b"+PONG" in answers.read()
        except OSError:
            return False
