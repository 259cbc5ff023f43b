"""A mail made whole: headers, plain text and HTML, postal address, and a way out with one click (RFC 5322, 8058, 2369)."""

import html
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from string import Template
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

from service.mailing.addresses import MailError, one_line

#: More than any letter has; what is longer is a mistake.
MOST_CHARACTERS = 20_000


class Letter(NamedTuple):
    """What a mail is made of."""

    mail_id: UUID
    sender: Address
    recipient: Address
    subject: str
    text: str
    sent_at: datetime
    earlier: Sequence[str]
    """Message-IDs of the mails to this person before it, oldest first."""
    postal_address: str
    footer: str
    """What stands below it, with the fields ``postal_address`` and ``unsubscribe``."""
    token: str
    """Takes the person off our mail."""
    public_url: str = ""
    """Where that is done with one click; empty: by a mail to the sender."""


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return *template* with *values* in the places that it names.

    Raises
    ------
    MailError
        When one of them is not known, so that no mail goes out with a hole in it.
    """
    lacking = [name for name in Template(template).get_identifiers() if not values.get(name, "").strip()]
    if lacking:
        raise MailError(f"the wording needs {', '.join(lacking).replace('_', ' ')}, which is not known of this lead")
    return Template(template).substitute(values)


class _Folded(EmailPolicy):
    """Breaks headers of ids and addresses between these: the standard way is to encode a long one, which no reader undoes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(linesep="\r\n", **options)

    def fold_binary(self, name: str, value: str) -> bytes:
        """Return the header as it goes over the line."""
        if name in ("List-Unsubscribe", "References"):
            return f"{name}: {value}".replace(">, <", ">,\r\n <").replace("> <", ">\r\n <").encode() + b"\r\n"
        return super().fold_binary(name, value)


def compose(letter: Letter) -> bytes:
    """Return the mail, byte for byte as it goes out; the same letter gives the same bytes.

    Raises
    ------
    MailError
        When something of it cannot stand in a mail.
    """
    text = _clean(letter.text)
    if not letter.postal_address.strip():
        raise MailError("no mail goes out without our postal address: set THAW_POSTAL_ADDRESS")
    ascii_addresses = letter.recipient.addr_spec.isascii() and letter.sender.addr_spec.isascii()
    mail = EmailMessage(_Folded() if ascii_addresses else _Folded(utf8=True))
    mail["From"] = letter.sender
    mail["To"] = letter.recipient
    mail["Subject"] = one_line("the subject", letter.subject)
    mail["Date"] = format_datetime(letter.sent_at)
    mail["Message-ID"] = f"<{letter.mail_id}@{letter.sender.domain}>"
    if letter.earlier:
        mail["In-Reply-To"] = letter.earlier[-1]
        mail["References"] = " ".join(letter.earlier[-10:])
    for name, value in _way_out(letter).items():
        mail[name] = value
    link = _link(letter)
    mail.set_content(_plain(text, letter, link), cte="quoted-printable")
    mail.add_alternative(_html(text, letter, link), subtype="html", cte="quoted-printable")
    # Programs use to draw it by lot; ours has to come out alike when the same entry is handed in again.
    mail.set_boundary(f"=_{letter.mail_id.hex}")
    return mail.as_bytes()


def _clean(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    hidden = next((c for c in lines if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"), None)
    if hidden is not None:
        raise MailError(f"the text holds the control character U+{ord(hidden):04X}, which no mail may have")
    if not lines.strip():
        raise MailError("the mail has no text")
    if len(lines) > MOST_CHARACTERS:
        raise MailError(f"the text has {len(lines)} characters; {MOST_CHARACTERS} are the most")
    return lines


def _link(letter: Letter) -> str:
    if letter.public_url:
        return f"{letter.public_url.rstrip('/')}/u/{letter.token}"
    return f"mailto:{letter.sender.addr_spec}?subject={quote(f'unsubscribe {letter.token}')}"


def _way_out(letter: Letter) -> dict[str, str]:
    by_mail = f"<mailto:{quote(letter.sender.addr_spec, safe='@')}?subject={quote(f'unsubscribe {letter.token}')}>"
    if not letter.public_url:
        return {"List-Unsubscribe": by_mail}
    return {"List-Unsubscribe": f"<{_link(letter)}>, {by_mail}", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _plain(text: str, letter: Letter, link: str) -> str:
    foot = Template(letter.footer.strip()).substitute(postal_address=letter.postal_address.strip(), unsubscribe=link)
    return f"{text}\n\n-- \n{foot}\n"


def _html(text: str, letter: Letter, link: str) -> str:
    # The direction of a script is that of its first letter, paragraph by paragraph.
    body = "".join(f'<p dir="auto">{html.escape(part).replace(chr(10), "<br>")}</p>\n' for part in text.split("\n\n"))
    foot = "<br>".join(_html_line(line, letter, link) for line in letter.footer.strip().splitlines())
    head = '<!doctype html>\n<html><head><meta charset="utf-8"></head>'
    return f"{head}<body>\n{body}<hr><p><small>{foot}</small></p>\n</body></html>\n"


def _html_line(line: str, letter: Letter, link: str) -> str:
    """Return a line of the footer: the words on the line of the way out are what one clicks on."""
    address = letter.postal_address.strip()
    said = Template(line).substitute(postal_address=address, unsubscribe="").strip()
    if said == Template(line).substitute(postal_address=address, unsubscribe=link).strip():
        return html.escape(said)
    return f'<a href="{html.escape(link)}">{html.escape(said.rstrip(": ") or link)}</a>'
