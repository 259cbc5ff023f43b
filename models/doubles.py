"""Leads that may be one person: those that share a mail address, name and number, or name and address.

They are compared by `contacts.keys`, as an objection is. A number or a name alone is not enough.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

#: Whoever is let go, won or not to be contacted is written to by nobody twice.
_worked = "state NOT IN ('dropped', 'do_not_contact', 'won')"

_personal = "split_part(k.key, ':', 1) IN ('email', 'person', 'post')"
_kinds = "array_agg(DISTINCT split_part(key, ':', 1) ORDER BY split_part(key, ':', 1))"


class Double(NamedTuple):
    """Two leads that may be one person."""

    lead_id: UUID
    into: UUID
    """The one of which more is known."""
    kinds: Sequence[str]
    """Of the identifiers that they share: ``email``, ``person`` (name and number), ``post`` (name and address)."""


class NewDouble(NamedTuple):
    """A new row of an import that may be the person of a lead that is known, or of a row above it."""

    line: int
    lead_id: UUID
    external_id: str
    into: UUID
    into_external_id: str
    kinds: Sequence[str]
    total: int
    """How many pairs there are in all."""


_doubles = text(f"""
    WITH known AS (
        SELECT k.key, l.id, l.owner, l.version
          FROM leads l JOIN contacts c ON c.lead_id = l.id CROSS JOIN LATERAL unnest(c.keys) AS k (key)
         WHERE {_personal} AND {_worked}
    ), pairs AS (
        SELECT key, id, owner, first_value(id) OVER most AS other, first_value(owner) OVER most AS other_owner
          FROM known WINDOW most AS (PARTITION BY key ORDER BY version DESC, id)
    )
    SELECT id, other, {_kinds} FROM pairs
     WHERE id <> other AND (CAST(:owner AS text) IS NULL OR :owner IN (owner, other_owner))
     GROUP BY id, other ORDER BY other, id
""")


def doubles(connection: Connection, owner: str | None = None) -> list[Double]:
    """Return the leads that may be one person with another, of *owner* or of the team; looks at every contact."""
    return [Double(*row) for row in connection.execute(_doubles, {"owner": owner})]


# Not by the index on the keys: whatever the last import added to it is looked through for each key that is asked for.
_new_doubles = text(f"""
    WITH named AS MATERIALIZED (
        SELECT r.line, a.lead_id, r.external_id, k.key
          FROM import_rows r JOIN import_actions a USING (line) CROSS JOIN LATERAL unnest(r.keys) AS k (key)
         WHERE a.action = 'created' AND {_personal}
    ), known AS (
        SELECT k.key, 0 AS line, c.lead_id, c.external_id
          FROM contacts c CROSS JOIN LATERAL unnest(c.keys) AS k (key) LEFT JOIN leads l ON l.id = c.lead_id
         WHERE k.key IN (SELECT key FROM named) AND (l.id IS NULL OR l.{_worked})
         UNION ALL SELECT key, line, lead_id, external_id FROM named
    ), first AS (
        SELECT DISTINCT ON (key) key, lead_id, external_id FROM known ORDER BY key, line, lead_id
    )
    SELECT n.line, n.lead_id, n.external_id, first.lead_id, first.external_id, {_kinds}, count(*) OVER ()
      FROM named n JOIN first USING (key) WHERE first.lead_id <> n.lead_id
     GROUP BY n.line, n.lead_id, n.external_id, first.lead_id, first.external_id ORDER BY n.line LIMIT :limit
""")


def new_doubles(connection: Connection, *, limit: int) -> list[NewDouble]:
    """Return the first *limit* new rows that may be somebody who is known, by line; before they are written."""
    return [NewDouble(*row) for row in connection.execute(_new_doubles, {"limit": limit})]
