"""A kept process ends when it is told to, when we die, and when its keeper dies, with all that it left behind."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from service.keeper import KeeperError, Kept, Order
from tests.bell import Bell

ROOT = Path(__file__).parents[2]

OWNER = """
from service.keeper import Kept, Order
kept = Kept(Order(argv=sys.argv[2:], env=dict(os.environ)), name="test")
ring("owner")
signal.pause()
"""

DEAF = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
ring("deaf")
signal.pause()
"""

FAMILY = """
if os.fork() == 0:
    ring("child")
    signal.pause()
ring("leader")
signal.pause()
"""

OPEN_DESCRIPTORS = """
import contextlib, os
for descriptor in range(3, 256):
    with contextlib.suppress(OSError):
        os.fstat(descriptor)
        print(descriptor)
"""


def order(argv: list[str], grace_seconds: float = 20.0) -> Order:
    return Order(argv=argv, env=dict(os.environ), grace_seconds=grace_seconds)


def test_the_exit_code_is_the_process_s_own() -> None:
    kept = Kept(order([sys.executable, "-c", "raise SystemExit(7)"]), name="test")
    assert wait_for_end(kept) == 7


def test_a_signal_shows_in_the_exit_code_as_in_a_shell(bell: Bell) -> None:
    kept = Kept(order(bell.program("ring('up'); signal.pause()")), name="test")
    os.kill(bell.await_ring().pid, signal.SIGKILL)
    assert wait_for_end(kept) == 128 + signal.SIGKILL


def test_the_process_number_is_the_process_s_own(bell: Bell) -> None:
    kept = Kept(order(bell.program("ring('up'); signal.pause()")), name="test")
    assert bell.await_ring().pid == kept.pid
    assert kept.poll() is None
    assert kept.stop() == 128 + signal.SIGTERM


def test_a_program_that_does_not_exist_is_named() -> None:
    with pytest.raises(KeeperError, match=r"/no/such/program: No such file or directory"):
        Kept(order(["/no/such/program"]), name="test")


def test_a_process_that_ignores_the_stop_signal_is_killed_after_its_grace(bell: Bell) -> None:
    kept = Kept(order(bell.program(DEAF), grace_seconds=0.1), name="test")
    deaf = bell.await_ring()
    assert kept.stop() == 128 + signal.SIGKILL
    deaf.await_end()


def test_what_a_killed_leader_leaves_behind_is_ended(bell: Bell) -> None:
    kept = Kept(order(bell.program(FAMILY)), name="test")
    rings = {ring.word: ring for ring in (bell.await_ring(), bell.await_ring())}
    os.kill(rings["leader"].pid, signal.SIGKILL)
    rings["child"].await_end()
    wait_for_end(kept)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_when_its_owner_ends(bell: Bell, number: signal.Signals) -> None:
    argv = bell.program(OWNER, *bell.program("ring('kept'); signal.pause()"))
    with subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.DEVNULL) as owner:
        try:
            rings = {ring.word: ring for ring in (bell.await_ring(), bell.await_ring())}
            owner.send_signal(number)
            rings["kept"].await_end()
        finally:
            owner.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has PR_SET_PDEATHSIG")
def test_the_process_ends_when_its_keeper_is_killed(bell: Bell) -> None:
    kept = Kept(order(bell.program("ring('kept'); signal.pause()")), name="test")
    ring = bell.await_ring()
    os.kill(kept.keeper_pid, signal.SIGKILL)
    ring.await_end()
    assert kept.stop() == -signal.SIGKILL


def test_held_descriptors_stay_open_and_no_others() -> None:
    with tempfile.TemporaryFile() as held, tempfile.TemporaryFile() as output:
        kept = Kept(
            Order(argv=[sys.executable, "-c", OPEN_DESCRIPTORS], env=dict(os.environ), hold=[held.fileno()]),
            name="test",
            output=output.fileno(),
        )
        wait_for_end(kept)
        output.seek(0)
        assert output.read().decode().strip() == str(held.fileno())


def wait_for_end(kept: Kept) -> int:
    """Return the exit code of a process that ends by itself."""
    with os.fdopen(os.dup(kept.fileno()), "rb") as line:
        assert line.read() == b""
    return kept.stop()
