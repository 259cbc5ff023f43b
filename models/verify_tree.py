"""Is the log the one that was signed? Every leaf is made again from the bodies, in the order of the positions.

One pass compares the stored nodes of the tree, the root of every checkpoint, that of every note from outside, and all recorded
heads (`models.verify_heads`) with what the events themselves come to; all checkpoints of one sequence of leaves are consistent
with each other. Memory is one entry per stream, whatever the length of the log.
"""

from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

from psycopg.types.string import ByteaBinaryLoader
from sqlalchemy import Connection

from models import checkpoints, tree
from models.findings import Finding
from models.verify_heads import HeadsVerification
from workflows.merkle import Frontier, Node, Span, leaf_hash
from workflows.notes import Checkpoint, NoteError, parse_checkpoint, parse_note

#: So many events are read at a time.
CHUNK_ROWS = 5_000

#: ``(note) -> the checkpoint in it``; raises NoteError when it is none, or no known key signed it.
OpenNote = Callable[[str], Checkpoint]


class TreeVerified(NamedTuple):
    """The result: *findings* is empty when all is well, and names the first wrong thing first."""

    events: int
    checkpoints: int
    newest: int
    """How many events the newest checkpoint commits to, 0 when there is none; nobody has signed anything of later ones."""
    findings: list[Finding]


class _Event(NamedTuple):
    position: int
    stream_id: bytes
    version: int
    hash: bytes
    body: bytes


class _Claim(NamedTuple):
    """The first *size* events have *root*, it says: one of ours (``checkpoint``), or one from ``outside``."""

    size: int
    root: bytes
    whose: str


def verify_tree(
    connection: Connection,
    *,
    open_note: OpenNote | None = None,
    outside: Sequence[Checkpoint] = (),
    since: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> TreeVerified:
    """Check tree, checkpoints and heads against the events, and the checkpoints that are known from *outside*.

    *open_note* checks signatures; without it, no key being known, only what was signed is checked. With *since* only the heads
    that were recorded behind that position are made again. Run it in a REPEATABLE READ transaction.
    """
    run = _TreeVerification(connection, open_note, outside, since, progress)
    findings = sorted(run.findings(), key=attrgetter("place"))
    return TreeVerified(run.events, run.checkpoints, run.newest, findings)


class _TreeVerification:
    def __init__(
        self,
        connection: Connection,
        open_note: OpenNote | None,
        outside: Sequence[Checkpoint],
        since: int | None,
        progress: Callable[[int], None],
    ) -> None:
        self._connection = connection
        self._open_note = open_note
        self._outside = outside
        self._progress = progress
        self._frontier = Frontier()
        self._heads = HeadsVerification(connection, since or 0)
        self._nodes = _Ahead(tree.read_nodes(connection))
        self._stray: Node | None = None
        """The first stored node that is no complete subtree of the log."""
        self._wrong_block: Span | None = None
        """The first block of which a stored node is not what its events come to."""
        self._contradicted: set[str] = set()
        self._believed = 0
        self.events = 0
        self.checkpoints = 0
        last = checkpoints.newest(connection)
        self.newest = last.size if last else 0

    def findings(self) -> Iterator[Finding]:
        unsigned: list[Finding] = []
        outside = (_Claim(c.size, c.root, "outside") for c in sorted(self._outside, key=lambda c: c.size))
        claims = _Ahead(merge(self._signed(unsigned), outside, key=lambda claim: claim.size))
        yield from self._compare(claims)
        due = self._due(claims)
        for read in self._log():
            events = read
            while events:
                number = len(events) if due is None else max(1, due - self.events)
                yield from self._take(events[:number])
                events = events[number:]
                if due is not None and self.events >= due:
                    yield from self._compare(claims)
                    yield from self._heads.compare(self.events)
                    due = self._due(claims)
            self._progress(self.events)
        yield from self._ahead(claims)
        yield from self._left_over()
        yield from self._heads.left_over()
        yield from unsigned
        yield from self._lost()

    def _due(self, claims: "_Ahead[_Claim]") -> int | None:
        """Return behind which event there is something to compare next."""
        sizes = [claims.next and claims.next.size, self._heads.due]
        return min((size for size in sizes if size is not None), default=None)

    def _log(self) -> Iterator[list[_Event]]:
        """Yield the events in order, some at a time, up to the first gap: `models.verify` names it."""
        driver: Any = self._connection.connection.driver_connection
        statement = "SELECT position, stream_id, version, hash, body FROM events WHERE position > %s ORDER BY position LIMIT %s"
        read = 0
        with driver.cursor(binary=True) as cursor:
            # As bytes, which is all that is asked of most: nothing is made of them here.
            for name in ("text", "uuid"):
                cursor.adapters.register_loader(name, ByteaBinaryLoader)
            while rows := cursor.execute(statement, (read, CHUNK_ROWS)).fetchall():
                events = [_Event._make(row) for position, row in enumerate(rows, start=read + 1) if row[0] == position]
                yield events
                read += len(events)
                if len(events) < len(rows):
                    return

    def _take(self, events: Sequence[_Event]) -> Iterator[Finding]:
        self.events = events[-1].position
        for node, hash_ in self._frontier.extend([leaf_hash(event.body) for event in events], tree.BLOCK_LEVEL):
            yield from self._check_node(node, hash_)
        for newest in {event.stream_id: event for event in events}.values():
            # Any version may stand there, and `models.verify` names it; of one below 0 no head can be made.
            self._heads.take(newest.stream_id, max(newest.version, 0), newest.hash)

    def _check_node(self, node: Node, hash_: bytes) -> Iterator[Finding]:
        stored = self._stored(node)
        span = Span(node.number << node.level, (node.number + 1) << node.level)
        if stored == hash_ or (stored is None and span.end > self.newest):
            return
        if self._wrong_block is None:
            self._wrong_block = span
            how = "is missing" if stored is None else "is not what they come to"
            sentence = f"the stored node of the tree over the events {span.begin + 1} to {span.end} {how}"
            yield Finding("tree_node_differs", span.end, None, sentence)

    def _stored(self, node: Node) -> bytes | None:
        """Return the hash under which *node*, the next to be completed, is stored."""
        while self._nodes.next and _completed(self._nodes.next.node) < _completed(node):
            self._stray = self._stray or self._nodes.next.node
            self._nodes.pop()
        return self._nodes.pop().hash if self._nodes.next and self._nodes.next.node == node else None

    def _compare(self, claims: "_Ahead[_Claim]") -> Iterator[Finding]:
        """Compare what is claimed of the events so far with what they are."""
        while claims.next and claims.next.size <= self.events:
            claim = claims.pop()
            if claim.root == self._frontier.root:
                self._believed = claim.size
            elif claim.whose not in self._contradicted:
                # Whatever was signed later contains this one, and cannot be true either.
                self._contradicted.add(claim.whose)
                yield self._differs(claim)

    def _differs(self, claim: _Claim) -> Finding:
        first, last = self._believed + 1, claim.size
        if self._wrong_block and self._wrong_block.begin + 1 >= first:
            first, last = self._wrong_block.begin + 1, min(last, self._wrong_block.end)
        sentence = f"{_named(claim)} is over other events than the log has: the first other one is among {first} to {last}"
        return Finding(f"{claim.whose}_differs", last, None, sentence)

    def _ahead(self, claims: "_Ahead[_Claim]") -> Iterator[Finding]:
        while claims.next:
            claim = claims.pop()
            if claim.whose not in self._contradicted:
                self._contradicted.add(claim.whose)
                sentence = f"{_named(claim)} is over more events than the log has without a gap, which is {self.events}"
                yield Finding(f"{claim.whose}_ahead", self.events + 1, None, sentence)

    def _left_over(self) -> Iterator[Finding]:
        stray = self._stray or (self._nodes.next and self._nodes.next.node)
        if stray:
            begin, end = stray.number << max(stray.level, 0), _completed(stray)[0]
            which = (
                f"over the events {begin + 1} to {end}, which are" if stray.level < 64 else f"of level {stray.level}, which is"
            )
            sentence = f"the tree has a node {which} not there"
            yield Finding("tree_node_differs", self.events + 1, None, sentence)

    def _lost(self) -> Iterator[Finding]:
        """Name the first checkpoint that is gone, and of which it is kept that it was sent."""
        size = checkpoints.first_lost(self._connection)
        if size is not None:
            sentence = f"it is kept that a checkpoint of {size} events arrived somewhere, and there is none"
            yield Finding("checkpoint_missing", max(size, 0), None, sentence)

    def _signed(self, unsigned: list[Finding]) -> Iterator[_Claim]:
        """Yield what the stored checkpoints claim; what is no checkpoint, or not signed by a known key, goes to *unsigned*."""
        for row in checkpoints.read_all(self._connection):
            self.checkpoints += 1
            try:
                note = self._open_note(row.note) if self._open_note else parse_checkpoint(parse_note(row.note).text)
            except NoteError as error:
                unsigned.append(Finding("checkpoint_unsigned", row.size, None, f"the checkpoint of {row.size} events: {error}"))
                continue
            if (note.size, note.root) != (row.size, row.root):
                sentence = f"the row of the checkpoint of {row.size} events is not what its note says"
                unsigned.append(Finding("checkpoint_copy_differs", row.size, None, sentence))
            else:
                yield _Claim(note.size, note.root, "checkpoint")


T = TypeVar("T")


class _Ahead(Generic[T]):
    """An iterator that shows what comes next."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self.next = next(items, None)

    def pop(self) -> T:
        """Return what comes next and go on; only while there is something."""
        assert self.next is not None  # noqa: S101  # the caller has looked
        item, self.next = self.next, next(self._items, None)
        return item


def _completed(node: Node) -> tuple[int, int]:
    """Return with which event *node* is complete, and its level: nodes are stored with any level, and read in this order."""
    return (node.number + 1) << max(node.level, 0), node.level


def _named(claim: _Claim) -> str:
    return f"the checkpoint of {claim.size} events{' from outside' if claim.whose == 'outside' else ''}"
