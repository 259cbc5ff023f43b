"""Are the tables still those that the migrations made, with all that keeps their rows as they are?

Everything else is read from them as if they were. A view in the place of a table, rows that are hidden from this login, a rule
that drops what is written, or a trigger that is switched off would be seen by no comparison of rows.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import CheckConstraint, Connection, Table, UniqueConstraint, text
from sqlalchemy.dialects import postgresql

from models.findings import Finding
from models.tables import metadata


class Schema(NamedTuple):
    """What is wrong with the schema."""

    shape: list[Finding]
    """The tables are other ones: there is no reading them."""
    guards: list[Finding]
    """What keeps them as they are was changed: what stands in them can be read all the same."""


class _Trigger(NamedTuple):
    """A trigger that the migrations made, and what it calls."""

    function: str
    kind: int
    """``pg_trigger.tgtype``."""


_BEFORE_ANY_CHANGE = 2 | 8 | 16 | 32  # of a statement, before DELETE, UPDATE and TRUNCATE
_AFTER_INSERT = 4

_TRIGGERS = {
    (table, f"{table}_append_only"): _Trigger("refuse_change", _BEFORE_ANY_CHANGE)
    for table in ("events", "playbooks", "tree_nodes", "checkpoints", "checkpoint_deliveries", "wordings")
} | {(table, f"{table}_of_the_living"): _Trigger("refuse_erased", _AFTER_INSERT) for table in ("contacts", "documents")}

#: SHA-256 of what each function of a trigger does, as the migrations wrote it.
_FUNCTIONS = {
    "refuse_change": "d83aa521e7187859d2ecbdf12550fd967cfef2cdcfe44186f0a7d0db1a2c1143",
    "refuse_erased": "fb0f55a5233b54d61883c4eb1f63922480446afb6ee4730d621cbf69d961daa9",
}

_VIEW = "operator_reasons"
_SHOWN = "SELECT id, body, salt, commitment FROM documents WHERE kind = 'operator_reason'::text;"


def verify_schema(connection: Connection) -> Schema:
    """Return in what the tables, their triggers and rules, and the one view are not what the migrations made.

    Columns and indexes beside ours do not count. What PostgreSQL itself answers is believed.
    """
    shape = [_finding(sentence) for sentence in (*_path(connection), *_shapes(connection))]
    if shape:
        return Schema(shape, [])
    guards = (*_triggers(connection), *_functions(connection), *_rules(connection), *_views(connection))
    return Schema([], [_finding(sentence) for sentence in guards])


def _finding(sentence: str) -> Finding:
    return Finding("schema_differs", None, None, sentence)


def _path(connection: Connection) -> Iterator[str]:
    """Look where names are looked up: behind another schema, functions and operators of PostgreSQL would not be its own."""
    statement = "SELECT pg_catalog.array_to_json(pg_catalog.current_schemas(true)), pg_catalog.current_setting('search_path')"
    schemas, path = connection.execute(text(statement)).one()
    first = next((schema for schema in schemas if not schema.startswith("pg_temp")), None)
    if first != "pg_catalog":
        yield f"this login looks names up in {path}, and so in {first} before PostgreSQL's own: its answers can be anybody's"


class _Relation(NamedTuple):
    name: str
    schema: str
    kind: str
    persistence: str
    hides_rows: bool
    inherits: bool


def _shapes(connection: Connection) -> Iterator[str]:
    statement = text("""
        SELECT name, n.nspname, c.relkind, c.relpersistence, c.relrowsecurity OR c.relforcerowsecurity,
               EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE c.oid IN (inhrelid, inhparent))
          FROM unnest(CAST(:names AS text[])) AS name
          JOIN pg_catalog.pg_class c ON c.oid = to_regclass(quote_ident(name))
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    """)
    rows = connection.execute(statement, {"names": list(metadata.tables)})
    found = {row[0]: _Relation(*row) for row in rows}
    home = found["events"].schema if "events" in found else None
    columns, unique, checks = _columns(connection), _unique(connection), _checks(connection)
    for name, table in sorted(metadata.tables.items()):
        relation = found.get(name)
        if relation is None:
            yield f"the table {name} is not there"
            continue
        yield from _of_relation(relation, home)
        for column, expected in _expected_columns(table).items():
            is_ = columns.get((name, column), "not there")
            if is_ != expected:
                yield f"the column {column} of {name} is {is_}, and should be {expected}"
        for key in sorted(", ".join(sorted(key)) for key in _expected_keys(table) - unique.get(name, set())):
            yield f"nothing keeps rows of {name} with the same {key} apart"
        for check in sorted(str(each.name) for each in table.constraints if isinstance(each, CheckConstraint)):
            if check not in checks.get(name, set()):
                yield f"the constraint {check} of {name} is gone"


def _of_relation(relation: _Relation, home: str | None) -> Iterator[str]:
    name = relation.name
    if relation.kind != "r" or relation.persistence != "p":
        yield f"{name} is no table that lasts, but something in the place of one"
    if relation.schema != home:
        yield f"the table {name} is one in the schema {relation.schema}, and the log is in {home}"
    if relation.hides_rows:
        yield f"the table {name} can hide rows from some logins: row-level security is on"
    if relation.inherits:
        yield f"the table {name} has rows that another one holds: it inherits, or is inherited from"


def _expected_columns(table: Table) -> dict[str, str]:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return {
        column.name: f"{column.type.compile(dialect).lower()}{'' if column.nullable else ' not null'}"
        for column in table.columns
    }


def _expected_keys(table: Table) -> set[frozenset[str]]:
    keys = [table.primary_key, *(each for each in table.constraints if isinstance(each, UniqueConstraint))]
    return {frozenset(column.name for column in key.columns) for key in keys}


#: Our tables, as later statements will find them.
_OURS = "(SELECT to_regclass(quote_ident(name)) FROM unnest(CAST(:names AS text[])) AS name)"


def _columns(connection: Connection) -> dict[tuple[str, str], str]:
    statement = text(f"""
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
               || CASE WHEN a.attgenerated <> '' THEN ' generated' ELSE '' END
               || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
          FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
         WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid IN {_OURS}
    """)
    return {(table, column): is_ for table, column, is_ in connection.execute(statement, {"names": list(metadata.tables)})}


def _unique(connection: Connection) -> dict[str, set[frozenset[str]]]:
    """Return by table the sets of columns of which a whole and valid index lets no two rows have the same."""
    statement = text(f"""
        SELECT c.relname, array_agg(a.attname::text)
          FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
          JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indexrelid
         WHERE i.indisunique AND i.indisvalid AND i.indisready AND i.indpred IS NULL AND i.indexprs IS NULL
           AND a.attnum <= i.indnkeyatts AND i.indrelid IN {_OURS}
         GROUP BY c.relname, i.indexrelid
    """)
    found: dict[str, set[frozenset[str]]] = {}
    for table, columns in connection.execute(statement, {"names": list(metadata.tables)}):
        found.setdefault(table, set()).add(frozenset(columns))
    return found


def _checks(connection: Connection) -> dict[str, set[str]]:
    statement = text(f"""
        SELECT c.relname, k.conname FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
         WHERE k.contype = 'c' AND k.convalidated AND k.conrelid IN {_OURS}
    """)
    found: dict[str, set[str]] = {}
    for table, name in connection.execute(statement, {"names": list(metadata.tables)}):
        found.setdefault(table, set()).add(name)
    return found


def _triggers(connection: Connection) -> Iterator[str]:
    statement = text(f"""
        SELECT c.relname, t.tgname, p.proname, t.tgtype, t.tgenabled IN ('O', 'A'),
               t.tgqual IS NULL AND t.tgnargs = 0 AND p.pronamespace = c.relnamespace
          FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
          JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
         WHERE NOT t.tgisinternal AND t.tgrelid IN {_OURS} ORDER BY 1, 2
    """)
    found = {(row[0], row[1]): row for row in connection.execute(statement, {"names": list(metadata.tables)})}
    for (table, name), expected in sorted(_TRIGGERS.items()):
        row = found.pop((table, name), None)
        if row is None:
            yield f"the trigger {name}, which keeps {table} as it is, is gone"
        elif not row[4]:
            yield f"the trigger {name}, which keeps {table} as it is, is switched off"
        elif (row[2], row[3], row[5]) != (*expected, True):
            yield f"the trigger {name} of {table} is another one than the migrations made"
    for table, name in found:
        yield f"the table {table} has a trigger that no migration made, {name}"


def _functions(connection: Connection) -> Iterator[str]:
    statement = text(f"""
        SELECT p.proname, encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex')
          FROM pg_catalog.pg_proc p
         WHERE p.oid IN (SELECT tgfoid FROM pg_catalog.pg_trigger WHERE NOT tgisinternal AND tgrelid IN {_OURS})
    """)
    for name, digest in connection.execute(statement, {"names": list(metadata.tables)}):
        if name in _FUNCTIONS and digest != _FUNCTIONS[name]:
            yield f"the function {name}, which triggers call, is another one than the migrations made"


def _rules(connection: Connection) -> Iterator[str]:
    statement = text(f"""
        SELECT c.relname, r.rulename FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
         WHERE r.ev_class IN {_OURS} ORDER BY 1, 2
    """)
    for table, name in connection.execute(statement, {"names": list(metadata.tables)}):
        yield f"the table {table} has a rule that no migration made, {name}: what is written there may go elsewhere"


def _views(connection: Connection) -> Iterator[str]:
    shown = connection.scalar(text("SELECT pg_catalog.pg_get_viewdef(to_regclass(:view))"), {"view": _VIEW})
    # An older PostgreSQL names the table before each column, a newer one does not.
    if (
        shown is None
        or re.sub(r"\s+", " ", shown.replace("documents.", "")).replace("(", "").replace(")", "").strip() != _SHOWN
    ):
        yield f"the view {_VIEW} shows something else than operators' reasons"
