"""Mail that comes in: whose it is, and what is to be recorded of it."""

import hashlib
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from actors.submit import Submission, stage
from models import contacts, deliveries, leads, suppressions, views
from models.database import Connection, transaction
from models.merges import survivor
from service.mailing.addresses import MailError, lead_of
from service.pepper import Pepper, mail_address, open_pepper
from service.wiring import Service
from service.wording import plain
from workflows import horizon
from workflows.codec import derived_id
from workflows.commands import Command, Hold, OptOut, RecordReply, Reference, ReplyIntent
from workflows.inbound import Incoming, understood
from workflows.lead import Lead
from workflows.mail_commands import RecordBounce

#: Who asks for what a mail brings.
WHO = "inbox"

#: Larger ones are not answers.
MOST_BYTES = 25_000_000


class Answered(NamedTuple):
    """How a person read an answer, where that is known better than a program can tell."""

    intent: ReplyIntent = "unread"
    revisit_on: date | None = None


#: Nobody has read it yet.
UNREAD = Answered()


class Taken(NamedTuple):
    """What came of one mail: what is to be recorded, or why nothing is."""

    submission: Submission | None
    sentence: str
    merged: str = ""
    """That it goes to another lead than it was addressed to, and why."""


def take(connection: Connection, pepper: Pepper, raw: bytes, now: datetime, answered: Answered = UNREAD) -> Taken:
    """Return what the mail *raw* asks for; its words are kept outside the log. The same mail again is the same.

    Raises
    ------
    MailError
        When it is no mail, too large, or bears the id of another mail.
    """
    if len(raw) > MOST_BYTES:
        raise MailError(f"this mail has more than {MOST_BYTES} bytes, which is more than an answer has")
    mail = understood(raw, now.date())
    if not mail.sender and not mail.message_id:
        raise MailError("this is no mail: it has neither From nor Message-ID (RFC 5322)")
    if mail.kind in ("automatic", "delayed"):
        return Taken(None, f"an automatic mail ({mail.kind}): nothing is recorded")
    lead, about = _lead(connection, pepper, mail)
    if lead is None:
        return Taken(None, f"{mail.kind.replace('_', ' ')} of somebody who is no lead: nothing is recorded")
    # An objection is about an address, which the lead has that the mail is about; it passes it on itself.
    ours = mail.kind in ("unsubscribe", "opt_out", "bounce")
    goes_on = lead if ours else survivor(connection, lead)
    id_ = derived_id("inbound", goes_on.id, mail.message_id or hashlib.sha256(raw).hexdigest())
    command = _command(connection, mail, goes_on, about, id_, now, answered)
    if command is None:
        return Taken(None, "a mail came back that is none of ours: nothing is recorded")
    merged = f"; lead {lead.id.hex[:12]} was merged into lead {goes_on.id.hex[:12]}" if goes_on.id != lead.id else ""
    submission = Submission(id=id_, stream_id=goes_on.id, command=command, asked_by=WHO)
    return Taken(submission, f"{mail.kind.replace('_', ' ')}{merged}", merged.removeprefix("; "))


def _lead(connection: Connection, pepper: Pepper, mail: Incoming) -> tuple[Lead | None, UUID | None]:
    """Return the lead that *mail* is about, and which mail of ours: by its token, by our Message-ID, or by its sender."""
    if mail.token:
        found = lead_of(pepper, mail.token)
        return (leads.find_lead(connection, found) if found else None), None
    for id_ in reversed(mail.mails):
        found = deliveries.lead_of_mail(connection, UUID(id_))
        if found:
            return leads.find_lead(connection, found), UUID(id_)
    if mail.kind == "bounce":
        # It comes from a server; only the mail inside tells whose it is.
        return None, None
    address = mail_address(mail.sender)
    known = suppressions.namesakes(connection, [pepper.key("email", address)]) if address else []
    candidates = [lead for each in known if (lead := leads.find_lead(connection, each.lead_id)) and not lead.erased_at]
    # Of several leads of one person it is the one that was written to or called last.
    return max(candidates, key=lambda lead: (lead.last_touch_at or lead.entered_at, lead.id), default=None), None


def _command(
    connection: Connection, mail: Incoming, lead: Lead, about: UUID | None, id_: UUID, now: datetime, answered: Answered
) -> Command | None:
    if mail.kind == "unsubscribe":
        return OptOut(channel="email")
    if mail.kind == "opt_out":
        words = msgspec.UNSET if lead.erased_at else _keep(connection, mail, lead, id_, now)
        return OptOut(channel=None if mail.aim == "all" else mail.aim, words=words)
    if mail.kind == "out_of_office":
        calendar = views.calendar_of(connection, lead.owner) or horizon.PLAIN
        ahead = mail.until is not None and mail.until > horizon.local_day(calendar, now)
        return Hold(reason="prospect_out_of_office", until=mail.until if ahead else None)
    if mail.kind == "bounce":
        return RecordBounce(mail=about, permanent=bool(mail.permanent), status=mail.status or "5.0.0") if about else None
    return RecordReply(
        channel="email", intent=answered.intent, revisit_on=answered.revisit_on, words=_keep(connection, mail, lead, id_, now)
    )


def _keep(connection: Connection, mail: Incoming, lead: Lead, id_: UUID, now: datetime) -> Reference:
    words = mail.words.replace("\0", "") or "(no text)"
    document_id = derived_id("document", id_, "words")
    try:
        return contacts.save_document(
            connection, document_id, lead.id, "words", words, writer=WHO, written_at=now, message_id=id_
        )
    except ValueError as error:
        raise MailError("a mail with this Message-ID was taken in before, and said something else") from error


def receive(service: Service, raw: bytes) -> str:
    """Record what the mail *raw* brings, without waiting for it, and return in a sentence what it was."""
    pepper = open_pepper(service.settings, service.engine)
    with transaction(service.engine) as connection:
        taken = take(connection, pepper, raw, service.now())
        rings = stage(connection, [taken.submission], now=service.now()) if taken.submission else []
    service.bell.ring_soon(rings)
    return plain(taken.sentence, 300)
