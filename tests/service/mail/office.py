"""An office whose mail goes out by a real server on loopback: what a test of mail works with."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import text

from actors.apply import Applier
from actors.committer import Committer
from actors.deliverer import Deliverer
from models import contacts
from models.database import transaction
from models.messages import Ring
from service.mailing.conversation import Smtp
from tests.service.world import MONDAY, World
from workflows import commands as c
from workflows.events import Recorded, event_type
from workflows.homework_commands import AnticipateNeed, OpenHistory, Source
from workflows.mail_text import Read, read_mail
from workflows.playbooks import Homework

POSTAL = "Springfield Homes, 12 Elm Street, Springfield IL 62701"


@dataclass
class Mailroom:
    """What the server does with mail, and what it took."""

    taken: list[bytes] = field(default_factory=list)
    """Byte for byte as it came over the line, with CRLF."""
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    """By command (``RCPT``, ``DATA``): the answer to give instead of taking it."""
    before: dict[str, Any] = field(default_factory=dict)
    """By command: what to do first."""
    url: str = ""
    session: Any = None

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: ARG002, N802  # aiosmtpd's names
        self._first("RCPT")
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802  # aiosmtpd's names
        self.session = server
        self._first("DATA")
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.taken.append(envelope.original_content)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return "250 2.0.0 taken"

    def hang_up(self) -> None:
        """End the line at once, as a server does that dies."""
        assert self.session
        self.session.transport.abort()

    def _first(self, command: str) -> None:
        if command in self.before:
            self.before[command]()

    @property
    def mails(self) -> list[Read]:
        """What was taken, read."""
        return [read_mail(raw) for raw in self.taken]


class _OnAnyPort(Controller):
    """Listens on a port that was free, and finds it."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # of the library


@pytest.fixture
def server() -> Iterator[Mailroom]:
    """Yield a mail server on a port of its own."""
    mailroom = Mailroom()
    controller = _OnAnyPort(mailroom, hostname="127.0.0.1", port=0, enable_SMTPUTF8=True)
    controller.start()
    mailroom.url = f"smtp://127.0.0.1:{controller.port}"
    yield mailroom
    controller.stop()


@dataclass
class Office:
    """One service with a mail server; V-0000 is in nurture."""

    world: World
    server: Mailroom
    deliverer: Deliverer

    @property
    def nurtured(self) -> UUID:
        """The lead V-0000."""
        return self.world.leads[0]

    @property
    def silent(self) -> UUID:
        """The lead V-0001, who has gone silent and is to be given up; see `given_up`."""
        return self.world.leads[1]

    def due(self) -> list[Ring]:
        """Return the mails that are to go out now."""
        statement = text(
            "SELECT id, stream_id, actor_name, correlation_id, rings FROM messages WHERE settled_at IS NULL "
            "AND attempts = 0 AND due_at <= :now AND actor_name = 'mail_sending' ORDER BY due_at"
        )
        with transaction(self.world.engine) as connection:
            rows = connection.execute(statement, {"now": self.world.clock()}).all()
        return [Ring(row[0], row[1], row[2], row[3], row[4]) for row in rows]

    def deliver(self) -> None:
        """Send what is to go out now, and record what came of it."""
        for ring in self.due():
            self.deliverer.deliver(ring)
        self.world.work()

    def queue(self, *arguments: object) -> None:
        """Run ``thaw mail`` with *arguments*, which is to be applied; nothing is sent yet."""
        with self.world.worker():
            self.world.ok("mail", *arguments)

    def refused(self, status: int, *arguments: object) -> str:
        """Run ``thaw mail`` with *arguments*, which is to end with *status*, and return what it says."""
        with self.world.worker():
            return self.world.refused(status, "mail", *arguments)

    def nurture(
        self, asset: str = "garden-guide", say: str = "The guide to small gardens that you asked about is out."
    ) -> None:
        """Queue a value touch for V-0000."""
        self.queue("nurture", "V-0000", "--asset", asset, "--text", say)

    def told(self, lead_id: UUID) -> list[Recorded]:
        """Return the events about mail, and what they amount to, of a lead."""
        kinds = (
            "mail_",
            "breakup_email",
            "nurture_touch_sent",
            "command_refused",
            "opted_out",
            "channel_",
            "lead_held",
            "reply_",
        )
        return [each for each in self.world.events(lead_id) if event_type(each.data).startswith(kinds)]

    def types(self, lead_id: UUID) -> list[str]:
        """Return their names."""
        return [event_type(each.data) for each in self.told(lead_id)]


def bring_to_silence(world: World, lead_id: UUID) -> None:
    """Have a lead stay silent as `bring_to_no_answer` does, with the breakup decided and the voicemail left."""
    bring_to_no_answer(world, lead_id)
    with world.worker():
        world.ok("offer", "V-0001", "--solution", "phase two", "--benefit", "a garden")
        world.ok("breakup", "confirm", "V-0001", "--choice", "breakup", "--reason", "silent", "--override", "nobody knows them")
        world.ok("breakup", "voicemail", "V-0001", "--attest-all")


def bring_to_no_answer(world: World, lead_id: UUID) -> None:
    """Have a lead get a note and stay silent through calls and a touch."""
    checks = ("personal_fact", "reminds_who_we_are", "future_call", "not_form_letter")
    world.hand_in(lead_id, c.MarkNoteSent(medium="hand_written", attested=checks))
    world.at(MONDAY + timedelta(days=8))
    world.hand_in(lead_id, c.RecordCall(outcome="voicemail"))
    world.at(MONDAY + timedelta(days=10))
    touch = c.SendTouch(mode="email", value_item="market-report", attested=("recalls_prior_interest", "no_empty_check_in"))
    world.hand_in(lead_id, touch)
    world.at(MONDAY + timedelta(days=15))
    world.hand_in(lead_id, c.RecordCall(outcome="no_answer"))


@pytest.fixture
def office(world: World, server: Mailroom) -> Office:
    """Return the office on its first Monday."""
    world.environ |= {
        "THAW_SMTP_URL": server.url,
        "THAW_MAIL_DOMAIN": "springfield.example",
        "THAW_POSTAL_ADDRESS": POSTAL,
        "THAW_PUBLIC_URL": "https://mail.springfield.example",
    }
    world.applier = Applier(world.service, world.clock, postal_address=POSTAL)
    world.committer = Committer(world.service, world.applier, world.committer._bell)
    post = Smtp(server.url)
    own = Applier(world.service, world.clock, postal_address=POSTAL)
    made = Office(world, server, Deliverer(world.service, own, world.committer._bell, world.clock, post))
    world.rep()
    world.ok("rep", "set", "dan", "--email", "Dan Miller <dan@springfield.example>", "--no-wait")
    world.work()
    world.take_in(person={"email": "ada@example.com"}, queued=False)
    world.hand_in(made.nurtured, c.RecordDecline(kind="no", stated_reason="price"))
    study(world, made.nurtured)
    world.hand_in(made.nurtured, c.StartNurture())
    return made


def study(world: World, lead: UUID) -> None:
    """Do the homework that comes before any contact with somebody who said no."""
    with transaction(world.engine) as connection:
        said = "Third of nine, as the report of November says, and the roof is of 1997: bring the comparison of costs."
        words = contacts.save_document(connection, uuid4(), lead, "homework", said, writer="rep:dan", written_at=world.clock())
    for command in homework(words):
        world.hand_in(lead, command)


def homework(words: c.Reference) -> tuple[c.Command, ...]:
    """Return the commands with which an account is studied, all in the same *words*."""
    cited = Source(published_on=date(2025, 11, 30), where=words)
    answers = dict.fromkeys(Homework().fields, words)
    return (
        OpenHistory(),
        AnticipateNeed(item="roof", need=words, rationale=words),
        c.CompleteHomework(answers=answers, sources=(cited.published_on,), cited=(cited,)),
        c.RecordStrategy(strategy=words, missed_last_time=words),
    )


@pytest.fixture
def given_up(office: Office) -> Office:
    """Return the same office two weeks later, with V-0001, who does not answer."""
    office.world.take_in(person={"email": "bela@example.com"})
    office.world.at(MONDAY + timedelta(days=1))
    bring_to_silence(office.world, office.silent)
    return office
