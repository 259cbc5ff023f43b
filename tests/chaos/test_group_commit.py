"""One transaction for many messages decides as one transaction for each would."""

from collections.abc import Iterator, Sequence
from pathlib import Path

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
    "WHERE settled_at IS NULL AND due_at <= %s ORDER BY due_at, id"
)


class Rehearsal(Stage):
    """A stage without processes: what is handed in is applied here and now, *at_once* so many in one transaction."""

    at_once = 1

    def submit(self, submissions: Sequence[Submission]) -> None:
        """Stage *submissions* and work off all that is due."""
        with transaction(self.service.engine) as connection:
            stage(connection, submissions, now=self.clock(), rung=False)
        self.settle()

    def settle(self, *, patience: float = 0.0) -> None:  # noqa: ARG002
        """Apply what is due, and what follows from it, in the same order whatever the size of a transaction."""
        engine = self.service.engine
        committer = Committer(engine, Applier(engine, self.clock), self.service.bell)
        while rings := [Ring._make(row) for row in self.asker.rows(OPEN, self.clock())]:
            for first in range(0, len(rings), self.at_once):
                committer.apply_all(rings[first : first + self.at_once])


@pytest.fixture
def logs(victims: EmbeddedServers, migrated: str, tmp_path: Path) -> Iterator[list[Rehearsal]]:
    """Yield two services that have nothing in common but what they are asked."""
    with (
        fresh_database(victims.database_url, migrated) as one,
        fresh_database(victims.database_url, migrated) as other,
    ):
        stages = [Rehearsal(url, victims.redis_url, "rehearsal", tmp_path) for url in (one, other)]
        yield stages
        for each in stages:
            each.close()


def test_group_commit_decides_as_one_by_one_would(logs: list[Rehearsal]) -> None:
    """The same commands in the same order leave the same log, byte for byte, alone or sixty in one transaction."""
    for rehearsal, at_once in zip(logs, (1, 60), strict=True):
        rehearsal.at_once = at_once
        rehearsal.clock.move(START)
        workload = Workload(rehearsal)
        workload.run({}, transitions=600)
        Audit(rehearsal).check(workload.submitted, None)
    alone, together = (rehearsal.asker.rows("SELECT body, hash FROM events ORDER BY position") for rehearsal in logs)
    assert alone == together
