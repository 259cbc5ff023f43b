"""Two weeks of the demonstration on real processes: the promise of the method, counted in the log."""

from datetime import UTC, date, datetime

import msgspec
import pytest
from structlog.testing import capture_logs

from service.cli.run import children
from service.demo import run
from service.demo.report import days_between
from service.supervisor import Supervisor
from tests.stage import Stage, linux

FIRST_CALLS, LAST = date(2026, 1, 12), date(2026, 1, 16)


@linux
def test_two_weeks_of_five_notes_and_five_promised_calls_a_day(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five notes each working day, the first five calls five working days after the first notes, each call on its day."""
    monkeypatch.setattr(run, "END", LAST)
    monkeypatch.setattr(run, "LEADS", 100)
    stage.clock.move(datetime(2026, 1, 4, 5, 0, tzinfo=UTC))
    settings = msgspec.structs.replace(stage.settings, clock_poll_ms=10)
    with capture_logs() as logs:
        supervisor = Supervisor(children(settings))
        with run.in_background(supervisor.run, supervisor.stop):
            result = run.live_through(stage.service, stage.clock, run.Plan(), lambda *_: None)
    assert [entry for entry in logs if entry["event"] == "child_died"] == []
    figures = result.figures
    working_days = days_between(run.START, LAST, result.calendar)
    assert [promise.note_on for promise in result.touches.promises] == [day for day in working_days for _ in range(5)]
    assert figures.first_call == FIRST_CALLS
    assert (figures.notes_per_day, figures.promised_calls_per_day) == ({"min": 5, "max": 5}, {"min": 5, "max": 5})
    assert figures.gap_days == {7: 25}
    assert (figures.replay_mismatches, figures.messages_lost) == (0, 0)
