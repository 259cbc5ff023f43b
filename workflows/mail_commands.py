"""Commands about mail that the service itself sends: to queue it, to send it, and to say what the other side answered."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from workflows.command import Command, Minutes, Moment, Reference, Slug

MailPurpose = Literal["breakup", "nurture"]
MailOutcome = Literal["sent", "refused", "deferred", "unconfirmed"]

#: An answer of an SMTP server: its reply code, and its enhanced status code (RFC 3463).
ReplyCode = Annotated[int, msgspec.Meta(ge=200, le=599)]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
StatusCode = Annotated[str, msgspec.Meta(pattern=r"^[245]\.\d{1,3}\.\d{1,3}$")]


class QueueBreakupMail(Command, frozen=True, kw_only=True, tag="queue_breakup_mail"):
    """Have the second half of a breakup sent (A1-9); *mail* is the id under which it goes out, once."""

    mail: UUID
    text: Reference
    """The whole mail, byte for byte as it goes out."""
    monitored_reply_address: bool
    wording: Slug | None = None
    """The wording that it was made from, with its digest (of older mails the start of it); absent for a text of one's own."""
    minutes: Minutes = 0
    override: Reference | msgspec.UnsetType = msgspec.UNSET
    """The reason for sending in spite of a failed check; stored and listed."""
    footer: Digest | msgspec.UnsetType = msgspec.UNSET
    """Digest of the wording below it."""


class QueueNurtureMail(Command, frozen=True, kw_only=True, tag="queue_nurture_mail"):
    """Have the month's value touch sent by mail (A3-3)."""

    mail: UUID
    text: Reference
    """The whole mail, byte for byte as it goes out."""
    asset: Slug
    wording: Slug | None = None
    """The wording that it was made from, as of a breakup's mail."""
    attested: tuple[Slug, ...] = ()
    """Checks that somebody vouches for; they count where no program has seen the mail. The shell names none: one always has."""
    minutes: Minutes = 0
    kind: Slug | msgspec.UnsetType = msgspec.UNSET
    """What sort of thing it is, one of the playbook's, such as newsletter."""
    override: Reference | msgspec.UnsetType = msgspec.UNSET
    """The reason for sending in spite of a failed check that is none of the law's; stored and listed."""
    footer: Digest | msgspec.UnsetType = msgspec.UNSET
    """Digest of the wording below it."""


class SendMail(Command, frozen=True, kw_only=True, tag="send_mail"):
    """Send a queued mail now, or from *not_before* on: the permission to do so is asked when this is decided."""

    mail: UUID
    purpose: MailPurpose
    attempt: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    """1 for the first conversation with a server."""
    not_before: Moment | None = None


class ReportMail(Command, frozen=True, kw_only=True, tag="report_mail"):
    """What came of a conversation with the server; a person says it of one that nobody knows the end of."""

    mail: UUID
    outcome: MailOutcome
    code: ReplyCode | None = None
    status: StatusCode | None = None
    reason: Slug | None = None
    """Why it did not go out, such as ``rejected`` or ``unreachable``."""


class RecordBounce(Command, frozen=True, kw_only=True, tag="record_bounce"):
    """A mail that a server had taken was not delivered (RFC 3464)."""

    mail: UUID
    permanent: bool
    status: StatusCode


MailCommand = QueueBreakupMail | QueueNurtureMail | SendMail | ReportMail | RecordBounce
