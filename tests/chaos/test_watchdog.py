"""A worker that can no longer work ends itself within seconds, and is started again."""

import contextlib
import subprocess
import threading
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors.watchdog import EXIT_STATUS
from service.supervisor import Child, Supervisor
from tests.chaos.auditor import Audit
from tests.chaos.sabotage import TRIGGER
from tests.chaos.workload import Workload
from tests.stage import Stage, children_of, dramatiq_command, linux, processes_of, until


@contextlib.contextmanager
def supervised(child: Child) -> Iterator[list[MutableMapping[str, Any]]]:
    """Keep *child* running while the block lasts, and yield what the supervisor says."""
    with capture_logs() as logs:
        supervisor = Supervisor([child])
        thread = threading.Thread(target=supervisor.run, name="supervisor")
        thread.start()
        try:
            yield logs
        finally:
            supervisor.stop()
            thread.join()


@linux
def test_a_worker_that_lost_its_consumer_gives_up_and_its_successor_works(stage: Stage, workload: Workload) -> None:
    """It exits with the watchdog's own status, the supervisor starts another, and what it held is done."""
    trigger = stage.folder / "trigger"
    stage.hire_clock()
    child = Child("worker", dramatiq_command("tests.chaos.sabotage:deaf"), stage.environ(**{TRIGGER: str(trigger)}))
    with supervised(child) as logs:
        workload.introduce_reps()
        trigger.touch()
        until(lambda: any(entry["event"] == "child_died" for entry in logs), "the worker gives up")
        workload.run({}, transitions=200)
        died = [entry for entry in logs if entry["event"] == "child_died"]
    assert [entry["exit_code"] for entry in died] == [EXIT_STATUS]
    Audit(stage).check(workload.submitted, None)


@linux
@pytest.mark.parametrize("moment", ["while it boots", "while it works"])
def test_a_worker_whose_master_was_killed_ends_itself(stage: Stage, workload: Workload, moment: str) -> None:
    """No supervisor and no keeper stands behind it: the worker sees by itself that it is an orphan."""
    argv = dramatiq_command("service.worker:broker")
    with (
        (stage.folder / "orphan.log").open("wb") as output,
        subprocess.Popen(argv, env=stage.environ(), stdout=output, stderr=output, start_new_session=True) as master,
    ):
        until(lambda: children_of(master.pid), "the master starts its worker")
        if moment == "while it works":
            workload.introduce_reps()
        master.kill()
    until(lambda: not processes_of(stage.mark), "the orphan ends itself")
