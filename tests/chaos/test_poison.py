"""Messages that kill their worker, or fail each time, come to an end as dead, alone; a person can bring them back."""

import functools

from actors.committer import MAX_ATTEMPTS
from models import attempts
from models.database import transaction
from tests.chaos.auditor import Audit
from tests.chaos.sabotage import DELIVERIES, KILLS, RAISES
from tests.chaos.workload import REPS, Workload, registration
from tests.stage import Hired, Stage, linux
from workflows.codec import derived_id

ROW = "SELECT outcome, attempts, deliveries, error, traceback FROM messages WHERE id = %s"

#: Leads that are registered together, and the message of the one among them that is the trouble.
LEADS = [derived_id("lead in line", number) for number in range(40)]
TROUBLE = derived_id("chaos", LEADS[20], len(REPS) + 20)


def register_all(workload: Workload) -> None:
    """Hand in the registrations of the leads in line, the trouble in their midst."""
    workload.introduce_reps()
    workload.hand_in({lead_id: registration(REPS[0], lead_id) for lead_id in LEADS})
    assert TROUBLE in workload.submitted


def _over(stage: Stage, worker: Hired) -> bool:
    worker.told = worker.gone
    return worker.gone or stage.asker.rows(ROW, TROUBLE)[0][0] is not None


@linux
def test_a_message_that_kills_its_worker_is_buried_and_takes_nobody_with_it(stage: Stage, workload: Workload) -> None:
    """The poison is dead after the counted deliveries, with the reason; all that stood in line with it is applied."""
    stage.hire_clock()
    worker = stage.hire_worker("tests.chaos.sabotage:poisoned", **{KILLS: str(TROUBLE)})
    register_all(workload)
    deaths = 0
    while stage.asker.rows(ROW, TROUBLE)[0][0] is None:
        stage.until(functools.partial(_over, stage, worker), "the poison works or is buried")
        if worker.gone:
            deaths += 1
            assert deaths <= DELIVERIES + 1
            stage.hurry()
            worker = stage.hire_worker("tests.chaos.sabotage:poisoned", **{KILLS: str(TROUBLE)})
    stage.settle()
    # The first ring is not counted.
    assert deaths == DELIVERIES + 1
    outcome, tries, deliveries, error, _ = stage.asker.rows(ROW, TROUBLE)[0]
    assert (outcome, tries, deliveries) == ("dead", 0, DELIVERIES + 1)
    assert "seems to end its worker" in str(error)
    Audit(stage).check(workload.submitted, None, dead=[TROUBLE])


@linux
def test_a_message_that_always_fails_is_dead_after_its_attempts_and_can_be_revived(stage: Stage, workload: Workload) -> None:
    """It keeps error, traceback and the number of attempts; its neighbours are applied; a retry gives it a fresh start."""
    stage.hire_clock()
    worker = stage.hire_worker("tests.chaos.sabotage:poisoned", **{RAISES: str(TROUBLE)})
    register_all(workload)
    stage.settle(patience=0.1)
    outcome, tries, _, error, traceback = stage.asker.rows(ROW, TROUBLE)[0]
    assert (outcome, tries, error) == ("dead", MAX_ATTEMPTS, "AlwaysFailsError: this one always fails")
    assert "sabotage.py" in str(traceback)
    Audit(stage).check(workload.submitted, None, dead=[TROUBLE])
    assert worker.stop() == 0
    stage.hire_worker()
    with transaction(stage.service.engine) as connection:
        assert [(each.id, each.attempts) for each in attempts.retry_dead(connection, [TROUBLE])] == [(TROUBLE, MAX_ATTEMPTS)]
    stage.settle()
    assert stage.asker.rows(ROW, TROUBLE)[0][:2] == ("applied", 0)
    Audit(stage).check(workload.submitted, None)
