"""A service with one rep and a few leads, the real command line over it, and a worker that runs when the test says so."""

import contextlib
import json
import logging
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
import structlog
from click.testing import CliRunner, Result
from sqlalchemy import text

from actors import apply
from actors.apply import Applier
from actors.broker import broker
from actors.committer import Committer
from actors.submit import Submission, stage
from migrations.runner import migrate
from models import contacts, events, leads
from models.database import Engine, make_engine, transaction
from models.messages import Ring
from service import wiring
from service.cli import main
from service.clocks import DrivenClock
from service.playbooks import publish_shipped
from service.settings import Settings
from tests.desk import altered, differing, in_new_york
from tests.logins import service_url
from tests.servers import ServersUnderTest, fresh_database
from workflows.calendars import Absence
from workflows.codec import derived_id
from workflows.commands import Command, QueueRevival, Reference, RegisterLead, SetCalendar
from workflows.events import Recorded, decode_recorded
from workflows.law_facts import ImportedLawFacts
from workflows.lead import Lead
from workflows.proposals import comes_in
from workflows.rep import rep_id

#: A Monday; the rep's day starts at 08:00 in New York, which is 13:00 UTC.
MONDAY = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)

#: Of a lead, in the order in which `World.register` makes them.
PEOPLE = ("Ada Amberfield", "Bela Brookhollow", "Cora Cinderwell", "Dirk Dunmarsh", "Edda Eastlock", "Finn Fernholt")

#: What an export is to say.
WHY = ("--reason", "asked for by the auditor")


@pytest.fixture(scope="session")
def database_template(servers: ServersUnderTest) -> Iterator[str]:
    with fresh_database(servers.database_url) as url:
        engine = make_engine(url)
        migrate(engine)
        publish_shipped(engine)
        engine.dispose()
        yield urlsplit(url).path.removeprefix("/")


@dataclass
class World:
    """What a test of the command line works with; the commands and the worker have the login of the service."""

    engine: Engine
    """Of the owner, for looking and meddling."""
    service: Engine
    """Of the login that the service has."""
    clock: DrivenClock
    environ: dict[str, str]
    applier: Applier
    committer: Committer
    leads: list[UUID] = field(default_factory=list)
    replans: bool = False
    """Whether leads that come into the queue have the day planned again; without, they wait for the next morning."""
    honest: bool = True
    """At the end every decision in the log is made again, and nothing may differ; false for a test that forges the log."""
    engines: dict[str, Engine] = field(default_factory=dict)
    """All that were made; commands share them, where processes of their own would each connect anew."""
    clients: list[Any] = field(default_factory=list)
    """Those of Redis that commands took the place of: a worker's thread may be in the middle of ringing with one."""

    def thaw(self, *arguments: object) -> Result:
        """Run the command line."""
        self.clients.append(broker.client)
        return CliRunner().invoke(main, [str(argument) for argument in arguments], env=self.environ)

    def ok(self, *arguments: object) -> str:
        """Run the command line, which is to succeed, and return what it printed."""
        result = self.thaw(*arguments)
        assert result.exit_code == 0, result.output
        assert result.exception is None
        return result.stdout

    def said(self, *arguments: object) -> Any:
        """Do the same with ``--json`` and return the object on the last line."""
        return json.loads(self.ok(*arguments, "--json").splitlines()[-1])

    def refused(self, status: int, *arguments: object) -> str:
        """Run the command line, which is to end with *status* and without a traceback, and return all that it printed."""
        result = self.thaw(*arguments)
        assert result.exit_code == status, result.output
        assert isinstance(result.exception, SystemExit), result.exception
        return result.output

    def hand_in(self, stream_id: UUID, command: Command, *, who: str = "rep:dan") -> UUID:
        """Stage a command and let the worker have it."""
        id_ = uuid4()
        with transaction(self.engine) as connection:
            stage(
                connection,
                [Submission(id=id_, stream_id=stream_id, command=command, asked_by=who)],
                now=self.clock(),
                rung=False,
            )
        self.work()
        return id_

    def work(self) -> None:
        """Apply all that is due, follow-ups included."""
        while rings := self._due():
            self.committer.apply_all(rings)

    def _due(self) -> list[Ring]:
        statement = text(
            "SELECT id, stream_id, actor_name, correlation_id FROM messages "
            "WHERE settled_at IS NULL AND attempts = 0 AND due_at <= :now AND ring_again_at IS DISTINCT FROM 'infinity' "
            "AND actor_name <> 'mail_sending' "
            "ORDER BY due_at"
        )
        with transaction(self.engine) as connection:
            rows = connection.execute(statement, {"now": self.clock()})
            return [Ring(row.id, row.stream_id, row.actor_name, row.correlation_id, 1) for row in rows]

    @contextlib.contextmanager
    def worker(self) -> Iterator[None]:
        """Work in a thread of its own while the block runs."""
        stopping = threading.Event()

        def run() -> None:
            while not stopping.is_set():
                self.work()
                stopping.wait(0.005)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    def rep(self, name: str = "dan", *, absences: tuple[Absence, ...] = (), playbook: str = "five-five-five") -> None:
        """Make a rep known, in New York with the federal holidays."""
        self.hand_in(rep_id(name), SetCalendar(rep=name, calendar=in_new_york(absences), playbook=playbook))

    def register(self, number: int = 1, **fields: Any) -> list[UUID]:
        """Register *number* leads, V-0000 and on, and return their ids; see `take_in` for *fields*."""
        return [self.take_in(**fields) for _ in range(number)]

    def take_in(
        self,
        *,
        id_: UUID | None = None,
        source: str = "crm",
        external_id: str | None = None,
        person: dict[str, Any] | None = None,
        owner: str = "dan",
        queued: bool = True,
        **fields: Any,
    ) -> UUID:
        """Register one lead with its contact; *fields* are those of the command that differ."""
        index = len(self.leads)
        id_ = id_ or derived_id("lead", "crm", index)
        known = {
            "name": PEOPLE[index % len(PEOPLE)],
            "company": "Springfield Homes",
            "phone": f"+1555000{index:04}",
            "facts": ["your tomatoes had won at the county fair", "you kept bees on the roof"],
            "last_meeting_place": "the Oakwood open house",
        }
        contact = contacts.new_contact(id_, source, external_id or f"V-{index:04}", known | (person or {}))
        with transaction(self.engine) as connection:
            contacts.save_contacts(connection, [contact])
        given: dict[str, Any] = {
            "modes": ("handwritten_note", "call", "email", "post"),
            "timezone": "America/Chicago",
            "law": ImportedLawFacts(region="US-IL"),
            "stage_depth": 3,
            "value_band": 2,
            "minutes_invested": 120,
            "qualified": True,
            "then": (QueueRevival(),) if queued else (),
            "playbook": "five-five-five",
        }
        command = RegisterLead(
            owner=owner,
            source=source,
            contact=Reference(document_id=id_, commitment=contact.commitment),
            **(given | fields),
        )
        self.hand_in(id_, command, who="import")
        self.leads.append(id_)
        return id_

    def bundles_hold(self, folder: Path, *leads: str) -> None:
        """Export everything, and *leads* by themselves, with texts; the offline verifier finds nothing wrong in either."""
        self.environ["THAW_HOME"] = str(folder / "home")
        name = self.ok("keys", "init", "--name", "example.com/thaw")
        assert name
        for number, what in enumerate((("--all",), leads)):
            path = folder / f"{number}.zip"
            line = self.ok("export", *WHY, *what, "-o", path, "--opened")
            words = line.split("--key ")[1].split()[0].strip("'")
            assert "nothing is wrong" in self.ok("verify-bundle", path, "--key", words).splitlines()[-1]

    def events(self, stream_id: UUID) -> list[Recorded]:
        """Return the events of a stream, oldest first."""
        with transaction(self.engine) as connection:
            return [decode_recorded(row.body.encode()) for row in events.read_stream(connection, stream_id)]

    def sql(self, statement: str, **values: Any) -> None:
        """Meddle with the database; ``%(name)s`` stands for a value."""
        if re.search(r"\b(events|playbooks|calendars)\b", statement):
            self.honest = False  # decisions rest on these
        with transaction(self.engine) as connection:
            connection.exec_driver_sql(statement, values or None)

    def at(self, moment: datetime) -> None:
        """Move the clock to *moment*, and work off what became due on the way, day by day."""
        while (moment - self.clock()).days >= 1:
            self.clock.move(self.clock() + (moment - self.clock()) / ((moment - self.clock()).days + 1))
            self.work()
        self.clock.move(moment)
        self.work()

    def lead(self, id_: UUID) -> Lead:
        with transaction(self.engine) as connection:
            found = leads.find_lead(connection, id_)
        assert found is not None
        return found


@pytest.fixture
def world(
    database_url: str, redis_url: str, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """Yield an empty service, on Monday, 5 January 2026, 10:00 in New York."""
    engines: dict[str, Engine] = {}

    def remembered(url: str, **options: Any) -> Engine:
        name = f"{url} {sorted(options.items())}"
        if name not in engines:
            engines[name] = make_engine(url, **options)
        return engines[name]

    monkeypatch.setattr(wiring, "make_engine", remembered)
    clock = DrivenClock(tmp_path / "clock")
    clock.move(MONDAY)
    url = service_url(database_url)
    environ = {
        "THAW_LOG_LEVEL": "warning",
        "THAW_HOME": str(tmp_path / "home"),
        "THAW_DATABASE_URL": url,
        "THAW_REDIS_URL": redis_url,
        "THAW_NAMESPACE": namespace,
        "THAW_CLOCK_FILE": str(tmp_path / "clock"),
    }
    service = wiring.connect(Settings(database_url=url, redis_url=redis_url, namespace=namespace))
    applier = Applier(service.engine, clock)
    committer = Committer(service.engine, applier, service.bell)
    made = World(remembered(database_url), service.engine, clock, environ, applier, committer, engines=engines)
    monkeypatch.setattr(apply, "comes_in", lambda *given: made.replans and comes_in(*given))
    yield made
    try:
        assert not made.honest or altered(made.engine) or [] == differing(made.engine)
    finally:
        for engine in engines.values():
            engine.dispose()
        for client in (*made.clients, broker.client):
            client.close()


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[None]:
    """Give structlog and logging back as they were: each command points them at a stream of its own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
