"""Run one process that cannot outlive us, whatever ends us.

Between us and the process stands a keeper: this file, run by its path as a small process of its own (hence the standard
library only). A socket joins us to it. When we close our end, or when we die in any way at all, kill -9 included, and
the kernel closes it for us, the keeper stops the process: a signal, a grace, SIGKILL, and then the rest of its group.
"""

import contextlib
import ctypes
import dataclasses
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

STRAGGLER_SECONDS = 2.0
"""How long the processes left in the group of a dead leader have between SIGTERM and SIGKILL."""

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h: the signal that we get when our parent dies."""

PR_SET_CHILD_SUBREAPER = 36
"""From linux/prctl.h: whether orphans below us become our children."""


class KeeperError(Exception):
    """The process could not be started."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """What to run and how to stop it."""

    argv: Sequence[str]
    env: Mapping[str, str]
    """The whole environment of the process."""
    cwd: str | None = None
    user: int | None = None
    """Numeric user to become, or None to stay who we are; *group* goes with it."""
    group: int | None = None
    stop_signal: int = signal.SIGTERM
    grace_seconds: float = 20.0
    """From the stop signal to SIGKILL."""
    hold: Sequence[int] = ()
    """Descriptors that stay open in the process and in whatever it forks, such as a lock."""


class Kept:
    """A running process behind its keeper."""

    def __init__(self, order: Order, *, name: str, stdin: int | IO[bytes] = subprocess.DEVNULL, output: int | None = None):
        """Start the process; it writes to *output*, by default where we write.

        Raises
        ------
        KeeperError
            The program is missing, may not be executed, or the user may not be changed.
        """
        self._grace_seconds = order.grace_seconds
        self._lifeline, theirs = socket.socketpair()
        with theirs:
            self._keeper = subprocess.Popen(  # noqa: S603 (our own file, no shell)
                [sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(theirs.fileno()), name],
                stdin=stdin,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno(), *order.hold],
                # Ctrl-C in the terminal is for us alone: we decide in which order things stop.
                start_new_session=True,
            )
        try:
            self._lifeline.sendall(json.dumps(dataclasses.asdict(order)).encode() + b"\n")
            answer = _line(self._lifeline)
        except OSError as error:
            answer = str(error)
        if not answer.isdecimal():
            self.stop()
            raise KeeperError(answer or "its keeper died")
        self.pid = int(answer)
        """Of the process itself, not of its keeper."""

    @property
    def keeper_pid(self) -> int:
        """Of the keeper."""
        return self._keeper.pid

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the process has ended, for select."""
        return self._lifeline.fileno()

    def poll(self) -> int | None:
        """Return the exit code as a shell would show it (128 + n for signal n), or None while it runs."""
        return self._keeper.poll()

    def release(self) -> None:
        """Ask the keeper to stop the process, without waiting; may be called twice."""
        self._lifeline.close()

    def stop(self) -> int:
        """Stop the process, wait until it is gone, and return its exit code."""
        self.release()
        try:
            return self._keeper.wait(self._grace_seconds + 3 * STRAGGLER_SECONDS)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            return self._keeper.wait()


def keep(lifeline: socket.socket) -> int:
    """Read the order, run the process, watch over it, and return its exit code: all that a keeper does."""
    text = _line(lifeline)
    if not text:
        return 0  # Our parent died before it could say what it wanted.
    order = Order(**json.loads(text))
    if sys.platform == "linux":
        # So that we learn at once when an orphan is gone; process 1 of a container may never collect it.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    # Handlers, and not SIG_IGN, which the process would inherit. SIGHUP and SIGINT are not for us.
    awoken, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    told_to_stop: list[int] = []
    for number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda number, _: told_to_stop.append(number))
    try:
        process = _start(order)
    except OSError as error:
        lifeline.sendall(f"{error.filename or order.argv[0]}: {error.strerror}\n".encode())
        return 127
    try:
        lifeline.sendall(f"{process.pid}\n".encode())
        while process.poll() is None and not told_to_stop:
            readable, _, _ = select.select([lifeline, awoken], [], [])
            if lifeline in readable:
                break
            awoken.recv(4096)
    except BrokenPipeError:
        pass  # Our parent died while we started its process.
    _stop(process, order)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _start(order: Order) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 (what our parent ordered, no shell)
        order.argv,
        env=dict(order.env),
        cwd=order.cwd,
        user=order.user,
        group=order.group,
        extra_groups=[] if order.user is not None else None,
        pass_fds=order.hold,
        process_group=0,
        preexec_fn=_die_with_keeper(order.stop_signal),  # noqa: PLW1509 (a keeper has one thread)
    )


def _die_with_keeper(stop_signal: int) -> Callable[[], None] | None:
    """Close the last gap where the kernel can: a keeper that is itself killed takes its process along (Linux only)."""
    if sys.platform != "linux":
        return None
    keeper = os.getpid()
    prctl = ctypes.CDLL(None).prctl

    def die_with_keeper() -> None:
        # Runs after the change of user, which would clear the setting.
        prctl(PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != keeper:
            os._exit(127)

    return die_with_keeper


def _stop(process: subprocess.Popen[bytes], order: Order) -> None:
    if process.poll() is None:
        process.send_signal(order.stop_signal)
        try:
            process.wait(order.grace_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    # A leader that was killed leaves its children behind, as a Dramatiq master does with its workers.
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            os.killpg(process.pid, number)
            end = time.monotonic() + STRAGGLER_SECONDS
            while time.monotonic() < end:
                time.sleep(0.02)
                with contextlib.suppress(ChildProcessError):
                    while os.waitpid(-1, os.WNOHANG) != (0, 0):
                        pass
                os.killpg(process.pid, 0)
    except (ProcessLookupError, PermissionError):  # All gone; macOS says the second for a group of zombies.
        return


def _line(lifeline: socket.socket) -> str:
    """Read the one line that each side says to the other, or nothing if the other side is gone."""
    with lifeline.makefile("rb") as file:
        return file.readline().decode().strip()


if __name__ == "__main__":
    sys.exit(keep(socket.socket(fileno=int(sys.argv[1]))))
