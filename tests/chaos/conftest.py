"""A pair of servers that the tests of this folder may kill, and for each test a stage with a database of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from migrations.runner import migrate
from models.database import make_engine
from service.embedded import EmbeddedServers
from service.playbooks import publish_shipped
from tests.chaos.workload import START, Workload
from tests.servers import fresh_database
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
    """Yield the name of a migrated database with the shipped playbooks."""
    with fresh_database(victims.database_url) as url:
        engine = make_engine(url)
        migrate(engine)
        publish_shipped(engine)
        engine.dispose()
        yield urlsplit(url).path.lstrip("/")


@pytest.fixture
def stage(victims: EmbeddedServers, migrated: str, tmp_path: Path) -> Iterator[Stage]:
    """Yield a stage on servers that may be killed."""
    with (
        fresh_database(victims.database_url, migrated) as url,
        on_stage(url, victims.redis_url, f"chaos-{uuid4().hex}", tmp_path) as stage,
    ):
        stage.clock.move(START)
        yield stage


@pytest.fixture
def workload(stage: Stage) -> Workload:
    """Return two thousand commands to come."""
    return Workload(stage)
