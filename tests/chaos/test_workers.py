"""Workers die, come and go in the middle of their work, and nothing is lost, done twice, or out of order."""

from tests.chaos.auditor import Audit
from tests.chaos.reader import following
from tests.chaos.workload import Workload
from tests.stage import Stage, linux


@linux
def test_a_worker_that_is_killed_in_the_middle_loses_and_doubles_nothing(stage: Stage, workload: Workload) -> None:
    """Design invariants 1, 2, 3, 4, 6 and 9 hold when the only worker is killed -9 twice, and another one takes its place."""
    stage.hire_clock()
    workers = [stage.hire_worker()]

    def kill() -> None:
        workers[-1].kill()
        workers.append(stage.hire_worker())

    def cut_the_power() -> None:
        workers[-1].kill_all()
        workers.append(stage.hire_worker())

    with following(stage.database_url) as reader:
        workload.run({1: kill, 4: cut_the_power})
    Audit(stage).check(workload.submitted, reader.seen)
