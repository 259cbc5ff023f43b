"""PostgreSQL goes away in the middle of transactions, and comes back."""

import os
import signal

from service.embedded import EmbeddedServers
from tests.chaos.auditor import Audit
from tests.chaos.reader import following
from tests.chaos.workload import Workload
from tests.stage import Stage, linux


@linux
def test_a_postgresql_that_is_killed_and_restarted_loses_no_accepted_command(
    stage: Stage, workload: Workload, victims: EmbeddedServers
) -> None:
    """Invariant 1 holds when the server is killed -9, told to stop at once, and restarted, each under load."""
    stage.hire_clock()
    stage.hire_worker()

    def crash(number: signal.Signals) -> None:
        os.kill(victims.database_pid, number)
        victims.restart_database()

    with following(stage.database_url) as reader:
        workload.run(
            {
                2: lambda: crash(signal.SIGKILL),
                # PostgreSQL's immediate shutdown.
                4: lambda: crash(signal.SIGQUIT),
                # And its fast one.
                6: victims.restart_database,
            }
        )
    Audit(stage).check(workload.submitted, reader.seen)
