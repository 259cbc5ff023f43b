"""Mail through a real worker, a real broker and a real server; and a worker that dies in the middle of the conversation."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest

from actors.mail_checks import MAIL
from actors.submit import Submission
from models import contacts
from models.database import transaction
from service.demo.run import Plan, calendar_for
from service.mailing.addresses import address_of
from service.mailing.compose import Letter, compose
from tests.service.mail.office import POSTAL, Mailroom, homework, server
from tests.stage import Hired, Stage, linux
from workflows.commands import Command, Mode, RecordDecline, Reference, RegisterLead, SetCalendar, StartNurture
from workflows.law_facts import ImportedLawFacts
from workflows.mail_commands import QueueNurtureMail
from workflows.rep import rep_id

__all__ = ["server"]

NOW = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
LEAD, MAIL_ID = uuid4(), uuid4()
TOLD = "SELECT type FROM events WHERE stream_id = %s AND type LIKE 'mail_%%' ORDER BY version"


class Office:
    """A stage with a clock, a worker and a mail server, and one lead in nurture."""

    def __init__(self, stage: Stage, server: Mailroom) -> None:
        self.stage, self.server = stage, server
        stage.clock.move(NOW)
        stage.settings = msgspec.structs.replace(stage.settings, smtp_url=server.url, postal_address=POSTAL)
        stage.hire_clock()
        self.worker: Hired = stage.hire_worker()
        calendar = calendar_for(Plan())
        self.hand_in(rep_id("dan"), SetCalendar(rep="dan", calendar=calendar, playbook="five-five-five"))
        contact = contacts.new_contact(LEAD, "crm", "V-1", {"name": "Ada Amberfield", "email": "ada@example.com"})
        with transaction(stage.service.engine) as connection:
            contacts.save_contacts(connection, [contact])
        known = Reference(document_id=LEAD, commitment=contact.commitment)
        modes: tuple[Mode, ...] = ("email", "call")
        there = ImportedLawFacts(region="US-NY")
        self.hand_in(
            LEAD, RegisterLead(owner="dan", source="crm", playbook="five-five-five", contact=known, modes=modes, law=there)
        )
        self.hand_in(LEAD, RecordDecline(kind="no", stated_reason="price"))
        with transaction(stage.service.engine) as connection:
            words = contacts.save_document(connection, uuid4(), LEAD, "homework", "The roof is of 1997: bring the costs.")
        for command in homework(words):
            self.hand_in(LEAD, command)
        self.hand_in(LEAD, StartNurture())

    def hand_in(self, stream_id: UUID, command: Command, id_: UUID | None = None) -> None:
        """Submit one command and wait until it is applied."""
        self.stage.submit([Submission(id=id_ or uuid4(), stream_id=stream_id, command=command, asked_by="rep:dan")])
        if id_ is None:
            self.stage.settle()

    def queue(self) -> None:
        """Have a mail sent."""
        letter = Letter(
            mail_id=MAIL_ID,
            sender=address_of("the sender", "dan@springfield.example", "Dan"),
            recipient=address_of("the recipient", "ada@example.com", "Ada Amberfield"),
            subject="The guide is out",
            text="Hello Ada,\n\nthe guide that you asked about is out.",
            sent_at=NOW,
            earlier=(),
            postal_address=POSTAL,
            footer="$postal_address\nNo more mail from us, please: $unsubscribe",
            token="t" * 43,
        )
        with transaction(self.stage.service.engine) as connection:
            text = contacts.save_document(connection, uuid4(), LEAD, MAIL, compose(letter).decode(), message_id=MAIL_ID)
        self.hand_in(LEAD, QueueNurtureMail(mail=MAIL_ID, text=text, asset="guide"), MAIL_ID)

    def told(self) -> list[str]:
        """Return the events of mail."""
        return [row[0] for row in self.stage.asker.rows(TOLD, LEAD)]


@pytest.fixture
def office(stage: Stage, server: Mailroom) -> Office:
    return Office(stage, server)


@linux
def test_a_mail_goes_out_through_broker_worker_and_server(office: Office) -> None:
    """The bell of the queue `deliveries`, the actor, the conversation, and the touch that it amounts to."""
    office.queue()
    office.stage.settle()
    assert ["mail_queued", "mail_sending", "mail_sent"] == office.told()
    assert 1 == len(office.server.taken)
    assert 1 == office.stage.asker.number("SELECT count(*) FROM events WHERE type = 'nurture_touch_sent'")


@linux
@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_a_worker_that_is_killed_between_the_intent_and_the_record_sends_nothing_twice(office: Office, command: str) -> None:
    """Design invariant 1, as far as SMTP allows: with the line cut before or after the last byte, one copy at most is out, and
    the log says that nobody knows.
    """

    def kill() -> None:
        office.worker.kill_all()
        office.server.before.clear()

    office.server.before[command] = kill
    office.queue()
    office.stage.until(lambda: office.worker.gone, "the worker is killed")
    assert ["mail_queued", "mail_sending"] == office.told()
    office.stage.hire_worker()
    office.stage.settle()
    assert ["mail_queued", "mail_sending", "mail_unconfirmed"] == office.told()
    assert (1 if command == "DATA" else 0) == len(office.server.taken)
    left = "SELECT count(*) FROM messages WHERE outcome = 'dead' OR settled_at IS NULL AND due_at <= %s"
    assert 0 == office.stage.asker.number(left, NOW)
