"""The notary: makes signed checkpoints of the log, records the heads of all streams daily, and sends the notes away.

It runs in the clock process, in a thread of its own, and does nothing while there is no key. Any number may run: one at a time
holds the lock. It signs nothing that contradicts what was signed before, neither the newest checkpoint in the database nor the
newest in the file of sent ones; such a log was altered, or is an earlier backup, and somebody has to look (`thaw verify`).
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from models import checkpoints, events, heads, operations, tree, views
from models.checkpoints import CheckpointRow
from models.database import Connection, Engine, ModelError, transaction
from service.destinations import Destination, DestinationError
from service.keys import KeyFiles, SigningKey, opened, signed
from workflows.notes import Checkpoint, NoteError
from workflows.operations import KeyInForce

#: A checkpoint is due after so many new events, or so many seconds after the last one when there is any new event.
EVENTS_MOST = 1_000
SECONDS_MOST = 60.0

#: How often the notary looks whether one is due.
POLL_SECONDS = 1.0

#: How long a destination that failed is left alone.
RETRY_SECONDS = 30.0

log = structlog.get_logger()


class ContradictionError(ModelError):
    """The log is not what was signed before; the message says what differs. Nothing was signed."""


class Notary:
    """Makes checkpoints with the keys in *keys* and sends them to *destinations*."""

    def __init__(
        self, engine: Engine, now: Callable[[], datetime], keys: KeyFiles, destinations: Sequence[Destination]
    ) -> None:
        """Take the service's clock as *now*: it dates recorded heads. Checkpoints are dated by the database's clock."""
        self._engine = engine
        self._now = now
        self._keys = keys
        self._destinations = destinations
        self._left_alone_until: dict[str, float] = {}

    def run(self, stopping: threading.Event) -> None:
        """Do what is due, again and again, until *stopping* is set."""
        while not stopping.wait(POLL_SECONDS):
            try:
                self.tick()
            except Exception as error:  # noqa: BLE001  # what somebody wrote into the database may be anything, and must not end this
                log.error("notary_waits", error=str(error) or type(error).__name__)
                stopping.wait(SECONDS_MOST / 2)

    def tick(self) -> CheckpointRow | None:
        """Record heads, make a checkpoint and send it, whatever of these is due; return the checkpoint if one was made.

        Raises
        ------
        ContradictionError
            When the log is not what was signed before.
        KeyFileError
            When the key cannot be used.
        ModelError
            When PostgreSQL is away, or the log has a gap.
        """
        if not self._keys.exist:
            if self._keys.known() and self._checkpoint_is_due():
                self._keys.signing()  # it is gone: the error says so
            return None
        if self._checkpoint_is_due():
            self.record_key("clock", wait=False)
        if self._heads_are_due():
            self.record_heads("clock", wait=False)
        made = self.make(wait=False) if self._checkpoint_is_due() else None
        self.send()
        return made

    def _heads_are_due(self) -> bool:
        with transaction(self._engine) as connection:
            last = heads.newest(connection)
            head = events.head_position(connection)
        if last is None:
            return head > 0
        if self._now() < last.recorded_at:
            # Our clock was ahead once, perhaps by years. Until it is there again, events tell the time.
            return head - last.position >= EVENTS_MOST
        return self._now().date() > last.recorded_at.date() and head > last.position

    def _checkpoint_is_due(self) -> bool:
        with transaction(self._engine) as connection:
            last = checkpoints.newest(connection)
            new = events.head_position(connection) - (last.size if last else 0)
            if last is None or new <= 0:
                return new != 0  # fewer events than were signed: making one says what is wrong
            # Less than none have passed where the database's clock was put back.
            return new >= EVENTS_MOST or not 0 <= checkpoints.seconds_since(connection, last.made_at) < SECONDS_MOST

    def record_heads(self, actor: str, *, wait: bool) -> int | None:
        """Record the heads of all streams in the log; return the position, None when another notary is at it and not *wait*."""
        # What costs time is done on a snapshot: nobody who appends waits for it.
        with views.snapshot(self._engine) as connection:
            known = heads.newest(connection)
            found = heads.measured(connection, events.head_position(connection))
        with transaction(self._engine) as connection:
            if not checkpoints.lock(connection, wait=wait):
                return None
            newest = heads.newest(connection)
            if newest != known and not wait:
                return None
            if newest and newest != known and newest.data.size >= found.data.size:
                return newest.position  # another recorded meanwhile what we have measured, or more
            position = heads.record(connection, found, now=self._now(), actor=actor)
        log.info("heads_recorded", position=position, streams=found.data.streams)
        return position

    def record_key(self, actor: str, *, wait: bool) -> None:
        """Say in the log which key signs, unless the log says so already or another notary is at it and not *wait*.

        Raises
        ------
        ContradictionError
            When the log is not what was signed before; nothing was appended to it.
        KeyFileError
            When the key cannot be used.
        """
        key = str(self._keys.signing()[0].verifier)
        with transaction(self._engine) as connection:
            if not checkpoints.lock(connection, wait=wait):
                return
            known = operations.key_in_force(connection)
            if known != key:
                self._refuse_contradictions(connection, events.head_position(connection), checkpoints.newest(connection))
                operations.append(connection, KeyInForce(key=key, replaces=known), now=self._now(), by=actor)

    def make(self, *, wait: bool) -> CheckpointRow | None:
        """Sign and keep a checkpoint of the log as it is; None when there is nothing new, or another notary is at it.

        Raises
        ------
        ContradictionError
            When the log is not what was signed before.
        KeyFileError
            When the key cannot be used.
        TreeError
            When the log or the stored tree has a gap.
        """
        with transaction(self._engine) as connection:
            if not checkpoints.lock(connection, wait=wait):
                return None
            # Behind the lock: whoever had it may have finished a rotation, and another may have begun since.
            keys = self._keys.signing()
            size, last = events.head_position(connection), checkpoints.newest(connection)
            self._refuse_contradictions(connection, size, last)
            if size == (last.size if last else 0):
                return None
            made = _made(connection, size, keys)
        for replaced in keys[1:]:
            self._keys.retire(replaced.verifier)
        log.info("checkpoint_made", size=size)
        return made

    def _refuse_contradictions(self, connection: Connection, size: int, last: CheckpointRow | None) -> None:
        for before in ([last] if last else []) + self._sent():
            _refuse_contradiction(connection, size, before)

    def newest(self) -> CheckpointRow | None:
        """Return the newest checkpoint."""
        with transaction(self._engine) as connection:
            return checkpoints.newest(connection)

    def _sent(self) -> list[Checkpoint]:
        """Return the newest checkpoint at each destination that can tell."""
        known = self._keys.known()
        try:
            return [opened(note, known) for each in self._destinations if (note := each.newest()) is not None]
        except NoteError as error:
            raise ContradictionError(f"the newest checkpoint in THAW_CHECKPOINT_FILE is not one of ours: {error}") from error

    def send(self, *, at_once: bool = False) -> None:
        """Send the newest checkpoint to each destination that has not got it; what fails is tried again later.

        A destination that wants a checkpoint now and then only gets one then, or *at_once*.
        """
        for destination in self._destinations:
            if time.monotonic() < self._left_alone_until.get(destination.name, 0):
                continue
            with transaction(self._engine) as connection:
                waiting = checkpoints.undelivered(connection, destination.name)
                if waiting and not at_once and destination.seconds_between:
                    rested = checkpoints.seconds_since_delivery(connection, destination.name)
                    # A clock that was put back since says less than 0.
                    waiting = None if rested is not None and 0 <= rested < destination.seconds_between else waiting
            if waiting is None:
                continue
            try:
                destination.send(waiting.note)
            except DestinationError as error:
                self._left_alone_until[destination.name] = time.monotonic() + RETRY_SECONDS
                log.error("checkpoint_unsent", destination=destination.name, size=waiting.size, error=str(error))
                with transaction(self._engine) as connection:
                    checkpoints.failed(connection, destination.name, waiting.size, str(error))
            else:
                with transaction(self._engine) as connection:
                    checkpoints.delivered(connection, destination.name, waiting.size)


def _made(connection: Connection, size: int, keys: Sequence[SigningKey]) -> CheckpointRow:
    root = tree.extend(connection, size).root
    note = signed(Checkpoint(keys[0].verifier.name, size, root), list(keys))
    checkpoints.save(connection, size=size, root=root, note=str(note))
    made = checkpoints.find(connection, size)
    assert made is not None  # noqa: S101  # it was written in this transaction
    return made


def _refuse_contradiction(connection: Connection, size: int, before: CheckpointRow | Checkpoint) -> None:
    if before.size > size:
        raise ContradictionError(
            f"a checkpoint of {before.size} events was signed, and the log has {size}: it was cut, or is an old backup; "
            f"run `thaw verify`"
        )
    if tree.frontier_at(connection, before.size).root != before.root:
        raise ContradictionError(
            f"the checkpoint of {before.size} events that was signed is not of this log: run `thaw verify`"
        )
