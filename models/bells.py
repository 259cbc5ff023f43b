"""Which Redis was last seen, and what was marked there: how its loss is noticed."""

from sqlalchemy import Connection, text

Seen = tuple[str, str | None]


def seen(connection: Connection, namespace: str) -> Seen | None:
    """Return run id and marker of the Redis last seen under *namespace*, None at first."""
    row = connection.execute(
        text("SELECT run_id, marker FROM bells WHERE namespace = :namespace"), {"namespace": namespace}
    ).first()
    return (row[0], row[1]) if row else None


def lock(connection: Connection, namespace: str) -> Seen | None:
    """Do the same while keeping other clocks out until the end of the transaction."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"thaw bell {namespace}"})
    return seen(connection, namespace)


def remember(connection: Connection, namespace: str, run_id: str, marker: str) -> None:
    """Record the Redis that is seen now."""
    connection.execute(
        text(
            "INSERT INTO bells (namespace, run_id, marker) VALUES (:namespace, :run_id, :marker) "
            "ON CONFLICT (namespace) DO UPDATE SET run_id = excluded.run_id, marker = excluded.marker"
        ),
        {"namespace": namespace, "run_id": run_id, "marker": marker},
    )
