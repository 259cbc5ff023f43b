"""A tenth of the year in the life, twice: in memory, and through Redis, real processes and PostgreSQL. Both leave one log."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec
from structlog.testing import capture_logs

from actors.submit import Submission, submit
from models import messages, playbooks
from models.database import transaction
from service.cli.run import children
from service.demo import run
from service.office import Office
from service.supervisor import Supervisor
from tests.stage import Stage, linux, until
from tests.year import START, Course, playbook
from workflows.codec import canonical, derived_id
from workflows.commands import Command, ConfirmCutBait
from workflows.events import event_type
from workflows.playbooks import Playbook


class Twofold(Office):
    """An office whose every step is also made by the service on a stage."""

    def __init__(self, stage: Stage, **options: Any) -> None:
        self._stage = stage
        self._numbers = 0
        super().__init__(**options)

    def hand_in(self, work: list[tuple[UUID, Command]], who: str) -> None:  # type: ignore[override]
        """Hand in the same with the same ids, and let both finish.

        What looks at the team's queue is handed in alone, because it names the log that it looked at: memory decides all that
        is handed in together as one transaction, and a single thread each as one of its own.
        """
        for part in _parts(work):
            self._hand_in_both(part, who)

    def _hand_in_both(self, work: Sequence[tuple[UUID, Command]], who: str) -> None:
        staged = []
        for stream_id, command in work:
            self._numbers += 1
            id_ = derived_id("office", self._numbers)
            staged.append(Submission(id=id_, stream_id=stream_id, command=command, asked_by=who))
        service = self._stage.service
        submit(service.engine, service.bell, staged, now=self._stage.clock())
        self._settle()
        super().hand_in(work, who)

    def publish(self, playbook: Playbook) -> None:
        """Publish a version on both sides."""
        with transaction(self._stage.service.engine) as connection:
            playbooks.publish(connection, playbook)
        self.simulation.publish(playbook)

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


def _parts(work: Sequence[tuple[UUID, Command]]) -> Iterator[list[tuple[UUID, Command]]]:
    for looks, part in groupby(work, key=lambda item: isinstance(item[1], ConfirmCutBait)):
        together = list(part)
        yield from ([item] for item in together) if looks else [together]


@linux
def test_the_broker_and_the_database_end_in_the_log_that_memory_ends_in(stage: Stage) -> None:
    """The bodies of every lead and rep, byte for byte. One thread works, so that messages are decided in their order."""
    stage.clock.move(datetime(START.year, START.month, START.day, tzinfo=UTC))
    settings = msgspec.structs.replace(stage.settings, clock_poll_ms=10, worker_threads=1)
    course = Course(scale=10)
    with transaction(stage.service.engine) as connection:
        playbooks.publish(connection, playbook(6))
    with capture_logs() as logs:
        supervisor = Supervisor(children(settings))
        with run.in_background(supervisor.run, supervisor.stop):
            office = Twofold(
                stage,
                playbook=playbook(6),
                calendars=course.calendars,
                start=START,
                leads=course.leads,
                answer_rate=0.4,
                seed=1,
                country="US",
            )
            course.live(office, office.publish, lambda _: None)
    assert [entry for entry in logs if entry["event"] == "child_died"] == []
    assert course.moved
    simulated: dict[UUID, list[str]] = defaultdict(list)
    for recorded in office.log:
        simulated[recorded.stream_id].append(canonical(recorded).decode())
    written: dict[UUID, list[str]] = defaultdict(list)
    for stream_id, body in stage.asker.rows(
        "SELECT stream_id, body FROM events WHERE body::jsonb->>'state' <> 'service' ORDER BY position"
    ):
        written[stream_id].append(body)
    kinds = Counter(event_type(recorded.data) for recorded in office.log)
    assert sum(map(len, written.values())) > 1_500
    assert min(kinds[kind] for kind in ("opted_out", "playbook_migrated", "call_rescheduled", "cut_bait_confirmed")) > 0, kinds
    for stream_id, bodies in simulated.items():
        assert written[stream_id] == bodies
    assert written.keys() == simulated.keys()
