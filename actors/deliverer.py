"""Sending the mail of one message: asked once more, recorded before and after, and handed over at most once.

The row stays open from the decision that the mail may go out (`mail_sending`, the intent) to what came of the conversation
with the server. So whoever finds an open row whose intent is recorded knows that somebody died in between, and that the server
may have taken the mail: it is not sent again, and a person is told (`mail_unconfirmed`). At most once, that is: two breakups in
one mailbox cannot be taken back, and a mail that is missing can still be sent.
"""

import threading
import time
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol

import structlog

from actors.apply import Applier
from actors.bell import Bell
from actors.committer import MAX_ATTEMPTS, may_be_delivered
from actors.this_process import this_process
from models import attempts, deliveries, events, leads, messages, suppressions
from models.database import Connection, DatabaseUnavailableError, Engine, LockedError, transaction
from models.messages import NewMessage, Ring, Settlement
from models.playbooks import calendars_by_digest
from workflows import horizon
from workflows.actor_names import actor_name
from workflows.calendars import Calendar
from workflows.codec import canonical, derived_id
from workflows.commands import decode_command
from workflows.events import decode_recorded
from workflows.fold import fold_all
from workflows.law import refuses
from workflows.law_table import CURRENT, TABLES, LawTable
from workflows.lead import Lead
from workflows.mail import again, may_go_on
from workflows.mail_commands import MailOutcome, ReportMail, SendMail
from workflows.mail_text import read_mail, same_address
from workflows.suppression import refused_by, verdict

#: Conversations that one process holds at the same time; its other threads have transitions to apply. Each has a session of
#: PostgreSQL to itself, and now and then a second one (`service.wiring`).
CONVERSATIONS = 8

#: How long the record of what came of a conversation is tried, while PostgreSQL is away.
RECORD_SECONDS = 60.0

log = structlog.get_logger()


class Said(NamedTuple):
    """What came of a conversation."""

    outcome: MailOutcome
    code: int | None = None
    status: str | None = None
    reason: str | None = None


class Decided(NamedTuple):
    """The decision that a mail may go out, and what it went by."""

    lead: Lead
    """As the decision left it."""
    calendar: Calendar
    table: LawTable


class Post(Protocol):
    """Hands mail to a server."""

    def send(self, sender: str, recipient: str, raw: bytes, withheld: Callable[[], str | None]) -> Said:
        """Hand *raw* over, unless *withheld* says why not when the server is ready for it; never raises for the server."""
        ...


class NoPostError(Exception):
    """No mail server is named to this process."""


class Deliverer:
    """Sends the mail of one process; safe to use from many threads."""

    def __init__(self, engine: Engine, applier: Applier, bell: Bell, clock: Callable[[], datetime], post: Post | None) -> None:
        """Work on *engine* by *clock*; *applier* is this object's own."""
        self._engine = engine
        self._applier = applier
        self._bell = bell
        self._clock = clock
        self._post = post
        self._deciding = threading.Lock()
        self._room = threading.BoundedSemaphore(CONVERSATIONS)

    def deliver(self, ring: Ring) -> None:
        """Send the mail of one message, if it may go out, and record what came of it; or record why that failed.

        Raises
        ------
        DatabaseUnavailableError
            When PostgreSQL is away; nothing is lost, and the clock rings again.
        """
        if not self._room.acquire(blocking=False):
            self._put_off(ring)
            return
        try:
            with deliveries.alone(self._engine, ring.message_id) as mine:
                if mine and (ring.number == 1 or may_be_delivered(self._engine, ring)):
                    self._deliver(ring)
        except DatabaseUnavailableError:
            raise
        except LockedError:
            self._put_off(ring)
        except Exception as error:  # noqa: BLE001  # recorded on the message's row, for people to see
            self._record_failure(ring, error)
        finally:
            self._room.release()

    def _deliver(self, ring: Ring) -> None:
        with transaction(self._engine) as connection:
            opened = messages.read_open(connection, [ring.message_id]).get(ring.message_id)
            begun = events.events_of_message(connection, ring.message_id)
        if opened is None:
            return
        command = decode_command(opened.body)
        if not isinstance(command, SendMail):
            raise TypeError(f"{ring.actor_name} cannot carry {type(command).__name__}")
        if begun:
            self._record(ring, command, Said("unconfirmed"))
            return
        if self._post is None:
            raise NoPostError("no mail server is named to this worker: set THAW_SMTP_URL, then `thaw dead retry`")
        with self._deciding:
            rung = self._applier.begin(ring)
        self._bell.ring_soon(rung)
        with transaction(self._engine) as connection:
            decided = (
                _decided(connection, ring) if ring.message_id in messages.read_open(connection, [ring.message_id]) else None
            )
        if decided:
            self._record(ring, command, self._converse(decided, command, self._post))

    def _converse(self, decided: Decided, command: SendMail, post: Post) -> Said:
        if not decided.lead.mail:
            raise TypeError("the decision to send a mail left none that is on its way")
        with transaction(self._engine) as connection:
            body, email = deliveries.outgoing(connection, decided.lead.id, decided.lead.mail.text.document_id)
        if body is None:
            return Said("refused", reason="withdrawn")
        mail = read_mail(body.encode())
        if not same_address(mail.recipient, email or ""):
            # It was made for another address: the greeting, and perhaps the person, are another one's.
            return Said("refused", reason="address_changed")
        said = post.send(mail.sender, mail.recipient, body.encode(), lambda: self._withheld(decided, command))
        if said.outcome == "deferred" and again(command.attempt) is None:
            return said._replace(outcome="refused", reason="given_up")
        return said

    def _withheld(self, decided: Decided, command: SendMail) -> str | None:
        """Look once more, at the last moment at which the mail can be held back, and return why it is, if so."""
        before = decided.lead
        with transaction(self._engine) as connection:
            lead = leads.find_lead(connection, before.id)
            refused = refused_by(verdict(suppressions.entries_of(connection, [before.id]).get(before.id, ())))
        if lead is None or not may_go_on(before, lead, command, refused):
            return "withdrawn"
        unlawful = refuses(lead, "email", horizon.local_day(decided.calendar, self._clock()), decided.table)
        return unlawful.rule if unlawful else None

    def _record(self, ring: Ring, command: SendMail, said: Said) -> None:
        report = ReportMail(mail=command.mail, outcome=said.outcome, code=said.code, status=said.status, reason=said.reason)
        end = time.monotonic() + RECORD_SECONDS
        while True:
            try:
                with transaction(self._engine) as connection:
                    rings = self._stage_report(connection, ring, report)
            except (DatabaseUnavailableError, LockedError):
                # The conversation cannot be had again: what came of it is worth some patience.
                if time.monotonic() > end:
                    raise
                time.sleep(1)
            else:
                break
        log.info("mail_conversation", message_id=str(ring.message_id), lead_id=str(ring.stream_id), outcome=said.outcome)
        self._bell.ring_soon(rings)

    def _stage_report(self, connection: Connection, ring: Ring, report: ReportMail) -> list[Ring]:
        """Settle the row and stage what came of it, in one transaction."""
        id_, name = derived_id(ring.message_id, "report"), actor_name(report)
        message = NewMessage(
            id=id_,
            stream_id=ring.stream_id,
            actor_name=name,
            body=canonical(report),
            asked_by="service",
            correlation_id=ring.correlation_id,
            causation_id=ring.message_id,
            due_at=self._clock(),
            rung=True,
        )
        messages.settle(connection, [Settlement(ring.message_id, "applied", None, None)], worker=this_process())
        staged = messages.stage(connection, [message])
        return [Ring(id_, ring.stream_id, name, ring.correlation_id, 1)] if staged else []

    def _put_off(self, ring: Ring) -> None:
        with transaction(self._engine) as connection:
            attempts.put_off(connection, ring.message_id)

    def _record_failure(self, ring: Ring, error: Exception) -> None:
        sentence = f"{type(error).__name__}: {error}"
        with transaction(self._engine) as connection:
            attempts.fail(
                connection,
                ring.message_id,
                error=sentence,
                traceback="".join(traceback.format_exception(error)),
                max_attempts=MAX_ATTEMPTS,
                worker=this_process(),
            )
        log.error("mail_failed", message_id=str(ring.message_id), error=sentence)


def _decided(connection: Connection, ring: Ring) -> Decided | None:
    """Return the decision that the mail of *ring* may go out; None when it may not."""
    last = next((row.version for row in events.events_of_message(connection, ring.message_id)), None)
    if last is None:
        return None
    rows = events.read_stream(connection, ring.stream_id)
    history = [decode_recorded(row.body.encode()) for row in rows if row.version <= last]
    lead, used = fold_all(None, history), history[-1].used
    if lead is None or used is None:
        raise TypeError("the decision to send a mail does not say what it rests on")
    calendar = calendars_by_digest(connection, [used.calendar])[used.calendar] if used.calendar else horizon.PLAIN
    return Decided(lead, calendar, TABLES[used.law.table] if used.law else CURRENT)
