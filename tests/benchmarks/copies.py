"""Lives written again, as those of other leads: a log of ten million events that somebody can wait for.

A copy is the life that its lead would have lived: its ids, its rep, its slots and its messages are those of its number. Each of
its events is decoded, made canonical, hashed and chained by the service's own functions, as any event is. The offline verifier,
which makes every decision again, finds no difference.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID, uuid5

from models.events import Appended, chained
from tests.benchmarks.cast import lead_id
from workflows.codec import GENESIS
from workflows.events import decode_recorded

#: So many reps share the leads; the slots of a rep's day are numbered up to 1,000.
REPS = 1_000

#: Lives that are to be copied have numbers below this one; copies have those above it.
ORIGINALS = 10_000

#: So many times each life can be written, all in all, until there is no slot left.
COPIES_MOST = REPS * 1_000 // ORIGINALS


class Standing(NamedTuple):
    """Who a lead is: what of its events follows from its number."""

    id: UUID
    rep: str
    ordinal: int
    """Of its slots."""


def standing(number: int) -> Standing:
    """Return who the lead with this number is."""
    return Standing(lead_id(number), f"rep-{number % REPS:03}", number // REPS % 1_000 + 1)


def message_id(lead: UUID, index: int) -> UUID:
    """Return the id of the message of which the first event is at *index* of the lead's life."""
    return uuid5(lead, str(index))


def correlation_id(lead: UUID) -> UUID:
    """Return what all messages of the lead share."""
    return uuid5(lead, "correlation")


def copies(block: Iterable[Appended], numbers: Iterable[int], copy: int) -> Iterator[Appended]:
    """Yield the events of *block*, whole lives of the leads with these *numbers*, as those of others, in the same order."""
    written = {lead_id(number): _Copy(number, number + copy * ORIGINALS) for number in numbers}
    for appended in block:
        yield written[appended.recorded.stream_id].of(appended)


class _Copy:
    """The life of one lead, written as that of another."""

    def __init__(self, number: int, other: int) -> None:
        old, new = standing(number), standing(other)
        self._id = new.id
        self._messages = {correlation_id(old.id): correlation_id(new.id)}
        self._same = [
            (b'"%s"' % str(old.id).encode(), b'"%s"' % str(new.id).encode()),
            (b'"%s"' % old.rep.encode(), b'"%s"' % new.rep.encode()),
            (b'"ordinal":%d,' % old.ordinal, b'"ordinal":%d,' % new.ordinal),
        ]
        self._hash = GENESIS

    def of(self, appended: Appended) -> Appended:
        """Return the next event of the copy."""
        original = appended.recorded
        self._messages.setdefault(original.message_id, message_id(self._id, original.version - 1))
        body = appended.body
        for before, after in self._same:
            body = body.replace(before, after)
        for id_ in filter(None, (original.message_id, original.correlation_id, original.causation_id)):
            body = body.replace(str(id_).encode(), str(self._messages[id_]).encode())
        written = chained(decode_recorded(body), self._hash)
        self._hash = written.hash
        return written
