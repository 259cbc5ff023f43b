"""One transaction for many messages decides as one transaction for each would."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from tests.chaos.auditor import Audit
from tests.chaos.rehearsal import Rehearsal
from tests.chaos.workload import START, Workload
from tests.servers import ServersUnderTest, fresh_database

LOG = """
    SELECT regexp_replace(body, CASE type WHEN 'day_planned' THEN '"position":[0-9]+,' ELSE 'never' END, '')
      FROM events ORDER BY position
"""

#: Rounds of commands that pile up before they are applied, so that one transaction has several for the same lead.
ROUNDS = 3


class Piling(Rehearsal):
    """Applies nothing before enough rounds have piled up."""

    rounds = 0

    def unsettled(self, ids: Sequence[UUID]) -> int:  # noqa: ARG002
        """Let each third round be the one that works off what has piled up; nobody waits for the others."""
        self.rounds += 1
        if self.rounds % ROUNDS == 0 or self.rounds == 1:
            self.settle()
        return 0


@pytest.fixture
def rehearsals(ground: ServersUnderTest, template: str, namespace: str, tmp_path: Path) -> Iterator[list[Piling]]:
    """Yield three services that have nothing in common but what they are asked."""
    with contextlib.ExitStack() as stack:
        urls = [stack.enter_context(fresh_database(ground.database_url, template)) for _ in range(3)]
        rehearsals = [Piling(url, ground.redis_url, namespace, tmp_path) for url in urls]
        yield rehearsals
        for rehearsal in rehearsals:
            rehearsal.close()


def test_group_commit_decides_as_one_by_one_would(rehearsals: list[Piling]) -> None:
    """The same commands in the same order leave the same log, byte for byte, alone, a few, or sixty in one transaction.

    Only a plan says how much of the log there was when its transaction began.
    """
    logs = []
    for rehearsal, at_once in zip(rehearsals, (1, 4, 60), strict=True):
        rehearsal.at_once = at_once
        rehearsal.clock.move(START)
        workload = Workload(rehearsal)
        workload.run({}, transitions=700)
        Audit(rehearsal).check(workload.submitted, None)
        logs.append(rehearsal.asker.rows(LOG))
    assert logs[0] == logs[1]
    assert logs[0] == logs[2]
