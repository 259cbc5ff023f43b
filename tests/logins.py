"""Logins for tests, one for each role: real ones, with a password, on whatever server a test database is on."""

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from migrations.access import ROLES, SERVICE
from tests.servers import ServersUnderTest


@dataclass(frozen=True)
class Logins:
    """A login for each role, by the role's name."""

    server_url: str
    known: Mapping[str, tuple[str, str]]
    """Name and password."""

    def url(self, database_url: str, role: str) -> str:
        """Return *database_url* for the login that has *role* and no other."""
        name, password = self.known[role]
        parts = urlsplit(database_url)
        return parts._replace(netloc=f"{name}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()

    def name(self, role: str) -> str:
        """Return the name of the login."""
        return self.known[role][0]

    def drop(self) -> None:
        """Drop the logins; the roles stay, for others may have them."""
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            for name, _ in self.known.values():
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


#: By the address of the server.
_made: dict[str, Logins] = {}


def logins_on(database_url: str) -> Logins:
    """Return the logins on the server of *database_url*, whose user must be allowed to make roles, as well as databases."""
    server = urlsplit(database_url).netloc.rpartition("@")[2]
    if server not in _made:
        _made[server] = _make(database_url)
    return _made[server]


def _make(database_url: str) -> Logins:
    known = {role: (f"test_{role}_{uuid4().hex[:12]}", secrets.token_urlsafe(12)) for role in ROLES}
    with psycopg.connect(database_url, autocommit=True) as connection:
        there = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        for role, (name, password) in known.items():
            if role not in there:
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
            create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            connection.execute(create.format(sql.Identifier(name), sql.Literal(password)))
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(name)))
    return Logins(urlsplit(database_url)._replace(path="/postgres").geturl(), known)


def service_url(database_url: str) -> str:
    """Return *database_url* as the service itself has it."""
    return logins_on(database_url).url(database_url, SERVICE)


@pytest.fixture
def logins(servers: ServersUnderTest) -> Logins:
    """Return the logins on the servers that all tests share."""
    return logins_on(servers.database_url)


def pytest_sessionfinish() -> None:
    """Leave no login behind on a server that was named from outside; one of ours is gone by now."""
    for made in _made.values():
        with contextlib.suppress(psycopg.OperationalError):
            made.drop()
