"""Fixtures that tests of several folders share: a migrated database, and a service on it."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from migrations.runner import migrate
from models.database import make_engine
from service.playbooks import publish_shipped
from tests.servers import ServersUnderTest, fresh_database


@pytest.fixture(scope="session")
def database_template(servers: ServersUnderTest) -> Iterator[str]:
    """Yield the name of a migrated database with the shipped playbooks, of which each test gets a copy."""
    with fresh_database(servers.database_url) as url:
        engine = make_engine(url)
        migrate(engine)
        publish_shipped(engine)
        engine.dispose()
        yield urlsplit(url).path.lstrip("/")
