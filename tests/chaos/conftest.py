"""For each test a stage with a database of its own, and a pair of servers for the tests that kill them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from migrations.runner import migrate
from models.database import make_engine
from service.embedded import EmbeddedServers
from service.playbooks import publish_shipped
from tests.chaos.workload import START, Workload
from tests.servers import ServersUnderTest, fresh_database
from tests.stage import Stage, on_stage, processes_of


@pytest.fixture(scope="session")
def victims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServers]:
    """Yield a PostgreSQL and a Valkey that nobody else uses; nothing of them is left at the end."""
    home = tmp_path_factory.mktemp("chaos") / "home"
    with EmbeddedServers(home) as servers:
        yield servers
    assert processes_of("", home) == {}
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def migrated(victims: EmbeddedServers) -> Iterator[str]:
    """Yield the name of a migrated database on them, with the shipped playbooks."""
    with fresh_database(victims.database_url) as url:
        engine = make_engine(url)
        migrate(engine)
        publish_shipped(engine)
        engine.dispose()
        yield urlsplit(url).path.lstrip("/")


@pytest.fixture
def ground(request: pytest.FixtureRequest, servers: ServersUnderTest) -> ServersUnderTest:
    """Return the servers that all tests share; for a test that asks for `victims`, those."""
    if "victims" not in request.fixturenames:
        return servers
    victims = request.getfixturevalue("victims")
    return ServersUnderTest(victims.database_url, victims.redis_url)


@pytest.fixture
def template(request: pytest.FixtureRequest, database_template: str) -> str:
    """Return the name of a migrated database on the ground of the test."""
    return str(request.getfixturevalue("migrated")) if "victims" in request.fixturenames else database_template


@pytest.fixture
def stage(ground: ServersUnderTest, template: str, namespace: str, tmp_path: Path) -> Iterator[Stage]:
    """Yield a stage on the ground of the test."""
    with (
        fresh_database(ground.database_url, template) as url,
        on_stage(url, ground.redis_url, namespace, tmp_path) as stage,
    ):
        stage.clock.move(START)
        yield stage


@pytest.fixture
def workload(stage: Stage) -> Workload:
    """Return two thousand commands to come."""
    return Workload(stage)
