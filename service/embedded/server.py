"""What both servers have in common: to be started behind a keeper, awaited, and stopped."""

import abc
import os
import time
from collections.abc import Sequence
from pathlib import Path

from service.embedded.errors import EmbeddedServerError
from service.embedded.folder import ServerFolder, is_free
from service.embedded.programs import server_account
from service.keeper import KeeperError, Kept, Order

STARTUP_SECONDS_MAX = 180.0
"""Recovery after a crash replays up to a gigabyte of log."""

POLL_SECONDS = 0.02


class Server(abc.ABC):
    """One server below THAW_HOME."""

    title: str
    folder_name: str

    def __init__(self, home: Path) -> None:
        """Name the paths and the account; nothing is made yet."""
        self.folder = ServerFolder(home, self.folder_name)
        self.account = server_account()
        self.port = 0
        self._kept: Kept | None = None
        self._exit_code: int | None = None

    @property
    @abc.abstractmethod
    def url(self) -> str:
        """With the password."""

    @abc.abstractmethod
    def _set_up(self, lock: int) -> None:
        """Make the data, if there are none, and clear what a crash left; every process started must inherit *lock*."""

    @abc.abstractmethod
    def _order(self, lock: int) -> Order:
        """How to run the server on *port*."""

    @abc.abstractmethod
    def _is_ready(self, pid: int) -> bool:
        """Whether the server, which runs as *pid*, accepts connections."""

    def _stdin(self) -> int:
        """Return a new descriptor for the server to read from."""
        return os.open(os.devnull, os.O_RDONLY)

    @property
    def kept(self) -> Kept:
        """The running server behind its keeper."""
        if self._kept is None:
            raise EmbeddedServerError(f"The embedded {self.title} is not running.")
        return self._kept

    @property
    def exit_code(self) -> int | None:
        """How the server ended, as a shell would show it; None while it runs, and before it is started."""
        return self._kept.poll() if self._kept else self._exit_code

    def start(self) -> None:
        """Start the server and return when it accepts connections.

        Raises
        ------
        EmbeddedServerError
            It did not start; the message holds the reason that it gave.
        """
        self.folder.prepare()
        lock = self.folder.take()
        try:
            self._set_up(lock)
            # The port may be taken by others between our look and the server's; hardly three times.
            for last_try in (False, False, True):
                self.port = self.folder.port()
                if self._try_to_start(lock, last_try=last_try):
                    return
        finally:
            os.close(lock)

    def release(self) -> None:
        """Ask the server to stop, without waiting."""
        if self._kept is not None:
            self._kept.release()

    def stop(self) -> None:
        """Stop the server and wait until it is gone."""
        if self._kept is not None:
            self._exit_code = self._kept.stop()
            self._kept = None

    def restart(self) -> None:
        """Stop the server, if it still runs, and start it again on the same port."""
        self.stop()
        self.start()

    def _try_to_start(self, lock: int, *, last_try: bool) -> bool:
        log, stdin = self.folder.open_log(), self._stdin()
        try:
            log_start = os.lseek(log, 0, os.SEEK_END)
            self._kept = Kept(self._order(lock), name=self.title, stdin=stdin, output=log)
        except KeeperError as error:
            raise EmbeddedServerError(f"The embedded {self.title} could not be started: {error}.") from None
        finally:
            os.close(log)
            os.close(stdin)
        try:
            ready = self._await_ready(self._kept)
        except BaseException:
            self.stop()
            raise
        if ready:
            return True
        self.stop()
        if not last_try and not is_free(self.port):
            return False
        raise EmbeddedServerError(
            f"The embedded {self.title} did not start: {self.folder.last_words(log_start)} (log: {self.folder.log})"
        )

    def _await_ready(self, kept: Kept) -> bool:
        end = time.monotonic() + STARTUP_SECONDS_MAX
        while kept.poll() is None and time.monotonic() < end:
            if self._is_ready(kept.pid):
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _data_order(self, argv: Sequence[str], lock: int, *, stop_signal: int, grace_seconds: float) -> Order:
        """Return the order to run *argv* in the data folder as the servers' account."""
        return Order(
            argv=argv,
            env=server_environment(),
            cwd=str(self.folder.data),
            user=self.account.user if self.account else None,
            group=self.account.group if self.account else None,
            stop_signal=stop_signal,
            grace_seconds=grace_seconds,
            hold=[lock],
        )

    def _check_owner(self) -> None:
        """Refuse data of another user before the server does so less clearly."""
        owner = self.folder.data.stat().st_uid
        if owner != (self.account.user if self.account else os.geteuid()):
            raise EmbeddedServerError(
                f"The data of the embedded {self.title} in {self.folder.data} belong to the user with number {owner}, "
                f"as whom they were made. Start Thaw as before, or name another folder in THAW_HOME."
            )


def server_environment() -> dict[str, str]:
    """Return the environment of the servers: none of the variables by which the user's own clients are set up."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
