"""What people look at: reads over the log and the projections for the command line and the pages. Nothing is written here."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from uuid import UUID

import msgspec
from psycopg import sql
from sqlalchemy import Connection, Engine, text

from models import playbooks
from models.database import transaction
from models.finite import bounded
from models.messages import PAUSED
from workflows.calendars import Calendar
from workflows.codec import digest
from workflows.events import Recorded, decode_recorded
from workflows.floor import CALL_EVENTS, TOUCH_EVENTS
from workflows.lead import RESTING, Lead
from workflows.transitions import CALL_ROWS

_lead_decoder = msgspec.json.Decoder(Lead)


@contextmanager
def snapshot(engine: Engine, *, exported: str | None = None) -> Iterator[Connection]:
    """Run the block in a read-only transaction that sees all tables as they are at one moment.

    That is now, or the moment of another session that *exported* it and is still in its transaction.

    Raises
    ------
    DatabaseUnavailableError
        When PostgreSQL is away.
    """
    still = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with transaction(still) as connection:
        if exported:
            statement = sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(exported)).as_string()
            connection.exec_driver_sql(statement)
        yield connection


def export(connection: Connection) -> str:
    """Return the name by which other sessions see the moment of this `snapshot`, until its transaction ends."""
    # Who waits for the others is idle meanwhile, and that for as long as they need.
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    return str(connection.scalar(text("SELECT pg_export_snapshot()")))


def leads_between(connection: Connection, first: UUID, last: UUID, *, limit: int) -> list[UUID]:
    """Return up to *limit* ids of leads from *first* to *last*, inclusive, in order: all that begin with the same digits."""
    statement = text("SELECT id FROM leads WHERE id BETWEEN :first AND :last ORDER BY id LIMIT :limit")
    return list(connection.scalars(statement, {"first": first, "last": last, "limit": limit}))


def sources(connection: Connection) -> list[str]:
    """Return the names of the CRMs that leads came from. Every lead is looked at."""
    return list(connection.scalars(text("SELECT DISTINCT body::jsonb ->> 'source' FROM leads ORDER BY 1")))


def dead_between(connection: Connection, first: UUID, last: UUID, *, limit: int) -> list[UUID]:
    """Return up to *limit* ids of dead messages from *first* to *last*, inclusive, in order."""
    statement = text("SELECT id FROM messages WHERE outcome = 'dead' AND id BETWEEN :first AND :last ORDER BY id LIMIT :limit")
    return list(connection.scalars(statement, {"first": first, "last": last, "limit": limit}))


def calendar_of(connection: Connection, rep: str) -> Calendar | None:
    """Return the calendar in force of *rep*, None for a rep who has none."""
    in_force = playbooks.calendars_of_reps(connection, [rep]).get(rep)
    return playbooks.calendars_by_digest(connection, [in_force]).get(in_force) if in_force else None


def latest(connection: Connection, stream_ids: Collection[UUID], types: Collection[str]) -> dict[UUID, Recorded]:
    """Return the newest event of *types* in each of the streams that has one."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT ON (stream_id) stream_id, body FROM events "
            "WHERE stream_id = ANY(:ids) AND type = ANY(:types) ORDER BY stream_id, version DESC"
        ),
        {"ids": list(stream_ids), "types": list(types)},
    )
    return {row.stream_id: decode_recorded(row.body.encode()) for row in rows}


def refusals_at(connection: Connection, versions: Mapping[UUID, int]) -> dict[UUID, Recorded]:
    """Return those of the events that stand at *versions* of their streams that are refusals."""
    rows = connection.execute(
        text(
            "SELECT stream_id, body FROM events JOIN unnest(CAST(:ids AS uuid[]), CAST(:versions AS integer[])) "
            "AS asked (id, number) ON stream_id = asked.id AND version = asked.number WHERE type = 'command_refused'"
        ),
        {"ids": list(versions), "versions": list(versions.values())},
    )
    return {row.stream_id: decode_recorded(row.body.encode()) for row in rows}


def events_since(connection: Connection, owner: str, since: datetime) -> list[Recorded]:
    """Return the events of *owner*'s leads that were recorded from *since* on, in the order of the log."""
    rows = connection.scalars(
        # A lead that has such an event was itself recorded anew since: of all the others not one event is read.
        text(
            "SELECT events.body FROM leads JOIN events ON events.stream_id = leads.id "
            "WHERE leads.owner = :owner AND leads.recorded_at >= :since AND events.recorded_at >= :since "
            "ORDER BY events.position"
        ),
        {"owner": owner, "since": since},
    )
    return [decode_recorded(body.encode()) for body in rows]


def said_since(connection: Connection, owner: str, since: datetime, types: Collection[str]) -> list[Recorded]:
    """Return the newest event of *types* of each of *owner*'s leads that was recorded from *since* on, oldest first."""
    rows = connection.scalars(
        text(
            "SELECT DISTINCT ON (events.stream_id) events.body FROM leads JOIN events ON events.stream_id = leads.id "
            "WHERE leads.owner = :owner AND leads.recorded_at >= :since AND events.recorded_at >= :since "
            "AND events.type = ANY(:types) ORDER BY events.stream_id, events.version DESC"
        ),
        {"owner": owner, "since": since, "types": list(types)},
    )
    return sorted((decode_recorded(body.encode()) for body in rows), key=lambda each: (each.occurred_at, each.stream_id))


def calls_for_others(connection: Connection, rep: str) -> list[Lead]:
    """Return the leads of other reps whose promised call *rep* is to make, by id."""
    rows = connection.scalars(
        text("SELECT body FROM leads WHERE call_by = :rep AND state IN ('note_sent', 'call_due') ORDER BY id"),
        {"rep": rep},
    )
    return [_lead_decoder.decode(body) for body in rows]


def calls_made_for_others(connection: Connection, rep: str, since: datetime) -> list[Recorded]:
    """Return the events of other reps' leads, recorded from *since* on, that used up a call of *rep*, in their order."""
    rows = connection.scalars(
        text(
            "SELECT events.body FROM reps JOIN leads ON leads.owner = reps.name AND leads.recorded_at >= :since "
            "JOIN events ON events.stream_id = leads.id AND events.recorded_at >= :since "
            "WHERE reps.name <> :rep AND EXISTS (SELECT FROM slots WHERE slots.rep = :rep AND slots.lead_id = leads.id) "
            "ORDER BY events.position"
        ),
        {"rep": rep, "since": since},
    )
    recorded = (decode_recorded(body.encode()) for body in rows)
    return [each for each in recorded if any(slot.rep == rep for slot in each.effects.used)]


def heard(connection: Connection, lead_ids: Sequence[UUID], since: datetime) -> dict[UUID, tuple[datetime, list[datetime]]]:
    """Return for each lead since when it is known, and when somebody turned to it, or it to us, from *since* on."""
    rows = connection.execute(
        text(
            "SELECT stream_id, version, occurred_at, recorded_at FROM events WHERE stream_id = ANY(:ids) AND (version = 1 OR "
            "(occurred_at >= :since AND (type = ANY(:types) OR (type = ANY(:of_calls) AND body LIKE ANY(:rows)))))"
        ),
        {
            "ids": list(lead_ids),
            "since": since,
            "types": sorted(TOUCH_EVENTS),
            "of_calls": sorted(CALL_EVENTS),
            # Bodies are canonical, and no text of a person stands in them.
            "rows": [f'%"row":"{row}"%' for row in sorted(CALL_ROWS)],
        },
    )
    found: dict[UUID, tuple[datetime, list[datetime]]] = {}
    touches: dict[UUID, list[datetime]] = {}
    for row in rows:
        if row.version == 1:
            found[row.stream_id] = row.recorded_at, touches.setdefault(row.stream_id, [])
        else:
            touches.setdefault(row.stream_id, []).append(row.occurred_at)
    return found


def nurture_owed(connection: Connection, owner: str) -> list[Lead]:
    """Return *owner*'s leads in nurture to whom this month's touch is owed, the longest owed first."""
    rows = connection.scalars(
        text(
            "SELECT body FROM leads WHERE owner = :owner AND state = 'nurture' "
            "AND body::jsonb -> 'nurture_touch_owed' = 'true' ORDER BY recorded_at, id"
        ),
        {"owner": owner},
    )
    return [_lead_decoder.decode(body) for body in rows]


def revisits_due(connection: Connection, owner: str, day: date) -> list[Lead]:
    """Return *owner*'s leads in nurture whose day to come back on has come by *day*, the earliest first."""
    rows = connection.scalars(
        text(
            "SELECT body FROM leads WHERE owner = :owner AND state = 'nurture' "
            "AND CAST(body::jsonb ->> 'revisit_on' AS date) <= :day ORDER BY body::jsonb ->> 'revisit_on', id"
        ),
        {"owner": owner, "day": day},
    )
    return [_lead_decoder.decode(body) for body in rows]


def reviews_due(connection: Connection, owner: str, until: datetime) -> list[Lead]:
    """Return *owner*'s leads whose no is to be looked at again by *until*, the longest due first; held ones are missing."""
    rows = connection.scalars(
        text(
            "SELECT body FROM leads WHERE owner = :owner AND held IS NULL AND state <> ALL(:resting) "
            "AND (body::jsonb -> 'timers' -> 'review' ->> 'due_at')::timestamptz <= :until "
            "ORDER BY (body::jsonb -> 'timers' -> 'review' ->> 'due_at')::timestamptz, id"
        ),
        {"owner": owner, "until": until, "resting": sorted(RESTING)},
    )
    return [_lead_decoder.decode(body) for body in rows]


def held(connection: Connection, owner: str) -> list[Lead]:
    """Return *owner*'s leads that are on hold, by id."""
    rows = connection.scalars(
        text("SELECT body FROM leads WHERE owner = :owner AND held IS NOT NULL ORDER BY id"), {"owner": owner}
    )
    return [_lead_decoder.decode(body) for body in rows]


def find_leads(connection: Connection, ids: Sequence[UUID]) -> list[Lead]:
    """Return the leads with *ids*, in that order; unknown ones are missing."""
    rows = connection.execute(text("SELECT id, body FROM leads WHERE id = ANY(:ids)"), {"ids": list(ids)})
    found = {row.id: _lead_decoder.decode(row.body) for row in rows}
    return [found[id_] for id_ in ids if id_ in found]


def count_overdue(connection: Connection) -> int:
    """Return how many messages were rung and have not settled in the time that they had."""
    statement = text(
        "SELECT count(*) FROM messages WHERE settled_at IS NULL AND ring_again_at < 'infinity' "
        f"AND ring_again_at <= clock_timestamp() AND NOT {PAUSED}"
    )
    return int(connection.scalar(statement) or 0)


def oldest_due_seconds(connection: Connection, now: datetime) -> int:
    """Return for how many seconds the longest due message has been due at *now* without being settled; 0 when none is.

    Those that are paused do not count.
    """
    due_at = connection.scalar(
        text(f"SELECT min(due_at) FROM messages WHERE settled_at IS NULL AND due_at <= :now AND NOT {PAUSED}"), {"now": now}
    )
    return int((now - due_at).total_seconds()) if due_at else 0


def count_sessions(connection: Connection, application_name: str) -> int:
    """Return how many connections to this database carry *application_name*."""
    statement = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = :name")
    return int(connection.scalar(statement, {"name": application_name}) or 0)


def planned_ahead(connection: Connection, after: date) -> dict[str, date]:
    """Return the last day that is planned of each rep of whom one *after* that day is, in name order."""
    planned = bounded("CAST(body::jsonb ->> 'planned_on' AS date)", "date")
    statement = text(f"SELECT name, {planned} FROM reps WHERE {planned} > :after ORDER BY name")
    return {row[0]: row[1] for row in connection.execute(statement, {"after": after})}


def calendar_ends(connection: Connection) -> dict[str, date]:
    """Return the last day of the calendar in force of each rep, in name order."""
    last = bounded("CAST(c.body::jsonb ->> 'last' AS date)", "date")
    statement = text(f"SELECT reps.name, {last} FROM reps JOIN calendars c ON c.digest = reps.calendar ORDER BY reps.name")
    return {row[0]: row[1] for row in connection.execute(statement)}


def wrong_calendars(connection: Connection) -> list[str]:
    """Return a sentence for each rep whose frozen calendar is missing or is not what its digest says."""
    rows = connection.execute(
        text(
            "SELECT reps.name, reps.calendar, c.body FROM reps LEFT JOIN calendars c ON c.digest = reps.calendar ORDER BY name"
        )
    )
    return [
        f"the calendar of {row.name} is {'missing' if row.body is None else 'not what its digest says'}"
        for row in rows
        if row.body is None or digest(row.body.encode()) != row.calendar
    ]
