"""Who may do what in the database: three roles, and what each may do with every table.

The roles are groups that nobody logs in as; a login becomes a member of one (`thaw roles` prints how). They belong to the
whole cluster, so that two databases of Thaw in one cluster share them: who may connect to which is for each login to say.
`PRIVILEGES` is the one place where privileges are written down. After each migration the database is compared with it, and
what differs is put right (`install`), as far as the migrating login may; the rest is for an administrator (`lacking`).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

SERVICE, AUDITOR, OPENED = "thaw_service", "thaw_auditor", "thaw_auditor_opened"

ROLES = {
    SERVICE: "the service: workers, clock and command line. It appends to the log and cannot change it",
    AUDITOR: "who reads and checks: the log and everything made of it, and no names, addresses or texts",
    OPENED: "in addition, who may also see names, addresses and texts",
}

_READ = "SELECT"
_ADD = "SELECT INSERT"
_KEEP = "SELECT INSERT DELETE"
_CHANGE = "SELECT INSERT UPDATE DELETE"


class Allowed(NamedTuple):
    """What the three roles may do with a table, as words that GRANT knows. None may truncate, reference or put triggers."""

    service: str
    auditor: str = _READ
    opened: str = ""

    def of(self, role: str) -> frozenset[str]:
        """Return the privileges of *role*, one of `ROLES`."""
        return frozenset({SERVICE: self.service, AUDITOR: self.auditor, OPENED: self.opened}[role].split())


#: By table or view, in name order. A view reads with the rights of its owner.
PRIVILEGES = {
    "alembic_version": Allowed(_READ),
    "bells": Allowed("SELECT INSERT UPDATE", auditor=""),
    "calendars": Allowed(_KEEP),
    "campaigns": Allowed(_CHANGE),
    "checkpoint_deliveries": Allowed(_ADD),
    "checkpoint_failures": Allowed(_CHANGE),
    "checkpoints": Allowed(_ADD),
    "contacts": Allowed(_CHANGE, auditor="", opened=_READ),
    "documents": Allowed(_KEEP, auditor="", opened=_READ),
    "events": Allowed(_ADD),
    "heads_nodes": Allowed(_KEEP),
    "leads": Allowed(_CHANGE),
    "log_head": Allowed("SELECT UPDATE"),
    "mailboxes": Allowed(_CHANGE, auditor="", opened=_READ),
    "messages": Allowed("SELECT INSERT UPDATE"),
    "operator_reasons": Allowed(_READ),
    "pauses": Allowed(_KEEP),
    "playbooks": Allowed(_ADD),
    "reps": Allowed(_CHANGE),
    "sales_events": Allowed(_CHANGE),
    "slots": Allowed(_KEEP),
    "suppression_key": Allowed("SELECT INSERT UPDATE"),
    "suppressions": Allowed(_CHANGE, auditor=""),
    "tree_nodes": Allowed(_ADD),
    "wordings": Allowed(_ADD),
}


class Lacking(NamedTuple):
    """What keeps the roles from being what they should be."""

    statements: list[str]
    """To be run, in this order, by the owner of the tables or an administrator."""
    troubles: list[str]
    """What no statement of ours mends, a sentence each."""


def install(connection: Connection) -> None:
    """Make the roles and set their privileges, as far as this login may; a second run changes nothing."""
    for statement in _statements(connection):
        _try(connection, statement)


def lacking(connection: Connection) -> Lacking:
    """Return what an administrator has yet to do."""
    return Lacking(list(_statements(connection)), list(_troubles(connection)))


def _try(connection: Connection, statement: str) -> None:
    try:
        with connection.begin_nested():
            connection.execute(text(statement))
    except DBAPIError as error:
        # Not ours to do (42501), or somebody else has just done it: a role is made once in a cluster (42710, 23505). A role
        # that is missing (42704) was not ours to make.
        if getattr(error.orig, "sqlstate", None) not in {"42501", "42710", "23505", "42704"}:
            raise


def _statements(connection: Connection) -> Iterator[str]:
    there = set(connection.scalars(text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:roles)"), {"roles": list(ROLES)}))
    for role in ROLES:
        if role not in there:
            yield f"CREATE ROLE {role} NOLOGIN"
    yield from _around(connection, there)
    held = _held(connection)
    for table, allowed in PRIVILEGES.items():
        for role in ROLES:
            wanted, has = allowed.of(role), held.get((table, role), frozenset())
            if has - wanted:
                yield f"REVOKE {_listed(has - wanted)} ON {table} FROM {role}"
            if wanted - has:
                yield f"GRANT {_listed(wanted - has)} ON {table} TO {role}"


def _around(connection: Connection, there: set[str]) -> Iterator[str]:
    """Yield what lets the roles reach the tables at all; PUBLIC mostly has it already."""
    quote = connection.dialect.identifier_preparer.quote
    schema, database = connection.execute(text("SELECT current_schema(), current_database()")).one()
    for role in ROLES:
        if role not in there or not _may(connection, "schema", role, schema, "USAGE"):
            yield f"GRANT USAGE ON SCHEMA {quote(schema)} TO {role}"
        # An import compares its rows in a temporary table.
        wanted = ("CONNECT", "TEMPORARY") if role == SERVICE else ("CONNECT",)
        missing = [each for each in wanted if role not in there or not _may(connection, "database", role, database, each)]
        if missing:
            yield f"GRANT {', '.join(missing)} ON DATABASE {quote(database)} TO {role}"


def _may(connection: Connection, kind: str, role: str, name: str, privilege: str) -> bool:
    parameters = {"role": role, "name": name, "privilege": privilege}
    return bool(connection.scalar(text(f"SELECT has_{kind}_privilege(:role, :name, :privilege)"), parameters))


def _held(connection: Connection) -> dict[tuple[str, str], frozenset[str]]:
    """Return what was granted to the roles on our tables, by table and role."""
    statement = text("""
        SELECT c.relname, r.rolname, array_agg(a.privilege_type::text)
          FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(:tables) AND r.rolname = ANY(:roles)
         GROUP BY 1, 2
    """)
    rows = connection.execute(statement, {"tables": list(PRIVILEGES), "roles": list(ROLES)})
    return {(row[0], row[1]): frozenset(row[2]) for row in rows}


def _listed(privileges: frozenset[str]) -> str:
    order = ("SELECT", "INSERT", "UPDATE", "DELETE")
    return ", ".join([each for each in order if each in privileges] + sorted(privileges.difference(order)))


def _troubles(connection: Connection) -> Iterator[str]:
    owner = table_owner(connection)
    # Of a superuser, and of the owner itself, this holds too.
    above = "SELECT rolname FROM pg_roles WHERE rolname = ANY(:roles) AND pg_has_role(rolname, :owner, 'USAGE') ORDER BY 1"
    for role in connection.scalars(text(above), {"roles": list(ROLES), "owner": owner}):
        yield (
            f"the role {role} has all rights of {owner}, who owns the tables: take them from it, or have the tables owned by "
            f"another role"
        )
    if connection.scalar(text("SELECT has_schema_privilege('public', current_schema(), 'CREATE')")):
        schema = connection.scalar(text("SELECT current_schema()"))
        yield (
            f"everybody who may connect may make tables and functions in the schema {schema}, as in each PostgreSQL before 15; "
            f"unless something else needs that: REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC"
        )


class Login(NamedTuple):
    """Who is connected."""

    name: str
    owner: bool
    """Whether it has the rights of the owner of the tables, and so can do anything with them."""
    roles: tuple[str, ...]
    """Those of `ROLES` whose privileges it has."""


def login(connection: Connection) -> Login:
    """Return who is connected, and as what."""
    owner = table_owner(connection)
    name = str(connection.scalar(text("SELECT current_user")))
    owns = bool(owner and connection.scalar(text("SELECT pg_has_role(:owner, 'USAGE')"), {"owner": owner}))
    member = "SELECT rolname FROM pg_roles WHERE rolname = ANY(:roles) AND pg_has_role(oid, 'USAGE')"
    found = set(connection.scalars(text(member), {"roles": list(ROLES)}))
    return Login(name, owns, tuple(role for role in ROLES if role in found))


def table_owner(connection: Connection) -> str | None:
    """Return who owns the log; None when there is none yet."""
    statement = "SELECT tableowner FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'events'"
    owner: str | None = connection.scalar(text(statement))
    return owner


def members(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Return the direct members of each of `ROLES` that exists, by name."""
    # Whoever makes a role may give it to others, and need not have its privileges (from PostgreSQL 16 on).
    statement = text("""
        SELECT r.rolname, array_remove(array_agg(m.rolname ORDER BY m.rolname), NULL)
          FROM pg_roles r LEFT JOIN pg_auth_members am ON am.roleid = r.oid
          LEFT JOIN pg_roles m ON m.oid = am.member AND pg_has_role(m.oid, r.oid, 'USAGE')
         WHERE r.rolname = ANY(:roles) GROUP BY 1
    """)
    return {row[0]: tuple(row[1]) for row in connection.execute(statement, {"roles": list(ROLES)})}


def make_login(connection: Connection, name: str, password: str, role: str) -> None:
    """Make the login *name*, or give it another password, and make it a member of *role*."""
    driver: Any = connection.connection.driver_connection
    # What goes to the server, and perhaps into its log, is what the server would keep anyway.
    secret = driver.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    quoted = connection.dialect.identifier_preparer.quote(name)
    known = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name})
    connection.exec_driver_sql(f"{'ALTER' if known else 'CREATE'} ROLE {quoted} LOGIN PASSWORD '{secret}'")
    connection.exec_driver_sql(f"GRANT {role} TO {quoted}")
