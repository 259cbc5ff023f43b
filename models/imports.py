"""An import's statements: rows into a temporary table by COPY, compared and written in sets.

All of them belong to one transaction, in this order: `begin`, `copy_rows`, `wait_for_others`, `compare`; then, to write,
`stage_created`, `add_created` and `replace_updated`. The temporary tables end with the transaction.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from models import suppressions
from models.database import take_as_long_as_needed, translated
from models.messages import RING_AGAIN_SECONDS, Ring


class ImportedRow(NamedTuple):
    """A row to compare. All texts are canonical JSON but *external_id*, *owner* and *commitment*."""

    line: int
    external_id: str
    lead_id: UUID
    owner: str
    fields: str
    imported: str
    salt: bytes
    """Used with *commitment* if the row turns out to be new or changed."""
    commitment: str
    message_id: UUID
    """Of the message with *body*, used if the row turns out to be new."""
    body: str
    keys: str
    """What identifies the person (`service.pepper`), as PostgreSQL writes an array."""
    readmitted: bool
    """Taken in although the person was erased."""


class ChangedRow(NamedTuple):
    """A known contact of which the row says something else than before."""

    line: int
    lead_id: UUID
    known_commitment: str
    """As it was."""
    before: str | None
    """What the last import said; None when there was none."""
    after: str
    commitment: str


class Compared(NamedTuple):
    """How many rows are new, changed, the same, or belong to somebody whose data was erased."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    suppressed: int = 0


_create_rows = """
    CREATE TEMPORARY TABLE import_rows (
        line integer PRIMARY KEY, external_id text NOT NULL, lead_id uuid NOT NULL, owner text NOT NULL, fields jsonb NOT NULL,
        imported jsonb NOT NULL, salt bytea NOT NULL, commitment text NOT NULL, message_id uuid NOT NULL, body text NOT NULL,
        keys text[] NOT NULL, readmitted boolean NOT NULL
    ) ON COMMIT DROP
"""
_copy = f"COPY import_rows ({', '.join(ImportedRow._fields)}) FROM STDIN"


def begin(connection: Connection) -> None:
    """Make room for the rows. The statements of an import may take as long as its file is long."""
    take_as_long_as_needed(connection)
    connection.execute(text(_create_rows))


def copy_rows(connection: Connection, rows: Iterable[ImportedRow]) -> None:
    """Send *rows* to the server as they are made.

    Raises
    ------
    ModelError
        When PostgreSQL failed, is full or went away.
    """
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(_copy) as copy:
            for row in rows:
                copy.write_row(_texts(row))
    except psycopg.Error as error:
        raise translated(DBAPIError.instance(_copy, None, error, psycopg.Error)) from error  # type: ignore[arg-type]  # the stub knows no None
    connection.execute(text("ANALYZE import_rows"))


def _texts(row: ImportedRow) -> tuple[object, ...]:
    """Return *row* as PostgreSQL reads it: handed over as texts, ids and salt take a third of the time."""
    salt = f"\\x{row.salt.hex()}"
    return (*row[:2], row.lead_id.hex, *row[3:6], salt, row.commitment, row.message_id.hex, row.body, row.keys, row.readmitted)


def wait_for_others(connection: Connection, source: str) -> None:
    """Wait until no other import of *source* is at work; then it is our turn, until the end of the transaction."""
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('thaw import'), hashtext(:source))"), {"source": source})
    connection.execute(text("SET LOCAL lock_timeout = '20s'"))


# Of identifiers that are one person's: a telephone line may be shared.
_on_the_list = """
    EXISTS (SELECT FROM suppressions s WHERE s.key = ANY(r.keys) AND s.channel = 'all' AND s.key NOT LIKE 'phone:%'
               AND (s.reason = 'erased' OR NOT :erased_only))
"""

# Erasing a person removes the contact and leaves the events: neither such a lead is made known anew, nor the person under
# another id, nor one whose erasure only the ledger knows, because the database was restored from before the lead.
_compare = text(f"""
    CREATE TEMPORARY TABLE import_actions ON COMMIT DROP AS
    SELECT r.line, coalesce(c.lead_id, r.lead_id) AS lead_id, c.commitment AS known_commitment, c.imported AS before,
           CASE WHEN c.lead_id IS NULL
                THEN CASE WHEN r.readmitted THEN 'created'
                          WHEN EXISTS (SELECT FROM events WHERE stream_id = r.lead_id) OR r.lead_id = ANY(:erased)
                               OR {_on_the_list} THEN 'suppressed'
                          ELSE 'created' END
                WHEN c.fields = r.fields AND c.imported = r.imported THEN 'unchanged'
                ELSE 'updated' END AS action
      FROM import_rows r LEFT JOIN contacts c ON c.source = :source AND c.external_id = r.external_id
""")


def compare(connection: Connection, source: str, *, erased: Collection[UUID] = ()) -> Compared:
    """Compare the rows with the contacts of *source* and return how many there are of each kind.

    Those of the leads *erased* are suppressed, as all are whose erasure the database knows.
    """
    connection.execute(_compare, {"source": source, "erased": list(erased), "erased_only": True})
    # The planner may take the few rows of interest for none and join in loops: then it needs an index to loop over.
    connection.execute(text("ALTER TABLE import_actions ADD PRIMARY KEY (line)"))
    connection.execute(text("ANALYZE import_actions"))
    rows = connection.execute(text("SELECT action, count(*) FROM import_actions GROUP BY action"))
    return Compared(**{row[0]: row[1] for row in rows})


def suppressed_lines(connection: Connection, *, limit: int) -> list[int]:
    """Return the lines of the first *limit* rows that belong to somebody who was erased, in order."""
    statement = text("SELECT line FROM import_actions WHERE action = 'suppressed' ORDER BY line LIMIT :limit")
    return list(connection.execute(statement, {"limit": limit}).scalars())


def erased_meanwhile(connection: Connection) -> bool:
    """Whether a new row belongs to somebody who was erased since `compare`. Until the commit, nobody else is erased."""
    suppressions.lock(connection, alone=False)
    statement = text(f"""
        SELECT EXISTS (SELECT FROM import_rows r JOIN import_actions a USING (line)
                        WHERE a.action = 'created' AND NOT r.readmitted AND {_on_the_list})
    """)
    return bool(connection.scalar(statement, {"erased_only": True}))


class Opposed(NamedTuple):
    """How many new rows belong to somebody who wants no contact, and the line of the first."""

    number: int
    first_line: int


def opposed(connection: Connection) -> Opposed:
    """Return how many new rows belong to somebody on the suppression list; their leads are registered as do-not-contact."""
    statement = text(f"""
        SELECT count(*), coalesce(min(r.line), 0) FROM import_rows r JOIN import_actions a USING (line)
         WHERE a.action = 'created' AND {_on_the_list}
    """)
    return Opposed(*connection.execute(statement, {"erased_only": False}).one())


def owners(connection: Connection) -> list[str]:
    """Return the owners of new and changed rows who have no calendar yet, in name order."""
    statement = text("""
        SELECT DISTINCT r.owner FROM import_rows r JOIN import_actions a USING (line)
         WHERE a.action IN ('created', 'updated') AND NOT EXISTS (SELECT FROM reps WHERE reps.name = r.owner) ORDER BY r.owner
    """)
    return list(connection.execute(statement).scalars())


def streams_with_messages(connection: Connection, stream_ids: Sequence[UUID]) -> set[UUID]:
    """Return those of *stream_ids* for which a message waits."""
    statement = text("SELECT DISTINCT stream_id FROM messages WHERE settled_at IS NULL AND stream_id = ANY(:ids)")
    return set(connection.execute(statement, {"ids": list(stream_ids)}).scalars())


_changed = text("""
    SELECT r.line, a.lead_id, a.known_commitment, a.before::text, r.imported::text, r.commitment
      FROM import_rows r JOIN import_actions a USING (line)
     WHERE a.action = 'updated' AND r.line > :after ORDER BY r.line LIMIT :limit
""")


def changed_rows(connection: Connection, *, page: int = 1000) -> Iterator[list[ChangedRow]]:
    """Yield the changed rows by line, *page* at a time."""
    after = 0
    while rows := [ChangedRow(*row) for row in connection.execute(_changed, {"after": after, "limit": page})]:
        yield rows
        after = rows[-1].line


_stage_created = text(f"""
    INSERT INTO messages (id, stream_id, actor_name, body, asked_by, correlation_id, due_at, rings, ring_again_at)
    SELECT r.message_id, r.lead_id, :actor_name, r.body, :asked_by, :correlation_id, :due_at,
           CASE WHEN :rung THEN 1 ELSE 0 END,
           CASE WHEN :rung THEN clock_timestamp() + interval '{RING_AGAIN_SECONDS} seconds' END
      FROM import_rows r JOIN import_actions a USING (line) WHERE a.action = 'created' ORDER BY r.line
    ON CONFLICT (id) DO NOTHING
""")


def stage_created(
    connection: Connection, *, actor_name: str, asked_by: str, correlation_id: UUID, due_at: datetime, rung: bool
) -> int:
    """Stage the message of each new row and return how many there were; fewer than new rows means a conflict."""
    parameters = {
        "actor_name": actor_name, "asked_by": asked_by, "correlation_id": correlation_id, "due_at": due_at, "rung": rung,
    }  # fmt: skip
    return connection.execute(_stage_created, parameters).rowcount


def created_rings(connection: Connection, *, actor_name: str, correlation_id: UUID) -> list[Ring]:
    """Return the rings of the messages that `stage_created` staged as rung."""
    statement = text("""
        SELECT r.message_id, r.lead_id FROM import_rows r JOIN import_actions a USING (line)
         WHERE a.action = 'created' ORDER BY r.line
    """)
    return [Ring(row[0], row[1], actor_name, correlation_id, 1) for row in connection.execute(statement)]


_add_created = text("""
    INSERT INTO contacts (lead_id, source, external_id, fields, salt, commitment, imported, keys)
    SELECT r.lead_id, :source, r.external_id, r.fields, r.salt, r.commitment, r.imported, r.keys
      FROM import_rows r JOIN import_actions a USING (line) WHERE a.action = 'created' ORDER BY r.line
    ON CONFLICT DO NOTHING
""")
_replace_updated = text("""
    UPDATE contacts c SET fields = r.fields, salt = r.salt, commitment = r.commitment, imported = r.imported, keys = r.keys
      FROM import_rows r JOIN import_actions a USING (line)
     WHERE a.action = 'updated' AND c.lead_id = a.lead_id AND c.commitment = a.known_commitment
""")


def add_created(connection: Connection, source: str) -> int:
    """Write the contacts of new rows and return how many there were; fewer than new rows means a conflict."""
    return connection.execute(_add_created, {"source": source}).rowcount


def replace_updated(connection: Connection) -> int:
    """Write the contacts of changed rows and return how many there were; fewer than changed rows means a conflict."""
    return connection.execute(_replace_updated).rowcount


def unsettled(connection: Connection, correlation_id: UUID, *, now: datetime) -> int:
    """Return how many messages that follow from an import are due at *now* and not settled."""
    statement = text(
        "SELECT count(*) FROM messages WHERE settled_at IS NULL AND due_at <= :now AND correlation_id = :correlation_id"
    )
    return int(connection.scalar(statement, {"correlation_id": correlation_id, "now": now}) or 0)


def outcomes(connection: Connection, correlation_id: UUID) -> dict[str, int]:
    """Return how many messages that follow from an import ended how. Reads the whole table: for the end of a wait."""
    statement = text(
        "SELECT outcome, count(*) FROM messages WHERE correlation_id = :correlation_id AND outcome IS NOT NULL "
        "GROUP BY outcome ORDER BY outcome"
    )
    return {row[0]: row[1] for row in connection.execute(statement, {"correlation_id": correlation_id})}
