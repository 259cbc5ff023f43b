"""What has happened to mail that the service itself sends. Addresses and words stay in ``contacts`` and ``documents``."""

from uuid import UUID

from msgspec import UNSET, UnsetType

from workflows.command import Reference, Slug
from workflows.event import Event
from workflows.mail_commands import MailPurpose


class MailQueued(Event, frozen=True, kw_only=True, tag="mail_queued"):
    """A mail was checked and waits to be sent. The state stays, as with all events of mail."""

    mail: UUID
    purpose: MailPurpose
    text: Reference
    wording: Slug | None
    """The wording that it was made from, with its digest; of older mails the start of it."""
    asset: Slug | None
    attested: tuple[Slug, ...]
    writing_minutes: int
    """Minutes that writing it took, 0 to 1440; they count once it has gone out."""
    kind: Slug | UnsetType = UNSET
    footer: str | UnsetType = UNSET
    """Digest of the wording below it."""


class MailSending(Event, frozen=True, kw_only=True, tag="mail_sending"):
    """It may go out, and the conversation with the server begins."""

    mail: UUID
    purpose: MailPurpose
    attempt: int
    """1 for the first conversation."""


class MailSent(Event, frozen=True, kw_only=True, tag="mail_sent"):
    """A server has taken it over."""

    mail: UUID
    code: int | None
    status: str | None


class MailRefused(Event, frozen=True, kw_only=True, tag="mail_refused"):
    """It did not go out and will not: no server takes it."""

    mail: UUID
    code: int | None
    status: str | None
    reason: Slug | None


class MailDeferred(Event, frozen=True, kw_only=True, tag="mail_deferred"):
    """It did not go out yet, and is tried again."""

    mail: UUID
    code: int | None
    status: str | None
    reason: Slug | None


class MailUnconfirmed(Event, frozen=True, kw_only=True, tag="mail_unconfirmed"):
    """The process or the line broke at a moment at which the server may have taken it; a person has to say whether it did."""

    mail: UUID


class MailBounced(Event, frozen=True, kw_only=True, tag="mail_bounced"):
    """It came back. A *permanent* failure makes the address unusable until the contact is updated."""

    mail: UUID
    permanent: bool
    status: str


MailEvent = MailQueued | MailSending | MailSent | MailRefused | MailDeferred | MailUnconfirmed | MailBounced
