"""Fixtures that tests of several folders share: a migrated database, and a service on it."""

import gc
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, settings

from migrations.runner import migrate
from models.database import make_engine
from service.playbooks import publish_shipped
from tests.servers import ServersUnderTest, fresh_database

# How long something takes, no test says: this machine may be busy.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


#: Folders of tests that start processes and wait for them.
_LONG = {"end_to_end", "chaos", "benchmarks"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the long tests first, after they were shuffled: one that begins last leaves every other core with nothing to do."""
    items.sort(key=lambda item: _LONG.isdisjoint(item.path.parts))


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what was imported and collected: it stays, and is much."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def database_template(servers: ServersUnderTest) -> Iterator[str]:
    """Yield the name of a migrated database with the shipped playbooks, of which each test gets a copy."""
    with fresh_database(servers.database_url) as url:
        engine = make_engine(url)
        migrate(engine)
        publish_shipped(engine)
        engine.dispose()
        yield urlsplit(url).path.lstrip("/")
