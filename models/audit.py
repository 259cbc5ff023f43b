"""Events of the log, checked: their places, hashes, shapes, canonical form, and the columns that copy their bodies.

`Stream` takes the pieces of one stream as they come. `all_right` looks at a whole piece and only says whether it is as it
should be; where it is not, `check` says of one event after another what is wrong. Commands repeat: the same few hundred texts
stand in most events. Each is checked once and remembered.
"""

from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple, cast, get_args
from uuid import UUID

import msgspec

from models.events import pinned
from models.finite import bounded
from models.replay import fold_events
from workflows.codec import GENESIS, canonical, canonical_lines, chain_hash, chain_hashes
from workflows.commands import AnyCommand
from workflows.events import (
    AnyEvent,
    Effects,
    Event,
    PlaybookPin,
    Recorded,
    Slot,
    UnreadableEventError,
    Used,
    decode_recorded,
    event_type,
)
from workflows.invitation_streams import Stream as State
from workflows.invitation_streams import fold_stream

#: What `models.replay.scan` is to read, as `Columns` and `Row` have it.
SCANNED = (
    "position", "version", "hash", "body", "type::varchar", "schema", bounded("occurred_at"), bounded("recorded_at"),
    "message_id::varchar", "actor::varchar", "correlation_id::varchar", "causation_id::varchar", "playbook::varchar",
)  # fmt: skip


class Row(NamedTuple):
    """One event as it stands in the table. What stands behind the body is to be a copy of what the body says."""

    position: int
    version: int
    hash: bytes
    body: bytes
    type: str
    schema: int
    occurred_at: datetime
    recorded_at: datetime
    message_id: str
    actor: str
    correlation_id: str
    causation_id: str | None
    playbook: str | None


class Columns(NamedTuple):
    """Some events of one stream, oldest first: a list for each column of `Row`."""

    position: list[int]
    version: list[int]
    hash: list[bytes]
    body: list[bytes]
    type: list[str]
    schema: list[int]
    occurred_at: list[datetime]
    recorded_at: list[datetime]
    message_id: list[str]
    actor: list[str]
    correlation_id: list[str]
    causation_id: list[str | None]
    playbook: list[str | None]


#: The columns that stand beside the body.
COPIES = Row._fields[4:]


class WrongEventError(Exception):
    """An event is not what it should be. Whatever follows in its stream rests on it."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Wrong(NamedTuple):
    """What is wrong with an event."""

    row: Row
    code: str
    sentence: str


class Stream:
    """One stream as far as it was read and nothing was wrong with it."""

    def __init__(self, id_: UUID) -> None:
        """Begin before the first event of the stream *id_*."""
        self.id = id_
        self.position, self.version, self.hash = 0, 0, GENESIS
        self.state: State | None = None
        self.held: set[Slot] = set()
        """Taken from the table of slots and not given back; used ones included."""
        self.wrong: Wrong | None = None

    def take(self, columns: Columns) -> Wrong | None:
        """Check the next events and fold them in; return what is wrong with the first of them that is not right."""
        events = all_right(self.id, columns, after=self.position, version=self.version + 1, previous=self.hash)
        if events is None:
            return self._take_one_by_one(columns)
        try:
            self.state = fold_events(self.state, events)
        except ValueError:
            return self._take_one_by_one(columns)
        for effects in [recorded.effects for recorded in events if recorded.effects.reserved or recorded.effects.released]:
            self._hold(effects)
        self.position, self.version, self.hash = columns.position[-1], columns.version[-1], columns.hash[-1]
        return None

    def _take_one_by_one(self, columns: Columns) -> Wrong | None:
        for row in map(Row._make, zip(*columns, strict=True)):
            try:
                recorded = check(self.id, row, after=self.position, version=self.version + 1, previous=self.hash)
                self.state = fold_stream(self.state, recorded)
            except WrongEventError as error:
                self.wrong = Wrong(row, error.code, str(error))
                return self.wrong
            except ValueError as error:
                self.wrong = Wrong(row, "fold_fails", str(error))
                return self.wrong
            self._hold(recorded.effects)
            self.position, self.version, self.hash = row.position, row.version, row.hash
        return None

    def _hold(self, effects: Effects) -> None:
        self.held.difference_update(effects.released)
        self.held.update(effects.reserved)


class Audited(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`Recorded` as far as a fold reads it; the rest as it stands. The fields are in the order of the canonical body."""

    actor: str
    causation_id: str | None
    command: msgspec.Raw
    correlation_id: str
    data: AnyEvent
    effects: Effects
    message_id: str
    occurred_at: datetime
    pin: msgspec.Raw = msgspec.field(name="playbook")
    recorded_at: datetime
    row: str | None
    schema: int
    state: str
    stream: msgspec.Raw = msgspec.field(name="stream_id")
    used: Used | None
    version: int

    # What all events of a stream say alike is compared as it stands. A fold asks few of them for these two.
    @property
    def playbook(self) -> PlaybookPin | None:
        """The playbook version in force."""
        return _pin(bytes(self.pin))

    @property
    def stream_id(self) -> UUID:
        """The stream."""
        return _id.decode(self.stream)


_audited: msgspec.json.Decoder[Audited] = msgspec.json.Decoder(Audited)
_id: msgspec.json.Decoder[UUID] = msgspec.json.Decoder(UUID)
_playbook_pin: msgspec.json.Decoder[PlaybookPin | None] = msgspec.json.Decoder(PlaybookPin | None)
_command: msgspec.json.Decoder[AnyCommand | None] = msgspec.json.Decoder(AnyCommand | None)

#: What the columns behind `type` up to `playbook` repeat.
_copied = attrgetter(*COPIES[1:-1])
_types: dict[type[Event], str] = {type_: str(type_.__struct_config__.tag) for type_ in get_args(AnyEvent)}


def all_right(stream_id: UUID, columns: Columns, *, after: int, version: int, previous: bytes) -> list[Recorded] | None:
    """Return the events in *columns* if `check` would find nothing wrong with any of them; a fold may read them. Else None.

    The arguments are those of `check`, for the first of them.
    """
    positions, bodies = columns.position, columns.body
    if columns.version != list(range(version, version + len(bodies))):
        return None
    if positions[0] <= after or positions != sorted(set(positions)):
        return None
    if chain_hashes(previous, bodies) != columns.hash:
        return None
    # What is canonical holds no newline. So where the lines that come out are those that went in, each body is one of them.
    lines = b"\n".join(bodies) + b"\n"
    try:
        events = _audited.decode_lines(lines)
        if len(events) != len(bodies) or canonical_lines(events) != lines:
            return None
        if not all(map(_is_canonical, {bytes(event.command) for event in events})):
            return None
        pins = [bytes(event.pin) for event in events]
        named = {pin: pinned(_pin(pin)) for pin in set(pins)}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    copies = [
        list(map(_copied, events)) == list(zip(*columns[5:-1], strict=True)),
        [_types[type(event.data)] for event in events] == columns.type,
        [named[pin] for pin in pins] == columns.playbook,
        [event.version for event in events] == columns.version,
        {bytes(event.stream) for event in events} == {canonical(stream_id)},
    ]
    return cast("list[Recorded]", events) if all(copies) else None


def check(stream_id: UUID, row: Row, *, after: int, version: int, previous: bytes) -> Recorded:
    """Return the event in *row* if it is what it should be.

    It should stand behind position *after*, with this *version*, and its hash should follow from the hash *previous*.

    Raises
    ------
    WrongEventError
        When it is not; the code and the sentence say what is wrong.
    """
    if row.version != version:
        raise WrongEventError("version_missing", f"version {version} is missing before it")
    if row.position <= after:
        raise WrongEventError("order_differs", f"it stands at position {row.position}, before its predecessor")
    if chain_hash(previous, row.body) != row.hash:
        raise WrongEventError("hash_differs", "its hash does not follow from the event before it and its body")
    try:
        recorded = decode_recorded(row.body)
    except UnreadableEventError as error:
        raise WrongEventError("body_unreadable", f"its body is no event of a known shape: {error}") from error
    if canonical(recorded) != row.body:
        raise WrongEventError("body_not_canonical", "its body is not in canonical form")
    differing = _differing(stream_id, recorded, row)
    if differing:
        raise WrongEventError("copy_differs", f"its column {differing} is not what its body says")
    return recorded


@lru_cache(maxsize=20_000)
def _is_canonical(raw: bytes) -> bool:
    return canonical(_command.decode(raw)) == raw


@lru_cache(maxsize=1_000)
def _pin(raw: bytes) -> PlaybookPin | None:
    """Return the playbook version that *raw* names; raises ValidationError when that is not in canonical form."""
    pin = _playbook_pin.decode(raw)
    if canonical(pin) != raw:
        raise msgspec.ValidationError("the playbook is not in canonical form")
    return pin


def _differing(stream_id: UUID, recorded: Recorded, row: Row) -> str | None:
    """Return the first column that is not what the body says, None when all are."""
    said = {
        "stream_id": (recorded.stream_id, stream_id),
        "version": (recorded.version, row.version),
        "type": (event_type(recorded.data), row.type),
        "schema": (recorded.schema, row.schema),
        "occurred_at": (recorded.occurred_at, row.occurred_at),
        "recorded_at": (recorded.recorded_at, row.recorded_at),
        "message_id": (str(recorded.message_id), row.message_id),
        "actor": (recorded.actor, row.actor),
        "correlation_id": (str(recorded.correlation_id), row.correlation_id),
        "causation_id": (str(recorded.causation_id) if recorded.causation_id else None, row.causation_id),
        "playbook": (pinned(recorded.playbook), row.playbook),
    }
    return next((name for name, (body, column) in said.items() if body != column), None)
