"""What decisions are made again from: calendars that were frozen into the log, published playbooks, and the log itself."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from models.database import take_as_long_as_needed
from models.events import read_log, read_stream
from models.replay import read_streams
from workflows.calendars import Calendar
from workflows.events import CalendarFrozen, Recorded, UnreadableEventError, decode_recorded
from workflows.followed import Followed
from workflows.handle import calendar_digest
from workflows.playbooks import Playbook, decode_playbook
from workflows.rederive import Library
from workflows.service_stream import SERVICE_ID

#: As the index has them: without it all events of a long log would be looked at for a few.
CALENDARS = "SELECT body FROM events WHERE type = 'calendar_frozen' ORDER BY position"


def read_library(connection: Connection) -> Library:
    """Return all frozen calendars, by the digests that they have, and all playbooks, by those under which they are published.

    A calendar comes from the log itself, never from the projection. What cannot be read is missing, and so is whatever was
    decided by it. A playbook that was edited stands under its old digest, and differs from what events pin.
    """
    calendars, followed = dict[str, Calendar](), set[Followed]()
    for recorded, data in _frozen(connection):
        digest = calendar_digest(data.calendar)
        calendars[digest] = data.calendar
        if recorded.playbook:
            followed.add(Followed(data.rep, digest, recorded.playbook.digest))
    playbooks: dict[str, Playbook] = {}
    for digest, body in connection.execute(text("SELECT digest, body FROM playbooks")):
        try:
            playbooks[digest] = decode_playbook(body)
        except (msgspec.DecodeError, RecursionError):
            continue
    return Library(calendars=calendars, playbooks=playbooks, followed=frozenset(followed))


def read_calendars(connection: Connection) -> dict[str, list[Calendar]]:
    """Return all calendars that were frozen for each rep, by the rep's name, oldest first; what cannot be read is missing."""
    calendars: dict[str, list[Calendar]] = {}
    for _, data in _frozen(connection):
        calendars.setdefault(data.rep, []).append(data.calendar)
    return calendars


def _frozen(connection: Connection) -> Iterator[tuple[Recorded, CalendarFrozen]]:
    take_as_long_as_needed(connection)
    for body in connection.scalars(text(CALENDARS)):
        recorded = _decoded(body)
        if recorded and isinstance(recorded.data, CalendarFrozen):
            yield recorded, recorded.data


def _decoded(body: str) -> Recorded | None:
    try:
        return decode_recorded(body.encode())
    except UnreadableEventError:
        return None


def histories(connection: Connection, stream_id: UUID | None = None) -> Iterator[tuple[UUID, Iterator[Recorded]]]:
    """Yield each stream with its events, oldest first, or the one stream *stream_id*; bodies are decoded as they are asked for.

    Raises
    ------
    UnreadableEventError
        From a stream's iterator, at a body that is no event.
    """
    if stream_id is not None:
        yield stream_id, (decode_recorded(row.body.encode()) for row in read_stream(connection, stream_id))
        return
    yield from read_streams(connection)


def log_in_order(connection: Connection) -> Iterator[Recorded]:
    """Yield all events in the order of their positions.

    Raises
    ------
    ValueError
        At a position that is missing, and at a body that is no event.
    """
    for expected, row in enumerate(read_log(connection), start=1):
        if row.position != expected:
            raise ValueError(f"position {expected} is missing from the log: see `thaw verify`")
        yield decode_recorded(row.body.encode())


def began_at(connection: Connection) -> datetime | None:
    """Return when the first event of a lead or rep was recorded, None when there is none."""
    take_as_long_as_needed(connection)
    statement = text("SELECT min(recorded_at) FROM events WHERE stream_id <> :service")
    began: datetime | None = connection.scalar(statement, {"service": SERVICE_ID})
    return began
