"""Calendars of reps as messages bring them, in whatever order."""

from datetime import date, timedelta

from models.database import transaction
from models.verify import verify
from service.calendars import freeze_calendar
from tests.desk import Desk
from workflows.commands import SetCalendar
from workflows.handle import calendar_digest
from workflows.rep import rep_id


def test_a_calendar_that_comes_late_changes_nothing(desk: Desk) -> None:
    """A message of before, delivered after a newer calendar, neither stands in the projection nor in this worker's memory."""
    newer = freeze_calendar("CA", "ON", "America/Toronto", date(2025, 1, 1), date(2028, 12, 31))
    older = freeze_calendar("US", "", "America/Chicago", date(2025, 1, 1), date(2028, 12, 31))
    command = SetCalendar(rep="dan", calendar=newer, playbook="five-five-five", occurred_at=desk.now)
    assert "applied" == desk.do(rep_id("dan"), command).outcome
    late = SetCalendar(rep="dan", calendar=older, playbook="five-five-five", occurred_at=desk.now - timedelta(days=1))
    assert ("refused", "newer_calendar") == ((answer := desk.do(rep_id("dan"), late)).outcome, answer.rule)
    assert [(calendar_digest(newer),)] == desk.ask("SELECT calendar FROM reps WHERE name = 'dan'")
    assert [(0,)] == desk.ask("SELECT count(*) FROM calendars WHERE digest = :digest", digest=calendar_digest(older))
    desk.queued()
    (used,) = desk.ask("SELECT body::json -> 'used' ->> 'calendar' FROM events WHERE type = 'revival_queued'")
    assert (calendar_digest(newer),) == used
    with transaction(desk.engine) as connection:
        assert verify(connection).findings == []
