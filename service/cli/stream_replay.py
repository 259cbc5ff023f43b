"""``thaw replay campaign:NAME`` and ``thaw replay event:NAME``: the log of a campaign or a sales event folded again."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import click
import msgspec

from models import events
from models.database import Connection
from service.campaigns import told_of
from service.cli.app import InputError
from service.cli.entries import zone_from
from service.times import TimeError, parse_moment, shown_moment
from service.wording import count, plain, words
from workflows.campaign import Campaign, campaign_id
from workflows.codec import GENESIS, chain_hash
from workflows.events import Recorded, decode_recorded, event_type
from workflows.invitation_streams import Stream, fold_stream
from workflows.sales_event import SalesEvent, sales_event_id

_STREAMS = {"campaign": campaign_id, "event": sales_event_id}


class StreamEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its place in the log."""

    position: int
    hash: str
    recorded: Recorded


class StreamReplayed(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw replay campaign:NAME --json`` prints."""

    stream_id: UUID
    version: int
    events: tuple[StreamEvent, ...]
    state: Campaign | SalesEvent | None = None
    """After the last of *events*."""
    whole: bool
    """Whether every hash follows from the event before it."""
    trouble: str = ""


class Named(NamedTuple):
    """A stream that was named by its kind."""

    id: UUID
    typed: str


def stream_named(typed: str) -> Named | None:
    """Return the stream that *typed* names, as in ``campaign:spring``; None when it names a lead."""
    kind, colon, name = typed.partition(":")
    return Named(_STREAMS[kind](name), typed) if colon and kind in _STREAMS and name else None


def read_stream(connection: Connection, named: Named, moment: str | None, now: datetime) -> StreamReplayed:
    """Return the stream folded up to *moment*, a version or a time; an event that cannot be believed ends it."""
    upto = _upto(connection, moment, now)
    state: Stream | None = None
    found: list[StreamEvent] = []
    hash_, trouble, known = GENESIS, "", False
    for row in events.read_stream(connection, named.id):
        known = True
        body = row.body.encode()
        if chain_hash(hash_, body) != row.hash or row.version != len(found) + 1:
            trouble = f"event {row.version}: its hash does not follow from the event before it and its body"
            break
        recorded = decode_recorded(body)
        if (isinstance(upto, int) and row.version > upto) or (isinstance(upto, datetime) and recorded.recorded_at > upto):
            break
        state, hash_ = fold_stream(state, recorded), row.hash
        found.append(StreamEvent(position=row.position, hash=row.hash.hex(), recorded=recorded))
    if not known:
        raise InputError(f"{plain(named.typed, 80)} is not known; see `thaw campaign list` and `thaw event list`")
    return StreamReplayed(
        stream_id=named.id,
        version=len(found),
        events=tuple(found),
        state=state if isinstance(state, (Campaign, SalesEvent)) else None,
        whole=not trouble,
        trouble=trouble,
    )


def _upto(connection: Connection, moment: str | None, now: datetime) -> int | datetime | None:
    if moment is None or moment.isdecimal():
        return int(moment) if moment else None
    try:
        return parse_moment(moment, zone_from(connection, None), now)
    except TimeError as error:
        raise InputError(f"--at {plain(moment, 60)}: {error}, or the number of an event") from error


def stream_lines(connection: Connection, replayed: StreamReplayed) -> Iterator[str]:
    """Yield what is printed of a stream."""
    zone = zone_from(connection, None)
    for each in replayed.events:
        recorded = each.recorded
        when = shown_moment(recorded.recorded_at, zone, seconds=True)
        what = f"{event_type(recorded.data)}  by {plain(recorded.actor)}  position {each.position}"
        yield f"{recorded.version:>4}  {when}  {what}"
        for name, value in msgspec.to_builtins(recorded.data).items():
            if name != "type" and value not in (None, (), [], {}):
                yield f"      {words(name)}: {_shown(value)}"
    if replayed.state:
        yield told_of(replayed.state)
    if replayed.trouble:
        yield f"chain      BROKEN at {replayed.trouble}"
    else:
        yield f"chain      whole: {count(replayed.version, 'event')}, and each hash follows from the event before it"


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"{len(value)}: {plain(', '.join(map(_shown, value)), 200)}"
    if isinstance(value, dict):
        commitment = value.get("commitment")
        return (
            f"text {commitment[:12]}" if commitment else " ".join(_shown(part) for part in value.values() if part is not None)
        )
    return plain(str(value), 100)


def print_stream(connection: Connection, replayed: StreamReplayed) -> None:
    """Print a stream."""
    for line in stream_lines(connection, replayed):
        click.echo(line)
