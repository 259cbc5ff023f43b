"""Group commit: worker threads hand in their message and wait; one thread applies all that wait in one transaction.

A message that fails takes nobody with it: its batch is applied again message by message, and it alone records the failure.
"""

import queue
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from uuid import UUID

import structlog
from structlog.contextvars import bound_contextvars

from actors.apply import Applier
from actors.bell import Bell
from actors.this_process import this_process
from models import attempts
from models.database import ConcurrentAppendError, DatabaseFullError, DatabaseUnavailableError, Engine, LockedError, transaction
from models.messages import Ring

MAX_BATCH = 128

#: A batch begins when no message has come for so long: a fraction of what the commit of one takes.
GATHER_SECONDS = 0.001

#: A message that has failed this often is dead until somebody retries it: about 17 minutes after its first failure.
MAX_ATTEMPTS = 10

#: A message that was rung this often with deliveries that neither settled nor failed kills its workers, and is buried.
MAX_DELIVERIES = 5

#: PostgreSQL's own limits end a statement after 60 s; a batch that takes this long hangs on a connection that is gone.
STUCK_SECONDS = 180

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
        self._busy_since: float | None = None

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

    def trouble(self) -> str | None:
        """Say why no message can be applied any more, None when all is well."""
        if self._thread is not None and not self._thread.is_alive():
            return "the committing thread has died"
        since = self._busy_since
        if since is not None and time.monotonic() - since > STUCK_SECONDS:
            return f"a transaction has not come back for {STUCK_SECONDS} s"
        return None

    def apply(self, ring: Ring) -> None:
        """Apply one message, together with those of other threads, and return when that is committed or recorded as failed."""
        done: Future[None] = Future()
        self._waiting.put((ring, done))
        done.result()

    def _run(self) -> None:
        running = True
        while running:
            waiting = self._gather()
            running = None not in waiting
            batch = [entry for entry in waiting if entry is not None]
            self._busy_since = time.monotonic()
            try:
                self.apply_all([ring for ring, _ in batch])
            except BaseException as error:  # noqa: BLE001  # whatever it is, the threads that wait must hear of it
                for _, done in batch:
                    done.set_exception(error)
            else:
                for _, done in batch:
                    done.set_result(None)
            finally:
                self._busy_since = None

    def _gather(self) -> list[tuple[Ring, Future[None]] | None]:
        """Wait for a message, and for those that come in its wake.

        The threads of the last batch come back one after the other. To begin with the first of them would make every other
        transaction one of a single message, and have all threads fight with this one for the interpreter meanwhile.
        """
        waiting = [self._waiting.get()]
        came, before = self._waiting.qsize(), -1
        while before < came < MAX_BATCH - 1:
            time.sleep(GATHER_SECONDS)
            before, came = came, self._waiting.qsize()
        while len(waiting) < MAX_BATCH and not self._waiting.empty():
            waiting.append(self._waiting.get())
        return waiting

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
            if counted.get(ring.message_id) and may_be_delivered(self._engine, ring):
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
        with _bound(ring):
            for tries_left in reversed(range(CONCURRENCY_TRIES)):
                try:
                    self._bell.ring_soon(self._applier.apply([ring]))
                except DatabaseUnavailableError:
                    raise
                except Exception as error:  # noqa: BLE001  # recorded on the message's row, for people to see
                    if isinstance(error, ConcurrentAppendError) and tries_left:
                        continue
                    if isinstance(error, LockedError):
                        self._put_off(ring, error)
                    else:
                        self._record_failure(ring, error)
                return

    def _put_off(self, ring: Ring, error: LockedError) -> None:
        log.warning("message_put_off", error=str(error))
        with suppress(LockedError), transaction(self._engine) as connection:
            attempts.put_off(connection, ring.message_id)

    def _record_failure(self, ring: Ring, error: Exception) -> None:
        sentence = f"{type(error).__name__}: {error}"
        try:
            with transaction(self._engine) as connection:
                outcome = attempts.fail(
                    connection,
                    ring.message_id,
                    error=sentence,
                    traceback="".join(traceback.format_exception(error)),
                    max_attempts=MAX_ATTEMPTS,
                    worker=this_process(),
                )
        except DatabaseFullError:
            # Not even the failure can be written. The row stays unsettled, so the clock rings it again later.
            log.critical("database_full", error=sentence)
            return
        log.error("message_failed", error=sentence, outcome=outcome or "will be tried again")

    def _open_deliveries(self, ids: Sequence[UUID]) -> dict[UUID, int]:
        for _ in range(CONCURRENCY_TRIES if ids else 0):
            try:
                with transaction(self._engine) as connection:
                    return attempts.open_deliveries(connection, ids)
            except ConcurrentAppendError:
                continue
        # Nothing is lost: what is left out here is rung again.
        return {}


def may_be_delivered(engine: Engine, ring: Ring) -> bool:
    """Count a repeated delivery before its work, so that a message that kills its worker each time comes to an end."""
    with transaction(engine) as connection:
        deliveries = attempts.count_delivery(connection, ring.message_id)
        if deliveries > MAX_DELIVERIES:
            attempts.bury(
                connection,
                ring.message_id,
                error=f"delivered {deliveries} times and never settled: it seems to end its worker each time",
                worker=this_process(),
            )
    if deliveries > MAX_DELIVERIES:
        with _bound(ring):
            log.error("message_buried", deliveries=deliveries)
    return 0 < deliveries <= MAX_DELIVERIES


def _bound(ring: Ring) -> AbstractContextManager[object]:
    """Bind the ids of *ring* to log lines: this thread works for those that hold the actors' own context."""
    return bound_contextvars(
        message_id=str(ring.message_id),
        lead_id=str(ring.stream_id),
        actor=ring.actor_name,
        correlation_id=str(ring.correlation_id),
        ring=ring.number,
    )
