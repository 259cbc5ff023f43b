"""What a bundle is to hold, and which positions of the log that comes to: what was asked for, and what it rests on."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal
from uuid import UUID

import msgspec

from models import bundle
from models.database import Connection
from workflows.merkle import Span

#: A million positions in a few words: what is contiguous stays a range.
Positions = Sequence[int]


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    kind: Literal["leads", "range", "all"]
    leads: tuple[UUID, ...] = ()
    first: int = 0
    last: int = 0
    """Of a range, both inclusive."""


class Chosen:
    """The positions of a bundle among the first *size* events: runs that ascend and do not overlap."""

    def __init__(self, runs: Sequence[Positions], size: int) -> None:
        self.runs = [run for run in runs if len(run)]
        self.size = size

    def __len__(self) -> int:
        """Return how many events there are."""
        return sum(len(run) for run in self.runs)

    def holds(self, position: int) -> bool:
        """Tell whether the event at *position* is in the bundle."""
        for run in self.runs:
            if isinstance(run, range):
                if position in run:
                    return True
            else:
                at = bisect_left(run, position)
                if at < len(run) and run[at] == position:
                    return True
        return False

    def between(self, cuts: Iterable[int]) -> Iterator[Span]:
        """Yield what is not in the bundle, as leaves of the tree, in order; cut at these sizes, to have the roots there."""
        ordered = sorted({cut for cut in cuts if 0 < cut < self.size})
        at = 0
        for run in (*self._contiguous(), range(self.size + 1, self.size + 2)):
            begin = run[0] - 1
            inside = ordered[bisect_left(ordered, at + 1) : bisect_left(ordered, begin)]
            for end in (*inside, begin):
                if at < end:
                    yield Span(at, end)
                at = end
            at = run[-1]

    def _contiguous(self) -> Iterator[range]:
        for run in self.runs:
            if isinstance(run, range):
                yield run
                continue
            begin = 0
            for index in range(1, len(run) + 1):
                if index == len(run) or run[index] != run[index - 1] + 1:
                    yield range(run[begin], run[index - 1] + 1)
                    begin = index


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Of an event's body, what it names that lies elsewhere in the log."""

    class Pin(msgspec.Struct, frozen=True):
        """A playbook."""

        digest: str

    class Colleague(msgspec.Struct, frozen=True):
        """Who calls instead of the owner."""

        rep: str
        calendar: str
        followed: str

    class Used(msgspec.Struct, frozen=True):
        """What a decision used."""

        calendar: str | None
        followed: str | None = None
        colleague: "Names.Colleague | None" = None
        wording: dict[str, str] = {}

    class Data(msgspec.Struct, frozen=True):
        """What happened."""

        owner: str | None = None
        layers: "Names.Pin | None" = None
        """Of a rep's days: the playbook below what the team and the rep do otherwise."""
        wording: str | None = None
        """Of a letter its digest, of a mail its name and digest."""
        footer: str | None = None

    playbook: Pin | None
    used: Used | None
    data: Data


_names = msgspec.json.Decoder(Names)


def names_of(body: bytes) -> Names:
    """Return what *body* names; nothing of what is no event: a bundle shows it as it is, and the verifier says so."""
    try:
        return _names.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return Names(playbook=None, used=None, data=Names.Data())


def choose(connection: Connection, selection: Selection, size: int, *, heads_at: int | None) -> Chosen:
    """Return the positions of what *selection* asks for among the first *size* events, and of what it rests on.

    Beside the events themselves these are the calendars that their decisions name, and the recorded heads at *heads_at*.
    """
    if selection.kind == "all":
        return Chosen([range(1, size + 1)], size)
    asked: Positions = (
        range(selection.first, selection.last + 1)
        if selection.kind == "range"
        else bundle.positions_of(connection, selection.leads, size)
    )
    beside = set(_calendars(connection, asked, size)) | ({heads_at} if heads_at else set())
    if isinstance(asked, range):
        return Chosen([array("q", sorted(position for position in beside if position not in asked)), asked], size)
    return Chosen([array("q", sorted({*asked, *beside}))], size)


def _calendars(connection: Connection, asked: Positions, size: int) -> Iterator[int]:
    """Yield the positions of the calendars that the decisions at *asked* name: of each owner, where the owner's rep has it,
    with each playbook that was followed with it.
    """
    digests, owners = set[str](), set[str]()
    for row in bundle.read_rows(connection, asked):
        names = names_of(row.body)
        if names.used and names.used.calendar:
            digests.add(names.used.calendar)
        if names.data.owner:
            owners.add(names.data.owner)
        if names.used and names.used.colleague:
            digests.add(names.used.colleague.calendar)
            owners.add(names.used.colleague.rep)
    first: dict[str, dict[tuple[str, str | None], int]] = {digest: {} for digest in digests}
    for frozen in bundle.frozen_calendars(connection, size):
        if frozen.digest in digests:
            first[frozen.digest].setdefault((frozen.rep, frozen.playbook), frozen.position)
    for by in first.values():
        # Of a range that begins in the middle of a history the owner is not known: any rep's calendar of that digest does.
        yield from [position for (rep, _), position in by.items() if rep in owners] or list(by.values())[:1]
