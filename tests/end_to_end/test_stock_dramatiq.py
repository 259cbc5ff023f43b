"""A person who knows Dramatiq runs our workers the way she runs any."""

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from actors.submit import Submission
from service.demo.run import Plan, calendar_for
from tests.stage import Stage, ask, linux
from workflows.commands import SetCalendar
from workflows.rep import rep_id


@linux
def test_the_stock_command_line_runs_our_workers(stage: Stage) -> None:
    """``dramatiq service.worker:broker``, with nothing but our own variables, applies what is rung and stops when told to."""
    stage.clock.move(datetime(2026, 1, 5, 15, 0, tzinfo=UTC))
    program = shutil.which("dramatiq", path=str(Path(sys.executable).parent)) or "dramatiq"
    ours = {name: value for name, value in stage.environ().items() if not name.startswith("dramatiq_")}
    worker = stage.hire("stock", [program, "service.worker:broker"], ours)
    command = SetCalendar(rep="dana", calendar=calendar_for(Plan()), playbook="five-five-five")
    stage.submit([Submission(id=uuid4(), stream_id=rep_id("dana"), command=command, asked_by="manager:mia")])
    stage.settle()
    assert ask(stage.database_url, "SELECT name FROM reps") == [("dana",)]
    assert worker.stop() == 0
