"""The suppression list: keyed hashes of what identifies people who want to hear nothing, and what it says of whom.

`contacts.keys` holds the same hashes of the people who are known, so that no statement here needs the secret that they are
keyed with (`service.pepper`). A key is the kind of the identifier and its hash, ``email:9f3c…``.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Connection, text

from models.database import ask, tell
from workflows.commands import Mode
from workflows.lead import Lead
from workflows.suppression import Entry, Kind, Reason, covered, reach

#: Who writes the list has it alone, and who decides on touches shares it, each to the end of the transaction: so no touch is
#: recorded behind an objection that it did not see. Any constant would do.
_LOCK = 7_468_617_704


class Listed(NamedTuple):
    """An entry with the key under which it stands."""

    key: str
    entry: Entry


def lock(connection: Connection, *, alone: bool) -> None:
    """Take the list to the end of the transaction, *alone* to write it. Behind all locks of streams and messages."""
    shared = "" if alone else "_shared"
    tell(connection, f"SELECT pg_advisory_xact_lock{shared}(%(lock)s)", {"lock": _LOCK})


def _listed(key: str, channel: str, reason: str, since: date) -> Listed:
    kind = cast("Kind", key.partition(":")[0])
    mode = None if channel == "all" else cast("Mode", channel)
    return Listed(key, Entry(kind=kind, channel=mode, reason=cast("Reason", reason), since=since))


_entries_of = """
    SELECT c.lead_id, s.key, s.channel, s.reason, s.since
      FROM contacts c CROSS JOIN LATERAL unnest(c.keys) AS known (key) JOIN suppressions s ON s.key = known.key
     WHERE c.lead_id = ANY(%(ids)s) ORDER BY c.lead_id, s.key, s.channel
"""


def entries_of(connection: Connection, lead_ids: Collection[UUID]) -> dict[UUID, list[Entry]]:
    """Return what the list holds of the people behind *lead_ids*; those who are not on it are missing."""
    found: dict[UUID, list[Entry]] = {}
    if lead_ids:
        for lead_id, *listed in ask(connection, _entries_of, {"ids": list(lead_ids)}):
            found.setdefault(lead_id, []).append(_listed(*listed).entry)
    return found


def find(connection: Connection, keys: Sequence[str]) -> list[Listed]:
    """Return the entries under *keys*."""
    rows = connection.execute(
        text("SELECT key, channel, reason, since FROM suppressions WHERE key = ANY(:keys) ORDER BY key, channel"),
        {"keys": list(keys)},
    )
    return [_listed(*row) for row in rows]


def every(connection: Connection) -> Iterator[Listed]:
    """Yield all entries, the oldest first."""
    statement = text("SELECT key, channel, reason, since FROM suppressions ORDER BY since, key, channel")
    yield from (_listed(*row) for row in connection.execute(statement).yield_per(1000))


# Who was erased stays erased in the list whatever is added later, and every entry stands since it first stood.
_add = text("""
    INSERT INTO suppressions (key, channel, reason, since)
    SELECT key, :channel, :reason, :since FROM unnest(CAST(:keys AS text[])) AS given (key)
    ON CONFLICT (key, channel) DO UPDATE SET reason = excluded.reason
     WHERE excluded.reason = 'erased' AND suppressions.reason <> 'erased'
""")


def add(connection: Connection, keys: Sequence[str], *, channel: Mode | None, reason: Reason, since: date) -> None:
    """Write that nothing goes out in *channel* (None: at all) to whom *keys* belong, as far as they can say anything of it."""
    fitting = [key for key in keys if covered(channel) & reach(cast("Kind", key.partition(":")[0]))]
    connection.execute(_add, {"keys": fitting, "channel": channel or "all", "reason": reason, "since": since})


def keys_of(connection: Connection, lead_id: UUID) -> list[str]:
    """Return the keys of the person behind a lead; none when the contact is unknown, or its keys are."""
    found = connection.scalar(text("SELECT keys FROM contacts WHERE lead_id = :id"), {"id": lead_id})
    return list(found or ())


def lift(connection: Connection, keys: Sequence[str], modes: Collection[Mode]) -> None:
    """Allow *modes* again under *keys*; what an entry refuses besides stays refused."""
    for key, entry in find(connection, keys):
        refused = covered(entry.channel) & reach(entry.kind)
        left = refused.difference(modes)
        if left == refused:
            continue
        connection.execute(
            text("DELETE FROM suppressions WHERE key = :key AND channel = :channel"),
            {"key": key, "channel": entry.channel or "all"},
        )
        for mode in sorted(left):
            add(connection, [key], channel=mode, reason=entry.reason, since=entry.since)


class Namesake(NamedTuple):
    """A lead that shares identifiers of *kinds* with others."""

    lead_id: UUID
    kinds: tuple[Kind, ...]


_namesakes = text("""
    SELECT lead_id, array(SELECT split_part(key, ':', 1) FROM unnest(keys) AS key WHERE key = ANY(:keys) ORDER BY 1) AS kinds
      FROM contacts WHERE keys && CAST(:keys AS text[]) ORDER BY lead_id
""")


def namesakes(connection: Connection, keys: Sequence[str]) -> list[Namesake]:
    """Return the leads of people to whom one of *keys* belongs, by id."""
    return [Namesake(row.lead_id, tuple(row.kinds)) for row in connection.execute(_namesakes, {"keys": list(keys)})]


class Unkeyed(NamedTuple):
    """A contact whose keys are to be worked out."""

    lead_id: UUID
    source: str
    external_id: str
    fields: dict[str, Any]
    keys: list[str]
    """Those that it has; none yet, or those of a secret that was lost."""


def contacts_to_key(connection: Connection, *, after: UUID | None = None, again: bool, limit: int = 1000) -> list[Unkeyed]:
    """Return up to *limit* contacts behind the id *after*: those without keys, or all of them with *again*."""
    rows = connection.execute(
        text(
            f"SELECT lead_id, source, external_id, fields, coalesce(keys, '{{}}') FROM contacts WHERE lead_id > :after "
            f"{'' if again else 'AND keys IS NULL'} ORDER BY lead_id LIMIT :limit FOR UPDATE"
        ),
        {"after": after or UUID(int=0), "limit": limit},
    )
    return [Unkeyed(*row) for row in rows]


def set_keys(connection: Connection, keys: Mapping[UUID, Sequence[str]]) -> None:
    """Write the keys of contacts."""
    statement = text("UPDATE contacts SET keys = :keys WHERE lead_id = :lead_id")
    if keys:
        connection.execute(statement, [{"lead_id": lead_id, "keys": list(found)} for lead_id, found in keys.items()])


def add_opted_out(connection: Connection, leads: Sequence[Lead]) -> None:
    """Write what *leads* refuse: they opted out before there was a list, or before their keys were known."""
    for lead in leads:
        out = lead.state == "do_not_contact"
        channels: tuple[Mode | None, ...] = (None,) if out else lead.modes_refused
        since = (lead.entered_at if out else lead.recorded_at).date()
        for channel in channels:
            add(connection, keys_of(connection, lead.id), channel=channel, reason="opted_out", since=since)


_move = text("""
    UPDATE suppressions SET key = pair.after
      FROM unnest(CAST(:before AS text[]), CAST(:after AS text[])) AS pair (before, after) WHERE suppressions.key = pair.before
""")


def move(connection: Connection, pairs: Mapping[str, str]) -> None:
    """Put the entries under each key of *pairs* under the key that it stands for."""
    connection.execute(_move, {"before": list(pairs), "after": list(pairs.values())})


def count_of_nobody(connection: Connection) -> int:
    """Return how many entries stand under no key of anybody who is known."""
    statement = text(
        "SELECT count(*) FROM suppressions WHERE NOT EXISTS (SELECT FROM contacts WHERE keys @> ARRAY[suppressions.key])"
    )
    return int(connection.scalar(statement) or 0)


def fingerprint(connection: Connection) -> str | None:
    """Return the fingerprint of the secret that all keys here were made with, None before there are any."""
    found: str | None = connection.scalar(text("SELECT fingerprint FROM suppression_key"))
    return found


def set_fingerprint(connection: Connection, value: str, *, instead: bool = False) -> str:
    """Remember the secret's fingerprint if there is none yet, or *instead* of the one that is; return the one in force."""
    action = "UPDATE SET fingerprint = excluded.fingerprint" if instead else "NOTHING"
    connection.execute(
        text(f"INSERT INTO suppression_key (id, fingerprint) VALUES (1, :value) ON CONFLICT (id) DO {action}"), {"value": value}
    )
    return str(fingerprint(connection))
