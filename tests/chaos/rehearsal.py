"""A stage without processes: what is handed in is applied here and now, so that nothing is left to chance."""

import contextlib
from collections.abc import Sequence

from actors.apply import Applier
from actors.committer import Committer
from actors.submit import Submission, stage
from models.database import DatabaseUnavailableError, transaction
from models.messages import Ring
from tests.stage import Stage

OPEN = (
    "SELECT id, stream_id, actor_name, correlation_id, rings + 1 FROM messages "
    # As in one transaction, where plans go before leads.
    "WHERE settled_at IS NULL AND due_at <= %s "
    "ORDER BY actor_name NOT IN ('day_planned', 'calendar_frozen'), stream_id, due_at, id"
)


class Rehearsal(Stage):
    """Applies what is due, *at_once* so many messages in one transaction, in the same order whatever that number."""

    at_once = 1

    def accept(self, submissions: Sequence[Submission]) -> None:
        """Stage *submissions*, and no more."""
        with transaction(self.service.engine) as connection:
            stage(connection, submissions, now=self.clock(), rung=False)

    def settle(self, *, patience: float = 0.0) -> None:  # noqa: ARG002
        """Apply what is due, and what follows from it, and all that again which PostgreSQL was away for."""
        engine = self.service.engine
        committer = Committer(engine, Applier(engine, self.clock), self.service.bell)
        while rings := [Ring._make(row) for row in self.asker.rows(OPEN, self.clock())]:
            for first in range(0, len(rings), self.at_once):
                with contextlib.suppress(DatabaseUnavailableError):
                    committer.apply_all(rings[first : first + self.at_once])
