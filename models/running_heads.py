"""The heads of all streams while the log is read event by event, and the root over them at any moment of that."""

from uuid import UUID

from workflows.heads import Head, leaf_of
from workflows.merkle import merkle_root


class RunningHeads:
    """The newest event of each stream so far, and the root over them."""

    def __init__(self) -> None:
        """Start before the first event."""
        self._ids: list[bytes] = []
        self._leaves: dict[bytes, bytes] = {}
        self._changed: set[bytes] = set()
        self._newest: dict[bytes, tuple[int, bytes]] = {}

    def take(self, stream_id: bytes, version: int, hash_: bytes) -> None:
        """Take the next event of the stream, whose id is given as 16 bytes."""
        self._newest[stream_id] = version, hash_
        self._changed.add(stream_id)

    @property
    def streams(self) -> int:
        """How many streams have an event so far."""
        return len(self._newest)

    def root(self) -> bytes:
        """Return the heads root; only what has changed since the last time is hashed anew, besides the inner nodes."""
        self._ids += [id_ for id_ in self._changed if id_ not in self._leaves]
        self._ids.sort()
        for id_ in self._changed:
            head = Head(UUID(bytes=id_), *self._newest[id_])
            self._leaves[id_] = leaf_of(head.stream_id, head.commitment)
        self._changed.clear()
        return merkle_root(self._leaves[id_] for id_ in self._ids)
