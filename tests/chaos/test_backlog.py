"""Three days without any process: what comes late comes within capacity."""

from collections import Counter
from datetime import date

from models.messages import Ring
from tests.chaos.auditor import Audit
from tests.chaos.workload import CHECKS, START, Workload, calendar, registration
from tests.stage import Stage, linux
from workflows.codec import derived_id
from workflows.commands import MarkNoteSent, SetCalendar
from workflows.rep import rep_id

REP = "dana"
MONDAY, THURSDAY = date(2026, 1, 12), date(2026, 1, 15)

#: Of the playbook, per day.
CALLS, CATCH_UP_CALLS = 5, 2

#: Promised for the Tuesday and the Wednesday in between, which nobody saw.
LATE_CALLS = 10

SLOTS = "SELECT kind, day, count(*) FROM slots GROUP BY kind, day"

#: Local minutes: after the plan of the day is made, when the promised calls are open, and when the notes are written.
PLANNED, OPEN, WORK = 370, 540, 780


def write_the_notes(stage: Stage, workload: Workload) -> None:
    """Live from the first Tuesday to the Monday after it: each day's plan, and each day's five notes."""
    day = START.date()
    stage.clock.move(calendar().moment(day, 0))
    workload.hand_in({rep_id(REP): SetCalendar(rep=REP, calendar=calendar(), playbook="five-five-five")})
    stage.settle()
    leads = [derived_id("backlog", number) for number in range(60)]
    workload.hand_in({id_: registration(REP, id_) for id_ in leads})
    stage.settle()
    while day <= MONDAY:
        stage.clock.move(calendar().moment(day, PLANNED))
        stage.settle()
        stage.clock.move(calendar().moment(day, WORK))
        rows = stage.asker.rows("SELECT id FROM leads WHERE state = 'note_due'")
        workload.hand_in({row[0]: MarkNoteSent(medium="hand_written", attested=CHECKS) for row in rows})
        stage.settle()
        day = calendar().next_working_day(day)


def waiting(stage: Stage) -> Counter[date]:
    """Return how many calls wait to be made, by the day that they are for."""
    return Counter(row[0] for row in stage.asker.rows("SELECT call_on FROM leads WHERE state = 'call_due'"))


def ring_the_plan_first(stage: Stage) -> None:
    """Ring what is due in the order in which a late plan knows least: before the promised calls that came due meanwhile."""
    rows = stage.asker.rows(
        "SELECT id, stream_id, actor_name, correlation_id, 1 FROM messages WHERE settled_at IS NULL AND due_at <= %s "
        "ORDER BY actor_name = 'day_planned' DESC",
        stage.clock(),
    )
    stage.service.bell.ring([Ring._make(row) for row in rows])


@linux
def test_three_days_of_downtime_are_caught_up_within_capacity(stage: Stage, workload: Workload) -> None:
    """Invariant 9: the calls promised for the days that passed come late, none is lost, and no day holds more than it can."""
    crew = [stage.hire_clock(), stage.hire_worker()]
    write_the_notes(stage, workload)
    for hired in crew:
        hired.stop()
    stage.clock.move(calendar().moment(THURSDAY, PLANNED))
    ring_the_plan_first(stage)
    stage.hire_worker()
    stage.hire_clock()
    stage.settle()
    assert sum(waiting(stage).values()) == LATE_CALLS
    # Thursday's own calls open later than its plan is made, and then wait where the day cannot take them, too.
    stage.clock.move(calendar().moment(THURSDAY, OPEN))
    stage.settle()
    late = sum(number for day, number in waiting(stage).items() if day < THURSDAY)
    slots = Counter({(row[0], row[1]): row[2] for row in stage.asker.rows(SLOTS)})
    assert late + slots["promised_call", THURSDAY] <= CALLS + CATCH_UP_CALLS
    assert max(number for (kind, _), number in slots.items() if kind == "promised_call") <= CALLS + CATCH_UP_CALLS
    # Promises are kept before new ones are made: the playbook pauses notes while so many are open.
    assert [day for kind, day in slots if kind == "note" and day > MONDAY] == []
    planned = stage.asker.rows("SELECT body::json->'data'->>'day' FROM events WHERE type = 'day_planned'")
    assert [str(row[0]) for row in planned if row[0] > str(MONDAY)] == [str(THURSDAY)]
    Audit(stage).check(workload.submitted, None)
