"""Mail addresses: those that people type, those of our reps, and the tokens by which one is taken off a list."""

import base64
import hmac
import unicodedata
from email.headerregistry import Address
from email.utils import parseaddr
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from models import mailboxes
from models.database import Connection
from models.mailboxes import Mailbox
from service.pepper import Pepper
from service.settings import Settings, SettingsError

#: Marks that turn the direction of what follows: in a header they make one name look like another.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

_LIST = b"mail"


class MailError(SettingsError):
    """A mail cannot be made of what was given; the message says what would be right."""


def one_line(what: str, value: str, most: int = 200) -> str:
    """Return *value*, which is to stand in a header.

    Raises
    ------
    MailError
        When it has more than one line, marks that nobody sees, or more than *most* characters.
    """
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in _TURNS for c in value):
        raise MailError(f"{what} {value[:60]!r}: it has to be one line, without control characters")
    if len(value) > most:
        raise MailError(f"{what} has {len(value)} characters; {most} are the most")
    return value.strip()


def address_of(what: str, typed: str, name: str = "") -> Address:
    """Return the address *typed* for *what*, with *name* before it; a domain in other letters in the form that servers know.

    Raises
    ------
    MailError
        When it is no address.
    """
    try:
        found = validate_email(typed.strip(), check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise MailError(f"{what} {typed[:80]!r} is no mail address: {error}") from error
    if found.ascii_domain != _as_compared(typed.strip().rpartition("@")[2]):
        # Two standards for names in other letters (IDNA 2003 and 2008) make two domains of some, such as those with an "ß".
        raise MailError(f"{what} {typed[:80]!r}: write its domain as {found.ascii_domain}, if that is the one which is meant")
    return Address(one_line(f"the name of {what}", name), found.local_part, found.ascii_domain)


def _as_compared(domain: str) -> str:
    try:
        return domain.encode("idna").decode().lower()
    except UnicodeError:
        return ""


def save_mailbox(connection: Connection, rep: str, typed: str) -> None:
    """Keep the address that was *typed* for *rep*, such as ``Dan Miller <dan@example.com>``."""
    name, address = parseaddr(typed)
    found = address_of("--email", address or typed, name)
    mailboxes.save(connection, rep, Mailbox(found.addr_spec, found.display_name))


def sender_of(connection: Connection, rep: str, settings: Settings) -> Address:
    """Return the address that *rep* writes from.

    Raises
    ------
    MailError
        When the rep has none.
    """
    own = mailboxes.find(connection, rep)
    if own:
        return address_of(f"the address of {rep}", own.address, own.name)
    if not settings.mail_domain:
        raise MailError(
            f"{rep} has no address to write from: `thaw rep set {rep} --email ADDRESS`, or one for all in THAW_MAIL_DOMAIN"
        )
    local = "".join(c if c.isascii() and c.isalnum() else "." for c in unicodedata.normalize("NFKD", rep).casefold())
    return address_of(f"the address of {rep}", f"{'.'.join(filter(None, local.split('.')))}@{settings.mail_domain}", rep)


def token_of(pepper: Pepper, lead_id: UUID) -> str:
    """Return the opaque token that takes the person behind a lead off our mail."""
    return base64.urlsafe_b64encode(lead_id.bytes + pepper.seal("unsubscribe", _LIST + lead_id.bytes)).decode().rstrip("=")


def lead_of(pepper: Pepper, token: str) -> UUID | None:
    """Return the lead that *token* names; None when it is not one of ours."""
    try:
        lead_id = UUID(bytes=base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)[:16])
    except ValueError:
        return None
    # The letters are compared, not the bytes behind them: base64 has several spellings of the same bytes.
    return lead_id if hmac.compare_digest(token, token_of(pepper, lead_id)) else None
