"""What operators did, in sentences: retries, imports, exports, pauses, keys, playbooks, rebuilds, migrations."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from models import operations
from models.database import Connection
from service.times import shown_moment
from service.wording import count, plain
from workflows import operations as o
from workflows.commands import Reference
from workflows.events import AnyEvent

#: Of messages that were retried, or leads that were exported, at once so many are named; ``--json`` has all.
NAMED = 5


class OperationShown(msgspec.Struct, frozen=True, kw_only=True):
    """An act, with its place in the log."""

    position: int
    at: datetime
    by: str
    """``ops:ann``, ``os:root``, ``clock``."""
    did: str
    """In words."""
    reason: str | None
    """None where none was given, or it was erased."""
    data: AnyEvent


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """A dead message of a stream was tried again."""

    message_id: UUID
    actor_name: str
    at: datetime
    by: str
    reason: str | None
    attempts: int | None
    """Failures until then, since it was accepted or last tried again; None where that was not recorded, as the next two."""
    deliveries: int | None
    """From which nobody came back, which ended it."""
    rings: int | None
    error: str | None
    """The class of the last error, if there was one."""


def read_operations(connection: Connection, since: datetime | None) -> list[OperationShown]:
    """Return what operators did from *since* on, oldest first."""
    found = operations.read_operations(connection, since=since)
    reasons = operations.reasons_of(connection, [r.document_id for each in found if (r := _reference(each.recorded.data))])
    return [
        OperationShown(
            position=each.position,
            at=each.recorded.recorded_at,
            by=each.recorded.actor,
            did=did(each.recorded.data),
            reason=reasons.get(r.document_id) if (r := _reference(each.recorded.data)) else None,
            data=each.recorded.data,
        )
        for each in found
    ]


def _reference(data: AnyEvent) -> Reference | None:
    return (getattr(data, "reason", None) or None) if isinstance(data, o.Operation) else None


def operation_lines(shown: OperationShown, zone: ZoneInfo) -> Iterator[str]:
    """Yield an act in lines: when, who, what, why."""
    yield f"{shown.position:>6}  {shown_moment(shown.at, zone, seconds=True)}  {plain(shown.by, 80)} {shown.did}"
    if shown.reason is not None:
        yield f"{'':>8}because: {plain(shown.reason, 500)}"
    elif _reference(shown.data):
        yield f"{'':>8}the reason was erased"


def did(data: AnyEvent) -> str:
    """Return an act in words, as they go on behind the name of who did it."""
    match data:
        case o.MessagesRetried(messages=messages):
            return f"tried {count(len(messages), 'dead message')} again: {_retried(messages)}"
        case o.LeadsImported():
            digests = f"file SHA-256 {data.file}, mapping {data.mapping}"
            return f"imported {plain(data.source, 80)}, {count(data.rows, 'row')}: {_totals(data)}; {digests}"
        case o.RecordsExported():
            opened = "with names and texts" if data.opened else "without names and texts"
            size = f"{count(data.events, 'event')}, {opened}, {data.size_bytes:,} bytes"
            return f"exported {_scope(data)}: {size}; SHA-256 {data.digest}"
        case o.WorkPaused(actors=actors):
            return f"paused {paused_names(actors)}"
        case o.WorkResumed(actors=actors):
            return f"resumed {paused_names(actors)}"
        case o.KeyInForce(key=key, replaces=replaces):
            return f"put the key {plain(key, 200)} in force{f', in place of {plain(replaces, 200)}' if replaces else ''}"
        case o.PlaybookPublished() | o.WordingPublished():
            return f"published {_published(data)}, SHA-256 {data.digest}"
        case o.ProjectionsRebuilt():
            made = f"{count(data.leads, 'lead')}, {count(data.reps, 'rep')}, {count(data.slots, 'slot')}"
            return f"rebuilt the projections from {count(data.events, 'event')}: {made}, {count(data.timers, 'missing timer')}"
        case o.SchemaMigrated(before=before, after=after):
            return f"migrated the schema from {plain(before, 40)} to {plain(after, 40)}"
    raise TypeError(f"{type(data).__name__} is no act of an operator")


def _retried(messages: tuple[o.Retried, ...]) -> str:
    named = ", ".join(f"{m.message_id} ({m.actor_name} of {m.stream_id.hex[:8]})" for m in messages[:NAMED])
    return named + (f" and {len(messages) - NAMED} more" if len(messages) > NAMED else "")


def _totals(data: o.LeadsImported) -> str:
    names = ("created", "updated", "unchanged", "suppressed", "rejected")
    return ", ".join(f"{number} {name}" for name in names if (number := getattr(data, name)))


def _published(data: o.PlaybookPublished | o.WordingPublished) -> str:
    if isinstance(data, o.WordingPublished):
        return f"the wording {data.wording}"
    return f"{data.playbook}@{plain(data.version, 40)}"


def _scope(data: o.RecordsExported) -> str:
    if data.scope == "range":
        return f"events {data.first} to {data.last}"
    if data.scope == "all":
        return "everything"
    rest = f" and {len(data.leads) - NAMED} more" if len(data.leads) > NAMED else ""
    return f"{count(len(data.leads), 'lead')} ({', '.join(lead.hex[:8] for lead in data.leads[:NAMED])}{rest})"


def concerns(data: AnyEvent, stream_id: UUID, positions: Sequence[int]) -> bool:
    """Tell whether an act handed out events of a stream, which stand at *positions* of the log, or retried a message of it.

    An export of everything concerns whatever there was.
    """
    match data:
        case o.RecordsExported(scope="range", first=int(first), last=int(last)):
            return any(first <= position <= last for position in positions)
        case o.RecordsExported():
            return data.scope == "all" or stream_id in data.leads
        case o.MessagesRetried(messages=messages):
            return any(message.stream_id == stream_id for message in messages)
    return False


def paused_names(actors: tuple[str, ...]) -> str:
    """Return what was paused or resumed, in words."""
    return "everything that may be paused" if "*" in actors else ", ".join(plain(each, 80) for each in actors)


def retries_of(connection: Connection, stream_id: UUID) -> tuple[Retry, ...]:
    """Return when messages of a stream were dead and tried again, oldest first."""
    found = operations.retries_of(connection, stream_id)
    acts = [(each, each.data) for each in found if isinstance(each.data, o.MessagesRetried)]
    reasons = operations.reasons_of(connection, [data.reason.document_id for _, data in acts])
    return tuple(
        Retry(
            message_id=message.message_id,
            actor_name=message.actor_name,
            at=each.recorded_at,
            by=each.actor,
            reason=reasons.get(data.reason.document_id),
            attempts=message.attempts if isinstance(message.attempts, int) else None,
            deliveries=message.deliveries if isinstance(message.deliveries, int) else None,
            rings=message.rings if isinstance(message.rings, int) else None,
            error=message.error or None,
        )
        for each, data in acts
        for message in data.messages
        if message.stream_id == stream_id
    )


def retry_line(retry: Retry, zone: ZoneInfo) -> str:
    """Return a retry in words."""
    why = f": {plain(retry.reason, 300)}" if retry.reason is not None else ", and the reason was erased"
    when = shown_moment(retry.at, zone, seconds=True)
    who = plain(retry.by, 80)
    return f"message {retry.message_id} ({retry.actor_name}) was dead{_how_dead(retry)}; {who} tried it again {when}{why}"


def _how_dead(retry: Retry) -> str:
    if retry.attempts is None:
        return ", after how many attempts was not recorded"
    ways = [f"{count(retry.attempts, 'failed attempt')}"] if retry.attempts or not retry.deliveries else []
    if retry.deliveries:
        ways.append(f"{count(retry.deliveries, 'delivery', 'deliveries')} that ended its worker")
    last = f", the last error {retry.error}" if retry.error else ""
    return f" after {' and '.join(ways)}, {count(retry.rings or 0, 'ring')}{last}"


def record_export(connection: Connection, made: o.RecordsExported, *, reason: str | None, now: datetime, by: str) -> int:
    """Say in the log that part of it is handed out, and return the position. The last thing in its transaction.

    Commit it before the file is given its name: an export of which the log knows nothing must not leave the house. *made* has
    no reason yet; *reason* is kept beside the log.
    """
    kept = operations.keep_reason(connection, reason) if reason else None
    return operations.append(connection, msgspec.structs.replace(made, reason=kept), now=now, by=by).position
