"""The clock of the machine is set wrong and right again, while workers and clocks run."""

import functools
import subprocess
import sys
from datetime import timedelta

from tests.chaos.auditor import Audit
from tests.chaos.reader import following
from tests.chaos.workload import REPS, Workload
from tests.stage import ROOT, Stage, linux
from workflows.commands import RecordReason

FIRED = "SELECT count(*) FROM messages WHERE outcome IN ('applied', 'refused') AND asked_by = 'clock'"


class Wrong:
    """Work under a wrong time: commands are handed in and settled, and what is due by it is done."""

    def __init__(self, stage: Stage, workload: Workload) -> None:
        self._stage = stage
        self._workload = workload
        self.fired: list[int] = []

    def time(self, by: timedelta) -> None:
        """Let the clock be wrong *by* so much for a while, with everything that is in hand, and then right again."""
        right = self._stage.clock()
        fired = self._stage.asker.number(FIRED)
        self._stage.clock.move(right + by)
        before = len(self._workload.submitted)
        self._workload.hand_in({lead_id: RecordReason(kind="stated", reason="price") for lead_id in self._workload.leads[:40]})
        handed_in = self._workload.submitted[before:]
        self._stage.until(lambda: not self._stage.unsettled(handed_in), "what is asked under a wrong time is done under it")
        if by > timedelta(0):
            self._stage.settle()
        self.fired.append(self._stage.asker.number(FIRED) - fired)
        self._stage.clock.move(right)


@linux
def test_a_clock_that_jumps_fires_nothing_early_or_twice(stage: Stage, workload: Workload) -> None:
    """Invariants 1, 2, 3 and 9 hold when the time goes back by an hour and ahead by a day or a week, each in the middle of the
    work, and each time comes back; what was decided under a wrong time is made again from the log alone.
    """
    stage.hire_clock()
    stage.hire_worker()
    stage.hire_worker()
    wrong = Wrong(stage, workload)
    faults = {2: timedelta(hours=-1), 4: timedelta(days=1), 5: timedelta(days=-3), 6: timedelta(days=7), 8: timedelta(hours=-1)}
    with following(stage.database_url) as reader:
        workload.run({number: functools.partial(wrong.time, by) for number, by in faults.items()})
    Audit(stage).check(workload.submitted, reader.seen)
    assert wrong.fired[1] > len(REPS)
    command = [sys.executable, "-m", "service", "rederive", "--all"]
    again = subprocess.run(command, cwd=ROOT, env=stage.environ(), capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
