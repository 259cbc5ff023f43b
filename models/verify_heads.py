"""Are the heads that were recorded those that the streams had, and the nodes that are kept of their trees what these come to?

Asked while `models.verify_tree` reads the events in order, at each moment of which heads were recorded.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import Connection, text

from models import heads_nodes
from models.findings import Finding
from models.running_heads import RunningHeads
from workflows.events import HeadsRecorded, UnreadableEventError, decode_recorded
from workflows.heads import HeadsNode
from workflows.service_stream import SERVICE_ID

#: There are no trees of so many levels.
_LEVELS = 64


class _Recorded(NamedTuple):
    """What a ``heads_recorded`` at *position* says of the first *size* events."""

    size: int
    position: int
    streams: int
    root: str


class HeadsVerification:
    """The heads of the events so far, and what was recorded of heads further on."""

    def __init__(self, connection: Connection, since: int) -> None:
        """Begin before the first event. Of what was recorded up to the position *since*, nothing is compared."""
        self._connection = connection
        self._heads = RunningHeads()
        recorded = sorted(_recorded(connection))
        self._waiting = deque(each for each in recorded if each.position > since)
        self._kept = heads_nodes.sizes(connection)
        self._stray = self._kept.difference(each.size for each in recorded)

    def take(self, stream_id: bytes, version: int, hash_: bytes) -> None:
        """Take the next event of the stream, whose id is given as 16 bytes."""
        self._heads.take(stream_id, version, hash_)

    @property
    def due(self) -> int | None:
        """Behind which event there is something to compare next; None when there is nothing more."""
        return self._waiting[0].size if self._waiting else None

    def compare(self, events: int) -> Iterator[Finding]:
        """Compare what is due with the first *events* events, which were taken."""
        while self._waiting and self._waiting[0].size <= events:
            claimed = self._waiting.popleft()
            if claimed.size != events:
                yield _differ(claimed)
                continue
            found = self._heads.summed()
            # One that claims to know heads behind itself never fits: its own hash would be among what it is over.
            if (claimed.streams, claimed.root) != (found.streams, found.root.hex()):
                yield _differ(claimed)
            if claimed.size in self._kept:
                self._kept.remove(claimed.size)
                yield from _compare_nodes(claimed, found.nodes, heads_nodes.read(self._connection, claimed.size))

    def left_over(self) -> Iterator[Finding]:
        """Say what was recorded, or is kept, of heads that there cannot be."""
        yield from (_differ(claimed) for claimed in self._waiting if claimed.size >= claimed.position)
        for size in sorted(self._stray)[:1]:
            sentence = f"a node is stored of the tree over the heads of {size} events, which no event recorded"
            yield Finding("heads_node_differs", None, SERVICE_ID, sentence)


def _recorded(connection: Connection) -> Iterable[_Recorded]:
    rows = connection.execute(text("SELECT position, body FROM events WHERE stream_id = :id"), {"id": SERVICE_ID})
    for position, body in rows:
        try:
            data = decode_recorded(body.encode()).data
        except UnreadableEventError:
            continue  # `models.verify` names it
        if isinstance(data, HeadsRecorded):
            yield _Recorded(data.size, position, data.streams, data.root)


def _differ(claimed: _Recorded) -> Finding:
    sentence = f"event {claimed.position} (heads_recorded) has other heads than the streams had at event {claimed.size}"
    return Finding("heads_differ", claimed.position, SERVICE_ID, sentence)


def _compare_nodes(claimed: _Recorded, right: Iterable[HeadsNode], kept: Iterable[HeadsNode]) -> Iterator[Finding]:
    """Name the first node that is kept and wrong. What is missing is made again whenever it is asked for."""
    expected = {each.node: each for each in right}
    for each in kept:
        if expected.get(each.node) != each:
            level, number = each.node
            # Nodes are stored with any level.
            many = 0 <= level < _LEVELS
            which = f"over the heads {(number << level) + 1} to {(number + 1) << level}" if many else f"of level {level}"
            sentence = (
                f"the stored node {which} of those that event {claimed.position} recorded is not what they come to: "
                f"`thaw rebuild` makes it anew"
            )
            yield Finding("heads_node_differs", claimed.position, SERVICE_ID, sentence)
            return
