"""Everything paused in the middle of the work of real processes: what prospects say goes on, and nothing is lost."""

from actors.submit import Submission
from models import pauses
from models.database import transaction
from tests.chaos.auditor import Audit
from tests.chaos.workload import START, Workload, later, registration
from tests.stage import DUE, Stage, linux
from workflows.codec import derived_id
from workflows.commands import OptOut, ScheduleNote
from workflows.pauses import EVERYTHING

LEADS = [derived_id("paused", number) for number in range(120)]

EVENTS = "SELECT count(*) FROM events WHERE type NOT IN ('work_paused', 'opted_out')"
WAITING = f"{DUE} AND ring_again_at IS DISTINCT FROM 'infinity'"


@linux
def test_a_pause_in_the_middle_of_work_loses_nothing(stage: Stage, workload: Workload) -> None:
    """After `pause` returns no process applies anything but opt-outs, Redis lost or not; resumed, all of it is done once."""
    for _ in range(2):
        stage.hire_worker()
    stage.hire_clock()
    workload.introduce_reps()
    today = START.date()
    workload.hand_in({id_: registration("ann", id_) for id_ in LEADS})
    workload.hand_in({id_: ScheduleNote(note_on=today, call_on=later(today, 5)) for id_ in LEADS})
    engine = stage.service.engine
    with transaction(engine) as connection:
        pauses.pause(connection, [EVERYTHING], reason="chaos", now=stage.clock(), by="ops:ann")
    before = stage.asker.number(EVENTS)
    known = [row[0] for row in stage.asker.rows("SELECT id FROM leads WHERE id = ANY(%s) ORDER BY id", LEADS)]
    out = [Submission(id=derived_id("out", id_), stream_id=id_, command=OptOut(), asked_by="crm") for id_ in known[:20]]
    stage.submit(out)
    client = stage.service.bell._broker.client
    client.delete(*client.keys(f"{stage.settings.namespace}*"))
    ids = [submission.id for submission in out]
    stage.until(lambda: not stage.unsettled(ids), "opt-outs are applied")
    stage.until(lambda: not stage.asker.number(WAITING, stage.clock()), "everything else is set aside")
    assert stage.asker.number(EVENTS) == before
    with transaction(engine) as connection:
        pauses.resume(connection, [EVERYTHING], reason=None, now=stage.clock(), by="ops:ann")
    stage.settle()
    assert stage.asker.number("SELECT count(*) FROM leads WHERE id = ANY(%s)", LEADS) == len(LEADS)
    workload.submitted += ids
    Audit(stage).check(workload.submitted, None)
