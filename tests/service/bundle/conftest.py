"""An office that is filled once, bundles of it, and copies of its database for those who tamper with them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from service.bundle.selection import Selection
from tests.servers import ServersUnderTest, fresh_database
from tests.service.bundle.office import ALL, Office, checkpoints_of, fill, leads_of, office_of
from tests.service.world import quiet_logs

__all__ = ["quiet_logs"]


class Filled:
    """What is left of the filled office: its database as a template, its keys, and bundles that were made of it."""

    def __init__(self, office: Office, database: str, home: Path) -> None:
        self.database = database
        self.home = home
        self.key = office.key
        self.now = office.now
        self.leads = office.leads
        self.notes = office.notes
        self.one = leads_of(self.leads[1])
        self.some = leads_of(*self.leads[1:5])
        path = home / "bundle.zip"
        self.bundles = {
            "one": office.bundle(self.one, path, opened=True),
            "some": office.bundle(self.some, path),
            "range": office.bundle(Selection(kind="range", first=40, last=90), path),
            "all": office.bundle(ALL, path, opened=True),
        }
        #: How many events each kept checkpoint is over, and the newest, under which the bundles are.
        self.sizes = [checkpoint.size for checkpoint in checkpoints_of(self.notes)]
        self.size = office.ask("SELECT max(size) FROM checkpoints")[0][0]


@pytest.fixture(scope="session")
def filled(servers: ServersUnderTest, database_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """Yield the filled office, to which nobody is connected any more."""
    home = tmp_path_factory.mktemp("office")
    with fresh_database(servers.database_url, database_template) as url:
        with office_of(url, home) as office:
            fill(office)
            made = Filled(office, urlsplit(url).path.lstrip("/"), home)
        yield made


@pytest.fixture
def office(servers: ServersUnderTest, filled: Filled) -> Iterator[Office]:
    """Yield the filled office in a database of this test's own, with the key."""
    with fresh_database(servers.database_url, filled.database) as url, office_of(url, filled.home) as copy:
        yield replace(copy, now=filled.now, leads=list(filled.leads), notes=list(filled.notes))
