"""Group commit: worker threads hand in their message and wait; one thread applies all that wait in one transaction.

A message that fails takes nobody with it: its batch is applied again message by message, and it alone records the failure.
"""

import queue
import threading
import traceback
from collections.abc import Sequence
from concurrent.futures import Future
from uuid import UUID

import structlog

from actors.apply import Applier
from actors.bell import Bell
from models import messages
from models.database import ConcurrentAppendError, DatabaseFullError, DatabaseUnavailableError, Engine, transaction
from models.messages import Ring

MAX_BATCH = 128

#: A message that has failed this often is dead until somebody retries it: about 17 minutes after its first failure.
MAX_ATTEMPTS = 10

#: A message that was rung this often with deliveries that neither settled nor failed kills its workers, and is buried.
MAX_DELIVERIES = 5

#: How often a batch is tried at once when another transaction was faster.
CONCURRENCY_TRIES = 3

log = structlog.get_logger()


class Committer:
    """Applies messages for the threads of one worker process. `start` it before the first `apply`."""

    def __init__(self, engine: Engine, applier: Applier, bell: Bell) -> None:
        self._engine = engine
        self._applier = applier
        self._bell = bell
        self._waiting: queue.SimpleQueue[tuple[Ring, Future[None]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the committing thread; a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Apply what waits and end the thread."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    @property
    def alive(self) -> bool:
        """Whether the committing thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def apply(self, ring: Ring) -> None:
        """Apply one message, together with those of other threads, and return when that is committed or recorded as failed."""
        done: Future[None] = Future()
        self._waiting.put((ring, done))
        done.result()

    def _run(self) -> None:
        running = True
        while running:
            waiting = [self._waiting.get()]
            while len(waiting) < MAX_BATCH and not self._waiting.empty():
                waiting.append(self._waiting.get())
            running = None not in waiting
            batch = [entry for entry in waiting if entry is not None]
            try:
                self.apply_all([ring for ring, _ in batch])
            except BaseException as error:  # noqa: BLE001  # whatever it is, the threads that wait must hear of it
                for _, done in batch:
                    done.set_exception(error)
            else:
                for _, done in batch:
                    done.set_result(None)

    def apply_all(self, rings: Sequence[Ring]) -> None:
        """Apply *rings*: together if possible, else one by one, recording the failures of those that fail.

        Raises
        ------
        DatabaseUnavailableError
            When PostgreSQL is away; nothing is lost, and the clock rings again.
        """
        again = {ring.message_id: ring for ring in rings if ring.number > 1}
        first = {ring.message_id: ring for ring in rings if ring.number == 1 and ring.message_id not in again}
        counted = self._open_deliveries(list(again))
        for ring in again.values():
            # Whoever did not come back from an earlier delivery goes alone, and ends nobody else's work.
            if counted.get(ring.message_id) and self._may_be_delivered(ring):
                self._apply_alone(ring)
        together = [*(ring for ring in again.values() if counted.get(ring.message_id) == 0), *first.values()]
        if together and not self._try(together):
            for ring in together:
                self._apply_alone(ring)

    def _try(self, rings: Sequence[Ring]) -> bool:
        """Apply *rings* in one transaction and return whether that worked."""
        for _ in range(CONCURRENCY_TRIES):
            try:
                rung = self._applier.apply(rings)
            except ConcurrentAppendError:
                continue
            except DatabaseUnavailableError:
                raise
            except Exception:  # noqa: BLE001  # told apart one by one in _apply_alone
                return False
            self._bell.ring_soon(rung)
            return True
        return False

    def _apply_alone(self, ring: Ring) -> None:
        try:
            self._bell.ring_soon(self._applier.apply([ring]))
        except DatabaseUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001  # any failure of one message is recorded on its row, for people to see
            self._record_failure(ring, error)

    def _record_failure(self, ring: Ring, error: Exception) -> None:
        sentence = f"{type(error).__name__}: {error}"
        try:
            with transaction(self._engine) as connection:
                outcome = messages.fail(
                    connection,
                    ring.message_id,
                    error=sentence,
                    traceback="".join(traceback.format_exception(error)),
                    max_attempts=MAX_ATTEMPTS,
                )
        except DatabaseFullError:
            # Not even the failure can be written. The row stays unsettled, so the clock rings it again later.
            log.critical("database_full", message_id=str(ring.message_id), error=sentence)
            return
        log.error("message_failed", message_id=str(ring.message_id), error=sentence, outcome=outcome or "will be tried again")

    def _open_deliveries(self, ids: Sequence[UUID]) -> dict[UUID, int]:
        if not ids:
            return {}
        with transaction(self._engine) as connection:
            return messages.open_deliveries(connection, ids)

    def _may_be_delivered(self, ring: Ring) -> bool:
        """Count a repeated delivery before its work, so that a message that kills its worker each time comes to an end."""
        with transaction(self._engine) as connection:
            deliveries = messages.count_delivery(connection, ring.message_id)
            if deliveries > MAX_DELIVERIES:
                messages.bury(
                    connection,
                    ring.message_id,
                    error=f"delivered {deliveries} times and never settled: it seems to end its worker each time",
                )
        if deliveries > MAX_DELIVERIES:
            log.error("message_buried", message_id=str(ring.message_id), deliveries=deliveries)
        return 0 < deliveries <= MAX_DELIVERIES
