"""One event of the log, checked: its place, its hash, its shape, its canonical form, and the columns that copy its body.

Commands and playbook pins repeat: the same few hundred texts stand in most events. Each is checked once and remembered.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

import msgspec

from models.events import pinned
from models.replay import WHOLE
from workflows.codec import canonical, chain_hash
from workflows.commands import AnyCommand
from workflows.events import AnyEvent, Effects, PlaybookPin, Recorded, Used, decode_recorded, event_type

#: What `models.replay.scan` is to read for `check`.
SCANNED = (
    "stream_id, position, version, hash, body, type, schema, occurred_at, recorded_at, message_id, actor, correlation_id, "
    "causation_id, playbook"
)

#: The columns that stand beside the body, and after it in `SCANNED`.
COPIES = tuple(name.strip() for name in SCANNED.split(","))[5:]


class WrongEventError(Exception):
    """An event is not what it should be. Whatever follows in its stream rests on it."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Audited(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`Recorded` with the parts that repeat left as they stand. The fields are in the order of the canonical body."""

    actor: str
    causation_id: UUID | None
    command: msgspec.Raw
    correlation_id: UUID
    data: AnyEvent
    effects: Effects
    message_id: UUID
    occurred_at: datetime
    playbook: msgspec.Raw
    recorded_at: datetime
    row: str | None
    schema: int
    state: str
    stream_id: UUID
    used: Used | None
    version: int


_audited: msgspec.json.Decoder[Audited] = msgspec.json.Decoder(Audited)
_command: msgspec.json.Decoder[AnyCommand | None] = msgspec.json.Decoder(AnyCommand | None)
_pin: msgspec.json.Decoder[PlaybookPin | None] = msgspec.json.Decoder(PlaybookPin | None)


def check(row: tuple[Any, ...], *, after: int, version: int, previous: bytes) -> Recorded:
    """Return the event in *row*, a row of `SCANNED`, if it is what it should be; a fold may read it.

    It should stand behind position *after*, with this *version*, and its hash should follow from the hash *previous*.

    Raises
    ------
    WrongEventError
        When it is not; the code and the sentence say what is wrong.
    """
    body = row[4]
    if row[2] != version:
        raise WrongEventError("version_missing", f"version {version} is missing before it")
    if row[1] <= after:
        raise WrongEventError("order_differs", f"it stands at position {row[1]}, before its predecessor")
    if chain_hash(previous, body) != row[3]:
        raise WrongEventError("hash_differs", "its hash does not follow from the event before it and its body")
    try:
        audited = _audited.decode(body)
        canonical_parts, pin = _is_canonical(bytes(audited.command)), _pinned(bytes(audited.playbook))
        # What a fold reads of other events is in Audited (`models.replay.WHOLE`).
        recorded = decode_recorded(body) if row[5] in WHOLE else cast("Recorded", audited)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WrongEventError("body_unreadable", f"its body is no event of a known shape: {error}") from error
    if not canonical_parts or canonical(audited) != body:
        raise _not_canonical()
    if audited.version != version or audited.stream_id.bytes != row[0] or _copied(audited, pin) != row[5:]:
        raise WrongEventError("copy_differs", f"its column {_differing(audited, pin, row)} is not what its body says")
    return recorded


@lru_cache(maxsize=20_000)
def _is_canonical(raw: bytes) -> bool:
    return canonical(_command.decode(raw)) == raw


@lru_cache(maxsize=1_000)
def _pinned(raw: bytes) -> bytes | None:
    """Return how the column names the pin in *raw*, None for no pin.

    Raises
    ------
    WrongEventError
        When the pin is not in canonical form.
    """
    pin = _pin.decode(raw)
    if canonical(pin) != raw:
        raise _not_canonical()
    name = pinned(pin)
    return name.encode() if name else None


def _not_canonical() -> WrongEventError:
    return WrongEventError("body_not_canonical", "its body is not in canonical form")


def _copied(audited: Audited, pin: bytes | None) -> tuple[object, ...]:
    """Return what the columns `COPIES` are to hold, as `models.replay.scan` reads them."""
    cause = audited.causation_id
    return (
        event_type(audited.data).encode(),
        audited.schema,
        audited.occurred_at,
        audited.recorded_at,
        audited.message_id.bytes,
        audited.actor.encode(),
        audited.correlation_id.bytes,
        cause.bytes if cause else None,
        pin,
    )


def _differing(audited: Audited, pin: bytes | None, row: tuple[Any, ...]) -> str:
    if audited.stream_id.bytes != row[0]:
        return "stream_id"
    if audited.version != row[2]:
        return "version"
    return next(name for name, ours, theirs in zip(COPIES, _copied(audited, pin), row[5:], strict=True) if ours != theirs)
