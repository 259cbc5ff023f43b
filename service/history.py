"""A stream's events, read and checked in the order in which they were recorded, each with the stream as it left it."""

import textwrap
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from models import events
from models.database import Connection
from models.events import EventRow
from service.times import shown_day, shown_moment
from service.wording import plain, score_line, words
from workflows.calendars import Calendar
from workflows.changes import moment_of
from workflows.codec import GENESIS, chain_hash
from workflows.commands import Command, Reference
from workflows.events import CommandRefused, Effects, Event, Recorded, Slot, decode_recorded
from workflows.invitation_streams import Stream, fold_stream
from workflows.lead import Lead
from workflows.merge_commands import DuplicateFacts
from workflows.priority import Score, ScoreBasis
from workflows.pursuit_facts import Card, Checklist

#: What is recorded later than this after it happened says when it happened.
LATE_SECONDS = 60

#: Characters on a line of what an event says.
WIDTH = 120


class Entry(NamedTuple):
    """An event, and the lead after it."""

    row: EventRow
    recorded: Recorded
    after: Lead


class Logged(NamedTuple):
    """An event of any stream, and the stream after it."""

    row: EventRow
    recorded: Recorded
    after: Stream


class StreamHistory(NamedTuple):
    """The events of any stream, oldest first, up to the first that cannot be believed."""

    entries: tuple[Logged, ...]
    trouble: str
    """What is wrong with the event after the last of *entries*; empty when the whole chain holds."""

    def until(self, moment: datetime) -> "StreamHistory":
        """Return what had been recorded at *moment*."""
        return self._replace(entries=tuple(entry for entry in self.entries if entry.recorded.recorded_at <= moment))

    def first(self, number: int) -> "StreamHistory":
        """Return the first *number* events."""
        return self._replace(entries=self.entries[:number])


class History(NamedTuple):
    """The same of one lead."""

    entries: tuple[Entry, ...]
    trouble: str

    def until(self, moment: datetime) -> "History":
        """Return what had been recorded at *moment*."""
        return self._replace(entries=tuple(entry for entry in self.entries if entry.recorded.recorded_at <= moment))

    def first(self, number: int) -> "History":
        """Return the first *number* events."""
        return self._replace(entries=self.entries[:number])


def read_history(connection: Connection, lead_id: UUID) -> History:
    """Return the history of a lead; each hash, version and body is checked on the way."""
    read = read_stream_history(connection, lead_id)
    return History(
        tuple(Entry(row, recorded, after) for row, recorded, after in read.entries if isinstance(after, Lead)), read.trouble
    )


def read_stream_history(connection: Connection, stream_id: UUID) -> StreamHistory:
    """Return the history of a lead, a rep, a campaign or a sales event, checked in the same way."""
    entries: list[Logged] = []
    after: Stream | None = None
    hash_ = GENESIS
    for row in events.read_stream(connection, stream_id):
        wrong = _wrong(row, len(entries) + 1, hash_)
        if not wrong:
            try:
                recorded = decode_recorded(row.body.encode())
                after = fold_stream(after, recorded)
            except ValueError as error:
                wrong = f"its body cannot be read: {error}"
            else:
                if entries and type(after) is not type(entries[-1].after):
                    wrong = f"it is no event of this stream: it says that it is of a {recorded.state}"
        if wrong or after is None:
            return StreamHistory(tuple(entries), f"event {row.version} at position {row.position} ({row.type}): {wrong}")
        entries.append(Logged(row, recorded, after))
        hash_ = row.hash
    return StreamHistory(tuple(entries), "")


def days_said(history: History) -> frozenset[datetime]:
    """Return the moments that stand for days of a last contact: those that the CRM named, without an hour."""
    said = (getattr(entry.recorded.data, "last_contact_on", None) for entry in history.entries)
    return frozenset(at for day in said if isinstance(day, date) and (at := moment_of(day)))


def _wrong(row: EventRow, version: int, previous: bytes) -> str:
    if row.version != version:
        return f"version {version} is missing before it"
    if chain_hash(previous, row.body.encode()) != row.hash:
        return "its hash does not follow from the event before it and its body: one of them was changed after it was written"
    return ""


def told(entry: Entry | Logged, zone: ZoneInfo) -> list[str]:
    """Return an event in lines: when, what, by which row, by whom; then what it says, and what it moved."""
    recorded = entry.recorded
    row = f" ({recorded.row})" if recorded.row else ""
    when = shown_moment(recorded.recorded_at, zone, seconds=True)
    lines = [f"{entry.row.version:>3}  {when}  {entry.row.type}{row} by {plain(recorded.actor, 80)} -> {recorded.state}"]
    details = [f"message {recorded.message_id}", said(recorded.data), moved(recorded.effects, zone)]
    if abs((recorded.recorded_at - recorded.occurred_at).total_seconds()) >= LATE_SECONDS:
        details.insert(1, f"happened {shown_moment(recorded.occurred_at, zone)}")
    return lines + [line for detail in details if detail for line in _wrapped(detail)]


def _wrapped(detail: str) -> list[str]:
    return textwrap.wrap(
        detail, WIDTH, initial_indent=" " * 5, subsequent_indent=" " * 7, break_long_words=False, break_on_hyphens=False
    )


def labelled(label: str, text: str) -> str:
    """Return *text* behind its *label*, on as many lines as it takes."""
    whole = f"{label:<10} {text}"
    return textwrap.fill(whole, WIDTH, subsequent_indent=" " * 13, break_long_words=False, break_on_hyphens=False)


def said(data: Event | Command) -> str:
    """Return what an event or a command says, without what it leaves empty; texts only as the documents that hold them."""
    if isinstance(data, CommandRefused):
        return f"{words(data.refused)} was refused by {data.rule}: {plain(data.reason, 300)}"
    parts = [f"{words(name)} {shown}" for name in data.__struct_fields__ if (shown := _value(getattr(data, name)))]
    return ", ".join(parts)


def _value(value: object) -> str:
    match value:
        case None | "" | () | msgspec.UnsetType():
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            # As recorded, among times by the rep's clock: the zone has to stand there.
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        case Reference(document_id=document_id):
            return f"[document {document_id.hex[:8]}]"
        case Score():
            return score_line(value)
        case dict():
            return "; ".join(f"{name} {_value(each)}" for name, each in value.items())
        case tuple():
            return " ".join(_value(each) for each in value)
        case Card() | Checklist() | ScoreBasis() | Calendar() | DuplicateFacts():
            named = ((name, _value(getattr(value, name))) for name in value.__struct_fields__)
            return "; ".join(f"{words(name)} {shown}" for name, shown in named if shown)
        case msgspec.Struct():
            return " ".join(_value(getattr(value, name)) for name in value.__struct_fields__)
    return plain(str(value), 200)


def moved(effects: Effects, zone: ZoneInfo) -> str:
    """Return what an event moved: timers, slots and the score."""
    parts = [f"armed {name} for {shown_moment(due_at, zone)}" for name, due_at in sorted(effects.armed.items())]
    ended = [name for name in effects.cancelled if name not in effects.armed]
    parts += [f"ended {', '.join(ended)}"] if ended else []
    for verb, slots in (("reserved", effects.reserved), ("used", effects.used), ("released", effects.released)):
        parts += [f"{verb} {_slots(slots)}"] if slots else []
    if effects.frozen is not None:
        parts.append(f"keeps frozen {', '.join(left.timer for left in effects.frozen) or 'nothing'}")
    if effects.score:
        parts.append(f"score {score_line(effects.score)}")
    return "; ".join(parts)


def _slots(slots: Sequence[Slot]) -> str:
    return ", ".join(f"{words(slot.kind)} slot {slot.ordinal} of {shown_day(slot.day)}" for slot in slots)
