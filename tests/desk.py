"""A desk: PostgreSQL, Redis and the code that applies messages, in one process, on a clock that the test sets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from actors import apply, runtime
from actors.apply import Applier
from actors.bell import Bell
from actors.committer import Committer
from actors.submit import Submission, stage
from models import frozen, leads, messages
from models.database import Engine, make_engine, transaction
from models.messages import MessageState, Ring
from models.verify import verify
from service.calendars import freeze_calendar
from tests.logins import service_url
from workflows.calendars import Absence, Calendar
from workflows.commands import Command, QueueRevival, Reference, RegisterLead, ScheduleNote, SetCalendar
from workflows.law_facts import ImportedLawFacts
from workflows.lead import Lead
from workflows.proposals import comes_in
from workflows.rederive import Mismatch, rederive, rederive_book_decisions
from workflows.rep import rep_id

#: A Monday, ten in the morning in New York.
MONDAY = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
NOTE_ON, CALL_ON = date(2026, 1, 5), date(2026, 1, 12)

WORDS = Reference(document_id=UUID(int=1), commitment="0" * 64)


@cache
def in_new_york(absences: tuple[Absence, ...] = ()) -> Calendar:
    """Return the calendar of a rep in New York with the federal holidays: made once, where a thousand tests ask for it."""
    return freeze_calendar("US", "", "America/New_York", date(2025, 1, 1), date(2028, 12, 31), absences=absences)


@dataclass
class SetClock:
    """A clock that stands where the test sets it."""

    moment: datetime = MONDAY

    def __call__(self) -> datetime:
        """Return the time."""
        return self.moment


@dataclass
class Desk:
    """What a test of models and actors works with."""

    engine: Engine
    """Of the owner, for looking and meddling."""
    service: Engine
    """Of the login that the service has: whatever the desk does, it does as that."""
    bell: Bell
    applier: Applier
    committer: Committer
    clock: "SetClock"
    replans: bool = False
    """Whether leads that come into the queue have the day planned again; without, a test plans them itself."""
    honest: bool = True
    """At the end every decision in the log is made again, and nothing may differ; false for a test that forges the log."""

    @property
    def now(self) -> datetime:
        """The time at this desk."""
        return self.clock.moment

    def submit(self, stream_id: UUID, *commands: Command, who: str = "rep:dan", id_: UUID | None = None) -> list[Ring]:
        """Stage commands and return their rings, which nobody has rung."""
        submissions = [
            Submission(id=id_ or uuid4(), stream_id=stream_id, command=command, asked_by=who) for command in commands
        ]
        with transaction(self.service) as connection:
            return stage(connection, submissions, now=self.now)

    def do(self, stream_id: UUID, command: Command, *, who: str = "rep:dan") -> MessageState:
        """Stage one command, apply it and what follows from it, and return what became of it."""
        (ring,) = self.submit(stream_id, command, who=who)
        self.work()
        return self.message(ring.message_id)

    def due(self) -> list[Ring]:
        """Return rings for all messages that are due, not settled nor set aside, and have not failed."""
        statement = text(
            "SELECT id, stream_id, actor_name, correlation_id FROM messages "
            "WHERE settled_at IS NULL AND attempts = 0 AND due_at <= :now AND ring_again_at IS DISTINCT FROM 'infinity' "
            "AND actor_name <> 'mail_sending' "
            "ORDER BY due_at, created_at, id"
        )
        with transaction(self.engine) as connection:
            return [Ring(r[0], r[1], r[2], r[3], 1) for r in connection.execute(statement, {"now": self.now})]

    def work(self) -> None:
        """Apply all that is due, follow-ups included."""
        while rings := self.due():
            self.committer.apply_all(rings)

    def message(self, id_: UUID) -> MessageState:
        """Return a message as it stands."""
        with transaction(self.engine) as connection:
            found = messages.find(connection, id_)
        assert found is not None
        return found

    def lead(self, id_: UUID) -> Lead:
        """Return a lead as it stands."""
        with transaction(self.engine) as connection:
            found = leads.find_lead(connection, id_)
        assert found is not None
        return found

    def ask(self, question: str, **parameters: object) -> Sequence[tuple[object, ...]]:
        """Return the rows that answer a question in SQL."""
        with transaction(self.engine) as connection:
            result = connection.execute(text(question), parameters)
            return [tuple(row) for row in result] if result.returns_rows else []

    def rep(self, name: str = "dan") -> None:
        """Make a rep known, in New York with the federal holidays."""
        self.do(rep_id(name), SetCalendar(rep=name, calendar=in_new_york(), playbook="five-five-five"))

    def queued(self, number: int = 1, *, owner: str = "dan") -> list[UUID]:
        """Register *number* cold leads and put them in the queue."""
        ids = [uuid4() for _ in range(number)]
        for id_ in ids:
            self.submit(id_, registration(owner), who="import")
        self.work()
        return ids

    def note_due(self, number: int = 1) -> list[UUID]:
        """Do the same and give each a note for today, as the planner would."""
        ids = self.queued(number)
        for id_ in ids:
            self.do(id_, ScheduleNote(note_on=NOTE_ON, call_on=CALL_ON), who="planner")
        return ids


def registration(owner: str = "dan") -> RegisterLead:
    """Return the registration of a cold lead that is queued at once."""
    return RegisterLead(
        owner=owner,
        source="crm",
        playbook="five-five-five",
        contact=WORDS,
        modes=("handwritten_note", "call", "email"),
        timezone="America/Chicago",
        law=ImportedLawFacts(region="US"),
        qualified=True,
        then=(QueueRevival(),),
    )


@pytest.fixture
def desk(database_url: str, redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Yield a desk on a migrated database and a namespace of its own, with the rep dan."""
    engine, service = make_engine(database_url), make_engine(service_url(database_url))
    clock = SetClock()
    configured = runtime.configure(service, clock, redis_url=redis_url, namespace=namespace)
    applier = Applier(service, clock)
    made = Desk(engine, service, configured.bell, applier, Committer(service, applier, configured.bell), clock)
    monkeypatch.setattr(apply, "comes_in", lambda *given: made.replans and comes_in(*given))
    made.rep()
    yield made
    try:
        assert not made.honest or altered(engine) or [] == differing(engine)
    finally:
        configured.bell.close()
        service.dispose()
        engine.dispose()


def differing(engine: Engine) -> list[Mismatch]:
    """Return what comes out differently when every decision in the log is made again, plans included."""
    with transaction(engine) as connection:
        library = frozen.read_library(connection)
        streams = [rederive(history, library) for _, history in frozen.histories(connection)]
        plans = [plan for stream in streams for plan in stream.book_decisions]
        planned = rederive_book_decisions(frozen.log_in_order(connection), plans, library)
        return [each for found in (*(stream.mismatches for stream in streams), *(m for _, m in planned)) for each in found]


def altered(engine: Engine) -> bool:
    """Tell whether the test itself changed the log behind the service's back, without putting the hashes right."""
    with transaction(engine) as connection:
        return verify(connection).findings != []
