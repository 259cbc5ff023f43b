"""A tenth of the year in the life, twice: in memory, and through Redis, real processes and PostgreSQL. Both leave one log."""

import re
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from structlog.testing import capture_logs

from actors.submit import Submission, submit
from models import messages
from models.database import transaction
from service.calendars import freeze_calendar
from service.cli.run import children
from service.demo import run
from service.office import Office
from service.playbooks import shipped_playbooks
from service.supervisor import Supervisor
from tests.stage import Stage, linux, until
from workflows.codec import canonical, derived_id
from workflows.commands import Command

START, DAYS, LEADS = date(2026, 1, 5), 37, 67

#: So far apart that no rep's day is planned while another one's calls come due: a plan names the log that it rests on, and of
#: what happens at one moment the service may do either first.
ZONES = {"dan": "Asia/Kolkata", "eve": "Europe/Berlin", "flo": "America/New_York"}


_LOOKED = re.compile(r'(?<="queue":\{)(.*?)"position":\d+')


class Twofold(Office):
    """An office whose every step is also made by the service on a stage."""

    def __init__(self, stage: Stage, **options: Any) -> None:
        self._stage = stage
        self._numbers = 0
        super().__init__(**options)

    def hand_in(self, work: list[tuple[UUID, Command]], who: str) -> None:  # type: ignore[override]
        """Hand in the same with the same ids, and let both finish."""
        staged = []
        for stream_id, command in work:
            self._numbers += 1
            id_ = derived_id("office", self._numbers)
            staged.append(Submission(id=id_, stream_id=stream_id, command=command, asked_by=who))
        service = self._stage.service
        submit(service.engine, service.bell, staged, now=self._stage.clock())
        self._settle()
        super().hand_in(work, who)

    def run_until(self, moment: datetime) -> None:
        """Stop at each moment at which something is due, and let both finish what is."""
        while (due := self.simulation.next_due()) is not None and due <= moment:
            self._move(due)
        self._move(moment)

    def _move(self, moment: datetime) -> None:
        self._stage.clock.move(moment)
        self._settle()
        self.simulation.move(moment)

    def _settle(self) -> None:
        until(self._is_settled, "what is due is done")

    def _is_settled(self) -> bool:
        with transaction(self._stage.service.engine) as connection:
            return messages.unsettled_due(connection, now=self._stage.clock()) == 0


@linux
def test_the_broker_and_the_database_end_in_the_log_that_memory_ends_in(stage: Stage) -> None:
    """The bodies of every lead and rep, byte for byte. One thread works, so that messages are decided in their order.

    Left out is how much of the log there was when a decision looked at the team's queue: memory decides all that is handed in
    together as one transaction, and a single thread each as one of its own.
    """
    stage.clock.move(datetime(START.year, START.month, START.day, tzinfo=UTC))
    settings = msgspec.structs.replace(stage.settings, clock_poll_ms=10, worker_threads=1)
    horizon = START - timedelta(days=366), START + timedelta(days=1100)
    with capture_logs() as logs:
        supervisor = Supervisor(children(settings))
        with run.in_background(supervisor.run, supervisor.stop):
            office = Twofold(
                stage,
                playbook=shipped_playbooks()["five-five-five"][0],
                calendars={rep: freeze_calendar("US", "", zone, *horizon) for rep, zone in ZONES.items()},
                start=START,
                leads=LEADS,
                answer_rate=0.4,
                seed=1,
            )
            for number in range(DAYS):
                office.live(START + timedelta(days=number))
    assert [entry for entry in logs if entry["event"] == "child_died"] == []
    simulated: dict[UUID, list[str]] = defaultdict(list)
    for recorded in office.log:
        simulated[recorded.stream_id].append(_LOOKED.sub("", canonical(recorded).decode()))
    written: dict[UUID, list[str]] = defaultdict(list)
    for stream_id, body in stage.asker.rows(
        "SELECT stream_id, body FROM events WHERE body::jsonb->>'state' <> 'service' ORDER BY position"
    ):
        written[stream_id].append(_LOOKED.sub("", body))
    assert sum(map(len, written.values())) > 1_500
    for stream_id, bodies in simulated.items():
        assert written[stream_id] == bodies
    assert written.keys() == simulated.keys()
