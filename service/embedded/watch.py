"""Embedded servers that die while Thaw runs are started again, on the same data."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from service.embedded.errors import EmbeddedServerError
from service.embedded.servers import EmbeddedServers

LOOK_SECONDS = 0.2

#: How long to wait after a server could not be started again.
TROUBLE_SECONDS = 5.0


class Watch:
    """Looks after *servers*; calls *moved* when one of them had to take another port, and its URL is a new one."""

    def __init__(self, servers: EmbeddedServers, moved: Callable[[], None]) -> None:
        self._servers = servers
        self._moved = moved
        self._stopping = threading.Event()
        self._log = structlog.get_logger()
        self.has_moved = False
        """Whether *moved* was called."""

    def run(self) -> None:
        """Look until `stop` is called."""
        pause = LOOK_SECONDS
        while not self._stopping.wait(pause):
            try:
                self.look()
                pause = LOOK_SECONDS
            except EmbeddedServerError as error:
                self._log.error("server_not_restarted", reason=str(error), retry_in_seconds=TROUBLE_SECONDS)
                pause = TROUBLE_SECONDS

    def look(self) -> None:
        """Start again what has died.

        Raises
        ------
        EmbeddedServerError
            It could not be started.
        """
        for title, exit_code in self._servers.dead():
            self._log.error("server_died", sentence=f"The embedded {title} died (exit code {exit_code}); it is started again.")
            at_the_same_place = self._servers.revive(title)
            self._log.warning("server_restarted", sentence=f"The embedded {title} runs again; nothing committed was lost.")
            if not at_the_same_place:
                self.has_moved = True
                self._moved()

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopping.set()


@contextmanager
def watched(servers: EmbeddedServers | None, moved: Callable[[], None]) -> Iterator[Watch | None]:
    """Watch *servers*, if there are any, in a thread of its own while the block runs."""
    if servers is None:
        yield None
        return
    watch = Watch(servers, moved)
    thread = threading.Thread(target=watch.run, name="embedded servers", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.stop()
        thread.join()
