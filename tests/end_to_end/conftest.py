"""A home that does not exist yet, and the command line in processes of its own, as a person on a fresh machine has it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.machine import Machine
from tests.servers import ServersUnderTest
from tests.stage import Stage, on_stage


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Yield a machine on which Thaw has never run; at the end nothing of it runs there."""
    machine = Machine(tmp_path)
    yield machine
    machine.close()


@pytest.fixture
def stage(servers: ServersUnderTest, database_url: str, namespace: str, tmp_path: Path) -> Iterator[Stage]:
    """Yield a stage on the servers that all tests share."""
    with on_stage(database_url, servers.redis_url, namespace, tmp_path) as stage:
        yield stage
