"""Redis forgets, restarts, doubles and shuffles, and nobody can tell from the log."""

import os
import random
import signal
from collections.abc import Mapping
from uuid import UUID, uuid4

import redis

from models.messages import Ring
from service.embedded import EmbeddedServers
from tests.chaos.auditor import Audit
from tests.chaos.reader import following
from tests.chaos.workload import LEADS, REPS, Workload
from tests.stage import Stage, linux
from workflows.commands import Command

RINGS = "SELECT id, stream_id, actor_name, correlation_id, greatest(rings, 1) FROM messages"


@linux
def test_a_redis_that_forgets_everything_costs_nothing(stage: Stage, workload: Workload, victims: EmbeddedServers) -> None:
    """Invariant 1 holds when Redis is flushed, killed -9 and restarted cleanly, each in the middle of the work."""
    stage.hire_clock()
    stage.hire_worker()

    def flush() -> None:
        with redis.Redis.from_url(victims.redis_url) as client:
            client.flushall()

    def kill() -> None:
        os.kill(victims.redis_pid, signal.SIGKILL)
        victims.restart_redis()

    with following(stage.database_url) as reader:
        workload.run({1: flush, 3: kill, 5: victims.restart_redis, 7: flush})
    Audit(stage).check(workload.submitted, reader.seen)


class Doubled(Workload):
    """Everything that is handed in is also rung three times over in any order, with stale and with early copies."""

    dice = random.Random(2)  # shuffles, no secret

    def hand_in(self, work: Mapping[UUID, Command]) -> None:
        """Hand in, and, after the last part of a round, ring what was asked for and what was not."""
        super().hand_in(work)
        if len(self.submitted) % LEADS != len(REPS):
            return
        bell = self._stage.service.bell
        bell.ring(self._shuffled("WHERE settled_at IS NULL AND ring_again_at IS NOT NULL", copies=3))
        bell.ring(self._shuffled("WHERE settled_at IS NOT NULL ORDER BY random() LIMIT 60", copies=2))
        bell.ring(self._shuffled("WHERE settled_at IS NULL AND ring_again_at IS NULL ORDER BY random() LIMIT 20", copies=2))
        bell.ring([Ring(uuid4(), uuid4(), "note_sent", uuid4(), number) for number in (1, 2)])

    def _shuffled(self, which: str, *, copies: int) -> list[Ring]:
        rows = self._stage.asker.rows(f"{RINGS} {which}") * copies
        self.dice.shuffle(rows)
        # A first ring and a later one take different ways through the committer.
        return [Ring._make((*row[:4], self.dice.choice([1, 2]))) for row in rows]


@linux
def test_messages_that_are_doubled_and_shuffled_act_once(stage: Stage) -> None:
    """Invariants 1 and 9 hold when two workers get each message several times, in any order, before it is due and after."""
    stage.hire_clock()
    stage.hire_worker()
    stage.hire_worker()
    workload = Doubled(stage)
    with following(stage.database_url) as reader:
        workload.run({})
    Audit(stage).check(workload.submitted, reader.seen)
