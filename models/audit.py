"""Events of the log, checked: their places, hashes, shapes, canonical form, and the columns that copy their bodies.

`all_right` looks at a whole piece and only says whether it is as it should be; where it is not, `check` says of one event after
another what is wrong. Commands repeat: the same few hundred texts stand in most events. Each is checked once and remembered.
"""

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, cast, get_args
from uuid import UUID

import msgspec

from models.events import pinned
from workflows.codec import canonical, chain_hash, chain_hashes
from workflows.commands import AnyCommand
from workflows.events import AnyEvent, Effects, Event, PlaybookPin, Recorded, Used, decode_recorded, event_type

#: What `models.replay.scan` is to read, as `Columns` and `Row` have it.
SCANNED = (
    "position", "version", "hash", "body", "type::varchar", "schema", "occurred_at", "recorded_at", "message_id::varchar",
    "actor::varchar", "correlation_id::varchar", "causation_id::varchar", "playbook::varchar",
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
    playbook: PlaybookPin | None
    recorded_at: datetime
    row: str | None
    schema: int
    state: str
    stream_id: UUID
    used: Used | None
    version: int


_audited: msgspec.json.Decoder[list[Audited]] = msgspec.json.Decoder(list[Audited])
_command: msgspec.json.Decoder[AnyCommand | None] = msgspec.json.Decoder(AnyCommand | None)

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
    try:
        events = _audited.decode(b"[" + b",".join(bodies) + b"]")
        # One by one: together they might be canonical where one alone is not even JSON.
        if [canonical(event) for event in events] != bodies:
            return None
        if not all(_is_canonical(bytes(event.command)) for event in events):
            return None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    copies = [
        (
            _types[type(e.data)], e.schema, e.occurred_at, e.recorded_at, e.message_id, e.actor, e.correlation_id,
            e.causation_id, pinned(e.playbook),
        )
        for e in events
    ]  # fmt: skip
    if copies != list(zip(*columns[4:], strict=True)) or any(event.stream_id.int != stream_id.int for event in events):
        return None
    return cast("list[Recorded]", events) if [event.version for event in events] == columns.version else None


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
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
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
