"""Messages that kill their worker, or fail each time, come to an end as dead, alone; a person can bring them back."""

import functools
from uuid import UUID

from actors.committer import MAX_ATTEMPTS
from models import messages
from models.database import transaction
from tests.chaos.auditor import Audit
from tests.chaos.sabotage import DELIVERIES, KILLS, RAISES
from tests.chaos.workload import REPS, Workload, registration
from tests.stage import Hired, Stage, ask, linux, until
from workflows.codec import derived_id

ROW = "SELECT outcome, attempts, deliveries, error, traceback FROM messages WHERE id = %s"


def register_some(workload: Workload) -> tuple[UUID, UUID]:
    """Hand in the registrations of forty leads and return the messages of two in their midst."""
    ids = [derived_id("bystander", number) for number in range(40)]
    workload.hand_in({id_: registration(REPS[0], id_) for id_ in ids})
    return workload.submitted[-20], workload.submitted[-10]


def _over(stage: Stage, worker: Hired, poison: UUID) -> bool:
    return worker.gone or ask(stage.database_url, ROW, poison)[0][0] is not None


@linux
def test_a_message_that_kills_its_worker_is_buried_and_takes_nobody_with_it(stage: Stage, workload: Workload) -> None:
    """The poison is dead after the counted deliveries, with the reason; all that stood in line with it is applied."""
    honest = [stage.hire_clock(), stage.hire_worker()]
    workload.introduce_reps()
    honest[1].stop()
    poison, _ = register_some(workload)
    deaths = 0
    while ask(stage.database_url, ROW, poison)[0][0] is None:
        worker = stage.hire_worker("tests.chaos.sabotage:poisoned", **{KILLS: str(poison)})
        until(functools.partial(_over, stage, worker, poison), "the poison works or is buried")
        deaths += worker.gone
        stage.hurry()
    # The first ring is not counted.
    assert deaths == DELIVERIES + 1
    assert worker.stop() == 0
    outcome, attempts, deliveries, error, _ = ask(stage.database_url, ROW, poison)[0]
    assert (outcome, attempts, deliveries) == ("dead", 0, DELIVERIES + 1)
    assert "seems to end its worker" in str(error)
    Audit(stage).check(workload.submitted, None, dead=[poison])


@linux
def test_a_message_that_always_fails_is_dead_after_its_attempts_and_can_be_revived(stage: Stage, workload: Workload) -> None:
    """It keeps error, traceback and the number of attempts; its neighbours are applied; a retry gives it a fresh start."""
    stage.hire_clock()
    honest = stage.hire_worker()
    workload.introduce_reps()
    honest.stop()
    _, failing = register_some(workload)
    worker = stage.hire_worker("tests.chaos.sabotage:poisoned", **{RAISES: str(failing)})
    stage.settle(patience=0.1)
    outcome, attempts, _, error, traceback = ask(stage.database_url, ROW, failing)[0]
    assert (outcome, attempts, error) == ("dead", MAX_ATTEMPTS, "AlwaysFailsError: this one always fails")
    assert "sabotage.py" in str(traceback)
    Audit(stage).check(workload.submitted, None, dead=[failing])
    worker.stop()
    stage.hire_worker()
    with transaction(stage.service.engine) as connection:
        assert messages.retry_dead(connection, [failing]) == [failing]
    stage.settle()
    assert ask(stage.database_url, ROW, failing)[0][:2] == ("applied", 0)
    Audit(stage).check(workload.submitted, None)
