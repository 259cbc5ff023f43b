"""The heads of all streams while the log is read event by event, and what they come to at any moment of that."""

from uuid import UUID

from workflows.heads import Head, Summed, leaf_of, summed


class RunningHeads:
    """The newest event of each stream so far, and what they come to: about 230 bytes of memory per stream."""

    def __init__(self) -> None:
        """Start before the first event."""
        #: By the stream's id: version and hash, until the leaf was made of them.
        self._heads: dict[bytes, tuple[int, bytes] | bytes] = {}
        self._ids: list[bytes] = []

    def take(self, stream_id: bytes, version: int, hash_: bytes) -> None:
        """Take the next event of the stream, whose id is given as 16 bytes."""
        self._heads[stream_id] = version, hash_

    def summed(self) -> Summed:
        """Return what the heads come to; only what has changed since the last time is hashed anew, besides the inner nodes."""
        if len(self._ids) != len(self._heads):
            self._ids = sorted(self._heads)
        return summed((id_, self._leaf(id_)) for id_ in self._ids)

    def _leaf(self, id_: bytes) -> bytes:
        head = self._heads[id_]
        if isinstance(head, tuple):
            stream_id = UUID(bytes=id_)
            head = self._heads[id_] = leaf_of(stream_id, Head(stream_id, *head).commitment)
        return head
