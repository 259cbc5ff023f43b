"""Clocks die between claiming and ringing, and come in twos; workers come and go."""

import signal
import sys

from tests.chaos.auditor import Audit
from tests.chaos.reader import following
from tests.chaos.workload import Workload
from tests.stage import Stage, linux


@linux
def test_clocks_and_workers_may_die_join_and_leave(stage: Stage, workload: Workload) -> None:
    """Invariants 1, 2, 3 and 9 hold with clocks that die with claims in hand, then two clocks, and three workers of whom one
    leaves in the middle and one comes late.
    """
    first, *_ = workers = [stage.hire_worker(), stage.hire_worker()]

    def die(moment: str) -> None:
        clock = stage.hire("dying-clock", [sys.executable, "-m", "tests.chaos.sabotage", moment])
        assert clock.await_end() == 128 + signal.SIGKILL

    def leave() -> None:
        assert first.stop() == 0

    with following(stage.database_url) as reader:
        workload.run(
            {
                2: lambda: die("before"),
                3: lambda: die("after"),
                4: lambda: (stage.hire_clock(), stage.hire_clock()),
                5: lambda: workers.append(stage.hire_worker()),
                6: leave,
            }
        )
    Audit(stage).check(workload.submitted, reader.seen)
    assert not any(worker.gone for worker in workers[1:])
