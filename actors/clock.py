"""The clock: due rows to the bell, what was rung and not settled again, and a lost Redis noticed.

Any number of clocks may run: each claims rows that no other one holds.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

import structlog

from actors.bell import QUEUE_LIMIT, Bell, BellUnavailableError
from models import bells, pauses, rings
from models.database import Connection, Engine, ModelError, transaction
from models.messages import Ring

CLAIM_LIMIT = 1000

#: How often rows are looked for when the last look found none.
POLL_SECONDS = 0.2

#: How often the clock tries again while PostgreSQL or Redis is away.
TROUBLE_SECONDS = 1.0

log = structlog.get_logger()


class Clock:
    """Rings what is due at the time that *now* tells."""

    def __init__(self, engine: Engine, bell: Bell, now: Callable[[], datetime], *, poll_seconds: float = POLL_SECONDS) -> None:
        self._engine = engine
        self._bell = bell
        self._now = now
        self._poll_seconds = poll_seconds

    def run(self, stopping: threading.Event) -> None:
        """Tick until *stopping* is set."""
        while not stopping.is_set():
            try:
                rung = self.tick()
            except (BellUnavailableError, ModelError) as error:
                log.error("clock_waits", error=str(error))
                stopping.wait(TROUBLE_SECONDS)
            else:
                if rung < CLAIM_LIMIT:
                    stopping.wait(self._poll_seconds)

    def tick(self) -> int:
        """Ring what is due now, or set it aside where it is paused, up to the limit, and return how much that was.

        Raises
        ------
        BellUnavailableError
            When Redis is away; what was claimed is given back.
        ModelError
            When PostgreSQL is away, full, or asks for another try.
        """
        self._notice_loss()
        room = QUEUE_LIMIT - self._bell.depth()
        if room <= 0:
            return 0
        limit = min(room, CLAIM_LIMIT)
        with transaction(self._engine) as connection:
            aside = pauses.set_aside_due(connection, now=self._now(), limit=CLAIM_LIMIT)
        due = self._ring(lambda connection: rings.claim_due(connection, now=self._now(), limit=limit))
        overdue = self._ring(lambda connection: rings.claim_overdue(connection, limit=limit))
        if overdue:
            log.warning("rung_again", count=overdue)
        return max(due, overdue, aside)

    def _ring(self, claim: Callable[[Connection], list[Ring]]) -> int:
        """Claim, commit, and ring.

        Not the other way round: a worker that is faster than the commit would find the row locked by us. A crash in between
        costs the lease of the rows that were claimed; with Redis away they are given back at once.
        """
        with transaction(self._engine) as connection:
            claimed = claim(connection)
        try:
            self._bell.ring(claimed)
        except BellUnavailableError:
            with transaction(self._engine) as connection:
                rings.give_back(connection, [ring.message_id for ring in claimed])
            raise
        return len(claimed)

    def _notice_loss(self) -> None:
        """Ring everything again when Redis restarted or lost its data, whoever notices first."""
        run_id, marker = self._bell.run_id(), self._bell.marker()
        with transaction(self._engine) as connection:
            known = bells.seen(connection, self._bell.namespace)
            if known is not None and known == (run_id, marker):
                return
            known = bells.lock(connection, self._bell.namespace)
            if known == (self._bell.run_id(), self._bell.marker()):
                return
            fresh = uuid4().hex
            lost = rings.ring_all_again(connection) if known is not None else 0
            self._bell.mark(fresh)
            bells.remember(connection, self._bell.namespace, run_id, fresh)
        if known is not None:
            log.warning("redis_was_lost", rung_again=lost)
