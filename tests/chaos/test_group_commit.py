"""One transaction for many messages decides as one transaction for each would."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from actors.apply import Applier
from actors.committer import Committer
from actors.submit import Submission, stage
from models.database import transaction
from models.messages import Ring
from service.embedded import EmbeddedServers
from tests.chaos.auditor import Audit
from tests.chaos.workload import START, Workload
from tests.servers import fresh_database
from tests.stage import Stage

OPEN = (
    "SELECT id, stream_id, actor_name, correlation_id, rings + 1 FROM messages "
    "WHERE settled_at IS NULL AND due_at <= %s ORDER BY stream_id, due_at, id"
)


#: Rounds of commands that pile up before they are applied, so that one transaction has several for the same lead.
ROUNDS = 3


class Rehearsal(Stage):
    """A stage without processes: what is handed in is applied here, *at_once* so many in one transaction."""

    at_once = 1
    rounds = 0

    def submit(self, submissions: Sequence[Submission]) -> None:
        """Stage *submissions*, and no more."""
        with transaction(self.service.engine) as connection:
            stage(connection, submissions, now=self.clock(), rung=False)

    def unsettled(self, ids: Sequence[UUID]) -> int:  # noqa: ARG002
        """Let each third round be the one that works off what has piled up; nobody waits for the others."""
        self.rounds += 1
        if self.rounds % ROUNDS == 0 or self.rounds == 1:
            self.settle()
        return 0

    def settle(self, *, patience: float = 0.0) -> None:  # noqa: ARG002
        """Apply what is due, and what follows from it, in the same order whatever the size of a transaction."""
        engine = self.service.engine
        committer = Committer(engine, Applier(engine, self.clock), self.service.bell)
        while rings := [Ring._make(row) for row in self.asker.rows(OPEN, self.clock())]:
            for first in range(0, len(rings), self.at_once):
                committer.apply_all(rings[first : first + self.at_once])


@pytest.fixture
def rehearsals(victims: EmbeddedServers, migrated: str, tmp_path: Path) -> Iterator[list[Rehearsal]]:
    """Yield three services that have nothing in common but what they are asked."""
    with contextlib.ExitStack() as stack:
        urls = [stack.enter_context(fresh_database(victims.database_url, migrated)) for _ in range(3)]
        rehearsals = [Rehearsal(url, victims.redis_url, "rehearsal", tmp_path) for url in urls]
        yield rehearsals
        for rehearsal in rehearsals:
            rehearsal.close()


def test_group_commit_decides_as_one_by_one_would(rehearsals: list[Rehearsal]) -> None:
    """The same commands in the same order leave the same log, byte for byte, alone, a few, or sixty in one transaction."""
    logs = []
    for rehearsal, at_once in zip(rehearsals, (1, 4, 60), strict=True):
        rehearsal.at_once = at_once
        rehearsal.clock.move(START)
        workload = Workload(rehearsal)
        workload.run({}, transitions=700)
        Audit(rehearsal).check(workload.submitted, None)
        logs.append(rehearsal.asker.rows("SELECT body, hash FROM events ORDER BY position"))
    assert logs[0] == logs[1]
    assert logs[0] == logs[2]
