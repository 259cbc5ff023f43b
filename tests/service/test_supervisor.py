"""Children are started, started again when they die, and never left behind."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from service.supervisor import DELAY_SECONDS_MAX, DELAY_SECONDS_MIN, HEALTHY_SECONDS, Backoff, Child, Supervisor
from tests.bell import Bell

ROOT = Path(__file__).parents[2]

WAIT = "ring(os.environ.get('NAME', 'child')); signal.pause()"

SUPERVISOR = """
from service.supervisor import Child, Supervisor
Supervisor([Child("a", sys.argv[2:], {"NAME": "a"}), Child("b", sys.argv[2:], {"NAME": "b"})]).run()
ring("returned")
"""


@contextmanager
def running(supervisor: Supervisor) -> Iterator[Supervisor]:
    thread = threading.Thread(target=supervisor.run)
    with capture_logs():
        thread.start()
        try:
            yield supervisor
        finally:
            supervisor.stop()
            thread.join()


def test_a_child_that_dies_is_started_again(bell: Bell) -> None:
    with running(Supervisor([Child("child", bell.program(WAIT))])):
        first = bell.await_ring()
        os.kill(first.pid, signal.SIGKILL)
        first.await_end()
        assert bell.await_ring().pid != first.pid


def test_the_death_of_one_child_leaves_the_others_alone(bell: Bell) -> None:
    children = [Child(name, bell.program(WAIT), {"NAME": name}) for name in ("a", "b")]
    with running(Supervisor(children)) as supervisor:
        rings = {ring.word: ring for ring in (bell.await_ring(), bell.await_ring())}
        os.kill(rings["a"].pid, signal.SIGKILL)
        assert bell.await_ring().word == "a"
        assert supervisor.pids()["b"] == rings["b"].pid


def test_stop_ends_all_children(bell: Bell) -> None:
    children = [Child(name, bell.program(WAIT), {"NAME": name}) for name in ("a", "b")]
    with running(Supervisor(children)) as supervisor:
        rings = [bell.await_ring(), bell.await_ring()]
    for ring in rings:
        ring.await_end()
    assert supervisor.pids() == {}


def test_a_deaf_child_is_killed_after_its_grace(bell: Bell) -> None:
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); ring('deaf'); signal.pause()"
    with running(Supervisor([Child("deaf", bell.program(deaf))], grace_seconds=0.1)):
        ring = bell.await_ring()
    ring.await_end()


def test_stopping_before_the_start_is_no_error() -> None:
    supervisor = Supervisor([Child("child", ["/no/such/program"])])
    supervisor.stop()
    supervisor.run()
    supervisor.stop()


def test_a_program_that_does_not_exist_is_reported_and_tried_again(bell: Bell, tmp_path: Path) -> None:
    program = tmp_path / "program"
    supervisor = Supervisor([Child("late", [str(program)])])
    with capture_logs() as logs:
        thread = threading.Thread(target=supervisor.run)
        thread.start()
        draft = tmp_path / "draft"
        draft.write_text("#!/bin/sh\nexec " + " ".join(f"'{part}'" for part in bell.program('ring("up"); signal.pause()')))
        draft.chmod(0o755)
        draft.rename(program)
        bell.await_ring()
        supervisor.stop()
        thread.join()
    assert {entry["event"] for entry in logs} <= {"child_not_started", "child_started", "child_stopped"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_children_first_and_then_the_supervisor(bell: Bell, number: signal.Signals) -> None:
    argv = bell.program(SUPERVISOR, *bell.program(WAIT))
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        children = [bell.await_ring(), bell.await_ring()]
        process.send_signal(number)
        assert bell.await_ring().word == "returned"
        for child in children:
            child.await_end()
        assert process.wait() == 0


def test_children_die_with_a_supervisor_that_is_killed(bell: Bell) -> None:
    argv = bell.program(SUPERVISOR, *bell.program(WAIT))
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        children = [bell.await_ring(), bell.await_ring()]
        process.kill()
        for child in children:
            child.await_end()


def test_a_killed_supervisor_takes_the_children_of_its_children_along(bell: Bell) -> None:
    family = "os.fork() == 0 or ring('leader'); os.getpgrp() == os.getpid() or ring('worker'); signal.pause()"
    argv = bell.program(SUPERVISOR.replace(', Child("b", sys.argv[2:], {"NAME": "b"})', ""), *bell.program(family))
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        rings = [bell.await_ring(), bell.await_ring()]
        process.kill()
        for ring in rings:
            ring.await_end()


@given(st.lists(st.floats(min_value=0, max_value=HEALTHY_SECONDS, exclude_max=True), max_size=50))
def test_early_deaths_double_the_delay_up_to_its_limit(lives: list[float]) -> None:
    backoff = Backoff()
    delays = [backoff.delay_after(life) for life in lives]
    assert delays[:1] in ([], [DELAY_SECONDS_MIN])
    assert all(later == min(earlier * 2, DELAY_SECONDS_MAX) for earlier, later in pairwise(delays))


@given(st.integers(min_value=0, max_value=5000), st.floats(min_value=HEALTHY_SECONDS, max_value=1e9))
def test_a_healthy_life_makes_early_deaths_forgotten(deaths: int, lived_seconds: float) -> None:
    backoff = Backoff(deaths)
    assert backoff.delay_after(lived_seconds) == DELAY_SECONDS_MIN
