"""PostgreSQL goes away at each statement in turn, and before and after each commit; the work is done once all the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.auditor import Audit
from tests.chaos.rehearsal import Rehearsal
from tests.chaos.workload import CHECKS, START, Workload, calendar, later, registration
from tests.servers import ServersUnderTest, fresh_database
from tests.statements import on_each_statement
from workflows import commands as c
from workflows.codec import derived_id
from workflows.rep import rep_id

#: Points from one blow to the next: more than a transaction and its repetition have, so that all work gets done.
STRIDE = 31


class Axe:
    """Ends the database session at certain of the points at which this process talks to PostgreSQL."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._asker = rehearsal.asker
        self._points_left = 0
        self.blows = 0
        engine = rehearsal.service.engine
        on_each_statement(engine, lambda session, _: self._pass(session))
        self._commit = engine.dialect.do_commit
        engine.dialect.do_commit = self._pass_commit  # type: ignore[method-assign, assignment]

    def raised(self, point: int) -> None:
        """Let it fall at the point with this number, counted from now, and at each `STRIDE`-th after it."""
        self._points_left = point

    def _pass(self, session: Any) -> bool:
        self._points_left -= 1
        if self._points_left:
            return False
        self._points_left = STRIDE
        self.blows += 1
        pid = session.info.backend_pid
        self._asker.rows("SELECT pg_terminate_backend(%s)", pid)
        while self._asker.number("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", pid):
            pass
        return True

    def _pass_commit(self, pooled: Any) -> None:
        session = pooled.dbapi_connection
        self._pass(session)
        self._commit(pooled)
        if self._pass(session):
            # The commit is done, and the answer never arrives.
            session.execute("SELECT 1")


@pytest.fixture
def rehearsal(ground: ServersUnderTest, template: str, namespace: str, tmp_path: Path) -> Iterator[Rehearsal]:
    """Yield a service without processes."""
    with fresh_database(ground.database_url, template) as url:
        rehearsal = Rehearsal(url, ground.redis_url, namespace, tmp_path)
        rehearsal.clock.move(START)
        yield rehearsal
        rehearsal.close()


def live(workload: Workload, rehearsal: Rehearsal, number: int) -> None:
    """Let a rep and two leads of her own begin: they are registered, queued, planned, written to and declined."""
    rep, today = f"rep-{number}", START.date()
    one, other = derived_id("one", number), derived_id("other", number)
    note = c.ScheduleNote(note_on=today, call_on=later(today, 5))
    for work in (
        {rep_id(rep): c.SetCalendar(rep=rep, calendar=calendar(), playbook="five-five-five")},
        {one: registration(rep, one), other: registration(rep, other)},
        {one: note, other: note},
        {
            one: c.MarkNoteSent(medium="hand_written", attested=CHECKS),
            other: c.RecordDecline(kind="no", stated_reason="price"),
        },
    ):
        workload.hand_in(work)
        rehearsal.settle()


def test_work_is_done_once_wherever_postgresql_goes_away(rehearsal: Rehearsal) -> None:
    """Invariant 1, at each of the points of all transactions that lead from nothing to a note and a decline."""
    rehearsal.at_once = 60
    workload, axe = Workload(rehearsal), Axe(rehearsal)
    for number in range(1, STRIDE + 1):
        axe.raised(number)
        live(workload, rehearsal, number)
    assert axe.blows > 2 * STRIDE
    Audit(rehearsal).check(workload.submitted, None)
    assert rehearsal.asker.number("SELECT count(*) FROM messages WHERE attempts > 0") == 0
    assert rehearsal.asker.number("SELECT count(*) FROM events WHERE type IN ('note_sent', 'lead_declined')") == 2 * STRIDE
