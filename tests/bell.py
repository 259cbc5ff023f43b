"""A way to know, without sleeping and looking again, that a process has come to life and that it is gone."""

import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

SECONDS = 60.0
"""A test that waits longer has failed."""

RING = """
import os, signal, socket, sys, time
# A shell that starts us in the background has us ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
lines = []
def ring(word):
    lines.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
    lines[-1].sendall(f"{word} {os.getpid()}\\n".encode())
"""


@dataclass(frozen=True)
class Ring:
    """A process said a word. The line stays open for as long as the process lives, and forks it made afterwards."""

    word: str
    pid: int
    line: socket.socket

    def await_end(self) -> None:
        """Return when the process is gone."""
        assert self.line.recv(1) == b""


class Bell:
    """Test programs ring here."""

    def __init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", 0))
        self._door.settimeout(SECONDS)
        self._rings: list[Ring] = []

    def program(self, code: str, *arguments: str) -> list[str]:
        """Return the command line of a Python program that can `ring` a word; *arguments* begin at ``sys.argv[2]``."""
        return [sys.executable, "-c", RING + code, str(self._door.getsockname()[1]), *arguments]

    def await_ring(self) -> Ring:
        """Return the next ring, in the order in which they came."""
        line, _ = self._door.accept()
        line.settimeout(SECONDS)
        with line.makefile("rb") as file:
            word, pid = file.readline().decode().split()
        self._rings.append(Ring(word, int(pid), line))
        return self._rings[-1]

    def close(self) -> None:
        """Close the door and all lines."""
        for ring in self._rings:
            ring.line.close()
        self._door.close()


@pytest.fixture
def bell() -> Iterator[Bell]:
    """Yield a bell for this test's processes."""
    bell = Bell()
    yield bell
    bell.close()
